//! The fleet as operators see it, in JSON.

use std::ops::RangeInclusive;

use actors::fleet_supervisor::Limits;
use actors::model::{Condition, LaunchesBlocked, PhaseCounts, ServerSnapshot, Snapshot, Spread, Stage, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Kind, Problem, Whole, moment, seconds};

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
pub(super) struct Fleet {
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

/// When the fleet grows and shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(super) struct Margins {
    /// With fewer free and pending places than this it grows.
    upscale_margin: u32,
    /// With more free places than this it shrinks.
    downscale_margin: u32,
    /// Players that a fresh server takes.
    server_capacity: u32,
    /// So many servers there are at least.
    min_servers: u32,
    /// So many at most.
    max_servers: u32,
    /// They are not those of the configuration.
    changed: bool,
    /// Those of the configuration.
    configured: Configured,
}

/// What a policy would do with the fleet as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Shadow {
    /// Its name.
    #[schema(example = "lead-time")]
    policy: &'static str,
    /// Its upscale margin.
    upscale_margin: u32,
    /// Its downscale margin.
    downscale_margin: u32,
    /// Servers that it would launch now.
    launches: u32,
    /// Servers that it would send to standby now.
    standby: u32,
}

impl From<actors::model::Shadow> for Shadow {
    fn from(shadow: actors::model::Shadow) -> Self {
        let actors::model::Shadow { policy, margins, launches, standby } = shadow;
        Self { policy, upscale_margin: margins.upscale, downscale_margin: margins.downscale, launches, standby }
    }
}

/// What the configuration has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Configured {
    upscale_margin: u32,
    downscale_margin: u32,
    min_servers: u32,
    max_servers: u32,
}

/// Other margins, where they are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MarginsChange {
    /// With fewer free and pending places than this the fleet grows.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1_000_000)]
    upscale_margin: Option<Whole>,
    /// With more free places than this it shrinks. More than upscale_margin + server_capacity.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1_000_000)]
    downscale_margin: Option<Whole>,
    /// So many servers there are at least.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 10_000)]
    min_servers: Option<Whole>,
    /// So many at most.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    max_servers: Option<Whole>,
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

/// A server.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct Server {
    /// Its name, in this manager.
    #[schema(example = "server-3")]
    pub(super) id: String,
    /// Where it is in its life: `booting`, `joined`, `placed`, `starting`, `available`, `standby` or `closing`.
    phase: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    phase_since: String,
    /// Since when this manager knows it.
    #[schema(format = DateTime)]
    known_since: String,
    /// What players are told, once it runs.
    address: Option<String>,
    /// Where it runs.
    instance: Option<String>,
    /// Its task.
    task: Option<String>,
    /// What its task runs.
    revision: Option<String>,
    /// `unheard`, `answering`, `doubtful` or `silent`.
    health: &'static str,
    /// How many more players it said it can take.
    reported_capacity: Option<u32>,
    /// Its own word that nobody would lose a game if it stopped.
    ready_to_close: Option<bool>,
    /// What a fresh server takes less what it can take: its players, if it is as large as the others.
    players: Option<u32>,
    /// Places that are held for players on their way.
    holds: u32,
    /// Places that may be handed out.
    free: u32,
    /// An operator sent it to standby: it is not taken back for want of places.
    drained_by_operator: bool,
    /// Its instance is about to go.
    leaving: bool,
    /// Another revision takes its place.
    outdated: bool,
    /// In so many seconds it should serve, if it is on its way and launches were measured.
    #[schema(minimum = 0)]
    ready_in_seconds: Option<f64>,
}

/// All servers.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct Servers {
    /// Oldest first.
    servers: Vec<Server>,
}

/// The launches under way.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct Launches {
    /// Asked of the cloud, and no instance yet.
    requested: u32,
    /// Those with an instance.
    launches: Vec<Launch>,
}

/// A launch under way.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
struct Launch {
    /// Which server it is.
    server: String,
    /// `booting`, `registering`, `placing` or `starting`.
    stage: &'static str,
    /// Since when it is in that stage.
    #[schema(format = DateTime)]
    since: String,
    /// How long ago the launch was asked for, or first seen.
    #[schema(minimum = 0)]
    elapsed_seconds: f64,
    /// In so many seconds it should serve, if launches were measured.
    #[schema(minimum = 0)]
    ready_in_seconds: Option<f64>,
}

/// How long the last launches took.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct LeadTimes {
    /// How many, two hundred at most.
    launches: usize,
    /// From the decision to the first healthy answer.
    total: Option<Times>,
    /// Each stage of it.
    stages: Vec<StageTimes>,
}

/// How long something took.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
struct Times {
    /// Half of them took no longer.
    median_seconds: f64,
    /// 95 of 100 took no longer.
    p95_seconds: f64,
    /// The longest.
    max_seconds: f64,
}

/// How long a stage took.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
struct StageTimes {
    /// `booting`, `registering`, `placing` or `starting`.
    stage: &'static str,
    #[serde(flatten)]
    times: Times,
}

