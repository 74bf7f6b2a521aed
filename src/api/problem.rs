//! Errors as both APIs tell them: RFC 9457, "Problem Details for HTTP APIs".

use std::num::NonZeroU32;
use std::time::Duration;

use actors::model::Address;
use serde::Serialize;
use utoipa::ToSchema;
use warp::http::{HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;

use super::{body, seconds};

/// What went wrong, by what a client can do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// It has no key or token, or a wrong one.
    Unauthorized,
    /// It comes from where it may not.
    Forbidden,
    /// What it is about is not there.
    NotFound,
    /// There is no such method at that path; those are.
    MethodNotAllowed(&'static str),
    /// Its body did not come in time.
    TooSlow,
    /// What it is about is not in a state for it.
    Conflict,
    /// Its body is too large.
    TooLarge,
    /// Its body is no JSON by its type.
    UnsupportedType,
    /// It can be read, and asks for what cannot be.
    Unprocessable,
    /// There were too many before it.
    TooMany,
    /// No server has room.
    NoCapacity,
    /// The manager itself cannot answer now.
    Unavailable,
}

impl Kind {
    const fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "/problems/malformed", "The request cannot be read"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "/problems/unauthorized", "A key is needed"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "/problems/forbidden", "Not from there"),
            Self::NotFound => (StatusCode::NOT_FOUND, "/problems/not-found", "There is no such thing"),
            Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "/problems/method-not-allowed", "Not by this method")
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "/problems/too-slow", "The request did not come in time"),
            Self::Conflict => (StatusCode::CONFLICT, "/problems/conflict", "Not now"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", "The request is too large"),
            Self::UnsupportedType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "/problems/unsupported-type", "Only JSON is read")
            }
            Self::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "/problems/unprocessable", "That cannot be"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "/problems/too-many", "Too many requests"),
            Self::NoCapacity => (StatusCode::SERVICE_UNAVAILABLE, "/problems/no-capacity", "No server has room"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "/problems/unavailable", "The manager cannot answer now")
            }
        }
    }
}

/// An error, as `application/problem+json`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of error it is: a path that stays the same.
    #[serde(rename = "type")]
    #[schema(example = "/problems/no-capacity")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What was wrong here, and what would be right.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// With no-capacity: in so many seconds there should be room, by the launches under way. Null while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, minimum = 0)]
    ready_in_seconds: Option<Option<f64>>,
    /// With no-capacity: the server that stands in, `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    backup: Option<Box<str>>,
    /// Whole seconds, and never at once: "Retry-After: 0" would have all come again in a moment.
    #[serde(skip)]
    retry_after: Option<NonZeroU32>,
    #[serde(skip)]
    of: Kind,
}

impl Problem {
    /// An error of that kind, with what was wrong and what would be right.
    pub fn new(of: Kind, detail: impl Into<String>) -> Self {
        let (status, kind, title) = of.told();
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into().into_boxed_str(),
            ready_in_seconds: None,
            backup: None,
            retry_after: None,
            of,
        }
    }

    /// The same, with when to come again.
    #[must_use]
    pub fn retry_after(self, span: Duration) -> Self {
        let seconds = NonZeroU32::new(span.as_secs_f64().ceil() as u32).unwrap_or(NonZeroU32::MIN);
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same, with when there should be room, and the server that stands in.
    #[must_use]
    pub fn with_backup(self, ready_in: Option<Duration>, backup: &Address) -> Self {
        Self { ready_in_seconds: Some(ready_in.map(seconds)), backup: Some(backup.to_string().into()), ..self }
    }

    /// As an answer.
    pub fn response(&self) -> Response<Bytes> {
        let (status, ..) = self.of.told();
        let mut response = body(status, "application/problem+json", serde_json::to_vec(self).unwrap_or_default());
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
        match self.of {
            Kind::MethodNotAllowed(allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Kind::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
