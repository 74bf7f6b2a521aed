//! The examples in `examples/`, as somebody tries them who is about to write a matchmaker.

use std::process::Stdio;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::manager::{Manager, Setup};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// All places of the one server that there may be, held by somebody else.
async fn take_all(manager: &Manager) -> String {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("an HTTP client");
    let asked = client.post(format!("{}/v1/allocations", manager.url)).header("content-type", "application/json");
    let answer = asked.body(json!({"seats": 10}).to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let held: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    held["id"].as_str().expect("a name").to_owned()
}

async fn give_back(manager: &Manager, id: &str) {
    let url = format!("{}/v1/allocations/{id}", manager.url);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("an HTTP client");
    let answer = client.delete(url).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

async fn comes_again_plays_and_gives_back(interpreter: &str, example: &str) {
    let setup = Setup::local().dot_env("MANAGER_MAX_SERVERS=1\nMANAGER_HOLD_TTL=10m");
    let manager = setup.start().await;
    let address = manager.serves(1).await.remove(0);
    let held = take_all(&manager).await;
    let mut example = Command::new(interpreter)
        .args([&format!("{EXAMPLES}/{example}"), &manager.url, "--seats", "2", "--wait", "100ms", "--give-back"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{interpreter}: {error} (Debian: apt install python3 nodejs)"));
    let mut said = BufReader::new(example.stderr.take().expect("stderr was piped")).lines();
    let said = timeout(PATIENCE, said.next_line()).await.expect("it asks in time").expect("text").expect("a line");
    assert!(said.starts_with("again in 5 s: no server has room"), "{said}");

    give_back(&manager, &held).await;
    let output = timeout(PATIENCE, example.wait_with_output()).await.expect("it ends in time").expect("an exit status");
    let told = String::from_utf8_lossy(&output.stdout);
    let [places, back] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    assert!(places.starts_with(&format!("places for 2 at {address} until ")), "{places}");
    assert_eq!((back, output.status.success()), ("given back", true));
    let fleet = manager.operate(Method::GET, "/v1/fleet").send().await.expect("an answer");
    let fleet: Value = serde_json::from_slice(&fleet.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(fleet["capacity"]["held"], json!(0), "{fleet}");
    manager.stop().await;
}

#[tokio::test]
async fn the_one_in_python_comes_again_plays_and_gives_back() {
    comes_again_plays_and_gives_back("python3", "matchmaker.py").await;
}

#[tokio::test]
async fn the_one_in_javascript_comes_again_plays_and_gives_back() {
    comes_again_plays_and_gives_back("node", "matchmaker.mjs").await;
}
