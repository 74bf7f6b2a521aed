//! How clients are answered.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// How clients are answered.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Http {
    /// How long the fleet may take before the client gets the backup.
    #[serde(deserialize_with = "super::duration")]
    pub answer_timeout: Duration,
    /// How long a stopping manager waits for what is in flight.
    #[serde(deserialize_with = "super::duration")]
    pub shutdown_limit: Duration,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "http",
    meaning: "How clients are answered.",
    settings: &[
        Setting {
            path: "http.answer_timeout",
            env: "MANAGER_ANSWER_TIMEOUT",
            default: Default("500ms"),
            kind: Kind::Duration { min: Duration::from_millis(10), max: Duration::from_secs(10) },
            meaning: "How long a client waits for the fleet's answer before it gets the backup.",
        },
        Setting {
            path: "http.shutdown_limit",
            env: "MANAGER_SHUTDOWN_LIMIT",
            default: Default("10s"),
            kind: Kind::Duration { min: Duration::ZERO, max: Duration::from_mins(5) },
            meaning: "How long a stopping manager waits for the requests and cloud calls under way.",
        },
    ],
};
