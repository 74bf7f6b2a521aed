//! Counting who comes and goes, and setting the margins by it.

use std::time::Duration;

use super::Roster;
use crate::model::margins::{Margins, MarginsSeen, Record};
use crate::model::policy::Policy;
use crate::model::server::Server;
use crate::model::time::Timestamp;
use crate::model::traffic::Traffic;

/// How long a party counts as the largest that comes, at most twice as long.
const PARTY_MEMORY: Duration = Duration::from_secs(3600);

/// What was counted since the margins were last set.
#[derive(Clone, Debug, Default)]
pub(super) struct Reckoning {
    traffic: Traffic,
    /// Players in games and on their way to one, when last was counted.
    players: u32,
    /// Players who were given a place, or sent to the backup for want of one, since the last count.
    came: u32,
    /// Players who found no place when they came, since then.
    missed: u32,
    record: Record,
    parties: Parties,
    /// All who came, and those of them who were turned away.
    totals: Totals,
    /// When was last counted.
    last: Option<Timestamp>,
    /// When somebody last played or came, or this manager began to count.
    active_at: Option<Timestamp>,
    /// When somebody last found no room.
    missed_at: Option<Timestamp>,
    /// What the operator's service told last, and when.
    told: Option<(Margins, Timestamp)>,
}

/// Players, counted since this manager began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Were given a place.
    pub placed: u64,
    /// Were sent to the backup, for there was no room.
    pub turned_away: u64,
    /// Were told that there is no room, and when to come again.
    pub refused: u64,
}

/// The largest party of this hour and of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Parties {
    begun: Timestamp,
    now: u32,
    before: u32,
}

impl Parties {
    fn came(&mut self, seats: u32) {
        self.now = self.now.max(seats);
    }

    fn pass(&mut self, now: Timestamp) {
        if now.since(self.begun) >= PARTY_MEMORY {
            (self.begun, self.before, self.now) = (now, self.now, 0);
        }
    }

    fn largest(self) -> u32 {
        self.now.max(self.before)
    }
}

impl Reckoning {
    /// Players came together, and were given places.
    pub(super) fn placed(&mut self, seats: u32) {
        self.came = self.came.saturating_add(seats);
        self.parties.came(seats);
        self.totals.placed += u64::from(seats);
    }
}

/// What margins that set themselves go by, and what they came to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reckoned {
    /// When.
    pub at: Timestamp,
    /// Players in games and on their way to one, when they were last counted.
    pub players: u32,
    /// Those who ever came.
    pub totals: Totals,
    /// Servers that are not gone, on their way or on standby among them.
    pub servers: u32,
    /// Players who come, a second.
    pub arrivals: f64,
    /// Players who leave, a second.
    pub departures: f64,
    /// The variance of arrivals over their mean.
    pub dispersion: f64,
    /// Players who came together, at most.
    pub largest_party: u32,
    /// Nineteen of twenty launches took no longer.
    pub lead_time: Option<Duration>,
    /// Players that a fresh server takes.
    pub server_capacity: u32,
    /// The margins in force.
    pub margins: Margins,
}

impl Roster {
    /// Counts who came and went since this was last done, and sets the margins by it.
    ///
    /// Who leaves does not say so: of each server that was there before, those are gone who were there, or came, and are no
    /// more. Who did not show up is among them; who was on a server that is gone is not.
    pub fn reckon(&mut self, now: Timestamp) {
        let span = self.reckoning.last.map(|counted_at| now.since(counted_at));
        if span.is_some_and(|span| span.is_zero()) {
            return;
        }
        let policy = &self.policy;
        let (mut players, mut departures) = (0_u32, 0_u32);
        for server in self.servers.iter_mut().filter(|server| server.phase.is_serving()) {
            let Some(playing) = playing(server, policy) else { continue };
            players = players.saturating_add(playing);
            if let Some(before) = server.players_before.replace(playing) {
                departures = departures.saturating_add((before + server.handed_out).saturating_sub(playing));
            }
            server.handed_out = 0;
        }
        let is_empty = self.servers.len() == 0;
        let is_launching =
            self.launching + self.ledger.requested() > 0 || self.ledger.blocked(&self.policy, now).is_some();
        let quiet_time = self.policy.quiet_time.unwrap_or_default();
        self.reckoning.players = players;
        let Reckoning { traffic, came, missed, parties, last, active_at, missed_at, .. } = &mut self.reckoning;
        // A manager that finds servers does not know who has played on them.
        if *came > 0 || players > 0 || is_launching || (active_at.is_none() && !is_empty) {
            *active_at = Some(now);
        }
        // Whoever was missed cannot come back before there is a server, however long that takes.
        if let (Some(missed_at), Some(span), true) = (missed_at, span, is_launching)
            && now.since(*missed_at) < quiet_time + span
        {
            *missed_at = now;
        }
        if let Some(span) = span {
            traffic.count(*came, departures, span);
        }
        traffic.look(now, players);
        parties.pass(now);
        *last = Some(now);
        let (came, missed) = (std::mem::take(came), std::mem::take(missed));
        if let Some(span) = span.filter(|_| self.can_grow(now)) {
            self.reckoning.record = self.policy.recorded(&self.seen(now), came, missed, span);
        }
        self.set_margins(now);
    }

