//! The pools that launches fall through.

use crate::cloud::launch_pool::LaunchPools;

pub(in crate::config) const ALLOWED: &str = "up to 10 pools with a semicolon between them, each of an instance type, a \
    subnet, spot, or template alone: \"template; c7a.large; c7i.large spot\"";

/// Whether every word means something, and no two pools are the same.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    text.parse::<LaunchPools>().map(drop).map_err(|wrong| wrong.to_string())
}
