//! When the fleet grows and shrinks.

use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{address, schedule};

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
    /// By `lead-time` and `buffer`, the upscale margin is never below this.
    pub least_upscale_margin: u32,
    /// By `buffer`, so many of a hundred places are free.
    pub buffer_percent: u32,
    /// A policy of which it is only told what it would do.
    pub policy_shadow: ShadowPolicy,
    /// Floors for the upscale margin by time, as [`Schedule`](actors::model::Schedule) reads them.
    pub schedule: Option<String>,
    /// By `webhook`, the service that is asked.
    pub webhook_url: Option<String>,
    /// How often.
    #[serde(deserialize_with = "super::duration")]
    pub webhook_interval: Duration,
    /// How long it may take.
    #[serde(deserialize_with = "super::duration")]
    pub webhook_timeout: Duration,
    /// How long what it told holds.
    #[serde(deserialize_with = "super::duration")]
    pub webhook_keep: Duration,
    /// Players that a fresh server takes.
    pub server_capacity: u32,
    /// Servers that are kept however few players there are.
    pub min_servers: u32,
    /// After so long without players a fleet that may have no servers ends its last one.
    #[serde(deserialize_with = "super::duration")]
    pub quiet_time: Duration,
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
    /// A share of all places.
    Buffer,
    /// How fast players come, and how long a launch takes.
    LeadTime,
    /// A service of the operator's.
    Webhook,
}

/// A policy of which it is only told what it would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShadowPolicy {
    /// None.
    None,
    /// This one.
    #[serde(untagged)]
    Of(ScalingPolicy),
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
            kind: Kind::Choice(&["margins", "buffer", "lead-time", "webhook"]),
            meaning: "What sets the margins: the two settings above; a share of all places; how fast players come and how long \
                      launches take, and the two until that is known; or a service of yours, and the two without its word.",
        },
        Setting {
            path: "scaling.policy_shadow",
            env: "MANAGER_POLICY_SHADOW",
            default: Default("none"),
            kind: Kind::Choice(&["none", "margins", "buffer", "lead-time", "webhook"]),
            meaning: "Another policy that is only watched: status, the API and the metrics tell what it would do.",
        },
        Setting {
            path: "scaling.schedule",
            env: "MANAGER_SCHEDULE",
            default: Unset(
                "0 18 * * FRI,SAT,SUN Europe/Berlin for 6h: 200; 2026-12-24T17:00[Europe/Berlin] for 10h: 500",
            ),
            kind: Kind::Text { allowed: schedule::ALLOWED, check: schedule::check },
            meaning: "Floors for the upscale margin by time, a launch ahead of it, whatever the policy: a cron expression (in \
                      UTC unless it names a time zone) or a moment, how long, and how many places.",
        },
        Setting {
            path: "scaling.buffer_percent",
            env: "MANAGER_BUFFER_PERCENT",
            default: Default("25"),
            kind: Kind::Integer { unit: "% of all places", min: 1, max: 50 },
            meaning: "With the policy buffer, so many of a hundred places are kept free.",
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
            meaning: "With the policies lead-time and buffer, the upscale margin is never below this.",
        },
        Setting {
            path: "scaling.webhook_url",
            env: "MANAGER_WEBHOOK_URL",
            default: Unset("http://127.0.0.1:8080/margins"),
            kind: Kind::Text {
                allowed: "a URL that begins with http://, for example \"http://127.0.0.1:8080/margins\"",
                check: address::http_url,
            },
            meaning: "With the policy webhook, the service that tells the margins. README.md has what it is sent.",
        },
        Setting {
            path: "scaling.webhook_interval",
            env: "MANAGER_WEBHOOK_INTERVAL",
            default: Default("10s"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(1) },
            meaning: "How often that service is asked.",
        },
        Setting {
            path: "scaling.webhook_timeout",
            env: "MANAGER_WEBHOOK_TIMEOUT",
            default: Default("2s"),
            kind: Kind::Duration { min: Duration::from_millis(10), max: Duration::from_mins(1) },
            meaning: "How long it may take to answer.",
        },
        Setting {
            path: "scaling.webhook_keep",
            env: "MANAGER_WEBHOOK_KEEP",
            default: Default("5m"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(24) },
            meaning: "So long what it told last holds while it tells nothing; then the two margins do.",
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
            meaning: "So many servers are kept however few players there are. With 0 the last one goes after a quiet time, and \
                      the next player is sent to the backup, or waits, while the first one starts.",
        },
        Setting {
            path: "scaling.quiet_time",
            env: "MANAGER_QUIET_TIME",
            default: Default("10m"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(24) },
            meaning: "With min_servers = 0, so long after the last player nothing is kept free any more.",
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
