//! How often something may be asked for: so many times at once, and after that once in an interval.

use std::time::Duration;

use super::time::Timestamp;

/// A token bucket, kept as the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    burst: u32,
    interval: Duration,
    full_at: Timestamp,
}

impl Allowance {
    /// A full one.
    pub(super) const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, full_at: Timestamp::from_micros(0) }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let full_at = self.full_at.max(now);
        let is_left = full_at.since(now) + self.interval <= self.interval * self.burst;
        if is_left {
            self.full_at = full_at + self.interval;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_one_in_each_interval() {
        let mut allowance = Allowance::new(3, Duration::from_secs(2));
        let mut taken = |at: u64| (0..5).filter(|_| allowance.take(Timestamp::from_secs(1000 + at))).count();
        assert_eq!([0, 1, 2, 3, 4, 20].map(&mut taken), [3, 0, 1, 0, 1, 3]);
    }
}
