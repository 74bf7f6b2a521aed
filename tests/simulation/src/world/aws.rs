//! What the calls to AWS do, by AWS's documentation: placements that fail in a good answer, client tokens, errors.

use std::collections::BTreeMap;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use actors::model::{
    Address, Endpoint, Instance, InstanceId, LaunchOrder, Observation, Pool, Revision, Role, Task, TaskId, TaskState,
    Timestamp,
};

use super::games::Temper;
use super::versions::Versions;
use super::weather::share_of;
use super::{Happening, World};
use crate::event::{Cause, Event, PlayerId};
use crate::faults::FaultKind;

/// The port that players and health questions go to.
pub const PORT: u16 = 8000;

/// How long ECS goes on showing a stopped task: "at least an hour".
const STOPPED_SHOWN: Duration = Duration::from_hours(1);

/// Why a call is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiError {
    /// Too many calls.
    Throttled,
    /// Not allowed.
    Denied,
    /// There are no instances to be had.
    NoCapacity,
    /// The client token was used before, with other parameters.
    OtherParameters,
    /// What was named is not there.
    NotFound,
    /// Refused, for this reason.
    Refused(&'static str),
    /// The connection was closed before an answer came.
    ConnectionClosed,
}

/// What was launched, by zone and client token: what was asked for, and what came of it. "A request with the same client
/// token can complete only once within each Availability Zone".
#[derive(Debug, Default)]
pub struct Launches(BTreeMap<(u32, String), Launch>);

/// How many were asked for, of which pool, and what came of it.
#[derive(Debug)]
struct Launch {
    count: u32,
    pool: Pool,
    instances: Vec<InstanceId>,
}

/// What was placed, by client token.
#[derive(Debug, Default)]
pub struct Placements(BTreeMap<String, TaskId>);

/// A task of the game server's family, and the game server in it.
#[derive(Debug)]
pub struct GameTask {
    /// Where it runs.
    pub instance: InstanceId,
    /// Where it is reached.
    pub place: SocketAddrV4,
    /// What it runs.
    pub revision: Revision,
    /// The role recorded on it.
    pub role: Role,
    /// When it started to run.
    pub started_at: Option<Timestamp>,
    /// When the game server in it listens.
    pub listens_at: Option<Timestamp>,
    /// It has ended, or is about to.
    pub has_ended: bool,
    /// How many players it takes.
    pub capacity: u32,
    /// Who plays.
    pub players: Vec<PlayerId>,
    /// What is wrong with it.
    pub temper: Temper,
    shown: Versions<Task>,
    /// The last list left it out. Two lists in a row do not.
    was_left_out: bool,
}

impl GameTask {
    /// How many more players it takes.
    pub fn free_places(&self) -> u32 {
        self.capacity.saturating_sub(u32::try_from(self.players.len()).unwrap_or(u32::MAX))
    }

    /// What players are told.
    pub fn address(&self) -> Address {
        Address::new(self.place.to_string())
    }
}

impl World {
    /// `RunInstances`. The same token again gives what it gave before: each instance, and whether it lives.
    pub fn run_instances(
        &mut self,
        token: String,
        order: LaunchOrder,
        by: Cause,
    ) -> Result<Vec<(InstanceId, bool)>, ApiError> {
        let LaunchOrder { count, pool, .. } = order;
        let key = (self.scenario.zones[pool.0 as usize], token);
        if let Some(launch) = self.launches.0.get(&key) {
            if (launch.count, launch.pool) != (count, pool) {
                return Err(ApiError::OtherParameters);
            }
            let lives = |id: &InstanceId| self.machines.get(id).is_some_and(|machine| machine.is_alive);
            return Ok(launch.instances.iter().map(|id| (id.clone(), lives(id))).collect());
        }
        let to_be_had = self.instances_to_be_had(count, pool);
        if to_be_had == 0 {
            return Err(ApiError::NoCapacity);
        }
        let mut launched = Vec::new();
        for _ in 0..to_be_had {
            let id = self.launch_machine(true, Some(order), by);
            self.boot(&id);
            launched.push(id);
        }
        self.launches.0.insert(key, Launch { count, pool, instances: launched.clone() });
        Ok(launched.into_iter().map(|id| (id, true)).collect())
    }

