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
    /// How long a new connection may take to bring its first request.
    #[serde(deserialize_with = "super::duration")]
    pub header_timeout: Duration,
    /// How long a connection is kept from an answer to the next request.
    #[serde(deserialize_with = "super::duration")]
    pub idle_timeout: Duration,
    /// Connections that may be open at once.
    pub max_connections: u32,
    /// The bytes that a request may have without its body.
    pub max_head_size: u32,
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
        Setting {
            path: "http.header_timeout",
            env: "MANAGER_HEADER_TIMEOUT",
            default: Default("10s"),
            kind: Kind::Duration { min: Duration::from_millis(100), max: Duration::from_mins(5) },
            meaning: "A client whose first request, up to its body, is not there in this time is cut off.",
        },
        Setting {
            path: "http.idle_timeout",
            env: "MANAGER_IDLE_TIMEOUT",
            default: Default("75s"),
            kind: Kind::Duration { min: Duration::from_millis(100), max: Duration::from_hours(1) },
            meaning: "The same from an answer to the next request. Keep it above what a load balancer in \
                      front has (60s on AWS).",
        },
        Setting {
            path: "http.max_connections",
            env: "MANAGER_MAX_CONNECTIONS",
            default: Default("10000"),
            kind: Kind::Integer { unit: "connections", min: 1, max: 1_000_000 },
            meaning: "So many may be open at once; the one that has waited longest for a request makes way \
                      for a new one.",
        },
        Setting {
            path: "http.max_head_size",
            env: "MANAGER_MAX_HEAD_SIZE",
            default: Default("16384"),
            kind: Kind::Integer { unit: "bytes", min: 8192, max: 1_048_576 },
            meaning: "A request that is longer than this without its body is refused with 431.",
        },
    ],
};
