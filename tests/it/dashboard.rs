//! The dashboard, in a real browser, while the fleet grows, a server is drained, and the manager goes and comes back.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::manager::{Manager, Setup, loopback_block};
use crate::support::player::Player;
use crate::support::process::Signal;
use crate::support::python::python;

const TOKEN: &str = "correct-horse-battery-staple";

/// What an operator does in the browser, step by step.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/dashboard.py");

/// An operator before a browser. It is closed when the test lets go of it.
struct Operator {
    process: Child,
    steps: ChildStdin,
    done: Lines<BufReader<ChildStdout>>,
}

impl Operator {
    async fn before(manager: &Manager) -> Self {
        let python = tokio::task::spawn_blocking(|| python("browser-tests", "browser")).await.expect("Selenium");
        let mut command = Command::new(python);
        command.args([PROGRAM, &manager.operations, "--token", TOKEN, "-"]).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let steps = process.stdin.take().expect("stdin was piped");
        let done = BufReader::new(process.stdout.take().expect("stdout was piped")).lines();
        Self { process, steps, done }
    }

    /// Does that, and sees what has to come of it.
    async fn does(&mut self, step: &str) {
        self.steps.write_all(format!("{step}\n").as_bytes()).await.expect("the operator is there");
        let done = timeout(PATIENCE, self.done.next_line()).await.expect("a step ends in time").expect("text");
        if done.as_deref() != Some(&format!("ok {step}")) {
            let mut told = String::new();
            let error = self.process.stderr.as_mut().expect("stderr was piped");
            timeout(PATIENCE, error.read_to_string(&mut told)).await.expect("it ends in time").expect("text");
            panic!("{step}: {told}");
        }
    }

    async fn leaves(mut self) {
        drop(self.steps);
        let status = timeout(PATIENCE, self.process.wait()).await.expect("it ends in time").expect("a status");
        assert!(status.success(), "{status}");
    }
}

#[tokio::test]
async fn an_operator_sees_the_fleet_grow_drains_a_server_and_sees_it_go() {
    let setup = Setup::local().environment("MANAGER_OPERATIONS_TOKEN", TOKEN);
    let manager = setup.start().await;
    let first = manager.serves(1).await.remove(0);
    let mut operator = Operator::before(&manager).await;
    for step in ["headers", "token-wanted", "servers 1", "names", "contrast", "keyboard", "phone"] {
        operator.does(step).await;
    }

    // Fewer than four places are free then.
    let mut players = Vec::new();
    for _ in 0..7 {
        players.push(manager.bring_player().await);
    }
    operator.does("available 2").await;
    operator.does("players 7").await;
    operator.does("arrows").await;
    operator.does("journal launch upscale-margin").await;
    operator.does("hidden").await;
    players.push(manager.bring_player().await);
    operator.does("players 8").await;
    operator.does("seen").await;

    let id = manager.server_at(&first).await.id;
    operator.does(&format!("drain {id}")).await;
    operator.does(&format!("emptying {id}")).await;
    operator.does(&format!("undrain {id}")).await;
    operator.does(&format!("drain {id}")).await;
    let (there, elsewhere): (Vec<Player>, Vec<Player>) = players.into_iter().partition(|it| it.address == first);
    assert!(!there.is_empty());
    // Nobody was dropped: each of them leaves as it likes.
    for player in there {
        player.leave().await;
    }
    operator.does(&format!("gone {id}")).await;
    operator.does(&format!("journal end {id} drained")).await;
    for step in ["pause", "reconcile", "margins 40", "tomorrow", "requested"] {
        operator.does(step).await;
    }
    operator.does("scheme dark").await;
    operator.does("contrast").await;
    operator.does("quiet").await;
    operator.leaves().await;
    for player in elsewhere {
        player.leave().await;
    }
    manager.stop().await;
}

#[tokio::test]
async fn an_operator_sees_that_the_manager_is_away_and_that_another_is_there() {
    // A port that no other program is given, for the next manager listens there too.
    let operations = format!("{}:8001", loopback_block());
    let setup = Setup::local()
        .environment("MANAGER_OPERATIONS_TOKEN", TOKEN)
        .environment("MANAGER_OPERATIONS_LISTEN", &operations);
    let manager = setup.start().await;
    manager.serves(1).await;
    let mut operator = Operator::before(&manager).await;
    operator.does("loads").await;
    operator.does("servers 1").await;

    // Its connections stay, and nothing comes. It is the same afterwards, and what it is asked is too.
    let id = manager.state().await.remove(0).id;
    operator.does(&format!("asks {id}")).await;
    manager.signal(Signal::STOP);
    operator.does("lost").await;
    manager.signal(Signal::CONT);
    operator.does("again").await;
    operator.does(&format!("still-asks {id}")).await;

    manager.stop().await;
    operator.does("lost").await;
    operator.does("refused").await;
    let manager = setup.start().await;
    manager.serves(1).await;
    // Of the same name, and another one.
    assert_eq!(manager.state().await.remove(0).id, id);
    operator.does("again").await;
    operator.does("asks-nothing").await;
    operator.does("servers 1").await;

    operator.does("quiet").await;
    operator.leaves().await;
    manager.stop().await;
}
