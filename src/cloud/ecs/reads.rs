//! The reading calls: paged lists, and descriptions by the hundred.

use std::collections::BTreeSet;

use actors::ports::CloudError;
use aws_sdk_ec2::types::{Filter, Instance, Reservation};
use aws_sdk_ecs::types::{ContainerInstance, DesiredStatus, Failure, Task, TaskDefinition, TaskField};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::errors::{failed, incomplete};
use super::{AT_ONCE, EcsCloud, FLEET_TAG};

/// What ECS describes in one call, and EC2 takes as values of one filter with room to spare.
const BY: usize = 100;

/// Instances a page. EC2 allows 1,000, which makes answers of several megabytes.
const PAGE: i32 = 500;

impl EcsCloud {
    /// The instances that carry the fleet's tag, in all states: a terminated one still tells its launch's ordinal.
    pub(super) async fn owned_instances(&self) -> Result<Vec<Instance>, CloudError> {
        let tag = Filter::builder().name(format!("tag:{FLEET_TAG}")).values(self.settings.fleet_tag());
        self.find_instances(tag.build()).await
    }

    /// The instances named, without those that are not there. Naming them in a filter, not as the ids to describe,
    /// is what keeps a missing one from failing the call.
    pub(super) async fn describe_instances(&self, ids: Vec<String>) -> Result<Vec<Instance>, CloudError> {
        let by_id = |batch| Filter::builder().name("instance-id").set_values(Some(batch)).build();
        let calls = stream::iter(batches(ids)).map(|batch| self.find_instances(by_id(batch)));
        calls.buffer_unordered(AT_ONCE).try_concat().await
    }

    /// The instances that a filter lets through, the account's all.
    pub(super) async fn find_instances(&self, filter: Filter) -> Result<Vec<Instance>, CloudError> {
        let pages = self.ec2.describe_instances().filters(filter).into_paginator().page_size(PAGE);
        let reservations: Vec<Reservation> =
            pages.items().send().try_collect().await.map_err(failed("DescribeInstances"))?;
        Ok(reservations.into_iter().filter_map(|reservation| reservation.instances).flatten().collect())
    }

    /// The ARNs of the cluster's container instances, draining ones too.
    pub(super) async fn list_members(&self) -> Result<Vec<String>, CloudError> {
        let pages = self.ecs.list_container_instances().cluster(&self.settings.cluster).into_paginator();
        pages.items().send().try_collect().await.map_err(failed("ListContainerInstances"))
    }

    /// The container instances named, without those that are not there.
    pub(super) async fn describe_members(&self, arns: Vec<String>) -> Result<Vec<ContainerInstance>, CloudError> {
        let calls = stream::iter(batches(arns)).map(async |batch| {
            let call = self.ecs.describe_container_instances().cluster(&self.settings.cluster);
            let answer = call.set_container_instances(Some(batch)).send().await;
            let answer = answer.map_err(failed("DescribeContainerInstances"))?;
            only_missing("DescribeContainerInstances", answer.failures())?;
            Ok(answer.container_instances.unwrap_or_default())
        });
        calls.buffer_unordered(AT_ONCE).try_concat().await
    }

    /// The ARNs of the tasks of the fleet's family that ECS means to have that status.
    pub(super) async fn list_tasks(&self, desired: DesiredStatus) -> Result<BTreeSet<String>, CloudError> {
        let call = self.ecs.list_tasks().cluster(&self.settings.cluster).family(self.settings.family());
        let pages = call.desired_status(desired).into_paginator();
        let arns = pages.items().send().try_collect().await.map_err(failed("ListTasks"))?;
        Ok(arns.into_iter().collect())
    }

    /// The ARNs of the first of the fleet's running tasks; none if there is no second page of them.
    pub(super) async fn first_tasks_of_many(&self) -> Result<Option<Vec<String>>, CloudError> {
        let call = self.ecs.list_tasks().cluster(&self.settings.cluster).family(self.settings.family());
        let page = call.desired_status(DesiredStatus::Running).send().await.map_err(failed("ListTasks"))?;
        Ok(page.next_token.and(page.task_arns))
    }

    /// The ARNs of all tasks that are meant to run on a container instance, whosever they are.
    pub(super) async fn list_tasks_on(&self, member: &str) -> Result<Vec<String>, CloudError> {
        let call = self.ecs.list_tasks().cluster(&self.settings.cluster).container_instance(member);
        call.into_paginator().items().send().try_collect().await.map_err(failed("ListTasks"))
    }

    /// The tasks named, with their tags, without those that are not there.
    pub(super) async fn describe_tasks(&self, arns: Vec<String>) -> Result<Vec<Task>, CloudError> {
        let calls = stream::iter(batches(arns)).map(async |batch| {
            let call = self.ecs.describe_tasks().cluster(&self.settings.cluster).include(TaskField::Tags);
            let answer = call.set_tasks(Some(batch)).send().await.map_err(failed("DescribeTasks"))?;
            only_missing("DescribeTasks", answer.failures())?;
            Ok(answer.tasks.unwrap_or_default())
        });
        calls.buffer_unordered(AT_ONCE).try_concat().await
    }

    /// A task definition: family, `family:revision` or ARN.
    pub(super) async fn describe_definition(&self, name: &str) -> Result<TaskDefinition, CloudError> {
        let call = self.ecs.describe_task_definition().task_definition(name);
        let answer = call.send().await.map_err(failed("DescribeTaskDefinition"))?;
        answer.task_definition.ok_or_else(|| incomplete("DescribeTaskDefinition", "taskDefinition"))
    }

    /// The revision of a task definition with this ARN, or `family:revision`, asked for once.
    pub(super) async fn known_definition(&self, name: &str) -> Result<TaskDefinition, CloudError> {
        if let Some(definition) = self.definitions().get(name) {
            return Ok(definition.clone());
        }
        let definition = self.describe_definition(name).await?;
        self.definitions().insert(name.to_owned(), definition.clone());
        Ok(definition)
    }
}

fn batches(names: Vec<String>) -> Vec<Vec<String>> {
    names.chunks(BY).map(<[String]>::to_vec).collect()
}

/// What is missing has gone since it was listed. Any other failure leaves the answer short of what there is.
fn only_missing(action: &str, failures: &[Failure]) -> Result<(), CloudError> {
    match failures.iter().find(|failure| failure.reason() != Some("MISSING")) {
        None => Ok(()),
        Some(failure) => {
            let (arn, reason) = (failure.arn().unwrap_or("unnamed"), failure.reason().unwrap_or("no reason given"));
            Err(CloudError::Refused(format!("{action}: {arn}: {reason}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_by_the_hundred() {
        let names = |count: usize| (0..count).map(|name| name.to_string()).collect();
        let sizes = |count| batches(names(count)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(100), [100]);
        assert_eq!(sizes(250), [100, 100, 50]);
    }

    #[test]
    fn a_look_with_an_unexplained_gap_is_none() {
        let failure = |reason: &str| Failure::builder().arn("arn:1").reason(reason).build();
        assert_eq!(only_missing("DescribeTasks", &[failure("MISSING")]), Ok(()));
        let gap = only_missing("DescribeTasks", &[failure("MISSING"), failure("ACCESS_DENIED")]);
        assert_eq!(gap, Err(CloudError::Refused("DescribeTasks: arn:1: ACCESS_DENIED".into())));
    }
}
