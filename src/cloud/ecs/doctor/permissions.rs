//! What the manager may do in AWS.
//!
//! - What reads is called.
//! - What changes something in EC2 is asked for as a dry run: `DryRunOperation` says that it would be done,
//!   `UnauthorizedOperation` that it may not. The launch is the fleet's own, template, tags, token and all, under an
//!   ordinal that no launch has. AWS asks for `ec2:CreateTags` only where a launch has tags, so the permission for
//!   that shows in whether the same launch goes without. A policy that lets only the fleet's instances be terminated
//!   cannot be asked while there is none.
//! - ECS knows no dry run. It is asked for what cannot be had, which does no harm whatever it answers: a task on an
//!   instance whose id nobody has, which is placed nowhere; a stop and a tag for a task whose id is all zeros, while
//!   ECS draws them at random; a tag for the last revision that there can be. Cluster, family and the form of the
//!   names are the real ones, so that a policy made for them applies. Any refusal but "access denied" means that
//!   permission was not what was lacking.

use std::error::Error;

use actors::model::{
    InstanceId, LaunchOrder, LaunchOrdinal, PlaceOrder, Pool, Revision, Role, RolloutState, ServerId, TaskId,
};
use actors::ports::CloudError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::Instance;
use aws_sdk_ecs::types::{DesiredStatus, TaskDefinition};
use tokio::join;

use super::{Doctor, Read, Whoever};
use crate::cloud::ecs::errors::{failed, incomplete};
use crate::cloud::ecs::{EcsCloud, has_ended};
use crate::doctor::Finding;

/// The fleet counts its launches from 1.
const NO_LAUNCH: LaunchOrdinal = LaunchOrdinal(0);

/// The id of no instance.
const NO_INSTANCE: &str = "i-00000000000000000";

/// The id of no task or container instance.
const NONE: &str = "00000000000000000000000000000000";

const POLICY: &str = "deploy/iam-policy.json has it";

impl Doctor {
    pub(super) async fn permissions(
        &self,
        who: Whoever<'_>,
        owned: &Read<Vec<Instance>>,
        definition: &Read<TaskDefinition>,
    ) -> Vec<Finding> {
        let cloud = &self.cloud;
        let (members, tasks, revisions) = join!(
            cloud.list_members(),
            cloud.list_tasks(DesiredStatus::Running),
            cloud.list_revisions(cloud.settings.family())
        );
        let cluster = cloud.settings.cluster_name();
        let named = |kind: &str| self.arn(who, &format!("{kind}/{cluster}/{NONE}"));
        let no_revision = self.arn(who, &format!("task-definition/{}:{}", cloud.settings.family(), i32::MAX));
        let a_member = members.iter().flatten().next().cloned().unwrap_or_else(|| named("container-instance"));
        let a_task = tasks.iter().flatten().next().cloned().unwrap_or_else(|| named("task"));
        let no_task = TaskId::new(named("task"));
        let (member, task, planned) =
            join!(cloud.describe_members(vec![a_member]), cloud.describe_tasks(vec![a_task]), cloud.planned_now());
        let launch = cloud.dry_launch(1, Pool::default()).await;
        let untagged = match launch {
            Err(CloudError::Denied(_)) => cloud.dry_untagged_launch().await,
            _ => launch.clone(),
        };
        let terminate = cloud.dry_terminate(owned.as_deref().unwrap_or_default()).await;
        let nowhere = PlaceOrder {
            server: ServerId::from_number(0),
            instance: InstanceId::new(NO_INSTANCE),
            attempt: 0,
            revision: Revision::new(&cloud.settings.task_definition),
        };
        let (placed, stopped, tagged, marked) = join!(
            cloud.place_call(&nowhere).send(),
            cloud.stop_task(no_task.clone()),
            cloud.tag(&no_task, Role::Available),
            cloud.tag_revision(&no_revision, RolloutState::Active)
        );
        vec![
            asked("ec2:DescribeInstances", owned),
            asked("ec2:DescribeInstanceStatus", &planned),
            asked("ecs:ListContainerInstances", &members),
            asked("ecs:DescribeContainerInstances", &member),
            asked("ecs:ListTasks", &tasks),
            asked("ecs:DescribeTasks", &task),
            asked("ecs:DescribeTaskDefinition", definition),
            asked("ecs:ListTaskDefinitions", &revisions),
            launched(&launch, &untagged),
            tagged_at_launch(&launch, &untagged),
            terminated(&terminate, owned.as_deref().unwrap_or_default().iter().any(|it| !has_ended(it))),
            asked("ecs:RunTask", &placed.map_err(failed("RunTask"))),
            asked("ecs:StopTask", &stopped),
            asked("ecs:TagResource", &tagged),
            recorded(&marked),
        ]
    }

