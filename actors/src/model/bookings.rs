//! Allocations that a client may come back to: what became of each, and which request it was made for.
//!
//! They are kept in memory, for some time after their holds have ended. A manager that starts knows of none: what its
//! predecessor held is waited out before anything is closed, but a client that retries then is given another place.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::holds::HoldEnd;
use super::id::{Address, AllocationId, ServerId};
use super::time::Timestamp;

/// An ended allocation is known for so long: a client's retries are over by then.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// Ended allocations that are known at once, and sticky keys, at most: some hundred bytes each. Beyond that the oldest go.
const MOST: usize = 200_000;

/// A text that a client chose: the same one means the same thing to it.
pub type Key = Arc<str>;

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookingRequest {
    /// What the allocation is to be called.
    pub id: AllocationId,
    /// Places, all on one server; at least one.
    pub seats: u32,
    /// Who had this key before goes to the same server, while it has room.
    pub sticky: Option<Key>,
    /// A request with this key was made before if there is an allocation of it: that one is meant.
    pub idempotency: Option<Key>,
}

/// What has become of an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookingState {
    /// Its places are held.
    Held,
    /// Its players have shown up.
    Arrived,
    /// They have not in time, and their places are held no more.
    Expired,
    /// Its client gave the places back.
    Released,
    /// The server is gone.
    Lost,
}

impl BookingState {
    /// A word for clients.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Arrived => "arrived",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Lost => "lost",
        }
    }
}

/// An allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Its name.
    pub id: AllocationId,
    /// Where its places are.
    pub server: ServerId,
    /// What its players are told.
    pub address: Address,
    /// How many places.
    pub seats: u32,
    /// When they are not held any more, if nobody shows up.
    pub held_until: Timestamp,
    /// What has become of it.
    pub state: BookingState,
    sticky: Option<Key>,
    idempotency: Option<Key>,
}

impl Booking {
    /// Places that have just been held for a request.
    pub(super) fn new(request: BookingRequest, server: ServerId, address: Address, held_until: Timestamp) -> Self {
        let BookingRequest { id, seats, sticky, idempotency } = request;
        Self { id, server, address, seats, held_until, state: BookingState::Held, sticky, idempotency }
    }

    /// Whether a request that has its idempotency key asks for the same.
    pub(super) fn is_of(&self, request: &BookingRequest) -> bool {
        self.seats == request.seats && self.sticky == request.sticky
    }
}

/// The server that a sticky key was last given.
#[derive(Debug)]
struct Bond {
    server: ServerId,
    until: Timestamp,
}

/// All allocations that are known.
#[derive(Debug, Default)]
pub(super) struct Bookings {
    known: BTreeMap<AllocationId, Booking>,
    by_idempotency: BTreeMap<Key, AllocationId>,
    /// In the order in which they were made, with some that are forgotten already.
    made: VecDeque<AllocationId>,
    /// In the order in which they ended, with some that are forgotten already.
    ended: VecDeque<AllocationId>,
    bonds: BTreeMap<Key, Bond>,
    /// Keys in the order of their last use; what was used again stands there again.
    bond_order: VecDeque<(Timestamp, Key)>,
}

impl Bookings {
    pub(super) fn get(&self, id: AllocationId) -> Option<&Booking> {
        self.known.get(&id)
    }

    /// The allocation that was made for an earlier request with that key.
    pub(super) fn made_for(&self, idempotency: &Key) -> Option<&Booking> {
        self.by_idempotency.get(idempotency).and_then(|id| self.known.get(id))
    }

    /// The server that who has this key was sent to.
    pub(super) fn bond(&self, sticky: &Key, now: Timestamp) -> Option<ServerId> {
        self.bonds.get(sticky).filter(|bond| now < bond.until).map(|bond| bond.server)
    }

    /// Keeps a new one. Its sticky key is good for so long, and leads where it led before if that is told.
    pub(super) fn insert(&mut self, booking: Booking, bound: Option<ServerId>, sticky_ttl: Duration, now: Timestamp) {
        self.forget(now);
        if let Some(key) = &booking.sticky {
            let until = now + sticky_ttl;
            self.bonds.insert(Arc::clone(key), Bond { server: bound.unwrap_or(booking.server), until });
            self.bond_order.push_back((until, Arc::clone(key)));
        }
        if let Some(key) = &booking.idempotency {
            self.by_idempotency.insert(Arc::clone(key), booking.id);
        }
        self.made.push_back(booking.id);
        self.known.insert(booking.id, booking);
    }

