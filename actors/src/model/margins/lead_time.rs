//! Margins that bridge a launch: while one is under way, players come faster than they go, or more of them than usual.

use std::time::Duration;

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use super::{Margins, MarginsSeen};
use crate::model::policy::Policy;

/// Before so long was seen, rates are chance.
const SEEN_FOR: Duration = Duration::from_secs(600);

/// More is never covered: one in a billion, however small the lot.
const MOST_DEVIATIONS: f64 = 7.0;

/// Players who are not there have no chance to come, and nothing to divide by.
const LEAST_DEVIATION: f64 = 1e-6;

/// So often the interval is halved: it is known to a hundredth of a place then, of a million.
const HALVINGS: u32 = 30;

/// Margins by the lead time of launches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeadTimePolicy {
    /// One player in so many may be turned away.
    pub one_in: u32,
    /// The upscale margin is never below this.
    pub least: u32,
}

impl LeadTimePolicy {
    /// What lies between two moments at which a launch can help: its lead time `L`, and the interval in which it is noticed.
    ///
    /// In that time as many places are taken as the traffic [rises](crate::model::Traffic::rise). By chance it is more: the
    /// difference of two counts has the variance `(arrivals + departures) × L`, times the dispersion of the arrivals where they
    /// come in crowds. So many deviations of it are covered that no more than the share is turned away, corrected by how many
    /// were.
    pub(super) fn margins(&self, policy: &Policy, seen: &MarginsSeen<'_>) -> Option<Margins> {
        let bridged = self.lead_time(seen)? + policy.health_interval;
        let MarginsSeen { traffic, record, largest_party, .. } = *seen;
        let deviation = (traffic.variance() * bridged.as_secs_f64()).sqrt();
        let deviations = deviations(record.corrected(self.share()), policy.server_capacity, deviation);
        let wanted = deviations.mul_add(deviation, traffic.rise(bridged)).ceil() as u32;
        let upscale = wanted.saturating_add(largest_party).min(policy.most_places()).max(self.least);
        Some(Margins::above(upscale, policy.server_capacity))
    }

    /// How long launches take, once enough was seen to go by it.
    pub(super) fn lead_time(&self, seen: &MarginsSeen<'_>) -> Option<Duration> {
        seen.lead_time.filter(|_| seen.traffic.seen_for() >= SEEN_FOR)
    }

    /// The share of players that may be turned away.
    pub(super) fn share(&self) -> f64 {
        1.0 / f64::from(self.one_in.max(2))
    }
}

