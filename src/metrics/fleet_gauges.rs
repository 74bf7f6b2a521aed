//! The state of the fleet in numbers.

use actors::model::{Condition, Margins, PhaseCounts, ServerSnapshot, Snapshot};

/// The state of the fleet at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FleetGauges {
    /// Servers by where they are in their lives.
    pub servers: PhaseCounts,
    /// Those of them that have players, or may have, by their health.
    pub serving: Serving,
    /// Places.
    pub places: Places,
    /// Players, by what the servers last reported.
    pub players: u32,
    /// What the operator wants.
    pub limits: Limits,
    /// The operator wants nothing decided for now.
    pub paused: bool,
    /// The cloud was looked at, completely, at least once.
    pub ready: bool,
    /// The last such look is recent.
    pub cloud_is_fresh: bool,
    /// Servers on their way, asked for or launched.
    pub launches_in_flight: u32,
    /// Launches that failed since one last came to serve.
    pub launch_failures_in_a_row: u32,
}

/// Servers available or on standby, by condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the conditions are described where they are defined")]
pub struct Serving {
    pub answering: u32,
    pub doubtful: u32,
    pub silent: u32,
}

/// Places by what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// Of available servers that answer, less those that are held.
    pub free: u32,
    /// Handed to clients that have not shown up yet.
    pub held: u32,
    /// Of launches under way.
    pub pending: u32,
    /// Of available servers that owe an answer.
    pub doubtful: u32,
    /// Those that clients wait for.
    pub waiting: u32,
}

/// The margins as they are now, and what the operator wants, in places and servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Below so many free and pending places the fleet grows.
    pub upscale_margin: u32,
    /// Above so many free places it shrinks.
    pub downscale_margin: u32,
    /// Servers that are kept available.
    pub min_servers: u32,
    /// Servers that are never exceeded.
    pub max_servers: u32,
    /// The margins of the policy that is only watched, if there is one.
    pub shadow: Option<Margins>,
}

impl From<&Snapshot> for FleetGauges {
    fn from(snapshot: &Snapshot) -> Self {
        let Snapshot { policy, margins, figures, .. } = snapshot;
        Self {
            servers: snapshot.phases(),
            serving: Serving::of(&snapshot.servers),
            places: Places {
                free: figures.free,
                held: snapshot.held,
                pending: figures.pending,
                doubtful: figures.doubtful,
                waiting: figures.waiting,
            },
            players: snapshot.players(),
            limits: Limits {
                upscale_margin: margins.upscale,
                downscale_margin: margins.downscale,
                min_servers: policy.min_servers,
                max_servers: policy.max_servers,
                shadow: snapshot.shadow.map(|shadow| shadow.margins),
            },
            paused: snapshot.paused,
            ready: snapshot.observed_at.is_some(),
            cloud_is_fresh: snapshot.cloud_is_fresh,
            launches_in_flight: figures.launching,
            launch_failures_in_a_row: snapshot.launch_failures,
        }
    }
}

impl Serving {
    fn of(servers: &[ServerSnapshot]) -> Self {
        let mut by_condition = Self::default();
        for server in servers.iter().filter(|server| server.phase.is_serving()) {
            match server.condition {
                Condition::Answering => by_condition.answering += 1,
                Condition::Doubtful => by_condition.doubtful += 1,
                Condition::Silent => by_condition.silent += 1,
            }
        }
        by_condition
    }
}
