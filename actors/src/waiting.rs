//! Clients that wait for places, in the order in which they came.

use std::collections::VecDeque;

use tokio::task::AbortHandle;

/// A client's number in the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket(u64);

/// One who waits.
#[derive(Debug)]
struct Waiter<T> {
    ticket: Ticket,
    seats: u32,
    what: T,
    /// Ends the wait.
    timer: AbortHandle,
}

/// The line.
#[derive(Debug)]
pub(crate) struct WaitingLine<T> {
    line: VecDeque<Waiter<T>>,
    came: u64,
}

impl<T> Default for WaitingLine<T> {
    fn default() -> Self {
        Self { line: VecDeque::new(), came: 0 }
    }
}

impl<T> WaitingLine<T> {
    /// Puts one at its end, who waits for so many places until the timer that is made for its ticket.
    pub(crate) fn join(&mut self, seats: u32, what: T, timer: impl FnOnce(Ticket) -> AbortHandle) {
        self.came += 1;
        let ticket = Ticket(self.came);
        self.line.push_back(Waiter { ticket, seats, what, timer: timer(ticket) });
    }

    /// Takes one out whose wait is over. None if it was served before.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let index = self.line.iter().position(|waiter| waiter.ticket == ticket)?;
        self.line.remove(index).map(Waiter::done)
    }

    /// Goes through the line: who is served, by `serve`, leaves it. One for whom there is no room lets those behind pass
    /// who want less.
    pub(crate) fn serve(&mut self, mut serve: impl FnMut(T) -> Option<T>) {
        let (mut no_room_for, mut stay) = (u32::MAX, Vec::new());
        while no_room_for > 1
            && let Some(waiter) = self.line.pop_front()
        {
            if waiter.seats >= no_room_for {
                stay.push(waiter);
                continue;
            }
            let Waiter { ticket, seats, what, timer } = waiter;
            match serve(what) {
                Some(what) => {
                    no_room_for = seats;
                    stay.push(Waiter { ticket, seats, what, timer });
                }
                None => timer.abort(),
            }
        }
        stay.into_iter().rev().for_each(|waiter| self.line.push_front(waiter));
    }

    /// Takes everybody out.
    pub(crate) fn dissolve(&mut self) -> impl Iterator<Item = T> {
        self.line.drain(..).map(Waiter::done)
    }

    /// Those who wait.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.line.iter().map(|waiter| &waiter.what)
    }

    /// Places that are waited for.
    pub(crate) fn seats(&self) -> u32 {
        self.line.iter().fold(0, |seats, waiter| seats.saturating_add(waiter.seats))
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }
}

impl<T> Waiter<T> {
    fn done(self) -> T {
        self.timer.abort();
        self.what
    }
}
