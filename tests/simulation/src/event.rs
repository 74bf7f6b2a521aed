//! What happens, as anybody outside the manager can see it. A day is the list of its events, and nothing else is told
//! to the observer.

use std::fmt;
use std::time::Duration;

use actors::model::{
    Address, HealthAnswer, InstanceId, LaunchOrdinal, Pool, Revision, Role, RolloutState, TaskId, Timestamp,
};

use crate::faults::{Accident, Fault};

/// A manager's process, from its start to its death.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ManagerId(pub u32);

/// A player, through all the games of a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PlayerId(pub u32);

/// What a manager asks of AWS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// The fleet's instances (`DescribeInstances`).
    ReadInstances,
    /// The cluster's members and the fleet's tasks (`List…` and `Describe…` of both).
    ReadCluster,
    /// One reading call of this name.
    Read(&'static str),
    /// `RunInstances` with the client token of this ordinal.
    RunInstances {
        /// Of the launch.
        ordinal: LaunchOrdinal,
        /// How many at most.
        count: u32,
        /// Of which pool.
        pool: Pool,
    },
    /// `RunTask` on one instance.
    RunTask {
        /// Where.
        instance: InstanceId,
        /// Its client token.
        token: String,
        /// Of what.
        revision: Revision,
    },
    /// `TagResource` with the role of a task.
    Tag {
        /// Whose.
        task: TaskId,
        /// The role.
        role: Role,
    },
    /// `TagResource` with the state of a revision's rollout.
    Mark {
        /// Which.
        revision: Revision,
        /// The state.
        state: RolloutState,
    },
    /// `StopTask`.
    StopTask {
        /// Which.
        task: TaskId,
    },
    /// `TerminateInstances`.
    Terminate {
        /// Which.
        instances: Vec<InstanceId>,
    },
}

impl Call {
    /// Whether it changes anything.
    pub const fn is_change(&self) -> bool {
        !matches!(self, Self::ReadInstances | Self::ReadCluster | Self::Read(_))
    }
}

/// By whom, or by what, something came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A manager asked for it.
    Manager(ManagerId),
    /// A person did it by hand.
    Operator,
    /// It broke.
    Failure,
}

/// Where a client that asked is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// There.
    Place(Address),
    /// No place is free: to the backup.
    Backup,
    /// Nobody answered.
    Nothing,
}

