//! Turning a decided action into what is so. A decision was made on a view: the fleet may have moved on since, so each
//! action is checked once more against the roster as it stands.

use thiserror::Error;

use super::Roster;
use crate::model::id::ServerId;
use crate::model::life::{CloseReason, Event, Phase, apply};
use crate::model::scaling::Action;
use crate::model::server::Condition;
use crate::model::time::Timestamp;

/// Why an action is not carried out after all; the next decision sees why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// The server is gone.
    #[error("the server is gone")]
    Gone,
    /// The server is in no phase for it.
    #[error("the server is {0}")]
    WrongPhase(Phase),
    /// The fleet would fall below its upscale margin or its minimum.
    #[error("too few places or servers would be left")]
    Floor,
    /// The fleet, or the launches in flight, would exceed their maximum.
    #[error("the maximum of servers or of launches in flight would be exceeded")]
    Maximum,
    /// A launch is under way, or backing off.
    #[error("launches are blocked")]
    LaunchesBlocked,
    /// The operator has paused the scaling since.
    #[error("the scaling is paused")]
    Paused,
    /// What the end was decided on is no longer so.
    #[error("the server was heard since, or has players or holds")]
    NotDue,
}

impl Roster {
    /// Carries an action out in the roster; the cloud follows by [`orders`](Roster::orders).
    pub fn commit(&mut self, action: Action, now: Timestamp) -> Result<(), Refused> {
        if self.paused {
            return Err(Refused::Paused);
        }
        match action {
            Action::Launch(count) => self.begin_launch(count, now),
            Action::TakeBack(id) => self.change_role(id, Phase::Standby, Event::TakenBack, now),
            Action::Standby(id) => {
                self.check_floor(id)?;
                self.change_role(id, Phase::Available, Event::SentToStandby, now)
            }
            // Whatever is left: in a moment the server will be gone.
            Action::Retreat(id) => self.change_role(id, Phase::Available, Event::SentToStandby, now),
            Action::Close(id, reason) => self.begin_close(id, reason, now),
        }
    }

    fn begin_launch(&mut self, count: u32, now: Timestamp) -> Result<(), Refused> {
        if self.ledger.blocked(&self.policy, now).is_some() {
            return Err(Refused::LaunchesBlocked);
        }
        let too_many = self.size().saturating_add(count) > self.policy.max_servers;
        let too_many_in_flight = self.in_flight().saturating_add(count) > self.policy.max_launching;
        if too_many || too_many_in_flight {
            return Err(Refused::Maximum);
        }
        self.ledger.begin(count, &self.policy, now);
        Ok(())
    }

    pub(super) fn change_role(
        &mut self,
        id: ServerId,
        from: Phase,
        event: Event,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let server = self.servers.get_mut(id).ok_or(Refused::Gone)?;
        if server.phase != from {
            return Err(Refused::WrongPhase(server.phase));
        }
        (server.role_unrecorded, server.role_unasked) = (true, true);
        server.role_settled_at = now;
        self.happen(id, event, now, now);
        Ok(())
    }

    fn check_floor(&self, id: ServerId) -> Result<(), Refused> {
        let silent_after = self.policy.silent_after_misses;
        let server = self.servers.get(id).ok_or(Refused::Gone)?;
        let free = server.free(silent_after);
        // It makes room for the one that replaces it.
        let makes_room = self.rollout.is_outdated(server.revision.as_ref()) && self.size() >= self.policy.max_servers;
        let fewest = if makes_room { 1 } else { self.policy.min_servers };
        let mut takes_players = self.servers.iter().filter(|server| {
            server.phase == Phase::Available && server.health.condition(silent_after) == Condition::Answering
        });
        let left = self.index.total().saturating_sub(u64::from(free));
        // Not counted to the end: a decision may send thousands to standby.
        let are_enough = takes_players.nth(fewest as usize).is_some();
        if left < u64::from(self.margins.upscale) || !are_enough {
            return Err(Refused::Floor);
        }
        Ok(())
    }

    fn begin_close(&mut self, id: ServerId, reason: CloseReason, now: Timestamp) -> Result<(), Refused> {
        let silent_after = self.policy.silent_after_misses;
        let event = Event::Closed(reason);
        let server = self.servers.get(id).ok_or(Refused::Gone)?;
        apply(server.phase, event).map_err(|impossible| Refused::WrongPhase(impossible.phase))?;
        let due = match reason {
            CloseReason::Drained => server.is_drained(silent_after),
            CloseReason::Silent => {
                server.health.condition(silent_after) == Condition::Silent
                    && !self.is_blind()
                    && now.since(self.silent_since(server)) >= self.policy.silence_grace
            }
            CloseReason::BootOverdue | CloseReason::PlacementOverdue | CloseReason::HealthOverdue => true,
            // Seen by a look at the cloud, never decided.
            CloseReason::TaskStopped | CloseReason::InstanceStopped => false,
        };
        if !due {
            return Err(Refused::NotDue);
        }
        self.happen(id, event, now, now);
        Ok(())
    }
}
