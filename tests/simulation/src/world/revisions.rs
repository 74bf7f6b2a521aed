//! The revisions of the game's task definition: what is registered, what AWS shows of it, and which of them work.

use actors::model::{Revision, RolloutState, Target};

use super::World;
use super::aws::ApiError;
use super::versions::Versions;
use crate::event::{Cause, Event};

/// The family of the game server's task definition.
pub const FAMILY: &str = "LaunchGameserver";

/// Every revision there is, the oldest first: number one is the first of them.
#[derive(Debug, Default)]
pub struct Revisions(Vec<Known>);

#[derive(Debug)]
struct Known {
    name: Revision,
    /// Its game servers come to serve.
    works: bool,
    state: RolloutState,
    shown: Versions<RolloutState>,
}

impl World {
    /// Somebody registers a new revision, whose game servers come to serve or not.
    pub(super) fn register(&mut self, works: bool) {
        let name = Revision::new(format!("{FAMILY}:{}", self.revisions.0.len() + 1));
        let (now, lag) = (self.now(), self.lag());
        let mut shown = Versions::default();
        shown.write(RolloutState::Active, now, lag);
        self.revisions.0.push(Known { name: name.clone(), works, state: RolloutState::Active, shown });
        self.tell(Event::Registered(name, works));
    }

    /// `TagResource` on a revision.
    pub fn mark(&mut self, revision: &Revision, state: RolloutState, by: Cause) -> Result<(), ApiError> {
        let (now, lag) = (self.now(), self.lag());
        let known = self.revisions.0.iter_mut().find(|known| known.name == *revision).ok_or(ApiError::NotFound)?;
        known.state = state;
        known.shown.write(state, now, lag);
        self.tell(Event::Marked(revision.clone(), state, by));
        Ok(())
    }

    /// An operator has something to say of the newest revision. Nobody goes back to what does not work.
    pub(super) fn operator_marks(&mut self, state: RolloutState) {
        let [.., before, newest] = self.revisions.0.as_slice() else { return };
        if newest.state != state && (state != RolloutState::RolledBack || before.works) {
            let newest = newest.name.clone();
            let marked = self.mark(&newest, state, Cause::Operator);
            debug_assert!(marked.is_ok(), "it is known");
        }
    }

    /// By the time of the calm somebody has registered one that works, if what is to run does not.
    pub(super) fn mend_revisions(&mut self) {
        let meant = self.revisions.0.iter().rfind(|known| known.state != RolloutState::RolledBack);
        if meant.is_none_or(|known| !known.works) {
            self.register(true);
        }
    }

    /// The newest revision that is shown.
    pub fn newest_shown(&mut self) -> Revision {
        let (now, behind) = (self.now(), self.behind());
        let shown = self.revisions.0.iter().rfind(|known| known.shown.read(now, behind).is_some());
        shown.unwrap_or(&self.revisions.0[0]).name.clone()
    }

    /// A revision as it is shown; none where it is not yet.
    pub fn revision_shown(&mut self, revision: &Revision) -> Option<RolloutState> {
        let (now, behind) = (self.now(), self.behind());
        let known = self.revisions.0.iter().find(|known| known.name == *revision)?;
        known.shown.read(now, behind).copied()
    }

    /// The names of the revisions that are shown, the newest first.
    pub fn revisions_shown(&mut self) -> Vec<Revision> {
        let now = self.now();
        let shown = |known: &&Known| known.shown.read(now, std::time::Duration::ZERO).is_some();
        self.revisions.0.iter().rev().filter(shown).map(|known| known.name.clone()).collect()
    }

    /// What the fleet is to run, as the production adapter puts it together.
    pub(super) fn target_shown(&mut self) -> Target {
        let revision = self.newest_shown();
        let state = self.revision_shown(&revision).unwrap_or_default();
        let older = self.revisions.0.iter().rev().skip_while(|known| known.name != revision).skip(1);
        let earlier = older.filter(|known| known.state != RolloutState::RolledBack).take(Target::EARLIER);
        let earlier = earlier.map(|known| known.name.clone()).collect();
        Target { revision, state, earlier }
    }

    /// Whether game servers of it come to serve.
    pub(super) fn works(&self, revision: &Revision) -> bool {
        self.revisions.0.iter().any(|known| known.name == *revision && known.works)
    }
}
