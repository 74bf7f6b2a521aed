//! Traces by OpenTelemetry: what an allocation and a launch were made of, step by step and second by second, for a
//! collector that speaks OTLP.
//!
//! Of the allocations a share is traced, [`Request`] by request; each launch is, once it has come to its end, from what
//! the [journal](Launches) tells of it. Spans have the names that log lines and the journal know them by: `allocation`,
//! `server`, `instance` and `launch`.

mod launches;
#[cfg(feature = "traces")]
mod otlp;
mod request;
mod span;
mod start;

use std::sync::Arc;

use actors::journal::Entry;
use actors::model::Timestamp;
use actors::ports::Clock;
use rand::RngExt;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use warp::http::HeaderMap;

use crate::metrics::{Metrics, SpanFate};
use launches::Launches;
use span::{Parent, Span};

pub use request::Request;
pub use start::{Exporting, TracesError, start};

/// What is traced, and where that goes. A clone goes to the same place.
#[derive(Clone)]
pub struct Traces(Option<Arc<Recording>>);

struct Recording {
    /// What belongs together arrives together.
    spans: mpsc::Sender<Vec<Span>>,
    /// Of so many allocations one is traced.
    one_in: u32,
    clock: Clock,
    metrics: Metrics,
}

impl Traces {
    /// Nothing is traced.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Whether anything is traced.
    pub const fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// A client asks for a place, in this way, with these headers; where nothing is traced, nobody needs them. Who says that
    /// it is traced itself decides whether this is, too.
    pub fn request(&self, name: &'static str, headers: Option<&HeaderMap>) -> Request {
        let Some(recording) = &self.0 else { return Request::untraced() };
        match headers.and_then(parent) {
            Some(parent) if parent.is_sampled => Request::traced(recording, name, Some(parent)),
            None if rand::rng().random_range(0..recording.one_in) == 0 => Request::traced(recording, name, None),
            _ => Request::untraced(),
        }
    }

    /// Traces the launches that the journal tells of, as long as there is one.
    pub async fn follow(self, mut journal: Receiver<Arc<Entry>>) {
        let Some(recording) = self.0 else { return };
        let mut launches = Launches::default();
        loop {
            match journal.recv().await {
                Ok(entry) => {
                    if let Some(spans) = launches.entry(&entry) {
                        recording.send(spans);
                    }
                }
                // Their traces lack some steps.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// The step of another program that a request was sent from, if it says so and this build can read it.
#[cfg(feature = "traces")]
fn parent(headers: &HeaderMap) -> Option<Parent> {
    otlp::parent(headers)
}

#[cfg(not(feature = "traces"))]
const fn parent(_: &HeaderMap) -> Option<Parent> {
    None
}

impl Recording {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn send(&self, spans: Vec<Span>) {
        let count = spans.len();
        if self.spans.try_send(spans).is_err() {
            self.metrics.spans(SpanFate::Dropped, count);
        }
    }
}
