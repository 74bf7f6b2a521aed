//! Setting what the cloud shows against what is known. A look that could not be completed never gets here, so what
//! is absent from one was absent; still it takes two looks in a row, since the cloud shows new things late.

use std::collections::{BTreeMap, BTreeSet};

use super::{Note, Roster};
use crate::model::id::{InstanceId, ServerId, TaskId};
use crate::model::launches::VISIBILITY;
use crate::model::life::{CloseReason, Event, Phase};
use crate::model::observation::{Instance, InstanceState, Observation, Role, Task, TaskState};
use crate::model::rollout::Serving;
use crate::model::server::{Condition, Health, Host, Server};
use crate::model::time::Timestamp;

/// Looks in a row that do not show a server before it counts as gone.
const ABSENCES: u32 = 2;

/// One look at the cloud, by name.
struct Sight<'a> {
    begun_at: Timestamp,
    instances: BTreeMap<&'a InstanceId, &'a Instance>,
    tasks: BTreeMap<&'a TaskId, &'a Task>,
}

impl<'a> Sight<'a> {
    fn of(observation: &'a Observation) -> Self {
        Self {
            begun_at: observation.begun_at,
            instances: observation.instances.iter().map(|instance| (&instance.id, instance)).collect(),
            tasks: observation.tasks.iter().map(|task| (&task.id, task)).collect(),
        }
    }
}

impl Roster {
    /// Takes in a first part of the fleet: those of its servers that run may be asked for their health, and given players.
    /// Nothing else follows from it, and nothing at all once there was a complete look.
    pub fn glimpse(&mut self, part: &Observation, now: Timestamp) {
        if self.is_ready() {
            return;
        }
        let mut sight = Sight::of(part);
        let host = |task: &Task| sight.instances.get(task.instance.as_ref()?);
        let runs = |task: &Task| {
            matches!(task.state, TaskState::Running(_))
                && host(task).is_some_and(|host| host.state == InstanceState::Running)
        };
        sight.tasks.retain(|_, task| runs(task));
        let earlier = self.last_server;
        self.adopt_tasks(&sight, now);
        let ids = self.servers.iter().map(|server| server.id);
        let new: Vec<ServerId> = ids.filter(|id| id.number() > earlier).collect();
        new.into_iter().for_each(|id| self.follow(id, &sight, now));
    }

    /// Takes in a complete look at the cloud; one that began before the last one is dropped.
    pub fn observe(&mut self, observation: &Observation, now: Timestamp) {
        if self.observed_at.is_some_and(|observed_at| observation.begun_at < observed_at) {
            return;
        }
        let sight = Sight::of(observation);
        if let Some(target) = &observation.target {
            self.roll_out(|rollout| rollout.observe(target, observation.begun_at, now));
        }
        self.adopt_tasks(&sight, now);
        self.adopt_instances(&sight, now);
        let known: Vec<ServerId> = self.servers.iter().map(|server| server.id).collect();
        known.into_iter().for_each(|id| self.follow(id, &sight, now));
        for instance in sight.instances.values().filter(|instance| instance.owned) {
            instance.ordinal.into_iter().for_each(|ordinal| self.ledger.saw(ordinal, instance.launch_size, instance));
            self.ledger.saw_instance(&instance.id);
        }
        self.note_what_serves();
        self.ledger.looked(sight.begun_at);
        self.ledger.expire(now);
        if self.observed_at.is_none() {
            // Those of a first part may have kept silent while the others were not known, as all do when it is the manager
            // that cannot reach them.
            self.blind_at = now;
        }
        self.observed_at = Some(observation.begun_at);
    }

    fn note_what_serves(&mut self) {
        let silent_after = self.policy.silent_after_misses;
        let serving = self.servers.iter().filter(|server| server.phase.is_serving());
        let serving = serving.filter_map(|server| {
            let was_heard = server.health.last().is_some();
            // One that was found running and does not answer is no word for what it runs.
            let condition = server.health.condition(silent_after);
            let may_serve = was_heard || condition != Condition::Silent;
            let revision = server.revision.clone().filter(|_| may_serve)?;
            let (is_available, answers) = (server.phase == Phase::Available, condition == Condition::Answering);
            Some(Serving { revision, is_available, was_heard, answers })
        });
        let serving: Vec<Serving> = serving.collect();
        self.roll_out(|rollout| rollout.serves(&serving));
    }

