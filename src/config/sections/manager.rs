//! The settings before the first section, and with them all the others.

use std::net::SocketAddr;

use serde::Deserialize;

use super::api::Api;
use super::aws::Aws;
use super::cloud_calls::CloudCalls;
use super::health::Health;
use super::http::Http;
use super::journal::Journal;
use super::launch::Launch;
use super::local::Local;
use super::operations::Operations;
use super::rollout::Rollout;
use super::scaling::Scaling;
use super::traces::Traces;
use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{address, name};

/// Every setting, checked.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Settings {
    /// Where clients are listened for.
    pub listen: SocketAddr,
    /// Where the game servers run.
    pub cloud: CloudKind,
    /// The name that tags the fleet's instances.
    pub fleet: String,
    /// `host:port` that clients get when no place is free.
    pub backup_gameserver: String,
    /// When the fleet grows and shrinks.
    pub scaling: Scaling,
    /// How the game servers' health is asked for.
    pub health: Health,
    /// How long a launch may take.
    pub launch: Launch,
    /// How a new revision of the game takes the place of the old one.
    pub rollout: Rollout,
    /// How the cloud is called.
    pub cloud_calls: CloudCalls,
    /// How clients are answered.
    pub http: Http,
    /// What game clients may ask of the allocations API.
    pub api: Api,
    /// Where operators look at the fleet and steer it.
    pub operations: Operations,
    /// What is kept of what the manager decided.
    pub journal: Journal,
    /// Where traces are sent.
    pub traces: Traces,
    /// The cloud on this machine.
    pub local: Local,
    /// The cloud on Amazon ECS.
    pub aws: Aws,
}

/// Where game servers run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloudKind {
    /// As tasks on Amazon ECS, each on an EC2 instance of its own.
    Ecs,
    /// As processes on this machine.
    Local,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "",
    meaning: "The manager itself.",
    settings: &[
        Setting {
            path: "listen",
            env: "MANAGER_LISTEN",
            default: Default("0.0.0.0:8000"),
            kind: Kind::Text { allowed: address::SOCKET_ALLOWED, check: address::socket },
            meaning: "Where game clients ask for a server. The flag --listen goes before it.",
        },
        Setting {
            path: "cloud",
            env: "MANAGER_CLOUD",
            default: Default("ecs"),
            kind: Kind::Choice(&["ecs", "local"]),
            meaning: "Where game servers run: on Amazon ECS, or as processes on this machine (the flag --local).",
        },
        Setting {
            path: "fleet",
            env: "MANAGER_FLEET",
            default: Default("playlivechess"),
            kind: Kind::Text { allowed: name::FLEET_ALLOWED, check: name::fleet },
            meaning: "The name that tags the fleet's instances. Two fleets in one cluster need two names.",
        },
        Setting {
            path: "backup_gameserver",
            env: "BACKUP_GAMESERVER",
            default: Default("127.0.0.1:8888"),
            kind: Kind::Text { allowed: address::HOST_PORT_ALLOWED, check: address::host_port },
            meaning: "The server that clients are sent to when no place is free.",
        },
    ],
};
