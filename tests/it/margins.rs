//! Margins that set themselves, as operators see them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use warp::Filter;
use warp::http::StatusCode;

use crate::support::manager::{Manager, Setup};
use crate::support::until;

/// A service that tells margins: an upscale margin, or 0 for an error.
struct Service {
    url: String,
    margin: Arc<AtomicU32>,
    asked: tokio::sync::watch::Receiver<Value>,
}

impl Service {
    async fn start(margin: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/margins", listener.local_addr().expect("an address"));
        let margin = Arc::new(AtomicU32::new(margin));
        let (told, asked) = tokio::sync::watch::channel(Value::Null);
        let current = Arc::clone(&margin);
        let route = warp::path!("margins").and(warp::post()).and(warp::body::json()).map(move |question: Value| {
            told.send_replace(question);
            match current.load(Ordering::Relaxed) {
                0 => warp::reply::with_status(warp::reply::json(&"out of order"), StatusCode::INTERNAL_SERVER_ERROR),
                margin => {
                    warp::reply::with_status(warp::reply::json(&json!({ "upscale_margin": margin })), StatusCode::OK)
                }
            }
        });
        tokio::spawn(warp::serve(route).incoming(listener).run());
        Self { url, margin, asked }
    }
}

async fn fleet(manager: &Manager) -> Value {
    let answer = manager.operate(Method::GET, "/v1/fleet").send().await.expect("an answer");
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

async fn has_upscale_margin(manager: &Manager, margin: u64) {
    until(&format!("the upscale margin {margin}"), async || {
        (fleet(manager).await["margins"]["upscale_margin"] == margin).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_tells_the_margins_and_without_its_word_those_of_the_configuration_hold() {
    let mut service = Service::start(15).await;
    let settings = format!(
        "MANAGER_SCALING_POLICY=webhook\nMANAGER_WEBHOOK_URL={}\nMANAGER_WEBHOOK_INTERVAL=1s\nMANAGER_WEBHOOK_KEEP=2s",
        service.url
    );
    let manager = Setup::local().dot_env(&settings).start().await;
    has_upscale_margin(&manager, 15).await;
    // Ten places a server.
    manager.serves(2).await;
    let question =
        service.asked.wait_for(|question| question["upscale_margin"] == 15).await.expect("a question").clone();
    let (fleet_name, players, capacity) = (&question["fleet"], &question["players"], &question["server_capacity"]);
    assert_eq!((fleet_name, players, capacity), (&json!("playlivechess"), &json!(0), &json!(10)), "{question}");
    service.margin.store(0, Ordering::Relaxed);
    has_upscale_margin(&manager, 4).await;
    service.margin.store(6, Ordering::Relaxed);
    has_upscale_margin(&manager, 6).await;
    manager.stop().await;
}

#[tokio::test]
async fn a_policy_that_is_only_watched_is_told_beside_the_one_that_holds() {
    let settings = "MANAGER_POLICY_SHADOW=buffer\nMANAGER_LEAST_UPSCALE_MARGIN=35";
    let setup = Setup::local().dot_env(settings);
    let manager = setup.start().await;
    manager.serves(1).await;
    let told = fleet(&manager).await;
    let shadow =
        json!({ "policy": "buffer", "upscale_margin": 35, "downscale_margin": 47, "launches": 3, "standby": 0 });
    assert_eq!((&told["shadow"], &told["margins"]["upscale_margin"]), (&shadow, &json!(4)));
    let metrics = manager.operate(Method::GET, "/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("shadow_margin_places{margin=\"upscale\"} 35"), "{metrics}");
    manager.stop().await;
}

#[tokio::test]
async fn a_schedule_raises_the_margin_while_it_holds() {
    let setup = Setup::local().dot_env("MANAGER_SCHEDULE=\"* * * * * for 2m: 25\"");
    let manager = setup.start().await;
    has_upscale_margin(&manager, 25).await;
    manager.serves(3).await;
    manager.stop().await;
}

#[tokio::test]
async fn what_a_fleet_lived_through_is_replayed_under_other_settings() {
    let setup = Setup::local().dot_env("MANAGER_JOURNAL_PATH=journal.jsonl\nMANAGER_CENSUS_INTERVAL=1s");
    let manager = setup.start().await;
    manager.serves(1).await;
    let journal = setup.path().join("journal.jsonl");
    let census_of = async |players: u32| {
        until(&format!("a census of {players}"), async || {
            let text = fs::read_to_string(&journal).unwrap_or_default();
            let mut entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            entries.find(|entry| entry["kind"] == "census" && entry["players"] == players)
        })
        .await;
    };
    census_of(0).await;
    let _player = manager.bring_player().await;
    census_of(1).await;
    manager.stop().await;
    let arguments = ["plan", "--journal", "journal.jsonl", "--set", "min_servers=3", "--json"];
    let ran = setup.command(&arguments).output().await.expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let plan: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    // Its server was launched before the first census, and is none of what it did since.
    assert_eq!(plan["did"]["served"], 1.0, "{plan}");
    assert_eq!(plan["fleet"]["most_servers"]["mean"], 3.0);
    // Beside a trace it tells how long launches took: a game server of this machine no more than a few seconds.
    fs::write(setup.path().join("trace.csv"), "time,players\n0,5\n3600,50\n7200,5\n").expect("a file");
    let ran = setup.command(&["plan", "trace.csv", "--journal", "journal.jsonl"]).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&ran.stdout);
    let launches = told.lines().find_map(|line| line.strip_prefix("launches")).expect("launches").trim();
    assert!(launches.ends_with('s') && !launches.contains('m'), "{told}");
}
