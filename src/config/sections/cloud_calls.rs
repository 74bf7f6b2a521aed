//! How the cloud is called.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// How the cloud is called.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct CloudCalls {
    /// Pause between two looks at the whole fleet.
    #[serde(deserialize_with = "super::duration")]
    pub observe_interval: Duration,
    /// How long one call may take.
    #[serde(deserialize_with = "super::duration")]
    pub timeout: Duration,
    /// Calls that may be under way at once.
    pub concurrency: u32,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "cloud_calls",
    meaning: "How the cloud is called. AWS limits how often an account may call, for all in it together.",
    settings: &[
        Setting {
            path: "cloud_calls.observe_interval",
            env: "MANAGER_OBSERVE_INTERVAL",
            default: Default("5s"),
            kind: Kind::Duration { min: Duration::from_millis(100), max: Duration::from_mins(5) },
            meaning: "Pause between two looks at the whole fleet; on this machine, where looks are free, 500ms at most.",
        },
        Setting {
            path: "cloud_calls.timeout",
            env: "MANAGER_CLOUD_TIMEOUT",
            default: Default("30s"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_mins(5) },
            meaning: "How long one call may take, retries included.",
        },
        Setting {
            path: "cloud_calls.concurrency",
            env: "MANAGER_CLOUD_CONCURRENCY",
            default: Default("16"),
            kind: Kind::Integer { unit: "calls", min: 1, max: 100 },
            meaning: "So many calls may be under way at once.",
        },
    ],
};
