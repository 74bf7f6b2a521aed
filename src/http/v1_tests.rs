//! What a client of version 1 is told that asks for what cannot be.

use tokio::time::Instant;
use warp::hyper::body::Bytes;
use warp::test::request;

use super::routes;
use super::tests::{Script, fleet, open_door};

/// Method, path, headers, body; the status, and what the answer says.
type Mistake = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, u16, &'static str);

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

const MISTAKES: [Mistake; 20] = [
    ("POST", "/v1/allocations?wait=soon", &[], "", 400, "for example 500ms, 20s or 1m"),
    ("POST", "/v1/allocations?wait=61s", &[], "", 400, "1m at most"),
    ("POST", "/v1/allocations?seats=2", &[], "", 400, "there is wait"),
    ("POST", "/v1/allocations?%ff=%ff", &[], "", 400, "query"),
    ("POST", "/v1/allocations", JSON, "{", 400, "line 1 column 1"),
    (
        "POST",
        "/v1/allocations",
        JSON,
        r#"{"seats": -1}"#,
        400,
        "expected a whole number, 0 to 4294967295 at line 1 column 12",
    ),
    ("POST", "/v1/allocations", JSON, r#"{"seats": 1.5}"#, 400, "expected a whole number"),
    ("POST", "/v1/allocations", JSON, r#"{"seats": 0.0}"#, 422, "1 at least"),
    ("POST", "/v1/allocations", JSON, r#"{"seat": 1}"#, 400, "expected `seats` or `sticky`"),
    ("POST", "/v1/allocations", JSON, r#"{"seats": 0}"#, 422, "1 at least"),
    ("POST", "/v1/allocations", JSON, r#"{"sticky": ""}"#, 422, "1 to 128"),
    ("POST", "/v1/allocations", &[], r#"{"seats": 1}"#, 415, "content-type: application/json"),
    ("POST", "/v1/allocations", &[("idempotency-key", "")], "", 400, "visible ASCII"),
    ("POST", "/v1/allocations", &[("idempotency-key", "two words")], "", 400, "visible ASCII"),
    ("GET", "/v1/allocations", &[], "", 405, "POST"),
    ("PUT", "/v1/allocations/0", &[], "", 405, "DELETE"),
    ("GET", "/v1/allocations/0", &[], "", 404, "no allocation"),
    ("DELETE", "/v1/allocations/%2e%2e", &[], "", 404, "no allocation"),
    ("GET", "/v1/", &[], "", 404, "openapi.json"),
    ("POST", "/openapi.json", &[], "", 405, "GET"),
];

#[tokio::test]
async fn each_mistake_is_told_as_a_problem() {
    let routes = routes(fleet(Script::OneServer).await, open_door());
    for (method, path, headers, body, status, told) in MISTAKES {
        let asked = request().method(method).path(path).header("origin", "https://chess.example").body(body);
        let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
        let response = asked.reply(&routes).await;
        let problem: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
        let of = format!("{method} {path} {body}: {problem}");
        assert_eq!(response.status(), status, "{of}");
        assert_eq!(problem["status"], status, "{of}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{of}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{of}");
        assert_eq!(response.headers()["access-control-allow-origin"], "https://chess.example", "{of}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let routes = routes(fleet(Script::OneServer).await, open_door());
    let body = Bytes::from(vec![b' '; 4097]);
    let response = request().method("POST").path("/v1/allocations").body(body).reply(&routes).await;
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn a_fleet_that_does_not_answer_is_unavailable_for_a_while() {
    let routes = routes(fleet(Script::Stuck).await, open_door());
    let response = request().method("POST").path("/v1/allocations").reply(&routes).await;
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().expect("a value")));
}

#[tokio::test(start_paused = true)]
async fn who_would_be_one_too_many_to_wait_is_answered_at_once_and_leaves_room_for_the_next() {
    let routes = routes(fleet(Script::Full).await, open_door());
    let waits = async || {
        let asked_at = Instant::now();
        let response = request().method("POST").path("/v1/allocations?wait=20s").reply(&routes).await;
        assert_eq!(response.status(), 503);
        asked_at.elapsed().as_secs()
    };
    assert_eq!(tokio::join!(waits(), waits()), (20, 0));
    assert_eq!(waits().await, 20);
}
