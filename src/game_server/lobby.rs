//! Who is here, and who plays whom. Pure: no sockets, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;

/// A player while connected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct PlayerId(u64);

impl PlayerId {
    /// The player of that number.
    pub(super) const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// As shown to the opponent.
    pub(super) const fn number(self) -> u64 {
        self.0
    }
}

/// A player on a place.
#[derive(Debug)]
struct Player {
    opponent: Option<PlayerId>,
    tell: UnboundedSender<Message>,
}

/// The places of a game server, and who is on them.
#[derive(Debug)]
pub(super) struct Lobby {
    capacity: u32,
    /// Places reserved by connections that are being made.
    reserved: u32,
    players: BTreeMap<PlayerId, Player>,
    waiting: Option<PlayerId>,
    last_player: u64,
    departures: Arc<Notify>,
}

impl Lobby {
    /// An empty one.
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            capacity,
            reserved: 0,
            players: BTreeMap::new(),
            waiting: None,
            last_player: 0,
            departures: Arc::default(),
        }
    }

    /// How many more players it takes.
    pub(super) fn available_capacity(&self) -> u32 {
        let connected = u32::try_from(self.players.len()).unwrap_or(u32::MAX);
        self.capacity.saturating_sub(connected).saturating_sub(self.reserved)
    }

    /// Whether nobody would lose anything: not a game, not the place where an opponent is waited for, not the
    /// connection that is being made.
    pub(super) fn is_ready_to_close(&self) -> bool {
        self.players.is_empty() && self.reserved == 0
    }

    /// Reserves a place; whether there was one. Exactly one of [`join`](Self::join) and
    /// [`give_up`](Self::give_up) follows.
    pub(super) fn reserve(&mut self) -> bool {
        let room = self.available_capacity() > 0;
        self.reserved += u32::from(room);
        room
    }

    /// The connection for a reserved place did not come about.
    pub(super) fn give_up(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// A player takes a reserved place, and is matched with whoever waits.
    pub(super) fn join(&mut self, tell: UnboundedSender<Message>) -> PlayerId {
        self.reserved = self.reserved.saturating_sub(1);
        self.last_player += 1;
        let id = PlayerId(self.last_player);
        self.players.insert(id, Player { opponent: None, tell });
        self.seek_opponent(id);
        id
    }

    /// A player leaves; the opponent's game is over, and the opponent waits again.
    pub(super) fn leave(&mut self, id: PlayerId) {
        self.end_game(id, "your opponent left");
        self.players.remove(&id);
        if self.waiting == Some(id) {
            self.waiting = None;
        }
        self.departures.notify_waiters();
    }

    /// Hands what a player says to the opponent.
    pub(super) fn relay(&self, from: PlayerId, text: &str) {
        if let Some(opponent) = self.players.get(&from).and_then(|player| player.opponent) {
            self.tell(opponent, Message::Move { text: text.to_owned() });
        }
    }

    /// Ends the game between two players, if it is still on; both wait again.
    pub(super) fn game_over(&mut self, id: PlayerId, opponent: PlayerId) {
        if self.players.get(&id).is_some_and(|player| player.opponent == Some(opponent)) {
            self.end_game(id, "time is up");
            self.tell(id, Message::GameOver { reason: "time is up" });
            self.seek_opponent(id);
        }
    }

    /// The next time a player leaves; none if nobody is here.
    pub(super) fn next_departure(&self) -> Option<OwnedNotified> {
        (!self.players.is_empty()).then(|| Arc::clone(&self.departures).notified_owned())
    }

    fn end_game(&mut self, id: PlayerId, reason: &'static str) {
        let Some(opponent) = self.players.get_mut(&id).and_then(|player| player.opponent.take()) else { return };
        if let Some(player) = self.players.get_mut(&opponent) {
            player.opponent = None;
        }
        self.tell(opponent, Message::GameOver { reason });
        self.seek_opponent(opponent);
    }

    fn seek_opponent(&mut self, id: PlayerId) {
        let Some(opponent) = self.waiting.take().filter(|waiting| *waiting != id) else {
            self.waiting = Some(id);
            self.tell(id, Message::Waiting);
            return;
        };
        for (player, opponent) in [(id, opponent), (opponent, id)] {
            if let Some(seated) = self.players.get_mut(&player) {
                seated.opponent = Some(opponent);
            }
            self.tell(player, Message::GameStarted { opponent: opponent.number() });
        }
    }

    fn tell(&self, id: PlayerId, message: Message) {
        if let Some(player) = self.players.get(&id) {
            // One whose connection has just broken is about to leave.
            let _ = player.tell.send(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    fn join(lobby: &mut Lobby) -> (PlayerId, UnboundedReceiver<Message>) {
        assert!(lobby.reserve());
        let (tell, told) = unbounded_channel();
        (lobby.join(tell), told)
    }

    fn told(player: &mut UnboundedReceiver<Message>) -> Vec<Message> {
        std::iter::from_fn(|| player.try_recv().ok()).collect()
    }

    #[test]
    fn two_waiting_players_start_a_game() {
        let mut lobby = Lobby::new(10);
        let (first, mut at_first) = join(&mut lobby);
        assert!(!lobby.is_ready_to_close(), "who waits alone would lose the place");
        let (second, mut at_second) = join(&mut lobby);
        assert!(!lobby.is_ready_to_close());
        assert_eq!(told(&mut at_first), [Message::Waiting, Message::GameStarted { opponent: second.number() }]);
        assert_eq!(told(&mut at_second), [Message::GameStarted { opponent: first.number() }]);
        lobby.relay(first, "e2e4");
        assert_eq!(told(&mut at_second), [Message::Move { text: "e2e4".into() }]);
    }

    #[test]
    fn only_an_empty_server_is_ready_to_close() {
        let mut lobby = Lobby::new(10);
        assert!(lobby.is_ready_to_close());
        assert!(lobby.reserve());
        assert!(!lobby.is_ready_to_close(), "a player is on the way in");
        lobby.give_up();
        assert!(lobby.is_ready_to_close());
        let (player, _told) = join(&mut lobby);
        lobby.leave(player);
        assert!(lobby.is_ready_to_close());
    }

    #[test]
    fn who_is_left_alone_waits_and_is_matched_again() {
        let mut lobby = Lobby::new(10);
        let (first, _at_first) = join(&mut lobby);
        let (_, mut at_second) = join(&mut lobby);
        told(&mut at_second);
        lobby.leave(first);
        assert_eq!(told(&mut at_second), [Message::GameOver { reason: "your opponent left" }, Message::Waiting]);
        assert!(!lobby.is_ready_to_close());
        let (third, _) = join(&mut lobby);
        assert_eq!(told(&mut at_second), [Message::GameStarted { opponent: third.number() }]);
    }

    #[test]
    fn a_game_whose_time_is_up_ends_for_both() {
        let mut lobby = Lobby::new(10);
        let (first, mut at_first) = join(&mut lobby);
        let (second, mut at_second) = join(&mut lobby);
        told(&mut at_first);
        told(&mut at_second);
        lobby.game_over(first, second);
        assert_eq!(told(&mut at_first)[0], Message::GameOver { reason: "time is up" });
        assert_eq!(told(&mut at_second)[0], Message::GameOver { reason: "time is up" });
    }

    #[test]
    fn places_are_taken_by_reservation_and_given_back_however_it_ends() {
        let mut lobby = Lobby::new(2);
        let (first, _at_first) = join(&mut lobby);
        assert!(lobby.reserve());
        assert_eq!((lobby.available_capacity(), lobby.reserve()), (0, false));
        lobby.give_up();
        lobby.leave(first);
        assert_eq!(lobby.available_capacity(), 2);
    }
}
