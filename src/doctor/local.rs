//! What can be asked of this machine: where clients are listened for, and the cloud of processes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::cloud::local::{LocalSettings, Spread, free_addresses};

/// Whether clients can be listened for there.
pub fn listening(listen: SocketAddr) -> Finding {
    const CHECK: &str = "listen";
    match TcpListener::bind(listen) {
        Ok(_) => Finding::pass(CHECK, format!("{listen} is free")),
        // Most likely this is asked beside a running manager.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::warn(
            CHECK,
            format!("{listen} is taken"),
            "all is well if it is a running manager that has it; else end what listens there, or set MANAGER_LISTEN",
        ),
        Err(error) => Finding::fail(
            CHECK,
            format!("{listen} cannot be listened on: {error}"),
            "set MANAGER_LISTEN to an address of this machine, and a port that this user may have",
        ),
    }
}

/// Asks whether so many game servers can run on this machine.
pub fn examine(settings: &LocalSettings, max_servers: u32) -> Vec<Finding> {
    vec![command(settings), loopback(settings), ports(settings, max_servers)]
}

fn command(settings: &LocalSettings) -> Finding {
    const CHECK: &str = "command";
    let program = settings.command.first().map(String::as_str).unwrap_or_default();
    let mend = "set MANAGER_LOCAL_COMMAND to a program that is there, or to nothing for the manager's own game server";
    match find(program, &std::env::var_os("PATH").unwrap_or_default()) {
        Some(path) if is_executable(&path) => Finding::pass(CHECK, path.display().to_string()),
        Some(path) => Finding::fail(
            CHECK,
            format!("{} may not be executed", path.display()),
            format!("chmod +x {}, or {mend}", path.display()),
        ),
        None => Finding::fail(CHECK, format!("there is no program {program:?}"), mend),
    }
}

/// As a shell finds a program: with a slash in its name it is a path, else the first of that name in `PATH`.
fn find(program: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let there: Vec<PathBuf> =
        std::env::split_paths(path).map(|dir| dir.join(program)).filter(|path| path.is_file()).collect();
    there.iter().find(|path| is_executable(path)).or(there.first()).cloned()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// Linux answers on all of 127.0.0.0/8 without any set-up; other systems and some containers do not.
fn loopback(settings: &LocalSettings) -> Finding {
    const CHECK: &str = "addresses";
    let first = settings.first_address;
    let last = match settings.spread {
        Spread::Ports => first,
        Spread::Addresses => Ipv4Addr::from(u32::from(first).saturating_add(1)),
    };
    match [first, last].into_iter().find_map(|address| TcpListener::bind((address, 0)).err()) {
        None => Finding::pass(CHECK, format!("{first} can be listened on")),
        Some(error) => Finding::fail(
            CHECK,
            format!("addresses from {first} on cannot be listened on: {error}"),
            "set MANAGER_LOCAL_FIRST_ADDRESS=127.0.0.1 and MANAGER_LOCAL_SPREAD=port",
        ),
    }
}

fn ports(settings: &LocalSettings, max_servers: u32) -> Finding {
    const CHECK: &str = "ports";
    let wanted = max_servers as usize;
    let free: Vec<SocketAddr> = free_addresses(settings).take(wanted).collect();
    match (free.first(), free.last()) {
        (Some(first), Some(last)) if free.len() == wanted => {
            Finding::pass(CHECK, format!("{wanted} are free, {first} to {last}"))
        }
        _ => Finding::fail(
            CHECK,
            format!("{} are free from {}:{} on", free.len(), settings.first_address, settings.first_port),
            format!(
                "set MANAGER_MAX_SERVERS ({wanted}) to {} at most, or MANAGER_LOCAL_FIRST_PORT lower",
                free.len().max(1)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doctor::Verdict;

    fn settings(command: &str, first_port: u16) -> LocalSettings {
        LocalSettings {
            command: vec![command.to_owned()],
            boot_delay: Duration::ZERO,
            first_address: Ipv4Addr::new(127, 0, 0, 1),
            first_port,
            spread: Spread::Ports,
            stop_grace: Duration::ZERO,
        }
    }

    #[test]
    fn a_program_is_found_by_path_or_by_name() {
        for (program, result) in [
            ("sh", Verdict::Pass),
            ("/bin/sh", Verdict::Pass),
            ("/etc/passwd", Verdict::Fail),
            ("no-such", Verdict::Fail),
        ] {
            assert_eq!(command(&settings(program, 9000)).result, result, "{program}");
        }
    }

    #[test]
    fn ports_that_run_out_are_told() {
        let few = ports(&settings("sh", u16::MAX), 3);
        assert_eq!(few.result, Verdict::Fail);
        assert!(few.mend.expect("a mend").contains("MANAGER_MAX_SERVERS"), "{}", few.found);
    }

    #[test]
    fn an_address_that_is_taken_may_be_the_managers_own() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("an address");
        assert_eq!(listening(address).result, Verdict::Warn);
        drop(taken);
        assert_eq!(listening("203.0.113.7:80".parse().expect("an address")).result, Verdict::Fail);
    }
}
