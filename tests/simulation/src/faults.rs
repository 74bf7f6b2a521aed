//! What can go wrong: faults that last for a while, and accidents that happen at one moment.

use std::fmt;
use std::time::Duration;

use actors::model::{RolloutState, Timestamp};

use crate::event::Call;

/// A fault, from when to when. Before and after it its part of the world works.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// What is wrong for a while. A share is of the calls, instances, tasks or servers that it can befall.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FaultKind {
    /// Calls are answered as throttled, whatever the buckets hold.
    Throttling(f64),
    /// Calls that change something are denied: somebody took the manager's permissions away.
    Denials,
    /// Calls fail without effect, and without an answer that says so.
    LostRequests(f64),
    /// Calls take effect and their answers are lost.
    LostAnswers(f64),
    /// Calls are not answered in time and take effect after that.
    LateEffects(f64),
    /// Calls take seconds.
    SlowCalls,
    /// No call gets through.
    Outage,
    /// There are no instances to be had: of one pool, by its number, or of all.
    NoCapacity(Option<u32>),
    /// There are fewer instances to be had than asked for.
    Scarcity,
    /// Tasks are refused on instances that could take them.
    PlacementFailures(f64),
    /// What was written is shown only much later.
    ReadLag(Duration),
    /// Some of what is read comes from replicas that are behind, and a list may leave a task out.
    StaleReads(f64),
    /// New instances never join the cluster.
    NeverJoin(f64),
    /// New instances join late.
    LateJoin(f64),
    /// The agents of instances lose their connection.
    AgentsDisconnected(f64),
    /// Tasks fail to start.
    StartFailures(f64),
    /// Game servers take minutes until they listen.
    SlowStart,
    /// Game servers die soon after they came to serve.
    EarlyDeaths(f64),
    /// Game servers take health questions and never answer.
    Hangs(f64),
    /// Game servers take seconds to answer.
    SlowAnswers(f64),
    /// Game servers answer what is not the contract.
    Garbage(f64),
    /// Game servers say that they are ready to close when they have players, and that they are not when they have none.
    Lies(f64),
    /// The manager cannot reach game servers; their players can.
    CutOff(f64),
    /// A crawler has found the address: it asks for a place so often in a second, and never comes.
    Crawler(f64),
}

impl FaultKind {
    /// A word for figures.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Throttling(_) => "throttling",
            Self::Denials => "denials",
            Self::LostRequests(_) => "lost requests",
            Self::LostAnswers(_) => "lost answers",
            Self::LateEffects(_) => "late effects",
            Self::SlowCalls => "slow calls",
            Self::Outage => "API outage",
            Self::NoCapacity(None) => "no capacity",
            Self::NoCapacity(Some(_)) => "no capacity in a pool",
            Self::Scarcity => "scarcity",
            Self::PlacementFailures(_) => "placement failures",
            Self::ReadLag(_) => "lagging reads",
            Self::StaleReads(_) => "stale reads",
            Self::NeverJoin(_) => "instances never join",
            Self::LateJoin(_) => "instances join late",
            Self::AgentsDisconnected(_) => "agents disconnected",
            Self::StartFailures(_) => "tasks fail to start",
            Self::SlowStart => "slow starts",
            Self::EarlyDeaths(_) => "early deaths",
            Self::Hangs(_) => "hanging servers",
            Self::SlowAnswers(_) => "slow answers",
            Self::Garbage(_) => "garbage answers",
            Self::Lies(_) => "false readiness",
            Self::CutOff(_) => "network cut",
            Self::Crawler(_) => "crawlers",
        }
    }

    /// Whether calls to the cloud suffer, or what they show: what the manager is to do may have to wait for its end.
    pub const fn is_of_the_cloud(&self) -> bool {
        !matches!(
            self,
            Self::Hangs(_)
                | Self::SlowAnswers(_)
                | Self::Garbage(_)
                | Self::Lies(_)
                | Self::CutOff(_)
                | Self::Crawler(_)
        )
    }
}

