//! `Authorization: Bearer …`: whether who asks has one of the secrets that are let in.

use std::fmt;
use std::sync::Arc;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use warp::http::{HeaderMap, header};

/// The scheme (RFC 6750), in any case (RFC 9110, 11.1).
const SCHEME: &str = "bearer";

/// Secrets that are let in. With none, nobody is. Whether the operator has changed them is no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tokens(Arc<[String]>);

impl Tokens {
    /// Lets these in.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// Which of them the request brings. How long that takes tells nothing of them but their lengths: each one is
    /// compared with what was brought, to the end.
    pub fn which(&self, headers: &HeaderMap) -> Option<u32> {
        const NONE: u32 = u32::MAX;
        let brought = brought(headers)?;
        let mut which = NONE;
        for (number, secret) in (0..NONE).zip(self.0.iter()) {
            which.conditional_assign(&number, secret.as_bytes().ct_eq(brought));
        }
        (which != NONE).then_some(which)
    }

    /// Whether the request brings one of them.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        self.which(headers).is_some()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({} of ***)", self.0.len())
    }
}

/// The secret that a request brings. Of two it is not known which one a proxy in front has looked at: that is none.
fn brought(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, rest) = value.as_bytes().split_at_checked(SCHEME.len())?;
    let is_scheme = scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && rest.starts_with(b" ");
    is_scheme.then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn admitted(tokens: &Tokens, headers: &[&str]) -> bool {
        let value = |text: &&str| (header::AUTHORIZATION, HeaderValue::from_str(text).expect("a header"));
        tokens.admit(&headers.iter().map(value).collect())
    }

    #[test]
    fn each_of_the_secrets_is_let_in() {
        let tokens = Tokens::new(["the first secret".to_owned(), "another one".to_owned()]);
        for header in ["Bearer the first secret", "bearer another one", "BEARER   another one "] {
            assert!(admitted(&tokens, &[header]), "{header}");
        }
    }

    #[test]
    fn nothing_else_is() {
        let tokens = Tokens::new(["the secret".to_owned()]);
        let table: [&[&str]; 11] = [
            &[],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Bearer the secre"],
            &["Bearer the secret!"],
            &["Bearer The secret"],
            &["Bearerthe secret"],
            &["Basic the secret"],
            &["the secret"],
            &["Bearer the secret", "Bearer the secret"],
        ];
        for headers in table {
            assert!(!admitted(&tokens, headers), "{headers:?}");
        }
        assert!(!admitted(&Tokens::default(), &["Bearer "]), "with no secrets nobody is");
    }

    #[test]
    fn they_are_shown_nowhere() {
        assert_eq!(format!("{:?}", Tokens::new(["hunter2".to_owned()])), "Tokens(1 of ***)");
    }
}