    /// The ARN of something in ECS.
    fn arn(&self, who: Whoever<'_>, what: &str) -> String {
        let (partition, account) = who.map_or(("aws", "000000000000"), |who| (who.partition(), &who.account));
        format!("arn:{partition}:ecs:{}:{account}:{what}", self.region)
    }
}

impl EcsCloud {
    /// Whether so many instances of a pool would be launched, tagged as the fleet's are.
    pub(super) async fn dry_launch(&self, count: u32, pool: Pool) -> Read<()> {
        let order = LaunchOrder { ordinal: NO_LAUNCH, count, pool };
        dry("RunInstances", self.launch_call(order, count).await?.dry_run(true).send().await)
    }

    async fn dry_untagged_launch(&self) -> Read<()> {
        let order = LaunchOrder { ordinal: NO_LAUNCH, count: 1, pool: Pool::default() };
        dry("RunInstances", self.untagged_launch_call(order, 1).await?.dry_run(true).send().await)
    }

    /// Whether an instance of the fleet would be terminated; without one, any.
    async fn dry_terminate(&self, owned: &[Instance]) -> Read<()> {
        let living = owned.iter().filter(|instance| !has_ended(instance)).find_map(Instance::instance_id);
        let call = self.ec2.terminate_instances().instance_ids(living.unwrap_or(NO_INSTANCE)).dry_run(true);
        dry("TerminateInstances", call.send().await)
    }
}

/// What a dry run says: that it would be done is an error as well.
fn dry<T, E>(action: &'static str, answer: Result<T, SdkError<E>>) -> Read<()>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Err(error) if error.code() == Some("DryRunOperation") => Ok(()),
        Err(error) => Err(failed(action)(error)),
        Ok(_) => Err(incomplete(action, "word of a dry run")),
    }
}

/// The permission for an action that was really asked for.
fn asked<T>(action: &'static str, answer: &Read<T>) -> Finding {
    match answer {
        Ok(_) => Finding::pass(action, "allowed"),
        Err(error @ CloudError::Denied(_)) => denied(action, error),
        Err(error @ (CloudError::Throttled(_) | CloudError::Unanswered(_))) => silent(action, error),
        Err(_) => Finding::pass(action, "allowed: what was asked for was refused for another reason"),
    }
}

/// The permission to record what becomes of a rollout: a policy may have `TagResource` for tasks alone.
fn recorded(answer: &Read<()>) -> Finding {
    const CHECK: &str = "ecs:TagResource (rollouts)";
    match answer {
        Err(error @ CloudError::Denied(_)) => Finding::fail(
            CHECK,
            error.to_string(),
            format!("allow ecs:TagResource on the revisions of the task definition: {POLICY}"),
        ),
        _ => asked(CHECK, answer),
    }
}

fn denied(action: &'static str, error: &CloudError) -> Finding {
    Finding::fail(action, error.to_string(), format!("allow {action}: {POLICY}"))
}

fn silent(action: &'static str, error: &CloudError) -> Finding {
    Finding::unknown(action, format!("not told: {error}"), "ask again")
}

