//! How often AWS may be asked to change something: token buckets as AWS keeps them for an account in a region, one for
//! each group of calls. What reads has its pace from the looks at the fleet, which are made less often when AWS throttles.
//!
//! A call waits for its token here, where that costs nothing, and not for a refusal. A call that AWS throttles all the
//! same (somebody else in the account calls too) empties the bucket: until it has filled again, calls go out no faster
//! than it fills. The SDK's own adaptive retries do less: they have one rate for all the calls of a service, so that a
//! throttled launch would slow down the looks at the fleet as well.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actors::ports::CloudError;
use tokio::time::{Instant, sleep_until};

use crate::metrics::{self, Metrics};

/// A bucket, kept as the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371).
pub(super) struct Budget {
    burst: u32,
    interval: Duration,
    full_at: Mutex<Option<Instant>>,
    /// Where it is told how long calls wait.
    told: Option<(Metrics, metrics::Budget)>,
}

/// Calls that have the same bucket in AWS. Sizes and rates: "Request throttling for the Amazon EC2 API" (EC2 Developer
/// Guide) and "Request throttling for the Amazon ECS API" (ECS API Reference).
pub(super) struct Budgets {
    /// `RunInstances`. Its other bucket, of the instances asked for, holds 1,000: more than are launched at once.
    pub(super) launches: Budget,
    /// `TerminateInstances`.
    pub(super) terminations: Budget,
    /// `RunTask` and `StopTask` together.
    pub(super) tasks: Budget,
    /// `TagResource`.
    pub(super) tags: Budget,
}

/// Tokens of `RunTask` and `StopTask` that are left to the first of them: a fleet grows before it shrinks.
pub(super) const FOR_PLACEMENTS: u32 = 40;

impl Default for Budgets {
    fn default() -> Self {
        Self {
            launches: Budget::new(5, 2),
            terminations: Budget::new(100, 5),
            tasks: Budget::new(100, 40),
            tags: Budget::new(20, 1),
        }
    }
}

impl Budgets {
    /// The same, and how long calls wait is told there.
    pub(super) fn metered(self, metrics: &Metrics) -> Self {
        let told = |budget, name| Budget { told: Some((metrics.clone(), name)), ..budget };
        Self {
            launches: told(self.launches, metrics::Budget::Launches),
            terminations: told(self.terminations, metrics::Budget::Terminations),
            tasks: told(self.tasks, metrics::Budget::Tasks),
            tags: told(self.tags, metrics::Budget::Tags),
        }
    }
}

impl Budget {
    const fn new(burst: u32, a_second: u32) -> Self {
        let interval = Duration::from_micros(1_000_000 / a_second as u64);
        Self { burst, interval, full_at: Mutex::new(None), told: None }
    }

    /// Makes a call once there is a token for it, with so many left to others.
    pub(super) async fn spend<T>(
        &self,
        reserve: u32,
        call: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<T, CloudError> {
        while let Err(earliest) = self.take(reserve) {
            let begun = Instant::now();
            sleep_until(earliest).await;
            if let Some((metrics, budget)) = &self.told {
                metrics.budget_waited(*budget, begun.elapsed());
            }
        }
        let result = call.await;
        if let Err(CloudError::Throttled(_)) = result {
            self.empty();
        }
        result
    }

    /// Takes a token, or tells when there may be one.
    fn take(&self, reserve: u32) -> Result<(), Instant> {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let then = full_at.map_or(now, |full_at| full_at.max(now)) + self.interval;
        let earliest = then.checked_sub(self.interval * (self.burst - reserve)).unwrap_or(now);
        if earliest > now {
            return Err(earliest);
        }
        *full_at = Some(then);
        Ok(())
    }

    fn empty(&self) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        *full_at = Some(Instant::now() + self.interval * self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a hundred calls, all made at once, were through after so long.
    async fn through(budget: &Budget, reserve: u32, within: Duration) -> usize {
        let end = Instant::now() + within;
        let calls = (0..100).map(|_| budget.spend(reserve, async { Ok(()) }));
        let done = calls.map(|call| tokio::time::timeout_at(end, call));
        futures_util::future::join_all(done).await.into_iter().filter(Result::is_ok).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate_of_the_bucket() {
        let budget = Budget::new(10, 2);
        assert_eq!(through(&budget, 0, Duration::from_millis(3100)).await, 10 + 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reserve_is_left_to_others() {
        let budget = Budget::new(10, 2);
        assert_eq!(through(&budget, 4, Duration::ZERO).await, 6);
        assert_eq!(through(&budget, 0, Duration::ZERO).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_its_pace_empties_the_bucket() {
        let budget = Budget::new(10, 2);
        let refused: Result<(), _> = budget.spend(0, async { Err(CloudError::Throttled("SlowDown".into())) }).await;
        assert!(refused.is_err());
        assert_eq!(through(&budget, 0, Duration::from_millis(2100)).await, 4);
    }
}
