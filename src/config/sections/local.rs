//! The cloud on this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{address, command};

/// The cloud on this machine.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Local {
    /// The game server's program and arguments, with `{ip}` and `{port}` in them. Empty: the manager's own game server.
    #[serde(deserialize_with = "words")]
    pub command: Vec<String>,
    /// From launch until an instance joins the cluster.
    #[serde(deserialize_with = "super::duration")]
    pub boot_delay: Duration,
    /// The address of the first server, on the loopback interface.
    pub first_address: Ipv4Addr,
    /// What tells two servers apart.
    pub spread: Spread,
    /// The port of the first server.
    pub first_port: u16,
    /// Between SIGTERM and SIGKILL.
    #[serde(deserialize_with = "super::duration")]
    pub stop_grace: Duration,
}

/// What tells two servers on this machine apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// One address, following ports.
    Port,
    /// Following addresses, one port.
    Address,
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    shell_words::split(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

pub(in crate::config) const SECTION: Section = Section {
    name: "local",
    meaning: "The cloud on this machine: game servers as processes. Of no effect on ECS.",
    settings: &[
        Setting {
            path: "local.command",
            env: "MANAGER_LOCAL_COMMAND",
            default: Default(""),
            kind: Kind::Text { allowed: command::ALLOWED, check: command::check },
            meaning: "What a game server is started with; empty: the manager's own game server.",
        },
        Setting {
            path: "local.boot_delay",
            env: "MANAGER_LOCAL_BOOT_DELAY",
            default: Default("2s"),
            kind: Kind::Duration { min: Duration::ZERO, max: Duration::from_mins(10) },
            meaning: "How long a launch waits before the process starts, as an EC2 instance takes its time too.",
        },
        Setting {
            path: "local.first_address",
            env: "MANAGER_LOCAL_FIRST_ADDRESS",
            default: Default("127.0.0.1"),
            kind: Kind::Text { allowed: address::LOOPBACK_ALLOWED, check: address::loopback },
            meaning: "The address of the first server.",
        },
        Setting {
            path: "local.spread",
            env: "MANAGER_LOCAL_SPREAD",
            default: Default("port"),
            kind: Kind::Choice(&["port", "address"]),
            meaning: "What the servers after it get: the following ports, or the following addresses and the same port.",
        },
        Setting {
            path: "local.first_port",
            env: "MANAGER_LOCAL_FIRST_PORT",
            default: Default("9000"),
            kind: Kind::Integer { unit: "port", min: 1, max: 65_535 },
            meaning: "The port of the first server.",
        },
        Setting {
            path: "local.stop_grace",
            env: "MANAGER_LOCAL_STOP_GRACE",
            default: Default("5s"),
            kind: Kind::Duration { min: Duration::ZERO, max: Duration::from_mins(5) },
            meaning: "How long a server has between SIGTERM and SIGKILL.",
        },
    ],
};
