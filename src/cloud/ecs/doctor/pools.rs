//! The pools that launches fall through, each as the launch template would be with what the pool has other than that.

use actors::model::Pool;
use actors::ports::CloudError;
use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateInstanceMarketOptions, LaunchTemplateInstanceNetworkInterfaceSpecification, MarketType,
    ResponseLaunchTemplateData,
};

use super::{Doctor, Fleet, Read};
use crate::cloud::launch_pool::LaunchPool;
use crate::doctor::{Finding, Verdict};

const CHECK: &str = "pools";

impl Doctor {
    /// What will not do of the pools; nothing where there is only the launch template as it is.
    pub(super) async fn pools(&self, template: &ResponseLaunchTemplateData, fleet: &Fleet<'_>) -> Vec<Finding> {
        let pools = &self.cloud.settings.pools;
        let mut findings = Vec::new();
        for (number, pool) in (0..).map(Pool).zip(pools.iter()).filter(|(_, pool)| **pool != LaunchPool::default()) {
            let launches = self.launches(&pooled(template, pool), fleet).await;
            // What holds of the launch template itself is told already.
            let amiss = launches.into_iter().filter(|finding| matches!(finding.result, Verdict::Fail | Verdict::Warn));
            let of_this = |finding: Finding| Finding {
                check: CHECK,
                found: format!("pool {number} ({pool}): {}: {}", finding.check, finding.found),
                ..finding
            };
            let before = findings.len();
            findings.extend(amiss.map(of_this));
            if findings.len() == before {
                findings.push(judge(number, pool, &self.cloud.dry_launch(1, number).await));
            }
        }
        findings
    }
}

/// The launch template as it would be with what the pool has other than that.
fn pooled(template: &ResponseLaunchTemplateData, pool: &LaunchPool) -> ResponseLaunchTemplateData {
    let mut pooled = template.clone();
    if let Some(kind) = &pool.instance_type {
        pooled.instance_type = Some(InstanceType::from(kind.as_str()));
        pooled.instance_requirements = None;
    }
    if pool.spot {
        let spot = LaunchTemplateInstanceMarketOptions::builder().market_type(MarketType::Spot);
        pooled.instance_market_options = Some(spot.build());
    }
    if let Some(subnet) = &pool.subnet {
        let mut interfaces = pooled.network_interfaces.unwrap_or_default();
        if interfaces.is_empty() {
            let groups = pooled.security_group_ids.take();
            let interface = LaunchTemplateInstanceNetworkInterfaceSpecification::builder().set_groups(groups);
            interfaces.push(interface.build());
        }
        for interface in &mut interfaces {
            interface.subnet_id = Some(subnet.clone());
        }
        pooled.network_interfaces = Some(interfaces);
    }
    pooled
}

fn judge(number: Pool, pool: &LaunchPool, launch: &Read<()>) -> Finding {
    let told = |what: &dyn std::fmt::Display| format!("pool {number} ({pool}): {what}");
    match launch {
        Ok(()) => Finding::pass(CHECK, told(&"would be launched, by a dry run")),
        Err(CloudError::Throttled(_) | CloudError::Unanswered(_)) => {
            Finding::unknown(CHECK, told(&"not told"), "ask again")
        }
        Err(error @ CloudError::Denied(_)) => Finding::fail(
            CHECK,
            told(error),
            "allow ec2:RunInstances on its subnet, on network interfaces and on spot requests: deploy/GUIDE.md, The role of \
             the daemon; for spot, aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
        ),
        Err(error @ CloudError::NoCapacity(_)) => Finding::warn(
            CHECK,
            told(error),
            "ask for a higher quota of the account, or take the pool out of aws.pools",
        ),
        Err(error) => Finding::fail(CHECK, told(error), "mend the pool in aws.pools (MANAGER_POOLS) by that"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(text: &str) -> LaunchPool {
        let pools: crate::cloud::launch_pool::LaunchPools = text.parse().expect("a good pool");
        pools.get(0).expect("one").clone()
    }

    #[test]
    fn a_pool_s_subnet_takes_the_place_of_the_template_s() {
        let interface = LaunchTemplateInstanceNetworkInterfaceSpecification::builder()
            .subnet_id("subnet-1")
            .associate_public_ip_address(true)
            .build();
        let template = ResponseLaunchTemplateData::builder().instance_type(InstanceType::T3Small);
        let template = template.network_interfaces(interface).build();
        let pooled = pooled(&template, &pool("c7i.large subnet-2"));
        assert_eq!(pooled.instance_type(), Some(&InstanceType::C7iLarge));
        let interface = &pooled.network_interfaces()[0];
        assert_eq!((interface.subnet_id(), interface.associate_public_ip_address()), (Some("subnet-2"), Some(true)));
    }

    #[test]
    fn what_a_dry_run_says_of_a_pool() {
        for (launch, result) in [
            (Ok(()), Verdict::Pass),
            (Err(CloudError::Denied("no".into())), Verdict::Fail),
            (Err(CloudError::NoCapacity("VcpuLimitExceeded".into())), Verdict::Warn),
            (Err(CloudError::Refused("Unsupported".into())), Verdict::Fail),
            (Err(CloudError::Unanswered("cut".into())), Verdict::Unknown),
        ] {
            let finding = judge(Pool(1), &pool("c7a.large spot"), &launch);
            assert_eq!(finding.result, result, "{launch:?}");
            assert!(finding.found.starts_with("pool 2 (c7a.large spot): "), "{}", finding.found);
        }
    }
}
