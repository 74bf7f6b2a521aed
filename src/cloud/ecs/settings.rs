//! What the ECS cloud is told of AWS, of the fleet and of its game servers.

use std::fmt;
use std::time::Duration;

use crate::cloud::address_template::AddressTemplate;
use crate::cloud::launch_pool::LaunchPools;

/// What the ECS cloud is made of.
#[derive(Clone, Debug)]
pub struct EcsSettings {
    /// The region; none: the one that the environment, the profile or the instance names.
    pub region: Option<String>,
    /// The profile in the shared AWS files; none: `AWS_PROFILE`, or the default one.
    pub profile: Option<String>,
    /// Where the API is, in place of AWS's own endpoints; none: `AWS_ENDPOINT_URL`, or AWS.
    pub endpoint_url: Option<String>,
    /// Keys to sign with; none: the SDK's ordinary chain.
    pub credentials: Option<AccessKeys>,
    /// The fleet's name: 1 to 32 letters, digits and hyphens. Two fleets of one cluster have two names, and two
    /// families of task definitions.
    pub fleet: String,
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// The task definition of the game server: family, `family:revision` or ARN.
    pub task_definition: String,
    /// The launch template, by name or by id (`lt-…`).
    pub launch_template: String,
    /// Its version: a number, `$Default` or `$Latest`.
    pub launch_template_version: String,
    /// What is launched, one after the other, where EC2 has none to give.
    pub pools: LaunchPools,
    /// What players are told.
    pub address: AddressTemplate,
    /// Where a game server's health is asked.
    pub health_address: HealthAddress,
    /// The container that players connect to; none: the only one with a port.
    pub container: Option<String>,
    /// The port that it listens on inside; none: the only one it maps.
    pub container_port: Option<u16>,
    /// How long one AWS call may take, with its retries.
    pub call_timeout: Duration,
}

impl EcsSettings {
    /// What the fleet's instances carry as its name: `cluster/fleet`. A fleet is of one cluster, and the instances of
    /// a namesake in another one are not its own.
    pub(super) fn fleet_tag(&self) -> String {
        format!("{}/{}", self.cluster_name(), self.fleet)
    }

    /// The cluster by its name, though it may be given by its ARN.
    pub(super) fn cluster_name(&self) -> &str {
        self.cluster.rsplit('/').next().unwrap_or_default()
    }

    /// The family of the task definition: what the fleet's tasks are found by.
    pub(super) fn family(&self) -> &str {
        let revisioned = self.task_definition.rsplit('/').next().unwrap_or_default();
        revisioned.split(':').next().unwrap_or_default()
    }
}

/// An access key that stands in the program's own settings.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKeys {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session's token, with temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is secret.
        f.debug_struct("AccessKeys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Which address of a game server its health is asked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HealthAddress {
    /// The public IPv4 address.
    #[default]
    Public,
    /// The private IPv4 address.
    Private,
    /// The IPv6 address.
    Ipv6,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings as an operator with one game server a task has them.
    pub(in crate::cloud::ecs) fn settings() -> EcsSettings {
        EcsSettings {
            region: None,
            profile: None,
            endpoint_url: None,
            credentials: None,
            fleet: "chess".into(),
            cluster: "default".into(),
            task_definition: "LaunchGameserver".into(),
            launch_template: "defaultECS".into(),
            launch_template_version: "$Default".into(),
            pools: LaunchPools::default(),
            address: "{public_ip}:{port}".parse().expect("a good template"),
            health_address: HealthAddress::Public,
            container: None,
            container_port: None,
            call_timeout: Duration::from_secs(30),
        }
    }

    #[test]
    fn the_family_is_found_in_each_form_of_a_task_definition() {
        for form in ["game", "game:7", "arn:aws:ecs:eu-west-1:123456789012:task-definition/game:7"] {
            let settings = EcsSettings { task_definition: form.into(), ..settings() };
            assert_eq!(settings.family(), "game", "{form}");
        }
    }

    #[test]
    fn a_fleet_is_of_one_cluster() {
        for form in ["games", "arn:aws:ecs:eu-west-1:123456789012:cluster/games"] {
            let settings = EcsSettings { cluster: form.into(), ..settings() };
            assert_eq!(settings.fleet_tag(), "games/chess", "{form}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let keys = AccessKeys {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "the secret".into(),
            session_token: Some("the token".into()),
        };
        assert_eq!(format!("{keys:?}"), "AccessKeys { access_key_id: \"AKIAEXAMPLE\", .. }");
    }
}
