//! The cluster.

use actors::ports::CloudError;
use aws_sdk_ecs::types::Cluster;

use super::Read;
use super::unanswered::unanswered;
use crate::cloud::ecs::errors::failed;
use crate::cloud::ecs::{EcsCloud, EcsSettings};
use crate::doctor::Finding;

const CHECK: &str = "cluster";

impl EcsCloud {
    /// The fleet's cluster, if there is one of that name.
    pub(super) async fn cluster_shown(&self) -> Read<Option<Cluster>> {
        let call = self.ecs.describe_clusters().clusters(&self.settings.cluster);
        let answer = call.send().await.map_err(failed("DescribeClusters"))?;
        Ok(answer.clusters.unwrap_or_default().into_iter().next())
    }
}

pub(super) fn judge(cluster: &Read<Option<Cluster>>, settings: &EcsSettings, region: &str) -> Finding {
    let name = settings.cluster_name();
    match cluster {
        Ok(Some(cluster)) if cluster.status() == Some("ACTIVE") => {
            let instances = cluster.registered_container_instances_count();
            Finding::pass(CHECK, format!("{name} is ACTIVE, with {instances} instances"))
        }
        Ok(Some(cluster)) => Finding::fail(
            CHECK,
            format!("{name} is {}", cluster.status().unwrap_or("in no state that AWS tells")),
            format!("create it anew (aws ecs create-cluster --cluster-name {name}), or set MANAGER_ECS_CLUSTER"),
        ),
        Ok(None) => Finding::fail(
            CHECK,
            format!("no cluster is called {name:?} in {region}"),
            format!(
                "set MANAGER_ECS_CLUSTER or AWS_REGION, or create it: aws ecs create-cluster --cluster-name {name}"
            ),
        ),
        // Without ECS there is no fleet.
        Err(error @ CloudError::Unanswered(_)) => Finding::fail(
            CHECK,
            format!("ECS does not answer: {error}"),
            format!("see that this machine reaches ECS in {region}: AWS_REGION, routes, proxies, VPC endpoints"),
        ),
        Err(error) => unanswered(CHECK, "ecs:DescribeClusters", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ecs::settings::tests::settings;
    use crate::doctor::Verdict;

    #[test]
    fn only_an_active_cluster_will_do() {
        let cluster = |status: &str| Ok(Some(Cluster::builder().cluster_name("default").status(status).build()));
        for (shown, result, mend) in [
            (cluster("ACTIVE"), Verdict::Pass, ""),
            (cluster("INACTIVE"), Verdict::Fail, "create-cluster"),
            (cluster("PROVISIONING"), Verdict::Fail, "MANAGER_ECS_CLUSTER"),
            (Ok(None), Verdict::Fail, "AWS_REGION"),
            (Err(CloudError::Denied("no".into())), Verdict::Unknown, "ecs:DescribeClusters"),
            (Err(CloudError::Unanswered("no route".into())), Verdict::Fail, "VPC endpoints"),
        ] {
            let finding = judge(&shown, &settings(), "eu-west-1");
            assert_eq!(finding.result, result, "{shown:?}");
            assert!(finding.mend.unwrap_or_default().contains(mend), "{shown:?}");
        }
    }
}