    /// `RunTask` on one instance; `alone` is the constraint `distinctInstance`.
    pub fn run_task(
        &mut self,
        token: String,
        instance: &InstanceId,
        revision: &Revision,
        alone: bool,
        by: Cause,
    ) -> Result<TaskId, ApiError> {
        if let Some(task) = self.placements.0.get(&token) {
            return Ok(task.clone());
        }
        let Some(machine) = self.machines.get(instance).filter(|machine| machine.is_alive) else {
            return Err(ApiError::Refused("MemberOf placement constraint unsatisfied."));
        };
        if machine.joined_at.is_none() || machine.is_draining {
            return Err(ApiError::Refused("MemberOf placement constraint unsatisfied."));
        }
        if !machine.is_connected {
            return Err(ApiError::Refused("AGENT"));
        }
        if alone && !self.tasks_on(instance).is_empty() {
            return Err(ApiError::Refused("distinctInstance placement constraint unsatisfied."));
        }
        let failing = share_of!(self, PlacementFailures);
        if self.chance.happens(failing) {
            return Err(self.chance.pick(&[ApiError::Refused("AGENT"), ApiError::Refused("RESOURCE:MEMORY")]));
        }
        let task = self.place_task(instance, revision, by);
        self.placements.0.insert(token, task.clone());
        Ok(task)
    }

    /// Places a task on a machine.
    pub(super) fn place_task(&mut self, instance: &InstanceId, revision: &Revision, by: Cause) -> TaskId {
        let id = TaskId::new(format!("task-{}", self.number()));
        let address = self.machines[instance].address;
        let task = GameTask {
            instance: instance.clone(),
            place: SocketAddrV4::new(address, PORT),
            revision: revision.clone(),
            role: Role::Available,
            started_at: None,
            listens_at: None,
            has_ended: false,
            capacity: self.scenario.policy.server_capacity,
            players: Vec::new(),
            temper: Temper::default(),
            shown: Versions::default(),
            was_left_out: false,
        };
        self.tasks.insert(id.clone(), task);
        self.tell(Event::Placed { task: id.clone(), instance: instance.clone(), revision: revision.clone(), by });
        self.show_task(&id);
        let fails = 0.005_f64.max(share_of!(self, StartFailures));
        let starts = self.chance.skewed(12.0, 0.5);
        let what = if self.chance.happens(fails) { Happening::TaskFails } else { Happening::TaskRuns };
        self.after(starts, what(id.clone()));
        id
    }

    pub(super) fn task_runs(&mut self, id: &TaskId) {
        let now = self.now();
        let slow = self.weather.has(|kind| matches!(kind, FaultKind::SlowStart));
        let takes = if slow { self.chance.seconds(20.0, 200.0) } else { self.chance.seconds(0.5, 15.0) };
        let Some(task) = self.tasks.get_mut(id).filter(|task| !task.has_ended) else { return };
        task.started_at = Some(now);
        task.listens_at = Some(now + takes);
        let (address, revision) = (task.address(), task.revision.clone());
        self.tell(Event::Running(id.clone(), address));
        self.show_task(id);
        self.spoil_game(id);
        if !self.works(&revision) {
            // Half of them die of it, half of them live on and never say a word.
            if self.chance.happens(0.5) {
                self.after(takes, Happening::TaskFails(id.clone()));
            } else if let Some(task) = self.tasks.get_mut(id) {
                task.listens_at = None;
            }
            return;
        }
        let dies = share_of!(self, EarlyDeaths);
        if self.chance.happens(dies) {
            let lives = takes + self.chance.seconds(1.0, 300.0);
            self.after(lives, Happening::TaskFails(id.clone()));
        }
    }

    pub(super) fn task_fails(&mut self, id: &TaskId) {
        self.end_task(id, Cause::Failure);
    }

    /// A task ends: its game is over for all who play.
    pub(super) fn end_task(&mut self, id: &TaskId, cause: Cause) {
        let Some(task) = self.tasks.get_mut(id).filter(|task| !task.has_ended) else { return };
        task.has_ended = true;
        let players = std::mem::take(&mut task.players);
        self.tell(Event::TaskEnded(id.clone(), cause));
        for player in players {
            self.cut_off(player, id, cause);
        }
        self.show_task(id);
        self.after(STOPPED_SHOWN, Happening::TaskForgotten(id.clone()));
    }