impl Fleet {
    /// As a snapshot has it. The policy of the configuration tells whether the margins were changed.
    pub(super) fn new(daemon: &Daemon, snapshot: &Snapshot) -> Self {
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

impl Margins {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let Snapshot { policy, margins, configured, .. } = snapshot;
        Self {
            upscale_margin: margins.upscale,
            downscale_margin: margins.downscale,
            server_capacity: policy.server_capacity,
            min_servers: policy.min_servers,
            max_servers: policy.max_servers,
            changed: policy != configured,
            configured: Configured {
                upscale_margin: configured.upscale_margin,
                downscale_margin: configured.downscale_margin,
                min_servers: configured.min_servers,
                max_servers: configured.max_servers,
            },
        }
    }
}

impl TryFrom<MarginsChange> for Limits {
    type Error = Problem;

    /// Within the limits of the configuration: they keep sums of places within their type.
    fn try_from(change: MarginsChange) -> Result<Self, Problem> {
        let within = |name: &str, given: Option<Whole>, allowed: RangeInclusive<u32>| match given {
            Some(Whole(number)) if !allowed.contains(&number) => {
                let detail = format!("{name} is {number}: it is {} to {}", allowed.start(), allowed.end());
                Err(Problem::new(Kind::Unprocessable, detail))
            }
            _ => Ok(given.map(|Whole(number)| number)),
        };
        Ok(Self {
            upscale_margin: within("upscale_margin", change.upscale_margin, 0..=1_000_000)?,
            downscale_margin: within("downscale_margin", change.downscale_margin, 0..=1_000_000)?,
            min_servers: within("min_servers", change.min_servers, 0..=10_000)?,
            max_servers: within("max_servers", change.max_servers, 1..=10_000)?,
        })
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

impl Server {
    /// As a snapshot has it.
    pub(super) fn new(server: &ServerSnapshot, server_capacity: u32) -> Self {
        let answer = server.answer;
        Self {
            id: server.id.to_string(),
            phase: server.phase.name(),
            phase_since: moment(server.phase_since),
            known_since: moment(server.known_since),
            address: server.address.as_ref().map(ToString::to_string),
            instance: server.instance.as_ref().map(ToString::to_string),
            task: server.task.as_ref().map(ToString::to_string),
            revision: server.revision.as_ref().map(ToString::to_string),
            health: match (answer, server.condition) {
                (_, Condition::Silent) => "silent",
                (None, _) => "unheard",
                (Some(_), Condition::Answering) => "answering",
                (Some(_), Condition::Doubtful) => "doubtful",
            },
            reported_capacity: answer.map(|answer| answer.available_capacity),
            ready_to_close: answer.map(|answer| answer.ready_to_close),
            players: answer.map(|answer| server_capacity.saturating_sub(answer.available_capacity)),
            holds: server.holds,
            free: server.free,
            drained_by_operator: server.cordoned,
            leaving: server.leaving,
            outdated: server.outdated,
            ready_in_seconds: server.launch.and_then(|launch| launch.ready_in).map(seconds),
        }
    }

    /// All of a snapshot.
    pub(super) fn all(snapshot: &Snapshot) -> Vec<Self> {
        snapshot.servers.iter().map(|server| Self::new(server, snapshot.policy.server_capacity)).collect()
    }
}

impl Servers {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        Self { servers: Server::all(snapshot) }
    }
}

impl Launches {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let launches = snapshot.servers.iter().filter_map(|server| {
            let launch = server.launch?;
            Some(Launch {
                server: server.id.to_string(),
                stage: launch.stage.name(),
                since: moment(launch.since),
                elapsed_seconds: seconds(snapshot.now.since(launch.begun_at)),
                ready_in_seconds: launch.ready_in.map(seconds),
            })
        });
        Self { requested: snapshot.requested, launches: launches.collect() }
    }
}

impl LeadTimes {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let lead_times = &snapshot.lead_times;
        let stages = Stage::ALL.into_iter().filter_map(|stage| {
            let times = Times::from(lead_times.stage(stage)?);
            Some(StageTimes { stage: stage.name(), times })
        });
        Self { launches: lead_times.count(), total: lead_times.total().map(Times::from), stages: stages.collect() }
    }
}

impl From<Spread> for Times {
    fn from(spread: Spread) -> Self {
        Self { median_seconds: seconds(spread.p50), p95_seconds: seconds(spread.p95), max_seconds: seconds(spread.max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_at_run_time_have_the_limits_of_the_configuration() {
        for (body, refused) in [
            (
                r#"{"upscale_margin": 1000000, "downscale_margin": 1000000, "min_servers": 0, "max_servers": 10000}"#,
                None,
            ),
            (r#"{"upscale_margin": 0, "downscale_margin": 0, "min_servers": 10000, "max_servers": 1}"#, None),
            (r#"{"upscale_margin": 1000001}"#, Some("upscale_margin is 1000001: it is 0 to 1000000")),
            (r#"{"downscale_margin": 1000001}"#, Some("downscale_margin is 1000001: it is 0 to 1000000")),
            (r#"{"min_servers": 10001}"#, Some("min_servers is 10001: it is 0 to 10000")),
            (r#"{"max_servers": 10001}"#, Some("max_servers is 10001: it is 1 to 10000")),
            (r#"{"max_servers": 0}"#, Some("max_servers is 0: it is 1 to 10000")),
        ] {
            let change: MarginsChange = serde_json::from_str(body).expect("margins");
            let told = Limits::try_from(change).err().map(|problem| problem.response());
            let told = told.map(|response| String::from_utf8_lossy(response.body()).into_owned());
            assert_eq!(told.is_some(), refused.is_some(), "{body}: {told:?}");
            assert!(told.zip(refused).is_none_or(|(told, refused)| told.contains(refused)), "{body}");
        }
    }
}
