//! A fleet that serves a demand, from its first second to its last.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::demand::Demand;
use super::fleet::{Counts, Fleet};
use super::optimum::{Least, Optimum};
use super::waiting::Waiting;
use crate::model::{MarginsSeen, Policy, Record, Timestamp, Traffic};

/// How often margins that set themselves are set, in seconds.
const MARGINS_EVERY: u32 = 5;

/// What is tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// What the operator wants of the fleet.
    pub policy: Policy,
    /// When it begins: a schedule goes by it.
    pub starts: Timestamp,
    /// How long launches take, from the order to the first healthy answer; each is one of these, drawn at random.
    pub lead_times: Vec<Duration>,
    /// So many seconds a player waits for a place, where there is none, before it is turned away.
    pub patience: u32,
    /// A moment in so many seconds is told of.
    pub moments_every: u32,
}

/// The fleet in a time of [`Plan::moments_every`] seconds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Moment {
    /// When it ends, in seconds from the start.
    pub second: u32,
    /// Players who want to play, then.
    pub wanted: u32,
    /// Servers that cost money, then.
    pub servers: u32,
    /// Of them, those on standby.
    pub standby: u32,
    /// Free places of servers that take players, then.
    pub free: u32,
    /// The upscale margin, then.
    pub upscale_margin: u32,
    /// Seconds of all servers together in it.
    pub server_seconds: u64,
}

/// What would have happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// What was counted.
    pub counts: Counts,
    /// The cheapest fleet for the same players, all of whom it serves.
    pub optimum: Least,
    /// How it went.
    pub moments: Vec<Moment>,
}

impl Outcome {
    /// The share of players who got no place.
    pub fn turned_away(&self) -> f64 {
        self.counts.turned_away as f64 / self.counts.players().max(1) as f64
    }

    /// What it cost, against the cheapest fleet.
    pub fn ratio(&self) -> f64 {
        self.counts.server_seconds as f64 / self.optimum.server_seconds.max(1) as f64
    }
}

/// Has a fleet serve a demand. `passed` is told of each day that is over. The same seed gives the same players, and the same
/// outcome.
pub fn simulate(demand: &Demand, plan: &Plan, seed: u64, mut passed: impl FnMut()) -> Outcome {
    let Plan { policy, starts, lead_times, patience, moments_every } = plan;
    // No launch fails here, however long it takes.
    let never = Duration::from_secs(u64::from(u32::MAX));
    let policy = &Policy { boot_deadline: never, placement_deadline: never, healthy_deadline: never, ..policy.clone() };
    let mut players = demand.players(seed);
    // Launches have numbers of their own: however many there are, the same players come.
    let mut draw = Pcg64Mcg::seed_from_u64(!seed);
    let mut lead_time = || lead_times.get(draw.random_range(0..lead_times.len().max(1))).copied().unwrap_or_default();
    let present = players.present();
    let (mut fleet, left) = Fleet::begin(policy, &present);
    let mut waiting = Waiting::new(*patience);
    waiting.join(0, left);
    let mut optimum = Optimum::new(shortest(lead_times), servers_for(demand.present(), policy));
    let (mut traffic, mut record, mut came, mut missed) = (Traffic::default(), Record::default(), 0, 0);
    let (mut current, mut stays, mut moments) = (policy.clone(), Vec::new(), Vec::new());
    let (mut before, mut active_at, mut missed_at) = (0, 0, None);
    for second in 0..demand.seconds() {
        let departures = fleet.pass(second);
        players.come(&mut stays);
        waiting.serve(&mut fleet, &current, second);
        let left = fleet.arrive(&current, second, &stays);
        fleet.counts.served += (stays.len() - left.len()) as u64;
        if fleet.players() > 0 || !stays.is_empty() {
            active_at = second;
        }
        if !left.is_empty() {
            missed_at = Some(second);
            waiting.join(second, left);
        }
        (came, missed) = (came + stays.len() as u32, missed + left.len() as u32);
        fleet.counts.turned_away += waiting.give_up(second);
        let wanted = waiting.wanted(second, fleet.players());
        optimum.needs(servers_for(wanted, policy), second);
        optimum.tick();
        let now = *starts + Duration::from_secs(second.into());
        traffic.count(stays.len() as u32, departures, Duration::from_secs(1));
        traffic.look(now, fleet.players());
        if second % MARGINS_EVERY == 0 {
            let mut seen = MarginsSeen {
                now,
                players: fleet.players(),
                traffic: &traffic,
                lead_time: fleet.lead_time(),
                record,
                largest_party: 1,
                told: None,
                quiet_for: Duration::from_secs((second - active_at).into()),
                missed_ago: missed_at.map(|missed_at| Duration::from_secs((second - missed_at).into())),
            };
            // Wider margins would have come to something.
            if current.upscale_margin > 0 && fleet.servers() < policy.max_servers {
                record = policy.recorded(&seen, came, missed, Duration::from_secs(MARGINS_EVERY.into()));
                seen.record = record;
            }
            (came, missed) = (0, 0);
            let margins = policy.margins(&seen);
            (current.upscale_margin, current.downscale_margin) = (margins.upscale, margins.downscale);
        }
        fleet.scale(&current, waiting.count(), second, &mut lead_time);
        if (second + 1) % moments_every == 0 {
            moments.push(Moment {
                second: second + 1,
                wanted,
                servers: fleet.servers(),
                standby: fleet.standby(),
                free: fleet.free(),
                upscale_margin: current.upscale_margin,
                server_seconds: fleet.counts.server_seconds - before,
            });
            before = fleet.counts.server_seconds;
        }
        if (second + 1) % 86_400 == 0 {
            passed();
        }
    }
    // Nobody has found a place for them.
    fleet.counts.turned_away += u64::from(waiting.count());
    Outcome { counts: fleet.counts, optimum: optimum.least(), moments }
}

fn servers_for(players: u32, policy: &Policy) -> usize {
    players.div_ceil(policy.server_capacity) as usize
}

/// In seconds.
fn shortest(lead_times: &[Duration]) -> u32 {
    lead_times.iter().min().map_or(0, |shortest| shortest.as_secs() as u32)
}
