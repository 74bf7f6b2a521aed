//! How many places are kept free: below one number the fleet grows, above the other it shrinks.
//!
//! What sets them is one of several policies, each a pure function of what is seen, in a file of its own. Whichever it is,
//! the same decision is made on them, and the same limits hold.

mod buffer;
mod lead_time;
mod record;
mod schedule;
mod told;

use std::time::Duration;

use super::policy::Policy;
use super::time::Timestamp;
use super::traffic::Traffic;

pub use buffer::BufferPolicy;
pub use lead_time::LeadTimePolicy;
pub use record::Record;
pub use schedule::{Schedule, ScheduleError};
pub use told::ToldPolicy;

/// Below and above how many free places the fleet grows and shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Margins {
    /// With fewer free and pending places than this the fleet grows.
    pub upscale: u32,
    /// With more free places than this it shrinks.
    pub downscale: u32,
}

/// Beside a whole server, a part of one lies between the margins, so that none is sent to standby and taken back by the same
/// players. One in so many.
const BAND: u32 = 8;

impl Margins {
    /// Nothing is to be free: a fleet that nobody plays on is to have no servers.
    const NONE: Self = Self { upscale: 0, downscale: 0 };

    /// With this upscale margin, and as close a downscale margin as holds still.
    pub fn above(upscale: u32, server_capacity: u32) -> Self {
        Self { upscale, downscale: upscale.saturating_add(server_capacity + Self::band(server_capacity)) }
    }

    /// What lies between them beside a server's places.
    fn band(server_capacity: u32) -> u32 {
        server_capacity.div_ceil(BAND).max(2)
    }

    /// Raised to this upscale margin, as far apart as before.
    fn at_least(self, upscale: u32) -> Self {
        let raised = upscale.saturating_sub(self.upscale);
        Self { upscale: self.upscale + raised, downscale: self.downscale.saturating_add(raised) }
    }
}

/// What sets the margins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MarginPolicy {
    /// The operator: they are fixed.
    #[default]
    Fixed,
    /// A share of all places.
    Buffer(BufferPolicy),
    /// How fast players come, and how long a launch takes.
    LeadTime(LeadTimePolicy),
    /// A service of the operator's.
    Told(ToldPolicy),
}

impl MarginPolicy {
    /// A word for settings, logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fixed => "margins",
            Self::Buffer(_) => "buffer",
            Self::LeadTime(_) => "lead-time",
            Self::Told(_) => "webhook",
        }
    }
}

/// What margins that set themselves go by.
#[derive(Clone, Copy, Debug)]
pub struct MarginsSeen<'a> {
    /// When.
    pub now: Timestamp,
    /// Players in games, when they were last counted.
    pub players: u32,
    /// Players who come and go.
    pub traffic: &'a Traffic,
    /// Nineteen of twenty launches took no longer; none if none came to serve yet.
    pub lead_time: Option<Duration>,
    /// What has come of the margins in force.
    pub record: Record,
    /// Players who came together, at most.
    pub largest_party: u32,
    /// What the operator's service told last, and when.
    pub told: Option<(Margins, Timestamp)>,
    /// How long nobody has played or come, and no server was on its way.
    pub quiet_for: Duration,
    /// How long ago somebody found no room, without the time in which a server was on its way; none if nobody ever did.
    pub missed_ago: Option<Duration>,
}

impl Policy {
    /// The margins, as they are now.
    pub fn margins(&self, seen: &MarginsSeen<'_>) -> Margins {
        self.margins_by(&self.margin_policy, seen)
    }

    /// What they would be by the policy that is only watched, if there is one.
    pub fn shadow(&self, seen: &MarginsSeen<'_>) -> Option<Margins> {
        // Nothing has come of it: it is not in force.
        let seen = MarginsSeen { record: Record::default(), ..*seen };
        self.shadow_policy.as_ref().map(|policy| self.margins_by(policy, &seen))
    }

    /// The record, with so many more who came in the last `span` and those of them who found no place. As it was, where no policy
    /// was to see to it that they do.
    pub fn recorded(&self, seen: &MarginsSeen<'_>, came: u32, missed: u32, span: Duration) -> Record {
        match self.margin_policy {
            MarginPolicy::LeadTime(policy) if policy.lead_time(seen).is_some() => {
                seen.record.with(came, missed, span, policy.share())
            }
            _ => seen.record,
        }
    }

