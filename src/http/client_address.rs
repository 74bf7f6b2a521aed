//! Who a client is, for what is limited by client. Behind a proxy all of them connect from its address; what it says
//! of them in `X-Forwarded-For` counts then, and what a client says there itself does not.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use warp::http::{HeaderMap, HeaderName};

use super::trusted_proxies::TrustedProxies;

/// Each proxy appends the address that it was asked from to what it was told; the one nearest to here is the last.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a household or a host is given of IPv6 (RFC 6177): whoever has one address of such a network has all of them.
const IPV6_PREFIX: u32 = 64;

/// A client, as far as one can be told from another: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Client(IpAddr);

impl Client {
    /// Who asks, on a connection from `peer`: `peer` itself, or, if that is a trusted proxy, the right-most address of
    /// `X-Forwarded-For` that is not one. Where that cannot be read, or all of it is trusted, it is the last address
    /// on the way there that could be read.
    pub fn of(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) -> Self {
        let mut client = peer.to_canonical();
        let mut told = told(headers);
        while trusted.contain(client)
            && let Some(Some(further)) = told.next()
        {
            client = further;
        }
        Self::from(client)
    }
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::MAX << (u128::BITS - IPV6_PREFIX);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & network))
            }
            address => address,
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/{IPV6_PREFIX}"),
        }
    }
}

/// The addresses of all the headers of that name, which are one list, from its end; None for what is no address. They
/// are split as bytes: one that is no text, put there by a client, does not spoil what its proxy appended.
fn told(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let headers: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let elements = headers.into_iter().rev().flat_map(|header| header.as_bytes().rsplit(|byte| *byte == b','));
    // Empty elements mean nothing in a list (RFC 9110, 5.6.1.2).
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).map(address)
}

/// An address, bare, in brackets, or with the port that some proxies add.
fn address(element: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(element).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn client(peer: &str, headers: &[&[u8]]) -> String {
        let trusted = "10.0.0.0/8, 2001:db8:1::/48".parse().expect("networks");
        let value = |bytes: &&[u8]| (FORWARDED_FOR, HeaderValue::from_bytes(bytes).expect("a header"));
        let headers = headers.iter().map(value).collect();
        Client::of(&headers, peer.parse().expect(peer), &trusted).to_string()
    }

    #[test]
    fn who_is_no_proxy_is_who_it_connects_as() {
        assert_eq!(client("198.51.100.7", &[]), "198.51.100.7");
        assert_eq!(client("198.51.100.7", &[b"203.0.113.1"]), "198.51.100.7");
        assert_eq!(client("::ffff:198.51.100.7", &[]), "198.51.100.7");
    }

    #[test]
    fn a_proxy_says_for_whom_it_asks() {
        let table: [(&[&[u8]], &str); 12] = [
            (&[], "10.0.0.1"),
            (&[b"203.0.113.1"], "203.0.113.1"),
            (&[b"203.0.113.1 , 10.0.0.2"], "203.0.113.1"),
            (&[b"203.0.113.1", b"10.0.0.2"], "203.0.113.1"),
            (&[b"203.0.113.1:4711, 10.0.0.2:80"], "203.0.113.1"),
            (&[b"2001:db8::1:2:3:4"], "2001:db8::/64"),
            (&[b"[2001:db8::1], [2001:db8:1::7]:443"], "2001:db8::/64"),
            (&[b"[2001:db8::1]:4711"], "2001:db8::/64"),
            (&[b"::ffff:203.0.113.1"], "203.0.113.1"),
            (&[b"203.0.113.1,,", b""], "203.0.113.1"),
            // A client within the trusted networks.
            (&[b"10.7.7.7, 10.0.0.2"], "10.7.7.7"),
            (&[b"10.7.7.7"], "10.7.7.7"),
        ];
        for (headers, expected) in table {
            assert_eq!(client("10.0.0.1", headers), expected, "{headers:?}");
            assert_eq!(client("::ffff:10.0.0.1", headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_client_cannot_choose_who_it_is() {
        let table: [&[&[u8]]; 7] = [
            &[b"192.0.2.1, 203.0.113.1"],
            &[b"192.0.2.1", b"203.0.113.1"],
            &[b"10.9.9.9, 203.0.113.1, 10.0.0.2"],
            &[b"unknown, 203.0.113.1"],
            &[b"\xff\xfe, 203.0.113.1"],
            &[b"192.0.2.1", b"\x80", b"203.0.113.1, 10.0.0.2"],
            &[b"192.0.2.1,,,", b"203.0.113.1"],
        ];
        for headers in table {
            assert_eq!(client("10.0.0.1", headers), "203.0.113.1", "{headers:?}");
        }
    }

    #[test]
    fn garbage_ends_the_way_at_the_last_address_before_it() {
        for garbage in ["unknown", "203.0.113", "203.0.113.1:x", "[2001:db8::1", "fe80::1%eth0", "\"203.0.113.1\""] {
            let header = format!("192.0.2.1, {garbage}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[header.as_bytes()]), "10.0.0.2", "{garbage}");
            assert_eq!(client("10.0.0.1", &[garbage.as_bytes()]), "10.0.0.1", "{garbage}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        assert_eq!(client("2001:db8::1", &[]), client("2001:db8::ffff:ffff:ffff:ffff", &[]));
        assert_ne!(client("2001:db8::1", &[]), client("2001:db8:0:1::1", &[]));
    }
}
