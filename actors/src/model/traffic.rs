//! How fast players come and go, as a margin has to know it: estimated from what was counted, second by second.

use std::time::Duration;

/// How long something that was counted is remembered: after so long, a third of it is left. Short enough to follow an
/// evening's rise, long enough that a fleet of a hundred players does not take chance for one.
const MEMORY: Duration = Duration::from_secs(300);

/// The same for how unevenly players come, which changes less and takes longer to be seen.
const DISPERSION_MEMORY: Duration = Duration::from_secs(3600);

/// Players are counted in bins of so long for how unevenly they come.
const BIN: Duration = Duration::from_secs(10);

/// Players who come and go.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    arrivals: Mean,
    departures: Mean,
    bin: Bin,
    seen_for: Duration,
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
    /// Squared distances from what was expected, and what was expected.
    squares: Mean,
    expected: Mean,
}

impl Traffic {
    /// So many came and went in the last `span`.
    pub fn count(&mut self, arrivals: u32, departures: u32, span: Duration) {
        self.bin.arrivals += arrivals;
        self.bin.span += span;
        if self.bin.span >= BIN {
            let expected = self.arrivals.rate() * self.bin.span.as_secs_f64();
            if expected > 0.0 {
                let distance = f64::from(self.bin.arrivals) - expected;
                self.bin.squares.add(distance * distance, self.bin.span, DISPERSION_MEMORY);
                self.bin.expected.add(expected, self.bin.span, DISPERSION_MEMORY);
            }
            (self.bin.span, self.bin.arrivals) = (Duration::ZERO, 0);
        }
        self.arrivals.add(f64::from(arrivals), span, MEMORY);
        self.departures.add(f64::from(departures), span, MEMORY);
        self.seen_for = self.seen_for.saturating_add(span);
    }

    /// Players who come, a second.
    pub fn arrivals(&self) -> f64 {
        self.arrivals.rate()
    }

    /// Players who leave, a second.
    pub fn departures(&self) -> f64 {
        self.departures.rate()
    }

    /// The variance of arrivals over their mean, 1 at least: players who know nothing of each other come so.
    pub fn dispersion(&self) -> f64 {
        let expected = self.bin.expected.sum;
        if expected > 0.0 { (self.bin.squares.sum / expected).max(1.0) } else { 1.0 }
    }

    /// How long it was counted.
    pub const fn seen_for(&self) -> Duration {
        self.seen_for
    }
}
