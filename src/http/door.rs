//! Which clients are let in: those with a key, where one is needed, and none too often.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use warp::http::HeaderMap;

use super::Peer;
use super::bearer::Tokens;
use super::client_address::Client;
use super::rate_limit::{RateLimit, RateRules};
use super::trusted_proxies::TrustedProxies;
use crate::api::{Kind, Problem};

/// Who is let in; the operator may change it while the daemon runs.
#[derive(Clone, Debug, Default)]
pub struct DoorRules {
    /// One of these a client must show. None: it need not.
    pub keys: Option<Tokens>,
    /// The proxies that are believed when they say for whom they ask.
    pub trusted_proxies: TrustedProxies,
}

/// Lets clients in, or not.
#[derive(Clone)]
pub struct Door {
    rules: watch::Receiver<DoorRules>,
    limit: Arc<RateLimit>,
}

impl Door {
    /// By these rules.
    pub fn new(rules: watch::Receiver<DoorRules>, rate: watch::Receiver<RateRules>) -> Self {
        Self { rules, limit: Arc::new(RateLimit::new(rate)) }
    }

    /// Whether a client has a key, if it needs one.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.rules.borrow().keys {
            Some(keys) if !keys.admit(headers) => {
                Err(Problem::new(Kind::Unauthorized, "send Authorization: Bearer and one of the keys in api.keys_file"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a client may ask for a place, or has asked too often.
    ///
    /// # Errors
    /// When it has.
    pub(super) fn count(&self, headers: &HeaderMap, peer: Option<Peer>) -> Result<(), Problem> {
        let Peer(peer) = peer.unwrap_or(Peer(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let client = Client::of(headers, peer, &self.rules.borrow().trusted_proxies);
        self.limit.ask(client, Instant::now()).map_err(|wait| {
            let detail = format!("{client} asks for places too often: again in {}", humantime::format_duration(wait));
            Problem::new(Kind::TooMany, detail).retry_after(wait)
        })
    }
}
