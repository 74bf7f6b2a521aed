//! Addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

pub(in crate::config) const SOCKET_ALLOWED: &str =
    "an IP address with a port, such as \"0.0.0.0:8000\" or \"[::]:8000\"";
pub(in crate::config) const SOCKET_OR_OFF_ALLOWED: &str =
    "an IP address with a port, such as \"127.0.0.1:8001\" or \"[::1]:8001\", or \"off\"";
pub(in crate::config) const HOST_PORT_ALLOWED: &str =
    "a name or an address with a port, such as \"play.example.com:8000\" or \"[2001:db8::1]:8000\"";
pub(in crate::config) const LOOPBACK_ALLOWED: &str =
    "an IPv4 address of this machine alone, 127.0.0.1 to 127.255.255.254";
pub(in crate::config) const PLAIN_URL_ALLOWED: &str = "an http URL without /v1/traces, such as \"http://127.0.0.1:4318\"; a collector beside the manager can go on over TLS";
pub(in crate::config) const URL_ALLOWED: &str = "an http or https URL, such as \"http://127.0.0.1:5000\"";

/// An address to listen on.
pub(in crate::config) fn socket(text: &str) -> Result<(), String> {
    match text.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) if text.parse::<std::net::IpAddr>().is_ok() => Err("no port".to_owned()),
        Err(_) => Err("not an IP address with a port".to_owned()),
    }
}

/// Instead of an address to listen on: nowhere.
pub(in crate::config) const OFF: &str = "off";

/// An address to listen on, or none.
pub(in crate::config) fn socket_or_off(text: &str) -> Result<(), String> {
    if text == OFF { Ok(()) } else { socket(text) }
}

/// An address to connect to.
pub(in crate::config) fn host_port(text: &str) -> Result<(), String> {
    if text.contains("://") {
        return Err("a URL, where only a host and a port belong".to_owned());
    }
    let (name, number) = text.rsplit_once(':').ok_or("no port")?;
    host(name)?;
    port(number)
}

/// An address of the loopback interface that a server can have.
pub(in crate::config) fn loopback(text: &str) -> Result<(), String> {
    let address: Ipv4Addr = text.parse().map_err(|_| "not an IPv4 address")?;
    if !address.is_loopback() {
        return Err("not an address of the loopback interface".to_owned());
    }
    if [Ipv4Addr::new(127, 0, 0, 0), Ipv4Addr::new(127, 255, 255, 255)].contains(&address) {
        return Err("no server can have the first or the last address of a network".to_owned());
    }
    Ok(())
}

/// Where an API is.
pub(in crate::config) fn url(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or("not http or https")?;
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("a blank in it".to_owned());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').filter(|(_, tail)| !tail.contains(']'));
    has_port.map_or_else(|| host(authority), |(name, number)| host(name).and_then(|()| port(number)))
}

/// Where a collector is: an API that is asked without TLS, at a path that is put after this.
pub(in crate::config) fn plain_url(text: &str) -> Result<(), String> {
    if text.trim_end_matches('/').ends_with("/v1/traces") {
        return Err("/v1/traces, which is put after it".to_owned());
    }
    http_url(text)
}

/// Where something is that is asked without TLS.
pub(in crate::config) fn http_url(text: &str) -> Result<(), String> {
    if text.starts_with("https://") {
        return Err("TLS, which is not spoken there".to_owned());
    }
    if !text.starts_with("http://") {
        return Err("not http".to_owned());
    }
    url(text)
}

fn host(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("no host".to_owned());
    }
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().map(drop).map_err(|_| format!("{address} is not an IPv6 address"));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(format!("an IPv6 address stands in brackets: [{text}]"));
    }
    // Four numbers are an address or a slip, never a name: no top level domain is a number.
    if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return text.parse::<Ipv4Addr>().map(drop).map_err(|_| format!("{text} is not an IPv4 address"));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // RFC 1123, 2.1; a dot at the end marks a full name.
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() <= 253 && name.split('.').all(label) { Ok(()) } else { Err(format!("{text} is not a host name")) }
}

fn port(text: &str) -> Result<(), String> {
    match text.parse::<u16>() {
        Ok(1..) if text.chars().all(|c| c.is_ascii_digit()) => Ok(()),
        _ => Err(format!("{text:?} is not a port: it goes from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(check: fn(&str) -> Result<(), String>, table: &[(&str, &str)]) {
        for (text, why) in table {
            let wrong = check(text).expect_err(text);
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }

    #[test]
    fn where_to_listen() {
        for text in ["0.0.0.0:8000", "[::]:8000", "127.0.0.1:0"] {
            assert_eq!(socket(text), Ok(()), "{text}");
        }
        refused(
            socket,
            &[("8000", "not an IP"), ("localhost:8000", "not an IP"), ("127.0.0.1", "no port"), ("", "not")],
        );
        assert_eq!((socket_or_off("off"), socket_or_off("[::1]:8001")), (Ok(()), Ok(())));
        refused(socket_or_off, &[("Off", "not an IP"), ("", "not an IP"), ("127.0.0.1", "no port")]);
    }

    #[test]
    fn where_to_connect() {
        for text in ["127.0.0.1:8888", "play.example.com:1", "[2001:db8::1]:65535", "backup:8000", "a.b.:80"] {
            assert_eq!(host_port(text), Ok(()), "{text}");
        }
        refused(
            host_port,
            &[
                ("127.0.0.1", "no port"),
                ("127.0.0.1:0", "not a port"),
                ("127.0.0.1:65536", "not a port"),
                ("127.0.0.1:+80", "not a port"),
                ("127.0.0.256:80", "not an IPv4"),
                ("2001:db8::1:80", "brackets"),
                ("[2001:db8::g]:80", "not an IPv6"),
                ("http://play.example.com:80", "URL"),
                ("play example.com:80", "not a host name"),
                ("-play.example.com:80", "not a host name"),
                ("play..example.com:80", "not a host name"),
                (":80", "no host"),
                ("", "no port"),
            ],
        );
    }

    #[test]
    fn loopback_addresses() {
        for text in ["127.0.0.1", "127.1.2.3"] {
            assert_eq!(loopback(text), Ok(()), "{text}");
        }
        refused(
            loopback,
            &[("10.0.0.1", "loopback"), ("localhost", "IPv4"), ("::1", "IPv4"), ("127.0.0.0", "first"), ("", "IPv4")],
        );
    }

    #[test]
    fn endpoints_without_tls() {
        assert_eq!(plain_url("http://127.0.0.1:4318"), Ok(()));
        let twice = ("http://127.0.0.1:4318/v1/traces/", "put after it");
        refused(
            plain_url,
            &[("https://127.0.0.1:4318", "TLS"), ("127.0.0.1:4318", "not http"), ("", "not http"), twice],
        );
    }

    #[test]
    fn endpoints() {
        for text in ["http://127.0.0.1:5000", "https://ecs.example.com", "http://[::1]:80/x?y", "http://[::1]"] {
            assert_eq!(url(text), Ok(()), "{text}");
        }
        refused(
            url,
            &[
                ("127.0.0.1:5000", "http"),
                ("ftp://example.com", "http"),
                ("http://", "no host"),
                ("http://a b", "blank"),
                ("http://localhost:x", "not a port"),
                ("", "http"),
            ],
        );
    }
}
