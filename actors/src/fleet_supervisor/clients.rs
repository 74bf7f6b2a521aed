//! What clients ask the supervisor for: places, at once or after a wait.

use std::time::Duration;

use ractor::RpcReplyPort;

use super::{FleetMsg, FleetState, answer};
use crate::model::{Address, Booked, Booking, BookingRequest, NotBooked};
use crate::scaler_actor::ScalerMsg;
use crate::waiting::Ticket;

/// Why a client is not given what it asks for, and when to come again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It asked for what cannot be, or there is no room and it did not want to wait longer.
    NotBooked {
        /// Which of them.
        why: NotBooked,
        /// How long until there should be room, where that can be told.
        ready_in: Option<Duration>,
    },
    /// A request with the same idempotency key waits.
    UnderWay,
}

/// A client that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    request: BookingRequest,
    reply_to: RpcReplyPort<Result<Booking, Refusal>>,
}

impl FleetState {
    pub(super) fn allocate(&mut self, reply_to: RpcReplyPort<Option<Address>>) {
        // Who does not wait any more gets no place: it would be held for nobody.
        if reply_to.is_closed() {
            return;
        }
        let now = self.clock.now();
        let allocation = self.roster.allocate(now);
        let is_to_grow = match &allocation {
            Some(allocation) => allocation.crosses_margin,
            None => {
                // It is sent to the backup, and would have come.
                self.roster.turned_away(1, false);
                self.roster.missed(1, now)
            }
        };
        if is_to_grow {
            self.tell_scaler(ScalerMsg::Wake);
        }
        answer(reply_to, allocation.map(|allocation| allocation.address));
    }

    pub(super) fn book(
        &mut self,
        request: BookingRequest,
        patience: Duration,
        reply_to: RpcReplyPort<Result<Booking, Refusal>>,
    ) {
        let key = request.idempotency.as_ref();
        let is_same = |waiting: &Waiting| waiting.request.idempotency.as_ref() == key && !waiting.reply_to.is_closed();
        if key.is_some() && self.waiting.iter().any(is_same) {
            return answer(reply_to, Err(Refusal::UnderWay));
        }
        // When the manager ends, those who wait are sent away once: who comes after that must not wait.
        let patience = if self.scaler.is_some() { patience } else { Duration::ZERO };
        let seats = request.seats;
        let Some(waiting) = self.try_book(Waiting { request, reply_to }, patience.is_zero()) else { return };
        self.roster.missed(seats, self.clock.now());
        self.waiting.join(seats, waiting, |ticket| self.me.send_after(patience, move || FleetMsg::WaitOver(ticket)));
        // The fleet is to grow for those who wait.
        self.tell_scaler(ScalerMsg::Wake);
    }

    pub(super) fn wait_over(&mut self, ticket: Ticket) {
        // One that is gone by now is told nothing.
        if let Some(Waiting { request, reply_to }) = self.waiting.leave(ticket)
            && !reply_to.is_closed()
        {
            answer(reply_to, Err(self.no_room(request.seats)));
        }
    }

    /// Gives whoever waits what there is by now.
    pub(super) fn serve_waiting(&mut self) {
        if !self.waiting.is_empty() {
            let mut line = std::mem::take(&mut self.waiting);
            line.serve(|waiting| self.try_book(waiting, false));
            self.waiting = line;
        }
    }

    /// Tells those who wait that the manager ends.
    pub(super) fn send_away(&mut self) {
        let mut line = std::mem::take(&mut self.waiting);
        for Waiting { request, reply_to } in line.dissolve() {
            answer(reply_to, Err(self.no_room(request.seats)));
        }
    }

    /// Answers a client; gives it back if there is no room for it and it is not to be told so.
    fn try_book(&mut self, waiting: Waiting, tell_no_room: bool) -> Option<Waiting> {
        // As with a single place.
        if waiting.reply_to.is_closed() {
            return None;
        }
        let answered = match self.roster.book(waiting.request.clone(), self.clock.now()) {
            Ok(Booked { booking, crosses_margin }) => {
                if crosses_margin {
                    self.tell_scaler(ScalerMsg::Wake);
                }
                Ok(booking)
            }
            Err(NotBooked::NoRoom) if !tell_no_room => return Some(waiting),
            Err(NotBooked::NoRoom) => {
                if self.roster.missed(waiting.request.seats, self.clock.now()) {
                    self.tell_scaler(ScalerMsg::Wake);
                }
                Err(self.no_room(waiting.request.seats))
            }
            Err(why) => Err(Refusal::NotBooked { why, ready_in: None }),
        };
        answer(waiting.reply_to, answered);
        None
    }

    /// There is no room, and who asked is told so.
    fn no_room(&mut self, seats: u32) -> Refusal {
        self.roster.turned_away(seats, true);
        let ready_in = self.roster.ready_in(seats, self.waiting.seats(), self.clock.now());
        Refusal::NotBooked { why: NotBooked::NoRoom, ready_in }
    }
}
