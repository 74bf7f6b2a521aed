//! Handing out places.

use thiserror::Error;

use super::Roster;
use crate::model::bookings::{Booking, BookingRequest, BookingState};
use crate::model::id::{Address, AllocationId, ServerId};
use crate::model::life::Phase;
use crate::model::server::{Condition, Server};
use crate::model::time::Timestamp;

/// A place handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allocation {
    /// On which server.
    pub server: ServerId,
    /// What the player is told.
    pub address: Address,
    /// With this place the free and pending ones fell below the upscale margin: the fleet is to grow at once.
    pub crosses_margin: bool,
}

/// Places handed out to a client that may come back to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booked {
    /// The places.
    pub booking: Booking,
    /// The fleet is to grow at once.
    pub crosses_margin: bool,
}

/// Why a client is not given what it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotBooked {
    /// No server has room for so many now.
    #[error("no server has room now")]
    NoRoom,
    /// No server ever will.
    #[error("a server takes {most} players at most")]
    TooManySeats {
        /// Players that a server takes.
        most: u32,
    },
    /// An earlier request with that idempotency key asked for something else.
    #[error("an earlier request with this idempotency key asked for something else")]
    OtherRequest,
}

impl Roster {
    /// Hands out a place and holds it; none if no server has one. O(log n) in the number of servers.
    pub fn allocate(&mut self, now: Timestamp) -> Option<Allocation> {
        let server = self.index.pick(self.policy.allocation, 1)?;
        self.hold(server, None, 1, now)
    }

    /// Hands out what a client asks for, or what it was given for the same request before if that is still its own.
    pub fn book(&mut self, request: BookingRequest, now: Timestamp) -> Result<Booked, NotBooked> {
        let made = request.idempotency.as_ref().and_then(|key| self.bookings.made_for(key));
        let made = made.map(|made| self.as_it_stands(made));
        if let Some(booking) = made.filter(|made| matches!(made.state, BookingState::Held | BookingState::Arrived)) {
            return if booking.is_of(&request) {
                Ok(Booked { booking, crosses_margin: false })
            } else {
                Err(NotBooked::OtherRequest)
            };
        }
        let most = self.policy.server_capacity;
        if request.seats > most {
            return Err(NotBooked::TooManySeats { most });
        }
        // A server that is full for a moment is the one to come back to all the same.
        let bound = request.sticky.as_ref().and_then(|key| self.bookings.bond(key, now));
        let bound = bound.filter(|id| self.servers.get(*id).is_some_and(|server| server.phase.is_serving()));
        let has_room = |id: &ServerId| self.servers.get(*id).is_some_and(|server| server.indexed.free >= request.seats);
        let server = bound.filter(has_room).or_else(|| self.index.pick(self.policy.allocation, request.seats));
        let held = server.and_then(|server| self.hold(server, Some(request.id), request.seats, now));
        let Allocation { server, address, crosses_margin } = held.ok_or(NotBooked::NoRoom)?;
        let booking = Booking::new(request, server, address, now + self.policy.hold_ttl);
        self.bookings.insert(booking.clone(), bound, self.policy.sticky_ttl, now);
        Ok(Booked { booking, crosses_margin })
    }

    /// An allocation, if it is known.
    pub fn booking(&self, id: AllocationId) -> Option<Booking> {
        self.bookings.get(id).map(|booking| self.as_it_stands(booking))
    }

    /// Gives back what an allocation still holds: its client does not come. What it was, if it is known.
    pub fn release(&mut self, id: AllocationId, now: Timestamp) -> Option<Booking> {
        let booking = self.booking(id)?;
        if let Some(server) = self.servers.get_mut(booking.server)
            && server.holds.release(id, now)
        {
            self.bookings.released(id);
        }
        Some(booking)
    }

    /// Where the next player would be sent, without holding the place.
    pub fn peek(&self) -> Option<Address> {
        let id = self.index.pick(self.policy.allocation, 1)?;
        Some(self.servers.get(id)?.endpoint.as_ref()?.players.clone())
    }

    /// The addresses of the servers that are available and answer, full ones too, oldest first.
    pub fn available(&self) -> Vec<Address> {
        let takes_players = |phase, condition| phase == Phase::Available && condition == Condition::Answering;
        self.servers
            .iter()
            .filter(|server| takes_players(server.phase, server.health.condition(self.policy.silent_after_misses)))
            .filter_map(|server| Some(server.endpoint.as_ref()?.players.clone()))
            .collect()
    }

    fn hold(
        &mut self,
        id: ServerId,
        allocation: Option<AllocationId>,
        seats: u32,
        now: Timestamp,
    ) -> Option<Allocation> {
        let before = self.expected();
        let server = self.servers.get_mut(id)?;
        let address = server.endpoint.as_ref()?.players.clone();
        server.holds.add(allocation, seats, now, now + self.policy.hold_ttl);
        server.handed_out += seats;
        self.reindex(id);
        self.reckoning.placed(seats);
        let margin = u64::from(self.margins.upscale);
        Some(Allocation { server: id, address, crosses_margin: before >= margin && self.expected() < margin })
    }

    fn as_it_stands(&self, booking: &Booking) -> Booking {
        let is_gone = |server: Option<&Server>| server.is_none_or(|server| matches!(server.phase, Phase::Closing(_)));
        let is_lost = booking.state == BookingState::Held && is_gone(self.servers.get(booking.server));
        let mut booking = booking.clone();
        if is_lost {
            booking.state = BookingState::Lost;
        }
        booking
    }

    /// Free and pending places.
    pub(super) fn expected(&self) -> u64 {
        self.index.total() + u64::from(self.in_flight()) * u64::from(self.policy.server_capacity)
    }
}