/// How it went with a player who came to the address that was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A game has begun.
    Seated(TaskId),
    /// The server was full.
    Full(TaskId),
    /// No game server was there, or it did not answer.
    Nobody(Address),
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A fault began.
    FaultBegan(Fault),
    /// A fault ended.
    FaultEnded(Fault),
    /// An accident happened.
    Accident(Accident),
    /// From now on nothing goes wrong, and no player comes or goes.
    CalmBegan,
    /// A manager's process was started.
    ManagerStarted(ManagerId),
    /// A manager was told to end.
    ManagerToldToEnd(ManagerId),
    /// A manager's process is gone from one moment to the next.
    ManagerDied(ManagerId),
    /// A manager has ended in good order.
    ManagerEnded(ManagerId),
    /// A call of a manager came to AWS.
    Called(ManagerId, Call),
    /// AWS throttled a call, since its bucket was empty.
    BucketEmpty(ManagerId, Call),
    /// A call of a manager came to an end for AWS: answered, refused, or lost.
    CallEnded(ManagerId, Call, &'static str),
    /// A look at the whole fleet, begun then, was answered in all its parts, and showed launches up to this one.
    Looked(ManagerId, Timestamp, Option<LaunchOrdinal>),
    /// An instance was launched.
    Launched {
        /// Its id.
        instance: InstanceId,
        /// The launch it came of; none of one that is not the fleet's.
        ordinal: Option<LaunchOrdinal>,
        /// By whom.
        by: Cause,
    },
    /// An instance joined the cluster.
    Joined(InstanceId),
    /// An instance's end began: it serves nothing from now on.
    InstanceEnded(InstanceId, Cause),
    /// An instance was stopped by hand: it serves nothing from now on, and has not ended.
    InstanceStopped(InstanceId),
    /// A spot notice: an instance takes no new tasks, and is gone before long.
    Draining(InstanceId),
    /// Somebody else's task was started on an instance.
    OtherTask(InstanceId),
    /// It ended.
    OtherTaskEnded(InstanceId),
    /// A game server's task was placed.
    Placed {
        /// Its ARN.
        task: TaskId,
        /// On which instance.
        instance: InstanceId,
        /// Of what.
        revision: Revision,
        /// By whom.
        by: Cause,
    },
    /// A revision of the game was registered, whose game servers come to serve or not.
    Registered(Revision, bool),
    /// The state of its rollout was recorded on a revision.
    Marked(Revision, RolloutState, Cause),
    /// A task runs, reachable there.
    Running(TaskId, Address),
    /// A task's end began: its players are cut off, if it has any.
    TaskEnded(TaskId, Cause),
    /// A role was recorded on a task.
    Tagged(TaskId, Role),
    /// A manager's health question, put at that time, was answered (seen by the game server at the second time), or
    /// was not.
    Health {
        /// Who asked.
        manager: ManagerId,
        /// Where.
        address: Address,
        /// When it was asked.
        asked_at: Timestamp,
        /// When the game server looked at itself, and what it said.
        answer: Option<(Timestamp, HealthAnswer)>,
    },
    /// A manager sent a player somewhere.
    Sent(ManagerId, PlayerId, Given),
    /// A player came to an address, within the time that its place was held for or not.
    Arrived {
        /// Who.
        player: PlayerId,
        /// How it went.
        arrival: Arrival,
        /// By which manager, and when, the address was given. None of one who came back without asking.
        given: Option<(ManagerId, Timestamp)>,
    },
    /// A player left when the game was over.
    Left(PlayerId, TaskId),
    /// A player's game was cut off.
    CutOff(PlayerId, TaskId, Cause),
    /// At the day's end all places are asked for, which disturbs the fleet's rest.
    CountBegan,
    /// All places were asked for: so many were given, so many are free by the servers' own word.
    Counted {
        /// Handed out.
        given: u32,
        /// Free on servers that take players.
        free: u32,
    },
}

impl Event {
    /// It happens all the time and means little for itself.
    pub const fn is_routine(&self) -> bool {
        match self {
            Self::Health { .. } => true,
            Self::Called(_, call) | Self::CallEnded(_, call, _) => !call.is_change(),
            Self::Looked(..) => true,
            _ => false,
        }
    }
}

