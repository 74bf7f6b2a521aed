//! What the fleet's own work costs, by its size.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use actors::model::{HealthAnswer, Policy, Roster, ServerId, Timestamp, decide};

use crate::Result;
use crate::cloud::observation;
use crate::plots::Plot;
use crate::verdict::{Goal, Verdict};

const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];

/// Tries of each, of which the fastest counts: what is slower was disturbed.
const TRIES: usize = 7;

const START: Timestamp = Timestamp::from_secs(1_000_000);

/// What one of each costs in a fleet of some size, in seconds.
#[derive(Clone, Copy, Debug)]
struct Costs {
    allocation: f64,
    refusal: f64,
    report: f64,
    decision: f64,
    look: f64,
}

pub(crate) fn measure(plots: Option<&Path>) -> Result<Vec<Verdict>> {
    let costs = SIZES.map(costs);
    if let Some(dir) = plots {
        draw(&costs, dir)?;
    }
    let (small, large) = (costs[0], costs[SIZES.len() - 1]);
    let (sizes, most) =
        (format!("at {} servers, against {}", SIZES[SIZES.len() - 1], SIZES[0]), SIZES[SIZES.len() - 1]);
    let micros = |what: &str, one: f64, other: f64, goal| Verdict::ratio(what, one * 1e6, other * 1e6, "us", goal);
    // Linear at worst: a server may cost no more than it did where all of them fit in the caches, twice over.
    let each = |seconds: f64, servers: u32| seconds / f64::from(servers);
    let thousand = costs[2];
    let report = micros(&format!("a health report {sizes}"), large.report, small.report, Goal::AtMost(2.0));
    let allocation = micros(&format!("an allocation {sizes}"), large.allocation, small.allocation, Goal::AtMost(2.0));
    let refusal =
        micros(&format!("a request that finds no place {sizes}"), large.refusal, small.refusal, Goal::AtMost(2.0));
    Ok(vec![
        allocation,
        refusal,
        report.so_far(2.5),
        micros(
            "a decision, for each of 100000 servers, of 1000",
            each(large.decision, most),
            each(thousand.decision, 1000),
            Goal::AtMost(4.0),
        ),
        micros(
            "a look at the cloud, for each of 100000 servers, of 1000",
            each(large.look, most),
            each(thousand.look, 1000),
            Goal::AtMost(4.0),
        ),
    ])
}

fn draw(costs: &[Costs], dir: &Path) -> Result<()> {
    let line = |one: fn(&Costs) -> f64| {
        SIZES.iter().zip(costs).map(|(servers, costs)| (f64::from(*servers), one(costs) * 1e6)).collect::<Vec<_>>()
    };
    let lines = vec![
        ("a look at the cloud", line(|costs| costs.look)),
        ("a decision", line(|costs| costs.decision)),
        ("an allocation", line(|costs| costs.allocation)),
        ("a request that finds no place", line(|costs| costs.refusal)),
        ("a health report", line(|costs| costs.report)),
    ];
    Plot { title: "What the fleet's own work costs", by: "servers", shown: "microseconds", lines }
        .draw(dir, "scale.svg")
}

fn costs(servers: u32) -> Costs {
    let policy = Policy {
        server_capacity: 1000,
        max_servers: servers + 100,
        downscale_margin: u32::MAX / 2,
        hold_ttl: Duration::from_secs(1),
        ..Policy::default()
    };
    let mut roster = Roster::new(policy.clone());
    roster.observe(&observation(servers, START), START);
    let ids: Vec<ServerId> = roster.servers().map(|server| server.id).collect();
    let answer = Some(HealthAnswer { available_capacity: 1000, ready_to_close: false });
    let mut now = START;
    ids.iter().for_each(|id| roster.report(*id, now, answer, now));
    let times = 10_000;
    let allocation = fastest(|| {
        let started = Instant::now();
        for _ in 0..times {
            black_box(roster.allocate(now));
        }
        let took = started.elapsed() / times;
        // All are forgotten before the next try.
        now = now + Duration::from_secs(2);
        ids.iter().for_each(|id| roster.report(*id, now, answer, now));
        took
    });
    // Each server in turn, as they come, and each time later: one that was asked at the time of its last answer is dropped.
    let mut turn = ids.iter().copied().cycle();
    let report = fastest(|| {
        let started = Instant::now();
        for id in turn.by_ref().take(times as usize) {
            now = now + Duration::from_micros(100);
            roster.report(id, now, answer, now);
        }
        started.elapsed() / times
    });
    roster.take_notes();
    let decision = fastest(|| {
        now = now + Duration::from_secs(1);
        let started = Instant::now();
        roster.reckon(now);
        let view = roster.view(0, now);
        black_box(decide(&view, &policy, now));
        started.elapsed()
    });
    let look = fastest(|| {
        now = now + Duration::from_secs(10);
        let seen = observation(servers, now);
        let started = Instant::now();
        roster.observe(&seen, now);
        black_box(roster.orders(now));
        started.elapsed()
    });
    // All are full, and whoever comes is missed.
    let full = Some(HealthAnswer { available_capacity: 0, ready_to_close: false });
    ids.iter().for_each(|id| roster.report(*id, now, full, now));
    let refusal = fastest(|| {
        let started = Instant::now();
        for _ in 0..times {
            assert!(black_box(roster.allocate(now)).is_none(), "there is a place");
            roster.turned_away(1, false);
            black_box(roster.missed(1, now));
        }
        started.elapsed() / times
    });
    Costs { allocation, refusal, report, decision, look }
}

fn fastest(mut attempt: impl FnMut() -> Duration) -> f64 {
    (0..TRIES).map(|_| attempt().as_secs_f64()).fold(f64::INFINITY, f64::min)
}
