//! Places handed out to clients that have not shown up in a health answer yet.

use std::collections::VecDeque;

use super::time::Timestamp;

/// One place handed out.
#[derive(Clone, Copy, Debug)]
struct Hold {
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// The holds on one server, oldest first. Only a health answer ends one: by showing that its client has come, or, once
/// its time is over, that it has not. Time alone does not, since a client may have come since the last answer.
#[derive(Debug, Default)]
pub struct Holds {
    open: VecDeque<Hold>,
}

impl Holds {
    /// No holds.
    pub(crate) const NONE: Self = Self { open: VecDeque::new() };

    /// How many places are held.
    pub fn count(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    /// Holds a place.
    pub(crate) fn add(&mut self, made_at: Timestamp, expires_at: Timestamp) {
        self.open.push_back(Hold { made_at, expires_at });
    }

    /// Takes in an answer to a question put at `asked_at` that shows so many more players than the one before. They are
    /// the clients of the oldest holds that were made before the question; who has not come by the end of its time is
    /// not waited for any more.
    pub(crate) fn answered(&mut self, arrived: u32, asked_at: Timestamp) {
        for _ in 0..arrived {
            if self.open.front().is_none_or(|hold| hold.made_at >= asked_at) {
                break;
            }
            self.open.pop_front();
        }
        self.open.retain(|hold| hold.expires_at > asked_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: std::time::Duration = std::time::Duration::from_secs(10);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1000 + seconds)
    }

    fn made_at(times: &[u64]) -> Holds {
        let mut holds = Holds::default();
        times.iter().for_each(|made| holds.add(at(*made), at(*made) + TTL));
        holds
    }

    #[test]
    fn clients_that_have_come_end_the_oldest_holds() {
        let mut holds = made_at(&[0, 1, 2]);
        holds.answered(2, at(3));
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
        holds.answered(0, at(9));
        assert_eq!(holds.count(), 2);
        holds.answered(0, at(10));
        assert_eq!(holds.count(), 1);
    }
}
