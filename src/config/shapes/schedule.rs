//! Floors for the upscale margin, by time.

use actors::model::Schedule;

pub(in crate::config) const ALLOWED: &str = "floors with a semicolon between them, each when it begins, for how long, and how many \
    places: \"0 18 * * FRI Europe/Berlin for 6h: 200; 2026-12-24T17:00[Europe/Berlin] for 10h: 500\"";

/// Whether every floor can be read.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    text.parse::<Schedule>().map(drop).map_err(|wrong| wrong.to_string())
}
