//! The type of the instances.

use actors::ports::CloudError;
use aws_sdk_ec2::types::{InstanceType, InstanceTypeInfo, ResponseLaunchTemplateData};

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::ecs::EcsCloud;
use crate::cloud::ecs::errors::failed;
use crate::doctor::Finding;

const CHECK: &str = "instance type";

/// RunInstances: "Default: m1.small".
const DEFAULT: &str = "m1.small";

impl EcsCloud {
    /// The type of the launch template's instances, if it is there and there is one.
    pub(super) async fn instance_type(&self, template: &ResponseLaunchTemplateData) -> Read<Option<InstanceTypeInfo>> {
        if template.instance_requirements().is_some() {
            return Ok(None);
        }
        let kind = template.instance_type().cloned().unwrap_or_else(|| InstanceType::from(DEFAULT));
        let answer = self.ec2.describe_instance_types().instance_types(kind).send().await;
        match answer.map_err(failed("DescribeInstanceTypes")) {
            Ok(answer) => Ok(answer.instance_types.unwrap_or_default().into_iter().next()),
            Err(CloudError::NotFound(_)) => Ok(None),
            // EC2 has no code for it but InvalidInstanceType.
            Err(CloudError::Refused(told)) if told.contains("InvalidInstanceType") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn judge(
    kind: &Read<Option<InstanceTypeInfo>>,
    template: &ResponseLaunchTemplateData,
    region: &str,
) -> Finding {
    let mend = "name one in a new version of the launch template, for example t3.small";
    if template.instance_requirements().is_some() {
        return Finding::unknown(
            CHECK,
            "not told: the launch template leaves the choice to EC2, by attributes",
            "see that the smallest type that fits them has room for the game's task; RunInstances needs one type",
        );
    }
    let name = template.instance_type().map_or(DEFAULT, InstanceType::as_str);
    match kind {
        Ok(Some(kind)) => {
            let found = format!("{name}, {} vCPUs, {} MiB", vcpus(kind), memory(kind));
            match template.instance_type() {
                Some(_) => Finding::pass(CHECK, found),
                None => Finding::warn(CHECK, format!("the launch template names none: EC2 takes {found}"), mend),
            }
        }
        Ok(None) => Finding::fail(CHECK, format!("there is no {name} in {region}"), mend),
        Err(error) => unanswered(CHECK, "ec2:DescribeInstanceTypes", error),
    }
}

/// MiB.
pub(super) fn memory(kind: &InstanceTypeInfo) -> i64 {
    kind.memory_info().and_then(|memory| memory.size_in_mib()).unwrap_or_default()
}

pub(super) fn vcpus(kind: &InstanceTypeInfo) -> i64 {
    kind.v_cpu_info().and_then(|vcpus| vcpus.default_v_cpus()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::InstanceRequirements;

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_type_has_to_be_named_and_known() {
        let named = ResponseLaunchTemplateData::builder().instance_type(InstanceType::T3Small).build();
        let shown = || Ok(Some(InstanceTypeInfo::builder().build()));
        assert_eq!(judge(&shown(), &named, "eu-west-1").result, Verdict::Pass);
        assert_eq!(judge(&Ok(None), &named, "eu-west-1").result, Verdict::Fail);
        let unnamed = ResponseLaunchTemplateData::builder();
        assert_eq!(judge(&shown(), &unnamed.build(), "eu-west-1").result, Verdict::Warn);
        let any = InstanceRequirements::builder().build();
        let any = ResponseLaunchTemplateData::builder().instance_requirements(any).build();
        assert_eq!(judge(&Ok(None), &any, "eu-west-1").result, Verdict::Unknown);
    }
}
