//! What became of launches, and how long they took.

use actors::model::{LeadTime, Stage};
use prometheus::{Error, Histogram, HistogramVec, IntCounterVec};

use super::Metrics;
use super::making::Making;

/// From a process on this machine to the longest deadline of a launch, in seconds.
const BOUNDS: [f64; 16] =
    [0.25, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0, 1200.0];

/// What became of a launch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LaunchResult {
    /// Its server came to serve.
    Served,
    /// It did not.
    Failed,
}

impl LaunchResult {
    const ALL: [Self; 2] = [Self::Served, Self::Failed];

    /// The label's value.
    const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone)]
pub(super) struct LaunchMetrics {
    ended: IntCounterVec,
    stages: HistogramVec,
    total: Histogram,
}

impl LaunchMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Time that a stage took in seconds of a launch that came to serve.";
        let stages = making.durations("launch_stage_duration_seconds", help, &["stage"], &BOUNDS)?;
        let help = "Time from the decision to launch a server to its first healthy answer in seconds.";
        let total = making.duration("launch_duration_seconds", help, &BOUNDS)?;
        let help = "Servers that were launched, by whether they came to serve.";
        let ended = making.counters("launches_total", help, &["result"])?;
        for result in LaunchResult::ALL {
            ended.with_label_values(&[result.name()]);
        }
        for stage in Stage::ALL {
            stages.with_label_values(&[stage.name()]);
        }
        Ok(Self { ended, stages, total })
    }
}

impl Metrics {
    /// A launch came to serve, after so long.
    pub(super) fn launched(&self, lead_time: &LeadTime) {
        self.launches.ended.with_label_values(&[LaunchResult::Served.name()]).inc();
        for (stage, took) in Stage::ALL.into_iter().zip(lead_time.stages) {
            self.launches.stages.with_label_values(&[stage.name()]).observe(took.as_secs_f64());
        }
        self.launches.total.observe(lead_time.total.as_secs_f64());
    }

    /// A launch did not come to serve.
    pub(super) fn not_launched(&self) {
        self.launches.ended.with_label_values(&[LaunchResult::Failed.name()]).inc();
    }
}
