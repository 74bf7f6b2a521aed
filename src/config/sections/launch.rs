//! How long a launch may take, and what follows a failed one.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// How long a launch may take, and what follows a failed one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Launch {
    /// Launches in flight that are never exceeded.
    pub max_in_flight: u32,
    /// From the launch call until the instance is in the cluster.
    #[serde(deserialize_with = "super::duration")]
    pub boot_deadline: Duration,
    /// From joining the cluster until the task runs.
    #[serde(deserialize_with = "super::duration")]
    pub placement_deadline: Duration,
    /// From running until the first healthy answer.
    #[serde(deserialize_with = "super::duration")]
    pub healthy_deadline: Duration,
    /// Pause after a failed launch, doubled with each further failure in a row.
    #[serde(deserialize_with = "super::duration")]
    pub backoff: Duration,
    /// The longest such pause.
    #[serde(deserialize_with = "super::duration")]
    pub backoff_max: Duration,
}

const DEADLINE: Kind = Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(1) };

pub(in crate::config) const SECTION: Section = Section {
    name: "launch",
    meaning: "How long each stage of a launch may take; past it the instance goes and the launch counts as failed.",
    settings: &[
        Setting {
            path: "launch.max_in_flight",
            env: "MANAGER_LAUNCH_MAX_IN_FLIGHT",
            default: Default("10"),
            kind: Kind::Integer { unit: "launches", min: 1, max: 1000 },
            meaning: "So many launches may be under way at once.",
        },
        Setting {
            path: "launch.boot_deadline",
            env: "MANAGER_LAUNCH_BOOT_DEADLINE",
            default: Default("5m"),
            kind: DEADLINE,
            meaning: "From the launch call until the instance is registered in the cluster.",
        },
        Setting {
            path: "launch.placement_deadline",
            env: "MANAGER_LAUNCH_PLACEMENT_DEADLINE",
            default: Default("3m"),
            kind: DEADLINE,
            meaning: "From registered until the game server's task runs there.",
        },
        Setting {
            path: "launch.healthy_deadline",
            env: "MANAGER_LAUNCH_HEALTHY_DEADLINE",
            default: Default("2m"),
            kind: DEADLINE,
            meaning: "From running until its first healthy answer.",
        },
        Setting {
            path: "launch.backoff",
            env: "MANAGER_LAUNCH_BACKOFF",
            default: Default("5s"),
            kind: Kind::Duration { min: Duration::from_millis(100), max: Duration::from_mins(10) },
            meaning: "Pause after a failed launch, and before a pool without capacity is asked again; doubled each time in a row.",
        },
        Setting {
            path: "launch.backoff_max",
            env: "MANAGER_LAUNCH_BACKOFF_MAX",
            default: Default("5m"),
            kind: Kind::Duration { min: Duration::from_millis(100), max: Duration::from_hours(1) },
            meaning: "The longest such pause, at least backoff.",
        },
    ],
};
