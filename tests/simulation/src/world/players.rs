//! Players: they come by day and in rushes, ask where to play, and go there, or not, or late, or again.

use std::time::Duration;

use actors::model::{Address, TaskId, Timestamp};

use super::{Errand, Happening, World};
use crate::event::{Arrival, Cause, Event, Given, ManagerId, PlayerId};
use crate::scenario::ORIGIN;

/// How often a client asks again before it gives up.
const TRIES: u32 = 4;

/// One player.
#[derive(Debug, Default)]
pub struct Player {
    /// Where the player is going, or plays.
    address: Option<Address>,
    /// Who said so, and when.
    given: Option<(ManagerId, Timestamp)>,
    /// Where the player plays.
    on: Option<TaskId>,
    tries: u32,
    /// Asks, and never comes.
    is_crawler: bool,
}

impl World {
    pub(super) fn player_comes(&mut self) {
        if self.is_calm() {
            return;
        }
        let rate = self.scenario.demand.rate(self.now().since(ORIGIN));
        let pause = self.chance.pause(rate);
        self.after(pause, Happening::PlayerComes);
        self.new_player(Duration::ZERO);
    }

    /// A new player asks for a place, after so long.
    pub(super) fn new_player(&mut self, after: Duration) {
        self.new_client(Player::default(), after);
    }

    pub(super) fn crawler_asks(&mut self, fault: usize, rate: f64) {
        if self.weather.has_number(fault) {
            self.new_client(Player { is_crawler: true, ..Player::default() }, Duration::ZERO);
            let pause = self.chance.pause(rate);
            self.after(pause, Happening::CrawlerAsks(fault, rate));
        }
    }

    fn new_client(&mut self, client: Player, after: Duration) {
        let id = PlayerId(u32::try_from(self.number()).unwrap_or(u32::MAX));
        self.players.insert(id, client);
        self.after(after, Happening::PlayerAsks(id));
    }

    pub(super) fn player_asks(&mut self, player: PlayerId) {
        if self.is_calm() {
            self.players.remove(&player);
        } else {
            self.errands.push(Errand::Ask(player));
        }
    }

    /// Nobody listens where players ask.
    pub fn nobody_to_ask(&mut self, player: PlayerId) {
        self.try_again(player, 2.0, 15.0);
    }

    /// A manager sends a player somewhere.
    pub fn sent(&mut self, manager: ManagerId, player: PlayerId, given: Given) {
        self.tell(Event::Sent(manager, player, given.clone()));
        let now = self.now();
        let Some(known) = self.players.get_mut(&player) else { return };
        let Given::Place(address) = given else {
            self.try_again(player, 10.0, 90.0);
            return;
        };
        known.address = Some(address);
        known.given = Some((manager, now));
        let (demand, ttl) = (self.scenario.demand, self.scenario.policy.hold_ttl);
        if known.is_crawler || self.chance.happens(demand.never_come) {
            self.players.remove(&player);
            return;
        }
        let takes = if self.chance.happens(demand.come_late) {
            ttl + self.chance.seconds(0.1, 120.0)
        } else if self.chance.happens(0.25) {
            // A slow machine, a slow line.
            self.chance.span(Duration::from_millis(100), ttl.saturating_sub(Duration::from_millis(200)))
        } else {
            self.chance.seconds(0.1, 4.0)
        };
        self.after(takes, Happening::PlayerArrives(player));
    }

    pub(super) fn player_arrives(&mut self, player: PlayerId) {
        let Some((address, given)) =
            self.players.get(&player).and_then(|known| Some((known.address.clone()?, known.given)))
        else {
            return;
        };
        let place = address.as_str().parse().ok();
        let task = place.and_then(|place| self.game_at(place)).cloned();
        let arrival = match task.and_then(|id| Some((self.tasks.get(&id)?, id))) {
            Some((task, _)) if task.temper.hangs => Arrival::Nobody(address),
            Some((task, id)) if task.players.len() >= task.capacity as usize => Arrival::Full(id),
            Some((_, id)) => Arrival::Seated(id),
            None => Arrival::Nobody(address),
        };
        if let Arrival::Seated(id) = &arrival {
            if let Some(task) = self.tasks.get_mut(id) {
                task.players.push(player);
            }
            if let Some(known) = self.players.get_mut(&player) {
                known.on = Some(id.clone());
                known.tries = 0;
            }
            let session = self.chance.session().max(Duration::from_secs(2));
            self.after(session, Happening::PlayerLeaves(player));
        }
        let is_seated = matches!(arrival, Arrival::Seated(_));
        self.tell(Event::Arrived { player, arrival, given });
        if !is_seated {
            self.try_again(player, 1.0, 20.0);
        }
    }

    pub(super) fn player_leaves(&mut self, player: PlayerId) {
        if self.is_calm() {
            return;
        }
        let Some(known) = self.players.get_mut(&player) else { return };
        let Some(id) = known.on.take() else { return };
        known.given = None;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.players.retain(|other| *other != player);
        }
        self.tell(Event::Left(player, id));
        let reconnect = self.scenario.demand.reconnect;
        if self.chance.happens(reconnect) {
            let pause = self.chance.seconds(0.5, 60.0);
            self.after(pause, Happening::PlayerArrives(player));
        } else {
            self.players.remove(&player);
        }
    }

    /// A player's game ended under the player's hands.
    pub(super) fn cut_off(&mut self, player: PlayerId, task: &TaskId, cause: Cause) {
        if let Some(known) = self.players.get_mut(&player) {
            known.on = None;
        }
        self.tell(Event::CutOff(player, task.clone(), cause));
        // A new player in all but name: the old game's end still stands in the queue.
        self.players.remove(&player);
        let pause = self.chance.seconds(1.0, 15.0);
        self.new_player(pause);
    }

    fn try_again(&mut self, player: PlayerId, least: f64, most: f64) {
        let pause = self.chance.seconds(least, most);
        let Some(known) = self.players.get_mut(&player) else { return };
        known.tries += 1;
        if known.tries < TRIES {
            self.after(pause, Happening::PlayerAsks(player));
        } else {
            self.players.remove(&player);
        }
    }
}
