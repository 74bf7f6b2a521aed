//! The networks of trusted proxies.

use crate::http::TrustedProxies;

pub(in crate::config) const ALLOWED: &str =
    "IP networks or addresses with commas between them, such as \"10.0.0.0/16, 2001:db8::/32, 192.0.2.7\"";

/// Whether each is one, and not everybody.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    text.parse::<TrustedProxies>().map(drop).map_err(|wrong| wrong.to_string())
}
