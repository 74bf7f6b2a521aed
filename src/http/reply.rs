//! The bodies that game clients in the field know, byte for byte as the old manager wrote them: Python's `json.dumps`
//! puts a space after each colon and comma.

use actors::model::Address;
use warp::http::{HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;

/// `{"available": "203.0.113.7:8000"}`
pub(super) fn available(address: &Address) -> Response<Bytes> {
    json(StatusCode::OK, [r#"{"available": "#, &quoted(address.as_str()), "}"].concat())
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

fn json(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The next client is to be sent elsewhere.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
