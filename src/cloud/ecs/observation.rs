//! What AWS showed, put into the words of the fleet. Pure: the same answers give the same observation.

use std::collections::{BTreeMap, BTreeSet};

use actors::model::{
    Instance, InstanceId, InstanceState, LaunchOrdinal, Observation, Registration, Task, TaskId, TaskState, Timestamp,
};
use actors::ports::CloudError;
use aws_sdk_ec2::types::{self as ec2, InstanceStateName};
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{self as ecs, ContainerInstanceStatus, TaskDefinition};

use super::endpoint::{NoEndpoint, endpoint_of};
use super::errors::incomplete;
use super::foreign::{is_over, is_wanted};
use super::rollout::revision_of;
use super::{EcsSettings, FLEET_TAG, LAUNCH_SIZE_TAG, LAUNCH_TAG, has_ended, role};

/// All that AWS showed in one look.
#[derive(Default, Debug)]
pub(super) struct Shown {
    /// Instances that carry the fleet's tag or run one of its tasks.
    pub(super) instances: Vec<ec2::Instance>,
    /// The container instances of the cluster.
    pub(super) members: Vec<ecs::ContainerInstance>,
    /// The tasks of the fleet's family, those that ended a short while ago too.
    pub(super) tasks: Vec<ecs::Task>,
    /// The task definitions of tasks whose port they alone tell, by ARN.
    pub(super) definitions: BTreeMap<String, TaskDefinition>,
    /// ARNs of the container instances on which somebody else's tasks run.
    pub(super) shared: BTreeSet<String>,
    /// Instances whose end, or reboot, AWS has planned.
    pub(super) planned: BTreeSet<String>,
}

/// Running tasks that cannot be reached, and why.
pub(super) type Unreachable = BTreeMap<TaskId, NoEndpoint>;

/// Puts together what was shown. What lacks its very name makes the whole look unreadable.
pub(super) fn observation(
    shown: &Shown,
    settings: &EcsSettings,
    begun_at: Timestamp,
) -> Result<(Observation, Unreachable), CloudError> {
    let mut look = Look { shown, settings, begun_at, hosts: BTreeMap::new() };
    for host in &shown.instances {
        let id = host.instance_id().ok_or_else(|| incomplete("DescribeInstances", "instanceId"))?;
        look.hosts.insert(id, host);
    }
    let instances = look.hosts.iter().map(|(id, host)| look.instance(id, host)).collect();
    let (mut tasks, mut unreachable) = (Vec::new(), Unreachable::new());
    for task in &shown.tasks {
        let id = TaskId::new(task.task_arn().ok_or_else(|| incomplete("DescribeTasks", "taskArn"))?);
        let state = look.state_of(task).unwrap_or_else(|reason| {
            unreachable.insert(id.clone(), reason);
            TaskState::Pending
        });
        let (role, started_at) = (role::recorded(task), task.started_at().map(timestamp));
        let definition = task.task_definition_arn();
        let revision = revision_of(definition.ok_or_else(|| incomplete("DescribeTasks", "taskDefinitionArn"))?);
        let instance = look.instance_of(task).map(InstanceId::new);
        tasks.push(Task { id, instance, state, revision, role, started_at });
    }
    Ok((Observation { begun_at, instances, tasks, target: None }, unreachable))
}

struct Look<'a> {
    shown: &'a Shown,
    settings: &'a EcsSettings,
    begun_at: Timestamp,
    hosts: BTreeMap<&'a str, &'a ec2::Instance>,
}

impl Look<'_> {
    fn instance(&self, id: &str, host: &ec2::Instance) -> Instance {
        let tag = |key| host.tags().iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value());
        let members = self.shown.members.iter().filter(|member| member.ec2_instance_id() == Some(id));
        // An instance that joined twice is shown twice for a while.
        let member = members.max_by_key(|member| member.registered_at().map(|at| (at.secs(), at.subsec_nanos())));
        Instance {
            id: InstanceId::new(id),
            owned: tag(FLEET_TAG) == Some(&self.settings.fleet_tag()),
            launch_size: tag(LAUNCH_SIZE_TAG).and_then(|size| size.parse().ok()).unwrap_or(1),
            ordinal: tag(LAUNCH_TAG).and_then(|ordinal| ordinal.parse().ok()).map(LaunchOrdinal),
            state: instance_state(host),
            launched_at: self.time_of(host.launch_time()),
            leaving: member.is_some_and(is_draining) || self.shown.planned.contains(id),
            registration: member.map(|member| self.registration(member)),
        }
    }

    fn registration(&self, member: &ecs::ContainerInstance) -> Registration {
        let is_active = member.status() == Some(ContainerInstanceStatus::Active.as_str());
        Registration {
            joined_at: self.time_of(member.registered_at()),
            connected: is_active && member.agent_connected(),
            foreign_tasks: member.container_instance_arn().is_some_and(|arn| self.shown.shared.contains(arn)),
        }
    }

    fn state_of(&self, task: &ecs::Task) -> Result<TaskState, NoEndpoint> {
        if !is_wanted(task) || is_over(task) {
            return Ok(TaskState::Stopped);
        }
        match task.last_status() {
            Some("DEACTIVATING" | "STOPPING" | "DEPROVISIONING") => Ok(TaskState::Stopped),
            Some("RUNNING") => {
                let host = self.instance_of(task).and_then(|id| self.hosts.get(id).copied());
                endpoint_of(task, host, &self.shown.definitions, self.settings).map(TaskState::Running)
            }
            _ => Ok(TaskState::Pending),
        }
    }

    fn instance_of(&self, task: &ecs::Task) -> Option<&str> {
        let arn = task.container_instance_arn()?;
        let mut members = self.shown.members.iter();
        members.find(|member| member.container_instance_arn() == Some(arn))?.ec2_instance_id()
    }

    /// A time that AWS does not show counts as now: a deadline is then put off, never cut short.
    fn time_of(&self, shown: Option<&DateTime>) -> Timestamp {
        shown.map_or(self.begun_at, timestamp)
    }
}

/// Somebody drains it, or its agent does after a spot notice (`ECS_ENABLE_SPOT_INSTANCE_DRAINING`).
fn is_draining(member: &ecs::ContainerInstance) -> bool {
    member.status() == Some(ContainerInstanceStatus::Draining.as_str())
}

/// A state that is not known yet to this program is not known to have ended.
fn instance_state(host: &ec2::Instance) -> InstanceState {
    match host.state().and_then(|state| state.name()) {
        _ if has_ended(host) => InstanceState::Terminated,
        Some(InstanceStateName::Pending) => InstanceState::Pending,
        Some(InstanceStateName::Stopping | InstanceStateName::Stopped) => InstanceState::Stopped,
        _ => InstanceState::Running,
    }
}

fn timestamp(at: &DateTime) -> Timestamp {
    let micros = i128::from(at.secs()) * 1_000_000 + i128::from(at.subsec_nanos() / 1000);
    Timestamp::from_micros(u64::try_from(micros).unwrap_or_default())
}

#[cfg(test)]
#[path = "observation_tests.rs"]
mod tests;
