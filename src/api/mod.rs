//! What both HTTP APIs share: how they read, and what they answer with.

mod body;
#[cfg(test)]
mod documents_tests;
mod moment;
mod problem;
mod whole;

pub use body::{BodyError, read_json};
pub use moment::{moment, seconds};
pub use problem::{Kind, Problem};
use serde::Serialize;
use warp::http::{HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;
pub use whole::Whole;

/// An answer in JSON.
pub fn json<T: Serialize>(status: StatusCode, shown: &T) -> Response<Bytes> {
    // Nothing that is shown has what JSON cannot say: keys are text, and numbers finite.
    body(status, "application/json", serde_json::to_vec(shown).unwrap_or_default())
}

/// An answer that no cache may keep.
pub fn body(status: StatusCode, kind: &'static str, bytes: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to `OPTIONS`, where those methods are allowed.
pub fn options(allow: &'static str) -> Response<Bytes> {
    let mut response = empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
