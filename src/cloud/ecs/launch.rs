//! Launching instances: one `RunInstances` call for a whole launch order, from one of the pools.

use actors::model::{InstanceId, LaunchOrder, Pool};
use actors::ports::CloudError;
use aws_config::retry::RetryConfig;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    Instance, InstanceInterruptionBehavior, InstanceMarketOptionsRequest, InstanceNetworkInterfaceSpecification,
    InstanceType, LaunchTemplateInstanceNetworkInterfaceSpecification, LaunchTemplateSpecification, MarketType,
    ResourceType, SpotInstanceType, SpotMarketOptions, Tag, TagSpecification,
};

use super::errors::{failed, incomplete};
use super::names::launch_token;
use super::{EcsCloud, FLEET_TAG, LAUNCH_SIZE_TAG, LAUNCH_TAG, has_ended};
use crate::cloud::launch_pool::LaunchPool;

impl EcsCloud {
    /// Launches 1 to `order.count` instances, tagged within the call itself. EC2 gives for one token the same
    /// instances, however often it is asked.
    pub(super) async fn run_instances(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        let call = self.launch_call(order, 1).await?;
        // The SDK asks once: whoever asks another pool after a refusal has to know of each request that was not answered.
        let once = aws_sdk_ec2::config::Config::builder().retry_config(RetryConfig::disabled());
        let call = async { call.customize().config_override(once).send().await.map_err(failed("RunInstances")) };
        let answer = self.budgets.launches.spend(0, call).await;
        let answer = answer.map_err(|error| self.of_pool(order, error))?;
        launched(answer.instances())
    }

    /// What EC2 says of a refusal does not tell which pool it is of.
    fn of_pool(&self, order: LaunchOrder, error: CloudError) -> CloudError {
        let Some(pool) = self.settings.pools.get(order.pool.0).filter(|_| self.settings.pools.count() > 1) else {
            return error;
        };
        let named = |told: String| format!("{told} (pool {}: {pool})", order.pool);
        match error {
            CloudError::NoCapacity(told) => CloudError::NoCapacity(named(told)),
            CloudError::NotFound(told) => CloudError::NotFound(named(told)),
            CloudError::Denied(told) => CloudError::Denied(named(told)),
            CloudError::Refused(told) => CloudError::Refused(named(told)),
            error => error,
        }
    }

    /// The call that launches `least` to `order.count` instances.
    pub(super) async fn launch_call(
        &self,
        order: LaunchOrder,
        least: u32,
    ) -> Result<RunInstancesFluentBuilder, CloudError> {
        let call = self.untagged_launch_call(order, least).await?;
        let call = call
            .tag_specifications(self.tags_for(ResourceType::Instance, order))
            // Else nobody could tell whose a volume is that outlives its instance.
            .tag_specifications(self.tags_for(ResourceType::Volume, order));
        Ok(call)
    }

    /// The same without tags, which nothing may be launched by.
    pub(super) async fn untagged_launch_call(
        &self,
        order: LaunchOrder,
        least: u32,
    ) -> Result<RunInstancesFluentBuilder, CloudError> {
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let pool = self.settings.pools.get(order.pool.0).ok_or_else(|| no_pool(order.pool))?;
        let call = self
            .ec2
            .run_instances()
            .launch_template(self.launch_template())
            .min_count(count(least))
            .max_count(count(order.count))
            .client_token(launch_token(&self.settings, order.ordinal))
            .set_instance_type(pool.instance_type.as_deref().map(InstanceType::from))
            .set_instance_market_options(pool.spot.then(spot));
        self.in_subnet(call, pool).await
    }

    /// Into the pool's subnet, if it names one. "If you specify a network interface, you must specify any subnets as part
    /// of the network interface", and a launch template's counts as one; so those are given once more, in that subnet.
    async fn in_subnet(
        &self,
        call: RunInstancesFluentBuilder,
        pool: &LaunchPool,
    ) -> Result<RunInstancesFluentBuilder, CloudError> {
        let Some(subnet) = &pool.subnet else {
            return Ok(call);
        };
        let template = self.template().await?;
        let interfaces = template.network_interfaces();
        if interfaces.is_empty() {
            return Ok(call.subnet_id(subnet));
        }
        let moved = interfaces.iter().map(|interface| moved(interface, subnet)).collect();
        Ok(call.set_network_interfaces(Some(moved)))
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

fn no_pool(pool: Pool) -> CloudError {
    CloudError::Refused(format!("RunInstances: there is no pool {pool}"))
}

/// One that is never launched again by itself, and leaves nothing behind: the fleet replaces what EC2 takes back.
fn spot() -> InstanceMarketOptionsRequest {
    let options = SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate);
    InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(options.build()).build()
}

/// A launch template's interface in another subnet. Addresses and interfaces that it names one by one are of its own
/// subnet, and could be of one instance only.
fn moved(
    interface: &LaunchTemplateInstanceNetworkInterfaceSpecification,
    subnet: &str,
) -> InstanceNetworkInterfaceSpecification {
    InstanceNetworkInterfaceSpecification::builder()
        .subnet_id(subnet)
        .device_index(interface.device_index().unwrap_or_default())
        .set_network_card_index(interface.network_card_index())
        .set_interface_type(interface.interface_type().map(str::to_owned))
        .set_description(interface.description().map(str::to_owned))
        .set_groups(interface.groups.clone())
        .set_associate_public_ip_address(interface.associate_public_ip_address())
        .set_associate_carrier_ip_address(interface.associate_carrier_ip_address())
        .set_delete_on_termination(interface.delete_on_termination())
        .set_ipv6_address_count(interface.ipv6_address_count())
        .set_primary_ipv6(interface.primary_ipv6())
        .set_secondary_private_ip_address_count(interface.secondary_private_ip_address_count())
        .build()
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
