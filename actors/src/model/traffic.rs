//! How fast players come and go, as a margin has to know it: estimated from what was counted, second by second.

use std::time::Duration;

use super::season::Season;
use super::time::Timestamp;

/// How long something that was counted is remembered: after so long, a third of it is left. Short enough to follow an
/// evening's rise, or, where few come and go, long enough not to take chance for one.
const SHORT_MEMORY: Duration = Duration::from_secs(300);
const LONG_MEMORY: Duration = Duration::from_secs(3600);

/// From so many players in the short memory on, it alone counts.
const ENOUGH: f64 = 1500.0;

/// The same for how unevenly players come, which changes less and takes longer to be seen.
const DISPERSION_MEMORY: Duration = Duration::from_secs(3600);

/// So many arrivals that are as even as chance are taken for seen before any were: few say nothing of how unevenly they come.
const PRIOR: f64 = 30.0;

/// Players are counted in bins of so long for how unevenly they come.
const BIN: Duration = Duration::from_secs(10);

/// Players who come and go.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    arrivals: Rate,
    departures: Rate,
    bin: Bin,
    season: Season,
    seen_for: Duration,
}

/// How often something happens, by a short and by a long memory.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    short: Mean,
    long: Mean,
}

impl Rate {
    fn add(&mut self, number: u32, span: Duration) {
        self.short.add(number.into(), span, SHORT_MEMORY);
        self.long.add(number.into(), span, LONG_MEMORY);
    }

    /// The more the short memory has to go by, the more it counts.
    fn mixed(self, short: f64) -> f64 {
        short.mul_add(self.short.rate(), (1.0 - short) * self.long.rate())
    }
}

/// A mean of the last time, in which what is older counts less.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, span: Duration, memory: Duration) {
        let kept = (-span.as_secs_f64() / memory.as_secs_f64()).exp();
        self.sum = self.sum.mul_add(kept, value);
        self.weight = self.weight.mul_add(kept, span.as_secs_f64());
    }

    fn rate(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

/// The bin that is being filled, and what those before it came to.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    span: Duration,
    arrivals: u32,
    /// Arrivals a second when it began: those in it do not tell what was expected of it.
    rate: f64,
    /// Squared distances from what was expected, and what was expected.
    squares: Mean,
    expected: Mean,
}

impl Traffic {
    /// It is now, and so many play.
    pub fn look(&mut self, now: Timestamp, players: u32) {
        self.season.look(now, players);
    }

    /// So many came and went in the last `span`.
    pub fn count(&mut self, arrivals: u32, departures: u32, span: Duration) {
        self.bin.arrivals += arrivals;
        self.bin.span += span;
        if self.bin.span >= BIN {
            let expected = self.bin.rate * self.bin.span.as_secs_f64();
            let distance = f64::from(self.bin.arrivals) - expected;
            // Of the first nothing was expected, as nothing was known.
            if self.seen_for >= BIN {
                self.bin.squares.add(distance * distance, self.bin.span, DISPERSION_MEMORY);
                self.bin.expected.add(expected, self.bin.span, DISPERSION_MEMORY);
            }
            (self.bin.span, self.bin.arrivals, self.bin.rate) = (Duration::ZERO, 0, self.arrivals());
        }
        self.arrivals.add(arrivals, span);
        self.departures.add(departures, span);
        self.season.count(f64::from(arrivals) - f64::from(departures), span);
        self.seen_for = self.seen_for.saturating_add(span);
    }

    /// Players who come, a second.
    pub fn arrivals(&self) -> f64 {
        self.arrivals.mixed(self.short())
    }

    /// Players who leave, a second.
    pub fn departures(&self) -> f64 {
        self.departures.mixed(self.short())
    }

    /// How many more are to come than leave within `ahead`: as it is now, or as it was at that time on the last days, whichever is
    /// more. What may be chance is no rise: of what the memories tell a standard deviation is left out. None below 0.
    pub fn rise(&self, ahead: Duration) -> f64 {
        let short = self.short();
        let of_each = short.powi(2) * self.covariance(SHORT_MEMORY, SHORT_MEMORY)
            + (1.0 - short).powi(2) * self.covariance(LONG_MEMORY, LONG_MEMORY)
            + 2.0 * short * (1.0 - short) * self.covariance(SHORT_MEMORY, LONG_MEMORY);
        let now = self.arrivals() - self.departures() - (self.variance() * of_each).sqrt();
        self.season.rise(ahead, self.variance()).max(now * ahead.as_secs_f64())
    }

    /// Of how many more come than leave, in a second.
    pub fn variance(&self) -> f64 {
        self.dispersion() * (self.arrivals() + self.departures())
    }

