//! How long launches took that came to serve.

use actors::model::{LeadTime, Stage};
use prometheus::{Error, Histogram, HistogramVec};

use super::Metrics;
use super::making::Making;

/// From a process on this machine to the longest deadline of a launch, in seconds.
const BOUNDS: [f64; 16] =
    [0.25, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0, 1200.0];

#[derive(Clone)]
pub(super) struct LaunchMetrics {
    stages: HistogramVec,
    total: Histogram,
}

impl LaunchMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Time that a stage took in seconds of a launch that came to serve.";
        let stages = making.durations("launch_stage_duration_seconds", help, &["stage"], &BOUNDS)?;
        let help = "Time from the decision to launch a server to its first healthy answer in seconds.";
        let total = making.duration("launch_duration_seconds", help, &BOUNDS)?;
        for stage in Stage::ALL {
            stages.with_label_values(&[stage.name()]);
        }
        Ok(Self { stages, total })
    }
}

impl Metrics {
    /// A launch came to serve, after so long.
    pub(super) fn launched(&self, lead_time: &LeadTime) {
        for (stage, took) in Stage::ALL.into_iter().zip(lead_time.stages) {
            self.launches.stages.with_label_values(&[stage.name()]).observe(took.as_secs_f64());
        }
        self.launches.total.observe(lead_time.total.as_secs_f64());
    }
}
