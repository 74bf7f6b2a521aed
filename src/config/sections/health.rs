//! How the game servers' health is asked for.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// How the game servers' health is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Health {
    /// Pause between two questions to one server.
    #[serde(deserialize_with = "super::duration")]
    pub interval: Duration,
    /// How long a server may take to answer.
    #[serde(deserialize_with = "super::duration")]
    pub timeout: Duration,
    /// Missed answers in a row before a server counts as silent.
    pub misses: u32,
    /// How long a silent server is waited for.
    #[serde(deserialize_with = "super::duration")]
    pub grace: Duration,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "health",
    meaning: "How the game servers' health is asked for.",
    settings: &[
        Setting {
            path: "health.interval",
            env: "MANAGER_HEALTH_INTERVAL",
            default: Default("1s"),
            kind: Kind::Duration { min: Duration::from_millis(50), max: Duration::from_mins(5) },
            meaning: "Pause between two health questions to one server. SLEEP_TIME and THREAD_SLEEP_TIME, in seconds, work too.",
        },
        Setting {
            path: "health.timeout",
            env: "MANAGER_HEALTH_TIMEOUT",
            default: Default("2s"),
            kind: Kind::Duration { min: Duration::from_millis(10), max: Duration::from_secs(60) },
            meaning: "How long a server may take to answer.",
        },
        Setting {
            path: "health.misses",
            env: "MANAGER_HEALTH_MISSES",
            default: Default("3"),
            kind: Kind::Integer { unit: "answers", min: 1, max: 100 },
            meaning: "So many missed answers in a row make a server count as silent.",
        },
        Setting {
            path: "health.grace",
            env: "MANAGER_HEALTH_GRACE",
            default: Default("30s"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(1) },
            meaning: "How long a silent server is waited for before it is replaced.",
        },
    ],
};
