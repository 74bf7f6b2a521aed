//! What the service manager is told of the daemon, on the socket that systemd listens on.

use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::time::{Instant, timeout};

use crate::support::PATIENCE;
use crate::support::manager::Setup;
use crate::support::process::Signal;

const WATCHDOG: Duration = Duration::from_secs(1);

/// The socket, and all that came so far.
struct Systemd {
    socket: UnixDatagram,
    told: Vec<String>,
}

impl Systemd {
    fn of(setup: Setup) -> (Self, Setup) {
        let path = setup.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("the directory can be written to");
        let setup = setup
            .environment("NOTIFY_SOCKET", path.to_str().expect("a path in UTF-8"))
            .environment("WATCHDOG_USEC", &WATCHDOG.as_micros().to_string());
        (Self { socket, told: Vec::new() }, setup)
    }

    /// Waits for a message with that in it, from number `since` on, and gives the number of the message.
    async fn hears(&mut self, since: usize, what: &str) -> usize {
        loop {
            if let Some(found) = self.told[since..].iter().position(|message| message.contains(what)) {
                return since + found;
            }
            let mut message = [0; 1024];
            let received = timeout(PATIENCE, self.socket.recv(&mut message)).await;
            let length = received.unwrap_or_else(|_| panic!("no {what} in {:?}", self.told)).expect("a message");
            self.told.push(String::from_utf8_lossy(&message[..length]).into_owned());
        }
    }
}

#[tokio::test]
async fn ready_comes_with_the_first_look_and_signs_of_life_follow() {
    let (mut systemd, setup) = Systemd::of(Setup::local());
    let manager = setup.start().await;
    systemd.hears(0, "READY=1").await;
    assert_eq!(manager.get("/readyz").await.0, 200);
    manager.serves(1).await;
    systemd.hears(0, "STATUS=1 servers take players").await;

    let (first, begun) = (systemd.told.len(), Instant::now());
    let second = systemd.hears(first, "WATCHDOG=1").await + 1;
    systemd.hears(second, "WATCHDOG=1").await;
    assert!(begun.elapsed() < 4 * WATCHDOG, "two in {:?}", begun.elapsed());
    let ready = systemd.told.iter().filter(|message| message.contains("READY=1")).count();
    assert_eq!(ready, 1, "{:?}", systemd.told);
    manager.stop().await;
    systemd.hears(0, "STOPPING=1").await;
}

#[tokio::test]
async fn a_reload_has_a_beginning_and_an_end() {
    let (mut systemd, setup) = Systemd::of(Setup::local());
    let manager = setup.start().await;
    systemd.hears(0, "READY=1").await;
    let since = systemd.told.len();
    let _setup = setup.dot_env("UPSCALE_MARGIN=five");
    manager.signal(Signal::HUP);
    let begun = systemd.hears(since, "RELOADING=1").await;
    assert!(systemd.told[begun].contains("MONOTONIC_USEC="), "{:?}", systemd.told);
    // A configuration that is refused has been read all the same.
    systemd.hears(begun + 1, "READY=1").await;
    manager.stop().await;
}
