//! What is known of one game server.

use super::allocation::Room;
use super::holds::Holds;
use super::id::{InstanceId, LaunchOrdinal, Revision, ServerId, TaskId};
use super::lead_times::Milestones;
use super::life::{Event, Impossible, Phase, apply};
use super::observation::{Endpoint, Instance, Role};
use super::time::Timestamp;

/// The largest capacity that is believed: a server's players share one port, which has 65,535 peers' ports at most.
pub const MAX_REPORTED_CAPACITY: u32 = 65_535;

/// What a game server said when asked for its health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthAnswer {
    /// How many more players it can take; at most [`MAX_REPORTED_CAPACITY`].
    pub available_capacity: u32,
    /// Its own word that nobody would lose a game if it stopped.
    pub ready_to_close: bool,
}

/// What is known of a server's health.
#[derive(Clone, Debug)]
pub struct Health {
    last: Option<(HealthAnswer, Timestamp)>,
    misses: u32,
    /// Since when an answer is owed: its first miss; for one never heard, when it should have started. Not before.
    unanswered_since: Timestamp,
}

/// What may be made of a server's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Its last question was answered.
    Answering,
    /// It owes an answer, not for long enough to be given up: no players for it, and none launched for it.
    Doubtful,
    /// It missed too many questions in a row.
    Silent,
}

impl Health {
    /// Of a server that was not heard yet, and owes an answer from `owed_since` on.
    pub(crate) const fn unheard(owed_since: Timestamp) -> Self {
        Self { last: None, misses: 0, unanswered_since: owed_since }
    }

    /// The last answer and when its question was put.
    pub const fn last(&self) -> Option<(HealthAnswer, Timestamp)> {
        self.last
    }

    /// Since when an answer is owed. Of no meaning for one that answers.
    pub const fn unanswered_since(&self) -> Timestamp {
        self.unanswered_since
    }

    /// What may be made of it.
    pub const fn condition(&self, silent_after_misses: u32) -> Condition {
        match (&self.last, self.misses) {
            (Some(_), 0) => Condition::Answering,
            (_, misses) if misses >= silent_after_misses => Condition::Silent,
            _ => Condition::Doubtful,
        }
    }

    pub(crate) const fn answered(&mut self, answer: HealthAnswer, asked_at: Timestamp) {
        self.last = Some((answer, asked_at));
        self.misses = 0;
    }

    pub(crate) fn missed(&mut self, asked_at: Timestamp) {
        if self.last.is_none() && asked_at < self.unanswered_since {
            return;
        }
        if self.misses == 0 && self.last.is_some() {
            self.unanswered_since = asked_at;
        }
        self.misses = self.misses.saturating_add(1);
    }
}

/// The instance a server runs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its id.
    pub id: InstanceId,
    /// It carries the fleet's tag.
    pub owned: bool,
    /// Someone else's task runs there too.
    pub foreign_tasks: bool,
    /// Its agent answers.
    pub connected: bool,
    /// It is about to go.
    pub leaving: bool,
}

impl Host {
    /// An instance that the fleet has just launched.
    pub(super) const fn just_launched(id: InstanceId) -> Self {
        Self { id, owned: true, foreign_tasks: false, connected: false, leaving: false }
    }

    /// An instance as the cloud shows it.
    pub(super) fn seen(instance: &Instance) -> Self {
        let registration = instance.registration;
        Self {
            id: instance.id.clone(),
            owned: instance.owned,
            foreign_tasks: registration.is_some_and(|registration| registration.foreign_tasks),
            connected: registration.is_some_and(|registration| registration.connected),
            leaving: instance.leaving,
        }
    }

    /// Whether the instance may end with the server.
    pub const fn may_terminate(&self) -> bool {
        self.owned && !self.foreign_tasks
    }
}

/// A server, by all its names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its name in this manager.
    pub server: ServerId,
    /// The instance it runs on, once that is known.
    pub instance: Option<InstanceId>,
    /// The launch it came of; none if somebody else started it.
    pub launch: Option<LaunchOrdinal>,
}

