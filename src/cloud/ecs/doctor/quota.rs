//! Room for a whole fleet under the account's quotas.
//!
//! What limits the instances of an account in a region is a number of vCPUs, with one quota for each class of instance
//! types and way of purchase ("Amazon EC2 instance type quotas", EC2 Instance Types; "Spot Instance quotas", EC2 User
//! Guide). Service Quotas tells how many it allows, and the account's own instances how many of them are taken.

use aws_sdk_ec2::types::{
    Filter, Instance, InstanceLifecycleType, InstanceType, InstanceTypeInfo, MarketType, ResponseLaunchTemplateData,
};

use super::instance_type::vcpus;
use super::unanswered::unanswered;
use super::{Doctor, Read};
use crate::cloud::ecs::errors::{failed, incomplete};
use crate::cloud::ecs::has_ended;
use crate::doctor::Finding;

const CHECK: &str = "quota";

/// Instance types that share a quota.
#[derive(PartialEq, Eq, Debug)]
struct Class {
    /// As Service Quotas names it.
    name: &'static str,
    /// What the names of its types begin with, up to the first digit.
    families: &'static [&'static str],
    /// Code of the quota "Running On-Demand … instances".
    on_demand: &'static str,
    /// Code of the quota "All … Spot Instance Requests".
    spot: &'static str,
}

/// Those whose codes AWS documents. Types of others (`dl`, `hpc`, `mac`, `trn`, `u`) are told of as unknown.
const CLASSES: [Class; 6] = [
    Class {
        name: "Standard (A, C, D, H, I, M, R, T, Z)",
        families: &["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"],
        on_demand: "L-1216C47A",
        spot: "L-34B43A08",
    },
    Class { name: "F", families: &["f"], on_demand: "L-74FC7D96", spot: "L-88CF9481" },
    Class { name: "G and VT", families: &["g", "gr", "vt"], on_demand: "L-DB2E81BA", spot: "L-3819A6DF" },
    Class { name: "Inf", families: &["inf"], on_demand: "L-1945791B", spot: "L-B5D1601B" },
    Class { name: "P", families: &["p"], on_demand: "L-417A185B", spot: "L-7212CCBC" },
    Class { name: "X", families: &["x"], on_demand: "L-7295265B", spot: "L-E3A00192" },
];

/// What counts against the quotas of the account.
pub(super) struct Usage {
    /// So many instances the fleet lacks to its maximum.
    missing: u32,
    /// All of the account that are on their way or run, whosever they are.
    running: Vec<Instance>,
}

/// Room for a fleet's instances, in vCPUs.
#[derive(Clone, Copy, Debug)]
struct Room {
    quota: i64,
    taken: i64,
    /// What the fleet lacks to its maximum.
    needed: i64,
}

impl Doctor {
    pub(super) async fn usage(&self, owned: &Read<Vec<Instance>>) -> Read<Usage> {
        let living = owned.as_ref().map_err(Clone::clone)?.iter().filter(|instance| !has_ended(instance)).count();
        let missing = self.max_servers.saturating_sub(u32::try_from(living).unwrap_or(u32::MAX));
        let states = Filter::builder().name("instance-state-name").values("pending").values("running").build();
        Ok(Usage { missing, running: self.cloud.find_instances(states).await? })
    }

    /// Whether what is missing of the fleet has room, if it is launched so.
    pub(super) async fn quota(
        &self,
        template: &ResponseLaunchTemplateData,
        kind: &InstanceTypeInfo,
        usage: &Read<Usage>,
    ) -> Finding {
        let Some(class) = kind.instance_type().and_then(class_of) else {
            return Finding::unknown(
                CHECK,
                "not told: which quota the instance type counts against is not known here",
                format!("see in Service Quotas of {} that it allows {} of them", self.region, self.max_servers),
            );
        };
        let market = template.instance_market_options().and_then(|options| options.market_type());
        let spot = market == Some(&MarketType::Spot);
        let usage = match usage {
            Ok(usage) => usage,
            Err(error) => return unanswered(CHECK, "ec2:DescribeInstances", error),
        };
        match self.allowed(class.code(spot)).await {
            Ok(quota) => {
                let taken = taken(&usage.running, class, spot);
                judge(Room { quota, taken, needed: i64::from(usage.missing) * vcpus(kind) }, class, spot, &self.region)
            }
            Err(error) => unanswered(CHECK, "servicequotas:GetServiceQuota", &error),
        }
    }

