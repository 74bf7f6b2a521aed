//! Whether the instances get the addresses that players are told, and that health is asked at.

use actors::ports::CloudError;
use aws_sdk_ec2::types::{Filter, ResponseLaunchTemplateData, Subnet};
use aws_sdk_ecs::types::{NetworkMode, TaskDefinition};

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::address_template::Placeholder;
use crate::cloud::ecs::errors::failed;
use crate::cloud::ecs::{EcsCloud, EcsSettings, HealthAddress};
use crate::doctor::Finding;

const CHECK: &str = "addresses";

impl EcsCloud {
    /// The subnets that a launch may go to: the template's, or the default ones.
    pub(super) async fn subnets(&self, template: &ResponseLaunchTemplateData) -> Read<Vec<Subnet>> {
        let call = self.ec2.describe_subnets();
        let named = template.network_interfaces().first().and_then(|interface| interface.subnet_id());
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let call = match named {
            Some(subnet) => call.subnet_ids(subnet),
            None => {
                let zone = template.placement().and_then(|placement| placement.availability_zone());
                let call = call.filters(filter("default-for-az", "true"));
                zone.into_iter().fold(call, |call, zone| call.filters(filter("availability-zone", zone)))
            }
        };
        match call.send().await.map_err(failed("DescribeSubnets")) {
            Ok(answer) => Ok(answer.subnets.unwrap_or_default()),
            Err(CloudError::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The kinds of addresses that the settings name.
struct Needed {
    public: bool,
    ipv6: bool,
}

impl Needed {
    fn by(settings: &EcsSettings) -> Self {
        let told = |what| settings.address.has(what);
        Self {
            public: told(Placeholder::PublicIp)
                || told(Placeholder::PublicDns)
                || settings.health_address == HealthAddress::Public,
            ipv6: told(Placeholder::Ipv6) || settings.health_address == HealthAddress::Ipv6,
        }
    }
}

pub(super) fn judge(
    subnets: &Read<Vec<Subnet>>,
    template: &ResponseLaunchTemplateData,
    definition: &TaskDefinition,
    settings: &EcsSettings,
) -> Finding {
    let needed = Needed::by(settings);
    if needed.public && definition.network_mode() == Some(&NetworkMode::Awsvpc) {
        return Finding::fail(
            CHECK,
            "in network mode awsvpc a task on EC2 has no public address",
            "use network mode bridge or host, or set MANAGER_ADDRESS_TEMPLATE and MANAGER_HEALTH_ADDRESS to private ones",
        );
    }
    let subnets = match subnets {
        Ok(subnets) if subnets.is_empty() => {
            return Finding::fail(
                CHECK,
                "there is no subnet that the launch template's instances could be in",
                "name a subnet of this region in the launch template's network interface",
            );
        }
        Ok(subnets) => subnets,
        Err(error) => return unanswered(CHECK, "ec2:DescribeSubnets", error),
    };
    let interface = template.network_interfaces().first();
    let lacking = |has: &dyn Fn(&Subnet) -> bool| {
        let without = subnets.iter().filter(|subnet| !has(subnet)).filter_map(Subnet::subnet_id);
        without.collect::<Vec<_>>().join(", ")
    };
    let without_public = match interface.and_then(|interface| interface.associate_public_ip_address()) {
        Some(true) => String::new(),
        Some(false) => "the launch template's network interface".to_owned(),
        None => lacking(&|subnet| subnet.map_public_ip_on_launch().unwrap_or_default()),
    };
    let without_ipv6 = match interface.map(|interface| {
        interface.ipv6_address_count().unwrap_or_default() > 0 || !interface.ipv6_addresses().is_empty()
    }) {
        Some(true) => String::new(),
        _ => lacking(&|subnet| subnet.assign_ipv6_address_on_creation().unwrap_or_default()),
    };
    if needed.public && !without_public.is_empty() {
        Finding::fail(
            CHECK,
            format!("{without_public} gives instances no public address, which players or health checks go to"),
            "set AssociatePublicIpAddress in the launch template, or MapPublicIpOnLaunch of the subnet; or set \
             MANAGER_ADDRESS_TEMPLATE and MANAGER_HEALTH_ADDRESS to other addresses",
        )
    } else if needed.ipv6 && !without_ipv6.is_empty() {
        Finding::fail(
            CHECK,
            format!("{without_ipv6} gives instances no IPv6 address, which players or health checks go to"),
            "set Ipv6AddressCount in the launch template, or AssignIpv6AddressOnCreation of the subnet",
        )
    } else {
        let ids: Vec<&str> = subnets.iter().filter_map(Subnet::subnet_id).collect();
        Finding::pass(CHECK, format!("{} gives those that are needed", ids.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::LaunchTemplateInstanceNetworkInterfaceSpecification as Interface;

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    fn subnet(public: bool) -> Subnet {
        Subnet::builder().subnet_id("subnet-1").map_public_ip_on_launch(public).build()
    }

    fn template(public: Option<bool>) -> ResponseLaunchTemplateData {
        let interface = Interface::builder().set_associate_public_ip_address(public).build();
        ResponseLaunchTemplateData::builder().network_interfaces(interface).build()
    }

    fn private() -> EcsSettings {
        let address = "{private_ip}:{port}".parse().expect("a good template");
        EcsSettings { address, health_address: HealthAddress::Private, ..settings() }
    }

    #[test]
    fn a_public_address_comes_from_the_template_or_else_from_the_subnet() {
        let definition = TaskDefinition::builder().build();
        for (of_template, of_subnets, result) in [
            (None, vec![true], Verdict::Pass),
            (None, vec![true, false], Verdict::Fail),
            (Some(true), vec![false], Verdict::Pass),
            (Some(false), vec![true], Verdict::Fail),
            (Some(true), vec![], Verdict::Fail),
        ] {
            let subnets = Ok(of_subnets.iter().map(|public| subnet(*public)).collect());
            let judged = judge(&subnets, &template(of_template), &definition, &settings());
            assert_eq!(judged.result, result, "{of_template:?} {of_subnets:?}");
        }
        let judged = judge(&Ok(vec![subnet(false)]), &template(None), &definition, &private());
        assert_eq!(judged.result, Verdict::Pass, "nobody needs a public one");
    }

    #[test]
    fn a_task_with_an_interface_of_its_own_has_no_public_address() {
        let definition = TaskDefinition::builder().network_mode(NetworkMode::Awsvpc).build();
        let judged = |settings| judge(&Ok(vec![subnet(true)]), &template(Some(true)), &definition, &settings).result;
        assert_eq!((judged(settings()), judged(private())), (Verdict::Fail, Verdict::Pass));
    }
}
