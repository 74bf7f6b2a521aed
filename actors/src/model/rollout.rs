//! Rolling out a new revision of the game: which revision servers are started with, and when a rollout has failed.
//!
//! The wish and what became of it are kept in the cloud, on the revision itself, where a restarted manager and the
//! operator find them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::id::Revision;
use super::launches::VISIBILITY;
use super::life::{CloseReason, Phase};
use super::order::Order;
use super::time::Timestamp;
use crate::ports::CloudError;

/// Before what could not be recorded is recorded again. Until it is, a manager that starts would try the revision anew.
const RECORD_PAUSE: Duration = Duration::from_secs(5);

/// Whether the fleet goes on to a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RolloutState {
    /// It does. Recorded by the absence of a mark.
    #[default]
    Active,
    /// Not at the moment: no server is started with it as long as there is another revision to run, and what runs it
    /// goes on.
    Paused,
    /// No more: what runs it is replaced by what ran before.
    RolledBack,
}

impl RolloutState {
    /// A word for logs and marks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// The revision that the operator wants the fleet to run, as the cloud shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Which.
    pub revision: Revision,
    /// Whether the fleet goes on to it.
    pub state: RolloutState,
    /// What to run in its place if nothing is known to work: those before it that were not rolled back, the newest
    /// first.
    pub earlier: Vec<Revision>,
}

impl Target {
    /// How many earlier revisions are told of, at most.
    pub const EARLIER: usize = 5;
}

/// Something that happened to the rollout of a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RolloutNote {
    /// It begins: new servers are started with it, the others are replaced.
    Began,
    /// The operator paused it.
    Paused,
    /// The operator goes on with it.
    Resumed,
    /// The operator does not want it any more.
    RolledBack,
    /// So many of its servers failed: it was rolled back.
    Failed(u32),
    /// Nothing is known to work, and what was tried before it did not come to serve: it is tried next.
    Tried,
    /// Every server that takes players runs it.
    Done,
}

/// A server that serves, or may.
pub(super) struct Serving {
    /// What it runs.
    pub(super) revision: Revision,
    /// It takes players; else it is on standby.
    pub(super) is_available: bool,
    /// It has answered once.
    pub(super) was_heard: bool,
    /// It answered when it was last asked.
    pub(super) answers: bool,
}

/// Which revision of the game the fleet runs, and on the way to which it is.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    target: Option<Target>,
    /// What it was before, and when that changed.
    before: Option<Revision>,
    changed_at: Timestamp,
    /// What all available servers ran last, or most of those that did not run the target when they were first seen; where
    /// none was available, of those on standby.
    settled: Option<Revision>,
    /// What servers run that serve, or may, as of the last look; those of them of which one has answered; those of
    /// which one still does; and all of which one ever has.
    running: BTreeSet<Revision>,
    serving: BTreeSet<Revision>,
    answering: BTreeSet<Revision>,
    heard: BTreeSet<Revision>,
    /// Targets that were rolled back: there is no going back to them.
    rolled_back: BTreeSet<Revision>,
    /// Those of them of which the cloud does not show it yet: it is to be recorded.
    unrecorded: BTreeSet<Revision>,
    /// Servers of the target that failed since its rollout began.
    failures: u32,
    /// How often what was tried did not come to serve, and servers of the present one that did not.
    turn: usize,
    in_vain: u32,
    /// What servers are to be started with, as it follows from the rest.
    wanted: Option<Revision>,
    /// When the state was last decided or recorded here; the cloud may not show that yet for a while.
    decided_at: Timestamp,
    /// Nothing is recorded before.
    no_order_before: Timestamp,
    notes: Vec<(Revision, RolloutNote)>,
}

impl Rollout {
    /// What the operator wants, and what has become of it.
    pub(super) const fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// What servers are to be started with; none before the cloud has shown it.
    pub(super) const fn wanted(&self) -> Option<&Revision> {
        self.wanted.as_ref()
    }

    /// What the next server is started with, while so many of the target are being started. Until one of them serves
    /// there are `surge` at most: a fleet that has to grow grows by what is known to work.
    pub(super) fn next(&self, starting: u32, surge: u32) -> Option<&Revision> {
        let serves = self.target.as_ref().is_some_and(|target| self.serving.contains(&target.revision));
        let is_tried = self.is_under_way() && !serves && starting >= surge;
        self.settled.as_ref().filter(|_| is_tried).or_else(|| self.wanted())
    }

