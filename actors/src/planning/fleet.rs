//! A fleet that is only computed: the allocation index and the scaling decision of the daemon, on servers that are numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    Action, AllocationIndex, AllocationRule, CloseReason, Condition, FleetView, LeadTime, LeadTimes, Phase, Policy,
    Room, ServerId, ServerView, Timestamp, decide,
};

/// What became of the fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Servers that were launched.
    pub launches: u64,
    /// Servers that were ended.
    pub terminations: u64,
    /// Servers that were sent to standby.
    pub drains: u64,
    /// Servers that were taken back from standby.
    pub taken_back: u64,
    /// Players who got a place at once.
    pub served: u64,
    /// Players who got one after they had waited for it.
    pub waited: u64,
    /// Players who got none.
    pub turned_away: u64,
    /// Seconds for which those who got one waited, together.
    pub wait_seconds: u64,
    /// Of them, those of who waited longest.
    pub longest_wait: u32,
    /// Seconds of all servers together, from launch to end.
    pub server_seconds: u64,
    /// Seconds of all players together.
    pub player_seconds: u64,
    /// Seconds of all free places together, of servers that take players or not.
    pub idle_seat_seconds: u64,
    /// The most servers at once.
    pub most_servers: u32,
}

impl Counts {
    /// Players who wanted a place.
    pub const fn players(&self) -> u64 {
        self.served + self.waited + self.turned_away
    }
}

/// The fleet at a moment.
pub(super) struct Fleet {
    view: FleetView,
    /// By number: where each server is in the view.
    places: Vec<Option<usize>>,
    index: AllocationIndex,
    capacity: u32,
    players: u32,
    launching: u32,
    available: u32,
    /// A standby server is empty.
    has_drained: bool,
    departures: Departures,
    /// When launches come to serve.
    ready: BTreeMap<u32, Vec<usize>>,
    lead_times: LeadTimes,
    pub(super) counts: Counts,
}

