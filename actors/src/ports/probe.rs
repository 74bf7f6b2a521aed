//! The question each game server is asked.

use std::net::SocketAddr;

use async_trait::async_trait;
use thiserror::Error;

use crate::model::HealthAnswer;

/// How game servers are asked for their health.
pub trait HealthProbes: Send + Sync + 'static {
    /// The probe of the server at `target`.
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe>;
}

/// Asks one game server for its health, again and again.
#[async_trait]
pub trait HealthProbe: Send + 'static {
    /// Puts the question. The caller sets the time limit, by dropping it; another one may be put then.
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError>;
}

/// Why there is no health answer. Each is a miss: unknown is not empty.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ProbeError {
    /// It could not be reached, or the connection broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It took longer than it may.
    #[error("no answer in time")]
    TimedOut,
    /// It answered something that is not the health contract.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}
