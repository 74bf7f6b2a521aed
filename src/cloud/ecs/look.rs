//! One look at the whole fleet in AWS: all of it, or an error.

use std::collections::{BTreeMap, BTreeSet};

use actors::ports::CloudError;
use aws_sdk_ec2::types::Instance;
use aws_sdk_ecs::types::{ContainerInstance, DesiredStatus, Task, TaskDefinition};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::try_join;

use super::foreign::{Others, is_over, others};
use super::observation::Shown;
use super::port::is_told_by_definition;
use super::{AT_ONCE, EcsCloud};

impl EcsCloud {
    /// Reads all that belongs to the fleet.
    pub(super) async fn look(&self) -> Result<Shown, CloudError> {
        let planned = async { Ok(self.planned_ends().await) };
        let (mut instances, (members, tasks), planned) = try_join!(self.owned_instances(), self.cluster(), planned)?;
        let known: BTreeSet<&str> = instances.iter().filter_map(Instance::instance_id).collect();
        let others = hosts_of(&tasks, &members).difference(&known).map(|id| (*id).to_owned()).collect();
        let (others, definitions, shared) =
            try_join!(self.describe_instances(others), self.definitions_of(&tasks), self.shared(&members, &tasks))?;
        instances.extend(others);
        Ok(Shown { instances, members, tasks, definitions, shared, planned })
    }

    /// Reads the first page of the fleet's tasks, and what tells where they are. None if it is the only page.
    pub(super) async fn first_page(&self) -> Result<Option<Shown>, CloudError> {
        let Some(arns) = self.first_tasks_of_many().await? else { return Ok(None) };
        let tasks = self.describe_tasks(arns).await?;
        let members = self.describe_members(unlisted(&tasks, &[])).await?;
        let hosts = hosts_of(&tasks, &members).into_iter().map(str::to_owned).collect();
        let (instances, definitions) = try_join!(self.describe_instances(hosts), self.definitions_of(&tasks))?;
        Ok(Some(Shown { instances, members, tasks, definitions, ..Shown::default() }))
    }

    /// The cluster's members, and after them the fleet's tasks: a task that is counted on an instance is then in the
    /// list too, and is not taken for somebody else's.
    async fn cluster(&self) -> Result<(Vec<ContainerInstance>, Vec<Task>), CloudError> {
        let mut members = self.describe_members(self.list_members().await?).await?;
        // One that stops in between is in the second list, if no longer in the first. Stopped tasks are shown for an
        // hour; reading them costs a call or two for every hundred, and tells at once that a server has ended and
        // whose a task is that is still on its way down.
        let mut arns = self.list_tasks(DesiredStatus::Running).await?;
        arns.extend(self.list_tasks(DesiredStatus::Stopped).await?);
        // Lists are eventually consistent: only a description tells that a task which was known is no more.
        arns.extend(self.living_tasks().clone());
        let tasks = self.describe_tasks(arns.into_iter().collect()).await?;
        *self.living_tasks() =
            tasks.iter().filter(|task| !is_over(task)).filter_map(Task::task_arn).map(str::to_owned).collect();
        let newer = unlisted(&tasks, &members);
        members.extend(self.describe_members(newer).await?);
        Ok((members, tasks))
    }

    /// The task definitions that are needed to tell ports. A revision never changes: each is asked for once.
    async fn definitions_of(&self, tasks: &[Task]) -> Result<BTreeMap<String, TaskDefinition>, CloudError> {
        let needed = tasks.iter().filter(|task| is_told_by_definition(task)).filter_map(Task::task_definition_arn);
        let mut definitions = BTreeMap::new();
        for arn in needed.collect::<BTreeSet<_>>() {
            definitions.insert(arn.to_owned(), self.known_definition(arn).await?);
        }
        Ok(definitions)
    }

    /// The container instances on which somebody else's tasks run.
    async fn shared(&self, members: &[ContainerInstance], tasks: &[Task]) -> Result<BTreeSet<String>, CloudError> {
        let mut shared = BTreeSet::new();
        let mut unclear = Vec::new();
        for (arn, member) in members.iter().filter_map(|member| Some((member.container_instance_arn()?, member))) {
            let ours = tasks.iter().filter(|task| task.container_instance_arn() == Some(arn));
            match others(member, ours) {
                Others::None => {}
                Others::Some => {
                    shared.insert(arn.to_owned());
                }
                Others::Unclear => unclear.push(arn.to_owned()),
            }
        }
        let ours: BTreeSet<&str> = tasks.iter().filter_map(Task::task_arn).collect();
        let asked = stream::iter(unclear).map(async |arn| Ok((self.list_tasks_on(&arn).await?, arn)));
        let answers: Vec<(Vec<String>, String)> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        let is_shared = |there: &[String]| there.iter().any(|task| !ours.contains(task.as_str()));
        shared.extend(answers.into_iter().filter(|(there, _)| is_shared(there)).map(|(_, arn)| arn));
        Ok(shared)
    }
}

/// The instances that the tasks run on.
fn hosts_of<'a>(tasks: &[Task], members: &'a [ContainerInstance]) -> BTreeSet<&'a str> {
    let used: BTreeSet<&str> = tasks.iter().filter_map(Task::container_instance_arn).collect();
    let is_used = |member: &&ContainerInstance| member.container_instance_arn().is_some_and(|arn| used.contains(arn));
    members.iter().filter(is_used).filter_map(ContainerInstance::ec2_instance_id).collect()
}

/// The container instances of tasks that joined after the members were listed, or have left since.
fn unlisted(tasks: &[Task], members: &[ContainerInstance]) -> Vec<String> {
    let listed: BTreeSet<&str> = members.iter().filter_map(ContainerInstance::container_instance_arn).collect();
    let used: BTreeSet<&str> = tasks.iter().filter_map(Task::container_instance_arn).collect();
    used.difference(&listed).map(|arn| (*arn).to_owned()).collect()
}