impl Fleet {
    /// A fleet that has these players already, each for so long, and its upscale margin of free places. Those for whom it
    /// may not have so many servers are given.
    pub(super) fn begin<'a>(policy: &Policy, stays: &'a [u32]) -> (Self, &'a [u32]) {
        let mut fleet = Self::empty(policy);
        let places = (stays.len() as u32).saturating_add(policy.upscale_margin);
        let servers = places.div_ceil(policy.server_capacity).max(policy.min_servers).min(policy.max_servers);
        for _ in 0..servers {
            let number = fleet.add(Phase::Available, 0);
            fleet.available += 1;
            fleet.reindex(number, Room::NONE, fleet.room(number));
        }
        // They were served before.
        let left = fleet.arrive(policy, 0, stays);
        (fleet, left)
    }

    fn empty(policy: &Policy) -> Self {
        let view = FleetView {
            servers: Vec::new(),
            waiting: 0,
            paused: false,
            requested: 0,
            launches_blocked: None,
            observed_at: Some(Timestamp::default()),
            cloud_is_fresh: true,
        };
        Self {
            view,
            places: Vec::new(),
            index: AllocationIndex::default(),
            capacity: policy.server_capacity,
            players: 0,
            launching: 0,
            available: 0,
            has_drained: false,
            departures: Departures::default(),
            ready: BTreeMap::new(),
            lead_times: LeadTimes::default(),
            counts: Counts::default(),
        }
    }

    /// Players in games.
    pub(super) const fn players(&self) -> u32 {
        self.players
    }

    /// Servers that cost money.
    pub(super) fn servers(&self) -> u32 {
        self.view.servers.len() as u32
    }

    /// Free places.
    pub(super) fn free(&self) -> u32 {
        self.index.total() as u32
    }

    /// Servers that take no more players.
    pub(super) fn standby(&self) -> u32 {
        self.servers() - self.available - self.launching
    }

    /// Nineteen of twenty of the last launches took no longer.
    pub(super) fn lead_time(&self) -> Option<Duration> {
        Some(self.lead_times.total()?.p95)
    }

    /// Players come, each for so long. Those who found no place are given.
    pub(super) fn arrive<'a>(&mut self, policy: &Policy, second: u32, stays: &'a [u32]) -> &'a [u32] {
        let mut left = stays;
        while !left.is_empty()
            && let Some(server) = self.index.pick(policy.allocation, 1)
        {
            let number = server.0 as usize;
            let before = self.room(number);
            let together = match policy.allocation {
                // The same server is picked until it is full.
                AllocationRule::Packed => (before.free as usize).min(left.len()),
                AllocationRule::Distributed => 1,
            };
            let (seated, rest) = left.split_at(together);
            seated.iter().for_each(|stay| self.departures.add(second.saturating_add(*stay), number));
            self.seat(number, seated.len() as u32);
            self.reindex(number, before, self.room(number));
            left = rest;
        }
        left
    }

    fn seat(&mut self, number: usize, players: u32) {
        let Some(place) = self.places[number] else { return };
        let server = &mut self.view.servers[place];
        server.unclaimed -= players;
        server.drained = false;
        self.players += players;
    }

    /// What happens by itself in this second: players leave, launches come to serve. How many left is given.
    pub(super) fn pass(&mut self, second: u32) -> u32 {
        let left = self.departures.of(second);
        for number in &left {
            let number = *number as usize;
            let Some(place) = self.places[number] else { continue };
            let before = self.room(number);
            let server = &mut self.view.servers[place];
            server.unclaimed += 1;
            server.drained = server.unclaimed == self.capacity;
            self.has_drained |= server.drained && server.phase == Phase::Standby;
            self.reindex(number, before, self.room(number));
        }
        self.players -= left.len() as u32;
        for number in self.ready.remove(&second).unwrap_or_default() {
            self.launching -= 1;
            self.available += 1;
            if let Some(place) = self.places[number] {
                let total = at(second).since(self.view.servers[place].phase_since);
                self.lead_times
                    .record(LeadTime { stages: [total, Duration::ZERO, Duration::ZERO, Duration::ZERO], total });
            }
            self.turn(number, Phase::Available, second);
        }
        self.counts.server_seconds += self.view.servers.len() as u64;
        self.counts.player_seconds += u64::from(self.players);
        let serving = u64::from(self.servers() - self.launching);
        self.counts.idle_seat_seconds += serving * u64::from(self.capacity) - u64::from(self.players);
        self.counts.most_servers = self.counts.most_servers.max(self.servers());
        left.len() as u32
    }

    /// Decides, as the daemon does while so many wait, and does it. Each launch takes as long as it is told.
    pub(super) fn scale(
        &mut self,
        policy: &Policy,
        waiting: u32,
        second: u32,
        mut lead_time: impl FnMut() -> Duration,
    ) {
        self.view.waiting = waiting;
        if !self.may_change(policy) {
            return;
        }
        let now = at(second);
        self.view.observed_at = Some(now);
        self.has_drained = false;
        let decision = decide(&self.view, policy, now);
        let mut closed = false;
        for action in decision.actions() {
            match action {
                Action::TakeBack(server) => {
                    self.counts.taken_back += 1;
                    self.available += 1;
                    self.turn(server.0 as usize, Phase::Available, second);
                }
                Action::Launch(count) => {
                    for _ in 0..count {
                        let number = self.add(Phase::Booting, second);
                        self.launching += 1;
                        self.counts.launches += 1;
                        let ready = second.saturating_add(lead_time().as_secs() as u32).max(second + 1);
                        self.ready.entry(ready).or_default().push(number);
                    }
                }
                Action::Standby(server) | Action::Retreat(server) => {
                    self.counts.drains += 1;
                    self.available -= 1;
                    self.turn(server.0 as usize, Phase::Standby, second);
                    let place = self.places[server.0 as usize];
                    self.has_drained |= place.is_some_and(|place| self.view.servers[place].drained);
                }
                Action::Close(server, reason) => {
                    closed = true;
                    self.counts.terminations += 1;
                    self.close(server.0 as usize, reason);
                }
            }
        }
        if closed {
            self.forget_closed();
        }
    }

    /// Whether a decision could come to anything: looking costs more than all else.
    fn may_change(&self, policy: &Policy) -> bool {
        let free = self.free();
        let expected = free.saturating_add(self.launching.saturating_mul(self.capacity));
        expected < policy.upscale_margin.saturating_add(self.view.waiting)
            || self.available + self.launching < policy.min_servers
            || (free > policy.downscale_margin && self.available > policy.min_servers)
            || self.has_drained
    }

    fn add(&mut self, phase: Phase, second: u32) -> usize {
        let number = self.places.len();
        self.places.push(Some(self.view.servers.len()));
        self.view.servers.push(ServerView {
            id: ServerId(number as u64),
            phase,
            phase_since: at(second),
            known_since: at(second),
            condition: Condition::Answering,
            unanswered_since: at(second),
            heard: true,
            unclaimed: self.capacity,
            drained: true,
            cordoned: false,
            leaving: false,
            outdated: false,
        });
        number
    }

    fn turn(&mut self, number: usize, phase: Phase, second: u32) {
        let Some(place) = self.places[number] else { return };
        let before = self.room(number);
        let server = &mut self.view.servers[place];
        server.phase = phase;
        server.phase_since = at(second);
        self.reindex(number, before, self.room(number));
    }

    fn close(&mut self, number: usize, reason: CloseReason) {
        if let Some(place) = self.places[number].take() {
            self.view.servers[place].phase = Phase::Closing(reason);
        }
    }

    fn forget_closed(&mut self) {
        self.view.servers.retain(|server| !matches!(server.phase, Phase::Closing(_)));
        for (place, server) in self.view.servers.iter().enumerate() {
            self.places[server.id.0 as usize] = Some(place);
        }
    }

    fn room(&self, number: usize) -> Room {
        let free = self.places[number].map_or(0, |place| self.view.servers[place].free());
        Room { outdated: false, free }
    }

    fn reindex(&mut self, number: usize, before: Room, after: Room) {
        self.index.update(ServerId(number as u64), before, after);
    }
}

fn at(second: u32) -> Timestamp {
    Timestamp::from_secs(u64::from(second))
}

/// Who leaves when: by the minute, and by the second in the minute that is under way.
#[derive(Default)]
struct Departures {
    minutes: BTreeMap<u32, Vec<(u8, u32)>>,
    seconds: Vec<Vec<u32>>,
    minute: u32,
}

impl Departures {
    fn add(&mut self, second: u32, server: usize) {
        let (minute, within) = (second / 60, second % 60);
        if minute == self.minute && !self.seconds.is_empty() {
            self.seconds[within as usize].push(server as u32);
        } else {
            self.minutes.entry(minute).or_default().push((within as u8, server as u32));
        }
    }

    /// Those who leave in this second; seconds are asked for one after the other.
    fn of(&mut self, second: u32) -> Vec<u32> {
        let (minute, within) = (second / 60, second % 60);
        if minute != self.minute || self.seconds.is_empty() {
            self.minute = minute;
            self.seconds = vec![Vec::new(); 60];
            for (within, server) in self.minutes.remove(&minute).unwrap_or_default() {
                self.seconds[within as usize].push(server);
            }
        }
        std::mem::take(&mut self.seconds[within as usize])
    }
}
