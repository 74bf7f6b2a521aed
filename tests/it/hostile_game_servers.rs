//! Game servers that answer their health question with anything but health: each costs itself, and nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::manager::Setup;
use crate::support::until;

/// A game server that is good until it is told otherwise.
const GAME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile_game.py");

/// What it can be told to do, but for the redirect, which leads somewhere.
const HOSTILE: [&str; 15] = [
    "noise",
    "garbage",
    "wrong-types",
    "negative",
    "error",
    "big",
    "big-chunked",
    "endless-body",
    "endless-head",
    "endless-continue",
    "slow-head",
    "slow-body",
    "short",
    "never",
    "closes",
];

/// More than half of a fleet has to answer, or the fault is taken to be the manager's.
const GOOD: usize = HOSTILE.len() + 2;

/// All that they may cost, in KiB: the buffers of some connections, where ten megabytes come again and again.
const MOST_MEMORY: u64 = 8 * 1024;

/// How often they are asked for their health: some thirty of them share the machine with all the other tests.
const PACE: Duration = Duration::from_millis(250);

/// How long they may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A fleet of so many such servers.
fn setup(servers: usize, settings: &str) -> Setup {
    Setup::local().dot_env(&format!(
        "MANAGER_LOCAL_COMMAND='/usr/bin/env python3 {GAME} {{ip}} {{port}}'\nMANAGER_MIN_SERVERS={servers}\n\
         MANAGER_MAX_SERVERS={}\nMANAGER_LAUNCH_MAX_IN_FLIGHT={servers}\n\
         MANAGER_HEALTH_INTERVAL={}ms\nMANAGER_HEALTH_TIMEOUT={}s\n{settings}",
        2 * servers,
        PACE.as_millis(),
        TIMEOUT.as_secs()
    ))
}

/// How often a server was asked for its health.
async fn times_asked(server: &str) -> u32 {
    let answer = reqwest::get(format!("http://{server}/asked")).await.expect("an answer");
    answer.text().await.expect("a body").parse().expect("a number")
}

#[tokio::test]
async fn servers_that_turn_hostile_get_nobody_and_are_replaced_at_nobody_elses_cost() {
    let setup = setup(HOSTILE.len() + 1 + GOOD, "MANAGER_HEALTH_GRACE=5s");
    let manager = setup.start().await;
    let servers = manager.serves(HOSTILE.len() + 1 + GOOD).await;
    let (good, hostile) = servers.split_at(GOOD);
    let by_address: BTreeMap<String, String> =
        manager.state().await.into_iter().filter_map(|server| Some((server.address?, server.id))).collect();
    let ids = |servers: &[String]| servers.iter().map(|server| by_address[server].clone()).collect::<BTreeSet<_>>();
    let (now, memory) = (manager.log.now(), manager.peak_memory());

    // The last one leads to a server that answers well.
    let redirect = format!("redirect http://{}/health/", good[0]);
    for (server, what) in hostile.iter().zip(HOSTILE.into_iter().chain([redirect.as_str()])) {
        let ip = server.parse::<SocketAddr>().expect("an address").ip();
        tell(&setup, &ip.to_string(), what);
    }
    until("the hostile ones take no players", async || {
        let list = manager.list().await;
        hostile.iter().all(|server| !list.contains(server)).then_some(())
    })
    .await;
    let (since, before) = (Instant::now(), asked(good).await);
    let mut sent = BTreeSet::new();
    for _ in 0..GOOD {
        sent.insert(manager.available().await);
    }
    assert!(hostile.iter().all(|server| !sent.contains(server)), "{sent:?} are none of {hostile:?}");

    let closed = manager.log.moved(now, "closing (silent)", hostile.len()).await;
    assert_eq!(closed.into_iter().collect::<BTreeSet<_>>(), ids(hostile), "each costs itself alone");
    let (span, after) = (since.elapsed(), asked(good).await);
    let fewest = after.iter().zip(before).map(|(after, before)| after - before).min().expect("a good server");
    // Whoever waited for one that never answers, were it only for one at a time, would be asked no oftener than that
    // one. How much oftener they are asked is up to the machine.
    let as_often_as_the_slowest = (PACE + TIMEOUT) * fewest;
    assert!(as_often_as_the_slowest > span, "asked {fewest} times in {span:?}, at a pace of {PACE:?}");

    manager.log.moved(now, "gone", hostile.len()).await;
    manager.lists(servers.len()).await;
    assert_eq!(manager.log.moves_since(now, "closing (silent)").len(), hostile.len());
    let grown = manager.peak_memory() - memory;
    assert!(grown < MOST_MEMORY, "the manager took {grown} KiB more");
    manager.stop().await;
}

#[tokio::test]
async fn servers_that_are_hostile_from_the_start_never_serve() {
    let setup = setup(HOSTILE.len(), "MANAGER_LAUNCH_HEALTHY_DEADLINE=4s");
    for (number, what) in HOSTILE.into_iter().enumerate() {
        tell(&setup, &format!("born-{number}"), what);
    }
    let manager = setup.start().await;
    let first = manager.log.moved(0, "starting", HOSTILE.len()).await;
    let memory = manager.peak_memory();
    let ours = manager.state().await.into_iter().filter(|server| first.contains(&server.id));
    let hostile: BTreeSet<String> = ours.filter_map(|server| server.address).collect();
    // Those that come in their place are good, and may be there before the last of them is given up.
    until("all of them are given up", async || {
        let list = manager.list().await;
        assert!(list.iter().all(|server| !hostile.contains(server)), "{list:?} are none of {hostile:?}");
        let given_up = manager.log.moves_since(0, "closing (health overdue)");
        first.iter().all(|server| given_up.contains(server)).then_some(())
    })
    .await;
    assert!(!hostile.contains(&manager.available().await));
    manager.lists(HOSTILE.len()).await;
    let served = manager.log.moves_since(0, "available");
    assert!(first.iter().all(|server| !served.contains(server)), "{served:?} are none of {first:?}");
    let grown = manager.peak_memory() - memory;
    assert!(grown < MOST_MEMORY, "the manager took {grown} KiB more");
    manager.stop().await;
}

/// Has a server turn hostile, by its IP address, or one that is not born yet.
fn tell(setup: &Setup, server: &str, what: &str) {
    let (path, draft) = (setup.path().join(server), setup.path().join("draft"));
    fs::write(&draft, what).expect("the directory can be written to");
    // It is there as a whole, or not: the server may look at any time.
    fs::rename(draft, path).expect("the directory can be written to");
}

async fn asked(servers: &[String]) -> Vec<u32> {
    let mut asked = Vec::new();
    for server in servers {
        asked.push(times_asked(server).await);
    }
    asked
}
