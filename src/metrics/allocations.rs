//! How clients that asked for a place were answered, and how long that took.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{Error, Histogram, IntCounter};
use tokio::time::Instant;

use super::Metrics;
use super::making::Making;

/// From well below the millisecond that an answer may take to the minute that a client may wait for a place, in seconds.
const BOUNDS: [f64; 20] = [
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0,
    30.0, 60.0,
];

/// The version of the API that a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Api {
    /// `/available-gameserver/`.
    V0,
    /// `/v1/allocations`.
    V1,
}

impl Api {
    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V1 => "v1",
        }
    }

    /// How its requests can end.
    const fn outcomes(self) -> &'static [AllocationOutcome] {
        use AllocationOutcome::{
            Abandoned, Backup, Conflict, Limited, Malformed, NoCapacity, Placed, Refused, Timeout, Unauthorized,
        };
        match self {
            Self::V0 => &[Placed, Backup, Limited, Timeout, Abandoned],
            Self::V1 => &[Placed, NoCapacity, Refused, Conflict, Limited, Unauthorized, Malformed, Timeout, Abandoned],
        }
    }

    /// What its requests can be like.
    const fn patience(self) -> &'static [Patience] {
        match self {
            Self::V0 => &[Patience::None],
            Self::V1 => &[Patience::None, Patience::Some],
        }
    }
}

/// Whether a client waits for a place when there is none. Those who do are measured apart: how long they wait is a
/// matter of how fast the fleet grows, and not of how fast the manager answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// It wants an answer at once.
    None,
    /// It waits, as it said.
    Some,
}

impl Patience {
    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Some => "some",
        }
    }
}

impl From<Duration> for Patience {
    fn from(wait: Duration) -> Self {
        if wait.is_zero() { Self::None } else { Self::Some }
    }
}

/// What a client got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllocationOutcome {
    /// A place on a server of the fleet.
    Placed,
    /// The backup's address: no server has room.
    Backup,
    /// Word that no server has room.
    NoCapacity,
    /// Word that what it asked for cannot be, whatever the fleet has.
    Refused,
    /// Word that a request with its Idempotency-Key waits.
    Conflict,
    /// Word that it asks too often.
    Limited,
    /// Word that it needs a key.
    Unauthorized,
    /// Word that its request cannot be read.
    Malformed,
    /// The backup's address or an error: the fleet supervisor did not answer in time.
    Timeout,
    /// Nothing: it went away before the answer.
    Abandoned,
}

impl AllocationOutcome {
    /// How many there are.
    const COUNT: usize = Self::Abandoned as usize + 1;

    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Backup => "backup",
            Self::NoCapacity => "no_capacity",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Limited => "limited",
            Self::Unauthorized => "unauthorized",
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Looked up once: a client is answered in less time than a label takes to be found.
#[derive(Clone)]
pub(super) struct AllocationMetrics(Arc<[OfApi; 2]>);

/// Those of one version of the API.
struct OfApi {
    /// By outcome; none for one that it does not have.
    answers: [Option<IntCounter>; AllocationOutcome::COUNT],
    /// By patience.
    durations: [Histogram; 2],
}

impl AllocationMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let answers = making.counters(
            "allocations_total",
            "Requests for a place, by what the client got and by the version of the API.",
            &["outcome", "api"],
        )?;
        let durations = making.durations(
            "allocation_duration_seconds",
            "Time from a request for a place to its answer in seconds, by the version of the API and by whether the \
             client waits for a place when there is none; of those that the fleet was asked for.",
            &["api", "patience"],
            &BOUNDS,
        )?;
        Ok(Self(Arc::new([Api::V0, Api::V1].map(|api| {
            let mut counters = [const { None }; AllocationOutcome::COUNT];
            for outcome in api.outcomes() {
                counters[*outcome as usize] = Some(answers.with_label_values(&[outcome.name(), api.name()]));
            }
            let duration = |patience: Patience| {
                let measured = if api.patience().contains(&patience) { patience } else { Patience::None };
                durations.with_label_values(&[api.name(), measured.name()])
            };
            OfApi { answers: counters, durations: [Patience::None, Patience::Some].map(duration) }
        }))))
    }

    fn count(&self, api: Api, outcome: AllocationOutcome) {
        if let Some(counter) = &self.0[api as usize].answers[outcome as usize] {
            counter.inc();
        }
    }
}

/// A request for a place that is being answered. One that is dropped was abandoned by its client.
#[must_use]
pub struct AllocationTimer<'a> {
    metrics: &'a AllocationMetrics,
    api: Api,
    patience: Patience,
    begun: Instant,
    answer: Option<(AllocationOutcome, Duration)>,
}

impl AllocationTimer<'_> {
    /// Since when.
    pub const fn begun(&self) -> Instant {
        self.begun
    }

    /// The client gets its answer after so long.
    pub fn answered(mut self, outcome: AllocationOutcome, took: Duration) {
        self.answer = Some((outcome, took));
    }
}

impl Drop for AllocationTimer<'_> {
    fn drop(&mut self) {
        let abandoned = || (AllocationOutcome::Abandoned, self.begun.elapsed());
        let (outcome, took) = self.answer.unwrap_or_else(abandoned);
        self.metrics.count(self.api, outcome);
        let durations = &self.metrics.0[self.api as usize].durations;
        durations[self.patience as usize].observe(took.as_secs_f64());
    }
}

impl Metrics {
    /// A client that asked for a place got this before the fleet was asked.
    pub fn turned_away(&self, api: Api, outcome: AllocationOutcome) {
        self.allocations.count(api, outcome);
    }

    /// The fleet is asked for a place.
    pub fn allocation(&self, api: Api, patience: Patience) -> AllocationTimer<'_> {
        AllocationTimer { metrics: &self.allocations, api, patience, begun: Instant::now(), answer: None }
    }
}