    /// Whether a server that was started with it is to be replaced.
    pub(super) fn is_outdated(&self, revision: Option<&Revision>) -> bool {
        let is_paused = self.target.as_ref().is_some_and(|target| target.state == RolloutState::Paused);
        !is_paused && revision.is_some() && self.wanted().is_some() && revision != self.wanted()
    }

    /// Servers of the target that failed since its rollout began.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes in what a look that began then showed.
    pub(super) fn observe(&mut self, seen: &Target, begun_at: Timestamp, now: Timestamp) {
        // A replica that is behind may show for a while what was the target before.
        let is_stale = self.before.as_ref() == Some(&seen.revision) && begun_at <= self.changed_at + VISIBILITY;
        if let Some(known) = self.target.as_mut().filter(|known| known.revision == seen.revision) {
            known.earlier.clone_from(&seen.earlier);
            // What was decided here stands until the cloud must show it.
            let stands = self.unrecorded.contains(&seen.revision) || begun_at <= self.decided_at + VISIBILITY;
            if !stands && known.state != seen.state {
                known.state = seen.state;
                self.follow(seen);
            }
        } else if !is_stale {
            let mut target = seen.clone();
            if self.unrecorded.contains(&target.revision) {
                target.state = RolloutState::RolledBack;
            }
            self.before = self.target.replace(target).map(|before| before.revision);
            self.changed_at = now;
            self.note_state();
            self.begin();
        }
        self.choose();
    }

    /// Takes in who serves.
    pub(super) fn serves(&mut self, servers: &[Serving]) {
        let run = |is_meant: fn(&&Serving) -> bool| -> BTreeSet<Revision> {
            servers.iter().filter(is_meant).map(|server| server.revision.clone()).collect()
        };
        self.running = run(|_| true);
        self.serving = run(|server| server.was_heard);
        self.answering = run(|server| server.answers);
        self.heard.extend(self.serving.iter().cloned());
        if [self.wanted(), self.meant()].into_iter().flatten().any(|revision| self.answering.contains(revision)) {
            (self.turn, self.in_vain) = (0, 0);
        }
        let some_available = servers.iter().any(|server| server.is_available);
        let mut counts: BTreeMap<&Revision, usize> = BTreeMap::new();
        // While none takes players, those on standby tell what the fleet ran.
        for server in servers.iter().filter(|server| server.is_available || !some_available) {
            *counts.entry(&server.revision).or_default() += 1;
        }
        let target = self.target.as_ref().map(|target| &target.revision);
        // What is on its way to the target when it is first seen goes on being so.
        let most = counts.iter().max_by_key(|(revision, count)| (Some(**revision) != target, **count));
        if let Some((&most, _)) = most {
            let is_all = some_available && counts.len() == 1 && self.serving.contains(most);
            if is_all && Some(most) == target && self.is_under_way() {
                self.notes.push((most.clone(), RolloutNote::Done));
            }
            if (is_all || self.settled.is_none()) && self.settled.as_ref() != Some(most) {
                self.settled = Some(most.clone());
                self.begin();
            }
        }
        self.choose();
    }

    /// A server that was started with this revision came to an end that it is to blame for. After `most` of them, beside
    /// servers that run another one and answer, the rollout is over. Where none do, something else may be wrong, and
    /// another revision has its turn; but what the fleet ran last, and was heard, is not turned away from.
    pub(super) fn failed(&mut self, revision: &Revision, most: u32, now: Timestamp) {
        let is_wanted = self.wanted() == Some(revision);
        let is_target = self.target.as_ref().is_some_and(|target| target.revision == *revision);
        if is_target && self.is_under_way() {
            self.failures += 1;
            let others_serve = self.answering.iter().any(|other| other != revision);
            if self.failures >= most && others_serve {
                self.roll_back(now);
            } else if self.failures >= most && is_wanted {
                self.next_turn();
            }
        } else if is_wanted && (self.is_stand_in() || !self.was_or_may_be_heard(revision)) {
            self.in_vain += 1;
            // What nobody asks for is not insisted on.
            if !is_target || self.in_vain >= most {
                self.next_turn();
            }
        }
    }

