//! Places handed out to clients that have not shown up in a health answer yet.

use std::collections::VecDeque;

use super::id::AllocationId;
use super::time::Timestamp;

/// Places handed out together.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// Whose they are, if its client may come back to them.
    allocation: Option<AllocationId>,
    /// Those of whose players none has shown up yet; at least one.
    seats: u32,
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// How a hold came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldEnd {
    /// As many players as it was for have shown up.
    Arrived,
    /// Its time is over.
    Expired,
}

/// The holds on one server, oldest first. A health answer ends one: by showing that its client has come, or, once its
/// time is over, that it has not. Time alone does not, since a client may have come since the last answer; nor does a
/// client that gives its places back.
#[derive(Debug, Default)]
pub struct Holds {
    open: VecDeque<Hold>,
    /// Seats of all of them.
    count: u32,
}

impl Holds {
    /// No holds.
    pub(crate) const NONE: Self = Self { open: VecDeque::new(), count: 0 };

    /// How many places are held.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Holds places.
    pub(crate) fn add(
        &mut self,
        allocation: Option<AllocationId>,
        seats: u32,
        made_at: Timestamp,
        expires_at: Timestamp,
    ) {
        self.open.push_back(Hold { allocation, seats, made_at, expires_at });
        self.count += seats;
    }

    /// Gives back what an allocation still holds: its time is over. Some of its players may have come since the last
    /// answer, so that the next one ends it. False if nothing is held.
    pub(crate) fn release(&mut self, allocation: AllocationId, now: Timestamp) -> bool {
        let is_meant = |hold: &&mut Hold| hold.allocation == Some(allocation) && hold.expires_at > now;
        let Some(held) = self.open.iter_mut().find(is_meant) else { return false };
        held.expires_at = now;
        true
    }

    /// Takes in an answer to a question put at `asked_at` that shows so many more players than the one before, and tells
    /// which allocations hold nothing any more. The players are the clients of the oldest holds that were made before the
    /// question; who has not come by the end of its time is not waited for any more.
    pub(crate) fn answered(&mut self, mut arrived: u32, asked_at: Timestamp) -> Vec<(AllocationId, HoldEnd)> {
        let mut ended = Vec::new();
        while arrived > 0
            && let Some(oldest) = self.open.front_mut().filter(|hold| hold.made_at < asked_at)
        {
            let seated = arrived.min(oldest.seats);
            arrived -= seated;
            oldest.seats -= seated;
            self.count -= seated;
            if oldest.seats == 0 {
                ended.extend(oldest.allocation.map(|allocation| (allocation, HoldEnd::Arrived)));
                self.open.pop_front();
            }
        }
        let count = &mut self.count;
        self.open.retain(|hold| {
            let stays = hold.expires_at > asked_at;
            if !stays {
                *count -= hold.seats;
                ended.extend(hold.allocation.map(|allocation| (allocation, HoldEnd::Expired)));
            }
            stays
        });
        // A rush leaves nothing behind: there are thousands of these.
        if self.open.is_empty() {
            self.open.shrink_to_fit();
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: std::time::Duration = std::time::Duration::from_secs(10);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1000 + seconds)
    }

    /// One for each time, whose allocation is that number.
    fn made_at(times: &[u64]) -> Holds {
        let mut holds = Holds::default();
        times.iter().for_each(|made| holds.add(Some(id(*made)), 1, at(*made), at(*made) + TTL));
        holds
    }

    fn id(number: u64) -> AllocationId {
        AllocationId::from_number(number.into())
    }

    #[test]
    fn clients_that_have_come_end_the_oldest_holds() {
        let mut holds = made_at(&[0, 1, 2]);
        assert_eq!(holds.answered(2, at(3)), [(id(0), HoldEnd::Arrived), (id(1), HoldEnd::Arrived)]);
        assert_eq!(holds.count(), 1);
    }

    #[test]
    fn a_hold_made_after_the_question_is_not_in_its_answer() {
        let mut holds = made_at(&[0, 5]);
        holds.answered(2, at(3));
        assert_eq!(holds.count(), 1);
    }

    #[test]
    fn a_hold_ends_with_the_first_question_after_its_time() {
        let mut holds = made_at(&[0, 5]);
        assert_eq!(holds.answered(0, at(9)), []);
        assert_eq!(holds.count(), 2);
        assert_eq!(holds.answered(0, at(10)), [(id(0), HoldEnd::Expired)]);
        assert_eq!(holds.count(), 1);
    }

    #[test]
    fn a_party_that_comes_one_by_one_holds_the_places_of_the_rest() {
        let mut holds = Holds::default();
        holds.add(Some(id(7)), 3, at(0), at(10));
        assert_eq!((holds.answered(2, at(1)), holds.count()), (vec![], 1));
        assert_eq!((holds.answered(0, at(10)), holds.count()), (vec![(id(7), HoldEnd::Expired)], 0));
    }

    #[test]
    fn what_is_given_back_is_held_until_an_answer_shows_who_came_before() {
        let mut holds = made_at(&[0, 1]);
        holds.add(Some(id(9)), 4, at(2), at(12));
        assert!(holds.release(id(9), at(2)) && !holds.release(id(9), at(2)));
        assert_eq!((holds.answered(0, at(1)), holds.count()), (vec![], 6), "this question was put before");
        assert_eq!((holds.answered(0, at(3)), holds.count()), (vec![(id(9), HoldEnd::Expired)], 2));
    }
}
