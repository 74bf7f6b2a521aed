//! What the observer has seen: machines, tasks, and what each manager was told and has asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use actors::model::{
    Address, HealthAnswer, InstanceId, LaunchOrdinal, Policy, Revision, Role, RolloutState, TaskId, Timestamp,
};

use super::places::owed;
use super::records::{Heard, MachineBook, ManagerBook, Sent, TaskBook};
use super::rollouts::RevisionBook;
use crate::event::{Arrival, Call, Event, Given, ManagerId};
use crate::scenario::CONCURRENCY;

/// How long AWS may take to show what is so: the worst lag of a write and the worst replica, and some.
pub(super) const SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// How long it counts that somebody came.
const ARRIVALS_KEPT: Duration = Duration::from_mins(20);

#[derive(Debug)]
pub(super) struct Books {
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
    pub(super) machines: BTreeMap<InstanceId, MachineBook>,
    pub(super) tasks: BTreeMap<TaskId, TaskBook>,
    /// Every revision there is, the oldest first.
    pub(super) revisions: Vec<(Revision, RevisionBook)>,
    /// Who ran last at an address.
    pub(super) at: BTreeMap<Address, TaskId>,
    pub(super) managers: BTreeMap<ManagerId, ManagerBook>,
    /// When instances were launched under an ordinal.
    pub(super) launches: BTreeMap<LaunchOrdinal, Timestamp>,
    /// Faults at the moment.
    pub(super) faults: u32,
    /// Those of them that keep the cloud from doing or showing what it is asked.
    pub(super) cloud_faults: u32,
    /// When there was a fault last.
    pub(super) fault_at: Timestamp,
    pub(super) sampled_at: Timestamp,
    /// Games cut off by a manager on servers that were silent past their grace.
    pub(super) cut_off_silent: u64,
}

