//! What Prometheus reads, judged by its own tool.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::manager::{Manager, Setup};
use crate::support::until;

/// Rules and their tests.
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus");

/// Where the tool is unpacked if it is not installed.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/prometheus");

/// Debian's lists of packages are read anew and kept here: a fresh machine has none, and those of the system are not a
/// test's to renew.
const UNPACK: &str = "
mkdir -p lists/partial cache/archives/partial
own=\"-o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache\"
apt-get $own --quiet update
apt-get $own --quiet download prometheus
dpkg-deb --extract prometheus_*.deb .
";

/// Prometheus's tool: the one that is installed, or else that of Debian's package, unpacked without being installed.
async fn promtool() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(installed) = env::split_paths(&path).map(|dir| dir.join("promtool")).find(|tool| tool.is_file()) {
        return installed;
    }
    fs::create_dir_all(HOME).expect("the target folder can be written to");
    // Whoever comes second waits.
    let lock = fs::File::create(format!("{HOME}.lock")).expect("the target folder can be written to");
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _lock = lock.expect("no panic").expect("a file can be locked");
    let tool = Path::new(HOME).join("usr/bin/promtool");
    if !tool.is_file() {
        let unpacked = Command::new("sh").args(["-ec", UNPACK]).current_dir(HOME).output().await.expect("a shell");
        let told = String::from_utf8_lossy(&unpacked.stderr);
        assert!(unpacked.status.success(), "promtool cannot be had (Debian: apt install prometheus): {told}");
    }
    tool
}

/// Has the tool judge what it is given.
async fn judge(arguments: &[&str], input: &str) {
    let mut tool = Command::new(promtool().await);
    tool.args(arguments).current_dir(DEPLOY).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.kill_on_drop(true).spawn().expect("promtool starts");
    tool.stdin.take().expect("stdin was piped").write_all(input.as_bytes()).await.expect("promtool reads");
    let judged = tool.wait_with_output().await.expect("promtool ends");
    let told = [judged.stdout, judged.stderr].concat();
    assert!(judged.status.success(), "promtool {arguments:?}:\n{}", String::from_utf8_lossy(&told));
}

async fn scrape(manager: &Manager) -> String {
    let answer = manager.operate(Method::GET, "/metrics").send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.expect("text")
}

/// The value of a sample, by its name without the prefix.
fn sample(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix("playlivechess_manager_")?.strip_prefix(series));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).trim().parse().expect("a number")
}

#[tokio::test]
async fn a_scrape_tells_of_the_fleet_of_clients_and_of_the_cloud() {
    let setup = Setup::local();
    let manager = setup.start().await;
    manager.serves(1).await;
    let player = manager.bring_player().await;
    let text = until("the player is counted", async || {
        let text = scrape(&manager).await;
        (sample(&text, "players") == 1.0).then_some(text)
    })
    .await;
    judge(&["check", "metrics"], &text).await;
    for (series, value) in [
        (r#"servers{phase="available"}"#, 1.0),
        (r#"places{kind="free"}"#, 9.0),
        (r#"decisions_total{action="launch",result="done",rule="upscale-margin"}"#, 1.0),
        (r#"cloud_calls_total{operation="launch",result="done"}"#, 1.0),
        ("launch_duration_seconds_count", 1.0),
        ("ready", 1.0),
    ] {
        assert_eq!(sample(&text, series), value, "{series}");
    }
    // Machines differ in how often what is waited for was asked.
    assert!(sample(&text, r#"allocations_total{api="v0",outcome="placed"}"#) >= 1.0);
    assert!(sample(&text, r#"health_checks_total{result="answered"}"#) >= 1.0);
    player.leave().await;
    manager.stop().await;
}

#[tokio::test]
async fn the_alerts_that_are_deployed_go_off_when_they_should() {
    judge(&["check", "rules", "alerts.yml"], "").await;
    judge(&["test", "rules", "alerts_test.yml"], "").await;
}

#[tokio::test]
async fn the_example_of_a_scrape_is_one_that_prometheus_reads() {
    // It names a file with the token, which is on no machine but the operator's.
    judge(&["check", "config", "--syntax-only", "prometheus.yml"], "").await;
}

#[tokio::test]
async fn clients_that_are_turned_away_at_the_door_are_counted() {
    let setup = Setup::local().dot_env("MANAGER_API_KEYS_FILE=keys\nMANAGER_API_RATE=1\nMANAGER_API_BURST=2");
    std::fs::write(setup.path().join("keys"), "a-key-that-clients-have\n").expect("the directory can be written to");
    let manager = setup.start().await;
    manager.serves(1).await;
    let ask = async |path: &str| {
        let request = manager.ask(Method::POST, path).bearer_auth("a-key-that-clients-have");
        request.send().await.expect("an answer").status().as_u16()
    };
    let without = manager.ask(Method::POST, "/v1/allocations").send().await.expect("an answer");
    assert_eq!((without.status().as_u16(), ask("/v1/allocations?wait=soon").await), (401, 400));
    // Somebody is turned away by the third at the latest, unless this machine is very slow.
    until("one asks too often", async || (ask("/v1/allocations").await == 429).then_some(())).await;
    until("one asks too often for the older endpoint", async || {
        (manager.get("/available-gameserver/").await.0 == 429).then_some(())
    })
    .await;
    let metrics = manager.operate(Method::GET, "/metrics").send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a body");
    for (api, outcome) in [("v1", "unauthorized"), ("v1", "malformed"), ("v1", "limited"), ("v0", "limited")] {
        let one = format!("playlivechess_manager_allocations_total{{api=\"{api}\",outcome=\"{outcome}\"}} 1");
        assert!(metrics.lines().any(|line| line == one), "{one}\n{metrics}");
    }
    manager.stop().await;
}
