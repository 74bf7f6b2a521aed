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

/// With more players than then, more come: so many times more at most.
const MOST_TIMES: f64 = 2.0;

/// So many standard deviations of what was seen may be chance.
const CHANCE: f64 = 2.0;

/// What was seen, by the time of day in UTC.
#[derive(Clone, Debug, Default)]
pub(super) struct Season {
    /// Each slot of the day, on the last days.
    slots: Vec<VecDeque<Seen>>,
    now: Now,
}

/// What was seen in a slot.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// How many more came than left, a second.
    growth: f64,
    /// Players when it began.
    players: u32,
}

impl Seen {
    /// The same with so many players when it begins, each with the one who is the first where nobody plays. Where nearly nobody
    /// played, those who came came from elsewhere: they are no hundred times as many for a hundred players instead of one.
    fn with(self, players: u32) -> f64 {
        let one_more = |players: u32| f64::from(players) + 1.0;
        self.growth * (one_more(players) / one_more(self.players)).min(MOST_TIMES)
    }
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
        if seen < SEEN {
            return;
        }
        self.slots.resize_with(SLOTS, VecDeque::new);
        let days = &mut self.slots[slot(second)];
        days.truncate(DAYS - 1);
        days.push_front(Seen { growth: growth / seen.as_secs_f64(), players: players_before });
    }

    /// How many more are to come than leave by some time within `ahead`, as they did at that time of the last days; less what may be
    /// chance, where players come and leave with the variance of so many a second. None below 0.
    pub(super) fn rise(&self, ahead: Duration, variance: f64) -> f64 {
        let Now { second, players, players_before, .. } = self.now;
        let (from, to) = (second, second + ahead.as_secs());
        let (mut rise, mut most) = (0.0, 0.0_f64);
        for number in (from / SLOT..=to / SLOT).take(SLOTS) {
            let Some(days) = self.slots.get(slot(number * SLOT)).filter(|days| days.len() >= ENOUGH) else { continue };
            let players = if number == from / SLOT { players_before } else { players };
            // The middle one of n has π / 2 times the variance of their mean.
            let chance = CHANCE * (FRAC_PI_2 * variance / (SLOT as f64 * days.len() as f64)).sqrt();
            let seconds = to.min((number + 1) * SLOT) - from.max(number * SLOT);
            rise += (middle(days, players) - chance) * seconds as f64;
            most = most.max(rise);
        }
        most
    }
}

/// Which of the day it is.
const fn slot(second: u64) -> usize {
    (second / SLOT) as usize % SLOTS
}