    /// `TagResource`. AWS tags a task that has ended, too, as long as it shows it.
    pub fn tag(&mut self, id: &TaskId, role: Role) -> Result<(), ApiError> {
        let task = self.tasks.get_mut(id).ok_or(ApiError::NotFound)?;
        task.role = role;
        self.tell(Event::Tagged(id.clone(), role));
        self.show_task(id);
        Ok(())
    }

    /// `StopTask`. One that has ended is no error.
    pub fn stop_task(&mut self, id: &TaskId, by: Cause) -> Result<(), ApiError> {
        if !self.tasks.contains_key(id) {
            return Err(ApiError::NotFound);
        }
        self.end_task(id, by);
        Ok(())
    }

    /// `TerminateInstances`. One that is not there has AWS refuse all of them.
    pub fn terminate(&mut self, ids: &[InstanceId], by: Cause) -> Result<(), ApiError> {
        if ids.iter().any(|id| !self.machines.contains_key(id)) {
            return Err(ApiError::NotFound);
        }
        for id in ids {
            self.end_machine(id, by);
        }
        Ok(())
    }

    /// Whether AWS still knows the instance.
    pub fn knows(&self, id: &InstanceId) -> bool {
        self.machines.contains_key(id)
    }

    /// The game tasks on an instance that have not ended.
    pub(super) fn tasks_on(&self, instance: &InstanceId) -> Vec<TaskId> {
        let there = self.tasks.iter().filter(|(_, task)| task.instance == *instance && !task.has_ended);
        there.map(|(id, _)| id.clone()).collect()
    }

    /// Has AWS show a task as it is now, once it gets round to it.
    pub(super) fn show_task(&mut self, id: &TaskId) {
        let (now, lag) = (self.now(), self.lag());
        let Some(task) = self.tasks.get_mut(id) else { return };
        let endpoint = || Endpoint { players: task.address(), health: SocketAddr::V4(task.place) };
        let state = match task.started_at {
            _ if task.has_ended => TaskState::Stopped,
            Some(_) => TaskState::Running(endpoint()),
            None => TaskState::Pending,
        };
        let (instance, role, started_at) = (Some(task.instance.clone()), task.role, task.started_at);
        let revision = task.revision.clone();
        task.shown.write(Task { id: id.clone(), instance, state, revision, role, started_at }, now, lag);
    }

    /// One task as a description shows it.
    pub fn task_shown(&mut self, id: &TaskId) -> Option<Task> {
        let (now, behind) = (self.now(), self.behind());
        self.tasks.get(id)?.shown.read(now, behind).cloned()
    }

    /// All that AWS shows of the fleet, with the instances as they were shown a moment before.
    pub fn observation(&mut self, begun_at: Timestamp, mut instances: Vec<Instance>) -> Observation {
        let tasks = self.tasks_shown();
        for task in &tasks {
            let host = task.instance.as_ref().filter(|host| instances.iter().all(|known| known.id != **host));
            let host = host.and_then(|host| self.instance_shown(&host.clone()));
            // One that has ended says nothing of a host that is not the fleet's.
            instances.extend(host.filter(|_| task.state != TaskState::Stopped));
        }
        for instance in &mut instances {
            instance.registration = self.member_shown(&instance.id);
        }
        Observation { begun_at, instances, tasks, target: Some(self.target_shown()) }
    }

    /// The tasks that lists show.
    pub fn tasks_shown(&mut self) -> Vec<Task> {
        let (now, omitting) = (self.now(), share_of!(self, StaleReads) / 10.0);
        let ids: Vec<TaskId> = self.tasks.keys().cloned().collect();
        let mut shown = Vec::new();
        for id in ids {
            let behind = self.behind();
            let left_out = self.chance.happens(omitting);
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            let left_out = left_out && !task.was_left_out;
            task.was_left_out = left_out;
            if !left_out {
                shown.extend(task.shown.read(now, behind).cloned());
            }
        }
        shown
    }
}