    /// Gives every living task a server: the one that waits for it on its instance, or a new one.
    fn adopt_tasks(&mut self, sight: &Sight<'_>, now: Timestamp) {
        let known: BTreeSet<TaskId> = self.servers.iter().filter_map(|server| server.task.clone()).collect();
        let mut waiting: BTreeMap<InstanceId, ServerId> = self
            .servers
            .iter()
            .filter(|server| server.task.is_none())
            .filter_map(|server| Some((server.instance()?.clone(), server.id)))
            .collect();
        for task in sight.tasks.values().filter(|task| task.state != TaskState::Stopped && !known.contains(&task.id)) {
            let waits = task.instance.as_ref().and_then(|instance| waiting.remove(instance));
            match waits.and_then(|id| self.servers.get_mut(id)) {
                Some(server) => {
                    server.task = Some(task.id.clone());
                    server.revision = Some(task.revision.clone());
                }
                None => self.adopt(task, sight, now),
            }
        }
    }

    /// Takes on a task that somebody else started, perhaps an earlier manager.
    fn adopt(&mut self, task: &Task, sight: &Sight<'_>, now: Timestamp) {
        let instance = task.instance.as_ref().and_then(|id| sight.instances.get(id).copied());
        let (phase, since) = match (&task.state, task.role) {
            (TaskState::Running(_), Role::Standby) => (Phase::Standby, now),
            // It may have players: it is not taken for one that starts, which may end without regard to them.
            (TaskState::Running(_), Role::Available) => (Phase::Available, now),
            _ => (Phase::Placed, instance.and_then(joined_at).unwrap_or(now)),
        };
        let unknown_holds_until = now + self.policy.hold_ttl;
        let launch = instance.and_then(|instance| instance.ordinal);
        let server = self.add(phase, instance.map(Host::seen), launch, since, now);
        server.task = Some(task.id.clone());
        server.revision = Some(task.revision.clone());
        server.unknown_holds_until = unknown_holds_until;
    }

    /// Gives every instance of the fleet a server, so that a launch half done is taken up, or ended at its deadline.
    fn adopt_instances(&mut self, sight: &Sight<'_>, now: Timestamp) {
        let mut known: BTreeSet<InstanceId> = self.servers.iter().filter_map(Server::instance).cloned().collect();
        // Each living task has a server by now, which may not know its instance yet.
        let living = sight.tasks.values().filter(|task| task.state != TaskState::Stopped);
        known.extend(living.filter_map(|task| task.instance.clone()));
        for instance in sight.instances.values().filter(|instance| !known.contains(&instance.id)) {
            let host = Host::seen(instance);
            if host.owned && instance.state != InstanceState::Terminated {
                let requested_at = instance.ordinal.and_then(|ordinal| self.ledger.begun_at(ordinal));
                let server = self.add(Phase::Booting, Some(host), instance.ordinal, instance.launched_at, now);
                server.milestones.requested_at = requested_at;
            }
        }
    }

    /// Follows one server through what the look shows of it.
    fn follow(&mut self, id: ServerId, sight: &Sight<'_>, now: Timestamp) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let task = server.task.as_ref().and_then(|task| sight.tasks.get(task).copied());
        let instance_id = server.instance().or_else(|| task?.instance.as_ref());
        let instance = instance_id.and_then(|id| sight.instances.get(id).copied());
        if let Some(instance) = instance {
            let had_foreign_tasks = server.host.as_ref().is_some_and(|host| host.foreign_tasks);
            let host = server.host.insert(Host::seen(instance));
            // The cluster may forget a member for a moment; someone else's task is not gone for that.
            host.foreign_tasks |= had_foreign_tasks && instance.registration.is_none();
            if host.owned && host.foreign_tasks && !had_foreign_tasks {
                self.notes.push(Note::Shared(server.subject()));
            }
        }
        let shown = if server.task.is_some() { task.is_some() } else { instance.is_some() };
        server.absences = if shown { 0 } else { server.absences + 1 };
        // Lists are eventually consistent: who may have players has to be silent as well.
        let may_be_gone =
            !server.phase.is_serving() || server.health.condition(self.policy.silent_after_misses) == Condition::Silent;
        let absent = server.absences >= ABSENCES && sight.begun_at > server.may_lag_until && may_be_gone;
        let task_is_over = match task {
            Some(task) => task.state == TaskState::Stopped,
            None => server.task.is_some() && absent,
        };
        let instance_is_over = match instance {
            Some(instance) => instance.state == InstanceState::Terminated,
            // Where a task is shown to live, its instance lives too.
            None => absent,
        };
        let task_lives = task.is_some_and(|task| task.state != TaskState::Stopped);
        let (owned, may_terminate) =
            server.host.as_ref().map_or((false, false), |host| (host.owned, host.may_terminate()));
        let is_closing = matches!(server.phase, Phase::Closing(_));

        if instance_is_over && task_lives {
            // ECS goes on meaning the task to run until its agent says that it ended, which a lost one never does. It is
            // stopped by hand, and the server known until then: else every look would show it anew.
            if !is_closing {
                self.happen(id, Event::Closed(CloseReason::InstanceStopped), now, now);
            }
        } else if instance_is_over || task_is_over && !owned {
            self.happen(id, Event::Vanished, now, now);
        } else if task_is_over {
            // The instance is left: it serves nothing and goes too, once nobody else's task is on it.
            server.task = None;
            if !is_closing {
                self.happen(id, Event::Closed(CloseReason::TaskStopped), now, now);
            }
        } else if instance.is_some_and(|instance| instance.state == InstanceState::Stopped) && may_terminate {
            self.happen(id, Event::Closed(CloseReason::InstanceStopped), now, now);
        } else if !is_closing {
            self.advance(id, task, instance, sight.begun_at, now);
        }
    }

