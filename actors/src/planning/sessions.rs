//! How long players stay.

use std::time::Duration;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, Gamma};

/// The distribution of session lengths.
#[derive(Clone, Copy, PartialEq, Debug)]
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
        match *self {
            Self::Weibull { shape, scale } => scale.mul_f64(statrs::function::gamma::gamma(1.0 + 1.0 / shape)),
            Self::Fixed(length) => length,
        }
    }

    /// How long somebody stays who comes now, in whole seconds and one at least.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> u32 {
        match *self {
            Self::Weibull { shape, scale } => {
                let unit: f64 = Exp1.sample(rng);
                whole(scale.as_secs_f64() * raised(unit, 1.0 / shape))
            }
            Self::Fixed(length) => whole(length.as_secs_f64()),
        }
    }

    /// How much longer somebody stays who is found there: who stays long is found more often.
    pub(super) fn sample_rest(&self, rng: &mut impl Rng) -> u32 {
        match *self {
            // Of the lengths' density in equilibrium, S(x) / mean, (x / scale)^shape has a gamma distribution.
            Self::Weibull { shape, scale } => {
                let unit = Gamma::new(1.0 / shape, 1.0).map_or(0.0, |gamma| gamma.sample(rng));
                whole(scale.as_secs_f64() * raised(unit, 1.0 / shape))
            }
            Self::Fixed(length) => whole(length.as_secs_f64() * rng.random::<f64>()),
        }
    }

    /// The share of those who came `seconds` ago that is still there.
    pub(super) fn surviving(&self, seconds: f64) -> f64 {
        match *self {
            Self::Weibull { shape, scale } => (-(seconds / scale.as_secs_f64()).powf(shape)).exp(),
            Self::Fixed(length) => f64::from(u8::from(seconds < length.as_secs_f64())),
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
