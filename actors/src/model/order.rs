//! What the cloud is asked to do, and what came of it.

use super::id::{InstanceId, LaunchOrdinal, Revision, ServerId, TaskId};
use super::observation::Role;
use super::pools::Pool;
use super::rollout::RolloutState;
use crate::ports::CloudError;

/// One thing for the cloud to do. Each can be repeated without harm: a lost answer is mended by asking again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Launch instances.
    Launch(LaunchOrder),
    /// Place a task on an instance of the fleet.
    Place(PlaceOrder),
    /// Record a server's role in the cloud.
    Record {
        /// Whose.
        server: ServerId,
        /// The task that carries the mark.
        task: TaskId,
        /// The role.
        role: Role,
    },
    /// Record in the cloud what has become of the rollout of a revision.
    RecordRollout {
        /// The revision, which carries the mark.
        revision: Revision,
        /// What has become of it.
        state: RolloutState,
    },
    /// Stop tasks and terminate instances.
    Close(Vec<Doomed>),
}

/// A launch intent: the same ordinal in the same pool makes the same instances, however often it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaunchOrder {
    /// What the client token is derived from.
    pub ordinal: LaunchOrdinal,
    /// Instances wanted; the cloud may give fewer, never none.
    pub count: u32,
    /// Which kind of instances.
    pub pool: Pool,
}

/// A placement intent: the same instance, attempt and revision make the same task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceOrder {
    /// For which server.
    pub server: ServerId,
    /// On which instance, alone.
    pub instance: InstanceId,
    /// Counts the attempts that were refused for certain.
    pub attempt: u32,
    /// What the task runs.
    pub revision: Revision,
}

/// What is to end of one server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doomed {
    /// Whose end it is.
    pub server: ServerId,
    /// The task to stop.
    pub task: Option<TaskId>,
    /// The instance to terminate; none where it is not the fleet's, or someone else's task runs there.
    pub instance: Option<InstanceId>,
}

/// What came of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Of a launch: the instances it made, now or when it was asked for before.
    Launched {
        /// The order.
        order: LaunchOrder,
        /// At least one instance, or why none.
        result: Result<Vec<InstanceId>, CloudError>,
    },
    /// Of a placement.
    Placed {
        /// The order.
        order: PlaceOrder,
        /// The task, or why none.
        result: Result<TaskId, CloudError>,
    },
    /// Of recording a role.
    Recorded {
        /// Whose.
        server: ServerId,
        /// The role.
        role: Role,
        /// Whether it is recorded.
        result: Result<(), CloudError>,
    },
    /// Of recording the rollout of a revision.
    RolloutRecorded {
        /// Which revision.
        revision: Revision,
        /// What was to be recorded.
        state: RolloutState,
        /// Whether it is.
        result: Result<(), CloudError>,
    },
    /// Of an end; the next look at the cloud shows whether it came.
    Closed {
        /// Whose.
        servers: Vec<ServerId>,
        /// Whether the cloud took all of it.
        result: Result<(), CloudError>,
    },
}

impl Outcome {
    /// Why the order was not carried out, if it was not.
    pub const fn error(&self) -> Option<&CloudError> {
        match self {
            Self::Launched { result: Err(error), .. }
            | Self::Placed { result: Err(error), .. }
            | Self::Recorded { result: Err(error), .. }
            | Self::RolloutRecorded { result: Err(error), .. }
            | Self::Closed { result: Err(error), .. } => Some(error),
            _ => None,
        }
    }
}