    /// Moves a living server on to the stage that the look shows.
    fn advance(
        &mut self,
        id: ServerId,
        task: Option<&Task>,
        instance: Option<&Instance>,
        begun_at: Timestamp,
        now: Timestamp,
    ) {
        let healthy_deadline = self.policy.healthy_deadline;
        if let Some(server) = self.servers.get_mut(id) {
            server.follow_milestones(task, instance, now);
        }
        if let Some(joined_at) = instance.and_then(joined_at) {
            self.happen(id, Event::Joined, joined_at, now);
        }
        let (Some(task), Some(server)) = (task, self.servers.get_mut(id)) else {
            return;
        };
        // One deadline spans both: from joining until a task runs.
        let placed_since = if server.phase == Phase::Joined { server.phase_since } else { now };
        let started_at = task.started_at.unwrap_or(now);
        match &task.state {
            TaskState::Running(endpoint) => {
                if server.endpoint.as_ref() != Some(endpoint) {
                    server.endpoint = Some(endpoint.clone());
                    server.reached_since = now;
                    // What was heard was heard elsewhere. It may be starting, and owes no answer until that is over.
                    server.health = Health::unheard(now.max(started_at + healthy_deadline));
                }
                let (known_since, was_launching) = (server.known_since, server.phase.is_launching());
                // It could not be asked before it was seen to run, however long it has.
                self.happen(id, Event::Running, now, now);
                self.reindex(id);
                if was_launching && started_at < known_since {
                    self.find_serving(id, now);
                }
            }
            TaskState::Pending => self.happen(id, Event::Placed, placed_since, now),
            TaskState::Stopped => {}
        }
        self.follow_role(id, task.role, begun_at, now);
    }

    /// Takes a server that ran before this manager knew it for one that has players: a first look left its task out.
    fn find_serving(&mut self, id: ServerId, now: Timestamp) {
        let unknown_holds_until = now + self.policy.hold_ttl;
        self.happen(id, Event::FoundServing, now, now);
        if let Some(server) = self.servers.get_mut(id) {
            server.unknown_holds_until = unknown_holds_until;
        }
    }

    /// Follows a role that somebody else recorded: an operator, an earlier manager, or one that runs at the same time.
    /// What this manager decided, recorded or followed stands until the cloud must show it.
    fn follow_role(&mut self, id: ServerId, recorded: Role, begun_at: Timestamp, now: Timestamp) {
        let unknown_holds_until = now + self.policy.hold_ttl;
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let stands = server.role_unrecorded || begun_at <= server.role_settled_at + VISIBILITY;
        if stands || server.role().is_none_or(|role| role == recorded) {
            return;
        }
        server.role_settled_at = now;
        server.unknown_holds_until = unknown_holds_until;
        // A later word than the operator's here.
        server.cordoned &= recorded == Role::Standby;
        let event = match recorded {
            Role::Available => Event::TakenBack,
            Role::Standby => Event::SentToStandby,
        };
        self.happen(id, event, now, now);
    }
}

impl Server {
    /// Notes how far the look shows its launch to have come, and with what.
    fn follow_milestones(&mut self, task: Option<&Task>, instance: Option<&Instance>, now: Timestamp) {
        let milestones = &mut self.milestones;
        if instance.is_some_and(|instance| instance.state == InstanceState::Running) {
            milestones.running_at.get_or_insert(now);
        }
        if let Some(joined_at) = instance.and_then(joined_at) {
            milestones.registered_at.get_or_insert(joined_at);
        }
        if let Some(task) = task {
            milestones.placed_at.get_or_insert(now);
            self.revision = Some(task.revision.clone());
        }
    }
}

fn joined_at(instance: &Instance) -> Option<Timestamp> {
    instance.registration.map(|registration| registration.joined_at)
}
