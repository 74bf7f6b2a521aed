//! The question each game server is asked.

use std::net::SocketAddr;

use async_trait::async_trait;
use thiserror::Error;

use crate::model::HealthAnswer;

/// Asks one game server for its health. The caller sets the time limit.
#[async_trait]
pub trait HealthProbe: Send + Sync + 'static {
    /// Asks the server at `target`.
    async fn ask(&self, target: SocketAddr) -> Result<HealthAnswer, ProbeError>;
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
