//! The cloud on Amazon ECS.

use serde::Deserialize;

use crate::cloud::address_template::AddressTemplate;
use crate::cloud::launch_pool::LaunchPools;
use crate::config::kind::Kind;
use crate::config::secret::Secret;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{address, ecs, name, pools, region, template};

/// The cloud on Amazon ECS.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Aws {
    /// The region. None: the AWS SDK's own chain decides.
    pub region: Option<String>,
    /// The ECS cluster, by name or ARN.
    pub cluster: String,
    /// The game server's task definition: family, family:revision or ARN. Never None when the cloud is ECS.
    pub task_definition: Option<String>,
    /// The launch template, by name or id. Never None when the cloud is ECS.
    pub launch_template: Option<String>,
    /// `$Default`, `$Latest` or a number.
    pub launch_template_version: String,
    /// What is launched, one after the other, where there is none to be had. None set: the launch template as it is.
    pub pools: LaunchPools,
    /// What players are told, with placeholders.
    pub address: AddressTemplate,
    /// Where the manager asks for health.
    pub health_address: HealthAddress,
    /// The container whose port is meant, where a task has several.
    pub container: Option<String>,
    /// The container's port that is meant, where it has several.
    pub container_port: Option<u16>,
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Another server to send every AWS call to.
    pub endpoint_url: Option<String>,
    /// The access key's id, if `.env` has it.
    pub access_key_id: Option<Secret>,
    /// The access key, if `.env` has it.
    pub secret_access_key: Option<Secret>,
    /// The session token of temporary credentials, if `.env` has it.
    pub session_token: Option<Secret>,
}

/// Which of an instance's addresses the manager asks for health at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthAddress {
    /// The public IPv4 address.
    Public,
    /// The private IPv4 address.
    Private,
    /// The IPv6 address.
    Ipv6,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "aws",
    meaning: "The cloud on Amazon ECS. Of no effect on this machine's own.",
    settings: &[
        Setting {
            path: "aws.region",
            env: "AWS_REGION",
            default: Unset("eu-west-1"),
            kind: Kind::Text { allowed: region::ALLOWED, check: region::check },
            meaning: "The region. Not set: what the AWS SDK finds in its profile or on the instance.",
        },
        Setting {
            path: "aws.cluster",
            env: "MANAGER_ECS_CLUSTER",
            default: Default("default"),
            kind: Kind::Text { allowed: ecs::CLUSTER_ALLOWED, check: ecs::cluster },
            meaning: "The ECS cluster.",
        },
        Setting {
            path: "aws.task_definition",
            env: "SERVER_TASK_DEFINITION",
            default: Unset("LaunchGameserver"),
            kind: Kind::Text { allowed: ecs::TASK_DEFINITION_ALLOWED, check: ecs::task_definition },
            meaning: "The game server's task definition. Needed when the cloud is ECS.",
        },
        Setting {
            path: "aws.launch_template",
            env: "ECS_INSTANCE_LAUNCH_TEMPLATE",
            default: Unset("defaultECS"),
            kind: Kind::Text { allowed: ecs::LAUNCH_TEMPLATE_ALLOWED, check: ecs::launch_template },
            meaning: "The EC2 launch template of the fleet's instances. Needed when the cloud is ECS.",
        },
        Setting {
            path: "aws.launch_template_version",
            env: "MANAGER_LAUNCH_TEMPLATE_VERSION",
            default: Default("$Default"),
            kind: Kind::Text { allowed: ecs::VERSION_ALLOWED, check: ecs::version },
            meaning: "Which version of it.",
        },
        Setting {
            path: "aws.pools",
            env: "MANAGER_POOLS",
            default: Default("template"),
            kind: Kind::Text { allowed: pools::ALLOWED, check: pools::check },
            meaning: "What to launch, in this order, where EC2 has none to give: what each pool has other than the template.",
        },
        Setting {
            path: "aws.address",
            env: "MANAGER_ADDRESS_TEMPLATE",
            default: Default("{public_ip}:{port}"),
            kind: Kind::Text { allowed: template::ALLOWED, check: template::check },
            meaning: "What players are told. A site with TLS needs names, for example {instance_id}.games.example.com:{port}.",
        },
        Setting {
            path: "aws.health_address",
            env: "MANAGER_HEALTH_ADDRESS",
            default: Default("public"),
            kind: Kind::Choice(&["public", "private", "ipv6"]),
            meaning: "Where the manager asks for health: private is for a manager in the same network.",
        },
        Setting {
            path: "aws.container",
            env: "MANAGER_CONTAINER",
            default: Unset("game"),
            kind: Kind::Text { allowed: ecs::CONTAINER_ALLOWED, check: ecs::container },
            meaning: "Which container players connect to, where the task has several with ports.",
        },
        Setting {
            path: "aws.container_port",
            env: "MANAGER_CONTAINER_PORT",
            default: Unset("8000"),
            kind: Kind::Integer { unit: "port", min: 1, max: 65_535 },
            meaning: "Which of its ports, as the container knows it, where it has several.",
        },
        Setting {
            path: "aws.profile",
            env: "AWS_PROFILE",
            default: Unset("games"),
            kind: Kind::Text { allowed: name::PROFILE_ALLOWED, check: name::profile },
            meaning: "The profile of the AWS configuration files to use.",
        },
        Setting {
            path: "aws.endpoint_url",
            env: "AWS_ENDPOINT_URL",
            default: Unset("http://127.0.0.1:5000"),
            kind: Kind::Text { allowed: address::URL_ALLOWED, check: address::url },
            meaning: "Another server to send every AWS call to, for tests.",
        },
        Setting {
            path: "aws.access_key_id",
            env: "AWS_ACCESS_KEY_ID",
            default: Unset("id"),
            kind: Kind::Secret,
            meaning: "The id of an access key, where neither a profile nor the instance's role gives one.",
        },
        Setting {
            path: "aws.secret_access_key",
            env: "AWS_SECRET_ACCESS_KEY",
            default: Unset("key"),
            kind: Kind::Secret,
            meaning: "The access key.",
        },
        Setting {
            path: "aws.session_token",
            env: "AWS_SESSION_TOKEN",
            default: Unset("token"),
            kind: Kind::Secret,
            meaning: "The token that comes with temporary credentials.",
        },
    ],
};
