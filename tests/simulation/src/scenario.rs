//! What a seed stands for: a policy, a day of players, and all that goes wrong on it.

use std::time::Duration;

use actors::model::{
    AllocationRule, BufferPolicy, LeadTimePolicy, MarginPolicy, Policy, RolloutState, Schedule, Timestamp,
};

use crate::chance::Chance;
use crate::faults::{Accident, Change, CrashPoint, Fault, FaultKind, Moment};

/// When every day begins: the numbers in a log are of no meaning but by their differences.
pub const ORIGIN: Timestamp = Timestamp::from_secs(1_800_000_000);
/// How long things go wrong on a whole day.
pub const TROUBLE: Duration = Duration::from_hours(22);
/// How long after that nothing goes wrong, and no player comes or goes.
pub const CALM: Duration = Duration::from_hours(2);
/// How long after that the fleet may take to settle between its margins: a failed launch at its longest deadlines and
/// the longest pause after it, 15 minutes, three times over and some.
pub const SETTLING: Duration = Duration::from_mins(50);
/// The stream of chance that margins which set themselves are drawn from: the rest of the day is as it would be without.
const MARGINS: u64 = 3;
/// Cloud calls that a manager has under way at once.
pub const CONCURRENCY: usize = 8;

/// A day, drawn from a seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// From then on nothing goes wrong any more, and no player comes or goes.
    pub calm_at: Timestamp,
    /// What the operator wants.
    pub policy: Policy,
    /// The zone of each pool.
    pub zones: Vec<u32>,
    /// Who plays.
    pub demand: Demand,
    /// What goes wrong for a while, by its begin.
    pub faults: Vec<Fault>,
    /// What goes wrong at one moment, by its time.
    pub accidents: Vec<(Timestamp, Accident)>,
}

/// How players come and behave.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// From one busiest hour to the next, in hours: a day, or less for a game with events.
    pub period: f64,
    /// Players at the busiest hour, on average.
    pub peak: f64,
    /// Those of the quietest hour, as a share of the peak.
    pub trough: f64,
    /// The first busiest hour, in hours from the day's begin.
    pub busiest: f64,
    /// The share of clients that ask for a place and never come.
    pub never_come: f64,
    /// The share that come after their place was given up.
    pub come_late: f64,
    /// The share that leave and come back to the same server without asking.
    pub reconnect: f64,
}

impl Demand {
    /// The mean session of [`Chance::session`], in seconds: scale times Gamma(1 + 1/shape).
    const MEAN_SESSION: f64 = 2400.0;

    /// Players who come in a second, on average, at that time of the day.
    pub fn rate(&self, since_begin: Duration) -> f64 {
        let hours = since_begin.as_secs_f64() / 3600.0;
        let wave = 0.5 + 0.5 * ((hours - self.busiest) / self.period * std::f64::consts::TAU).cos();
        let share = (1.0 - self.trough).mul_add(wave, self.trough);
        self.peak * share / Self::MEAN_SESSION
    }
}

impl Scenario {
    /// The day that a seed stands for, with so many hours of trouble.
    pub fn of(seed: u64, trouble: Duration) -> Self {
        let mut chance = Chance::new(seed, 1);
        let policy = setting_itself(policy(&mut chance), seed);
        let demand = demand(&mut chance, &policy);
        let faults = faults(&mut chance, trouble, policy.pools);
        let accidents = accidents(&mut chance, trouble, &faults);
        let zones = (0..policy.pools).map(|pool| if policy.intents_span_pools { 0 } else { pool }).collect();
        Self { seed, calm_at: ORIGIN + trouble, policy, zones, demand, faults, accidents }
    }
}

