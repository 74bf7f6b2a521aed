//! Both APIs, by the documents they serve: thousands of requests that the documents allow or forbid, each answered as they
//! say. Schemathesis makes the requests up.

use std::process::Output;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::manager::{Manager, Setup};
use crate::support::python::python;

const TOKEN: &str = "correct-horse-battery-staple";

/// What the documents cannot say, one file an API.
const EXCEPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi");

/// The same requests each time, as far as the fleet's answers to earlier ones are the same.
const SEED: &str = "20250118";

/// Whoever waits for room gets it soon: places that nobody comes for are not kept for long. Any wait that the document
/// allows is tried, so the longest that can be set is set.
const PACE: &str = "MANAGER_HOLD_TTL=1s\nMANAGER_API_MAX_WAIT=10m";

async fn check(setup: &Setup, address: &str, exceptions: &str, more: &[&str]) -> Output {
    let python = tokio::task::spawn_blocking(|| python("openapi-tests", "openapi")).await.expect("Schemathesis");
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.arg("--config-file").arg(format!("{EXCEPTIONS}/{exceptions}"));
    command.args(["run", &format!("{address}/openapi.json"), "--url", address, "--seed", SEED]);
    // Nothing is kept from run to run, and a failure is shown as it was found: to find a smaller one takes minutes.
    command.args(["--generation-database", "none", "--no-shrink", "--continue-on-failure", "--no-color"]);
    command.args(["--request-timeout", "30", "--warnings", "off"]).args(more);
    // It leaves notes of its own behind.
    command.current_dir(setup.path()).kill_on_drop(true);
    let limit = PATIENCE + Duration::from_secs(60);
    timeout(limit, command.output()).await.expect("it ends in time").expect("Schemathesis starts")
}

/// Asserts that nothing was found, and that it looked well.
fn assert_well(manager: &Manager, output: &Output, least: u32) {
    let told = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{error}");
    // "Test cases:" and, in the next line, "3045 generated, 3045 passed".
    let cases = told.split_once("Test cases:").and_then(|(_, rest)| rest.split_whitespace().next());
    let cases: u32 = cases.and_then(|cases| cases.parse().ok()).unwrap_or_default();
    assert!(cases >= least, "{cases} are fewer than {least}: {told}");
    assert!(!manager.log.mentions("panicked"), "something panicked");
}

#[tokio::test]
async fn clients_are_answered_as_the_document_says() {
    // Most are given places, so that there is something to be seen and given back.
    let roomy = "SERVER_CAPACITY=1000\nDOWNSCALE_MARGIN=2000";
    let setup = Setup::local().dot_env(&format!("{PACE}\n{roomy}"));
    let manager = setup.start().await;
    manager.serves(1).await;
    let output = check(&setup, &manager.url, "clients.toml", &["--max-examples", "300"]).await;
    assert_well(&manager, &output, 1500);
    manager.stop().await;
}

#[tokio::test]
async fn clients_that_need_a_key_are_answered_as_the_document_says_with_it_and_without() {
    let setup = Setup::local().dot_env(&format!("{PACE}\nMANAGER_API_KEYS_FILE=keys"));
    std::fs::write(setup.path().join("keys"), format!("{TOKEN}\n")).expect("the directory can be written to");
    let manager = setup.start().await;
    manager.serves(1).await;
    let authorization = format!("Authorization: Bearer {TOKEN}");
    let more = ["--header", &authorization, "--max-examples", "40"];
    let output = check(&setup, &manager.url, "clients.toml", &more).await;
    assert_well(&manager, &output, 300);
    manager.stop().await;
}

#[tokio::test]
async fn operators_are_answered_as_the_document_says() {
    // Margins that call for ten thousand servers are among what is allowed: their game servers come no faster than this.
    let setup = Setup::local().dot_env(PACE).environment("MANAGER_LOCAL_BOOT_DELAY", "5s");
    let setup = setup.environment("MANAGER_OPERATIONS_TOKEN", TOKEN);
    let manager = setup.start().await;
    manager.serves(1).await;
    let authorization = format!("Authorization: Bearer {TOKEN}");
    // A stream without an end is never answered to the end.
    let more = ["--exclude-path", "/v1/events", "--header", &authorization, "--max-examples", "120"];
    let output = check(&setup, &manager.operations, "operations.toml", &more).await;
    assert_well(&manager, &output, 800);
    manager.stop().await;
}
