//! What the manager tells, as far as it is shown: `operations` has all of it, and says what it means.

use serde::Deserialize;

/// The fleet.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Fleet {
    pub(super) version: String,
    pub(super) name: String,
    pub(super) cloud: String,
    pub(super) now: String,
    pub(super) started_at: String,
    pub(super) ready: bool,
    pub(super) paused: bool,
    pub(super) servers: Counts,
    pub(super) capacity: Capacity,
    pub(super) margins: Margins,
    pub(super) shadow: Option<Shadow>,
    pub(super) launches: Launching,
    pub(super) rollout: Option<Rollout>,
    pub(super) observed_at: Option<String>,
    pub(super) cloud_is_fresh: bool,
}

/// How many servers there are in each phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Counts {
    pub(super) booting: u32,
    pub(super) joined: u32,
    pub(super) placed: u32,
    pub(super) starting: u32,
    pub(super) available: u32,
    pub(super) standby: u32,
    pub(super) closing: u32,
}

/// Places.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Capacity {
    pub(super) free: u32,
    pub(super) held: u32,
    pub(super) pending: u32,
    pub(super) doubtful: u32,
    pub(super) waiting: u32,
    pub(super) players: u32,
}

/// When the fleet grows and shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Margins {
    #[serde(flatten)]
    pub(super) now: Limits,
    pub(super) server_capacity: u32,
    pub(super) changed: bool,
    pub(super) configured: Limits,
}

/// What a policy that is only watched would do.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Shadow {
    pub(super) policy: String,
    pub(super) upscale_margin: u32,
    pub(super) downscale_margin: u32,
    pub(super) launches: u32,
    pub(super) standby: u32,
}

/// What an operator can change of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Limits {
    pub(super) upscale_margin: u32,
    pub(super) downscale_margin: u32,
    pub(super) min_servers: u32,
    pub(super) max_servers: u32,
}

/// What is on its way.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Launching {
    pub(super) requested: u32,
    pub(super) in_flight: u32,
    pub(super) failures: u32,
    pub(super) blocked: Option<Blocked>,
}

/// Why nothing can be launched.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Blocked {
    pub(super) reason: String,
    pub(super) until: Option<String>,
}

/// What the fleet is to run.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Rollout {
    pub(super) revision: String,
    pub(super) state: String,
    pub(super) failures: u32,
    pub(super) starts: Option<String>,
}

/// All servers.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(super) struct Servers {
    pub(super) servers: Vec<Server>,
}

/// A server.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) phase: String,
    pub(super) phase_since: String,
    pub(super) address: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) health: String,
    pub(super) ready_to_close: Option<bool>,
    pub(super) players: Option<u32>,
    pub(super) holds: u32,
    pub(super) free: u32,
    pub(super) drained_by_operator: bool,
    pub(super) leaving: bool,
    pub(super) outdated: bool,
    pub(super) ready_in_seconds: Option<f64>,
}

/// An entry of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) rule: Option<String>,
    pub(super) server: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) text: String,
    pub(super) result: Option<String>,
    pub(super) figures: Option<Figures>,
}

/// What a decision was made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Figures {
    pub(super) available: u32,
    pub(super) free: u32,
    pub(super) pending: u32,
    pub(super) waiting: u32,
    pub(super) upscale_margin: u32,
    pub(super) downscale_margin: u32,
}

/// What went wrong, by RFC 9457.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Problem {
    pub(super) detail: String,
}
