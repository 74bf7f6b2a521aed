//! Who may operate: whoever has the token, from no page but the listener's own.

use tokio::sync::watch;
use warp::http::{HeaderMap, header};

use crate::api::{Kind, Problem};
use crate::http::Tokens;

/// Lets requests in, or not.
#[derive(Clone, Debug)]
pub struct Gate {
    /// None: nobody is asked for one. The operator may change it while the daemon runs.
    tokens: watch::Receiver<Option<Tokens>>,
}

impl Gate {
    /// Asks for one of these, if there are any.
    pub const fn new(tokens: watch::Receiver<Option<Tokens>>) -> Self {
        Self { tokens }
    }

    /// The same, which has seen all changes so far.
    pub(super) fn up_to_date(mut self) -> Self {
        self.tokens.mark_unchanged();
        self
    }

    /// Waits until who was let in might not be let in any more.
    pub(super) async fn changed(&mut self) {
        // Without anybody who could change it, nothing changes.
        if self.tokens.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether a request may ask and change things.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let tokens = self.tokens.borrow();
        comes_from_here(headers, tokens.is_some())?;
        match &*tokens {
            Some(tokens) if !tokens.admit(headers) => {
                Err(Problem::new(Kind::Unauthorized, "send Authorization: Bearer and the token in operations.token"))
            }
            _ => Ok(()),
        }
    }
}

/// A page of somebody else's, in the browser of who may operate, must not: neither by its own name, nor by one of its own
/// that it has pointed at this listener. Whoever is no browser sends no Origin, and what it calls this listener matters only
/// where no token is asked for.
fn comes_from_here(headers: &HeaderMap, asks_for_token: bool) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let of_origin = origin.split_once("://").map_or(origin, |(_, host)| host);
        if !of_origin.eq_ignore_ascii_case(host) {
            return Err(Problem::new(Kind::Forbidden, format!("no page of {origin:?} may operate this fleet")));
        }
    }
    if !asks_for_token && !is_local(host) {
        let detail = format!("without a token only 127.0.0.1, [::1] and localhost are answered, not {host:?}");
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(())
}

/// Whether that can only be this machine.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use warp::http::{HeaderName, HeaderValue};

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn admitted(with_token: bool, headers: &[(&'static str, &str)]) -> u16 {
        let tokens = with_token.then(|| Tokens::new([TOKEN.to_owned()]));
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
        };
        let refused =
            Gate::new(watch::Sender::new(tokens).subscribe()).admit(&headers.iter().map(header).collect()).err();
        refused.map_or(200, |problem| problem.response().status().as_u16())
    }

    #[test]
    fn who_has_no_token_or_comes_from_another_page_is_not_let_in() {
        let bearer = format!("Bearer {TOKEN}");
        for (with_token, headers, status) in [
            (true, &[("host", "ops.example:8001"), ("authorization", bearer.as_str())][..], 200),
            (true, &[("host", "127.0.0.1:8001")], 401),
            (true, &[("host", "127.0.0.1:8001"), ("authorization", "Bearer 0123456789abcdeF")], 401),
            (
                true,
                &[
                    ("host", "ops.example:8001"),
                    ("origin", "http://ops.example:8001"),
                    ("authorization", bearer.as_str()),
                ],
                200,
            ),
            (
                true,
                &[("host", "ops.example:8001"), ("origin", "https://evil.example"), ("authorization", bearer.as_str())],
                403,
            ),
            (false, &[("host", "127.0.0.1:8001")], 200),
            (false, &[("host", "[::1]:8001")], 200),
            (false, &[("host", "localhost:8001"), ("origin", "http://localhost:8001")], 200),
            (false, &[("host", "localhost:8001"), ("origin", "http://localhost:3000")], 403),
            (false, &[("host", "localhost:8001"), ("origin", "null")], 403),
            (false, &[("host", "evil.example:8001"), ("origin", "http://evil.example:8001")], 403),
            (false, &[], 403),
        ] {
            assert_eq!(admitted(with_token, headers), status, "{headers:?}");
        }
    }
}
