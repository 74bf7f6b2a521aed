//! The commands that end by themselves.

use std::fs::File;
use std::io;
use std::process::{Output, Stdio};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::manager::Setup;
use crate::support::process::{Signal, game_server_at, signal};
use crate::support::{PATIENCE, until};

async fn run(setup: &Setup, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = setup.command(arguments).output().await.expect("the binary starts");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[tokio::test]
async fn check_config_shows_each_setting_with_its_source() {
    let setup = Setup::new();
    setup.write_dot_env("UPSCALE_MARGIN=5\nUPSCALE_MARGIN=6\nSECRET_KEY=lol");
    let (code, told) = run(&setup, &["--local", "check-config"]).await;
    assert_eq!(code, Some(0), "{told}");
    let line = told.lines().find(|line| line.contains("upscale_margin")).expect("the setting");
    assert!(line.contains('6') && line.contains(".env"), "{line}");
    assert!(told.contains("SECRET_KEY"), "what only the old framework used is named: {told}");
}

#[tokio::test]
async fn all_mistakes_are_told_at_once_and_nothing_is_started() {
    let setup = Setup::new();
    setup.write_dot_env("UPSCALE_MARGIN=four\nDOWNSCALE_MARGIN=-1\nMANAGER_MIN_SERVER=2\nBACKUP_GAMESERVER=nowhere");
    for arguments in [&["--local"][..], &["--local", "check-config"]] {
        let (code, told) = run(&setup, arguments).await;
        assert_eq!(code, Some(2), "{told}");
        for named in ["four", "-1", "MANAGER_MIN_SERVERS", "nowhere"] {
            assert!(told.contains(named), "{named} is not in {told}");
        }
    }
}

#[tokio::test]
async fn the_manual_is_the_file_at_the_top() {
    let (code, told) = run(&Setup::new(), &["check-config", "--defaults"]).await;
    assert_eq!((code, told.as_str()), (Some(0), include_str!("../../manager.toml")));
}

#[tokio::test]
async fn the_manual_page_has_each_command_and_each_option() {
    let page = include_str!("../../deploy/playlivechess-manager.8").replace("\\-", "-");
    let (_, help) = run(&Setup::new(), &["--help"]).await;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"doctor"), "{help}");
    let mut wanted: Vec<String> = commands.iter().map(|command| (*command).to_owned()).collect();
    for arguments in std::iter::once(vec!["--help"]).chain(commands.iter().map(|command| vec![*command, "--help"])) {
        let (_, help) = run(&Setup::new(), &arguments).await;
        let options = help.lines().flat_map(str::split_whitespace).filter(|word| word.starts_with("--"));
        wanted.extend(options.map(str::to_owned));
    }
    for word in wanted {
        assert!(page.contains(&word), "{word} is not in the manual page");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, told) = run(&Setup::new(), &["--local", "--listen", &address]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(&address) && told.contains("MANAGER_LISTEN"), "{told}");
}

#[tokio::test]
async fn the_doctor_finds_what_stands_in_the_way_on_this_machine() {
    let local = || Setup::local().environment("MANAGER_LISTEN", "127.0.0.1:0").environment("MANAGER_MAX_SERVERS", "3");
    let (code, told) = run(&local(), &["--local", "doctor"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.lines().filter(|line| line.starts_with("pass ")).count() == 4, "{told}");
    for (name, value, check, mend) in [
        ("MANAGER_LOCAL_COMMAND", "no-such-game {ip}:{port}", "command", "MANAGER_LOCAL_COMMAND"),
        ("MANAGER_LOCAL_FIRST_ADDRESS", "127.255.255.253", "ports", "MANAGER_MAX_SERVERS"),
        ("MANAGER_LISTEN", "203.0.113.7:8000", "listen", "MANAGER_LISTEN"),
    ] {
        let (code, told) = run(&local().environment(name, value), &["--local", "doctor"]).await;
        assert_eq!(code, Some(1), "{told}");
        let line = told.lines().find(|line| line.starts_with("fail ")).expect("a check that failed");
        assert!(line.contains(check) && line.contains("mend: ") && line.contains(mend), "{line}");
    }
}

#[tokio::test]
async fn the_doctor_wants_a_configuration_without_mistakes() {
    let (code, told) = run(&Setup::local().environment("MANAGER_MAX_SERVERS", "many"), &["doctor", "--json"]).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("MANAGER_MAX_SERVERS"), "{told}");
}

