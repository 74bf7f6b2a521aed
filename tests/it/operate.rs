//! The commands of operators, each a process of its own that asks a running manager.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::manager::{Manager, Setup};
use crate::support::process::{Signal, signal};
use crate::support::{PATIENCE, until};

const TOKEN: &str = "correct-horse-battery-staple";

/// What a command printed, and how it ended.
struct Told {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// It did as it was told, and had nothing to complain of.
    #[track_caller]
    fn done(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }
}

async fn run(setup: &Setup, arguments: &[&str]) -> Told {
    let Output { status, stdout, stderr } = setup.command(arguments).output().await.expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Told { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// The same, of that manager.
async fn ask(setup: &Setup, manager: &Manager, arguments: &[&str]) -> Told {
    run(setup, &[arguments, &["--url", &manager.operations]].concat()).await
}

#[tokio::test]
async fn the_fleet_is_shown_to_people_and_to_programs() {
    let setup = Setup::local().dot_env("MANAGER_MIN_SERVERS=2\nDOWNSCALE_MARGIN=1000");
    let manager = setup.start().await;
    let addresses = manager.serves(2).await;

    let status = ask(&setup, &manager, &["status"]).await.done().stdout;
    assert!(status.starts_with("FLEET ") && status.contains("\nPLACES "), "{status}");
    assert!(status.lines().all(|line| line.chars().count() <= 80), "{status}");
    assert!(!status.contains('\x1b'), "colours where nobody sees any: {status:?}");
    let fleet = ask(&setup, &manager, &["status", "--json"]).await.done().json();
    assert_eq!((&fleet["ready"], &fleet["servers"]["available"]), (&json!(true), &json!(2)), "{fleet}");

    let servers = ask(&setup, &manager, &["servers"]).await.done().stdout;
    assert_eq!(servers.lines().count(), 3, "{servers}");
    assert!(addresses.iter().all(|address| servers.contains(address.as_str())), "{servers}");
    let servers = ask(&setup, &manager, &["servers", "--json"]).await.done().json();
    assert_eq!(servers["servers"].as_array().map(Vec::len), Some(2), "{servers}");
    manager.stop().await;
}

#[tokio::test]
async fn a_server_is_emptied_and_comes_back_by_a_word() {
    let setup = Setup::local().dot_env("MANAGER_MIN_SERVERS=2\nDOWNSCALE_MARGIN=1000");
    let manager = setup.start().await;
    manager.serves(2).await;
    let player = manager.bring_player().await;
    let id = manager.server_at(&player.address).await.id;

    let drained = ask(&setup, &manager, &["drain", &id]).await.done().stdout;
    assert!(drained.starts_with(&format!("{id} is standby")), "{drained}");
    let servers = ask(&setup, &manager, &["servers"]).await.done().stdout;
    let line = servers.lines().find(|line| line.starts_with(&format!("{id} "))).expect("its line");
    assert!(line.contains("standby") && line.contains("drained"), "{servers}");
    let back = ask(&setup, &manager, &["undrain", &id]).await.done().stdout;
    assert!(back.starts_with(&format!("{id} is available")), "{back}");

    let entries = ask(&setup, &manager, &["decisions", "--json", "--server", &id]).await.done().stdout;
    let entries: Vec<Value> = entries.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(entries.iter().all(|entry| entry["server"] == id.as_str()), "{entries:?}");
    let by_hand: Vec<&Value> = entries.iter().filter(|entry| entry["kind"] == "operator").collect();
    assert_eq!(by_hand.iter().map(|entry| &entry["what"]).collect::<Vec<_>>(), ["drain", "undrain"]);
    let last = ask(&setup, &manager, &["decisions", "--limit", "1", "--server", &id]).await.done().stdout;
    assert!(last.lines().count() == 1 && last.contains(&id), "{last}");
    player.leave().await;
    manager.stop().await;
}

#[tokio::test]
async fn the_fleet_is_paused_looked_at_and_steered_by_a_word() {
    let setup = Setup::local().dot_env("UPSCALE_MARGIN=1\nDOWNSCALE_MARGIN=1000");
    let manager = setup.start().await;
    manager.serves(1).await;
    ask(&setup, &manager, &["pause"]).await.done();
    let status = ask(&setup, &manager, &["status"]).await.done().stdout;
    assert!(status.contains("STATE     paused"), "{status}");

    let changed = ask(&setup, &manager, &["margins", "--min-servers", "2", "--upscale", "2", "--json"]).await.done();
    let changed = changed.json();
    assert_eq!((&changed["min_servers"], &changed["changed"]), (&json!(2), &json!(true)), "{changed}");
    assert_eq!(ask(&setup, &manager, &["margins", "--json"]).await.done().json(), changed);
    let margins = ask(&setup, &manager, &["margins"]).await.done().stdout;
    assert!(margins.contains("\nnow ") && margins.contains("\nconfigured "), "{margins}");

    ask(&setup, &manager, &["reconcile"]).await.done();
    ask(&setup, &manager, &["resume"]).await.done();
    manager.lists(2).await;
    let reset = ask(&setup, &manager, &["margins", "--reset", "--json"]).await.done().json();
    assert_eq!((&reset["min_servers"], &reset["changed"]), (&json!(1), &json!(false)), "{reset}");
    manager.stop().await;
}

#[tokio::test]
async fn a_script_can_tell_by_the_exit_code_why_nothing_was_done() {
    let setup = Setup::local().environment("MANAGER_OPERATIONS_TOKEN", TOKEN);
    let manager = setup.start().await;
    manager.serves(1).await;
    let url = manager.operations.clone();
    let stranger = || Setup::new().environment("MANAGER_OPERATIONS_URL", &url);
    let without_token = stranger();
    let with_another = stranger().environment("MANAGER_OPERATIONS_TOKEN", "another-horse-battery-staple");
    let by_variable = stranger().environment("MANAGER_OPERATIONS_TOKEN", TOKEN);
    for (what, setup, arguments, code, told) in [
        ("the token of the environment", &by_variable, &["status"][..], 0, ""),
        ("a server that is not there", &by_variable, &["drain", "server-999"], 1, "server-999"),
        ("margins that do not go together", &by_variable, &["margins", "--upscale", "999999"], 1, "margin"),
        ("no server's name", &by_variable, &["drain", "../pause"], 2, "server-3"),
        ("an unknown option", &by_variable, &["status", "--wach"], 2, "--watch"),
        ("both a change and none", &by_variable, &["margins", "--reset", "--upscale", "3"], 2, "--reset"),
        ("TLS", &by_variable, &["status", "--url", "https://127.0.0.1"], 2, "tunnel"),
        ("nobody there", &by_variable, &["status", "--url", "http://127.0.0.1:9"], 3, "http://127.0.0.1:9"),
        ("no token", &without_token, &["status"], 4, "token"),
        ("another token", &with_another, &["pause"], 4, "token"),
        ("another token, following", &with_another, &["decisions", "--follow"], 4, "token"),
    ] {
        let ended = run(setup, arguments).await;
        assert_eq!(ended.code, Some(code), "{what}: {}", ended.stderr);
        assert!(ended.stderr.contains(told) && !ended.stderr.contains(TOKEN), "{what}: {}", ended.stderr);
    }
    manager.stop().await;
}

#[tokio::test]
async fn the_configuration_says_where_to_ask_and_with_which_token() {
    let setup = Setup::local();
    std::fs::write(setup.path().join("operations-token"), format!("{TOKEN}\n")).expect("a file");
    let setup = setup.environment("MANAGER_OPERATIONS_TOKEN_FILE", "operations-token");
    let manager = setup.start().await;
    manager.serves(1).await;
    let address = manager.operations.trim_start_matches("http://").to_owned();
    let port = address.rsplit(':').next().expect("a port");
    // A client on the manager's machine may lack its other settings, and "everywhere" is somewhere here.
    for listen in [address.clone(), format!("0.0.0.0:{port}")] {
        let here =
            Setup::new().environment("MANAGER_OPERATIONS_LISTEN", &listen).environment("MANAGER_MAX_SERVERS", "many");
        std::fs::write(here.path().join("token"), TOKEN).expect("a file");
        let here = here.environment("MANAGER_OPERATIONS_TOKEN_FILE", "token");
        run(&here, &["status"]).await.done();
    }
    let here = Setup::new().environment("MANAGER_OPERATIONS_LISTEN", &address);
    let here = here.environment("MANAGER_OPERATIONS_TOKEN_FILE", "no-such-file");
    let told = run(&here, &["status"]).await;
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    assert!(told.stderr.contains("no-such-file"), "{}", told.stderr);
    let told = run(&Setup::new().environment("MANAGER_OPERATIONS_LISTEN", "off"), &["status"]).await;
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    assert!(told.stderr.contains("--url"), "{}", told.stderr);
    manager.stop().await;
}

/// A command that goes on until it is ended.
struct Endless {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Endless {
    fn start(setup: &Setup, arguments: &[&str]) -> Self {
        let mut command = setup.command(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = BufReader::new(process.stdout.take().expect("stdout was piped")).lines();
        let stderr = BufReader::new(process.stderr.take().expect("stderr was piped")).lines();
        Self { process, stdout, stderr }
    }

    /// The next line with that in it.
    async fn line(&mut self, wanted: &str) -> String {
        let found = async {
            while let Some(line) = self.stdout.next_line().await.expect("text") {
                if line.contains(wanted) {
                    return line;
                }
            }
            panic!("it ended without a line with {wanted}")
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain for {wanted}"))
    }

    async fn complaint(&mut self) -> String {
        let line = timeout(PATIENCE, self.stderr.next_line()).await.expect("a line in time");
        line.expect("text").expect("a line")
    }

    fn signal(&self, which: Signal) {
        let pid = self.process.id().and_then(|pid| pid.try_into().ok()).and_then(rustix::process::Pid::from_raw);
        signal(pid.expect("it runs"), which);
    }

    /// Ends it as Ctrl-C does.
    async fn interrupt(mut self) -> Option<i32> {
        self.signal(Signal::INT);
        timeout(PATIENCE, self.process.wait()).await.expect("it ends in time").expect("an exit status").code()
    }
}

#[tokio::test]
async fn decisions_are_followed_as_they_are_made_over_a_restart_of_the_manager_too() {
    let setup = Setup::local().dot_env("").environment("MANAGER_JOURNAL_PATH", "journal.jsonl");
    // The manager is started again where it was.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    let setup = setup.environment("MANAGER_OPERATIONS_LISTEN", &format!("127.0.0.1:{port}"));
    let manager = setup.start().await;
    manager.serves(1).await;

    let mut followed = Endless::start(&setup, &["decisions", "--follow", "--json"]);
    let first: Value = serde_json::from_str(&followed.line("\"number\"").await).expect("JSON");
    assert!(first["number"].as_u64() >= Some(1), "{first}");
    ask(&setup, &manager, &["pause"]).await.done();
    let paused: Value = serde_json::from_str(&followed.line("\"operator\"").await).expect("JSON");
    assert_eq!(paused["what"], "pause", "{paused}");
    manager.stop().await;
    let lost = followed.complaint().await;
    assert!(lost.contains("trying again"), "{lost}");

    let manager = setup.start().await;
    let found = followed.complaint().await;
    assert!(found.contains("following again"), "{found}");
    // It has forgotten that it was paused, and its journal has not.
    ask(&setup, &manager, &["pause"]).await.done();
    let again: Value = serde_json::from_str(&followed.line("\"operator\"").await).expect("JSON");
    assert_eq!(again["what"], "pause", "{again}");
    assert!(again["number"].as_u64() > paused["number"].as_u64(), "{again} after {paused}");
    assert_eq!(followed.interrupt().await, Some(0));
    manager.stop().await;
}

#[tokio::test]
async fn a_manager_that_begins_its_journal_anew_is_followed_from_its_first_entry_on() {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    let setup = Setup::local().environment("MANAGER_OPERATIONS_LISTEN", &format!("127.0.0.1:{port}"));
    let manager = setup.start().await;
    manager.serves(1).await;
    let mut followed = Endless::start(&setup, &["decisions", "--follow", "--json"]);
    followed.line("\"number\":").await;
    // By the time it looks again, the next one has written more than it has read.
    followed.signal(Signal::STOP);
    manager.stop().await;
    let setup = setup.environment("MANAGER_MIN_SERVERS", "3");
    let manager = setup.start().await;
    manager.serves(3).await;
    followed.signal(Signal::CONT);
    followed.line("\"number\":1,").await;
    assert_eq!(followed.interrupt().await, Some(0));
    manager.stop().await;
}

#[tokio::test]
async fn the_fleet_is_watched_until_ctrl_c() {
    let setup = Setup::local();
    let manager = setup.start().await;
    manager.serves(1).await;
    let mut watched = Endless::start(&setup, &["status", "--watch", "--json", "--url", &manager.operations]);
    watched.line("\"paused\":false").await;
    ask(&setup, &manager, &["pause"]).await.done();
    watched.line("\"paused\":true").await;
    assert_eq!(watched.interrupt().await, Some(0));
    manager.stop().await;
}

#[tokio::test]
async fn a_manager_may_be_started_where_operators_have_set_whom_they_ask() {
    let setup = Setup::local().environment("MANAGER_OPERATIONS_URL", "http://127.0.0.1:9");
    let manager = setup.start().await;
    let fleet = until("the fleet is told", async || {
        let fleet = ask(&setup, &manager, &["status", "--json"]).await.done().json();
        (fleet["ready"] == json!(true)).then_some(fleet)
    });
    assert_eq!(fleet.await["cloud"], "local");
    manager.stop().await;
}

#[tokio::test]
async fn shells_and_man_are_told_each_command() {
    let setup = Setup::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&setup, &["completions", shell]).await.done().stdout;
        assert!(script.contains("undrain") && script.contains("min-servers"), "{shell}: {script}");
    }
    // As bash itself has it, after a command.
    let script = run(&setup, &["completions", "bash"]).await.done().stdout;
    let asked = "COMP_WORDS=(playlivechess-manager decisions --fol); COMP_CWORD=2; \
                 set -- $(complete -p playlivechess-manager); while [ \"$1\" != -F ]; do shift; done; \
                 \"$2\" playlivechess-manager --fol decisions; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash").args(["-c", &format!("{script}\n{asked}")]).output().await.expect("bash");
    assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "--follow", "{completed:?}");
    let page = run(&setup, &["man"]).await.done().stdout;
    assert!(page.contains(".TH playlivechess") && page.contains("undrain"), "{page}");
    let page = run(&setup, &["man", "decisions"]).await.done().stdout;
    assert!(page.contains("follow") && page.contains("Exit status"), "{page}");
    assert_eq!(run(&setup, &["man", "no-such-command"]).await.code, Some(2));
}
