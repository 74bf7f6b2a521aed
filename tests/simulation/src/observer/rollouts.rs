//! Rollouts: what does not work is given up, what was rolled back is started no more, and in the end the fleet runs what
//! is wanted.

use actors::model::{InstanceId, Revision, Role, RolloutState, Target, Timestamp};

use super::books::{Books, SHOWN_WITHIN};
use super::{Rule, Verdict, broken};
use crate::event::ManagerId;

/// Servers of a revision that may fail for the fault of their instances, which is not held against it.
const LEEWAY: u32 = 4;

/// The newest revision and those before it that may be tried in its place.
const CANDIDATES: usize = 1 + Target::EARLIER;

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
        if book.placements.contains_key(&placement) {
            return Ok(());
        }
        if let Some(target) = self.serving_target(manager).filter(|target| *target != revision) {
            return broken(Rule::Rollout, format!("{manager} starts {revision}, though {target} is wanted and serves"));
        }
        let Some(other_since) = self.other_since(manager, revision) else {
            return self.check_turns(manager, revision, known);
        };
        let looked_since = book.looked_at.is_some_and(|at| at > known.since + SHOWN_WITHIN);
        if known.state == RolloutState::RolledBack && looked_since && self.delay(manager).is_zero() {
            return broken(Rule::Rollout, format!("{manager} starts {revision}, which was rolled back"));
        }
        let since = known.since.max(other_since);
        let tried = book.placements.iter().filter(|((_, name), at)| name == revision && **at > since).count();
        let most = self.policy.rollout_failures + self.policy.rollout_surge + LEEWAY;
        if !known.works && tried > most as usize {
            return broken(
                Rule::Rollout,
                format!("{manager} tries {revision} for the {tried}th time; it does not work"),
            );
        }
        Ok(())
    }

    /// The newest revision, if the fleet is to run it and a server of it has been taking players for so long that the
    /// manager must know.
    fn serving_target(&self, manager: ManagerId) -> Option<&Revision> {
        let knows = |at: Timestamp| self.now.since(at) > SHOWN_WITHIN;
        let (target, book) = self.revisions.last()?;
        let first_look_at = self.manager(manager).first_look_at.filter(|at| knows(*at))?;
        let serves = self.tasks.values().any(|task| {
            task.revision == *target
                && task.role == Role::Available
                && task.ended_at.is_none()
                && task.heard_at.is_some_and(|at| at > first_look_at)
                && task.running_at.is_some_and(|at| knows(at.max(task.role_since)))
        });
        let is_wanted =
            book.state == RolloutState::Active && knows(book.since) && !self.manager(manager).given_up.contains(target);
        let is_alone = self.delay(manager).is_zero() && !self.has_company(manager);
        (is_wanted && serves && is_alone).then_some(target)
    }

    /// Where no server is there that takes players, what does not work is not tried for ever while there is something
    /// else to try.
    fn check_turns(&self, manager: ManagerId, revision: &Revision, known: &RevisionBook) -> Verdict {
        let is_candidate = |(name, book): &&(Revision, RevisionBook)| {
            name != revision && book.state == RolloutState::Active && self.now.since(book.since) > SHOWN_WITHIN
        };
        let placements = &self.manager(manager).placements;
        let last_other = placements.iter().filter(|((_, name), _)| name != revision).map(|(_, at)| *at).max();
        let changed_at = self.revisions.iter().map(|(_, book)| book.since).max().max(last_other).unwrap_or_default();
        let failed = |id: &InstanceId| self.machines.get(id).is_some_and(|machine| machine.ended_at.is_some());
        let tried = placements.iter().filter(|((_, name), at)| name == revision && **at > changed_at);
        let tried = tried.filter(|((id, _), _)| failed(id)).count();
        let most = self.policy.rollout_failures + LEEWAY;
        if !known.works
            && tried > most as usize
            && self.revisions.iter().rev().take(CANDIDATES).any(|it| is_candidate(&it))
        {
            let what = format!("{manager} tries {revision} again after {tried} failures in a row; it does not work");
            return broken(Rule::Rollout, what);
        }
        Ok(())
    }

    /// Since when a server of another revision has been taking players, if for so long that the manager must know.
    fn other_since(&self, manager: ManagerId, revision: &Revision) -> Option<Timestamp> {
        let knows = |at: &Timestamp| self.now.since(*at) > SHOWN_WITHIN;
        self.manager(manager).first_look_at.filter(knows)?;
        let others = self
            .tasks
            .values()
            .filter(|task| task.revision != *revision && task.role == Role::Available && task.ended_at.is_none());
        others.filter_map(|task| task.heard_at.and(task.running_at)).min().filter(knows)
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
