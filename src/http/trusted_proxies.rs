//! The proxies that are believed when they say for whom they ask.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

/// Networks of proxies. None: nobody is believed, and a client is who it connects as.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxies(Vec<IpNet>);

/// What is wrong with a list of networks.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TrustedProxiesError {
    /// Nothing between two commas.
    #[error("network {0} is empty")]
    Empty(usize),
    /// Something else.
    #[error("{0:?} is neither a network nor an IP address")]
    NotANetwork(String),
    /// An address within a network, where one of the two is meant.
    #[error("{0} is an address within {1}: write that, or the address alone")]
    Within(IpNet, IpNet),
    /// What would never match: connections from IPv4 are compared as such.
    #[error("{0} is IPv4 written as IPv6: write it as IPv4")]
    Mapped(IpNet),
    /// Each client could choose who it is.
    #[error("{0} is everybody: each client could say that it is another one")]
    Everybody(IpNet),
}

impl TrustedProxies {
    /// Whether this address is one of theirs.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    /// Networks or single addresses with commas between them: `10.0.0.0/16, 2001:db8::/32, 192.0.2.7`.
    fn from_str(text: &str) -> Result<Self, TrustedProxiesError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        (1..).zip(text.split(',')).map(|(place, text)| network(place, text.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for TrustedProxies {
    type Error = TrustedProxiesError;

    fn try_from(text: String) -> Result<Self, TrustedProxiesError> {
        text.parse()
    }
}

fn network(place: usize, text: &str) -> Result<IpNet, TrustedProxiesError> {
    if text.is_empty() {
        return Err(TrustedProxiesError::Empty(place));
    }
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or_else(|_| address());
    let network = network.map_err(|_| TrustedProxiesError::NotANetwork(text.to_owned()))?;
    if network.prefix_len() == 0 {
        return Err(TrustedProxiesError::Everybody(network));
    }
    if network != network.trunc() {
        return Err(TrustedProxiesError::Within(network, network.trunc()));
    }
    match network.addr() {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Err(TrustedProxiesError::Mapped(network)),
        _ => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_networks() {
        for text in ["", " ", "10.0.0.0/16", "10.0.0.0/16, 2001:db8::/32,192.0.2.7 , ::1", "127.0.0.0/8"] {
            assert!(text.parse::<TrustedProxies>().is_ok(), "{text}");
        }
        let table = [
            ("10.0.0.0/16,", "network 2 is empty"),
            ("lb.example.com", "\"lb.example.com\" is neither"),
            ("10.0.0.0/33", "\"10.0.0.0/33\" is neither"),
            ("10.0.0.1/16", "10.0.0.1/16 is an address within 10.0.0.0/16: write that"),
            ("10.0.0.0/8, 0.0.0.0/0", "0.0.0.0/0 is everybody"),
            ("::/0", "::/0 is everybody"),
            ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ];
        for (text, why) in table {
            let wrong = text.parse::<TrustedProxies>().expect_err(text).to_string();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }

    #[test]
    fn who_is_in_them() {
        let proxies: TrustedProxies = "10.0.0.0/16, 2001:db8::/32, 192.0.2.7".parse().expect("networks");
        for (address, is_in) in [
            ("10.0.255.255", true),
            ("10.1.0.0", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(proxies.contain(address.parse().expect(address)), is_in, "{address}");
        }
    }
}
