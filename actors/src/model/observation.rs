//! One look at the whole cloud, in the words of the fleet.

use std::net::SocketAddr;

use super::id::{Address, InstanceId, LaunchOrdinal, Revision, TaskId};
use super::rollout::Target;
use super::time::Timestamp;

/// All that a cloud showed of the fleet. A look that could not be completed is an error, never a short list.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When the look began: what was decided later cannot be in it.
    pub begun_at: Timestamp,
    /// The fleet's own instances, ended ones too as long as the cloud shows them, and those that run its tasks.
    pub instances: Vec<Instance>,
    /// The fleet's tasks, whoever started them.
    pub tasks: Vec<Task>,
    /// The revision that servers are to run. None if that could not be read: what was known of it stands.
    pub target: Option<Target>,
}

/// An instance that carries the fleet's tag, or runs one of its tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Carries the fleet's tag. Only such an instance may ever be terminated.
    pub owned: bool,
    /// The launch it came of, by its tag.
    pub ordinal: Option<LaunchOrdinal>,
    /// How many instances that launch asked for, by its tag; one where that is not known.
    pub launch_size: u32,
    /// What the cloud says it is doing.
    pub state: InstanceState,
    /// When it was launched.
    pub launched_at: Timestamp,
    /// It is about to go, and takes no new tasks: a spot notice, a drain by hand, or a retirement that is planned.
    pub leaving: bool,
    /// Its place in the cluster, once it has joined.
    pub registration: Option<Registration>,
}

/// What an instance is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstanceState {
    /// On its way up.
    Pending,
    /// Up.
    Running,
    /// Stopping or stopped: it serves nothing and still costs.
    Stopped,
    /// Shutting down or terminated.
    Terminated,
}

/// An instance as a member of the cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
    /// When it joined.
    pub joined_at: Timestamp,
    /// Its agent answers: a task can be placed.
    pub connected: bool,
    /// Tasks run there that are not the fleet's: the instance is never terminated.
    pub foreign_tasks: bool,
}

/// One of the fleet's tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The instance it is placed on, once it is.
    pub instance: Option<InstanceId>,
    /// What the cloud says it is doing.
    pub state: TaskState,
    /// What it runs.
    pub revision: Revision,
    /// The role recorded on it.
    pub role: Role,
    /// When it started to run.
    pub started_at: Option<Timestamp>,
}

/// What a task is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaskState {
    /// On its way up.
    Pending,
    /// Running, reachable here.
    Running(Endpoint),
    /// Being stopped, or stopped.
    Stopped,
}

/// Where a running task is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// What players are told.
    pub players: Address,
    /// Where its health is asked.
    pub health: SocketAddr,
}

/// What a server is there for, as recorded in the cloud, where a restarted manager finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Takes new players. Recorded by the absence of a mark.
    #[default]
    Available,
    /// Keeps those it has and takes no more.
    Standby,
}

impl Role {
    /// A word for logs and marks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Standby => "standby",
        }
    }
}
