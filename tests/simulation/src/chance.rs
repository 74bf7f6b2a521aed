//! Where everything that could have been otherwise comes from: one generator, begun from the seed.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Exp, LogNormal, Weibull};
use rand_pcg::Pcg64Mcg;

/// Chance, the same for the same seed.
#[derive(Debug)]
pub struct Chance(Pcg64Mcg);

impl Chance {
    /// One of the streams that a seed has: what a scenario is drawn from does not disturb what happens in it.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream))
    }

    /// Whether something of that probability (0 to 1) happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.fraction() < probability
    }

    /// From 0 up to, not including, 1.
    pub fn fraction(&mut self) -> f64 {
        self.0.random()
    }

    /// From `least` to `most`, both included.
    pub fn number(&mut self, least: u32, most: u32) -> u32 {
        self.0.random_range(least..=most.max(least))
    }

    /// From `least` to `most`, in milliseconds: the runtime's timers know nothing finer.
    pub fn span(&mut self, least: Duration, most: Duration) -> Duration {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.0.random_range(millis(least)..=millis(most).max(millis(least))))
    }

    /// From `least` to `most` seconds.
    pub fn seconds(&mut self, least: f64, most: f64) -> Duration {
        self.span(Duration::from_secs_f64(least), Duration::from_secs_f64(most))
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())].clone()
    }

    /// One of them; none of none.
    pub fn pick_any<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(self.pick(of)) }
    }

    /// The pause between two of those that come `per_second` on average, each for itself.
    pub fn pause(&mut self, per_second: f64) -> Duration {
        self.drawn(Exp::new(per_second.max(1e-6)), 7.0 * 86_400.0)
    }

    /// How long a machine takes: most near the median, some much longer.
    pub fn skewed(&mut self, median_seconds: f64, spread: f64) -> Duration {
        self.drawn(LogNormal::new(median_seconds.max(0.001).ln(), spread), 6.0 * 3600.0)
    }

    /// How long a player stays. Weibull, shape 0.5 and scale 20 minutes: Chambers et al., "Measurement-based
    /// Characterization of a Collection of On-line Games", IMC 2005, on sessions of Counter-Strike.
    pub fn session(&mut self) -> Duration {
        self.drawn(Weibull::new(20.0 * 60.0, 0.5), 12.0 * 3600.0)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn drawn<D: Distribution<f64>, E: std::fmt::Debug>(&mut self, from: Result<D, E>, most: f64) -> Duration {
        let seconds = from.expect("parameters are constants, or were kept above zero").sample(&mut self.0);
        Duration::from_millis((seconds.clamp(0.0, most) * 1000.0) as u64)
    }
}
