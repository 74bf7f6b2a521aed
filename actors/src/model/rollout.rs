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

/// Before what could not be recorded is recorded again. Until it is, a manager that starts would try the revision anew.
const RECORD_PAUSE: Duration = Duration::from_secs(5);

/// Whether the fleet goes on to a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RolloutState {
    /// It does. Recorded by the absence of a mark.
    #[default]
    Active,
    /// Not at the moment: no server is started with it, and what runs it goes on.
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

/// Which revision of the game the fleet runs, and on the way to which it is.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    target: Option<Target>,
    /// What it was before, and when that changed.
    before: Option<Revision>,
    changed_at: Timestamp,
    /// What all available servers ran last, or most of them when they were first heard.
    proven: Option<Revision>,
    /// Where nothing is known to work: how many others were tried, and servers of the present one that failed.
    turn: usize,
    in_vain: u32,
    /// Targets that were rolled back: there is no going back to them.
    rolled_back: BTreeSet<Revision>,
    /// A server of the target has come to serve.
    has_served: bool,
    /// Servers of the target that failed since its rollout began.
    failures: u32,
    /// The cloud shows another state than the target's: it is to be recorded.
    unrecorded: bool,
    /// When the state was last decided or recorded here; the cloud may not show that yet for a while.
    settled_at: Timestamp,
    /// It is not recorded again before.
    no_order_before: Timestamp,
    notes: Vec<(Revision, RolloutNote)>,
}

impl Rollout {
    /// What the operator wants, and what has become of it.
    pub(super) const fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// What servers are to be started with; none before the cloud has shown it.
    pub(super) fn wanted(&self) -> Option<&Revision> {
        let target = self.target.as_ref()?;
        let is_other = |proven: &&Revision| **proven != target.revision && !self.rolled_back.contains(*proven);
        let before = self.proven.as_ref().filter(is_other);
        Some(match target.state {
            RolloutState::Active if self.proven.is_some() => &target.revision,
            RolloutState::Active => self.in_turn(target),
            // What is all there is runs on.
            RolloutState::Paused | RolloutState::RolledBack => before.unwrap_or_else(|| self.in_turn(target)),
        })
    }

