//! How many files and sockets the process may have open: each connection of a client is one, and with none left the
//! manager could not ask game servers for their health.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Settings;

/// Connections of operators that there may be: open pages, scripts, and Prometheus.
pub const OPERATORS: u64 = 64;

/// For the log, the listener, the cloud's connections, the runtime of each thread, which takes four, and some to spare.
const OWN: u64 = 256;

/// For a server's health question, and on this machine the pipes to its keeper.
const EACH_SERVER: u64 = 6;

/// Raises the limit as far as the process may by itself, and says what it is then.
pub fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files cannot be raised");
            current
        }
    };
    limit.unwrap_or(u64::MAX)
}

/// How many connections of clients fit in that limit besides what the manager needs for itself. Where that is most of
/// it, a quarter is still theirs.
pub fn left_for_clients(limit: u64, settings: &Settings) -> u64 {
    limit.saturating_sub(own(settings)).max(limit / 4)
}

/// The limit that so many connections fit in.
pub fn needed_for(connections: u64, settings: &Settings) -> u64 {
    connections.saturating_add(own(settings))
}

fn own(settings: &Settings) -> u64 {
    OWN + OPERATORS
        + u64::from(settings.cloud_calls.concurrency)
        + EACH_SERVER * u64::from(settings.scaling.max_servers)
}
