//! What a decision sees of the roster.

use super::Roster;
use crate::model::server::{Condition, Server};
use crate::model::time::Timestamp;
use crate::model::view::{FleetView, ServerView};

impl Roster {
    /// The fleet as a decision sees it, while clients wait for so many places.
    pub fn view(&mut self, waiting: u32, now: Timestamp) -> FleetView {
        if self.is_blind() {
            self.blind_at = now;
        }
        let stale_after = self.policy.stale_after();
        FleetView {
            servers: self.servers.iter().map(|server| self.view_of(server)).collect(),
            waiting,
            paused: self.paused,
            requested: self.ledger.requested(),
            launches_blocked: self.ledger.blocked(&self.policy, now),
            observed_at: self.observed_at,
            cloud_is_fresh: self.observed_at.is_some_and(|observed_at| now.since(observed_at) <= stale_after),
        }
    }

    /// Most of the fleet is silent: the fault is more likely on this side.
    pub(super) fn is_blind(&self) -> bool {
        let serving = self.servers.iter().filter(|server| server.phase.is_serving());
        let (mut silent, mut count) = (0, 0);
        for server in serving {
            count += 1;
            silent += usize::from(server.health.condition(self.policy.silent_after_misses) == Condition::Silent);
        }
        silent * 2 > count
    }

    /// Since when an answer is owed by the server's own fault: what was missed while most were silent was not.
    pub(super) fn silent_since(&self, server: &Server) -> Timestamp {
        server.health.unanswered_since().max(self.blind_at)
    }

    fn view_of(&self, server: &Server) -> ServerView {
        let silent_after = self.policy.silent_after_misses;
        ServerView {
            id: server.id,
            phase: server.phase,
            phase_since: server.phase_since,
            known_since: server.known_since,
            condition: server.health.condition(silent_after),
            unanswered_since: self.silent_since(server),
            heard: server.health.last().is_some(),
            unclaimed: server.unclaimed(),
            drained: server.is_drained(silent_after),
            cordoned: server.cordoned,
            leaving: server.is_leaving(),
            outdated: self.rollout.is_outdated(server.revision.as_ref()),
        }
    }
}
