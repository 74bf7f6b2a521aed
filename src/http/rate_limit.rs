//! How often each client may ask: a bucket of tokens a client, that fills at a steady rate.
//!
//! A bucket is kept as the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371). A client
//! whose bucket is full is not remembered, for it is like one that has never asked; so memory is taken by those alone
//! who ask right now.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::client_address::Client;

/// Clients that are remembered at most, some 15 MB of them. With more at once, those who have asked least are forgotten
/// first and begin with a full bucket again: a crowd of addresses crowds out itself, and never who has used up its own.
const MOST: usize = 100_000;

/// How often a client may ask; the operator may change it while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateRules {
    /// So often at once: what a bucket holds. One at least.
    pub burst: u32,
    /// So often a second from then on. 0: no limit.
    pub rate: u32,
}

/// The limit, for all clients.
pub(super) struct RateLimit {
    rules: Arc<ArcSwap<RateRules>>,
    buckets: Mutex<Buckets>,
}

impl RateLimit {
    /// Nobody has asked yet.
    pub(super) fn new(rules: Arc<ArcSwap<RateRules>>) -> Self {
        Self { rules, buckets: Mutex::default() }
    }

    /// Whether there is one.
    pub(super) fn is_set(&self) -> bool {
        self.rules.load().rate > 0
    }

    /// This client asks.
    ///
    /// # Errors
    /// When that is too often: how long it has to wait. A try before that costs it nothing.
    pub(super) fn ask(&self, client: Client, now: Instant) -> Result<(), Duration> {
        self.take(client, 1, now)
    }

    /// It turns out that it asks for so many: for all but the one that was counted already. A party that is larger than a
    /// bucket takes all that a bucket holds.
    ///
    /// # Errors
    /// When that is too often, as before.
    pub(super) fn ask_for_party(&self, client: Client, seats: u32, now: Instant) -> Result<(), Duration> {
        let RateRules { burst, .. } = **self.rules.load();
        self.take(client, seats.min(burst).saturating_sub(1), now)
    }

    fn take(&self, client: Client, tokens: u32, now: Instant) -> Result<(), Duration> {
        let rules = **self.rules.load();
        // The lock is for those who need it: what was remembered before the limit was taken away does no harm.
        if rules.rate == 0 {
            return Ok(());
        }
        // Every change to the buckets is whole, so one that panicked left nothing half done.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).take(client, tokens, rules, now)
    }
}

/// The buckets that are not full.
#[derive(Default)]
struct Buckets {
    full_at: HashMap<Client, Instant>,
    /// The same, the next to be full first.
    in_order: BTreeSet<(Instant, Client)>,
}

impl Buckets {
    /// Takes tokens out of the client's bucket, or tells how long there will be too few.
    fn take(&mut self, client: Client, tokens: u32, rules: RateRules, now: Instant) -> Result<(), Duration> {
        self.forget_full(now);
        let Some(interval) = Duration::from_secs(1).checked_div(rules.rate) else { return Ok(()) };
        let whole = interval * rules.burst.max(1);
        // Under rules that were larger before, it may have been emptier than a bucket can be now.
        let full_at = self.full_at.get(&client).map_or(now, |full_at| (*full_at).clamp(now, now + whole));
        let full_at = full_at + interval * tokens;
        let wait = full_at.saturating_duration_since(now + whole);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.remember(client, full_at);
        Ok(())
    }

    fn remember(&mut self, client: Client, full_at: Instant) {
        if let Some(before) = self.full_at.insert(client, full_at) {
            self.in_order.remove(&(before, client));
        }
        self.in_order.insert((full_at, client));
        if self.full_at.len() > MOST {
            self.forget_first();
        }
    }

    fn forget_full(&mut self, now: Instant) {
        while self.in_order.first().is_some_and(|(full_at, _)| *full_at <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, client)) = self.in_order.pop_first() {
            self.full_at.remove(&client);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const RULES: RateRules = RateRules { burst: 3, rate: 2 };

    fn client(number: u32) -> Client {
        Client::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (mut buckets, start) = (Buckets::default(), Instant::now());
        let table = [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(500)),
            (100, Err(400)),
            (500, Ok(())),
            (500, Err(500)),
            (1600, Ok(())),
            (1600, Ok(())),
            (1600, Err(400)),
            (60_000, Ok(())),
        ];
        for (at, expected) in table {
            let taken = buckets.take(client(1), 1, RULES, start + millis(at));
            assert_eq!(taken, expected.map_err(millis), "at {at}");
        }
    }

    #[test]
    fn a_party_takes_as_many_as_it_is_and_at_most_all_that_a_bucket_holds() {
        let (limit, start) = (RateLimit::new(Arc::new(ArcSwap::from_pointee(RULES))), Instant::now());
        let ask = |number, seats| {
            let asked = limit.ask(client(number), start);
            asked.and_then(|()| limit.ask_for_party(client(number), seats, start))
        };
        assert_eq!((ask(1, 2), ask(1, 2)), (Ok(()), Err(millis(500))), "one was left");
        for seats in [3, 4, 100] {
            assert_eq!((ask(seats, seats), ask(seats, 1)), (Ok(()), Err(millis(500))), "{seats}");
        }
    }

    #[test]
    fn who_waits_as_long_as_told_is_let_in() {
        for rate in [1, 3, 7, 10_000] {
            let (mut buckets, rules, mut now) = (Buckets::default(), RateRules { burst: 1, rate }, Instant::now());
            for _ in 0..100 {
                assert_eq!(buckets.take(client(1), 1, rules, now), Ok(()));
                now += buckets.take(client(1), 1, rules, now).expect_err("a wait");
            }
        }
    }

    #[test]
    fn clients_do_not_count_for_each_other() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        for number in 0..100 {
            assert_eq!(buckets.take(client(number), 1, RateRules { burst: 1, rate: 1 }, now), Ok(()));
        }
    }

    #[test]
    fn who_has_been_idle_is_forgotten() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        for number in 0..100 {
            assert_eq!(buckets.take(client(number), 1, RULES, now), Ok(()));
        }
        assert_eq!(buckets.take(client(200), 1, RULES, now + millis(500)), Ok(()));
        assert_eq!((buckets.full_at.len(), buckets.in_order.len()), (1, 1));
    }

    #[test]
    fn a_flood_of_clients_takes_no_more_memory_and_frees_nobody_who_asked_too_often() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let rules = RateRules { burst: 2, rate: 1 };
        let greedy = client(u32::MAX);
        assert_eq!([(); 3].map(|()| buckets.take(greedy, 1, rules, now).is_ok()), [true, true, false]);
        for number in 0..3 * MOST as u32 {
            assert_eq!(buckets.take(client(number), 1, rules, now), Ok(()));
        }
        assert_eq!((buckets.full_at.len(), buckets.in_order.len()), (MOST, MOST));
        assert!(buckets.take(greedy, 1, rules, now).is_err());
    }

    #[test]
    fn new_rules_hold_at_once() {
        let rules = Arc::new(ArcSwap::from_pointee(RateRules { burst: 100, rate: 1 }));
        let (limit, now) = (RateLimit::new(Arc::clone(&rules)), Instant::now());
        for _ in 0..100 {
            assert_eq!(limit.ask(client(1), now), Ok(()));
        }
        rules.store(Arc::new(RateRules { burst: 2, rate: 1 }));
        assert_eq!(limit.ask(client(1), now), Err(millis(1000)), "and not as long as the larger bucket takes to fill");
        rules.store(Arc::new(RateRules { burst: 2, rate: 0 }));
        assert_eq!(limit.ask(client(1), now), Ok(()));
    }
}