    /// Too many servers of the target failed.
    fn roll_back(&mut self, now: Timestamp) {
        let Some(target) = &mut self.target else { return };
        target.state = RolloutState::RolledBack;
        let revision = target.revision.clone();
        self.rolled_back.insert(revision.clone());
        self.unrecorded.insert(revision.clone());
        (self.decided_at, self.no_order_before) = (now, Timestamp::default());
        self.notes.push((revision, RolloutNote::Failed(self.failures)));
        self.choose();
    }

    /// What is to be recorded in the cloud now, if anything; not again before `patience` is over.
    pub(super) fn take_order(&mut self, now: Timestamp, patience: Duration) -> Option<Order> {
        let revision = self.unrecorded.first().filter(|_| now >= self.no_order_before)?.clone();
        self.no_order_before = now + patience;
        Some(Order::RecordRollout { revision, state: RolloutState::RolledBack })
    }

    /// What came of recording it.
    pub(super) fn recorded(&mut self, revision: &Revision, result: &Result<(), CloudError>, now: Timestamp) {
        let is_target = self.target.as_ref().is_some_and(|target| target.revision == *revision);
        // One that is not wanted any more may be gone from the cloud too.
        let is_gone = matches!(result, Err(CloudError::NotFound(_) | CloudError::Refused(_))) && !is_target;
        if result.is_ok() || is_gone {
            self.unrecorded.remove(revision);
        }
        if result.is_ok() && is_target {
            self.decided_at = now;
        }
        self.no_order_before = if result.is_ok() { Timestamp::default() } else { now + RECORD_PAUSE };
    }

    /// What happened since this was last asked.
    pub(super) fn take_notes(&mut self) -> Vec<(Revision, RolloutNote)> {
        std::mem::take(&mut self.notes)
    }

    /// Somebody has changed the state of the target.
    fn follow(&mut self, seen: &Target) {
        self.note_state();
        (self.turn, self.in_vain) = (0, 0);
        let note = match seen.state {
            RolloutState::Active => {
                self.failures = 0;
                RolloutNote::Resumed
            }
            RolloutState::Paused => RolloutNote::Paused,
            RolloutState::RolledBack => RolloutNote::RolledBack,
        };
        self.notes.push((seen.revision.clone(), note));
    }

    fn note_state(&mut self) {
        let Some(Target { revision, state, .. }) = &self.target else { return };
        if *state == RolloutState::RolledBack {
            self.rolled_back.insert(revision.clone());
        } else {
            self.rolled_back.remove(revision);
        }
    }

    /// The target is another one, or what the fleet runs.
    fn begin(&mut self) {
        (self.failures, self.turn, self.in_vain) = (0, 0, 0);
        if let Some(target) = self.target.as_ref().filter(|_| self.is_under_way()) {
            self.notes.push((target.revision.clone(), RolloutNote::Began));
        }
    }

    /// The fleet runs something else, and is on its way to the target.
    fn is_under_way(&self) -> bool {
        let is_new = |target: &Target| self.settled.as_ref().is_some_and(|settled| *settled != target.revision);
        self.target.as_ref().is_some_and(|target| target.state == RolloutState::Active && is_new(target))
    }

    /// What was tried does not come to serve. No mark is left of it.
    fn next_turn(&mut self) {
        (self.turn, self.in_vain, self.failures) = (self.turn.wrapping_add(1), 0, 0);
        let before = self.wanted.clone();
        self.choose();
        if let Some(next) = self.wanted.clone().filter(|next| before.as_ref() != Some(next)) {
            self.notes.push((next, RolloutNote::Tried));
        }
    }

    /// What is tried has its turn between those of what is meant to run.
    const fn is_stand_in(&self) -> bool {
        self.turn % 2 == 1
    }

    fn was_or_may_be_heard(&self, revision: &Revision) -> bool {
        self.heard.contains(revision) || self.running.contains(revision)
    }

    /// What is meant to run: the target, or what is to run in its place.
    fn meant(&self) -> Option<&Revision> {
        let target = self.target.as_ref()?;
        let before = || {
            let heard = || self.earlier().find(|revision| self.heard.contains(*revision));
            self.settled_before().or_else(heard).or_else(|| self.earlier().next())
        };
        let in_its_place = match target.state {
            RolloutState::Active => None,
            // What is all there is runs on.
            RolloutState::Paused if self.settled.as_ref() == Some(&target.revision) => None,
            RolloutState::Paused | RolloutState::RolledBack => before(),
        };
        in_its_place.or(Some(&target.revision))
    }

