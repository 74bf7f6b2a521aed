//! How game servers answered when they were asked for their health, and how fast.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::model::HealthAnswer;
use actors::ports::{HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;
use prometheus::{Error, Histogram, IntCounter};

use super::Metrics;
use super::making::Making;
use super::measured::Measured;

/// From a server on this machine to one that is about to be given up, in seconds.
const BOUNDS: [f64; 13] = [0.5e-3, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What came of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CheckResult {
    Answered,
    Unreachable,
    TimedOut,
    Unreadable,
}

impl CheckResult {
    const ALL: [Self; 4] = [Self::Answered, Self::Unreachable, Self::TimedOut, Self::Unreadable];

    const fn of(answer: &Result<HealthAnswer, ProbeError>) -> Self {
        match answer {
            Ok(_) => Self::Answered,
            Err(ProbeError::Unreachable(_)) => Self::Unreachable,
            Err(ProbeError::TimedOut) => Self::TimedOut,
            Err(ProbeError::Unreadable(_)) => Self::Unreadable,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Looked up once, and shared by the probes of all servers.
struct Counted {
    /// By result, in their order.
    checks: [IntCounter; CheckResult::ALL.len()],
    duration: Histogram,
}

#[derive(Clone)]
pub(super) struct HealthMetrics(Arc<Counted>);

impl HealthMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Questions for a game server's health, by what came of them.";
        let checks = making.counters("health_checks_total", help, &["result"])?;
        let help = "Time that a question for a game server's health took in seconds, whatever came of it.";
        let duration = making.duration("health_check_duration_seconds", help, &BOUNDS)?;
        let checks = CheckResult::ALL.map(|result| checks.with_label_values(&[result.name()]));
        Ok(Self(Arc::new(Counted { checks, duration })))
    }

    fn count(&self, result: CheckResult, took: Duration) {
        self.0.checks[result as usize].inc();
        self.0.duration.observe(took.as_secs_f64());
    }
}

/// Probes whose questions are counted and measured.
pub struct MeteredProbes<P> {
    probes: P,
    metrics: HealthMetrics,
}

impl<P> MeteredProbes<P> {
    /// The same probes, with their questions counted there.
    pub fn new(probes: P, metrics: &Metrics) -> Self {
        Self { probes, metrics: metrics.health.clone() }
    }
}

impl<P: HealthProbes> HealthProbes for MeteredProbes<P> {
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(MeteredProbe { probe: self.probes.probe(target), metrics: self.metrics.clone() })
    }
}

/// One of them.
struct MeteredProbe {
    probe: Box<dyn HealthProbe>,
    metrics: HealthMetrics,
}

#[async_trait]
impl HealthProbe for MeteredProbe {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        // Who asks sets the time limit, by dropping this.
        let measured = Measured::begin(CheckResult::TimedOut, |result, took| self.metrics.count(result, took));
        let answer = self.probe.ask().await;
        measured.end(CheckResult::of(&answer));
        answer
    }
}
