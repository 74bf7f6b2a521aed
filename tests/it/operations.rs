//! The operators' listener: what it tells, what it does, and for whom it does nothing.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::manager::{Manager, Setup};
use crate::support::until;

const TOKEN: &str = "correct-horse-battery-staple";

/// What an operator is told with a 200.
async fn told(manager: &Manager, method: Method, path: &str) -> Value {
    let answer = manager.operate(method, path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

async fn server(manager: &Manager, id: &str) -> Value {
    told(manager, Method::GET, &format!("/v1/servers/{id}")).await
}

#[tokio::test]
async fn a_server_drained_by_hand_is_emptied_loses_nobody_and_comes_back_by_hand() {
    let setup = Setup::local().dot_env("MANAGER_MIN_SERVERS=2\nDOWNSCALE_MARGIN=1000");
    let manager = setup.start().await;
    manager.serves(2).await;
    let player = manager.bring_player().await;
    let id = manager.server_at(&player.address).await.id;

    let drained = told(&manager, Method::POST, &format!("/v1/servers/{id}/drain")).await;
    assert_eq!((&drained["phase"], &drained["drained_by_operator"]), (&json!("standby"), &json!(true)));
    // Another one takes its place, as the fleet is to have two.
    let list = manager.lists(2).await;
    assert!(!list.contains(&player.address), "{list:?}");

    let back = told(&manager, Method::POST, &format!("/v1/servers/{id}/undrain")).await;
    assert_eq!((&back["phase"], &back["drained_by_operator"]), (&json!("available"), &json!(false)));
    manager.lists(3).await;
    player.leave().await;
    let history = server(&manager, &id).await["history"].clone();
    let by_hand: Vec<&Value> = history.as_array().expect("a list").iter().filter(|e| e["kind"] == "operator").collect();
    assert_eq!(by_hand.iter().map(|entry| &entry["what"]).collect::<Vec<_>>(), ["drain", "undrain"], "{history}");
    manager.stop().await;
}

#[tokio::test]
async fn a_paused_fleet_stays_as_it_is_and_margins_hold_until_a_reload() {
    let setup = Setup::local().dot_env("UPSCALE_MARGIN=1\nDOWNSCALE_MARGIN=1000");
    let manager = setup.start().await;
    manager.serves(1).await;
    assert_eq!(told(&manager, Method::POST, "/v1/pause").await["paused"], json!(true));
    let change = json!({"min_servers": 2, "upscale_margin": 2});
    let change =
        manager.operate(Method::PUT, "/v1/margins").header("content-type", "application/json").body(change.to_string());
    assert_eq!(change.send().await.expect("an answer").status(), StatusCode::OK);
    // A decision is due with every look at the cloud.
    assert_eq!(manager.operate(Method::POST, "/v1/reconcile").send().await.expect("an answer").status(), 202);
    let before = told(&manager, Method::GET, "/v1/fleet").await;
    until("the fleet is looked at", async || {
        let fleet = told(&manager, Method::GET, "/v1/fleet").await;
        (fleet["observed_at"] != before["observed_at"]).then_some(())
    })
    .await;
    assert_eq!(manager.list().await.len(), 1);
    assert_eq!(told(&manager, Method::POST, "/v1/resume").await["paused"], json!(false));
    manager.lists(2).await;
    let margins = told(&manager, Method::DELETE, "/v1/margins").await;
    assert_eq!((&margins["min_servers"], &margins["changed"]), (&json!(1), &json!(false)));
    manager.stop().await;
}

#[tokio::test]
async fn without_the_token_from_elsewhere_or_by_a_guessed_name_nothing_is_changed() {
    let setup = Setup::local().environment("MANAGER_OPERATIONS_TOKEN", TOKEN);
    let manager = setup.start().await;
    manager.serves(1).await;
    let with = |path: &str, token: &str| manager.operate(Method::POST, path).bearer_auth(token);
    let drain = "/v1/servers/server-1/drain";
    let page = |request: reqwest::RequestBuilder| request.header("origin", "https://evil.example");
    for (what, request, status) in [
        ("no token", manager.operate(Method::POST, drain), 401),
        ("another token", with(drain, "correct-horse-battery-stapl"), 401),
        ("a page of another origin", page(with(drain, TOKEN)), 403),
        ("a guessed server", with("/v1/servers/server-999/drain", TOKEN), 404),
        ("no server's name", with("/v1/servers/..%2F..%2Fpause/drain", TOKEN), 404),
        ("no token to pause", manager.operate(Method::POST, "/v1/pause"), 401),
        ("no token for margins", manager.operate(Method::PUT, "/v1/margins").body("{\"min_servers\": 0}"), 401),
        ("no token to look", manager.operate(Method::GET, "/v1/fleet"), 401),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{what}");
    }
    let decisions = manager.operate(Method::GET, "/v1/decisions").bearer_auth(TOKEN).send().await.expect("an answer");
    let decisions: Value = serde_json::from_slice(&decisions.bytes().await.expect("a body")).expect("JSON");
    let entries = decisions["entries"].as_array().expect("a list");
    // Whoever has the token is heard, though there is nothing to be done.
    let by_hand: Vec<&Value> = entries.iter().filter(|entry| entry["kind"] == "operator").collect();
    let [guessed] = by_hand[..] else { panic!("{by_hand:?}") };
    assert_eq!((&guessed["server"], &guessed["result"]), (&json!("server-999"), &json!("the server is gone")));
    assert!(!manager.log.mentions(TOKEN), "the token is in the log");
    manager.stop().await;
}