    /// With which two memories, of T and of U, tell how often something happens that happens once a second by chance:
    /// `(1 - x y) / ((T + U) (1 - x) (1 - y))`, where `x` and `y` are left of what is as old as all that was seen.
    fn covariance(&self, one: Duration, other: Duration) -> f64 {
        let left = |memory: Duration| (-self.seen_for.as_secs_f64() / memory.as_secs_f64()).exp();
        let (x, y) = (left(one), left(other));
        (1.0 - x * y) / ((one + other).as_secs_f64() * (1.0 - x) * (1.0 - y))
    }

    /// How much the short memory counts.
    fn short(&self) -> f64 {
        let of = |mean: fn(Rate) -> Mean| mean(self.arrivals).rate() + mean(self.departures).rate();
        // Where many come of a sudden only the short one knows it, where many have left only the long one.
        let players = of(|rate| rate.short).max(of(|rate| rate.long)) * SHORT_MEMORY.as_secs_f64();
        (players / ENOUGH).min(1.0)
    }

    /// The variance of arrivals over their mean, 1 at least: players who know nothing of each other come so.
    pub fn dispersion(&self) -> f64 {
        ((self.bin.squares.sum + PRIOR) / (self.bin.expected.sum + PRIOR)).max(1.0)
    }

    /// How long it was counted.
    pub const fn seen_for(&self) -> Duration {
        self.seen_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_player_after_a_day_without_any_is_no_crowd() {
        for second in 0..20 {
            let mut traffic = Traffic::default();
            (0..43_200)
                .for_each(|second| traffic.count(u32::from(second % 10 == 0), u32::from(second % 10 == 5), SECOND));
            (0..86_400).for_each(|_| traffic.count(0, 0, SECOND));
            (0..30).for_each(|now| traffic.count(u32::from(now == second), 0, SECOND));
            assert!(traffic.dispersion() < 1.5, "{} in second {second}", traffic.dispersion());
        }
    }

    #[test]
    fn of_many_the_rates_follow_within_minutes_and_of_few_within_hours() {
        for (many, minutes) in [(30, 30), (1, 600)] {
            let mut traffic = Traffic::default();
            (0..3600).for_each(|_| traffic.count(3 * many, many, SECOND));
            let (arrivals, departures) = (f64::from(3 * many), f64::from(many));
            assert!((traffic.arrivals() - arrivals).abs() < 1e-9 && (traffic.departures() - departures).abs() < 1e-9);
            (0..minutes * 60).for_each(|_| traffic.count(0, 2 * many, SECOND));
            assert!(traffic.arrivals() < 0.01 * arrivals && traffic.departures() > 1.99 * departures, "{traffic:?}");
        }
    }

    #[test]
    fn a_rush_after_a_quiet_time_is_believed_within_minutes() {
        let mut traffic = Traffic::default();
        (0..7200).for_each(|second| traffic.count(u32::from(second % 50 == 0), 0, SECOND));
        (0..300).for_each(|_| traffic.count(3, 0, SECOND));
        assert!(traffic.arrivals() > 0.8, "{}", traffic.arrivals());
    }

    #[test]
    fn a_manager_that_starts_under_load_takes_no_one_for_a_crowd() {
        let mut traffic = Traffic::default();
        (0..600).for_each(|_| traffic.count(20, 0, SECOND));
        assert!(traffic.dispersion() < 1.1, "{}", traffic.dispersion());
    }

    #[test]
    fn few_are_not_taken_for_a_rise_by_chance() {
        // Ten come at once every ten minutes, and leave one by one.
        let mut traffic = Traffic::default();
        let mut most = 0.0_f64;
        for second in 0..36_000 {
            traffic.count(if second % 600 == 0 { 10 } else { 0 }, u32::from(second % 60 == 30), SECOND);
            if second > 7200 {
                most = most.max(traffic.rise(SECOND));
            }
        }
        assert!(most < 0.1 * traffic.departures(), "{most}");
    }

    #[test]
    fn many_who_come_are_taken_for_a_rise_but_for_what_may_be_chance() {
        for (every, rise) in [(1, 0.85..0.95), (50, 0.005..0.016)] {
            let mut traffic = Traffic::default();
            (0..7200).for_each(|second| traffic.count(2 * u32::from(second % every == 0), 0, SECOND));
            (0..7200).for_each(|second| traffic.count(0, u32::from(second % every == 0), SECOND));
            assert!(traffic.rise(SECOND) == 0.0, "{traffic:?}");
            (0..7200).for_each(|second| {
                let now = u32::from(second % every == 0);
                traffic.count(2 * now, now, SECOND);
            });
            assert!(rise.contains(&traffic.rise(SECOND)), "{}", traffic.rise(SECOND));
        }
    }
}
