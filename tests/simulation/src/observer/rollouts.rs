//! Rollouts: what does not work is given up, what was rolled back is started no more, and in the end the fleet runs what
//! is wanted.

use actors::model::{InstanceId, Revision, Role, RolloutState, Timestamp};

use super::books::{Books, SHOWN_WITHIN};
use super::{Rule, Verdict, broken};
use crate::event::ManagerId;

/// Servers of a revision that may fail for the fault of their instances, which is not held against it.
const LEEWAY: u32 = 4;

/// A revision of the game.
#[derive(Debug)]
pub(super) struct RevisionBook {
    pub(super) works: bool,
    pub(super) state: RolloutState,
    pub(super) since: Timestamp,
}

impl Books {
    /// A manager starts a server.
    pub(super) fn check_place(&self, manager: ManagerId, instance: &InstanceId, revision: &Revision) -> Verdict {
        let Some((_, known)) = self.revisions.iter().find(|(name, _)| name == revision) else {
            return broken(Rule::Rollout, format!("{manager} starts {revision}, which there is not"));
        };
        let book = self.manager(manager);
        let placement = (instance.clone(), revision.clone());
        // One that was not answered has to be asked for again as it was.
        if book.placements.contains_key(&placement) || !self.has_alternative(manager, revision) {
            return Ok(());
        }
        let looked_since = book.looked_at.is_some_and(|at| at > known.since + SHOWN_WITHIN);
        if known.state == RolloutState::RolledBack && looked_since && self.delay(manager).is_zero() {
            return broken(Rule::Rollout, format!("{manager} starts {revision}, which was rolled back"));
        }
        let tried = book.placements.iter().filter(|((_, name), at)| name == revision && **at > known.since).count();
        let most = self.policy.rollout_failures + self.policy.rollout_surge + LEEWAY;
        if !known.works && tried > most as usize {
            return broken(
                Rule::Rollout,
                format!("{manager} tries {revision} for the {tried}th time; it does not work"),
            );
        }
        Ok(())
    }

    /// A server of another revision has been taking players for so long that the manager must know.
    fn has_alternative(&self, manager: ManagerId, revision: &Revision) -> bool {
        let knows_fleet = |at: Timestamp| self.now.since(at) > SHOWN_WITHIN;
        let serves = |at: Option<Timestamp>| at.is_some_and(knows_fleet);
        self.manager(manager).first_look_at.is_some_and(knows_fleet)
            && self.tasks.values().any(|task| {
                task.revision != *revision
                    && task.role == Role::Available
                    && task.ended_at.is_none()
                    && serves(task.heard_at.and(task.running_at))
            })
    }

    /// With everything at rest the fleet runs what is wanted, if there is room to change to it.
    pub(super) fn check_revisions(&self) -> Verdict {
        let Some((target, book)) = self.revisions.last() else { return Ok(()) };
        let takes_players = self
            .tasks
            .values()
            .filter(|task| task.role == Role::Available && task.ended_at.is_none() && task.running_at.is_some());
        let outdated = takes_players.filter(|task| match book.state {
            RolloutState::Active => task.revision != *target,
            RolloutState::Paused => false,
            RolloutState::RolledBack => task.revision == *target,
        });
        match outdated.count() {
            0 => Ok(()),
            servers => {
                let state = book.state.name();
                broken(Rule::Rollout, format!("{target} is {state}, and {servers} servers at rest run otherwise"))
            }
        }
    }
}
