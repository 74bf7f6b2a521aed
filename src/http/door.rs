//! Which clients are let in: those with a key, where one is needed, and none too often.

use std::sync::Arc;
use std::time::Duration;

use actors::model::Key;
use arc_swap::ArcSwap;
use tokio::time::Instant;
use warp::http::HeaderMap;

use super::bearer::Tokens;
use super::client_address::Client;
use super::rate_limit::{RateLimit, RateRules};
use super::server::Sender;
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

/// Who asks, by the number of its key; all alike where none is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Caller(Option<u32>);

impl Caller {
    /// A text that this client chose, apart from the same text of others.
    pub(super) fn own(self, text: &str) -> Key {
        match self.0 {
            Some(key) => format!("{key} {text}").into(),
            None => text.into(),
        }
    }
}

/// Lets clients in, or not.
#[derive(Clone)]
pub struct Door(Arc<Keeper>);

struct Keeper {
    rules: Arc<ArcSwap<DoorRules>>,
    limit: RateLimit,
}

impl Door {
    /// By these rules.
    pub fn new(rules: Arc<ArcSwap<DoorRules>>, rate: Arc<ArcSwap<RateRules>>) -> Self {
        Self(Arc::new(Keeper { rules, limit: RateLimit::new(rate) }))
    }

    /// Whether a client has a key, if it needs one.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let Some(keys) = &self.0.rules.load().keys else { return Ok(Caller(None)) };
        let key = keys.which(headers).ok_or_else(|| {
            Problem::new(Kind::Unauthorized, "send Authorization: Bearer and one of the keys in api.keys_file")
        })?;
        Ok(Caller(Some(key)))
    }

    /// Whether it is counted who asks: only then a sender is of use.
    pub fn counts(&self) -> bool {
        self.0.limit.is_set()
    }

    /// Whether a client may ask for a place, or has asked for too many. One of which nobody wanted to know who it is, when it
    /// came, is not counted.
    ///
    /// # Errors
    /// When it has.
    pub(super) fn count(&self, sender: Option<&Sender>) -> Result<(), Problem> {
        let Some(client) = self.counted(sender) else { return Ok(()) };
        self.0.limit.ask(client, Instant::now()).map_err(|wait| too_many(client, wait))
    }

    /// The same, once it is known for how many.
    ///
    /// # Errors
    /// When it has.
    pub(super) fn count_party(&self, sender: Option<&Sender>, seats: u32) -> Result<(), Problem> {
        let Some(client) = self.counted(sender) else { return Ok(()) };
        self.0.limit.ask_for_party(client, seats, Instant::now()).map_err(|wait| too_many(client, wait))
    }

    fn counted(&self, sender: Option<&Sender>) -> Option<Client> {
        let Sender { peer, headers } = sender.filter(|_| self.counts())?;
        Some(Client::of(headers, *peer, &self.0.rules.load().trusted_proxies))
    }
}

fn too_many(client: Client, wait: Duration) -> Problem {
    let detail = format!("{client} asks for too many places: again in {} s", wait.as_secs_f64().ceil());
    Problem::new(Kind::TooMany, detail).retry_after(wait)
}
