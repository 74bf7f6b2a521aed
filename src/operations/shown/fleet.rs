//! The fleet as a whole.

use actors::model::{LaunchesBlocked, PhaseCounts, Snapshot, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::margins::{Margins, Shadow};
use crate::api::moment;

/// The daemon, which does not change while it runs.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// The fleet's name.
    pub name: String,
    /// Where its servers run: `ecs` or `local`.
    pub cloud: &'static str,
    /// Since when it runs.
    pub started_at: Timestamp,
}

/// The fleet.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::operations) struct Fleet {
    /// Of the manager.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Of the fleet.
    #[schema(example = "playlivechess")]
    name: String,
    /// Where its servers run: `ecs` or `local`.
    cloud: &'static str,
    /// When this was so.
    #[schema(format = DateTime)]
    now: String,
    /// Since when the manager runs.
    #[schema(format = DateTime)]
    started_at: String,
    /// The cloud was looked at, completely, at least once.
    ready: bool,
    /// Nothing is decided until it is resumed.
    paused: bool,
    /// How many there are of each.
    servers: Counts,
    /// Places.
    capacity: Capacity,
    /// When it grows and shrinks.
    margins: Margins,
    /// What the policy of `scaling.policy_shadow`, which is only watched, would do; null without one.
    shadow: Option<Shadow>,
    /// What is on its way.
    launches: Launching,
    /// What it is to run, once that is known.
    rollout: Option<Rollout>,
    /// When the last complete look at the cloud began.
    #[schema(format = DateTime)]
    observed_at: Option<String>,
    /// That look is recent. If not, nothing is scaled down.
    cloud_is_fresh: bool,
}

/// How many servers there are in each phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
struct Counts {
    booting: u32,
    joined: u32,
    placed: u32,
    starting: u32,
    available: u32,
    standby: u32,
    closing: u32,
}

/// Places, by what may be done with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Capacity {
    /// May be handed out now.
    free: u32,
    /// Handed out, and their players have not shown up yet.
    held: u32,
    /// Of servers on their way.
    pending: u32,
    /// Of servers that owe an answer: not handed out, and not lost yet.
    doubtful: u32,
    /// Asked for by clients that wait.
    waiting: u32,
    /// Players, on servers available or on standby that were heard, if those are as large as a fresh one.
    players: u32,
}

/// What is on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Launching {
    /// Asked of the cloud, and no instance yet.
    requested: u32,
    /// Those, and instances that do not serve yet.
    in_flight: u32,
    /// In a row, up to now.
    failures: u32,
    /// Why nothing can be launched now, if so.
    blocked: Option<Blocked>,
}

/// Why nothing can be launched.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Blocked {
    /// In words.
    reason: &'static str,
    /// Until when, if that is known.
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// What the fleet is to run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Rollout {
    /// The revision that is wanted.
    revision: String,
    /// `active`, `paused` or `rolled-back`.
    state: &'static str,
    /// Servers of it that failed since its rollout began.
    failures: u32,
    /// What servers are started with.
    starts: Option<String>,
}

impl Fleet {
    /// As a snapshot has it. The policy of the configuration tells whether the margins were changed.
    pub(in crate::operations) fn new(daemon: &Daemon, snapshot: &Snapshot) -> Self {
        let figures = &snapshot.figures;
        Self {
            version: env!("CARGO_PKG_VERSION"),
            name: daemon.name.clone(),
            cloud: daemon.cloud,
            now: moment(snapshot.now),
            started_at: moment(daemon.started_at),
            ready: snapshot.observed_at.is_some(),
            paused: snapshot.paused,
            servers: snapshot.phases().into(),
            capacity: Capacity {
                free: figures.free,
                held: snapshot.held,
                pending: figures.pending,
                doubtful: figures.doubtful,
                waiting: figures.waiting,
                players: snapshot.players(),
            },
            margins: Margins::new(snapshot),
            shadow: snapshot.shadow.map(Shadow::from),
            launches: Launching {
                requested: snapshot.requested,
                in_flight: figures.launching,
                failures: snapshot.launch_failures,
                blocked: snapshot.launches_blocked.map(Blocked::from),
            },
            rollout: snapshot.rollout.as_ref().map(|rollout| Rollout {
                revision: rollout.revision.to_string(),
                state: rollout.state.name(),
                failures: rollout.failures,
                starts: rollout.starts.as_ref().map(ToString::to_string),
            }),
            observed_at: snapshot.observed_at.map(moment),
            cloud_is_fresh: snapshot.cloud_is_fresh,
        }
    }
}

impl From<PhaseCounts> for Counts {
    fn from(counts: PhaseCounts) -> Self {
        let PhaseCounts { booting, joined, placed, starting, available, standby, closing } = counts;
        Self { booting, joined, placed, starting, available, standby, closing }
    }
}

impl From<LaunchesBlocked> for Blocked {
    fn from(blocked: LaunchesBlocked) -> Self {
        let reason = match blocked {
            LaunchesBlocked::UnderWay => "the last launch is not visible yet",
            LaunchesBlocked::LookingBack { .. } => "what an earlier manager launched may not be visible yet",
            LaunchesBlocked::NoCapacity { .. } => "no pool gives instances",
            LaunchesBlocked::BackingOff { .. } => "the last launches failed",
        };
        Self { reason, until: blocked.until().map(moment) }
    }
}
