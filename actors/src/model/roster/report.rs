//! Taking in what a game server said of itself, or that it said nothing.

use super::Roster;
use crate::model::id::ServerId;
use crate::model::life::{Event, Phase};
use crate::model::server::HealthAnswer;
use crate::model::time::Timestamp;

impl Roster {
    /// Takes in the answer to a health question put at `asked_at`; `None` is a miss. An answer that comes after that
    /// to a later question is dropped.
    pub fn report(&mut self, id: ServerId, asked_at: Timestamp, answer: Option<HealthAnswer>, now: Timestamp) {
        let Some(server) = self.servers.get_mut(id).filter(|server| server.phase.is_polled()) else {
            return;
        };
        // Of an earlier question, or asked at an address that it has no more.
        if asked_at < server.reached_since
            || server.health.last().is_some_and(|(_, last_asked_at)| asked_at <= last_asked_at)
        {
            return;
        }
        let Some(answer) = answer else {
            server.health.missed(asked_at);
            self.reindex(id);
            return;
        };
        // Places taken since the last answer are those of the oldest holds: their players have arrived.
        let before = server.health.last().map_or(0, |(last, _)| last.available_capacity);
        let arrived = before.saturating_sub(answer.available_capacity);
        for (allocation, end) in server.holds.answered(arrived, asked_at) {
            self.bookings.ended(allocation, end);
        }
        server.health.answered(answer, asked_at);
        if answer.ready_to_close {
            server.places = Some(answer.available_capacity);
        }
        if server.phase == Phase::Starting {
            self.happen(id, Event::Answered, now, now);
        } else if server.free(self.policy.silent_after_misses) != server.indexed.free {
            // Most answers are the same as the one before.
            self.reindex(id);
        }
    }
}
