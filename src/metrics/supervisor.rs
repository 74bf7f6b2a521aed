//! How fast the fleet supervisor answers: what waits in its mailbox is not to be seen otherwise.

use std::time::Duration;

use prometheus::{Error, Histogram};

use super::Metrics;
use super::making::Making;

/// From an empty mailbox to `http.answer_timeout` at its most, in seconds.
const BOUNDS: [f64; 16] =
    [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone)]
pub(super) struct SupervisorMetrics {
    answers: Histogram,
}

impl SupervisorMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Time that the fleet supervisor took to answer a question in seconds, most of it spent in its mailbox; \
                    of a question that it did not answer in time, how long it had.";
        Ok(Self { answers: making.duration("supervisor_answer_duration_seconds", help, &BOUNDS)? })
    }
}

impl Metrics {
    /// The supervisor answered a question, or did not in the time that it had. One of a client that waits for a place is
    /// none: its answer waits for the fleet.
    pub fn supervisor_answered(&self, took: Duration) {
        self.supervisor.answers.observe(took.as_secs_f64());
    }
}