fn policy(chance: &mut Chance) -> Policy {
    let server_capacity = chance.pick(&[1, 2, 4, 10, 10, 10, 25]);
    let upscale_margin = chance.number(1, server_capacity * 2);
    let band = server_capacity + chance.number(1, server_capacity * 2);
    let min_servers = chance.pick(&[1, 1, 2, 3, 6]);
    let seconds = Duration::from_secs;
    Policy {
        upscale_margin,
        downscale_margin: upscale_margin + band,
        server_capacity,
        min_servers,
        max_servers: min_servers + chance.number(2, 24),
        max_launching: chance.pick(&[1, 2, 3, 5, 10]),
        allocation: chance.pick(&[AllocationRule::Packed, AllocationRule::Packed, AllocationRule::Distributed]),
        hold_ttl: chance.pick(&[10, 30, 30, 60].map(seconds)),
        health_interval: chance.pick(&[2, 5, 5, 10].map(seconds)),
        health_timeout: chance.pick(&[1, 2, 3].map(seconds)),
        silent_after_misses: chance.number(1, 4),
        silence_grace: chance.pick(&[15, 30, 60].map(seconds)),
        launch_backoff: chance.pick(&[1, 5, 10].map(seconds)),
        launch_backoff_max: chance.pick(&[60, 300].map(seconds)),
        rollout_surge: chance.number(1, 3),
        rollout_failures: chance.number(1, 4),
        pools: chance.pick(&[1, 2, 3]),
        intents_span_pools: chance.happens(0.5),
        observe_interval: chance.pick(&[5, 10, 15].map(seconds)),
        call_timeout: chance.pick(&[10, 30].map(seconds)),
        ..Policy::default()
    }
}

/// On one day of four margins set themselves, or there may be no servers at all.
fn setting_itself(policy: Policy, seed: u64) -> Policy {
    if seed % 4 != 3 {
        return policy;
    }
    let chance = &mut Chance::new(seed, MARGINS);
    let least = chance.pick(&[0, policy.upscale_margin]);
    Policy {
        margin_policy: match chance.pick(&[0, 1, 2, 2]) {
            0 => MarginPolicy::Fixed,
            1 => MarginPolicy::Buffer(BufferPolicy { percent: chance.number(5, 40), least }),
            _ => MarginPolicy::LeadTime(LeadTimePolicy { one_in: chance.pick(&[10, 1000, 100_000]), least }),
        },
        schedule: if chance.happens(0.3) { evenings(chance) } else { Schedule::default() },
        min_servers: chance.pick(&[0, 0, policy.min_servers]),
        quiet_time: Some(chance.pick(&[60, 600].map(Duration::from_secs))),
        ..policy
    }
}

fn evenings(chance: &mut Chance) -> Schedule {
    let (hour, lasts, places) = (chance.number(0, 23), chance.number(1, 8), chance.number(1, 60));
    format!("0 {hour} * * * for {lasts}h: {places}").parse().unwrap_or_default()
}

fn demand(chance: &mut Chance, policy: &Policy) -> Demand {
    let room = f64::from(policy.max_servers * policy.server_capacity);
    // Some days are more than the fleet may grow to.
    let peak = (room * (0.15 + chance.fraction())).min(120.0);
    let period = chance.pick(&[24.0, 24.0, 6.0, 2.0]);
    Demand {
        period,
        peak,
        trough: 0.1 + 0.4 * chance.fraction(),
        busiest: chance.fraction() * period,
        // There are days when a crawler has found the address.
        never_come: chance.pick(&[0.06, 0.06, 0.4]) * chance.fraction(),
        come_late: 0.04 * chance.fraction(),
        reconnect: 0.10 * chance.fraction(),
    }
}

fn faults(chance: &mut Chance, trouble: Duration, pools: u32) -> Vec<Fault> {
    // Many short ones, few long ones; none before the fleet has seen its first minutes, none into the calm.
    let count = chance.number(6, 30);
    let mut faults: Vec<Fault> = (0..count)
        .map(|_| {
            let from = ORIGIN + chance.seconds(120.0, trouble.as_secs_f64() - 60.0);
            let until = from + chance.skewed(400.0, 1.0).min(Duration::from_hours(1));
            Fault { kind: kind(chance, pools), from, until: until.min(ORIGIN + trouble) }
        })
        .collect();
    faults.sort_by_key(|fault| fault.from);
    faults
}

fn kind(chance: &mut Chance, pools: u32) -> FaultKind {
    let share = 0.1 + 0.9 * chance.fraction();
    // No replica is behind for longer than the fleet waits for what it made.
    let lag = chance.seconds(5.0, 25.0);
    let pool = chance.number(0, pools - 1);
    let kinds = [
        FaultKind::Throttling(share),
        FaultKind::Denials,
        FaultKind::LostRequests(share),
        FaultKind::LostAnswers(share),
        FaultKind::LateEffects(share),
        FaultKind::SlowCalls,
        FaultKind::Outage,
        FaultKind::NoCapacity(None),
        FaultKind::NoCapacity(Some(pool)),
        FaultKind::NoCapacity(Some(0)),
        FaultKind::Scarcity,
        FaultKind::PlacementFailures(share),
        FaultKind::ReadLag(lag),
        FaultKind::StaleReads(share / 4.0),
        FaultKind::NeverJoin(share),
        FaultKind::LateJoin(share),
        FaultKind::AgentsDisconnected(share),
        FaultKind::StartFailures(share),
        FaultKind::SlowStart,
        FaultKind::EarlyDeaths(share),
        FaultKind::Hangs(share / 2.0),
        FaultKind::SlowAnswers(share),
        FaultKind::Garbage(share / 2.0),
        FaultKind::Lies(share / 2.0),
        FaultKind::CutOff(if share > 0.7 { 1.0 } else { share / 2.0 }),
        FaultKind::Crawler(2.0 * share),
        FaultKind::Crawler(2.0 * share),
    ];
    chance.pick(&kinds)
}

