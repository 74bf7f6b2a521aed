//! Places handed out to clients that have not shown up in a health answer yet.

use std::collections::VecDeque;

use super::time::Timestamp;

/// One place handed out.
#[derive(Clone, Copy, Debug)]
struct Hold {
    number: u64,
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// The holds on one server, oldest first.
#[derive(Debug, Default)]
pub struct Holds {
    open: VecDeque<Hold>,
    last_ended_at: Option<Timestamp>,
}

impl Holds {
    /// No holds.
    pub(crate) const NONE: Self = Self { open: VecDeque::new(), last_ended_at: None };

    /// How many places are held.
    pub fn count(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    /// When the last hold ended, if there ever was one: what a server said before cannot know of that client.
    pub const fn last_ended_at(&self) -> Option<Timestamp> {
        self.last_ended_at
    }

    /// Holds a place. `number` tells it apart from every other hold.
    pub(crate) fn add(&mut self, number: u64, made_at: Timestamp, expires_at: Timestamp) {
        self.open.push_back(Hold { number, made_at, expires_at });
    }

    /// Ends one hold whose time is over; whether it was still open.
    pub(crate) fn expire(&mut self, number: u64, now: Timestamp) -> bool {
        let Some(at) = self.open.iter().position(|hold| hold.number == number) else {
            return false;
        };
        self.open.remove(at);
        self.last_ended_at = Some(now);
        true
    }

    /// Ends up to `seats` of the oldest holds made before `asked_at`: their clients have shown up in an answer to a
    /// question put after the hold was made. Gives back the (expiry, number) of each.
    pub(crate) fn seat(&mut self, seats: u32, asked_at: Timestamp, now: Timestamp) -> Vec<(Timestamp, u64)> {
        let mut seated = Vec::new();
        while seated.len() < seats as usize && self.open.front().is_some_and(|hold| hold.made_at < asked_at) {
            if let Some(hold) = self.open.pop_front() {
                seated.push((hold.expires_at, hold.number));
                self.last_ended_at = Some(now);
            }
        }
        seated
    }

    /// The (expiry, number) of every open hold.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.open.iter().map(|hold| (hold.expires_at, hold.number))
    }
}
