//! What the manager tells Prometheus about itself and its fleet, in the text format.
//!
//! Each file has the metrics of one thing: it registers them, with every label value that can occur at 0, so that a rate
//! is right from the first scrape on, and it has the methods that the rest of the daemon calls. Labels are told by
//! types there, never by strings. What counts does so when it happens; what has a state is told it at the scrape, by
//! [`FleetGauges`]. There is nothing global: each [`Metrics`] has a registry of its own.

mod allocations;
mod build;
mod cloud;
mod connections;
mod fleet;
mod fleet_gauges;
mod health;
mod journal;
mod launches;
mod making;
mod measured;
mod process;
mod supervisor;
#[cfg(test)]
mod tests;
mod traces;
mod webhook;

use actors::model::Timestamp;
use prometheus::{Registry, TextEncoder};

pub use allocations::{AllocationOutcome, AllocationTimer, Api, Patience};
pub use cloud::{Budget, MeteredCloud};
pub use fleet_gauges::{FleetGauges, Limits, Places, Serving};
pub use health::MeteredProbes;
pub use traces::SpanFate;

use allocations::AllocationMetrics;
use cloud::CloudMetrics;
use connections::ConnectionMetrics;
use fleet::FleetMetrics;
use health::HealthMetrics;
use journal::JournalMetrics;
use launches::LaunchMetrics;
use making::Making;
use supervisor::SupervisorMetrics;
use traces::TraceMetrics;
use webhook::WebhookMetrics;

/// The `Content-Type` of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a manager. A clone is the same metrics.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    allocations: AllocationMetrics,
    cloud: CloudMetrics,
    connections: ConnectionMetrics,
    fleet: FleetMetrics,
    health: HealthMetrics,
    journal: JournalMetrics,
    launches: LaunchMetrics,
    supervisor: SupervisorMetrics,
    traces: TraceMetrics,
    webhook: WebhookMetrics,
}

impl Metrics {
    /// All of them at 0, of a process that started then.
    ///
    /// # Errors
    /// When two metrics have the same name, or one has a name that Prometheus does not allow: never in a build that
    /// passed its tests.
    pub fn new(started_at: Timestamp) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let making = Making::new(&registry);
        build::register(&making)?;
        process::register(&registry, started_at)?;
        Ok(Self {
            allocations: AllocationMetrics::new(&making)?,
            cloud: CloudMetrics::new(&making)?,
            connections: ConnectionMetrics::new(&making)?,
            fleet: FleetMetrics::new(&making)?,
            health: HealthMetrics::new(&making)?,
            journal: JournalMetrics::new(&making)?,
            launches: LaunchMetrics::new(&making)?,
            supervisor: SupervisorMetrics::new(&making)?,
            traces: TraceMetrics::new(&making)?,
            webhook: WebhookMetrics::new(&making)?,
            registry,
        })
    }

    /// All of them in the text format, by name.
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "not all metrics can be told");
        }
        text
    }
}
