//! The dashboard: one page of the daemon's own, which asks nobody else for anything.

use warp::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use warp::hyper::body::Bytes;

use crate::api;

macro_rules! files {
    ($($name:literal: $kind:literal),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("dashboard/", $name)))),*]
    };
}

/// Name, type and content.
type File = (&'static str, &'static str, &'static str);

const PAGE: File = ("index.html", "text/html; charset=utf-8", include_str!("dashboard/index.html"));

const FILES: &[File] = files! {
    "dashboard.css": "text/css; charset=utf-8",
    "api.js": "text/javascript; charset=utf-8",
    "ask.js": "text/javascript; charset=utf-8",
    "chart.js": "text/javascript; charset=utf-8",
    "dashboard.js": "text/javascript; charset=utf-8",
    "details.js": "text/javascript; charset=utf-8",
    "journal.js": "text/javascript; charset=utf-8",
    "launches.js": "text/javascript; charset=utf-8",
    "servers.js": "text/javascript; charset=utf-8",
    "stream.js": "text/javascript; charset=utf-8",
    "text.js": "text/javascript; charset=utf-8",
};

/// What the page may do: run its own scripts, and ask its own listener. No other page may frame it, for a click on a
/// button of it would be its user's.
const SECURITY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The page itself.
pub(super) fn page() -> Response<Bytes> {
    serve(PAGE)
}

/// What belongs to it, if there is such a file.
pub(super) fn file(name: &str) -> Option<Response<Bytes>> {
    FILES.iter().find(|(known, ..)| *known == name).map(|file| serve(*file))
}

fn serve((_, kind, content): File) -> Response<Bytes> {
    let mut response = api::body(StatusCode::OK, kind, content);
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
