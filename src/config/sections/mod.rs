//! The settings, section by section: each file holds a section's type and its part of the table.

pub(super) mod api;
pub(super) mod aws;
pub(super) mod cloud_calls;
pub(super) mod health;
pub(super) mod http;
pub(super) mod journal;
pub(super) mod launch;
pub(super) mod local;
pub(super) mod manager;
pub(super) mod operations;
pub(super) mod rollout;
pub(super) mod scaling;
pub(super) mod traces;

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A duration in its written form.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    humantime::parse_duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}
