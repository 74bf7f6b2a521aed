//! Keeps one game server of the local cloud on a leash: a process between the manager and the game server, which ends
//! the game server when the leash, its standard input, is let go: by the manager, or by the manager's death however
//! it came.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// What the keeper is told.
#[derive(Args, Debug)]
pub struct KeeperArgs {
    /// Between SIGTERM and SIGKILL.
    #[arg(long, value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// The game server and its arguments.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Runs the game server until it ends or the leash is let go. The exit code is the game server's.
pub fn run(args: KeeperArgs) -> io::Result<ExitCode> {
    let [program, rest @ ..] = args.command.as_slice() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no command to run"));
    };
    // A group of its own: whatever the game server starts ends with it.
    let mut game_server = Command::new(program).args(rest).stdin(Stdio::null()).process_group(0).spawn()?;
    let group = i32::try_from(game_server.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let (let_go, is_let_go) = mpsc::channel();
    on_signals(let_go.clone())?;
    thread::spawn(move || {
        wait_for_end_of(&mut io::stdin().lock());
        // Whoever listened has gone on its way already.
        let _ = let_go.send(());
    });
    thread::spawn(move || {
        let _ = is_let_go.recv();
        // Errors mean that the group is gone, which is what is wanted.
        let _ = kill_process_group(group, Signal::TERM);
        thread::sleep(args.grace);
        let _ = kill_process_group(group, Signal::KILL);
    });
    let status = game_server.wait()?;
    let _ = kill_process_group(group, Signal::KILL);
    Ok(exit_code(status))
}

/// Lets go on a signal too: one that ended the keeper alone would leave the game server to itself.
fn on_signals(let_go: mpsc::Sender<()>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = runtime.block_on(async {
        Ok::<_, io::Error>((
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ))
    })?;
    thread::spawn(move || {
        runtime.block_on(async {
            let (terminate, interrupt, hangup) = (&mut signals.0, &mut signals.1, &mut signals.2);
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {}, _ = hangup.recv() => {} }
        });
        let _ = let_go.send(());
    });
    Ok(())
}

fn wait_for_end_of(leash: &mut impl Read) {
    let mut nothing = [0; 1];
    while let Ok(1) = leash.read(&mut nothing) {}
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(SIGNALLED + status.signal()?)).unwrap_or(1);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
