//! How fast the fleet supervisor answers, and what waits in the actors' mailboxes.

use std::time::Duration;

use actors::fleet_supervisor::Backlogs;
use prometheus::{Error, Gauge, Histogram};

use super::Metrics;
use super::making::Making;

/// From an empty mailbox to `http.answer_timeout` at its most, in seconds.
const BOUNDS: [f64; 16] =
    [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone)]
pub(super) struct SupervisorMetrics {
    answers: Histogram,
    supervisor_backlog: Gauge,
    scaler_backlog: Gauge,
    aws_backlog: Gauge,
}

impl SupervisorMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Time that the fleet supervisor took to answer a question in seconds, most of it spent in its mailbox; \
                    of a question that it did not answer in time, how long it had.";
        let answers = making.duration("supervisor_answer_duration_seconds", help, &BOUNDS)?;
        let help = "Messages that wait in the mailbox of an actor. Each game server has one of its own, which is none of \
                    these.";
        let backlogs = making.gauges("mailbox_messages", help, &["actor"])?;
        Ok(Self {
            answers,
            supervisor_backlog: backlogs.with_label_values(&["supervisor"]),
            scaler_backlog: backlogs.with_label_values(&["scaler"]),
            aws_backlog: backlogs.with_label_values(&["aws"]),
        })
    }
}

impl Metrics {
    /// The supervisor answered a question, or did not in the time that it had. One of a client that waits for a place is
    /// none: its answer waits for the fleet.
    pub fn supervisor_answered(&self, took: Duration) {
        self.supervisor.answers.observe(took.as_secs_f64());
    }

    /// So many messages wait for the supervisor.
    pub fn supervisor_backlog(&self, messages: usize) {
        self.supervisor.supervisor_backlog.set(messages as f64);
    }

    /// So many messages wait for the other actors.
    pub fn backlogs(&self, Backlogs { scaler, aws }: Backlogs) {
        self.supervisor.scaler_backlog.set(scaler as f64);
        self.supervisor.aws_backlog.set(aws as f64);
    }
}
