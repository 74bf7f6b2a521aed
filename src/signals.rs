//! What the operator asks for by signal.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// The exit code of a daemon that was told twice to end.
const IMPATIENT_EXIT_CODE: i32 = 130;

/// What the operator asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// SIGHUP: read the configuration again, and reconcile.
    Reload,
    /// SIGUSR1: look at the cloud now.
    Reconcile,
    /// SIGUSR2: the fleet's state to the log.
    LogState,
    /// SIGTERM, SIGINT: end, leaving the game servers as they are. A second one ends the process at once.
    Shutdown,
}

struct Signals {
    hangup: Signal,
    user1: Signal,
    user2: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// Turns signals into commands from now on.
pub fn listen() -> io::Result<mpsc::UnboundedReceiver<Command>> {
    let mut signals = Signals {
        hangup: signal(SignalKind::hangup())?,
        user1: signal(SignalKind::user_defined1())?,
        user2: signal(SignalKind::user_defined2())?,
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    let (sender, commands) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut ending = false;
        loop {
            let command = signals.next().await;
            if command == Command::Shutdown && ending {
                tracing::warn!("told twice to end: ending at once");
                std::process::exit(IMPATIENT_EXIT_CODE);
            }
            ending |= command == Command::Shutdown;
            tracing::info!(?command, "signal");
            // A closed channel belongs to a daemon that ends.
            let _ = sender.send(command);
        }
    });
    Ok(commands)
}

impl Signals {
    async fn next(&mut self) -> Command {
        tokio::select! {
            _ = self.hangup.recv() => Command::Reload,
            _ = self.user1.recv() => Command::Reconcile,
            _ = self.user2.recv() => Command::LogState,
            _ = self.terminate.recv() => Command::Shutdown,
            _ = self.interrupt.recv() => Command::Shutdown,
        }
    }
}
