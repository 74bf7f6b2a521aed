//! Whether it goes on as it began: as many requests as a busy fleet has in days, one after the other.

use std::time::Duration;

use tokio::time::sleep;

use crate::Result;
use crate::answering::{Load, load};
use crate::process::{Part, raise_open_files};
use crate::verdict::{Goal, Verdict};

/// Loads, one after the other. The first one is not counted: what is allocated once is allocated in it.
const LOADS: usize = 10;

const CLIENTS: u32 = 64;

/// Until all servers of a fleet were asked for their health.
const SETTLED: Duration = Duration::from_secs(5);

/// Ten thousand players at a time who play for forty minutes each come by so many a second.
const REQUESTS_OF_A_BUSY_FLEET: f64 = 10_000.0 / 2400.0;

pub(crate) async fn measure(servers: u32, seconds: u64) -> Result<Vec<Verdict>> {
    raise_open_files();
    let count = servers.to_string();
    let mut games = Part::start(&["games", &count, "64"])?;
    games.says("plays").await?;
    let mut manager = Part::start(&["manager", &count, "64"])?;
    let at = manager.says("listens").await?;
    sleep(SETTLED).await;
    let (mut loads, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        let (load, least) = tokio::join!(load(&at, CLIENTS, seconds), least_memory(&manager, seconds));
        loads.push(load?);
        memory.push(least? as f64 / f64::from(1 << 20));
    }
    manager.end().await?;
    games.end().await?;
    let requests: f64 = loads.iter().map(|load| load.requests_a_second * seconds as f64).sum();
    let days = requests / REQUESTS_OF_A_BUSY_FLEET / 86_400.0;
    let p99 = |loads: &[Load]| {
        let mut all: Vec<f64> = loads.iter().map(|load| load.p99.as_secs_f64() * 1e3).collect();
        all.sort_unstable_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let third = (LOADS - 1) / 3;
    let (first, last) = (p99(&loads[1..=third]), p99(&loads[LOADS - third..]));
    let least = |memory: &[f64]| memory.iter().copied().fold(f64::INFINITY, f64::min);
    let (memory_first, memory_last) = (least(&memory[1..=third]), least(&memory[LOADS - third..]));
    let what = format!("after {requests:.0} requests, {days:.1} days of 10000 players");
    Ok(vec![
        Verdict::ratio(format!("{what}: memory"), memory_last, memory_first, "MiB", Goal::AtMost(1.1)),
        Verdict::ratio(format!("{what}: p99"), last, first, "ms", Goal::AtMost(1.5)),
    ])
}

/// What is resident for a moment does not last: each look at the cloud takes some for a while.
async fn least_memory(manager: &Part, seconds: u64) -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..seconds * 4 {
        sleep(Duration::from_millis(250)).await;
        least = least.min(manager.usage()?.memory);
    }
    Ok(least)
}
