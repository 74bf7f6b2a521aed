//! How long launches take, stage by stage: what a player who comes to a full fleet has to wait for, and what margins
//! have to bridge.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::time::Timestamp;

/// Launches that are remembered: enough for a p95 that one slow launch does not move, few enough to follow a change.
const REMEMBERED: usize = 200;

/// What a launch waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// From asking for an instance until it runs, as a look shows it.
    Booting,
    /// From there until its agent has joined the cluster.
    Registering,
    /// From there until a task is placed on it.
    Placing,
    /// From there until the game server in it gives its first healthy answer.
    Starting,
}

impl Stage {
    /// All of them, in the order that a launch goes through them.
    pub const ALL: [Self; 4] = [Self::Booting, Self::Registering, Self::Placing, Self::Starting];

    /// A word for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Registering => "registering",
            Self::Placing => "placing",
            Self::Starting => "starting",
        }
    }
}

/// When a launch came how far. Of one that somebody else began, or an earlier manager, not all is known.
#[derive(Clone, Copy, Debug)]
pub struct Milestones {
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
    /// When its instance was first seen to run.
    pub running_at: Option<Timestamp>,
    /// When its agent joined the cluster, by the cloud's clock.
    pub registered_at: Option<Timestamp>,
    /// When its task was placed.
    pub placed_at: Option<Timestamp>,
}

impl Milestones {
    /// Nothing is known yet.
    pub(super) const NONE: Self = Self { requested_at: None, running_at: None, registered_at: None, placed_at: None };

    /// How long each stage took of a launch that came to serve at `healthy_at`; none where a milestone is not known.
    /// What was seen later than what comes after it took no time: looks are seconds apart.
    pub fn lead_time(&self, healthy_at: Timestamp) -> Option<LeadTime> {
        let registered_at = self.registered_at?;
        // A look may show an instance to run only after its agent has told that it does.
        let running_at = self.running_at?.min(registered_at);
        let (requested_at, placed_at) = (self.requested_at?, self.placed_at?);
        Some(LeadTime {
            stages: [
                running_at.since(requested_at),
                registered_at.since(running_at),
                placed_at.since(registered_at),
                healthy_at.since(placed_at),
            ],
            total: healthy_at.since(requested_at),
        })
    }
}

/// How long one launch took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeadTime {
    /// By stage, in the order of [`Stage::ALL`].
    pub stages: [Duration; 4],
    /// From asking for it to the first healthy answer.
    pub total: Duration,
}

/// How long the last launches took that came to serve.
#[derive(Clone, Debug, Default)]
pub struct LeadTimes {
    last: VecDeque<LeadTime>,
}

/// How a duration is distributed over the launches that are remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// Half took no longer.
    pub p50: Duration,
    /// Nineteen out of twenty took no longer.
    pub p95: Duration,
    /// None took longer.
    pub max: Duration,
}

impl LeadTimes {
    /// Takes in one more.
    pub(crate) fn record(&mut self, lead_time: LeadTime) {
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(lead_time);
    }

    /// How many launches are remembered, two hundred at most.
    pub fn count(&self) -> usize {
        self.last.len()
    }

    /// From asking for a launch to its first healthy answer; none before the first one came to serve.
    pub fn total(&self) -> Option<Spread> {
        Spread::of(self.last.iter().map(|lead_time| lead_time.total))
    }

    /// Of one stage.
    pub fn stage(&self, stage: Stage) -> Option<Spread> {
        Spread::of(self.last.iter().map(|lead_time| lead_time.stages[stage as usize]))
    }
}

impl Spread {
    /// By the nearest rank (ISO 3534-1): the smallest value that so many of the values do not exceed.
    fn of(values: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut values: Vec<Duration> = values.collect();
        values.sort_unstable();
        let rank = |percent: usize| values.get((values.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50: rank(50)?, p95: rank(95)?, max: rank(100)? })
    }
}

impl fmt::Display for LeadTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?}", self.total)?;
        let stages = Stage::ALL.iter().zip(self.stages);
        stages.enumerate().try_for_each(|(number, (stage, took))| {
            write!(f, "{}{} {took:.1?}", if number == 0 { " (" } else { ", " }, stage.name())
        })?;
        f.write_str(")")
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1?}, p95 {:.1?}, max {:.1?}", self.p50, self.p95, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1000 + seconds)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn milestones() -> Milestones {
        Milestones {
            requested_at: Some(at(0)),
            running_at: Some(at(20)),
            registered_at: Some(at(75)),
            placed_at: Some(at(77)),
        }
    }

    #[test]
    fn the_stages_add_up_to_the_whole() {
        let lead_time = milestones().lead_time(at(90)).expect("all is known");
        assert_eq!(lead_time.stages, [seconds(20), seconds(55), seconds(2), seconds(13)]);
        assert_eq!(lead_time.stages.iter().sum::<Duration>(), lead_time.total);
        assert_eq!(lead_time.to_string(), "90.0s (booting 20.0s, registering 55.0s, placing 2.0s, starting 13.0s)");
    }

    #[test]
    fn an_instance_that_is_seen_to_run_after_it_joined_ran_by_then() {
        let late = Milestones { running_at: Some(at(80)), ..milestones() };
        let lead_time = late.lead_time(at(90)).expect("all is known");
        assert_eq!(lead_time.stages, [seconds(75), seconds(0), seconds(2), seconds(13)]);
    }

    #[test]
    fn a_launch_that_was_not_seen_from_the_begin_tells_nothing() {
        assert_eq!(Milestones { requested_at: None, ..milestones() }.lead_time(at(90)), None);
    }

    #[test]
    fn the_spread_is_that_of_the_last_launches() {
        let mut lead_times = LeadTimes::default();
        assert_eq!((lead_times.total(), lead_times.stage(Stage::Booting)), (None, None));
        for number in 1..=300 {
            lead_times.record(LeadTime {
                stages: [seconds(number), seconds(0), seconds(1), seconds(2)],
                total: seconds(number + 3),
            });
        }
        let spread = |p50, p95, max| Some(Spread { p50: seconds(p50), p95: seconds(p95), max: seconds(max) });
        assert_eq!(lead_times.count(), 200);
        assert_eq!(lead_times.stage(Stage::Booting), spread(200, 290, 300), "101 to 300");
        assert_eq!(lead_times.stage(Stage::Starting), spread(2, 2, 2));
        assert_eq!(lead_times.total(), spread(203, 293, 303));
    }
}