fn accidents(chance: &mut Chance, trouble: Duration, faults: &[Fault]) -> Vec<(Timestamp, Accident)> {
    let count = chance.number(6, 24);
    let last = ORIGIN + trouble.saturating_sub(Duration::from_mins(30));
    let mut accidents: Vec<(Timestamp, Accident)> = (0..count)
        .map(|_| {
            // Misfortunes come together: half of them befall a fleet that has a fault to live with already.
            let fault = chance.pick_any(faults).filter(|fault| fault.from < last);
            let at = match fault.filter(|_| chance.happens(0.5)) {
                Some(fault) => fault.from + chance.span(Duration::ZERO, fault.until.since(fault.from)),
                None => ORIGIN + chance.seconds(300.0, trouble.as_secs_f64() - 1800.0),
            };
            (at.min(last), accident(chance))
        })
        .collect();
    let at_once = Duration::from_millis(1);
    let worse: Vec<_> =
        accidents.iter().filter_map(|(at, it)| Some((*at + at_once, consequence(chance, it)?))).collect();
    accidents.extend(worse);
    accidents.sort_by_key(|(at, _)| *at);
    accidents
}

/// What follows from an accident at once, and makes it worse.
fn consequence(chance: &mut Chance, accident: &Accident) -> Option<Accident> {
    let Accident::ZoneLost(_) = accident else { return None };
    let turns = chance.number(0, 40);
    let large = Change::LargeLaunch;
    let point = chance.pick(&[CrashPoint::BeforeAnswer(large), CrashPoint::AfterAnswer(large, turns)]);
    // Who has launched a new fleet dies too, and AWS shows a part of it to the next.
    let crash = Accident::Crash(point, chance.skewed(0.3, 1.0));
    // Or: nobody is left who knows what worked, and what was registered last does not.
    Some(chance.pick(&[crash, Accident::NewRevision { works: false }]))
}

fn accident(chance: &mut Chance) -> Accident {
    const STATES: [RolloutState; 3] = [RolloutState::Active, RolloutState::Paused, RolloutState::RolledBack];
    let turns = chance.number(0, 40);
    let call = chance.pick(&[Change::Any, Change::Launch, Change::Placement, Change::Role, Change::End]);
    let point = chance.pick(&[
        CrashPoint::Turns(turns),
        CrashPoint::BeforeEffect(call),
        CrashPoint::BeforeAnswer(call),
        CrashPoint::AfterAnswer(call, turns),
    ]);
    // A service manager starts it again at once, or another machine does; somebody who has to be called does not.
    let median = chance.pick(&[0.3, 0.3, 10.0, 10.0, 600.0]);
    let down = chance.skewed(median, 1.5).min(Duration::from_hours(1));
    let moment = chance.pick(&[Moment::Now, Moment::Busy, Moment::Busy]);
    let crash = Accident::Crash(point, down);
    let rush = Accident::Rush(chance.number(5, 40));
    let new_revision = Accident::NewRevision { works: chance.happens(0.7) };
    let marked = Accident::Marked(chance.pick(&STATES));
    let second = Accident::SecondManager(chance.seconds(20.0, 600.0));
    chance.pick(&[
        Accident::InstanceLost,
        Accident::InstanceTerminatedByHand,
        Accident::InstanceStoppedByHand,
        Accident::TaskStoppedByHand,
        Accident::GameByHand,
        Accident::OtherTaskByHand,
        Accident::SpotNotice,
        new_revision,
        new_revision,
        marked,
        Accident::GameDies,
        Accident::GameHangs,
        rush,
        rush,
        crash,
        crash,
        crash,
        crash,
        Accident::ZoneLost(down),
        Accident::ZoneLost(down),
        Accident::Restart(moment, down),
        second,
    ])
}
