//! The image of the instances.

use actors::ports::CloudError;
use aws_sdk_ec2::types::{Image, ImageState, InstanceTypeInfo, ResponseLaunchTemplateData};

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::ecs::EcsCloud;
use crate::cloud::ecs::errors::failed;
use crate::doctor::Finding;

const CHECK: &str = "image";

/// How a launch template names an image by a parameter of Systems Manager.
const PARAMETER: &str = "resolve:ssm:";

impl EcsCloud {
    /// The image of the launch template, if it is there.
    pub(super) async fn image(&self, template: &ResponseLaunchTemplateData) -> Read<Option<Image>> {
        let id = match template.image_id() {
            Some(parameter) if parameter.starts_with(PARAMETER) => self.template_as(true).await?.image_id,
            id => id.map(str::to_owned),
        };
        let Some(id) = id else { return Ok(None) };
        match self.ec2.describe_images().image_ids(id).send().await.map_err(failed("DescribeImages")) {
            Ok(answer) => Ok(answer.images.unwrap_or_default().into_iter().next()),
            Err(CloudError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn judge(
    image: &Read<Option<Image>>,
    template: &ResponseLaunchTemplateData,
    kind: Option<&InstanceTypeInfo>,
) -> Finding {
    let mend = "name an ECS-optimized AMI of this region in a new version of the launch template \
                (aws ssm get-parameters --names /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended)";
    let Some(named) = template.image_id() else {
        return Finding::fail(CHECK, "the launch template names none", mend);
    };
    let image = match image {
        Ok(Some(image)) => image,
        Ok(None) => return Finding::fail(CHECK, format!("there is no {named}"), mend),
        Err(error) => {
            let action = if named.starts_with(PARAMETER) {
                "ec2:DescribeImages and ssm:GetParameters"
            } else {
                "ec2:DescribeImages"
            };
            return unanswered(CHECK, action, error);
        }
    };
    let found = format!("{named} ({})", image.name().unwrap_or("without a name"));
    if image.state() != Some(&ImageState::Available) {
        let state = image.state().map_or("unknown", ImageState::as_str);
        return Finding::fail(CHECK, format!("{found} is {state}, not available"), mend);
    }
    match (image.architecture(), kind.and_then(InstanceTypeInfo::processor_info)) {
        (Some(architecture), Some(processor))
            if !processor.supported_architectures().is_empty()
                && !processor.supported_architectures().iter().any(|it| it.as_str() == architecture.as_str()) =>
        {
            Finding::fail(
                CHECK,
                format!("{found} is for {}, which the instance type is not", architecture.as_str()),
                "name an image and an instance type of one architecture in the launch template",
            )
        }
        _ => Finding::pass(CHECK, found),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{ArchitectureType, ArchitectureValues, ProcessorInfo};

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn an_image_has_to_be_named_there_and_available() {
        let template = ResponseLaunchTemplateData::builder().image_id("ami-1").build();
        let shown = |state| Ok(Some(Image::builder().image_id("ami-1").state(state).build()));
        assert_eq!(judge(&shown(ImageState::Available), &template, None).result, Verdict::Pass);
        for (image, template) in [
            (shown(ImageState::Pending), template.clone()),
            (shown(ImageState::Failed), template.clone()),
            (Ok(None), template.clone()),
            (Ok(None), ResponseLaunchTemplateData::builder().build()),
        ] {
            assert_eq!(judge(&image, &template, None).result, Verdict::Fail, "{image:?}");
        }
        assert_eq!(judge(&Err(CloudError::Denied("no".into())), &template, None).result, Verdict::Unknown);
    }

    #[test]
    fn an_image_has_to_be_of_the_instances_architecture() {
        let template = ResponseLaunchTemplateData::builder().image_id("ami-1").build();
        let image = Image::builder().state(ImageState::Available).architecture(ArchitectureValues::Arm64).build();
        for (architecture, result) in
            [(ArchitectureType::Arm64, Verdict::Pass), (ArchitectureType::X8664, Verdict::Fail)]
        {
            let processor = ProcessorInfo::builder().supported_architectures(architecture).build();
            let kind = InstanceTypeInfo::builder().processor_info(processor).build();
            assert_eq!(judge(&Ok(Some(image.clone())), &template, Some(&kind)).result, result);
        }
    }
}
