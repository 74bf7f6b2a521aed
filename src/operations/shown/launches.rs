//! What is on its way, and how long that takes.

use actors::model::{Snapshot, Spread, Stage};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{moment, seconds};

/// The launches under way.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::operations) struct Launches {
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
pub(in crate::operations) struct LeadTimes {
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

impl Launches {
    pub(in crate::operations) fn new(snapshot: &Snapshot) -> Self {
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
    pub(in crate::operations) fn new(snapshot: &Snapshot) -> Self {
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