impl fmt::Display for ManagerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "manager-{}", self.0)
    }
}

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "player-{}", self.0)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadInstances => f.write_str("DescribeInstances"),
            Self::ReadCluster => f.write_str("List and Describe"),
            Self::Read(action) => f.write_str(action),
            Self::RunInstances { ordinal, count, pool } => {
                write!(f, "RunInstances {count} of pool {pool} (launch {ordinal})")
            }
            Self::RunTask { instance, token, revision } => write!(f, "RunTask {revision} on {instance} ({token})"),
            Self::Mark { revision, state } => write!(f, "TagResource {revision} {}", state.name()),
            Self::Tag { task, role } => write!(f, "TagResource {task} {}", role.name()),
            Self::StopTask { task } => write!(f, "StopTask {task}"),
            Self::Terminate { instances } => write!(f, "TerminateInstances {instances:?}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manager(manager) => write!(f, "by {manager}"),
            Self::Operator => f.write_str("by hand"),
            Self::Failure => f.write_str("by a failure"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FaultBegan(fault) => write!(f, "fault begins: {fault}"),
            Self::FaultEnded(fault) => write!(f, "fault ends: {fault}"),
            Self::Accident(accident) => write!(f, "accident: {accident:?}"),
            Self::CalmBegan => f.write_str("calm begins"),
            Self::ManagerStarted(manager) => write!(f, "{manager} starts"),
            Self::ManagerToldToEnd(manager) => write!(f, "{manager} is told to end"),
            Self::ManagerDied(manager) => write!(f, "{manager} dies"),
            Self::ManagerEnded(manager) => write!(f, "{manager} has ended"),
            Self::Called(manager, call) => write!(f, "{manager} calls {call}"),
            Self::BucketEmpty(manager, call) => write!(f, "{manager} is throttled: {call}"),
            Self::CallEnded(manager, call, how) => write!(f, "{how}: {call} of {manager}"),
            Self::Looked(manager, begun_at, launch) => {
                let launch = launch.map_or_else(|| "none".to_owned(), |launch| launch.to_string());
                write!(f, "{manager} has seen the fleet as of {}, launches up to {launch}", clock(*begun_at))
            }
            Self::Launched { instance, ordinal, by } => {
                write!(f, "{instance} was launched {by}")?;
                ordinal.map_or(Ok(()), |ordinal| write!(f, " (launch {ordinal})"))
            }
            Self::Joined(instance) => write!(f, "{instance} joined the cluster"),
            Self::InstanceEnded(instance, cause) => write!(f, "{instance} ended {cause}"),
            Self::InstanceStopped(instance) => write!(f, "{instance} was stopped by hand"),
            Self::Draining(instance) => write!(f, "{instance} drains"),
            Self::OtherTask(instance) => write!(f, "somebody else's task runs on {instance}"),
            Self::OtherTaskEnded(instance) => write!(f, "somebody else's task has ended on {instance}"),
            Self::Placed { task, instance, revision, by } => {
                write!(f, "{task} of {revision} was placed on {instance} {by}")
            }
            Self::Registered(revision, works) => {
                write!(f, "{revision} was registered{}", if *works { "" } else { ", and does not work" })
            }
            Self::Marked(revision, state, by) => write!(f, "{revision} is marked {} {by}", state.name()),
            Self::Running(task, address) => write!(f, "{task} runs at {address}"),
            Self::TaskEnded(task, cause) => write!(f, "{task} ended {cause}"),
            Self::Tagged(task, role) => write!(f, "{task} is recorded as {}", role.name()),
            Self::Health { manager, address, asked_at, answer } => {
                write!(f, "{manager} asked {address} at {}: ", clock(*asked_at))?;
                match answer {
                    None => f.write_str("no answer"),
                    Some((at, answer)) => write!(
                        f,
                        "{} free{} (as of {})",
                        answer.available_capacity,
                        if answer.ready_to_close { ", ready to close" } else { "" },
                        clock(*at)
                    ),
                }
            }
            Self::Sent(manager, player, Given::Place(address)) => write!(f, "{manager} sends {player} to {address}"),
            Self::Sent(manager, player, Given::Backup) => write!(f, "{manager} sends {player} to the backup"),
            Self::Sent(manager, player, Given::Nothing) => write!(f, "{manager} does not answer {player}"),
            Self::Arrived { player, arrival, given } => {
                let unasked = if given.is_none() { " without asking" } else { "" };
                match arrival {
                    Arrival::Seated(task) => write!(f, "{player} plays on {task}{unasked}"),
                    Arrival::Full(task) => write!(f, "{player} finds {task} full{unasked}"),
                    Arrival::Nobody(address) => write!(f, "{player} finds nobody at {address}{unasked}"),
                }
            }
            Self::Left(player, task) => write!(f, "{player} left {task}"),
            Self::CutOff(player, task, cause) => write!(f, "{player} was cut off {task} {cause}"),
            Self::CountBegan => f.write_str("all places are asked for"),
            Self::Counted { given, free } => write!(f, "{given} places were given out, {free} were free"),
        }
    }
}

/// A time of the day as a log shows it: `03:12:45.678`.
pub fn clock(at: Timestamp) -> String {
    let since: Duration = at.since(crate::scenario::ORIGIN);
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