/// What nobody reads any more, as after `| head`.
fn closed_pipe() -> Stdio {
    let (_, writer) = io::pipe().expect("a pipe");
    writer.into()
}

fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

/// How a program ends that prints there, and what it complains of.
async fn prints_to(stdout: Stdio, setup: &Setup, arguments: &[&str]) -> (Option<i32>, String) {
    let program = setup.command(arguments).stdout(stdout).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let ended = timeout(PATIENCE, program.wait_with_output()).await.expect("it ends in time");
    let Output { status, stderr, .. } = ended.expect("an exit status");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// It ends as it does for a reader, and is at a loss only where somebody wanted to read.
async fn ends_well_where_it_cannot_print(setup: &Setup, arguments: &[&str]) {
    let unread = prints_to(closed_pipe(), setup, arguments).await;
    assert_eq!(unread, (Some(0), String::new()), "{arguments:?}");
    let (code, told) = prints_to(full_disk(), setup, arguments).await;
    assert_eq!((code, told.lines().count()), (Some(1), 1), "{arguments:?}: {told}");
    assert!(told.starts_with("playlivechess-manager: cannot print: No space left"), "{arguments:?}: {told}");
}

#[tokio::test]
async fn a_program_that_cannot_print_ends_well() {
    let local = || Setup::local().environment("MANAGER_LISTEN", "127.0.0.1:0").environment("MANAGER_MAX_SERVERS", "3");
    let setup = local();
    for arguments in [
        &["check-config"][..],
        &["check-config", "--defaults"],
        &["doctor"],
        &["doctor", "--json"],
        &["completions", "bash"],
        &["man"],
        &["load", "--players", "0"],
        &["load", "--players", "0", "--json"],
    ] {
        ends_well_where_it_cannot_print(&setup, &[&["--local"], arguments].concat()).await;
    }
    let ill = local().environment("MANAGER_LISTEN", "203.0.113.7:8000");
    let unread = prints_to(closed_pipe(), &ill, &["--local", "doctor"]).await;
    assert_eq!(unread, (Some(1), String::new()), "what the doctor found stands, whether or not it is read");
}

#[tokio::test]
async fn an_operator_who_cannot_be_shown_the_fleet_is_told() {
    let setup = Setup::local();
    let manager = setup.start().await;
    manager.serves(1).await;
    for command in ["status", "servers", "decisions"] {
        ends_well_where_it_cannot_print(&setup, &[command, "--url", &manager.operations]).await;
    }
    manager.stop().await;
}

#[tokio::test]
async fn players_do_not_depend_on_who_reads_what_their_game_server_says() {
    for stdout in [closed_pipe(), full_disk()] {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let setup = Setup::new();
        let mut game = setup.command(&["game-server", "--listen", &address]).stdout(stdout).spawn().expect("it starts");
        until("the game server listens", async || TcpStream::connect(&address).await.ok()).await;
        signal(game_server_at(&address), Signal::TERM);
        let ended = timeout(PATIENCE, game.wait()).await.expect("it ends in time").expect("an exit status");
        assert_eq!(ended.code(), Some(0));
    }
}

#[tokio::test]
async fn a_health_check_tells_a_living_manager_from_a_dead_one() {
    let setup = Setup::local();
    let manager = setup.start().await;
    manager.log.message(0, "the fleet is ready").await;
    let address = manager.authority();
    for arguments in [&["health-check", "--address", &address][..], &["health-check", "--ready", "--address", &address]]
    {
        assert_eq!(run(&setup, arguments).await, (Some(0), String::new()));
    }
    // Without an address, where the configuration says that it listens.
    let told = setup.environment("MANAGER_LISTEN", &address);
    assert_eq!(run(&told, &["health-check"]).await, (Some(0), String::new()), "whatever the manager's own flags are");
    let setup = told;
    manager.stop().await;
    let (code, told) = run(&setup, &["health-check", "--address", &address]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains(&address), "{told}");
}

#[cfg(feature = "ecs")]
#[tokio::test]
async fn a_manager_that_cannot_see_aws_is_alive_and_not_ready() {
    let api = crate::aws::api::Api::start().await;
    let setup = api.setup("").environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let manager = setup.start().await;
    let address = manager.authority();
    assert_eq!(run(&setup, &["health-check", "--address", &address]).await, (Some(0), String::new()));
    let (code, told) = run(&setup, &["health-check", "--ready", "--address", &address]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("the first look at the cloud is not complete"), "{told}");
    manager.stop().await;
}
