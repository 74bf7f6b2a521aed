//! EC2 instances and their agents: from launch to terminated.

use std::collections::{BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use actors::model::{Instance, InstanceId, InstanceState, LaunchOrder, Pool, Registration, Timestamp};

use super::versions::Versions;
use super::weather::share_of;
use super::{Happening, World};
use crate::event::{Cause, Event};
use crate::faults::FaultKind;

/// How long EC2 goes on showing a terminated instance. AWS says "a while", as a rule under an hour; the sooner it is
/// forgotten, the less a restarted manager has to go by.
const TERMINATED_SHOWN: Duration = Duration::from_mins(20);

/// An instance.
#[derive(Debug)]
pub struct Machine {
    /// It carries the fleet's tag.
    pub owned: bool,
    /// The launch on its tag.
    pub launch: Option<LaunchOrder>,
    /// When it was launched.
    pub launched_at: Timestamp,
    /// It is up, or on its way up.
    pub is_alive: bool,
    /// It has come up.
    pub has_booted: bool,
    /// Somebody has stopped it.
    pub is_stopped: bool,
    /// Its address.
    pub address: Ipv4Addr,
    /// When its agent joined the cluster.
    pub joined_at: Option<Timestamp>,
    /// Its agent has its connection.
    pub is_connected: bool,
    /// It takes no new tasks: a spot notice.
    pub is_draining: bool,
    /// Somebody else's tasks run on it.
    pub other_tasks: bool,
    /// What EC2 shows; the registration is not part of it.
    pub(super) shown: Versions<Instance>,
    /// What ECS shows.
    pub(super) member: Versions<Option<Registration>>,
}

/// The addresses that instances have: AWS gives those of ended ones to new ones.
#[derive(Debug, Default)]
pub struct Addresses {
    free: VecDeque<Ipv4Addr>,
    used: u32,
}

impl Addresses {
    /// An address that nobody has. One that was given back is used again before long.
    fn take(&mut self) -> Ipv4Addr {
        // A few rest, as in a real pool.
        if self.free.len() > 8
            && let Some(address) = self.free.pop_front()
        {
            return address;
        }
        self.used += 1;
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + self.used)
    }
}

impl World {
    /// Launches an instance.
    pub(super) fn launch_machine(&mut self, owned: bool, launch: Option<LaunchOrder>, by: Cause) -> InstanceId {
        let id = InstanceId::new(format!("i-{}", self.number()));
        let now = self.now();
        let machine = Machine {
            owned,
            launch,
            launched_at: now,
            is_alive: true,
            has_booted: false,
            is_stopped: false,
            address: self.addresses.take(),
            joined_at: None,
            is_connected: false,
            is_draining: false,
            other_tasks: false,
            shown: Versions::default(),
            member: Versions::default(),
        };
        self.machines.insert(id.clone(), machine);
        self.tell(Event::Launched { instance: id.clone(), ordinal: launch.map(|launch| launch.ordinal), by });
        self.show_machine(&id);
        id
    }

    /// Has a new instance boot and join the cluster, or not, as it comes.
    pub(super) fn boot(&mut self, id: &InstanceId) {
        let runs = self.chance.seconds(5.0, 40.0);
        self.after(runs, Happening::MachineRuns(id.clone()));
        let never = 0.005_f64.max(share_of!(self, NeverJoin));
        let late = share_of!(self, LateJoin);
        if self.chance.happens(never) {
            return;
        }
        let mut joins = runs + self.chance.skewed(75.0, 0.35);
        if self.chance.happens(late) {
            joins += self.chance.seconds(60.0, 600.0);
        }
        self.after(joins, Happening::MachineJoins(id.clone()));
    }

    pub(super) fn machine_runs(&mut self, id: &InstanceId) {
        if let Some(machine) = self.machines.get_mut(id) {
            machine.has_booted = true;
        }
        self.show_machine(id);
    }

