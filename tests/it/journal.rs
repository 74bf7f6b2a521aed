//! The journal's file, over a crash.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::manager::{Manager, Setup};
use crate::support::{PATIENCE, until};

/// The entries in a file, and what in it is none.
fn read(path: &Path) -> (Vec<Value>, Vec<String>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let (mut entries, mut rest) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) => rest.push(line.to_owned()),
        }
    }
    (entries, rest)
}

fn numbers(entries: &[Value]) -> Vec<u64> {
    entries.iter().filter_map(|entry| entry["number"].as_u64()).collect()
}

/// Waits until something is written that is so.
async fn written(path: &Path, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until(what, async || read(path).0.into_iter().find(&is_so)).await
}

/// Entries enough that they are read in several parts.
async fn written_by_hand(manager: &Manager, times: usize) {
    for _ in 0..times {
        for what in ["/v1/pause", "/v1/resume"] {
            let answer = manager.operate(Method::POST, what).send().await.expect("an answer");
            assert!(answer.status().is_success());
        }
    }
}

#[tokio::test]
async fn who_was_away_is_told_all_entries_since() {
    let manager = Setup::local().dot_env("").start().await;
    manager.serves(1).await;
    written_by_hand(&manager, 600).await;
    let newest = manager.operate(Method::GET, "/v1/decisions?limit=1").send().await.expect("an answer");
    let newest: Value = serde_json::from_slice(&newest.bytes().await.expect("a body")).expect("JSON");
    let newest = newest["newest"].as_u64().expect("a number");
    let stream = manager.operate(Method::GET, "/v1/events").header("last-event-id", "3");
    let mut stream = stream.send().await.expect("an answer");
    let mut told = String::new();
    let ids = |told: &str| told.lines().filter_map(|line| line.strip_prefix("id:")?.trim().parse().ok()).collect();
    let all = async {
        loop {
            let ids: Vec<u64> = ids(&told);
            if ids.last() >= Some(&newest) {
                return ids;
            }
            told += &String::from_utf8_lossy(&stream.chunk().await.expect("more").expect("no end"));
        }
    };
    let ids = timeout(PATIENCE, all).await.expect("all of it in time");
    assert_eq!(ids, Vec::from_iter(4..=*ids.last().expect("some")));
    manager.stop().await;
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_line_loses_no_other_and_why_a_server_ended_is_still_known() {
    let setup = Setup::local().dot_env("MANAGER_JOURNAL_PATH=journal.jsonl\nMANAGER_MIN_SERVERS=1");
    let path = setup.path().join("journal.jsonl");
    let manager = setup.start().await;
    manager.serves(1).await;
    written(&path, "the launch is written down", |entry| entry["what"] == "launched").await;
    manager.kill().await;
    let (before, none) = read(&path);
    assert_eq!(none, Vec::<String>::new());
    let mut file = OpenOptions::new().append(true).open(&path).expect("the journal");
    file.write_all(b"{\"number\": 9999, \"at\": \"2026-").expect("half a line");

    // The game server went with its manager, so another one is launched, drained and ended.
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    let id = manager.server_at(&server).await.id;
    let drain = manager.operate(Method::POST, &format!("/v1/servers/{id}/drain"));
    assert!(drain.send().await.expect("an answer").status().is_success());
    let of = |entry: &Value, kind: &str, what: &str| entry["kind"] == kind && entry["what"] == what;
    let seen = before.len();
    let ended = until("the end is written down", async || {
        read(&path).0.into_iter().skip(seen).find(|entry| of(entry, "decision", "close"))
    })
    .await;
    assert_eq!((&ended["rule"], &ended["server"], &ended["result"]), (&"drained".into(), &id.into(), &"done".into()));
    assert!(ended["figures"]["free"].is_u64(), "the numbers it was decided on: {ended}");
    manager.stop().await;

    let (entries, rest) = read(&path);
    assert_eq!(rest, ["{\"number\": 9999, \"at\": \"2026-"], "the half line is left as it is, on a line of its own");
    let numbers = numbers(&entries);
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "none is lost, and none has another's number");
}