    /// Wider margins would come to something: servers are seen, and may be launched. A fleet without any that sleeps has none.
    fn can_grow(&self, now: Timestamp) -> bool {
        let servers = self.servers.len() as u32 + self.ledger.requested();
        self.is_ready()
            && self.margins.upscale > 0
            && servers < self.policy.max_servers
            && self.ledger.blocked(&self.policy, now).is_none()
    }

    /// The margins as they are now.
    pub const fn margins(&self) -> Margins {
        self.margins
    }

    /// What the operator wants, with the margins as they are now.
    pub fn in_force(&self) -> Policy {
        self.with_margins(self.margins)
    }

    /// The same with the margins of the policy that is only watched, if there is one.
    pub fn in_shadow(&self) -> Option<Policy> {
        self.shadow.map(|margins| self.with_margins(margins))
    }

    /// Players found no room when they came. True if other margins follow.
    pub fn missed(&mut self, seats: u32, now: Timestamp) -> bool {
        let Reckoning { missed, missed_at, .. } = &mut self.reckoning;
        *missed = missed.saturating_add(seats);
        *missed_at = Some(now);
        // One that sleeps is woken by it. Other margins change when players are counted, for the next decision.
        let before = self.margins;
        if before.upscale == 0 {
            self.set_margins(now);
        }
        self.margins != before
    }

    /// They were told so, or sent to the backup. Who will not come again would have come.
    pub fn turned_away(&mut self, seats: u32, comes_again: bool) {
        let Reckoning { totals, came, .. } = &mut self.reckoning;
        if comes_again {
            totals.refused += u64::from(seats);
        } else {
            totals.turned_away += u64::from(seats);
            *came = came.saturating_add(seats);
        }
    }

    /// What the operator's service told.
    pub fn told(&mut self, margins: Margins, now: Timestamp) {
        self.reckoning.told = Some((margins, now));
        self.set_margins(now);
    }

    /// What the margins go by.
    pub fn reckoned(&self, now: Timestamp) -> Reckoned {
        let seen = self.seen(now);
        Reckoned {
            at: now,
            players: seen.players,
            totals: self.reckoning.totals,
            servers: self.servers.len() as u32 + self.ledger.requested(),
            arrivals: seen.traffic.arrivals(),
            departures: seen.traffic.departures(),
            dispersion: seen.traffic.dispersion(),
            largest_party: seen.largest_party,
            lead_time: seen.lead_time,
            server_capacity: self.policy.server_capacity,
            margins: self.margins,
        }
    }

    pub(super) fn set_margins(&mut self, now: Timestamp) {
        let seen = self.seen(now);
        (self.margins, self.shadow) = (self.policy.margins(&seen), self.policy.shadow(&seen));
    }

    /// Other places a server make all servers' players look like others: they are counted anew.
    pub(super) fn forget_players(&mut self) {
        self.servers.iter_mut().for_each(|server| server.players_before = None);
    }

    fn with_margins(&self, Margins { upscale, downscale }: Margins) -> Policy {
        Policy { upscale_margin: upscale, downscale_margin: downscale, ..self.policy.clone() }
    }

    fn seen(&self, now: Timestamp) -> MarginsSeen<'_> {
        let Reckoning { traffic, players, record, parties, told, active_at, missed_at, .. } = &self.reckoning;
        MarginsSeen {
            now,
            // As of the last count: those of thousands of servers are not counted for whoever finds no place.
            players: *players,
            traffic,
            lead_time: self.lead_times.total().map(|total| total.p95),
            record: *record,
            largest_party: parties.largest(),
            told: *told,
            quiet_for: active_at.map_or(Duration::MAX, |active_at| now.since(active_at)),
            missed_ago: missed_at.map(|missed_at| now.since(missed_at)),
        }
    }
}

/// Players on a server, and on their way to it; none while it was not heard. It has as many places as it had when it was
/// empty: others than `server_capacity`, while that is being changed.
fn playing(server: &Server, policy: &Policy) -> Option<u32> {
    let (answer, _) = server.health.last()?;
    let capacity = server.places.unwrap_or(policy.server_capacity);
    Some(capacity.saturating_sub(answer.available_capacity) + server.holds.count())
}
