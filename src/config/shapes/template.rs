//! The template of the address that players are told.

use crate::cloud::address_template::AddressTemplate;

pub(in crate::config) const ALLOWED: &str = "text with {public_ip}, {private_ip}, {ipv6}, {public_dns} or \
    {instance_id}, and {port}: \"{public_ip}:{port}\"";

/// Whether every placeholder is known, and two servers would be told apart.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    text.parse::<AddressTemplate>().map(drop).map_err(|wrong| wrong.to_string())
}