    /// Its places are not held any more.
    pub(super) fn ended(&mut self, id: AllocationId, end: HoldEnd) {
        self.end(
            id,
            match end {
                HoldEnd::Arrived => BookingState::Arrived,
                HoldEnd::Expired => BookingState::Expired,
            },
        );
    }

    /// Its client has given it back.
    pub(super) fn released(&mut self, id: AllocationId) {
        self.end(id, BookingState::Released);
    }

    /// Whichever end comes first is the one.
    fn end(&mut self, id: AllocationId, state: BookingState) {
        if let Some(booking) = self.known.get_mut(&id).filter(|booking| booking.state == BookingState::Held) {
            booking.state = state;
            self.ended.push_back(id);
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some(id) = self.made.front().copied() {
            if self.known.get(&id).is_some_and(|oldest| now < oldest.held_until + KNOWN_FOR) {
                break;
            }
            self.made.pop_front();
            self.remove(id);
        }
        // Behind one that is held for long there may be any number that were given back and forgotten.
        if self.made.len() > 2 * self.known.len().max(MOST) {
            self.made.retain(|id| self.known.contains_key(id));
        }
        // Of those that hold places there are no more than places.
        while self.ended.len() > MOST
            && let Some(id) = self.ended.pop_front()
        {
            self.remove(id);
        }
        while let Some((until, key)) = self.bond_order.front() {
            if now < *until && self.bond_order.len() < MOST {
                break;
            }
            if self.bonds.get(key).is_some_and(|bond| bond.until == *until) {
                self.bonds.remove(key);
            }
            self.bond_order.pop_front();
        }
    }

    fn remove(&mut self, id: AllocationId) {
        let key = self.known.remove(&id).and_then(|booking| booking.idempotency);
        // A key that was used again stands for the later one.
        if let Some(key) = key.filter(|key| self.by_idempotency.get(key) == Some(&id)) {
            self.by_idempotency.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);
    const TTL: Duration = Duration::from_secs(30);
    const STICKY: Duration = Duration::from_secs(3600);

    fn booking(number: u128, key: &str) -> Booking {
        let id = AllocationId::from_number(number);
        let request = BookingRequest { id, seats: 1, sticky: Some(key.into()), idempotency: Some(key.into()) };
        Booking::new(request, ServerId::from_number(1), Address::new("192.0.2.1:9000"), NOW + TTL)
    }

    #[test]
    fn an_allocation_is_known_for_a_while_after_its_end_and_a_sticky_key_as_long_as_it_may() {
        let mut bookings = Bookings::default();
        bookings.insert(booking(1, "a"), None, STICKY, NOW);
        let later = NOW + TTL + KNOWN_FOR;
        bookings.insert(booking(2, "b"), None, STICKY, later);
        assert_eq!((bookings.get(AllocationId::from_number(1)), bookings.made_for(&"a".into())), (None, None));
        assert!(bookings.get(AllocationId::from_number(2)).is_some());
        assert_eq!(bookings.bond(&"a".into(), later), Some(ServerId::from_number(1)));
        assert_eq!(bookings.bond(&"a".into(), NOW + STICKY), None);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut bookings = Bookings::default();
        let held = AllocationId::from_number(u128::MAX);
        bookings.insert(booking(u128::MAX, "held"), None, STICKY, NOW);
        for number in 0..3 * MOST as u128 {
            bookings.insert(booking(number, &number.to_string()), None, STICKY, NOW);
            bookings.released(AllocationId::from_number(number));
        }
        assert!(bookings.made.len() <= 2 * (MOST + 2) + 1, "{} are too many", bookings.made.len());
        // The last one ended after what is too old was forgotten.
        let sizes = [bookings.known.len() - 2, bookings.by_idempotency.len() - 2, bookings.ended.len() - 1];
        assert_eq!((sizes, bookings.bonds.len()), ([MOST; 3], MOST));
        assert_eq!(bookings.get(AllocationId::from_number(3)), None, "the oldest have gone");
        assert!(bookings.get(held).is_some(), "not those that hold places");
        bookings.insert(booking(u128::MAX - 1, "later"), None, STICKY, NOW + TTL + KNOWN_FOR);
        assert_eq!((bookings.known.len(), bookings.made.len()), (1, 1));
    }
}
