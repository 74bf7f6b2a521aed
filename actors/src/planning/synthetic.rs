//! A made-up trace: days with an evening, weekends, crowds, and an outage after which everybody comes back at once.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Poisson};
use rand_pcg::Pcg64Mcg;

use super::demand::Trace;
use super::sessions::Sessions;

/// Players are counted by the minute.
const STEP: u32 = 60;

/// In how many minutes of a day a crowd begins to come, on average.
const CROWDS_A_DAY: f64 = 1.5;

/// How long a crowd takes to ebb away: after so many minutes, a third of it still comes.
const CROWD_EBBS: f64 = 20.0;

/// How long nobody can log in, in minutes, and in how many of them all who could not then do.
const OUTAGE: u32 = 30;
const RUSH: u32 = 3;

/// What is made up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Synthetic {
    /// Players at once on an average evening.
    pub players: u32,
    /// How many days.
    pub days: u32,
    /// The same seed makes the same trace.
    pub seed: u64,
}

impl Synthetic {
    /// The trace, of players who stay so long.
    pub fn trace(&self, sessions: &Sessions) -> Trace {
        let mut rng = Pcg64Mcg::seed_from_u64(self.seed);
        let minutes = self.days * 24 * 60;
        let evening = f64::from(self.players) / sessions.mean().as_secs_f64() * f64::from(STEP);
        let outage = self.outage();
        let (mut crowd, mut waiting) = (0.0, 0);
        let points = (0..minutes).map(|minute| {
            if rng.random::<f64>() < CROWDS_A_DAY / (24.0 * 60.0) {
                crowd += rng.random_range(0.3..1.5);
            }
            let mean = evening * shape(minute) * (1.0 + crowd);
            crowd *= (-1.0 / CROWD_EBBS).exp();
            let come = Poisson::new(mean.max(f64::MIN_POSITIVE)).map_or(0, |come| come.sample(&mut rng) as u32);
            let since = minute.checked_sub(outage);
            let come = match since {
                Some(0..OUTAGE) => {
                    waiting += come;
                    0
                }
                Some(since) if since < OUTAGE + RUSH => {
                    let now = waiting / (OUTAGE + RUSH - since);
                    waiting -= now;
                    come + now
                }
                _ => come,
            };
            (minute * STEP, come)
        });
        Trace::Arrivals(points.collect())
    }

    /// When the outage begins, in minutes: on the middle day, before its evening.
    const fn outage(&self) -> u32 {
        (self.days / 2) * 24 * 60 + 18 * 60
    }

    /// What is in it, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let day = self.days / 2 + 1;
        vec![format!(
            "{} days from a Monday on, {} players on an average evening; on day {day} nobody can log in from 18:00 to 18:{OUTAGE}, \
             and then all of them within {RUSH} minutes",
            self.days, self.players
        )]
    }
}

/// How many come in a minute, against an average evening: fewest at 06:00, most at 20:00, and more at weekends.
fn shape(minute: u32) -> f64 {
    let hour = f64::from(minute % (24 * 60)) / 60.0;
    let day = minute / (24 * 60) % 7;
    let daily = 0.13_f64.mul_add(((hour - 22.0) * 2.0 / 24.0 * TAU).cos(), 0.37 * ((hour - 19.0) / 24.0 * TAU).cos());
    let weekend = if day >= 5 { 1.25 } else { 1.0 };
    (0.55 + daily) * weekend
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(seed: u64) -> Vec<(u32, u32)> {
        let made_up = Synthetic { players: 1000, days: 7, seed };
        match made_up.trace(&Sessions::COUNTER_STRIKE) {
            Trace::Arrivals(points) => points,
            Trace::Concurrent(_) => unreachable!("arrivals are made up"),
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_trace() {
        assert_eq!(arrivals(1), arrivals(1));
        assert_ne!(arrivals(1), arrivals(2));
    }

    #[test]
    fn evenings_are_fuller_than_mornings_and_weekends_than_weekdays() {
        let points = arrivals(3);
        let hour = |day: usize, hour: usize| -> u32 {
            points[(day * 24 + hour) * 60..][..60].iter().map(|(_, come)| come).sum()
        };
        let sum = |days: &[usize], at| days.iter().map(|day| hour(*day, at)).sum::<u32>() / days.len() as u32;
        assert!(sum(&[0, 1, 2, 4], 20) > 3 * sum(&[0, 1, 2, 4], 6));
        assert!(sum(&[5, 6], 20) > sum(&[0, 1, 2, 4], 20));
        // A thousand who stay for 40 minutes.
        assert!((1000..2200).contains(&sum(&[0, 1, 2, 4], 20)), "{}", sum(&[0, 1, 2, 4], 20));
    }

    #[test]
    fn after_the_outage_all_come_who_could_not() {
        let made_up = Synthetic { players: 1000, days: 7, seed: 4 };
        let points = arrivals(4);
        let from = made_up.outage() as usize;
        let sum = |from: usize, to: usize| points[from..to].iter().map(|(_, come)| come).sum::<u32>();
        assert_eq!(sum(from, from + 30), 0);
        assert!(sum(from + 30, from + 33) > 5 * sum(from - 33, from - 30).max(30));
    }
}
