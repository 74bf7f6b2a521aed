//! Where traces are sent.

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::address;

/// Where traces are sent.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Traces {
    /// The collector. None: nowhere.
    pub endpoint: Option<String>,
    /// Of so many allocations one is traced.
    pub one_in: u32,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "traces",
    meaning: "Where OpenTelemetry traces of allocations and launches are sent.",
    settings: &[
        Setting {
            path: "traces.endpoint",
            env: "OTEL_EXPORTER_OTLP_ENDPOINT",
            default: Unset("http://127.0.0.1:4318"),
            kind: Kind::Text { allowed: address::PLAIN_URL_ALLOWED, check: address::plain_url },
            meaning: "A collector that takes OTLP over HTTP, without /v1/traces. Not set: nothing is traced.",
        },
        Setting {
            path: "traces.one_in",
            env: "MANAGER_TRACES_ONE_IN",
            default: Default("100"),
            kind: Kind::Integer { unit: "allocations", min: 1, max: 1_000_000 },
            meaning: "Of so many allocations one is traced, besides those whose client says so; launches all are.",
        },
    ],
};