    /// What has its turn where nothing is known to work. What the operator wants has every other one: perhaps it is not
    /// to blame.
    fn in_turn<'a>(&self, target: &'a Target) -> &'a Revision {
        let earlier = |turn: usize| target.earlier.get(turn % target.earlier.len().max(1));
        let found = match target.state {
            RolloutState::RolledBack => earlier(self.turn),
            RolloutState::Active | RolloutState::Paused if self.turn % 2 == 1 => earlier(self.turn / 2),
            RolloutState::Active | RolloutState::Paused => None,
        };
        found.unwrap_or(&target.revision)
    }

    /// What the next server is started with, while so many of the target are being started. Until one of them has come
    /// to serve there are `surge` at most: a fleet that has to grow grows by what is known to work.
    pub(super) fn next(&self, starting: u32, surge: u32) -> Option<&Revision> {
        let is_tried = self.is_under_way() && !self.has_served && starting >= surge;
        self.proven.as_ref().filter(|_| is_tried).or_else(|| self.wanted())
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
        let Some(known) = self.target.as_mut().filter(|known| known.revision == seen.revision) else {
            if is_stale {
                return;
            }
            self.before = self.target.replace(seen.clone()).map(|before| before.revision);
            self.changed_at = now;
            self.note_state();
            (self.has_served, self.failures, self.unrecorded) = (false, 0, false);
            (self.turn, self.in_vain) = (0, 0);
            return self.tell_of_begin();
        };
        known.earlier.clone_from(&seen.earlier);
        // What was decided here stands until the cloud must show it.
        let stands = self.unrecorded || begun_at <= self.settled_at + VISIBILITY;
        if stands || known.state == seen.state {
            return;
        }
        known.state = seen.state;
        (self.turn, self.in_vain) = (0, 0);
        self.note_state();
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

    /// Takes in what the available servers run, one after the other, and whether it was heard of any of them that they
    /// serve.
    pub(super) fn serves(&mut self, available: impl Iterator<Item = (Revision, bool)>) {
        let mut servers: BTreeMap<Revision, (usize, bool)> = BTreeMap::new();
        for (revision, is_heard) in available {
            let (count, was_heard) = servers.entry(revision).or_default();
            (*count, *was_heard) = (*count + 1, *was_heard || is_heard);
        }
        let is_heard = |revision: &Revision| servers.get(revision).is_some_and(|(_, is_heard)| *is_heard);
        if self.wanted().is_some_and(is_heard) {
            self.in_vain = 0;
        }
        let Some(target) = &self.target else { return };
        self.has_served |= is_heard(&target.revision);
        let heard = servers.iter().filter(|(_, (_, is_heard))| *is_heard);
        let Some((most, _)) = heard.max_by_key(|(_, (count, _))| *count) else { return };
        let is_done = servers.len() == 1 && *most == target.revision && self.is_under_way();
        if is_done {
            self.notes.push((target.revision.clone(), RolloutNote::Done));
        }
        let is_first = self.proven.is_none();
        if is_first || servers.len() == 1 {
            (self.proven, self.turn) = (Some(most.clone()), 0);
        }
        if is_first {
            self.tell_of_begin();
        }
    }

    /// A server that was started with this revision, and heard or not, came to an end that it is to blame for. After
    /// `most` of them the rollout is over; where nothing comes to serve, another revision has its turn.
    pub(super) fn failed(&mut self, revision: &Revision, was_heard: bool, most: u32, now: Timestamp) {
        if !self.is_under_way() {
            if !was_heard && self.wanted() == Some(revision) {
                self.failed_in_turn(revision, most);
            }
            return;
        }
        let Some(target) = self.target.as_mut().filter(|target| target.revision == *revision) else { return };
        self.failures += 1;
        if self.failures >= most {
            target.state = RolloutState::RolledBack;
            self.rolled_back.insert(revision.clone());
            (self.unrecorded, self.settled_at, self.no_order_before) = (true, now, Timestamp::default());
            self.notes.push((revision.clone(), RolloutNote::Failed(self.failures)));
        }
    }

    /// No mark is left of it: that nothing serves may have another reason.
    fn failed_in_turn(&mut self, revision: &Revision, most: u32) {
        self.in_vain += 1;
        let is_target = self.target.as_ref().is_some_and(|target| target.revision == *revision);
        // What nobody asks for, and nobody has seen to work, is not insisted on.
        let enough = if is_target || self.proven.is_some() { most } else { 1 };
        if self.in_vain < enough {
            return;
        }
        (self.proven, self.turn, self.in_vain) = (None, self.turn.wrapping_add(1), 0);
        if let Some(next) = self.wanted().filter(|next| *next != revision).cloned() {
            self.notes.push((next, RolloutNote::Tried));
        }
    }

    /// What is to be recorded in the cloud now, if anything; not again before `patience` is over.
    pub(super) fn take_order(&mut self, now: Timestamp, patience: Duration) -> Option<Order> {
        let target = self.target.as_ref().filter(|_| self.unrecorded && now >= self.no_order_before)?;
        self.no_order_before = now + patience;
        Some(Order::RecordRollout { revision: target.revision.clone(), state: target.state })
    }

    /// What came of recording it.
    pub(super) fn recorded(&mut self, revision: &Revision, state: RolloutState, succeeded: bool, now: Timestamp) {
        let Some(target) = self.target.as_ref().filter(|target| target.revision == *revision) else { return };
        if !succeeded {
            self.no_order_before = now + RECORD_PAUSE;
        } else if target.state == state {
            (self.unrecorded, self.settled_at) = (false, now);
        }
    }

    /// What happened since this was last asked.
    pub(super) fn take_notes(&mut self) -> Vec<(Revision, RolloutNote)> {
        std::mem::take(&mut self.notes)
    }

    fn note_state(&mut self) {
        let Some(Target { revision, state, .. }) = &self.target else { return };
        if *state == RolloutState::RolledBack {
            self.rolled_back.insert(revision.clone());
        } else {
            self.rolled_back.remove(revision);
        }
    }

    /// The fleet runs something else, and is on its way to the target.
    fn is_under_way(&self) -> bool {
        let is_new = |target: &Target| self.proven.as_ref().is_some_and(|proven| *proven != target.revision);
        self.target.as_ref().is_some_and(|target| target.state == RolloutState::Active && is_new(target))
    }

    fn tell_of_begin(&mut self) {
        if let Some(target) = self.target.as_ref().filter(|_| self.is_under_way()) {
            self.notes.push((target.revision.clone(), RolloutNote::Began));
        }
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
