//! When the fleet grows and shrinks.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// When the fleet grows and shrinks.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Scaling {
    /// Below so many free and pending places the fleet grows.
    pub upscale_margin: u32,
    /// Above so many free places the fleet shrinks.
    pub downscale_margin: u32,
    /// What sets the margins.
    pub policy: ScalingPolicy,
    /// By `lead-time`, one player in so many may be turned away.
    pub turned_away_one_in: u32,
    /// By `lead-time`, the upscale margin is never below this.
    pub least_upscale_margin: u32,
    /// Players that a fresh server takes.
    pub server_capacity: u32,
    /// Servers that are kept however few players there are.
    pub min_servers: u32,
    /// Servers in all that are never exceeded.
    pub max_servers: u32,
    /// Where the next player is sent.
    pub allocation: Allocation,
    /// How long a place is held for a client that does not show up.
    #[serde(deserialize_with = "super::duration")]
    pub hold_ttl: Duration,
}

/// What sets the margins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalingPolicy {
    /// The operator: they are fixed.
    Margins,
    /// How fast players come, and how long a launch takes.
    LeadTime,
}

/// Where the next player is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allocation {
    /// To the fullest server that still has room.
    Packed,
    /// To the emptiest server.
    Distributed,
}

/// Far more than any fleet here has; keeps sums of places within their type.
const MOST_PLACES: i64 = 1_000_000;

pub(in crate::config) const SECTION: Section = Section {
    name: "scaling",
    meaning: "When the fleet grows and shrinks. downscale_margin - upscale_margin must be above server_capacity.",
    settings: &[
        Setting {
            path: "scaling.upscale_margin",
            env: "UPSCALE_MARGIN",
            default: Default("4"),
            kind: Kind::Integer { unit: "places", min: 0, max: MOST_PLACES },
            meaning: "With fewer free places than this, pending ones included, servers are added.",
        },
        Setting {
            path: "scaling.downscale_margin",
            env: "DOWNSCALE_MARGIN",
            default: Default("18"),
            kind: Kind::Integer { unit: "places", min: 0, max: MOST_PLACES },
            meaning: "With more free places than this, the emptiest server goes to standby.",
        },
        Setting {
            path: "scaling.policy",
            env: "MANAGER_SCALING_POLICY",
            default: Default("margins"),
            kind: Kind::Choice(&["margins", "lead-time"]),
            meaning: "What sets the margins: the two settings above, or how fast players come and how long launches take; then \
                      the two hold until enough is known.",
        },
        Setting {
            path: "scaling.turned_away_one_in",
            env: "MANAGER_TURNED_AWAY_ONE_IN",
            default: Default("10000"),
            kind: Kind::Integer { unit: "players", min: 2, max: 1_000_000_000 },
            meaning: "With the policy lead-time, one player in so many may be turned away.",
        },
        Setting {
            path: "scaling.least_upscale_margin",
            env: "MANAGER_LEAST_UPSCALE_MARGIN",
            default: Default("0"),
            kind: Kind::Integer { unit: "places", min: 0, max: MOST_PLACES },
            meaning: "With the policy lead-time, the upscale margin is never below this.",
        },
        Setting {
            path: "scaling.server_capacity",
            env: "SERVER_CAPACITY",
            default: Default("10"),
            kind: Kind::Integer { unit: "players", min: 1, max: 65_535 },
            meaning: "How many players a fresh server takes.",
        },
        Setting {
            path: "scaling.min_servers",
            env: "MANAGER_MIN_SERVERS",
            default: Default("1"),
            kind: Kind::Integer { unit: "servers", min: 0, max: 10_000 },
            meaning: "So many servers are kept however few players there are.",
        },
        Setting {
            path: "scaling.max_servers",
            env: "MANAGER_MAX_SERVERS",
            default: Default("20"),
            kind: Kind::Integer { unit: "servers", min: 1, max: 10_000 },
            meaning: "The fleet never has more servers, pending and standby included.",
        },
        Setting {
            path: "scaling.allocation",
            env: "MANAGER_ALLOCATION",
            default: Default("packed"),
            kind: Kind::Choice(&["packed", "distributed"]),
            meaning: "Where the next player goes: to the fullest server with room, so that others empty out, or to the emptiest.",
        },
        Setting {
            path: "scaling.hold_ttl",
            env: "MANAGER_HOLD_TTL",
            default: Default("30s"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_mins(10) },
            meaning: "How long a place handed to a client is held for it if it does not show up.",
        },
    ],
};
