//! The launch template, its version, and the role that its instances get.

use actors::ports::CloudError;
use aws_sdk_ec2::types::ResponseLaunchTemplateData;

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::ecs::errors::failed;
use crate::cloud::ecs::{EcsCloud, EcsSettings};
use crate::doctor::Finding;

const CHECK: &str = "launch template";

/// An answer without the version that was asked for, in the words of EC2's own code for it.
const NO_VERSION: &str = "VersionNotFound";

impl EcsCloud {
    /// What is launched by the version in use.
    pub(in crate::cloud::ecs) async fn template(&self) -> Read<ResponseLaunchTemplateData> {
        self.template_as(false).await
    }

    /// The same, with the name of a parameter in place of an image followed, or not.
    pub(super) async fn template_as(&self, resolved: bool) -> Read<ResponseLaunchTemplateData> {
        let name = &self.settings.launch_template;
        let call = self.ec2.describe_launch_template_versions().versions(&self.settings.launch_template_version);
        let call = if resolved { call.resolve_alias(true) } else { call };
        let call =
            if name.starts_with("lt-") { call.launch_template_id(name) } else { call.launch_template_name(name) };
        let answer = call.send().await.map_err(failed("DescribeLaunchTemplateVersions"))?;
        let version = answer.launch_template_versions.unwrap_or_default().into_iter().next();
        version
            .and_then(|version| version.launch_template_data)
            .ok_or_else(|| CloudError::NotFound(format!("DescribeLaunchTemplateVersions: {NO_VERSION}")))
    }
}

pub(super) fn judge(template: &Read<ResponseLaunchTemplateData>, settings: &EcsSettings, region: &str) -> Finding {
    let (name, version) = (&settings.launch_template, &settings.launch_template_version);
    match template {
        Ok(_) => Finding::pass(CHECK, format!("{name}, version {version}")),
        Err(CloudError::NotFound(told)) if told.contains(NO_VERSION) => Finding::fail(
            CHECK,
            format!("{name} has no version {version}"),
            format!(
                "set MANAGER_LAUNCH_TEMPLATE_VERSION to $Default, $Latest or one that it has \
                 (aws ec2 describe-launch-template-versions --launch-template-name {name})"
            ),
        ),
        Err(CloudError::NotFound(_)) => Finding::fail(
            CHECK,
            format!("no launch template is called {name:?} in {region}"),
            "set ECS_INSTANCE_LAUNCH_TEMPLATE or AWS_REGION, or create it (README: Run it on AWS)",
        ),
        Err(error @ CloudError::Denied(_)) if settings.pools.name_subnets() => Finding::fail(
            CHECK,
            error.to_string(),
            "allow ec2:DescribeLaunchTemplateVersions: what is launched in a pool's subnet has the template's network \
             interfaces, which have to be read first",
        ),
        Err(error) => unanswered(CHECK, "ec2:DescribeLaunchTemplateVersions", error),
    }
}

/// An instance without a role cannot join any cluster.
pub(super) fn profile(template: &ResponseLaunchTemplateData) -> Finding {
    const CHECK: &str = "instance profile";
    let profile = template.iam_instance_profile().and_then(|profile| profile.name().or(profile.arn()));
    match profile {
        Some(profile) => Finding::pass(CHECK, profile),
        None => Finding::fail(
            CHECK,
            "the launch template names none: its instances may not join a cluster",
            "give the launch template an instance profile with AmazonEC2ContainerServiceforEC2Role",
        ),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::LaunchTemplateIamInstanceProfileSpecification;

    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    #[test]
    fn a_missing_version_is_not_a_missing_template() {
        for (told, mend) in [
            ("InvalidLaunchTemplateName.NotFoundException: none", "ECS_INSTANCE_LAUNCH_TEMPLATE"),
            ("InvalidLaunchTemplateId.VersionNotFound: none", "MANAGER_LAUNCH_TEMPLATE_VERSION"),
        ] {
            let finding = judge(&Err(CloudError::NotFound(told.into())), &settings(), "eu-west-1");
            assert_eq!(finding.result, Verdict::Fail);
            assert!(finding.mend.expect("a mend").contains(mend), "{told}");
        }
    }

    #[test]
    fn an_instance_needs_a_role() {
        let named = LaunchTemplateIamInstanceProfileSpecification::builder().arn("arn:1").build();
        let template = ResponseLaunchTemplateData::builder().iam_instance_profile(named).build();
        assert_eq!(profile(&template), Finding::pass("instance profile", "arn:1"));
        assert_eq!(profile(&ResponseLaunchTemplateData::builder().build()).result, Verdict::Fail);
    }
}
