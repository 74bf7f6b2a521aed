//! What game clients may ask of the allocations API.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::secret::Secret;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{networks, path};
use crate::http::TrustedProxies;

/// What game clients may ask of the allocations API.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Api {
    /// How long a client may wait for a place.
    #[serde(deserialize_with = "super::duration")]
    pub max_wait: Duration,
    /// How long the same sticky key leads to the same server, since it was last used.
    #[serde(deserialize_with = "super::duration")]
    pub sticky_ttl: Duration,
    /// Places a second that a client may ask for. 0: no limit.
    pub rate: u32,
    /// Places that it may ask for at once.
    pub burst: u32,
    /// The proxies that are believed when they say for whom they ask.
    pub trusted_proxies: TrustedProxies,
    /// The file with the keys, which [`keys`](Self::keys) were read from.
    pub keys_file: Option<PathBuf>,
    /// The keys of clients, one at least. None: no client needs one.
    #[serde(skip)]
    pub keys: Option<Vec<Secret>>,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "api",
    meaning: "What game clients may ask of the allocations API.",
    settings: &[
        Setting {
            path: "api.max_wait",
            env: "MANAGER_API_MAX_WAIT",
            default: Default("60s"),
            kind: Kind::Duration { min: Duration::ZERO, max: Duration::from_mins(10) },
            meaning: "The longest that a client may wait for a place. A load balancer in front must wait longer \
                      (60s on AWS, unless changed).",
        },
        Setting {
            path: "api.sticky_ttl",
            env: "MANAGER_API_STICKY_TTL",
            default: Default("1h"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_hours(24) },
            meaning: "How long the same `sticky` leads to the same server, since it was last used.",
        },
        Setting {
            path: "api.rate",
            env: "MANAGER_API_RATE",
            default: Default("0"),
            kind: Kind::Integer { unit: "places a second", min: 0, max: 10_000 },
            meaning: "How many one client, an IPv4 address or a /64 of IPv6, may ask for; 0: as many as it likes.",
        },
        Setting {
            path: "api.burst",
            env: "MANAGER_API_BURST",
            default: Default("20"),
            kind: Kind::Integer { unit: "places", min: 1, max: 100_000 },
            meaning: "So many it may ask for at once, before that rate holds.",
        },
        Setting {
            path: "api.trusted_proxies",
            env: "MANAGER_API_TRUSTED_PROXIES",
            default: Default(""),
            kind: Kind::Text { allowed: networks::ALLOWED, check: networks::check },
            meaning: "Proxies and load balancers in front, whose X-Forwarded-For says who a client is; empty: none.",
        },
        Setting {
            path: "api.keys_file",
            env: "MANAGER_API_KEYS_FILE",
            default: Unset("api-keys"),
            kind: Kind::Text { allowed: path::ALLOWED, check: path::check },
            meaning: "A file of keys, one a line; # begins a comment. With it, clients of /v1 must send `Authorization: Bearer KEY`.",
        },
    ],
};
