//! The life of one game server, from launch to gone: one exhaustive match over (phase, event).

use std::fmt;

use thiserror::Error;

/// Where a game server is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Its instance was launched and has not joined the cluster yet.
    Booting,
    /// Its instance is in the cluster; no task was placed on it yet.
    Joined,
    /// A task is placed on its instance and does not run yet.
    Placed,
    /// The task runs and has not given a healthy answer yet.
    Starting,
    /// It takes new players.
    Available,
    /// It keeps the players it has and takes no more.
    Standby,
    /// Its end was decided: the cloud is being asked to stop it.
    Closing(CloseReason),
    /// It is no more.
    Gone,
}

impl Phase {
    /// Capacity that is on its way: launched, and not serving yet.
    pub const fn is_launching(self) -> bool {
        matches!(self, Self::Booting | Self::Joined | Self::Placed | Self::Starting)
    }

    /// Has players, or may have.
    pub const fn is_serving(self) -> bool {
        matches!(self, Self::Available | Self::Standby)
    }

    /// Its health is asked for.
    pub const fn is_polled(self) -> bool {
        matches!(self, Self::Starting | Self::Available | Self::Standby)
    }

    /// A word for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Joined => "joined",
            Self::Placed => "placed",
            Self::Starting => "starting",
            Self::Available => "available",
            Self::Standby => "standby",
            Self::Closing(_) => "closing",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closing(reason) => write!(f, "closing ({})", reason.name()),
            phase => f.write_str(phase.name()),
        }
    }
}

/// Why a server's end was decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// On standby, ready to close, with no hold left.
    Drained,
    /// Silent past its grace.
    Silent,
    /// Not in the cluster by its deadline.
    BootOverdue,
    /// No task running by its deadline.
    PlacementOverdue,
    /// Never healthy by its deadline.
    HealthOverdue,
    /// The task ended by itself or by someone else's hand.
    TaskStopped,
    /// The instance was stopped by someone else's hand, or has ended and its task is still meant to run.
    InstanceStopped,
}

impl CloseReason {
    /// Whether the launch never came to serve: such ends slow the next launches down.
    pub const fn is_failed_launch(self) -> bool {
        matches!(self, Self::BootOverdue | Self::PlacementOverdue | Self::HealthOverdue)
    }

    /// A word for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Silent => "silent",
            Self::BootOverdue => "boot overdue",
            Self::PlacementOverdue => "placement overdue",
            Self::HealthOverdue => "health overdue",
            Self::TaskStopped => "task stopped",
            Self::InstanceStopped => "instance stopped",
        }
    }
}

/// What can happen to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Its instance joined the cluster.
    Joined,
    /// A task was placed on its instance.
    Placed,
    /// The task runs and can be asked for its health.
    Running,
    /// It gave a healthy answer.
    Answered,
    /// It ran before this manager knew it: it may have players.
    FoundServing,
    /// It was decided that it takes no more players.
    SentToStandby,
    /// It was decided that it takes players again.
    TakenBack,
    /// Its end was decided.
    Closed(CloseReason),
    /// The cloud shows it no longer, or as ended.
    Vanished,
}

/// The event cannot happen in that phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{event:?} cannot happen to a server that is {phase}")]
pub struct Impossible {
    /// The phase the server stays in.
    pub phase: Phase,
    /// The event that was refused.
    pub event: Event,
}

