//! Room for a whole fleet under the account's quotas, as far as EC2 tells it.
//!
//! What limits on-demand instances is a number of vCPUs for each family of types. Only the Service Quotas API tells it,
//! which takes another SDK. EC2's own `max-instances` AWS documents as "no longer supported", and whether a dry run
//! looks at quotas it does not document at all: either can tell that there is no room, and neither that there is.

use actors::model::Pool;
use actors::ports::CloudError;
use aws_sdk_ec2::types::{AccountAttributeName, Instance, InstanceTypeInfo};

use super::instance_type::vcpus;
use super::{Doctor, Read};
use crate::cloud::ecs::errors::failed;
use crate::cloud::ecs::{EcsCloud, has_ended};
use crate::doctor::Finding;

const CHECK: &str = "quota";

/// What EC2 tells.
struct Told {
    /// `max-instances` of the account.
    most: Read<Option<u32>>,
    /// A dry run of all that the fleet lacks to its maximum; none if it lacks nothing.
    dry_run: Option<Read<()>>,
    /// vCPUs of one instance.
    vcpus: Option<i64>,
}

impl Doctor {
    pub(super) async fn quota(&self, owned: &Read<Vec<Instance>>, kind: Option<&InstanceTypeInfo>) -> Finding {
        let cloud = &self.cloud;
        let Ok(owned) = owned else {
            return Finding::unknown(CHECK, "not told: the fleet's instances could not be read", "see to that first");
        };
        let living = owned.iter().filter(|instance| !has_ended(instance)).count();
        let missing = self.max_servers.saturating_sub(u32::try_from(living).unwrap_or(u32::MAX));
        let dry_run = if missing > 0 { Some(cloud.dry_launch(missing, Pool::default()).await) } else { None };
        let told = Told { most: cloud.most_instances().await, dry_run, vcpus: kind.map(vcpus) };
        judge(&told, self.max_servers, &self.region)
    }
}

impl EcsCloud {
    async fn most_instances(&self) -> Read<Option<u32>> {
        let call = self.ec2.describe_account_attributes().attribute_names(AccountAttributeName::from("max-instances"));
        let answer = call.send().await.map_err(failed("DescribeAccountAttributes"))?;
        let attributes = answer.account_attributes.unwrap_or_default();
        let most = attributes.iter().find(|attribute| attribute.attribute_name() == Some("max-instances"));
        let value = most.and_then(|attribute| attribute.attribute_values().first()?.attribute_value());
        Ok(value.and_then(|value| value.parse().ok()))
    }
}

fn judge(told: &Told, max_servers: u32, region: &str) -> Finding {
    let takes = told.vcpus.map_or_else(
        || format!("{max_servers} instances"),
        |vcpus| format!("{max_servers} instances, {} vCPUs", i64::from(max_servers) * vcpus),
    );
    let ask = format!(
        "see that Service Quotas in {region} allows {takes} (EC2, Running On-Demand instances, L-1216C47A for types \
         A to Z), ask there for more, or set MANAGER_MAX_SERVERS lower"
    );
    match (&told.dry_run, &told.most) {
        (Some(Err(error @ CloudError::NoCapacity(_))), _) => {
            Finding::fail(CHECK, format!("a full fleet takes {takes}, and EC2 refuses what is missing: {error}"), ask)
        }
        (_, Ok(Some(most))) if *most < max_servers => {
            Finding::warn(CHECK, format!("a full fleet takes {takes}, and max-instances of the account is {most}"), ask)
        }
        (dry_run, most) => {
            let dry_run = match dry_run {
                None => "the fleet is as large as it may be",
                Some(Ok(())) => "a dry run of what is missing is not refused",
                Some(Err(_)) => "a dry run tells nothing",
            };
            let most = match most {
                Ok(Some(most)) => format!("max-instances is {most}"),
                _ => "max-instances is not told".to_owned(),
            };
            Finding::unknown(
                CHECK,
                format!("a full fleet takes {takes}; {dry_run}, {most}, and the quota in vCPUs EC2 does not tell"),
                ask,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn room_can_be_told_to_lack_and_never_to_be_there() {
        let full = || Err(CloudError::NoCapacity("VcpuLimitExceeded".into()));
        for (most, dry_run, result) in [
            (Ok(Some(20)), Some(Ok(())), Verdict::Unknown),
            (Ok(None), None, Verdict::Unknown),
            (Err(CloudError::Denied("no".into())), Some(Ok(())), Verdict::Unknown),
            (Ok(Some(5)), Some(Ok(())), Verdict::Warn),
            (Ok(Some(20)), Some(full()), Verdict::Fail),
        ] {
            let finding = judge(&Told { most, dry_run, vcpus: Some(2) }, 10, "eu-west-1");
            assert_eq!(finding.result, result, "{finding:?}");
            assert!(finding.found.contains("20 vCPUs"), "{finding:?}");
            assert!(finding.mend.expect("a mend").contains("MANAGER_MAX_SERVERS"));
        }
    }
}
