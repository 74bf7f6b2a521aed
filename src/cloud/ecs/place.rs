//! Placing a game server's task on one instance, alone.

use actors::model::{PlaceOrder, TaskId};
use actors::ports::CloudError;
use aws_sdk_ec2::types::Instance;
use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Failure, LaunchType, NetworkConfiguration, NetworkMode, PlacementConstraint,
    PlacementConstraintType,
};

use super::EcsCloud;
use super::errors::{failed, incomplete};
use super::names::place_token;

impl EcsCloud {
    /// Runs one task on the instance named. ECS gives for one token the same task, however often it is asked.
    pub(super) async fn run_task(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        let network = self.network_for(order).await?;
        let call = self.place_call(order).set_network_configuration(network);
        let answer = self.budgets.tasks.spend(0, async { call.send().await.map_err(failed("RunTask")) }).await;
        placed(&answer?)
    }

    /// The call that runs one task on the instance named.
    pub(super) fn place_call(&self, order: &PlaceOrder) -> RunTaskFluentBuilder {
        let here = PlacementConstraint::builder()
            .r#type(PlacementConstraintType::MemberOf)
            .expression(format!("ec2InstanceId == {}", order.instance));
        // One game task an instance, even where a token no longer tells: ECS sees to it among the tasks of one
        // group, which is that of the family for all tasks, as no group is named here.
        let alone = PlacementConstraint::builder().r#type(PlacementConstraintType::DistinctInstance);
        self.ecs
            .run_task()
            .cluster(&self.settings.cluster)
            .task_definition(order.revision.as_str())
            .count(1)
            .launch_type(LaunchType::Ec2)
            .placement_constraints(here.build())
            .placement_constraints(alone.build())
            .started_by(&self.settings.fleet)
            .client_token(place_token(&self.settings.fleet, order))
    }

    /// A task in awsvpc mode has a network interface of its own, which RunTask must be told a subnet for: its
    /// instance's, since no other is sure to be in the same zone; and its instance's security groups.
    async fn network_for(&self, order: &PlaceOrder) -> Result<Option<NetworkConfiguration>, CloudError> {
        let (instance, definition) = (&order.instance, self.known_definition(order.revision.as_str()).await?);
        if definition.network_mode() != Some(&NetworkMode::Awsvpc) {
            return Ok(None);
        }
        let shown = self.describe_instances(vec![instance.to_string()]).await?;
        match shown.first() {
            Some(instance) => network_of(instance).map(Some),
            None => Err(CloudError::NotFound(format!("DescribeInstances: {instance} is not shown"))),
        }
    }
}

fn network_of(instance: &Instance) -> Result<NetworkConfiguration, CloudError> {
    let lacking = || incomplete("DescribeInstances", "subnetId");
    let interface = AwsVpcConfiguration::builder()
        .subnets(instance.subnet_id().ok_or_else(lacking)?)
        .set_security_groups(instance.security_groups().iter().map(|group| group.group_id().map(Into::into)).collect())
        .build()
        .map_err(|_| lacking())?;
    Ok(NetworkConfiguration::builder().awsvpc_configuration(interface).build())
}

/// What came of it. ECS tells of a placement that failed in an answer with status 200.
fn placed(answer: &RunTaskOutput) -> Result<TaskId, CloudError> {
    match (answer.tasks().first(), answer.failures()) {
        (Some(task), _) => task.task_arn().map(TaskId::new).ok_or_else(|| incomplete("RunTask", "taskArn")),
        (None, []) => Err(incomplete("RunTask", "task and no failure")),
        (None, failures) => Err(refusal(failures)),
    }
}

/// Why an instance other than the one named takes no task: it is another. Of no interest where the one named has a
/// reason of its own.
const NOT_THE_ONE: &str = "MemberOf placement constraint unsatisfied.";

fn refusal(failures: &[Failure]) -> CloudError {
    let reason = |failure: &Failure| failure.reason().unwrap_or("no reason given").to_owned();
    let line = |failure: &Failure| {
        let detail = failure.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        format!("{}: {}{detail}", failure.arn().unwrap_or("no instance named"), reason(failure))
    };
    let of_the_one = |failure: &&Failure| failure.reason() != Some(NOT_THE_ONE);
    let telling: Vec<&Failure> = failures.iter().filter(of_the_one).collect();
    let telling = if telling.is_empty() { failures.iter().take(1).collect() } else { telling };
    let text = format!("RunTask: {}", telling.iter().map(|failure| line(failure)).collect::<Vec<_>>().join("; "));
    // RESOURCE:CPU, RESOURCE:MEMORY, RESOURCE:PORTS, RESOURCE:ENI, …
    if telling.iter().all(|failure| reason(failure).starts_with("RESOURCE:")) {
        CloudError::NoCapacity(text)
    } else {
        CloudError::Refused(text)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::GroupIdentifier;
    use aws_sdk_ecs::types::Task;

    use super::*;

    fn failure(reason: &str) -> Failure {
        Failure::builder().arn("arn:aws:ecs:container-instance/1").reason(reason).build()
    }

    #[test]
    fn a_placed_task_is_named_by_its_arn() {
        let answer = RunTaskOutput::builder().tasks(Task::builder().task_arn("arn:1").build()).build();
        assert_eq!(placed(&answer), Ok(TaskId::new("arn:1")));
    }

    #[test]
    fn failures_in_a_good_answer_are_read() {
        for (reason, kind) in [
            ("RESOURCE:MEMORY", "no_capacity"),
            ("RESOURCE:PORTS", "no_capacity"),
            ("AGENT", "refused"),
            ("ATTRIBUTE", "refused"),
            ("MemberOf placement constraint unsatisfied.", "refused"),
        ] {
            let answer = RunTaskOutput::builder().failures(failure(reason)).build();
            let error = placed(&answer).expect_err("nothing was placed");
            assert_eq!(error.kind(), kind, "{reason}");
            let text = error.to_string();
            assert!(text.contains("container-instance/1") && text.contains(reason), "{text}");
        }
    }

    #[test]
    fn the_failures_of_other_instances_hide_nothing() {
        let failures = ["MemberOf placement constraint unsatisfied.", "RESOURCE:MEMORY"].map(failure);
        let answer = RunTaskOutput::builder().set_failures(Some(failures.to_vec())).build();
        let error = placed(&answer).expect_err("nothing was placed");
        assert_eq!(error.to_string(), "no capacity: RunTask: arn:aws:ecs:container-instance/1: RESOURCE:MEMORY");
    }

    #[test]
    fn an_answer_that_says_nothing_is_no_answer() {
        let nothing = placed(&RunTaskOutput::builder().build()).expect_err("nothing was placed");
        assert_eq!(nothing.kind(), "unanswered");
    }

    #[test]
    fn a_tasks_own_interface_goes_where_its_instance_is() {
        let instance = Instance::builder()
            .subnet_id("subnet-1")
            .security_groups(GroupIdentifier::builder().group_id("sg-1").build())
            .build();
        let network = network_of(&instance).expect("a subnet is known");
        let interface = network.awsvpc_configuration().expect("an interface");
        assert_eq!(
            (interface.subnets(), interface.security_groups()),
            (&["subnet-1".into()][..], &["sg-1".into()][..])
        );
        assert_eq!(network_of(&Instance::builder().build()).expect_err("no subnet").kind(), "unanswered");
    }
}
