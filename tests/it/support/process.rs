//! Processes, and the signals they are sent.

use std::fs;

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, kill_process, prlimit, setrlimit};

/// Sends a signal to a process that this test has started, or that was started for it.
pub(crate) fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).expect("the process is there");
}

/// The bytes of memory that a process has in use.
pub(crate) fn memory_of(pid: Pid) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
    resident.and_then(|size| size.trim().parse::<usize>().ok()).expect("a size") * 1024
}

/// How many files and sockets a process has open.
pub(crate) fn open_files_of(pid: Pid) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is there").count()
}

/// Lets a process open so many files and no more.
pub(crate) fn limit_open_files(pid: Pid, limit: usize) {
    let limit = Some(limit.try_into().expect("a number of files"));
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: limit, maximum: limit }).expect("the process is there");
}

/// Raises this process's limit on open files as far as it goes, and says how many a test may use of them.
pub(crate) fn room_for_files() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the maximum it may be raised");
    // The other tests have some open as well.
    maximum.map_or(usize::MAX, |most| usize::try_from(most / 2).expect("a number of files"))
}

/// The game server that was told to listen at that address.
pub(crate) fn game_server_at(address: &str) -> Pid {
    running("game-server", address)
}

/// The keeper of that game server.
pub(crate) fn keeper_of(address: &str) -> Pid {
    running("keeper", address)
}

/// The process of the binary under test that runs this program, with that word among its arguments.
fn running(program: &str, argument: &str) -> Pid {
    let mut processes = fs::read_dir("/proc").expect("/proc").flatten();
    let found = processes.find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let mut words = line.split('\0');
        (words.nth(1) == Some(program) && words.any(|word| word == argument)).then_some(pid)
    });
    found.and_then(Pid::from_raw).unwrap_or_else(|| panic!("no {program} has {argument} among its arguments"))
}

/// The most memory that a process ever had, in KiB.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of that name");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}