    pub(super) fn machine_joins(&mut self, id: &InstanceId) {
        let now = self.now();
        if let Some(machine) = self.machines.get_mut(id).filter(|machine| machine.is_alive && !machine.is_stopped) {
            machine.has_booted = true;
            machine.joined_at = Some(now);
            machine.is_connected = true;
            self.tell(Event::Joined(id.clone()));
            self.show_machine(id);
        }
    }

    pub(super) fn machine_lost(&mut self, id: &InstanceId) {
        self.end_machine(id, Cause::Failure);
    }

    /// Its end begins: all that is on it is cut off, and AWS shows it as shutting down.
    pub(super) fn end_machine(&mut self, id: &InstanceId, cause: Cause) {
        let Some(machine) = self.machines.get_mut(id).filter(|machine| machine.is_alive) else { return };
        machine.is_alive = false;
        self.tell(Event::InstanceEnded(id.clone(), cause));
        for task in self.tasks_on(id) {
            self.end_task(&task, cause);
        }
        let takes = self.chance.seconds(15.0, 60.0);
        self.after(takes, Happening::MachineTerminated(id.clone()));
        self.show_machine(id);
    }

    /// It is shut down, and stays as it is: all that is on it is cut off.
    pub(super) fn stop_machine(&mut self, id: &InstanceId) {
        let Some(machine) = self.machines.get_mut(id).filter(|machine| machine.is_alive) else { return };
        machine.is_stopped = true;
        machine.is_connected = false;
        self.tell(Event::InstanceStopped(id.clone()));
        for task in self.tasks_on(id) {
            self.end_task(&task, Cause::Operator);
        }
        self.other_task_ends(id);
        self.show_machine(id);
    }

    pub(super) fn machine_terminated(&mut self, id: &InstanceId) {
        if let Some(machine) = self.machines.get_mut(id) {
            machine.joined_at = None;
            self.addresses.free.push_back(machine.address);
            self.show_machine(id);
            self.after(TERMINATED_SHOWN, Happening::MachineForgotten(id.clone()));
        }
    }

    pub(super) fn machine_forgotten(&mut self, id: &InstanceId) {
        self.machines.remove(id);
    }

    pub(super) fn disconnect_agents(&mut self, share: f64) {
        for id in self.members() {
            if self.chance.happens(share)
                && let Some(machine) = self.machines.get_mut(&id)
            {
                machine.is_connected = false;
                self.show_machine(&id);
            }
        }
    }

    pub(super) fn reconnect_agents(&mut self) {
        for id in self.members() {
            if let Some(machine) =
                self.machines.get_mut(&id).filter(|machine| !machine.is_connected && !machine.is_stopped)
            {
                machine.is_connected = true;
                self.show_machine(&id);
            }
        }
    }

    /// The living instances that are in the cluster.
    pub(super) fn members(&self) -> Vec<InstanceId> {
        let joined = self.machines.iter().filter(|(_, machine)| machine.is_alive && machine.joined_at.is_some());
        joined.map(|(id, _)| id.clone()).collect()
    }

    /// The living instances of the fleet.
    pub(super) fn fleet_machines(&self) -> Vec<InstanceId> {
        let owned = self.machines.iter().filter(|(_, machine)| machine.is_alive && machine.owned);
        owned.map(|(id, _)| id.clone()).collect()
    }

    /// How long the next write takes to be shown.
    pub(super) fn lag(&mut self) -> Duration {
        let most = self.weather.read_lag();
        self.chance.span(Duration::ZERO, most)
    }

