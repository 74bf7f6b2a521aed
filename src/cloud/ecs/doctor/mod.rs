//! What AWS is asked before a fleet depends on it: everything that could go wrong later, and nothing is changed by it.
//!
//! Each file is one area: what is fetched for it, and a judgement over that, which is pure. EC2 answers to a dry run
//! whether it would do something; ECS knows none, and is asked for what cannot be had ([`permissions`] says why that
//! does no harm).
//!
//! Beyond what the manager itself may do, the doctor reads with `ecs:DescribeClusters`,
//! `ec2:DescribeLaunchTemplateVersions`, `ec2:DescribeImages`, `ec2:DescribeInstanceTypes`, `ec2:DescribeSubnets`,
//! `ec2:DescribeSecurityGroups` and `servicequotas:GetServiceQuota`, and with `ssm:GetParameters` where the launch
//! template names its image by a parameter. `sts:GetCallerIdentity` needs no permission. What it may not read it
//! reports as unknown: none of these is needed to run the fleet.

mod addresses;
mod clock;
mod cluster;
mod game_port;
mod identity;
mod image;
mod instance_type;
mod permissions;
mod pools;
mod quota;
mod room;
mod security_groups;
mod task_definition;
mod template;
mod unanswered;
mod user_data;

use std::sync::Arc;

use actors::ports::CloudError;
use aws_config::BehaviorVersion;
use aws_sdk_ec2::types::ResponseLaunchTemplateData;
use aws_sdk_ecs::types::TaskDefinition;
use tokio::join;

use super::whole_answers::WholeAnswers;
use super::{ConnectError, EcsCloud, EcsSettings, connection};
use crate::doctor::{Finding, Verdict};
use clock::Clocks;
use identity::Identity;

/// Asks AWS by the settings of a fleet.
pub struct Doctor {
    cloud: EcsCloud,
    quotas: aws_sdk_servicequotas::Client,
    sts: aws_sdk_sts::Client,
    clocks: Arc<Clocks>,
    region: String,
    /// So many game servers the fleet may have.
    max_servers: u32,
}

/// What the later checks build on.
struct Facts {
    cluster: Finding,
    template: Result<ResponseLaunchTemplateData, CloudError>,
    definition: Result<TaskDefinition, CloudError>,
}

impl Doctor {
    /// Finds out how AWS is reached, as the manager does, and calls nothing yet but what that takes.
    ///
    /// # Errors
    /// When AWS cannot even be called.
    pub async fn connect(settings: EcsSettings, max_servers: u32) -> Result<Self, ConnectError> {
        let loader = aws_config::defaults(BehaviorVersion::latest());
        let config = connection::sdk_config(loader, &settings).await?;
        let clocks = Arc::new(Clocks::default());
        let sts = aws_sdk_sts::config::Builder::from(&config)
            .interceptor(WholeAnswers::Xml)
            .interceptor(clock::Watch(Arc::clone(&clocks)));
        let quotas = aws_sdk_servicequotas::config::Builder::from(&config).interceptor(WholeAnswers::Json);
        Ok(Self {
            quotas: aws_sdk_servicequotas::Client::from_conf(quotas.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            clocks,
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            max_servers,
            cloud: EcsCloud::over(&config, settings),
        })
    }

    /// Asks everything.
    pub async fn examine(&self) -> Vec<Finding> {
        let identity = self.identity().await;
        let mut findings = vec![
            Finding::pass("region", &self.region),
            identity::judge(&identity),
            clock::judge(self.clocks.difference()),
        ];
        if findings.iter().any(|finding| finding.check == identity::CHECK && finding.result == Verdict::Fail) {
            let rest = ["cluster", "launch template", "task definition", "permissions"];
            findings.extend(rest.map(|check| {
                Finding::unknown(check, "not asked: AWS takes nothing with these credentials", "mend the credentials")
            }));
            return findings;
        }
        let Facts { cluster, template, definition } = self.facts().await;
        findings.extend([cluster, template::judge(&template, &self.cloud.settings, &self.region)]);
        let owned = self.cloud.owned_instances().await;
        if let Ok(template) = &template {
            let fleet = Fleet { definition: definition.as_ref().ok(), usage: self.usage(&owned).await };
            findings.extend(self.launches(template, &fleet).await);
            findings.extend(self.pools(template, &fleet).await);
        }
        findings.push(task_definition::judge(&definition, &self.cloud.settings, &self.region));
        if let Ok(definition) = &definition {
            findings.push(game_port::judge(definition, &self.cloud.settings));
        }
        findings.extend(self.permissions(identity.as_ref().ok(), &owned, &definition).await);
        findings
    }

    /// Asks the little that the manager asks at its start: a few reading calls.
    pub async fn glance(&self) -> Vec<Finding> {
        let identity = self.identity().await;
        let mut findings = vec![identity::judge(&identity), clock::judge(self.clocks.difference())];
        if findings.iter().all(|finding| finding.result != Verdict::Fail) {
            let Facts { cluster, template, definition } = self.facts().await;
            findings.extend([
                cluster,
                template::judge(&template, &self.cloud.settings, &self.region),
                task_definition::judge(&definition, &self.cloud.settings, &self.region),
            ]);
        }
        findings
    }

    async fn facts(&self) -> Facts {
        let cloud = &self.cloud;
        let (cluster, template, definition) =
            join!(cloud.cluster_shown(), cloud.template(), cloud.describe_definition(&cloud.settings.task_definition));
        Facts { cluster: cluster::judge(&cluster, &cloud.settings, &self.region), template, definition }
    }

    /// What comes of a launch: the image, what joins the cluster, how it is reached, and whether there is room for it.
    async fn launches(&self, template: &ResponseLaunchTemplateData, fleet: &Fleet<'_>) -> Vec<Finding> {
        let cloud = &self.cloud;
        let (image, kind, subnets) =
            join!(cloud.image(template), cloud.instance_type(template), cloud.subnets(template));
        let groups = cloud.groups(template, subnets.as_deref().unwrap_or_default()).await;
        let mut findings = vec![
            image::judge(&image, template, kind.as_ref().ok().and_then(Option::as_ref)),
            template::profile(template),
            user_data::judge(template.user_data(), cloud.settings.cluster_name()),
            instance_type::judge(&kind, template, &self.region),
        ];
        if let Ok(Some(kind)) = &kind {
            findings.push(self.quota(template, kind, &fleet.usage).await);
        }
        if let Some(definition) = fleet.definition {
            if let Ok(Some(kind)) = &kind {
                findings.push(room::judge(definition, kind));
            }
            findings.push(addresses::judge(&subnets, template, definition, &cloud.settings));
            findings.extend(security_groups::judge(&groups, definition, &cloud.settings));
        }
        findings
    }
}

/// What launches are for, and what there is already.
struct Fleet<'a> {
    /// The game's, if it is known.
    definition: Option<&'a TaskDefinition>,
    usage: Read<quota::Usage>,
}

/// What there is to tell where no region is known.
pub fn without_region(error: &ConnectError) -> Vec<Finding> {
    vec![Finding::fail("region", "none is known", error.to_string())]
}

/// The reading calls of the doctor's own, and what they came to.
pub(super) type Read<T> = Result<T, CloudError>;

/// Who asks.
type Whoever<'a> = Option<&'a Identity>;
