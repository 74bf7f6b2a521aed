//! Pools: the kinds of instances that launches fall through, and which of them had none to give lately.

use std::collections::BTreeMap;
use std::fmt;

use super::policy::Policy;
use super::time::Timestamp;

/// A pool of instances, by its place in the operator's list: a type, a subnet, a way to pay. The first is asked first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Pool(pub u32);

impl fmt::Display for Pool {
    /// Counted from one, as an operator counts the settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 + 1)
    }
}

/// A pool that had nothing to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted {
    /// Which.
    pub pool: Pool,
    /// It is not asked again before; where no other is left to be asked, no launch is tried before.
    pub until: Timestamp,
    /// The pool that is asked in its place; none if no pool has anything to give.
    pub next: Option<Pool>,
}

/// The pools that had nothing to give.
#[derive(Debug, Default)]
pub(super) struct ExhaustedPools(BTreeMap<Pool, Refusals>);

#[derive(Debug)]
struct Refusals {
    /// How many since it last gave anything.
    in_a_row: u32,
    until: Timestamp,
}

impl ExhaustedPools {
    /// The first pool of the list that may have something to give.
    pub(super) fn first_open(&self, policy: &Policy, now: Timestamp) -> Option<Pool> {
        let is_open = |pool: &Pool| self.0.get(pool).is_none_or(|refusals| now >= refusals.until);
        (0..policy.pools).map(Pool).find(is_open)
    }

    /// When the first pool is asked again, where none is open now.
    pub(super) fn opens_at(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        if self.first_open(policy, now).is_some() {
            return None;
        }
        (0..policy.pools).filter_map(|pool| self.0.get(&Pool(pool))).map(|refusals| refusals.until).min()
    }

    /// A pool had nothing to give: it is left alone for a while, longer with each time in a row.
    pub(super) fn refused(&mut self, pool: Pool, policy: &Policy, now: Timestamp) -> Exhausted {
        let refusals = self.0.entry(pool).or_insert(Refusals { in_a_row: 0, until: now });
        refusals.in_a_row = refusals.in_a_row.saturating_add(1);
        refusals.until = now + policy.backoff_after(refusals.in_a_row);
        Exhausted { pool, until: refusals.until, next: self.first_open(policy, now) }
    }

    /// A pool gave something.
    pub(super) fn gave(&mut self, pool: Pool) {
        self.0.remove(&pool);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1000 + seconds)
    }

    #[test]
    fn the_first_pool_that_is_not_exhausted_is_asked() {
        let policy = Policy { pools: 3, ..Policy::default() };
        let mut pools = ExhaustedPools::default();
        assert_eq!(pools.first_open(&policy, at(0)), Some(Pool(0)));
        assert_eq!(pools.refused(Pool(0), &policy, at(0)).next, Some(Pool(1)));
        assert_eq!(pools.refused(Pool(1), &policy, at(1)).next, Some(Pool(2)));
        assert_eq!(pools.refused(Pool(2), &policy, at(2)).next, None);
        assert_eq!(pools.opens_at(&policy, at(2)), Some(at(5)));
        assert_eq!(pools.first_open(&policy, at(5)), Some(Pool(0)), "the best of them is tried again first");
        assert_eq!(pools.opens_at(&policy, at(5)), None);
    }

    #[test]
    fn each_pool_is_left_alone_for_longer_each_time_up_to_a_limit() {
        let policy = Policy { pools: 2, ..Policy::default() };
        let mut pools = ExhaustedPools::default();
        let pauses = |pools: &mut ExhaustedPools, pool, times: usize| -> Vec<u64> {
            (0..times).map(|_| pools.refused(pool, &policy, at(0)).until.since(at(0)).as_secs()).collect()
        };
        assert_eq!(pauses(&mut pools, Pool(0), 8), [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(pauses(&mut pools, Pool(1), 1), [5], "each for itself");
        pools.gave(Pool(0));
        assert_eq!(pauses(&mut pools, Pool(0), 1), [5], "from the start, once it gave something");
    }
}
