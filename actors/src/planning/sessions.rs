//! How long players stay.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, Gamma};

/// The distribution of session lengths.
#[derive(Clone, PartialEq, Debug)]
pub enum Sessions {
    /// Weibull's. With a shape below 1 whoever has stayed long is likely to stay longer: most games are like that.
    Weibull {
        /// Its shape.
        shape: f64,
        /// Its scale: 63 % are over by then.
        scale: Duration,
    },
    /// All the same.
    Fixed(Duration),
    /// As they were seen.
    Seen(Seen),
}

/// Lengths that were seen: each is as likely as it was frequent.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Ascending, each once.
    lengths: Arc<[Length]>,
}

/// A length, in seconds, and how much there is of it and of all shorter ones.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Length {
    seconds: u32,
    /// Players.
    players: u64,
    /// Seconds of all of them together.
    sum: f64,
}

impl Seen {
    /// So many players stayed for so many seconds, each. None if nobody did.
    pub fn of(mut stays: Vec<(u32, u32)>) -> Option<Self> {
        stays.retain(|(seconds, players)| *seconds > 0 && *players > 0);
        stays.sort_unstable();
        let mut lengths: Vec<Length> = Vec::new();
        for (seconds, players) in stays {
            let before = lengths.last().copied().unwrap_or(Length { seconds: 0, players: 0, sum: 0.0 });
            if before.seconds == seconds {
                lengths.pop();
            }
            let sum = f64::from(players).mul_add(f64::from(seconds), before.sum);
            lengths.push(Length { seconds, players: before.players + u64::from(players), sum });
        }
        (!lengths.is_empty()).then(|| Self { lengths: lengths.into() })
    }

    /// All of them together.
    fn all(&self) -> Length {
        self.lengths.last().copied().unwrap_or(Length { seconds: 1, players: 1, sum: 1.0 })
    }

    fn first(&self, is_short: impl Fn(&Length) -> bool) -> Length {
        self.lengths.get(self.lengths.partition_point(is_short)).copied().unwrap_or_else(|| self.all())
    }
}

impl Sessions {
    /// Counter-Strike's, of some 16,000 sessions of one week (Chambers et al., "Measurement-based characterization of a
    /// collection of on-line games", IMC 2005): 40 minutes on average, and half of them below 10.
    pub const COUNTER_STRIKE: Self = Self::Weibull { shape: 0.5, scale: Duration::from_secs(20 * 60) };

    /// Exponential, with this mean: how long somebody has stayed tells nothing.
    pub const fn exponential(mean: Duration) -> Self {
        Self::Weibull { shape: 1.0, scale: mean }
    }

    /// How long players stay on average.
    pub fn mean(&self) -> Duration {
        match self {
            Self::Weibull { shape, scale } => scale.mul_f64(statrs::function::gamma::gamma(1.0 + 1.0 / shape)),
            Self::Fixed(length) => *length,
            Self::Seen(seen) => Duration::from_secs_f64(seen.all().sum / seen.all().players as f64),
        }
    }

    /// How long somebody stays who comes now, in whole seconds and one at least.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> u32 {
        match self {
            Self::Weibull { shape, scale } => {
                let unit: f64 = Exp1.sample(rng);
                whole(scale.as_secs_f64() * raised(unit, 1.0 / shape))
            }
            Self::Fixed(length) => whole(length.as_secs_f64()),
            Self::Seen(seen) => {
                let player = rng.random_range(0..seen.all().players);
                seen.first(|length| length.players <= player).seconds
            }
        }
    }

    /// How much longer somebody stays who is found there: who stays long is found more often.
    pub(super) fn sample_rest(&self, rng: &mut impl Rng) -> u32 {
        match self {
            // Of the lengths' density in equilibrium, S(x) / mean, (x / scale)^shape has a gamma distribution.
            Self::Weibull { shape, scale } => {
                let unit = Gamma::new(1.0 / shape, 1.0).map_or(0.0, |gamma| gamma.sample(rng));
                whole(scale.as_secs_f64() * raised(unit, 1.0 / shape))
            }
            Self::Fixed(length) => whole(length.as_secs_f64() * rng.random::<f64>()),
            Self::Seen(seen) => {
                let second = rng.random::<f64>() * seen.all().sum;
                whole(f64::from(seen.first(|length| length.sum <= second).seconds) * rng.random::<f64>())
            }
        }
    }

    /// The share of those who came `seconds` ago that is still there.
    pub(super) fn surviving(&self, seconds: f64) -> f64 {
        match self {
            Self::Weibull { shape, scale } => (-(seconds / scale.as_secs_f64()).powf(*shape)).exp(),
            Self::Fixed(length) => f64::from(u8::from(seconds < length.as_secs_f64())),
            Self::Seen(seen) => {
                let gone = seen.lengths.partition_point(|length| f64::from(length.seconds) <= seconds);
                let gone = gone.checked_sub(1).map_or(0, |last| seen.lengths[last].players);
                1.0 - gone as f64 / seen.all().players as f64
            }
        }
    }
}

/// The usual exponents cost a tenth of others.
fn raised(base: f64, exponent: f64) -> f64 {
    if exponent == 2.0 {
        base * base
    } else if exponent == 1.0 {
        base
    } else {
        base.powf(exponent)
    }
}

fn whole(seconds: f64) -> u32 {
    // What is longer than a century ends with it.
    seconds.ceil().clamp(1.0, 3e9) as u32
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn lengths_that_were_seen_come_again_as_often() {
        let seen = Seen::of(vec![(600, 1), (60, 2), (600, 0), (0, 7), (60, 1)]).expect("some");
        let sessions = Sessions::Seen(seen);
        assert_eq!(sessions.mean(), Duration::from_secs(195));
        assert_eq!([0.0, 59.0, 60.0, 599.0, 600.0].map(|at| sessions.surviving(at)), [1.0, 1.0, 0.25, 0.25, 0.0]);
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let long = (0..10_000).filter(|_| sessions.sample(&mut rng) == 600).count();
        assert!((2300..2700).contains(&long), "{long}");
        // Of the players found there 600 of 780 stay long, and half of their time is over: 231 + 7 seconds.
        let rest: u64 = (0..10_000).map(|_| u64::from(sessions.sample_rest(&mut rng))).sum();
        assert!((2_280_000..2_480_000).contains(&rest), "{rest}");
        assert_eq!(Seen::of(vec![(0, 5)]), None);
    }
}
