//! What does not fit any route is told so, in JSON.

use std::convert::Infallible;

use warp::cors::CorsForbidden;
use warp::http::{HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;
use warp::reject::{MethodNotAllowed, Rejection};

use super::reply;

/// What every path answers to.
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// Turns a rejection into an answer.
pub(super) async fn recover(rejection: Rejection) -> Result<Response<Bytes>, Infallible> {
    Ok(if rejection.is_not_found() {
        reply::error(
            StatusCode::NOT_FOUND,
            "no such path: there are /available-gameserver/, /available-gameserver-list/, /livez and /readyz",
        )
    } else if let Some(forbidden) = rejection.find::<CorsForbidden>() {
        reply::error(StatusCode::FORBIDDEN, &forbidden.to_string())
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        allow(reply::error(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and OPTIONS are allowed here"))
    } else {
        tracing::warn!(?rejection, "a request that no route expects");
        reply::error(StatusCode::BAD_REQUEST, "the request cannot be read")
    })
}

/// The answer to `OPTIONS`.
pub(super) fn allowed() -> Response<Bytes> {
    let mut response = allow(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn allow(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    response
}