/// The phase after `event`. An observation may repeat what is known or skip a stage: both are possible,
/// and a stage is never gone back to.
pub const fn apply(phase: Phase, event: Event) -> Result<Phase, Impossible> {
    use CloseReason::{BootOverdue, Drained, HealthOverdue, InstanceStopped, PlacementOverdue, Silent, TaskStopped};
    match (phase, event) {
        (Phase::Gone, _) => Err(Impossible { phase, event }),
        (_, Event::Vanished) => Ok(Phase::Gone),

        (Phase::Booting, Event::Joined) => Ok(Phase::Joined),
        (Phase::Booting | Phase::Joined, Event::Placed) => Ok(Phase::Placed),
        (Phase::Booting | Phase::Joined | Phase::Placed, Event::Running) => Ok(Phase::Starting),
        (Phase::Starting, Event::Answered | Event::FoundServing) => Ok(Phase::Available),
        (Phase::Available, Event::SentToStandby) => Ok(Phase::Standby),
        (Phase::Standby, Event::TakenBack) => Ok(Phase::Available),

        // Seen again: nothing new. A cloud goes on showing what is already closing.
        (_, Event::Joined)
        | (Phase::Placed | Phase::Starting | Phase::Available | Phase::Standby | Phase::Closing(_), Event::Placed)
        | (Phase::Starting | Phase::Available | Phase::Standby | Phase::Closing(_), Event::Running)
        | (Phase::Available | Phase::Standby | Phase::Closing(_), Event::Answered | Event::FoundServing)
        | (Phase::Closing(_), Event::Closed(TaskStopped | InstanceStopped)) => Ok(phase),

        // Each end has the phases it can be decided in.
        (Phase::Standby, Event::Closed(reason @ Drained))
        | (Phase::Available | Phase::Standby, Event::Closed(reason @ Silent))
        | (Phase::Booting, Event::Closed(reason @ BootOverdue))
        | (Phase::Joined | Phase::Placed, Event::Closed(reason @ PlacementOverdue))
        | (Phase::Starting, Event::Closed(reason @ HealthOverdue))
        | (_, Event::Closed(reason @ (TaskStopped | InstanceStopped))) => Ok(Phase::Closing(reason)),

        (Phase::Booting | Phase::Joined | Phase::Placed, Event::Answered | Event::FoundServing)
        | (_, Event::SentToStandby | Event::TakenBack | Event::Closed(_)) => Err(Impossible { phase, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CloseReason::*;

    #[test]
    fn a_life_from_launch_to_gone() {
        let events = [
            (Event::Joined, Phase::Joined),
            (Event::Placed, Phase::Placed),
            (Event::Running, Phase::Starting),
            (Event::Answered, Phase::Available),
            (Event::SentToStandby, Phase::Standby),
            (Event::TakenBack, Phase::Available),
            (Event::SentToStandby, Phase::Standby),
            (Event::Closed(Drained), Phase::Closing(Drained)),
            (Event::Vanished, Phase::Gone),
        ];
        let mut phase = Phase::Booting;
        for (event, then) in events {
            phase = apply(phase, event).expect("a possible event");
            assert_eq!(phase, then);
        }
    }

    #[test]
    fn a_server_that_takes_players_is_never_closed_as_drained() {
        for phase in [Phase::Booting, Phase::Joined, Phase::Placed, Phase::Starting, Phase::Available] {
            assert!(apply(phase, Event::Closed(Drained)).is_err(), "{phase:?}");
        }
    }

    #[test]
    fn a_serving_server_is_never_closed_as_an_overdue_launch() {
        for phase in [Phase::Available, Phase::Standby] {
            for reason in [BootOverdue, PlacementOverdue, HealthOverdue] {
                assert!(apply(phase, Event::Closed(reason)).is_err(), "{phase:?} {reason:?}");
            }
        }
    }

    #[test]
    fn what_is_gone_stays_gone() {
        for event in [Event::Joined, Event::Running, Event::Answered, Event::TakenBack, Event::Vanished] {
            assert_eq!(apply(Phase::Gone, event), Err(Impossible { phase: Phase::Gone, event }));
        }
    }

    #[test]
    fn what_closes_does_not_come_back() {
        let closing = Phase::Closing(Silent);
        assert_eq!(apply(closing, Event::Answered), Ok(closing));
        assert_eq!(apply(closing, Event::Running), Ok(closing));
        assert!(apply(closing, Event::TakenBack).is_err());
    }
}
