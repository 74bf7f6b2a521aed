//! Launching instances: one `RunInstances` call for a whole launch order.

use actors::model::{InstanceId, LaunchOrder};
use actors::ports::CloudError;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{Instance, LaunchTemplateSpecification, ResourceType, Tag, TagSpecification};

use super::errors::{failed, incomplete};
use super::names::launch_token;
use super::{EcsCloud, FLEET_TAG, LAUNCH_SIZE_TAG, LAUNCH_TAG, has_ended};

impl EcsCloud {
    /// Launches 1 to `order.count` instances, tagged within the call itself. EC2 gives for one token the same
    /// instances, however often it is asked.
    pub(super) async fn run_instances(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        let answer = self.launch_call(order, 1).send().await.map_err(failed("RunInstances"))?;
        launched(answer.instances())
    }

    /// The call that launches `least` to `order.count` instances.
    pub(super) fn launch_call(&self, order: LaunchOrder, least: u32) -> RunInstancesFluentBuilder {
        self.untagged_launch_call(order, least)
            .tag_specifications(self.tags_for(ResourceType::Instance, order))
            // Else nobody could tell whose a volume is that outlives its instance.
            .tag_specifications(self.tags_for(ResourceType::Volume, order))
    }

    /// The same without tags, which nothing may be launched by.
    pub(super) fn untagged_launch_call(&self, order: LaunchOrder, least: u32) -> RunInstancesFluentBuilder {
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        self.ec2
            .run_instances()
            .launch_template(self.launch_template())
            .min_count(count(least))
            .max_count(count(order.count))
            .client_token(launch_token(&self.settings, order.ordinal))
    }

    fn launch_template(&self) -> LaunchTemplateSpecification {
        let (template, version) = (&self.settings.launch_template, &self.settings.launch_template_version);
        let specification = LaunchTemplateSpecification::builder().version(version);
        if template.starts_with("lt-") {
            specification.launch_template_id(template).build()
        } else {
            specification.launch_template_name(template).build()
        }
    }

    fn tags_for(&self, resource: ResourceType, order: LaunchOrder) -> TagSpecification {
        TagSpecification::builder()
            .resource_type(resource)
            .tags(Tag::builder().key(FLEET_TAG).value(self.settings.fleet_tag()).build())
            .tags(Tag::builder().key(LAUNCH_TAG).value(order.ordinal.to_string()).build())
            .tags(Tag::builder().key(LAUNCH_SIZE_TAG).value(order.count.to_string()).build())
            .build()
    }
}

/// The instances that a launch made. One that was asked for before may show them as they are by now.
fn launched(instances: &[Instance]) -> Result<Vec<InstanceId>, CloudError> {
    let id = |instance: &Instance| instance.instance_id().map(InstanceId::new);
    let ids: Option<Vec<InstanceId>> = instances.iter().map(id).collect();
    let ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(|| incomplete("RunInstances", "instanceId"))?;
    let living: Vec<InstanceId> = instances.iter().filter(|instance| !has_ended(instance)).filter_map(id).collect();
    if living.is_empty() { Err(CloudError::Spent(format!("RunInstances: {ids:?} are terminated"))) } else { Ok(living) }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceState, InstanceStateName};

    use super::*;

    fn instance(id: &str, state: InstanceStateName) -> Instance {
        Instance::builder().instance_id(id).state(InstanceState::builder().name(state).build()).build()
    }

    #[test]
    fn a_launch_gives_the_instances_that_live() {
        let instances = [instance("i-1", InstanceStateName::Pending), instance("i-2", InstanceStateName::Terminated)];
        assert_eq!(launched(&instances), Ok(vec![InstanceId::new("i-1")]));
    }

    #[test]
    fn a_launch_whose_instances_have_all_ended_is_spent() {
        let instances =
            [instance("i-1", InstanceStateName::ShuttingDown), instance("i-2", InstanceStateName::Terminated)];
        let spent = launched(&instances).expect_err("nothing lives");
        assert_eq!(spent.kind(), "spent");
        assert!(spent.to_string().contains("[i-1, i-2]"), "{spent}");
    }

    #[test]
    fn an_answer_that_names_no_instance_tells_nothing() {
        for instances in [vec![], vec![Instance::builder().build()]] {
            assert_eq!(launched(&instances).expect_err("nothing is named").kind(), "unanswered");
        }
    }
}