    /// vCPUs that the quota with that code allows.
    async fn allowed(&self, code: &'static str) -> Read<i64> {
        let call = self.quotas.get_service_quota().service_code("ec2").quota_code(code);
        let answer = call.send().await.map_err(failed("GetServiceQuota"))?;
        let quota = answer.quota().and_then(|quota| quota.value());
        // The API has all quotas as floating point numbers; these are whole.
        quota.map(|quota| quota as i64).ok_or_else(|| incomplete("GetServiceQuota", "value"))
    }
}

impl Class {
    const fn code(&self, spot: bool) -> &'static str {
        if spot { self.spot } else { self.on_demand }
    }

    /// Its quota's name, as Service Quotas has it.
    fn quota(&self, spot: bool) -> String {
        match spot {
            false => format!("Running On-Demand {} instances", self.name),
            true => format!("All {} Spot Instance Requests", self.name),
        }
    }
}

fn class_of(kind: &InstanceType) -> Option<&'static Class> {
    let family = kind.as_str().split(|character: char| !character.is_ascii_alphabetic()).next()?;
    CLASSES.iter().find(|class| class.families.contains(&family))
}

/// vCPUs of the instances that count against a quota.
fn taken(running: &[Instance], class: &Class, spot: bool) -> i64 {
    let is_spot = |instance: &Instance| instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    let counts = |instance: &&Instance| {
        is_spot(instance) == spot && instance.instance_type().and_then(class_of).is_some_and(|it| it == class)
    };
    let vcpus = |instance: &Instance| {
        let options = instance.cpu_options();
        let cores = options.and_then(|options| options.core_count()).unwrap_or(1);
        let threads = options.and_then(|options| options.threads_per_core()).unwrap_or(1);
        i64::from(cores) * i64::from(threads)
    };
    running.iter().filter(counts).map(vcpus).sum()
}

fn judge(room: Room, class: &Class, spot: bool, region: &str) -> Finding {
    let Room { quota, taken, needed } = room;
    let found = format!(
        "a full fleet takes {needed} vCPUs more, and {taken} of {quota} are taken of {}, {}",
        class.quota(spot),
        class.code(spot)
    );
    if needed <= quota - taken {
        return Finding::pass(CHECK, found);
    }
    let mend = format!(
        "ask for {} or more in Service Quotas of {region} (aws service-quotas request-service-quota-increase \
         --service-code ec2 --quota-code {} --desired-value {}), or set MANAGER_MAX_SERVERS lower",
        taken + needed,
        class.code(spot),
        taken + needed
    );
    Finding::warn(CHECK, found, mend)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::CpuOptions;

    use super::*;
    use crate::doctor::Verdict;

    fn instance(kind: InstanceType, lifecycle: Option<InstanceLifecycleType>) -> Instance {
        let options = CpuOptions::builder().core_count(2).threads_per_core(2).build();
        Instance::builder().instance_type(kind).set_instance_lifecycle(lifecycle).cpu_options(options).build()
    }

    #[test]
    fn types_are_of_the_class_that_their_name_begins_with() {
        let name = |kind: &str| class_of(&InstanceType::from(kind)).map(|class| class.name);
        let standard = Some(CLASSES[0].name);
        for (kind, class) in [
            ("t3.small", standard),
            ("im4gn.large", standard),
            ("c7i-flex.large", standard),
            ("g6.xlarge", Some("G and VT")),
            ("inf2.xlarge", Some("Inf")),
            ("x2gd.medium", Some("X")),
            ("trn1.2xlarge", None),
            ("mac2.metal", None),
            ("u-6tb1.metal", None),
        ] {
            assert_eq!(name(kind), class, "{kind}");
        }
    }

    #[test]
    fn only_what_shares_the_quota_is_taken_of_it() {
        let running = [
            instance(InstanceType::T3Small, None),
            instance(InstanceType::C7iLarge, None),
            instance(InstanceType::T3Small, Some(InstanceLifecycleType::Spot)),
            instance(InstanceType::G6Xlarge, None),
        ];
        assert_eq!(taken(&running, &CLASSES[0], false), 8);
        assert_eq!(taken(&running, &CLASSES[0], true), 4);
    }

    #[test]
    fn a_fleet_has_room_up_to_the_last_vcpu() {
        for (needed, result) in [(0, Verdict::Pass), (24, Verdict::Pass), (25, Verdict::Warn)] {
            let finding = judge(Room { quota: 32, taken: 8, needed }, &CLASSES[0], true, "eu-west-1");
            assert_eq!(finding.result, result, "{finding:?}");
            let mend = finding.mend.unwrap_or_default();
            assert_eq!(mend.contains("--quota-code L-34B43A08 --desired-value 33"), needed == 25, "{mend}");
        }
    }
}