/// How many deviations have to be covered so that no more than a share of all is turned away; none at least.
///
/// Places are an inventory that is reordered at a level, in lots of a server, with a lead time; there the share that is missed
/// is `E[(demand - stock)+] / lot`, the stock being as likely anywhere in the lot above the level (the fill rate; Hadley and
/// Whitin, "Analysis of Inventory Systems", 1963). Here a lot is taken away again, too, when there is a lot and a band more
/// than the level. Between the two the stock moves by chance, and each lifts or lowers it to where the other is a band away:
/// so it is seldom close to the level. Its density is 1 / lot from a band above it on, and falls evenly to 0 at the level
/// itself: the solution of `f'' = 0` between them.
///
/// With the normal tail `P`, `u` deviations above the level are missed in `P(z + u)` of the time, and the sum of that over the
/// density is `(T(z) - T(z + band)) / (band × lot)`, both in deviations, with `T(z) = ∫ u P(z + u) du`, which is half of
/// `(z² + 1) P(z) - z p(z)`.
fn deviations(share: f64, capacity: u32, deviation: f64) -> f64 {
    let in_deviations = |places: u32| f64::from(places) / deviation.max(LEAST_DEVIATION);
    let (lot, band) = (in_deviations(capacity), in_deviations(Margins::band(capacity)));
    let normal = Normal::standard();
    let sum = |z: f64| f64::midpoint((z * z + 1.0) * normal.sf(z), -z * normal.pdf(z));
    let missed = |z: f64| (sum(z) - sum(z + band)) / (band * lot);
    let (mut low, mut high) = (0.0, MOST_DEVIATIONS);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if missed(middle) > share { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::margins::Record;
    use crate::model::margins::tests::{seen, traffic};
    use crate::model::{MarginPolicy, Traffic};

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(least: u32) -> Policy {
        let margin_policy = MarginPolicy::LeadTime(LeadTimePolicy { one_in: 10_000, least });
        Policy { margin_policy, server_capacity: 64, ..Policy::default() }
    }

    fn margins(policy: &Policy, traffic: &Traffic, lead_time: Option<u64>) -> Margins {
        let lead_time = lead_time.map(Duration::from_secs);
        policy.margins(&MarginsSeen { lead_time, largest_party: 3, ..seen(traffic) })
    }

    #[test]
    fn a_rise_is_bridged_and_chance_is_covered() {
        // 99 s and the health interval of 1 s: a deviation of 20, of which 2.872 are covered, by the normal distribution of
        // another program; and of a rise of 2 all but 0.07.
        for (arrivals, departures, upscale) in [(0, 0, 3), (2, 2, 58 + 3), (3, 1, 251 + 3), (1, 3, 58 + 3)] {
            let traffic = traffic(arrivals, departures, 3600);
            let margins = margins(&policy(0), &traffic, Some(99));
            assert_eq!(margins, Margins { upscale, downscale: upscale + 72 }, "{arrivals} {departures}");
        }
    }

    #[test]
    fn with_too_little_to_go_by_the_operators_margins_hold() {
        let fixed = Margins { upscale: 4, downscale: 18 };
        assert_eq!(margins(&policy(0), &traffic(2, 2, 599), Some(99)), fixed);
        assert_eq!(margins(&policy(0), &traffic(2, 2, 3600), None), fixed);
        assert_ne!(margins(&policy(0), &traffic(2, 2, 600), Some(99)), fixed);
    }

    #[test]
    fn the_margin_is_never_below_its_floor() {
        assert_eq!(margins(&policy(50), &traffic(0, 0, 3600), Some(99)).upscale, 50);
        assert_eq!(margins(&policy(50), &traffic(0, 0, 1), None), Margins { upscale: 50, downscale: 64 });
        assert_eq!(margins(&policy(50), &traffic(2, 2, 3600), Some(99)).upscale, 61);
    }

    #[test]
    fn what_has_come_of_it_makes_the_margin_wider_or_narrower() {
        let (traffic, policy) = (traffic(2, 2, 3600), policy(0));
        let seen = |record| MarginsSeen { lead_time: Some(Duration::from_secs(99)), record, ..seen(&traffic) };
        // Of half a million players 50 may be turned away, and half of those are spent.
        for (missed, upscale) in [(0, 47), (24, 58), (40, 66), (4000, 70)] {
            let record = policy.recorded(&seen(Record::default()), 480_000, missed, SECOND);
            assert_eq!(policy.margins(&seen(record)).upscale, upscale, "{missed}");
        }
        let fixed = Policy { margin_policy: MarginPolicy::Fixed, shadow_policy: Some(policy.margin_policy), ..policy };
        let record = fixed.recorded(&seen(Record::default()), 480_000, 4000, SECOND);
        assert_eq!(record, Record::default(), "other margins are not judged");
        let judged = policy_of(&fixed).recorded(&seen(record), 480_000, 4000, SECOND);
        assert_eq!(
            fixed.shadow(&seen(judged)).map(|margins| margins.upscale),
            Some(58),
            "nor is one that is only watched"
        );
    }

    fn policy_of(policy: &Policy) -> Policy {
        Policy { margin_policy: policy.shadow_policy.unwrap_or_default(), ..policy.clone() }
    }

    #[test]
    fn players_who_come_in_crowds_take_a_larger_margin() {
        let mut crowds = Traffic::default();
        (0..36_000).for_each(|second| crowds.count(if second % 20 == 0 { 40 } else { 0 }, 2, SECOND));
        assert!(crowds.dispersion() > 10.0, "{}", crowds.dispersion());
        assert!(margins(&policy(0), &crowds, Some(99)).upscale > 200);
    }
}
