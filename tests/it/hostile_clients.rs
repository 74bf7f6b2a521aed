//! Clients that mean no good: they are told so or cut off in time, and everybody else is answered as ever.

use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::support::manager::{Manager, Setup};
use crate::support::process::{Signal, limit_open_files, memory_of, open_files_of, room_for_files};
use crate::support::until;
use crate::support::visitors::{LIST, Waits};
use crate::support::wire::{Wire, request};

/// Limits that make a test short.
const LIMITS: &str = "MANAGER_HEADER_TIMEOUT=3s\nMANAGER_IDLE_TIMEOUT=3s";
const LIMIT: Duration = Duration::from_secs(3);

/// So late may it be noticed: the machines are shared and slow.
const LATE: Duration = Duration::from_secs(20);

/// The beginning of a request.
const HALF: &str = "GET /available-gameserver-list/ HTTP/1.1\r\nhost: man";

/// Between two bytes of somebody slow.
const DRIP: Duration = Duration::from_millis(50);

/// Idle connections at once, and what each may cost the manager.
const IDLE: usize = 5000;
const MEMORY_OF_EACH: usize = 32 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_cut_off() {
    repelled("silence", 100, async |authority| {
        let start = Instant::now();
        Wire::to(&authority).await.closed().await;
        assert_in_time(start);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_is_cut_off() {
    repelled("half-sent requests", 100, async |authority| {
        let start = Instant::now();
        let mut wire = Wire::to(&authority).await;
        wire.speaker.say(HALF).await.expect("it is taken");
        wire.closed().await;
        assert_in_time(start);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_a_byte_at_a_time_is_cut_off() {
    repelled("slow headers", 100, async |authority| {
        let start = Instant::now();
        let Wire { mut speaker, mut listener } = Wire::to(&authority).await;
        let slow = request("GET", LIST, &format!("x: {}\r\n", "x".repeat(5_000)));
        let (said, ()) = tokio::join!(speaker.drip(&slow, DRIP), listener.closed());
        assert_in_time(start);
        said.expect_err("nobody listens to the end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_is_cut_off_when_nothing_more_comes_or_only_half_of_it() {
    repelled("kept connections", 100, async |authority| {
        for next in ["", HALF] {
            let mut wire = Wire::to(&authority).await;
            let start = Instant::now();
            assert_eq!(wire.ask(LIST).await.expect("an answer").status, 200);
            wire.speaker.say(next).await.expect("it is taken");
            wire.closed().await;
            assert_in_time(start);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_not_waited_for() {
    repelled("half-sent bodies", 10, async |authority| {
        for (method, status) in [("POST", 405), ("GET", 200)] {
            let mut wire = Wire::to(&authority).await;
            let half = format!("{}half", request(method, LIST, "content-length: 8\r\n"));
            wire.speaker.say(half).await.expect("it is taken");
            assert_eq!(wire.listener.answer().await.expect("an answer").status, status);
            wire.closed().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_a_byte_at_a_time_is_answered_at_once_and_not_listened_to() {
    repelled("slow bodies", 100, async |authority| {
        let Wire { mut speaker, mut listener } = Wire::to(&authority).await;
        speaker.say(request("POST", LIST, "content-length: 5000\r\n")).await.expect("it is taken");
        let body = "x".repeat(5_000);
        let (said, status) = tokio::join!(speaker.drip(&body, DRIP), async {
            let status = listener.answer().await.expect("an answer").status;
            listener.closed().await;
            status
        });
        assert_eq!(status, 405);
        said.expect_err("nobody listens to the end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_body_are_answered_and_not_kept() {
    repelled("large bodies", 5, async |authority| {
        let Wire { mut speaker, mut listener } = Wire::to(&authority).await;
        let head = request("POST", LIST, "content-length: 10000000\r\n");
        speaker.say(head).await.expect("it is taken");
        let body = vec![b'x'; 10_000_000];
        let (_, answer) = tokio::join!(speaker.say(&body), listener.answer());
        assert_eq!(answer.expect("an answer").status, 405);
        listener.closed().await;
    })
    .await;
}

#[tokio::test]
async fn who_listens_only_after_sending_it_all_hears_the_answer_too() {
    let setup = Setup::local();
    let manager = manager(&setup).await;
    let mut wire = Wire::connect(&manager).await;
    let head = request("POST", LIST, "content-length: 10000000\r\n");
    wire.speaker.say(head + &"x".repeat(10_000_000)).await.expect("all of it is taken");
    assert_eq!(wire.listener.answer().await.expect("an answer").status, 405);
    wire.closed().await;
    manager.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    repelled("large heads", 10, async |authority| {
        let long_url = request("GET", &format!("{LIST}?{}", "x".repeat(100_000)), "");
        let long_header = request("GET", LIST, &format!("x: {}\r\n", "x".repeat(20_000)));
        let many_headers = request("GET", LIST, &"x: x\r\n".repeat(5_000));
        for head in [long_url, long_header, many_headers] {
            let Wire { mut speaker, mut listener } = Wire::to(&authority).await;
            let (_, answer) = tokio::join!(speaker.say(&head), listener.answer());
            let status = answer.expect("an answer").status;
            assert!([414, 431].contains(&status), "{status}");
            listener.closed().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_asks_on_and_on_and_reads_no_answer_is_cut_off() {
    repelled("unread answers", 3, async |authority| {
        let mut wire = Wire::narrow(&authority).await;
        let requests = request("GET", LIST, "").repeat(100);
        while wire.speaker.say(&requests).await.is_ok() {}
    })
    .await;
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_their_order() {
    let setup = Setup::local();
    let manager = manager(&setup).await;
    let list = Wire::connect(&manager).await.ask(LIST).await.expect("an answer");
    let mut wire = Wire::connect(&manager).await;
    let batch = [
        request("GET", LIST, ""),
        request("GET", "/nowhere", ""),
        request("HEAD", LIST, ""),
        request("GET", "/livez", ""),
    ];
    const ROUNDS: usize = 100;
    wire.speaker.say(batch.concat().repeat(ROUNDS)).await.expect("it is taken");
    for _ in 0..ROUNDS {
        assert_eq!(wire.listener.answer().await.expect("an answer"), list);
        assert_eq!(wire.listener.answer().await.expect("an answer").status, 404);
        assert_eq!(wire.listener.head().await.expect("an answer").status, 200);
        assert_eq!(wire.listener.answer().await.expect("an answer").body, r#"{"status": "live"}"#);
    }
    assert!(wire.is_open());
    manager.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_keep_nobody_waiting_and_cost_little() {
    let count = IDLE.min(room_for_files());
    if count < IDLE {
        println!("the limit on open files leaves room for {count} connections, not {IDLE}");
    }
    let setup = Setup::local().dot_env("MANAGER_HEADER_TIMEOUT=5m\nMANAGER_IDLE_TIMEOUT=5m");
    let manager = manager(&setup).await;
    let usual = Waits::of(&manager).await;
    let memory = memory_of(manager.pid());

    // Half of them have said as much as they may without a complete head.
    let long = format!("{HALF}{}", "x".repeat(16_000));
    let mut idle = Vec::new();
    while idle.len() < count {
        let connecting = (0..100).map(|number| silent(&manager, if number % 2 == 0 { &long } else { "" }));
        idle.extend(join_all(connecting).await);
    }
    until("all are let in", async || (open_files_of(manager.pid()) >= count).then_some(())).await;
    let meanwhile = Waits::of(&manager).await;
    meanwhile.assert_as_usual(&usual, &format!("{count} idle connections"));
    let cost = memory_of(manager.pid()).saturating_sub(memory);
    println!("{count} idle connections cost the manager {} kB each", cost / 1024 / count);
    assert!(cost <= count * MEMORY_OF_EACH, "{cost} bytes for {count} connections");
    assert!(idle.iter().all(Wire::is_open), "there was room for all");
    manager.stop().await;
}

#[tokio::test]
async fn with_no_room_left_the_oldest_idle_connections_make_way() {
    const ROOM: usize = 16;
    let setup = Setup::local().dot_env("MANAGER_HEADER_TIMEOUT=5m\nMANAGER_MAX_CONNECTIONS=16");
    let manager = manager(&setup).await;
    let now = manager.log.now();
    let mut idle = Vec::new();
    for number in 0..200 {
        idle.push(silent(&manager, [HALF, ""][number % 2]).await);
    }
    let mut youngest = idle.split_off(idle.len() - ROOM);
    for wire in &mut idle {
        wire.closed().await;
    }
    assert!(youngest.iter().all(Wire::is_open), "nobody else had to go");
    let full = manager.log.message(now, "http.max_connections is reached").await;
    assert_eq!(full["level"], "WARN");

    // The load's crowd and those who are still there are more than there is room for.
    Waits::of(&manager).await;
    let mut kept = Wire::connect(&manager).await;
    for wire in &mut youngest {
        assert_eq!(kept.ask(LIST).await.expect("who is in use keeps its connection").status, 200);
        *wire = silent(&manager, HALF).await;
    }
    assert_eq!(manager.log.count(now, "http.max_connections is reached"), 1, "a burst is told once");
    manager.stop().await;
}

#[tokio::test]
async fn half_a_body_makes_way_for_others_too() {
    let setup = Setup::local().dot_env("MANAGER_HEADER_TIMEOUT=5m\nMANAGER_MAX_CONNECTIONS=16");
    let manager = manager(&setup).await;
    let half = "content-type: application/json\r\ncontent-length: 100\r\n";
    let half = request("POST", "/v1/allocations", half) + "{\"seats\":";
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(silent(&manager, &half).await);
    }
    let mut wire = Wire::connect(&manager).await;
    assert_eq!(wire.ask(LIST).await.expect("an answer").status, 200);
    idle[0].closed().await;
    assert!(idle[1..].iter().all(Wire::is_open), "nobody else had to go, or was told that its time is over");
    manager.stop().await;
}

#[tokio::test]
async fn sighup_makes_room_for_fewer() {
    const PATIENT: &str = "MANAGER_HEADER_TIMEOUT=5m\nMANAGER_IDLE_TIMEOUT=5m";
    let setup = Setup::local().dot_env(PATIENT);
    let manager = manager(&setup).await;
    let mut idle = Vec::new();
    for _ in 0..15 {
        idle.push(silent(&manager, "").await);
    }
    // The last one is let in by the time that one who came later is answered. Of those who came later some may still
    // count when they have gone, so the youngest come after them.
    Waits::of(&manager).await;
    let mut youngest = Vec::new();
    for _ in 0..5 {
        let mut wire = Wire::connect(&manager).await;
        assert_eq!(wire.ask(LIST).await.expect("an answer").status, 200);
        youngest.push(wire);
    }
    let _setup = setup.dot_env(&format!("{PATIENT}\nMANAGER_MAX_CONNECTIONS=5"));
    manager.signal(Signal::HUP);
    for wire in &mut idle {
        wire.closed().await;
    }
    assert!(youngest.iter().all(Wire::is_open));
    manager.stop().await;
}

#[tokio::test]
async fn without_files_to_open_it_goes_on_and_says_so_once() {
    let setup = Setup::local().dot_env("MANAGER_HEADER_TIMEOUT=5m");
    let manager = manager(&setup).await;
    let now = manager.log.now();
    limit_open_files(manager.pid(), open_files_of(manager.pid()) + 20);
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(silent(&manager, "").await);
    }
    let error = manager.log.message(now, "clients cannot be let in").await;
    assert_eq!(error["level"], "ERROR");
    Waits::of(&manager).await;
    for wire in &mut idle[..20] {
        wire.closed().await;
    }
    assert_eq!(manager.log.count(now, "clients cannot be let in"), 1, "a burst is told once");
    manager.stop().await;
}

#[tokio::test]
async fn the_limit_on_open_files_is_raised_and_one_that_is_too_low_is_told() {
    let setup = Setup::local().open_files(100, 400);
    let manager = setup.start().await;
    let told = manager.log.message(0, "http.max_connections is 10000").await;
    let told = told["message"].as_str().expect("text");
    for number in ["limit of 400 open files", "set it to 100 at most", "LimitNOFILE=10456"] {
        assert!(told.contains(number), "no {number} in {told}");
    }
    manager.serves(1).await;
    manager.stop().await;
}

#[tokio::test]
async fn sigterm_waits_for_nobody_who_is_idle() {
    // To wait for them would take so long that the test fails.
    const LONG: &str = "MANAGER_SHUTDOWN_LIMIT=5m\nMANAGER_HEADER_TIMEOUT=5m\nMANAGER_IDLE_TIMEOUT=5m";
    let setup = Setup::local().dot_env(LONG);
    let manager = manager(&setup).await;
    let mut idle = Vec::new();
    for number in 0..50 {
        let mut wire = Wire::connect(&manager).await;
        if number % 2 == 0 {
            assert_eq!(wire.ask(LIST).await.expect("an answer").status, 200);
        }
        idle.push(wire);
    }
    manager.stop().await;
    for wire in &mut idle {
        wire.closed().await;
    }
}

/// A manager with one game server, which takes players.
async fn manager(setup: &Setup) -> Manager {
    let manager = setup.start().await;
    manager.serves(1).await;
    manager
}

/// A client that says no more than this.
async fn silent(manager: &Manager, said: &str) -> Wire {
    let mut wire = Wire::connect(manager).await;
    wire.speaker.say(said).await.expect("it is taken");
    wire
}

/// That somebody who does this is repelled, and that nobody else waits while so many do it over and over again: the
/// same load is brought before and meanwhile. Where they are repelled at once only few fit, for these processors are
/// also theirs.
async fn repelled<Attack: Future<Output = ()> + Send + 'static>(
    name: &str,
    attackers: usize,
    attack: impl Fn(String) -> Attack + Clone + Send + 'static,
) {
    let setup = Setup::local().dot_env(LIMITS);
    let manager = manager(&setup).await;
    attack(manager.authority()).await;
    let usual = Waits::of(&manager).await;
    let (attacks, mut begun) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for _ in 0..attackers {
        let (attacks, authority, attack) = (attacks.clone(), manager.authority(), attack.clone());
        tasks.spawn(async move {
            while attacks.send(()).is_ok() {
                attack(authority.clone()).await;
            }
        });
    }
    for _ in 0..attackers {
        begun.recv().await;
    }
    let meanwhile = Waits::of(&manager).await;
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
            resume_unwind(panic);
        }
    }
    meanwhile.assert_as_usual(&usual, name);
    manager.stop().await;
}

/// Whoever has begun then is cut off now: not before the limit, which the manager counts from a later moment.
fn assert_in_time(start: Instant) {
    let cut_off_after = start.elapsed();
    assert!((LIMIT..LIMIT + LATE).contains(&cut_off_after), "cut off after {cut_off_after:?}");
}