fn launched(tagged: &Read<()>, untagged: &Read<()>) -> Finding {
    const ACTION: &str = "ec2:RunInstances";
    match (tagged, untagged) {
        (Ok(()), _) => Finding::pass(ACTION, "allowed, by a dry run of the fleet's own launch"),
        // Only the tags are in the way.
        (Err(CloudError::Denied(_)), Ok(())) => Finding::pass(ACTION, "allowed, by a dry run without tags"),
        (Err(error @ CloudError::Denied(_)), _) => Finding::fail(
            ACTION,
            error.to_string(),
            format!("allow {ACTION}, and iam:PassRole for the role of the launch template: {POLICY}"),
        ),
        (Err(error @ (CloudError::Throttled(_) | CloudError::Unanswered(_))), _) => silent(ACTION, error),
        (Err(error @ CloudError::NoCapacity(_)), _) => Finding::warn(
            ACTION,
            format!("allowed, but now refused: {error}"),
            "ask for a higher quota of the account, or name another instance type or zone in the launch template",
        ),
        (Err(error), _) => {
            Finding::fail(ACTION, format!("the launch would be refused: {error}"), "mend the launch template by that")
        }
    }
}

fn tagged_at_launch(tagged: &Read<()>, untagged: &Read<()>) -> Finding {
    const ACTION: &str = "ec2:CreateTags";
    match (tagged, untagged) {
        (Err(error @ CloudError::Denied(_)), Ok(())) => denied(ACTION, error),
        (Err(CloudError::Denied(_)), _) => Finding::unknown(
            ACTION,
            "not told: EC2 asks for it at a launch, and launches are not allowed",
            "allow ec2:RunInstances first",
        ),
        (Err(error @ (CloudError::Throttled(_) | CloudError::Unanswered(_))), _) => silent(ACTION, error),
        (Err(error), _) => Finding::unknown(ACTION, format!("not told: {error}"), "mend the launch first"),
        (Ok(()), _) => Finding::pass(ACTION, "allowed, by a dry run of the fleet's own launch"),
    }
}

fn terminated(answer: &Read<()>, on_a_living_one: bool) -> Finding {
    const ACTION: &str = "ec2:TerminateInstances";
    match answer {
        Ok(()) => Finding::pass(ACTION, "allowed, by a dry run"),
        Err(error @ CloudError::Denied(_)) if on_a_living_one => denied(ACTION, error),
        Err(error @ (CloudError::Throttled(_) | CloudError::Unanswered(_))) => silent(ACTION, error),
        Err(_) => Finding::unknown(
            ACTION,
            "not told: the fleet has no instance yet, and a policy may allow it for those alone",
            format!("ask again when there is one, or see that it is allowed: {POLICY}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn no<T>() -> Read<T> {
        Err(CloudError::Denied("no".into()))
    }

    #[test]
    fn only_access_denied_tells_of_a_lacking_permission() {
        for (answer, result) in [
            (Ok(()), Verdict::Pass),
            (Err(CloudError::NotFound("none".into())), Verdict::Pass),
            (Err(CloudError::Refused("none".into())), Verdict::Pass),
            (no(), Verdict::Fail),
            (Err(CloudError::Throttled("later".into())), Verdict::Unknown),
            (Err(CloudError::Unanswered("late".into())), Verdict::Unknown),
        ] {
            assert_eq!(asked("ecs:RunTask", &answer).result, result, "{answer:?}");
        }
    }

    #[test]
    fn a_launch_that_goes_only_without_tags_lacks_the_permission_to_tag() {
        let refused = || Err(CloudError::NotFound("InvalidAMIID.NotFound".into()));
        for (tagged, untagged, launch, tag) in [
            (Ok(()), Ok(()), Verdict::Pass, Verdict::Pass),
            (no(), Ok(()), Verdict::Pass, Verdict::Fail),
            (no(), no(), Verdict::Fail, Verdict::Unknown),
            (refused(), refused(), Verdict::Fail, Verdict::Unknown),
        ] {
            let told = (launched(&tagged, &untagged).result, tagged_at_launch(&tagged, &untagged).result);
            assert_eq!(told, (launch, tag), "{tagged:?} {untagged:?}");
        }
    }

    #[test]
    fn without_an_instance_of_the_fleet_a_refusal_to_terminate_tells_nothing() {
        let not_found = Err(CloudError::NotFound("InvalidInstanceID.NotFound".into()));
        for (answer, on_a_living_one, result) in [
            (Ok(()), false, Verdict::Pass),
            (no(), true, Verdict::Fail),
            (no(), false, Verdict::Unknown),
            (not_found, false, Verdict::Unknown),
        ] {
            assert_eq!(terminated(&answer, on_a_living_one).result, result, "{answer:?} {on_a_living_one}");
        }
    }
}
