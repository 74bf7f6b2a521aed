//! The local cloud: game servers as processes on this machine. An instance is an address on the loopback interface, a
//! task a process that listens there. Nothing of it survives the manager.

mod addresses;
mod command;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actors::model::{
    Address, Doomed, Endpoint, Instance, InstanceId, InstanceState, LaunchOrder, LaunchOrdinal, Observation,
    PlaceOrder, Registration, Revision, Role, RolloutState, Target, Task, TaskId, TaskState, Timestamp, VISIBILITY,
};
use actors::ports::{Clock, Cloud, CloudError};
use async_trait::async_trait;

pub use addresses::Spread;
pub use command::built_in_game_server;

use addresses::Addresses;
use process::Process;

/// What the local cloud is made of.
#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// What a game server is started with, with `{ip}` and `{port}` for where it listens.
    pub command: Vec<String>,
    /// From launch until an instance joins the cluster.
    pub boot_delay: Duration,
    /// The address of the first instance.
    pub first_address: Ipv4Addr,
    /// The port of the first instance.
    pub first_port: u16,
    /// Where the others are.
    pub spread: Spread,
    /// Between SIGTERM and SIGKILL.
    pub stop_grace: Duration,
}

/// Where game servers can listen now, first to last.
pub fn free_addresses(settings: &LocalSettings) -> impl Iterator<Item = SocketAddr> {
    let mut addresses = Addresses::new(settings, BTreeSet::new());
    std::iter::from_fn(move || addresses.next_free())
}

/// Game servers as processes on this machine.
pub struct LocalCloud {
    settings: LocalSettings,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    machines: BTreeMap<InstanceId, Machine>,
    tasks_placed: u64,
    rollout: RolloutState,
}

/// All that is run here is the one command of the settings.
const REVISION: &str = "command:1";

/// An instance, and what runs there.
struct Machine {
    launch: LaunchOrder,
    launched_at: Timestamp,
    address: SocketAddr,
    placed: Option<Placed>,
    /// When it was terminated; shown as such for a while.
    ended_at: Option<Timestamp>,
}

struct Placed {
    task: TaskId,
    role: Role,
    started_at: Timestamp,
    process: Process,
}

impl LocalCloud {
    /// A cloud with nothing in it.
    pub fn new(settings: LocalSettings, clock: Clock) -> Self {
        Self { settings, clock, state: Mutex::default() }
    }

    /// Every change to the state is whole, so one that panicked left nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cloud for LocalCloud {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        let mut state = self.state();
        for machine in state.machines.values_mut() {
            // Like an instance that ends itself with its only task being stopped on request.
            let is_over = machine.placed.as_ref().is_some_and(|placed| placed.process.was_stopped());
            if is_over && machine.ended_at.is_none() {
                machine.ended_at = Some(begun_at);
            }
        }
        state.machines.retain(|_, machine| machine.ended_at.is_none_or(|ended| begun_at.since(ended) < VISIBILITY));
        let boot_delay = self.settings.boot_delay;
        let instances = state.machines.iter().map(|(id, machine)| machine.show(id, begun_at, boot_delay)).collect();
        let tasks = state.machines.iter().filter_map(|(id, machine)| machine.show_task(id)).collect();
        let target = Target { revision: Revision::new(REVISION), state: state.rollout, earlier: Vec::new() };
        Ok(Observation { begun_at, instances, tasks, target: Some(target) })
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        let mut state = self.state();
        let before = state.of_launch(order.ordinal);
        if !before.is_empty() {
            return Ok(before);
        }
        let taken = state.machines.values().filter(|machine| machine.ended_at.is_none());
        let mut addresses = Addresses::new(&self.settings, taken.map(|machine| machine.address).collect());
        for _ in 0..order.count {
            let Some(address) = addresses.next_free() else { break };
            let id = InstanceId::new(format!("local-{}-{address}", order.ordinal));
            let launched_at = self.clock.now();
            let machine = Machine { launch: order, launched_at, address, placed: None, ended_at: None };
            state.machines.insert(id, machine);
        }
        match state.of_launch(order.ordinal) {
            none if none.is_empty() => Err(CloudError::NoCapacity("no loopback address or port is left".into())),
            launched => Ok(launched),
        }
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        let mut state = self.state();
        state.tasks_placed += 1;
        let task = TaskId::new(format!("local-task-{}", state.tasks_placed));
        let machine = state
            .machines
            .get_mut(&order.instance)
            .filter(|machine| machine.ended_at.is_none())
            .ok_or_else(|| CloudError::NotFound(order.instance.to_string()))?;
        if let Some(placed) = &machine.placed {
            return Ok(placed.task.clone());
        }
        let words = command::render(&self.settings.command, machine.address);
        let process = Process::spawn(&task, &words, self.settings.stop_grace)
            .map_err(|error| CloudError::Refused(format!("{}: {error}", words.join(" "))))?;
        tracing::info!(%task, address = %machine.address, command = words.join(" "), "a game server was started");
        let started_at = self.clock.now();
        machine.placed = Some(Placed { task: task.clone(), role: Role::Available, started_at, process });
        Ok(task)
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        let mut state = self.state();
        let placed = state.machines.values_mut().filter_map(|machine| machine.placed.as_mut());
        let mut named = placed.filter(|placed| placed.task == *task);
        named.next().ok_or_else(|| CloudError::NotFound(task.to_string()))?.role = role;
        Ok(())
    }

    async fn record_rollout(&self, _: &Revision, rollout: RolloutState) -> Result<(), CloudError> {
        self.state().rollout = rollout;
        Ok(())
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        let now = self.clock.now();
        let mut state = self.state();
        for doomed in doomed {
            let id = doomed.instance.as_ref();
            let Some(machine) = id.and_then(|id| state.machines.get_mut(id)) else { continue };
            match &mut machine.placed {
                Some(placed) => placed.process.stop(),
                None => machine.ended_at = machine.ended_at.or(Some(now)),
            }
        }
        Ok(())
    }
}

impl State {
    fn of_launch(&self, ordinal: LaunchOrdinal) -> Vec<InstanceId> {
        self.machines
            .iter()
            .filter(|(_, machine)| machine.launch.ordinal == ordinal)
            .map(|(id, _)| id.clone())
            .collect()
    }
}

impl Machine {
    fn show(&self, id: &InstanceId, now: Timestamp, boot_delay: Duration) -> Instance {
        let state = if self.ended_at.is_some() { InstanceState::Terminated } else { InstanceState::Running };
        let has_booted = now.since(self.launched_at) >= boot_delay;
        let joined_at = self.launched_at + boot_delay;
        Instance {
            id: id.clone(),
            owned: true,
            ordinal: Some(self.launch.ordinal),
            launch_size: self.launch.count,
            state,
            launched_at: self.launched_at,
            leaving: false,
            registration: has_booted.then_some(Registration { joined_at, connected: true, foreign_tasks: false }),
        }
    }

    fn show_task(&self, id: &InstanceId) -> Option<Task> {
        let placed = self.placed.as_ref()?;
        let running = || Endpoint { players: Address::new(self.address.to_string()), health: self.address };
        Some(Task {
            id: placed.task.clone(),
            instance: Some(id.clone()),
            state: if placed.process.is_over() { TaskState::Stopped } else { TaskState::Running(running()) },
            revision: Revision::new(REVISION),
            role: placed.role,
            started_at: Some(placed.started_at),
        })
    }
}