    /// Has AWS show an instance as it is now, once it gets round to it.
    pub(super) fn show_machine(&mut self, id: &InstanceId) {
        let (now, in_ec2, in_ecs) = (self.now(), self.lag(), self.lag());
        let Some(machine) = self.machines.get_mut(id) else { return };
        let state = match (machine.is_alive, machine.is_stopped) {
            (false, _) => InstanceState::Terminated,
            (true, true) => InstanceState::Stopped,
            (true, false) if machine.has_booted => InstanceState::Running,
            (true, false) => InstanceState::Pending,
        };
        let instance = Instance {
            id: id.clone(),
            owned: machine.owned,
            ordinal: machine.launch.map(|launch| launch.ordinal),
            launch_size: machine.launch.map_or(1, |launch| launch.count),
            state,
            launched_at: machine.launched_at,
            leaving: machine.is_draining && machine.joined_at.is_some(),
            registration: None,
        };
        let (connected, foreign_tasks) = (machine.is_connected && machine.is_alive, machine.other_tasks);
        let registration = machine.joined_at.map(|joined_at| Registration { joined_at, connected, foreign_tasks });
        machine.shown.write(instance, now, in_ec2);
        machine.member.write(registration, now, in_ecs);
    }

    /// How far behind the replica is that the next thing is read from.
    pub(super) fn behind(&mut self) -> Duration {
        let share = share_of!(self, StaleReads);
        if self.chance.happens(share) { self.chance.seconds(1.0, 25.0) } else { Duration::ZERO }
    }

    /// The instances that EC2 shows of the fleet.
    pub fn instances_shown(&mut self) -> Vec<Instance> {
        let owned: Vec<InstanceId> =
            self.machines.iter().filter(|(_, machine)| machine.owned).map(|(id, _)| id.clone()).collect();
        owned.iter().filter_map(|id| self.instance_shown(id)).collect()
    }

    /// One instance as EC2 shows it.
    pub fn instance_shown(&mut self, id: &InstanceId) -> Option<Instance> {
        let (now, behind) = (self.now(), self.behind());
        self.machines.get(id)?.shown.read(now, behind).cloned()
    }

    /// What ECS shows of an instance's place in the cluster.
    pub fn member_shown(&mut self, id: &InstanceId) -> Option<Registration> {
        let (now, behind) = (self.now(), self.behind());
        self.machines.get(id)?.member.read(now, behind).copied().flatten()
    }

    /// The instances that AWS still knows.
    pub fn machines_known(&self) -> Vec<InstanceId> {
        self.machines.keys().cloned().collect()
    }

    /// The address of one that is up.
    pub fn address_of(&self, id: &InstanceId) -> Option<Ipv4Addr> {
        self.machines.get(id).filter(|machine| machine.is_alive).map(|machine| machine.address)
    }

    /// It takes no new tasks.
    pub fn drains(&self, id: &InstanceId) -> bool {
        self.machines.get(id).is_some_and(|machine| machine.is_draining)
    }

    /// How many of the fleet's tasks run on an instance, and how many are on their way up.
    pub fn task_counts(&self, id: &InstanceId) -> (u32, u32) {
        let there = self.tasks_on(id);
        let pending = there.iter().filter(|task| self.tasks[*task].started_at.is_none()).count();
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        (count(there.len() - pending), count(pending))
    }

    /// Whether there are instances to be had, and how many of those asked for.
    pub(super) fn instances_to_be_had(&mut self, asked: u32, pool: Pool) -> u32 {
        let has_none = |kind: &FaultKind| matches!(kind, FaultKind::NoCapacity(of) if of.is_none_or(|of| of == pool.0));
        if self.weather.has(has_none) {
            0
        } else if self.weather.has(|kind| matches!(kind, FaultKind::Scarcity)) {
            self.chance.number(0, asked)
        } else {
            asked
        }
    }

    /// Instances of the fleet that are in the cluster, have a game on them or not, and nobody else's task.
    pub(super) fn machines_of_our_own(&self) -> BTreeSet<InstanceId> {
        let ours = self.machines.iter().filter(|(_, machine)| {
            machine.is_alive
                && !machine.is_stopped
                && machine.owned
                && machine.joined_at.is_some()
                && !machine.other_tasks
        });
        ours.map(|(id, _)| id.clone()).collect()
    }
}