    fn margins_by(&self, policy: &MarginPolicy, seen: &MarginsSeen<'_>) -> Margins {
        let fixed = Margins { upscale: self.upscale_margin, downscale: self.downscale_margin };
        let told = match policy {
            MarginPolicy::Told(policy) => policy.margins(self, seen),
            _ => None,
        };
        // Who says how much is to be free knows better than quiet does.
        let is_told = told.is_some();
        let margins = match policy {
            MarginPolicy::Fixed => fixed,
            MarginPolicy::Buffer(policy) => policy.margins(self, seen),
            // With too little to go by, what the operator set holds, and the floor.
            MarginPolicy::LeadTime(policy) => {
                policy.margins(self, seen).unwrap_or_else(|| fixed.at_least(policy.least))
            }
            MarginPolicy::Told(_) => told.unwrap_or(fixed),
        };
        let scheduled = self.scheduled(seen);
        match self.quiet_time {
            // Whoever found no room may be followed by others, however little is to be free.
            Some(quiet_time) if seen.missed_ago.is_some_and(|ago| ago < quiet_time) => {
                margins.at_least(scheduled.max(1))
            }
            Some(quiet_time) if self.min_servers == 0 && seen.quiet_for >= quiet_time && scheduled == 0 && !is_told => {
                Margins::NONE
            }
            _ => margins.at_least(scheduled),
        }
    }

    /// The floor of the schedule. What is to be free when it begins is launched before.
    fn scheduled(&self, seen: &MarginsSeen<'_>) -> u32 {
        let Self { schedule, .. } = self;
        if schedule.is_empty() {
            return 0;
        }
        let ahead = seen.lead_time.unwrap_or_default() + self.health_interval;
        schedule.floor(seen.now, ahead)
    }

    /// Places of all servers that there may be: more are never free.
    fn most_places(&self) -> u32 {
        self.max_servers.saturating_mul(self.server_capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn traffic(arrivals: u32, departures: u32, seconds: u32) -> Traffic {
        let mut traffic = Traffic::default();
        (0..seconds).for_each(|_| traffic.count(arrivals, departures, Duration::from_secs(1)));
        traffic
    }

    pub(super) fn seen(traffic: &Traffic) -> MarginsSeen<'_> {
        let now = Timestamp::from_secs(1_000_000);
        let quiet_for = Duration::ZERO;
        MarginsSeen {
            now,
            players: 0,
            traffic,
            lead_time: None,
            record: Record::default(),
            largest_party: 0,
            told: None,
            quiet_for,
            missed_ago: None,
        }
    }

    #[test]
    fn who_allows_for_no_servers_has_none_after_a_quiet_time_and_some_when_somebody_comes() {
        let (fixed, none) = (Margins { upscale: 4, downscale: 18 }, Margins::NONE);
        let (traffic, minutes) = (traffic(0, 0, 0), |minutes: u64| Duration::from_secs(60 * minutes));
        for (min_servers, quiet_for, missed_ago, margins) in [
            (0, 9, None, fixed),
            (0, 10, None, none),
            (0, 10, Some(10), none),
            (0, 10, Some(9), fixed),
            (1, 60, None, fixed),
        ] {
            let policy = Policy { min_servers, quiet_time: Some(minutes(10)), ..Policy::default() };
            let seen =
                MarginsSeen { quiet_for: minutes(quiet_for), missed_ago: missed_ago.map(minutes), ..seen(&traffic) };
            assert_eq!(policy.margins(&seen), margins, "{min_servers} {quiet_for} {missed_ago:?}");
            let scheduled = Policy { schedule: "* * * * * for 1h: 50".parse().expect("a schedule"), ..policy.clone() };
            assert_eq!(scheduled.margins(&seen).upscale, 50);
            let narrow = Policy { upscale_margin: 0, downscale_margin: 11, ..policy };
            assert_eq!(narrow.margins(&seen).upscale, u32::from(missed_ago == Some(9)));
        }
    }

    #[test]
    fn a_schedule_raises_whatever_else_sets_the_margins_a_launch_ahead() {
        // Day 11 of the epoch ends at second 1,036,800.
        let schedule = "0 0 * * * for 1h: 50".parse().expect("a schedule");
        let policy = Policy { schedule, shadow_policy: Some(MarginPolicy::Fixed), ..Policy::default() };
        let traffic = traffic(0, 0, 0);
        let at = |second, lead_time| {
            let lead_time = Some(Duration::from_secs(lead_time));
            MarginsSeen { now: Timestamp::from_secs(second), lead_time, ..seen(&traffic) }
        };
        let (fixed, raised) = (Margins { upscale: 4, downscale: 18 }, Margins { upscale: 50, downscale: 64 });
        for (second, lead_time, margins) in
            [(1_036_700, 98, fixed), (1_036_700, 99, raised), (1_036_800, 0, raised), (1_040_400, 0, fixed)]
        {
            let seen = at(second, lead_time);
            assert_eq!(policy.margins(&seen), margins, "{second} {lead_time}");
            assert_eq!(policy.shadow(&seen), Some(margins), "{second} {lead_time}");
        }
    }
}