/// One game server, from launch to gone.
///
/// Its fields lie in this order: what each report and each decision look at comes first, on as few cache lines as it needs. A
/// fleet of thousands is in no cache close by.
#[derive(Debug)]
#[repr(C)]
pub struct Server {
    /// Its name in this manager.
    pub id: ServerId,
    /// Where it is in its life.
    pub phase: Phase,
    /// What is known of its health.
    pub health: Health,
    /// When it was first seen at its present address: what was asked before was asked elsewhere.
    pub(super) reached_since: Timestamp,
    /// Its room as the allocation index has it.
    pub(super) indexed: Room,
    /// How many it takes, by what it said when it was empty.
    pub(super) places: Option<u32>,
    /// Places handed out on it since players were last counted, and how many they were then.
    pub(super) handed_out: u32,
    pub(super) players_before: Option<u32>,
    /// Places handed out on it.
    pub holds: Holds,
    /// When that phase began; for a launch by the cloud's own times, so that a restart does not put deadlines off.
    pub phase_since: Timestamp,
    /// Since when this manager knows it.
    pub known_since: Timestamp,
    /// The operator sent it to standby: it is not taken back for want of places.
    pub cordoned: bool,
    /// The launch it came of; none if somebody else started it.
    pub ordinal: Option<LaunchOrdinal>,
    /// Where it runs, once that is known.
    pub host: Option<Host>,
    /// Its task, once placed.
    pub task: Option<TaskId>,
    /// What its task runs, or was last asked to.
    pub revision: Option<Revision>,
    /// Where it is reached, once it runs.
    pub endpoint: Option<Endpoint>,
    /// How far its launch has come when.
    pub milestones: Milestones,
    /// Until then it may have holds that an earlier manager gave out, which nobody here knows of.
    pub(super) unknown_holds_until: Timestamp,
    /// The cloud shows another role than this one: it is to be recorded.
    pub(super) role_unrecorded: bool,
    /// The cloud was not asked to record it yet: nobody else can know of it.
    pub(super) role_unasked: bool,
    /// When this manager last decided, recorded or followed its role. The cloud may not show that yet for a while; after
    /// it, what the cloud shows is somebody's later word.
    pub(super) role_settled_at: Timestamp,
    /// The errand run for it in the cloud is not repeated before.
    pub(super) no_order_before: Timestamp,
    /// Errands in a row that failed, in its present phase.
    pub(super) failed_orders: u32,
    /// Placements refused for certain.
    pub(super) refused_placements: u32,
    /// Placement requests of which it is not known whether they were carried out.
    pub(super) unanswered_placements: u32,
    /// Until then the cloud may not show it yet, though it is there.
    pub(super) may_lag_until: Timestamp,
    /// Looks in a row that did not show it.
    pub(super) absences: u32,
}

impl Server {
    pub(super) const fn new(id: ServerId, phase: Phase, host: Option<Host>, since: Timestamp, now: Timestamp) -> Self {
        Self {
            id,
            ordinal: None,
            host,
            task: None,
            revision: None,
            endpoint: None,
            phase,
            phase_since: since,
            known_since: now,
            milestones: Milestones::NONE,
            health: Health::unheard(now),
            holds: Holds::NONE,
            cordoned: false,
            handed_out: 0,
            players_before: None,
            places: None,
            indexed: Room::NONE,
            unknown_holds_until: Timestamp::from_micros(0),
            role_unrecorded: false,
            role_unasked: false,
            role_settled_at: Timestamp::from_micros(0),
            no_order_before: Timestamp::from_micros(0),
            failed_orders: 0,
            refused_placements: 0,
            unanswered_placements: 0,
            may_lag_until: Timestamp::from_micros(0),
            reached_since: Timestamp::from_micros(0),
            absences: 0,
        }
    }

    /// Moves on in its life. `at` is when the event happened.
    pub(super) fn happen(&mut self, event: Event, at: Timestamp) -> Result<(), Impossible> {
        let phase = apply(self.phase, event)?;
        if phase != self.phase {
            self.phase = phase;
            self.phase_since = at;
            self.no_order_before = Timestamp::default();
            self.failed_orders = 0;
        }
        Ok(())
    }

    /// The instance it runs on, once that is known.
    pub fn instance(&self) -> Option<&InstanceId> {
        self.host.as_ref().map(|host| &host.id)
    }

    /// All its names.
    pub fn subject(&self) -> Subject {
        Subject { server: self.id, instance: self.instance().cloned(), launch: self.ordinal }
    }

    /// Its instance is about to go.
    pub fn is_leaving(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.leaving)
    }

    /// The role it plays; none while it serves nobody.
    pub const fn role(&self) -> Option<Role> {
        match self.phase {
            Phase::Available => Some(Role::Available),
            Phase::Standby => Some(Role::Standby),
            _ => None,
        }
    }

    /// Reported capacity less holds: places that could still be handed out if it takes players.
    pub fn unclaimed(&self) -> u32 {
        self.health.last().map_or(0, |(answer, _)| answer.available_capacity.saturating_sub(self.holds.count()))
    }

    /// Free places: of an available server that answers, and of no other.
    pub fn free(&self, silent_after_misses: u32) -> u32 {
        match (self.phase, self.health.condition(silent_after_misses)) {
            (Phase::Available, Condition::Answering) => self.unclaimed(),
            _ => 0,
        }
    }

    /// Whether nobody can lose a game by its end: it went to standby, then said that it is ready, in an answer that
    /// showed whom its holds were for.
    pub fn is_drained(&self, silent_after_misses: u32) -> bool {
        let Some((answer, asked_at)) = self.health.last() else {
            return false;
        };
        self.phase == Phase::Standby
            && !self.role_unasked
            && self.health.condition(silent_after_misses) == Condition::Answering
            && answer.ready_to_close
            && asked_at > self.phase_since
            && self.holds.count() == 0
            && asked_at > self.unknown_holds_until
    }
}
