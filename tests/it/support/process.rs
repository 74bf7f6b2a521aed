//! Processes, and the signals they are sent.

use std::fs;

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Sends a signal to a process that this test has started, or that was started for it.
pub(crate) fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).expect("the process is there");
}

/// The game server that was told to listen at that address.
pub(crate) fn game_server_at(address: &str) -> Pid {
    let mut processes = fs::read_dir("/proc").expect("/proc").flatten();
    let found = processes.find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let mut words = line.split('\0');
        // The keeper has the same words after its own.
        (words.nth(1) == Some("game-server") && words.any(|word| word == address)).then_some(pid)
    });
    found.and_then(Pid::from_raw).unwrap_or_else(|| panic!("no game server listens at {address}"))
}
