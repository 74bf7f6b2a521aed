//! The bodies that game clients in the field know, byte for byte as the old manager wrote them: Python's `json.dumps`
//! puts a space after each colon and comma.

use std::sync::LazyLock;

use actors::model::Address;
use warp::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;

/// Made once: a copy costs half of what it takes to put them together.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        // The next client is to be sent elsewhere.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ])
});

/// `{"available": "203.0.113.7:8000"}`
pub(super) fn available(address: &Address) -> Response<Bytes> {
    const BEFORE: &str = r#"{"available": "#;
    let mut body = Vec::with_capacity(BEFORE.len() + address.as_str().len() + "\"\"}".len());
    body.extend_from_slice(BEFORE.as_bytes());
    // No text is refused, and no vector.
    let _ = serde_json::to_writer(&mut body, address.as_str());
    body.push(b'}');
    json(StatusCode::OK, body)
}

/// `{"server_list": ["203.0.113.7:8000", "203.0.113.8:8000"]}`
pub(super) fn server_list(addresses: &[Address]) -> Response<Bytes> {
    let quoted: Vec<String> = addresses.iter().map(|address| quoted(address.as_str())).collect();
    json(StatusCode::OK, format!(r#"{{"server_list": [{}]}}"#, quoted.join(", ")))
}

/// `{"status": "ready"}`
pub(super) fn status(status: &str) -> Response<Bytes> {
    json(StatusCode::OK, format!(r#"{{"status": {}}}"#, quoted(status)))
}

/// `{"error": "what was wrong, and what would be right"}`
pub(super) fn error(status: StatusCode, message: &str) -> Response<Bytes> {
    json(status, format!(r#"{{"error": {}}}"#, quoted(message)))
}

fn quoted(text: &str) -> String {
    // No text is refused.
    serde_json::to_string(text).unwrap_or_default()
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().clone_from(&HEADERS);
    response
}