    /// What the fleet settled on, if it may run in the target's place.
    fn settled_before(&self) -> Option<&Revision> {
        self.settled.as_ref().filter(|revision| self.may_replace(revision))
    }

    /// Those before the target that may run in its place, the newest first.
    fn earlier(&self) -> impl Iterator<Item = &Revision> {
        self.target.iter().flat_map(|target| &target.earlier).filter(|revision| self.may_replace(revision))
    }

    fn may_replace(&self, revision: &Revision) -> bool {
        let is_target = self.target.as_ref().is_some_and(|target| target.revision == *revision);
        !is_target && !self.rolled_back.contains(revision)
    }

    /// Every other turn is that of what is meant to run; those between go through what might run in its place.
    fn choose(&mut self) {
        let meant = self.meant();
        let is_active = self.target.as_ref().is_some_and(|target| target.state == RolloutState::Active);
        let others: Vec<&Revision> = match self.settled_before() {
            Some(settled) if is_active => vec![settled],
            _ => self.earlier().filter(|revision| Some(*revision) != meant).collect(),
        };
        let is_others = self.is_stand_in() && !others.is_empty();
        let wanted = if is_others { Some(others[self.turn / 2 % others.len()]) } else { meant };
        self.wanted = wanted.cloned();
    }
}

/// Whether what a server runs is to blame for its end, by the phase it was in: it was being started, or took players,
/// and its game ended, fell silent, or never came up. An instance that does not boot is none of its doing.
pub(super) const fn blames_revision(phase: Phase, reason: CloseReason) -> bool {
    (phase.is_launching() || matches!(phase, Phase::Available))
        && matches!(
            reason,
            CloseReason::HealthOverdue | CloseReason::PlacementOverdue | CloseReason::TaskStopped | CloseReason::Silent
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);

    /// Told to go on to the second revision.
    fn rollout() -> (Rollout, Revision, Revision) {
        let (old, new) = (Revision::new("game:1"), Revision::new("game:2"));
        let mut rollout = Rollout::default();
        let target = Target { revision: new.clone(), state: RolloutState::Active, earlier: vec![old.clone()] };
        rollout.observe(&target, NOW, NOW);
        (rollout, old, new)
    }

    fn server(revision: &Revision, answers: bool) -> Serving {
        Serving { revision: revision.clone(), is_available: true, was_heard: answers, answers }
    }

    #[test]
    fn a_failure_before_those_that_run_were_heard_does_not_change_what_runs() {
        let (mut rollout, _, new) = rollout();
        rollout.serves(&[server(&new, false)]);
        rollout.failed(&new, 1, NOW);
        assert_eq!(rollout.wanted(), Some(&new));
    }

    #[test]
    fn once_what_is_meant_answers_it_is_wanted_again() {
        let (mut rollout, old, new) = rollout();
        rollout.serves(&[server(&new, false)]);
        rollout.serves(&[]);
        rollout.failed(&new, 1, NOW);
        assert_eq!(rollout.wanted(), Some(&old), "nobody was heard, and none is left");
        rollout.serves(&[server(&new, true)]);
        assert_eq!(rollout.wanted(), Some(&new));
    }

    #[test]
    fn beside_a_server_on_standby_that_answers_a_rollout_can_fail() {
        let (mut rollout, old, new) = rollout();
        let standby = || Serving { is_available: false, ..server(&old, true) };
        rollout.serves(&[standby()]);
        assert_eq!(rollout.wanted(), Some(&new));
        rollout.failed(&new, 1, NOW);
        rollout.serves(&[standby()]);
        assert_eq!(rollout.wanted(), Some(&old));
        assert_eq!(rollout.target().map(|target| target.state), Some(RolloutState::RolledBack));
    }

    #[test]
    fn a_rollout_that_is_first_seen_most_of_the_way_can_still_fail() {
        let (mut rollout, old, new) = rollout();
        rollout.serves(&[server(&old, true), server(&new, true), server(&new, true)]);
        rollout.failed(&new, 1, NOW);
        assert_eq!(rollout.target().map(|target| target.state), Some(RolloutState::RolledBack));
        assert_eq!(rollout.wanted(), Some(&old));
    }
}
