//! How a fleet's players grow by the time of day: a rush that comes each evening at the same time is known before it begins.

use std::collections::VecDeque;
use std::f64::consts::FRAC_PI_2;
use std::time::Duration;

use super::time::Timestamp;

/// A day is remembered in slots of so many seconds, and there are so many of them.
const SLOT: u64 = 600;
const SLOTS: usize = (86_400 / SLOT) as usize;

/// So many days are remembered. The middle one counts: who all came back at once from an outage do not do so each day.
const DAYS: usize = 5;

/// Before so many were seen, there is no habit.
const ENOUGH: usize = 3;

/// A slot of which less was seen tells nothing.
const SEEN: Duration = Duration::from_secs(SLOT / 2);

/// So many standard deviations of what was seen may be chance.
const CHANCE: f64 = 2.0;

/// What was seen, by the time of day.
#[derive(Clone, Debug, Default)]
pub(super) struct Season {
    /// Of each slot of the day: how many more came than left, a second and a player, on the last days.
    slots: Vec<VecDeque<f64>>,
    now: Now,
}

/// The slot that is under way.
#[derive(Clone, Copy, Debug, Default)]
struct Now {
    second: u64,
    players: u32,
    /// Players when it began.
    players_before: u32,
    /// How many more came than left in it, and how much of it was seen.
    growth: f64,
    seen: Duration,
}

impl Season {
    /// It is now, and so many play.
    pub(super) fn look(&mut self, now: Timestamp, players: u32) {
        let second = now.as_micros() / 1_000_000;
        if second / SLOT != self.now.second / SLOT {
            self.remember();
            self.now = Now { players_before: players, ..Now::default() };
        }
        (self.now.second, self.now.players) = (second, players);
    }

    /// So many more came than left in the last `span`.
    pub(super) fn count(&mut self, growth: f64, span: Duration) {
        self.now.growth += growth;
        self.now.seen += span;
    }

    fn remember(&mut self) {
        let Now { second, players_before, growth, seen, .. } = self.now;
        if seen < SEEN || players_before == 0 {
            return;
        }
        self.slots.resize_with(SLOTS, VecDeque::new);
        let days = &mut self.slots[slot(second)];
        days.truncate(DAYS - 1);
        days.push_front(growth / f64::from(players_before) / seen.as_secs_f64());
    }

    /// How many more are to come than leave, a second, at some time within `ahead`, as it was at that time of the last days; less
    /// what may be chance, where players come and leave with the variance of so many a second. None below 0.
    pub(super) fn rise(&self, ahead: Duration, variance: f64) -> f64 {
        let Now { second, players, .. } = self.now;
        let habits = (second / SLOT..=(second + ahead.as_secs()) / SLOT).take(SLOTS).filter_map(|number| {
            let days = self.slots.get(slot(number * SLOT)).filter(|days| days.len() >= ENOUGH)?;
            // The middle one of n has π / 2 times the variance of their mean.
            let chance = CHANCE * (FRAC_PI_2 * variance / (SLOT as f64 * days.len() as f64)).sqrt();
            Some(middle(days) * f64::from(players) - chance)
        });
        habits.fold(0.0, f64::max)
    }
}

/// Which of the day it is.
const fn slot(second: u64) -> usize {
    (second / SLOT) as usize % SLOTS
}

fn middle(days: &VecDeque<f64>) -> f64 {
    let mut days: Vec<f64> = days.iter().copied().collect();
    days.sort_unstable_by(f64::total_cmp);
    days[(days.len() - 1) / 2].midpoint(days[days.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: u64 = 3600;

    /// 1000 play all day long, and from 9 to 10 another 2 come each second: on all days but those.
    fn days(days: u64, quiet: &[u64]) -> Season {
        let mut season = Season::default();
        for second in 0..days * 24 * HOUR {
            let (day, hour) = (second / (24 * HOUR), second % (24 * HOUR) / HOUR);
            season.look(Timestamp::from_secs(second), 1000);
            season.count(if hour == 9 && !quiet.contains(&day) { 2.0 } else { 0.0 }, SECOND);
        }
        season
    }

    /// What it expects at that second of the day that follows, with so many players.
    fn rise_at(season: &mut Season, second: u64, players: u32) -> f64 {
        let day = season.now.second.next_multiple_of(24 * HOUR);
        season.look(Timestamp::from_secs(day + second), players);
        season.rise(Duration::from_secs(240), 0.0)
    }

    #[test]
    fn what_comes_each_day_is_expected_a_launch_before_it_comes() {
        for (second, players, rise) in [
            (9 * HOUR - 241, 1000, 0.0),
            (9 * HOUR - 240, 1000, 2.0),
            (9 * HOUR + 1800, 1000, 2.0),
            (10 * HOUR - 1, 1000, 2.0),
            (10 * HOUR, 1000, 0.0),
            (9 * HOUR, 3000, 6.0),
            (9 * HOUR, 0, 0.0),
        ] {
            let expected = rise_at(&mut days(3, &[]), second, players);
            assert!((expected - rise).abs() < 1e-9, "{expected} at {second} with {players}");
        }
    }

    #[test]
    fn what_came_once_is_no_habit_and_what_did_not_come_once_is_still_one() {
        for (seen, quiet, rise) in
            [(2, &[][..], 0.0), (5, &[0, 1, 2, 3], 0.0), (5, &[4], 2.0), (9, &[4, 5, 6, 7, 8], 0.0)]
        {
            let expected = rise_at(&mut days(seen, quiet), 9 * HOUR, 1000);
            assert!((expected - rise).abs() < 1e-9, "{expected} after {seen} days, quiet on {quiet:?}");
        }
    }

    #[test]
    fn what_may_be_chance_is_not_expected() {
        let mut season = days(4, &[]);
        assert!((rise_at(&mut season, 9 * HOUR, 1000) - 2.0).abs() < 1e-9);
        // Two deviations of the middle one of four counts of 600 s each: 2 × sqrt(π / 2 × 600 / 2400).
        let rise = season.rise(SECOND, 600.0);
        assert!((rise - (2.0 - 1.2533)).abs() < 1e-4, "{rise}");
        assert!(season.rise(SECOND, 6000.0) == 0.0);
    }

    #[test]
    fn a_slot_that_was_hardly_seen_tells_nothing() {
        let mut season = Season::default();
        for day in 0..5 {
            let begin = day * 24 * HOUR + 9 * HOUR + 400;
            for second in begin..begin + 300 {
                season.look(Timestamp::from_secs(second), 1000);
                season.count(5.0, SECOND);
            }
        }
        assert!(rise_at(&mut season, 9 * HOUR, 1000) == 0.0);
    }
}