/// What happens at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Accident {
    /// The machine under an instance dies.
    InstanceLost,
    /// The zone fails that instances are asked for in first, with all in it, and the manager, which is started elsewhere
    /// after so long.
    ZoneLost(Duration),
    /// An operator terminates an instance.
    InstanceTerminatedByHand,
    /// An operator stops an instance, which can be started again and costs until it is terminated.
    InstanceStoppedByHand,
    /// An operator stops a task.
    TaskStoppedByHand,
    /// An operator runs a game server on an instance of his own.
    GameByHand,
    /// An operator runs something else on an instance of the fleet.
    OtherTaskByHand,
    /// A spot notice: the instance drains, and is gone two minutes later.
    SpotNotice,
    /// Somebody registers a new revision of the game's task definition.
    NewRevision {
        /// Its game servers come to serve.
        works: bool,
    },
    /// An operator has something to say of the newest revision's rollout.
    Marked(RolloutState),
    /// A game server's process dies.
    GameDies,
    /// A game server hangs, and never comes back.
    GameHangs,
    /// Many players come at once, so many.
    Rush(u32),
    /// The manager dies, and is started again after so long.
    Crash(CrashPoint, Duration),
    /// The manager is told to end, in a quiet moment or right after its next call that changes something, and is started
    /// again after so long.
    Restart(Moment, Duration),
    /// A second manager is started beside the first, for so long; then one of the two dies.
    SecondManager(Duration),
}

/// When a manager is told to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Now.
    Now,
    /// When its next call that changes something was answered.
    Busy,
}

/// The moment at which a manager dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrashPoint {
    /// Now, once so many turns of the runtime have passed: between any two messages.
    Turns(u32),
    /// When its next such call has been sent and has not taken effect.
    BeforeEffect(Change),
    /// When its next such call has taken effect and was not answered.
    BeforeAnswer(Change),
    /// Some turns after its next such call was answered.
    AfterAnswer(Change, u32),
}

/// A call that changes something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Any.
    Any,
    /// `RunInstances`.
    Launch,
    /// `RunInstances` for more than one.
    LargeLaunch,
    /// `RunTask`.
    Placement,
    /// `TagResource`.
    Role,
    /// `StopTask` or `TerminateInstances`.
    End,
}

impl Change {
    /// Whether it is this call.
    pub const fn is(self, call: &Call) -> bool {
        match self {
            Self::Any => call.is_change(),
            Self::Launch => matches!(call, Call::RunInstances { .. }),
            Self::LargeLaunch => matches!(call, Call::RunInstances { count: 2.., .. }),
            Self::Placement => matches!(call, Call::RunTask { .. }),
            Self::Role => matches!(call, Call::Tag { .. } | Call::Mark { .. }),
            Self::End => matches!(call, Call::StopTask { .. } | Call::Terminate { .. }),
        }
    }
}

impl Accident {
    /// A word for figures.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InstanceLost => "instance lost",
            Self::ZoneLost(_) => "zone lost",
            Self::InstanceTerminatedByHand => "instance ended by hand",
            Self::InstanceStoppedByHand => "instance stopped by hand",
            Self::TaskStoppedByHand => "task stopped by hand",
            Self::GameByHand => "game started by hand",
            Self::OtherTaskByHand => "other task on an instance",
            Self::SpotNotice => "spot notice",
            Self::NewRevision { works: true } => "new revision",
            Self::NewRevision { works: false } => "new revision that does not work",
            Self::Marked(RolloutState::Active) => "rollout resumed by hand",
            Self::Marked(RolloutState::Paused) => "rollout paused by hand",
            Self::Marked(RolloutState::RolledBack) => "rollout rolled back by hand",
            Self::GameDies => "game server died",
            Self::GameHangs => "game server hangs for good",
            Self::Rush(_) => "rush of players",
            Self::Crash(..) => "manager crashed",
            Self::Restart(..) => "manager restarted",
            Self::SecondManager(_) => "two managers at once",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} for {:?}", self.kind, self.until.since(self.from))
    }
}
