//! The examples in `examples/`, as somebody tries them who is about to write a matchmaker.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::timeout;
use warp::Filter;
use warp::reply::{Reply, Response};

use crate::support::manager::{Manager, Setup};
use crate::support::{PATIENCE, until};

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

fn start(interpreter: &str, example: &str, arguments: &[&str]) -> Child {
    Command::new(interpreter)
        .arg(format!("{EXAMPLES}/{example}"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{interpreter}: {error} (Debian: apt install python3 nodejs)"))
}

async fn comes_again_plays_and_gives_back(interpreter: &str, example: &str) {
    let setup = Setup::local().dot_env("MANAGER_MAX_SERVERS=1\nMANAGER_HOLD_TTL=10m");
    let manager = setup.start().await;
    let address = manager.serves(1).await.remove(0);
    let held = take_all(&manager).await;
    let arguments = [manager.url.as_str(), "--seats", "2", "--wait", "1", "--give-back"];
    let mut example = start(interpreter, example, &arguments);
    let mut said = BufReader::new(example.stderr.take().expect("stderr was piped")).lines();
    let said = timeout(PATIENCE, said.next_line()).await.expect("it asks in time").expect("text").expect("a line");
    assert!(said.starts_with("again in 5 s: no server has room"), "{said}");

    give_back(&manager, &held).await;
    let output = timeout(PATIENCE, example.wait_with_output()).await.expect("it ends in time").expect("an exit status");
    let told = String::from_utf8_lossy(&output.stdout);
    let [places, back] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    assert!(places.starts_with(&format!("places for 2 at {address} until ")), "{places}");
    assert_eq!((back, output.status.success()), ("given back", true));
    // The server's next answer shows that nobody came.
    until("nothing is held any more", async || {
        let fleet = manager.operate(Method::GET, "/v1/fleet").send().await.expect("an answer");
        let fleet: Value = serde_json::from_slice(&fleet.bytes().await.expect("a body")).expect("JSON");
        (fleet["capacity"]["held"] == json!(0)).then_some(())
    })
    .await;
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

/// Somebody else than the manager, as a load balancer in front of it.
struct StandIn {
    url: String,
    /// The Idempotency-Key of each request so far.
    keys: mpsc::UnboundedReceiver<String>,
}

impl StandIn {
    /// Answers requests so, in turn; one without an answer waits for ever.
    async fn answering(answers: impl IntoIterator<Item = Option<Response>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, keys) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let answer = warp::header("idempotency-key").then(move |key: String| {
            let next = answers.lock().expect("no test panics there").pop_front();
            let _ = sender.send(key);
            async move {
                match next {
                    Some(Some(answer)) => answer,
                    Some(None) => pending().await,
                    None => page(StatusCode::GONE),
                }
            }
        });
        tokio::spawn(warp::serve(answer).incoming(listener).run());
        Self { url, keys }
    }

    /// What an example prints that asks it, and which keys it had.
    async fn asked_by(mut self, interpreter: &str, example: &str) -> (Output, Vec<String>) {
        let asked = start(interpreter, example, &[&self.url, "--seats", "2", "--wait", "0"]);
        let output =
            timeout(PATIENCE, asked.wait_with_output()).await.expect("it ends in time").expect("an exit status");
        let mut keys = Vec::new();
        while let Ok(key) = self.keys.try_recv() {
            keys.push(key);
        }
        (output, keys)
    }
}

/// For people, as a load balancer has them.
fn page(status: StatusCode) -> Response {
    warp::reply::with_status(warp::reply::html("<h1>Sorry</h1>"), status).into_response()
}

/// With a moment where the manager tells seconds, as others may.
fn come_again_at_a_moment() -> Response {
    let answer = page(StatusCode::SERVICE_UNAVAILABLE);
    warp::reply::with_header(answer, "retry-after", "Wed, 25 Nov 2026 12:24:58 GMT").into_response()
}

/// Its head and its beginning come, and then the connection ends.
fn broken_off(status: StatusCode) -> Response {
    let end = stream::once(async {
        // By then the beginning is on its way.
        yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let body = stream::iter([Ok("{")]).chain(end);
    warp::reply::with_status(warp::reply::stream(body), status).into_response()
}

fn allocation(state: &str) -> Response {
    let told = json!({
        "id": "9e9233e0b748f85de3195a6220c7ea09", "state": state, "address": "203.0.113.7:8000", "server": "server-1",
        "seats": 2, "held_until": "2026-11-25T12:24:58.261Z"
    });
    warp::reply::with_status(warp::reply::json(&told), StatusCode::CREATED).into_response()
}

/// Answers are lost in each way that there is. When one comes through, its places are not held any more.
async fn takes_no_place_that_is_not_held(interpreter: &str, example: &str) {
    let lost = [
        None,
        Some(page(StatusCode::BAD_GATEWAY)),
        Some(come_again_at_a_moment()),
        Some(StatusCode::GATEWAY_TIMEOUT.into_response()),
        Some(broken_off(StatusCode::BAD_GATEWAY)),
        Some(broken_off(StatusCode::CREATED)),
    ];
    let with_one_key = lost.len() + 1;
    let told = ["expired", "held"].map(|state| Some(allocation(state)));
    let stand_in = StandIn::answering(lost.into_iter().chain(told)).await;
    let (Output { status, stdout, stderr }, keys) = stand_in.asked_by(interpreter, example).await;
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{said}");
    let places = "places for 2 at 203.0.113.7:8000 until 2026-11-25T12:24:58.261Z\n";
    assert_eq!(String::from_utf8_lossy(&stdout), places);
    let again: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("again in 1 s: ")).collect();
    assert_eq!((again.len(), said.lines().count()), (with_one_key, with_one_key), "{said}");
    assert!(again[1].contains("502") && again[with_one_key - 1].contains("expired"), "{said}");
    let (same, other) = keys.split_at(with_one_key);
    assert!(same.iter().all(|key| *key == same[0]) && other.len() == 1 && other[0] != same[0], "{keys:?}");
}

#[tokio::test]
async fn the_one_in_python_takes_no_place_that_is_not_held() {
    takes_no_place_that_is_not_held("python3", "matchmaker.py").await;
}

#[tokio::test]
async fn the_one_in_javascript_takes_no_place_that_is_not_held() {
    takes_no_place_that_is_not_held("node", "matchmaker.mjs").await;
}

async fn gives_up_where_there_is_no_manager(interpreter: &str, example: &str) {
    let stand_in = StandIn::answering([Some(page(StatusCode::NOT_FOUND))]).await;
    let url = stand_in.url.clone();
    let (Output { status, stderr, .. }, keys) = stand_in.asked_by(interpreter, example).await;
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!((status.code(), keys.len()), (Some(1), 1), "{said}");
    assert!(said.contains(&url) && said.contains("404"), "{said}");
}

#[tokio::test]
async fn the_one_in_python_gives_up_where_there_is_no_manager() {
    gives_up_where_there_is_no_manager("python3", "matchmaker.py").await;
}

#[tokio::test]
async fn the_one_in_javascript_gives_up_where_there_is_no_manager() {
    gives_up_where_there_is_no_manager("node", "matchmaker.mjs").await;
}
