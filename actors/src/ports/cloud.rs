//! The cloud: where instances come from and tasks run.

use async_trait::async_trait;
use thiserror::Error;

use crate::model::{
    Doomed, InstanceId, LaunchOrder, Observation, PlaceOrder, Revision, Role, RolloutState, TaskId, Timestamp,
};

/// A cloud that runs game servers. Every call is safe to repeat.
#[async_trait]
pub trait Cloud: Send + Sync + 'static {
    /// Looks at the whole fleet. `begun_at` is stamped on what is seen.
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError>;

    /// Looks at a first part of the fleet, so that clients can be answered while the whole is still being read. None where
    /// that is read as fast. Whose tasks run beside the fleet's, and which instances are about to go, need not be in it.
    async fn glimpse(&self, begun_at: Timestamp) -> Result<Option<Observation>, CloudError> {
        let _ = begun_at;
        Ok(None)
    }

    /// Launches 1 to `order.count` instances that carry the fleet's tag and the launch's ordinal from their first
    /// moment. The same order again gives the same instances.
    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError>;

    /// Places one game server task on the instance named, alone. The same order again gives the same task.
    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError>;

    /// Records a role on a task.
    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError>;

    /// Records on a revision what has become of its rollout.
    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError>;

    /// Stops the tasks and terminates the instances named. What is gone already is no error.
    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError>;
}

/// Why a cloud call failed, by what the fleet does about it.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CloudError {
    /// What was named is not there, or not there yet.
    #[error("not found: {0}")]
    NotFound(String),
    /// Asked too often; nothing was done.
    #[error("throttled: {0}")]
    Throttled(String),
    /// There is nothing to be had now; nothing was done.
    #[error("no capacity: {0}")]
    NoCapacity(String),
    /// Not allowed; nothing was done.
    #[error("denied: {0}")]
    Denied(String),
    /// The intent was carried out before, with other parameters: by an earlier self or another manager.
    #[error("the intent was carried out before with other parameters: {0}")]
    Conflict(String),
    /// The intent was carried out before, and what it made has ended since.
    #[error("the intent was carried out before and what it made has ended: {0}")]
    Spent(String),
    /// No answer came: it may have been done or not.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// Refused for another reason; nothing was done.
    #[error("refused: {0}")]
    Refused(String),
}

impl CloudError {
    /// A word for logs and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Throttled(_) => "throttled",
            Self::NoCapacity(_) => "no_capacity",
            Self::Denied(_) => "denied",
            Self::Conflict(_) => "conflict",
            Self::Spent(_) => "spent",
            Self::Unanswered(_) => "unanswered",
            Self::Refused(_) => "refused",
        }
    }
}
