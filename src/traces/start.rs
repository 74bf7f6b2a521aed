//! Where traces go, from the daemon's start to its end.

#[cfg(feature = "traces")]
use std::sync::Arc;
use std::time::Duration;

use actors::ports::Clock;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Traces;
use crate::config::Settings;
use crate::metrics::Metrics;

/// Why there can be no traces.
#[derive(Debug, Error)]
pub enum TracesError {
    /// This build does not know how.
    #[cfg(not(feature = "traces"))]
    #[error(
        "traces.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is set, and this build sends no traces: build it with the feature \
         `traces`, which is on by default, or leave the endpoint out"
    )]
    NotBuilt,
    /// What the environment says of them cannot be followed.
    #[cfg(feature = "traces")]
    #[error("traces cannot be sent: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// There is no HTTP client.
    #[cfg(feature = "traces")]
    #[error("traces cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
}

/// What sends traces to the collector.
pub struct Exporting {
    running: JoinHandle<()>,
    stop: CancellationToken,
}

impl Exporting {
    /// Sends what is left, if that takes no longer.
    pub async fn finish(self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.running).await.is_err() {
            tracing::warn!(?limit, "the last traces did not reach the collector");
        }
    }
}

/// Traces as the settings want them, and what sends them, if there are to be any.
///
/// # Errors
/// When there are to be some, and cannot be.
#[cfg(feature = "traces")]
pub fn start(settings: &Settings, clock: Clock, metrics: &Metrics) -> Result<(Traces, Option<Exporting>), TracesError> {
    use super::{Recording, otlp};

    let Some(endpoint) = &settings.traces.endpoint else { return Ok((Traces::off(), None)) };
    let exporter = otlp::Exporter::new(endpoint, &settings.fleet, metrics.clone())?;
    let (sender, receiver) = tokio::sync::mpsc::channel(otlp::WAITING);
    let stop = CancellationToken::new();
    let running = tokio::spawn(exporter.run(receiver, stop.clone()));
    let recording = Recording { spans: sender, one_in: settings.traces.one_in, clock, metrics: metrics.clone() };
    Ok((Traces(Some(Arc::new(recording))), Some(Exporting { running, stop })))
}

/// None: this build sends no traces.
///
/// # Errors
/// When there are to be some.
#[cfg(not(feature = "traces"))]
pub const fn start(settings: &Settings, _: Clock, _: &Metrics) -> Result<(Traces, Option<Exporting>), TracesError> {
    match settings.traces.endpoint {
        Some(_) => Err(TracesError::NotBuilt),
        None => Ok((Traces::off(), None)),
    }
}
