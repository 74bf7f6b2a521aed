//! Ordinary clients: the same load with and without an attack, and how long they waited.

use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::manager::Manager;
use super::wire::{Answer, Wire};

/// Requests that each kind of client makes.
const REQUESTS: usize = 150;

/// Clients that come at the same moment, and what each of them asks.
const CROWD: usize = 10;
const REQUESTS_OF_EACH: usize = 15;

/// A median may grow by this factor and this much more. It is generous, as machines are shared and slow: a client
/// that is kept waiting waits for a timeout, which is longer by orders of magnitude.
const MEDIAN: (u32, Duration) = (10, Duration::from_millis(50));

/// The same for the slowest ones.
const SLOWEST: (u32, Duration) = (10, Duration::from_millis(500));

/// How long clients waited for their answers, shortest first.
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    /// That load: new connections, a kept one, and a crowd. Each request has to be answered as the first one was.
    pub(crate) async fn of(manager: &Manager) -> Self {
        let authority = manager.authority();
        let mut waits = Vec::new();
        for _ in 0..REQUESTS {
            let start = Instant::now();
            check(&Wire::to(&authority).await.ask(LIST).await.expect("an answer"));
            waits.push(start.elapsed());
        }
        waits.extend(kept(&authority, REQUESTS).await);
        let crowd = join_all((0..CROWD).map(|_| kept(&authority, REQUESTS_OF_EACH))).await;
        waits.extend(crowd.into_iter().flatten());
        waits.sort_unstable();
        Self(waits)
    }

    /// Fails unless these clients waited about as long as those did.
    pub(crate) fn assert_as_usual(&self, usual: &Self, attack: &str) {
        println!("{attack}: usually {usual}; meanwhile {self}");
        for (share, (factor, more)) in [(50, MEDIAN), (99, SLOWEST)] {
            let allowed = usual.at(share) * factor + more;
            assert!(self.at(share) <= allowed, "{attack}: at {share}% usually {usual}; meanwhile {self}");
        }
    }

    /// What so many of a hundred waited at most.
    fn at(&self, share: usize) -> Duration {
        self.0[(self.0.len() - 1) * share / 100]
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "median {:?}, p99 {:?}, longest {:?}", self.at(50), self.at(99), self.at(100))
    }
}

/// The list: to ask for a place would make the fleet grow.
pub(crate) const LIST: &str = "/available-gameserver-list/";

async fn kept(authority: &str, requests: usize) -> Vec<Duration> {
    let mut wire = Wire::to(authority).await;
    let mut waits = Vec::new();
    for _ in 0..requests {
        let start = Instant::now();
        check(&wire.ask(LIST).await.expect("an answer"));
        waits.push(start.elapsed());
    }
    waits
}

fn check(answer: &Answer) {
    assert!(answer.status == 200 && answer.body.starts_with(r#"{"server_list": ["#), "{answer:?}");
}