fn middle(days: &VecDeque<Seen>, players: u32) -> f64 {
    let mut days: Vec<f64> = days.iter().map(|seen| seen.with(players)).collect();
    days.sort_unstable_by(f64::total_cmp);
    days[(days.len() - 1) / 2].midpoint(days[days.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: u64 = 3600;

    /// Each day 1000 play, and from 9 to 10 another 2 come each second: on all days but those. At night all leave.
    fn days(days: u64, quiet: &[u64]) -> Season {
        let (mut season, mut players) = (Season::default(), 1000.0);
        for second in 0..days * 24 * HOUR {
            let (day, hour) = (second / (24 * HOUR), second % (24 * HOUR) / HOUR);
            let growth = match hour {
                9 if !quiet.contains(&day) => 2.0,
                22 if !quiet.contains(&day) => -2.0,
                _ => 0.0,
            };
            season.count(growth, SECOND);
            season.look(Timestamp::from_secs(second), players as u32);
            players += growth;
        }
        season
    }

    /// What it expects within four minutes of that second of the day that follows, when so many play.
    fn rise_at(season: &mut Season, second: u64, players: u32) -> f64 {
        let day = season.now.second.next_multiple_of(24 * HOUR);
        // The slot has begun with as many.
        season.look(Timestamp::from_secs(day + second / SLOT * SLOT - 1), players);
        season.look(Timestamp::from_secs(day + second), players);
        season.rise(Duration::from_secs(240), 0.0)
    }

    #[test]
    fn what_comes_each_day_is_expected_a_launch_before_it_comes() {
        for (second, players, rise) in [
            (9 * HOUR - 240, 1000, 0.0),
            (9 * HOUR - 100, 1000, 280.0),
            (9 * HOUR + 10, 1000, 480.0),
            (10 * HOUR - 100, 7000, 200.0),
            (10 * HOUR, 8200, 0.0),
            (9 * HOUR, 500, 240.0),
            (9 * HOUR, 9000, 960.0),
            (9 * HOUR, 0, 0.0),
        ] {
            let expected = rise_at(&mut days(3, &[]), second, players);
            assert!((expected - rise).abs() <= 1.0 + 0.02 * rise, "{expected} at {second} with {players}");
        }
    }

    #[test]
    fn what_came_once_is_no_habit_and_what_did_not_come_once_is_still_one() {
        for (seen, quiet, rise) in
            [(2, &[][..], 0.0), (5, &[0, 1, 2, 3], 0.0), (5, &[4], 480.0), (9, &[4, 5, 6, 7, 8], 0.0)]
        {
            let expected = rise_at(&mut days(seen, quiet), 9 * HOUR, 1000);
            assert!((expected - rise).abs() <= 1.0 + 0.02 * rise, "{expected} after {seen} days, quiet on {quiet:?}");
        }
    }

    #[test]
    fn all_who_come_back_at_once_each_night_are_expected_once() {
        // A restart each night: 2000 players come back within ten minutes to the ten who are there.
        let mut season = Season::default();
        let mut worst = 0.0_f64;
        for second in 0..6 * 24 * HOUR {
            let within = second % (24 * HOUR);
            let coming = (4 * HOUR..4 * HOUR + 600).contains(&within);
            let players = match within.saturating_sub(4 * HOUR) {
                0 => 10,
                since if since < 600 => 10 + since as u32 * 199 / 60,
                since if since < 20 * HOUR - 1800 => 2000,
                _ => 10,
            };
            season.count(if coming { 1990.0 / 600.0 } else { 0.0 }, SECOND);
            season.look(Timestamp::from_secs(second), players);
            worst = worst.max(season.rise(Duration::from_secs(240), 0.0));
        }
        assert!((700.0..1700.0).contains(&worst), "{worst}");
    }

    #[test]
    fn a_fleet_that_is_empty_at_night_knows_its_morning() {
        let mut season = Season::default();
        for second in 0..3 * 24 * HOUR {
            let open = second % (24 * HOUR) / HOUR == 9;
            season.count(if open { 0.1 } else { 0.0 }, SECOND);
            // The first has come a little later.
            season.look(Timestamp::from_secs(second), u32::from(open && second % HOUR > 5));
        }
        let rise = rise_at(&mut season, 9 * HOUR - 120, 0);
        assert!((11.0..13.0).contains(&rise), "{rise}");
    }

    #[test]
    fn what_may_be_chance_is_not_expected() {
        let mut season = days(4, &[]);
        let rise = rise_at(&mut season, 9 * HOUR, 1000);
        assert!((rise - 480.0).abs() < 5.0, "{rise}");
        // Two deviations of the middle one of four counts of 600 s each: 2 × sqrt(π / 2 × 600 / 2400), a second.
        let with_chance = season.rise(Duration::from_secs(240), 600.0);
        assert!((rise - with_chance - 240.0 * 1.2533).abs() < 0.1, "{with_chance}");
        assert!(season.rise(Duration::from_secs(240), 6000.0) == 0.0);
    }

    #[test]
    fn a_slot_that_was_hardly_seen_tells_nothing() {
        let mut season = Season::default();
        for day in 0..5 {
            let begin = day * 24 * HOUR + 9 * HOUR + 400;
            for second in begin..begin + 300 {
                season.count(5.0, SECOND);
                season.look(Timestamp::from_secs(second), 1000);
            }
        }
        assert!(rise_at(&mut season, 9 * HOUR, 1000) == 0.0);
    }
}
