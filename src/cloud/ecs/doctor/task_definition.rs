//! The game server's task definition.

use actors::ports::CloudError;
use aws_sdk_ecs::types::{Compatibility, TaskDefinition, TaskDefinitionStatus};

use super::Read;
use crate::cloud::ecs::EcsSettings;
use crate::doctor::Finding;

const CHECK: &str = "task definition";

/// The daemon itself reads it: not to be allowed to is a failure.
pub(super) fn judge(definition: &Read<TaskDefinition>, settings: &EcsSettings, region: &str) -> Finding {
    let name = &settings.task_definition;
    let definition = match definition {
        Ok(definition) => definition,
        // ECS has no code of its own for it: `ClientException: Unable to describe task definition.`
        Err(CloudError::NotFound(_) | CloudError::Refused(_)) => {
            return Finding::fail(
                CHECK,
                format!("no task definition {name:?} is ACTIVE in {region}"),
                "set SERVER_TASK_DEFINITION or AWS_REGION, or register it (aws ecs register-task-definition)",
            );
        }
        Err(error @ CloudError::Denied(_)) => {
            return Finding::fail(CHECK, error.to_string(), "allow ecs:DescribeTaskDefinition: deploy/iam-policy.json");
        }
        Err(error) => return super::unanswered::unanswered(CHECK, "ecs:DescribeTaskDefinition", error),
    };
    let revision = format!("{}:{}", definition.family().unwrap_or(name), definition.revision());
    if definition.status().is_some_and(|status| *status != TaskDefinitionStatus::Active) {
        return Finding::fail(
            CHECK,
            format!("{revision} is {}", definition.status().map_or("", TaskDefinitionStatus::as_str)),
            "register a new revision, and let SERVER_TASK_DEFINITION name it, or the family without a revision",
        );
    }
    let mode = definition.network_mode().map_or("bridge", |mode| mode.as_str());
    let found = format!("{revision}, network mode {mode}");
    let mend = "register a revision with requiresCompatibilities EC2, and network mode bridge or host";
    let (fits, meant_for) = (definition.compatibilities(), definition.requires_compatibilities());
    if !fits.is_empty() && !fits.contains(&Compatibility::Ec2) {
        Finding::fail(CHECK, format!("{found}, cannot run on EC2"), mend)
    } else if !meant_for.is_empty() && !meant_for.contains(&Compatibility::Ec2) {
        Finding::warn(CHECK, format!("{found}, was made for FARGATE only"), mend)
    } else {
        Finding::pass(CHECK, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    #[test]
    fn a_definition_has_to_be_there_active_and_for_ec2() {
        let definition = |status, compatibilities: &[Compatibility], required: &[Compatibility]| {
            Ok(TaskDefinition::builder()
                .family("LaunchGameserver")
                .revision(3)
                .status(status)
                .set_compatibilities(Some(compatibilities.to_vec()))
                .set_requires_compatibilities(Some(required.to_vec()))
                .build())
        };
        let (ec2, fargate) = (Compatibility::Ec2, Compatibility::Fargate);
        let (active, inactive) = (TaskDefinitionStatus::Active, TaskDefinitionStatus::Inactive);
        for (shown, result) in [
            (definition(active.clone(), std::slice::from_ref(&ec2), &[]), Verdict::Pass),
            (definition(active.clone(), &[ec2.clone(), fargate.clone()], std::slice::from_ref(&ec2)), Verdict::Pass),
            (
                definition(active.clone(), &[ec2.clone(), fargate.clone()], std::slice::from_ref(&fargate)),
                Verdict::Warn,
            ),
            (definition(active, &[fargate], &[]), Verdict::Fail),
            (definition(inactive, &[ec2], &[]), Verdict::Fail),
            (Err(CloudError::Refused("ClientException".into())), Verdict::Fail),
            (Err(CloudError::Denied("no".into())), Verdict::Fail),
            (Err(CloudError::Unanswered("late".into())), Verdict::Unknown),
        ] {
            assert_eq!(judge(&shown, &settings(), "eu-west-1").result, result, "{shown:?}");
        }
    }
}
