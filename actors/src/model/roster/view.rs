//! What a decision sees of the roster.

use super::Roster;
use crate::model::server::Server;
use crate::model::time::Timestamp;
use crate::model::view::{FleetView, ServerView};

impl Roster {
    /// The fleet as a decision sees it.
    pub fn view(&mut self, now: Timestamp) -> FleetView {
        self.expire_holds(now);
        let stale_after = self.policy.stale_after();
        FleetView {
            servers: self.servers.values().map(|server| self.view_of(server, now)).collect(),
            requested: self.ledger.requested(),
            launches_blocked: self.ledger.blocked(now),
            cloud_is_fresh: self.observed_at.is_some_and(|observed_at| now.since(observed_at) <= stale_after),
        }
    }

    fn view_of(&self, server: &Server, now: Timestamp) -> ServerView {
        let silent_after = self.policy.silent_after_misses;
        ServerView {
            id: server.id,
            phase: server.phase,
            phase_since: server.phase_since,
            condition: server.health.condition(silent_after),
            unanswered_since: server.health.unanswered_since(),
            heard: server.health.last().is_some(),
            unclaimed: server.unclaimed(),
            drained: server.is_drained(silent_after, now),
        }
    }
}