impl Books {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            now: Timestamp::default(),
            machines: BTreeMap::new(),
            tasks: BTreeMap::new(),
            revisions: Vec::new(),
            at: BTreeMap::new(),
            managers: BTreeMap::new(),
            launches: BTreeMap::new(),
            faults: 0,
            cloud_faults: 0,
            fault_at: Timestamp::default(),
            sampled_at: Timestamp::default(),
            cut_off_silent: 0,
        }
    }

    pub(super) fn manager(&self, id: ManagerId) -> &ManagerBook {
        &self.managers[&id]
    }

    /// Another manager runs, or ran lately: places it gave out are known to nobody else.
    pub(super) fn has_company(&self, id: ManagerId) -> bool {
        let lately = self.policy.hold_ttl + Duration::from_secs(1);
        self.managers
            .iter()
            .any(|(other, book)| *other != id && book.gone_at.is_none_or(|gone_at| self.now.since(gone_at) < lately))
    }

    /// Two managers ran at once lately: one may not have seen yet what the other one made.
    pub(super) fn two_ran(&self) -> bool {
        let lately = |book: &&ManagerBook| book.gone_at.is_none_or(|at| self.now.since(at) < SHOWN_WITHIN);
        let latest: Vec<&ManagerBook> = self.managers.values().filter(lately).collect();
        latest.iter().any(|one| {
            let overlaps = |other: &ManagerBook| one.gone_at.is_none_or(|gone_at| other.started_at < gone_at);
            latest.iter().any(|other| other.started_at > one.started_at && overlaps(other))
        })
    }

    /// What a manager asks for now may have been decided so long ago, if its calls had to wait in line.
    pub(super) fn delay(&self, id: ManagerId) -> Duration {
        let lately = self.policy.call_timeout * 3;
        if self.now.since(self.manager(id).saturated_at) < lately { lately } else { Duration::ZERO }
    }

    /// Writes down what happened.
    pub(super) fn note(&mut self, event: &Event) {
        let now = self.now;
        match event {
            Event::FaultBegan(fault) => {
                self.faults += 1;
                self.cloud_faults += u32::from(fault.kind.is_of_the_cloud());
            }
            Event::FaultEnded(fault) => {
                self.faults -= 1;
                self.cloud_faults -= u32::from(fault.kind.is_of_the_cloud());
                self.fault_at = now;
            }
            Event::ManagerStarted(manager) => {
                self.managers.insert(*manager, ManagerBook::started(now));
            }
            Event::ManagerDied(manager) | Event::ManagerEnded(manager) => {
                if let Some(book) = self.managers.get_mut(manager) {
                    book.gone_at = Some(now);
                    book.ended = matches!(event, Event::ManagerEnded(_));
                    book.owes.clear();
                }
            }
            Event::Called(manager, call) => self.note_call(*manager, call),
            Event::CallEnded(manager, call, how) => {
                if let Some(book) = self.managers.get_mut(manager) {
                    book.in_flight = book.in_flight.saturating_sub(1);
                    if let Call::RunInstances { ordinal, pool, .. } = call {
                        if *how == "answered" {
                            book.shown_launch = book.shown_launch.max(Some(*ordinal));
                            book.unanswered_pools.retain(|(of, _)| of != ordinal);
                        } else if *how == "not answered" {
                            book.unanswered_pools.insert((*ordinal, *pool));
                        }
                        let is_open = *how == "not answered" && book.shown_launch < Some(*ordinal);
                        book.open_launch = is_open.then_some((*ordinal, now));
                    }
                }
            }
            Event::Looked(manager, begun_at, launch) => {
                if let Some(book) = self.managers.get_mut(manager) {
                    book.looked_at = book.looked_at.max(Some(*begun_at));
                    book.first_look_at.get_or_insert(*begun_at);
                    book.highest_launch = book.highest_launch.max(*launch);
                    book.shown_launch = book.shown_launch.max(*launch);
                    let drained = self.machines.iter().filter(|(_, machine)| {
                        machine.draining_since.is_some_and(|since| *begun_at > since + SHOWN_WITHIN)
                    });
                    for (instance, _) in drained {
                        book.saw_draining.entry(instance.clone()).or_insert(now);
                    }
                    book.open_launch = book.open_launch.filter(|(ordinal, _)| book.shown_launch < Some(*ordinal));
                }
            }
            Event::ManagerToldToEnd(manager) => {
                if let Some(book) = self.managers.get_mut(manager) {
                    book.told_to_end_at = Some(now);
                }
            }
            Event::Launched { instance, ordinal, .. } => {
                self.machines.insert(instance.clone(), MachineBook::launched(*ordinal, now));
                if let Some(ordinal) = ordinal {
                    self.launches.entry(*ordinal).or_insert(now);
                }
            }
            Event::Joined(instance) => self.machine(instance, |machine| machine.joined_at = Some(now)),
            Event::InstanceEnded(instance, _) => self.machine(instance, |machine| machine.ended_at = Some(now)),
            Event::InstanceStopped(instance) => self.machine(instance, |machine| machine.is_stopped = true),
            Event::Draining(instance) => self.machine(instance, |machine| machine.draining_since = Some(now)),
            Event::OtherTask(instance) => self.machine(instance, |machine| machine.other_task_since = Some(now)),
            Event::OtherTaskEnded(instance) => self.machine(instance, |machine| {
                machine.other_task_since = None;
                machine.other_task_until = Some(now);
            }),
            Event::Placed { task, instance, revision, .. } => {
                self.tasks.insert(task.clone(), TaskBook::placed(instance.clone(), revision.clone(), now));
            }
            Event::Registered(revision, works) => {
                let book = RevisionBook { works: *works, state: RolloutState::Active, since: now };
                self.revisions.push((revision.clone(), book));
            }
            Event::Marked(revision, state, _) => {
                if let Some((_, book)) = self.revisions.iter_mut().find(|(name, _)| name == revision) {
                    (book.state, book.since) = (*state, now);
                }
            }
            Event::Running(task, address) => {
                self.at.insert(address.clone(), task.clone());
                // Another one was heard there before.
                for book in self.managers.values_mut() {
                    book.ears.remove(address);
                    book.sent.remove(address);
                }
                self.task(task, |book| {
                    book.running_at = Some(now);
                    book.address = Some(address.clone());
                });
            }
            Event::TaskEnded(task, _) => {
                self.managers.values_mut().for_each(|manager| {
                    manager.owes.remove(task);
                });
                self.task(task, |book| book.ended_at = Some(now));
            }
            Event::Tagged(task, role) => self.task(task, |book| {
                if book.role != *role {
                    book.role = *role;
                    book.role_since = now;
                }
            }),
            Event::Health { manager, address, asked_at, answer } => {
                self.note_health(*manager, address, *asked_at, answer.as_ref());
            }
            Event::Sent(manager, player, Given::Place(address)) => {
                let ttl = self.policy.hold_ttl;
                if let Some(book) = self.managers.get_mut(manager) {
                    let sent = book.sent.entry(address.clone()).or_default();
                    sent.retain(|sent| now.since(sent.at) < ttl);
                    sent.push(Sent { player: *player, at: now, arrived_at: None });
                }
            }
            Event::Arrived { player, arrival: Arrival::Seated(task), given } => {
                self.task(task, |book| {
                    book.players.insert(*player, (now, *given));
                    book.arrivals.push_back((now, *given));
                    while book.arrivals.front().is_some_and(|(at, _)| now.since(*at) > ARRIVALS_KEPT) {
                        book.arrivals.pop_front();
                    }
                });
                for sent in self.managers.values_mut().flat_map(|book| book.sent.values_mut()).flatten() {
                    if sent.player == *player {
                        sent.arrived_at.get_or_insert(now);
                    }
                }
            }
            Event::Left(player, task) | Event::CutOff(player, task, _) => self.task(task, |book| {
                book.players.remove(player);
            }),
            _ => {}
        }
        if self.faults > 0 {
            self.fault_at = now;
        }
    }

    fn note_call(&mut self, manager: ManagerId, call: &Call) {
        let now = self.now;
        let Some(book) = self.managers.get_mut(&manager) else { return };
        book.in_flight += 1;
        // One call more may be a look, which waits for nobody.
        if book.in_flight >= CONCURRENCY {
            book.saturated_at = now;
        }
        match call {
            Call::RunInstances { ordinal, .. } => {
                book.launches.entry(*ordinal).or_insert(now);
                book.highest_launch = book.highest_launch.max(Some(*ordinal));
            }
            Call::RunTask { instance, revision, .. } => {
                book.placements.entry((instance.clone(), revision.clone())).or_insert(now);
            }
            Call::Mark { revision, .. } => {
                book.given_up.insert(revision.clone());
            }
            Call::Tag { task, role } => {
                if *role == Role::Available {
                    book.owes.remove(task);
                } else if book.roles.get(task).is_none_or(|(last, _)| *last == Role::Available) {
                    book.last_standby_at = now;
                }
                let asked = book.roles.entry(task.clone()).or_insert((*role, now));
                if asked.0 != *role {
                    *asked = (*role, now);
                }
            }
            _ => {}
        }
    }

    fn note_health(
        &mut self,
        manager: ManagerId,
        address: &Address,
        asked_at: Timestamp,
        answer: Option<&(Timestamp, HealthAnswer)>,
    ) {
        let now = self.now;
        let ttl = self.policy.hold_ttl;
        let Some(book) = self.managers.get_mut(&manager) else { return };
        let quiet_at = answer.filter(|(looked_at, _)| owed(book, address, *looked_at, now, ttl) == 0);
        let ear = book.ears.entry(address.clone()).or_default();
        ear.asked_at = asked_at;
        let Some((looked_at, answer)) = answer else {
            if ear.misses == 0 {
                ear.missing_since = asked_at;
                ear.missed_at = now;
            }
            ear.misses += 1;
            return;
        };
        ear.misses = 0;
        // What came at this very moment may not be known yet: it counts from the next answer on.
        if let Some((looked_at, _)) = quiet_at {
            ear.quiet_at = ear.next_quiet_at;
            ear.next_quiet_at = *looked_at;
        }
        ear.answers.push_back(Heard { at: now, asked_at, looked_at: *looked_at, answer: *answer });
        if ear.answers.len() > 3 {
            ear.answers.pop_front();
        }
        if let Some(task) = self.at.get(address).cloned() {
            self.task(&task, |book| book.heard_at = Some(now));
            let instance = self.tasks[&task].instance.clone();
            self.machine(&instance, |machine| machine.served = true);
        }
    }

    fn machine(&mut self, id: &InstanceId, change: impl FnOnce(&mut MachineBook)) {
        self.machines.get_mut(id).map(change);
    }

    fn task(&mut self, id: &TaskId, change: impl FnOnce(&mut TaskBook)) {
        self.tasks.get_mut(id).map(change);
    }
}
