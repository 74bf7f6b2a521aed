//! What became of traces.

use prometheus::{Error, IntCounterVec};

use super::Metrics;
use super::making::Making;

/// What became of a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanFate {
    /// The collector took it.
    Exported,
    /// The collector did not.
    Failed,
    /// Too many waited for the collector.
    Dropped,
}

impl SpanFate {
    const ALL: [Self; 3] = [Self::Exported, Self::Failed, Self::Dropped];

    /// The label's value.
    const fn name(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

#[derive(Clone)]
pub(super) struct TraceMetrics {
    spans: IntCounterVec,
}

impl TraceMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Spans of traces, by what became of them: the collector took them, it did not, or too many waited.";
        let spans = making.counters("trace_spans_total", help, &["result"])?;
        for fate in SpanFate::ALL {
            spans.with_label_values(&[fate.name()]);
        }
        Ok(Self { spans })
    }
}

impl Metrics {
    /// This became of so many spans.
    pub fn spans(&self, fate: SpanFate, count: usize) {
        self.traces.spans.with_label_values(&[fate.name()]).inc_by(count as u64);
    }
}
