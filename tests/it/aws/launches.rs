//! Launches that go wrong: what one intent makes is one instance, and what serves nothing goes.

use serde_json::json;

use super::api::Api;
use crate::support::manager::{Manager, Setup};
use crate::support::process::Signal;
use crate::support::until;

#[tokio::test]
async fn an_instance_that_never_registers_is_terminated_and_the_next_one_serves() {
    let api = Api::start().await;
    api.tell("agent", json!({ "never_register": 1 })).await;
    let setup = api.setup("MANAGER_LAUNCH_BOOT_DEADLINE=2s");
    let manager = setup.start().await;
    manager.log.moved(0, "closing (boot overdue)", 1).await;
    let _setup = without_haste(&manager, setup);
    the_next_one_serves(&api, &manager, "closing (boot overdue)").await;
    manager.stop().await;
}

#[tokio::test]
async fn a_task_that_never_runs_goes_with_its_instance() {
    let api = Api::start().await;
    api.tell("agent", json!({ "no_task_start": true })).await;
    let setup = api.setup("MANAGER_LAUNCH_PLACEMENT_DEADLINE=2s");
    let manager = setup.start().await;
    manager.log.moved(0, "closing (placement overdue)", 1).await;
    api.tell("agent", json!({ "no_task_start": false })).await;
    let _setup = without_haste(&manager, setup);
    the_next_one_serves(&api, &manager, "closing (placement overdue)").await;
    manager.stop().await;
}

#[tokio::test]
async fn a_game_that_never_answers_goes_with_its_instance() {
    let api = Api::start().await;
    api.tell("agent", json!({ "game_args": ["--hang-after", "0s"], "games_with_args": 1 })).await;
    let setup = api.setup("MANAGER_LAUNCH_HEALTHY_DEADLINE=2s");
    let manager = setup.start().await;
    manager.log.moved(0, "closing (health overdue)", 1).await;
    let _setup = without_haste(&manager, setup);
    the_next_one_serves(&api, &manager, "closing (health overdue)").await;
    manager.stop().await;
}

/// Gives launches their ordinary deadlines from now on: what comes up well may take its time on a slow machine.
fn without_haste(manager: &Manager, setup: Setup) -> Setup {
    let setup = setup.dot_env("");
    manager.signal(Signal::HUP);
    setup
}

/// The launch after those that were given up serves, and each of those was one instance, which is gone.
async fn the_next_one_serves(api: &Api, manager: &Manager, given_up: &str) {
    manager.serves(1).await;
    let world = api.shows("one server and nothing else", |world| world.has_servers(1)).await;
    assert_eq!(world.placements().len(), manager.log.moves_since(0, given_up).len() + 1, "{world:?}");
}

#[tokio::test]
async fn a_launch_whose_answers_are_all_lost_makes_one_instance() {
    let api = Api::start().await;
    for action in ["RunInstances", "RunTask"] {
        api.tell("fail", json!({ "action": action, "after": true, "times": 1000 })).await;
    }
    let manager = api.setup("").start().await;
    // The looks at the cloud tell what no answer did.
    manager.serves(1).await;
    assert!(api.world().await.has_servers(1), "{:?}", api.world().await);
    manager.stop().await;
}

#[tokio::test]
async fn refusals_and_throttling_are_waited_out() {
    let api = Api::start().await;
    let refusals = [
        ("RunInstances", "InsufficientInstanceCapacity", 500),
        ("RunInstances", "RequestLimitExceeded", 503),
        ("DescribeInstances", "RequestLimitExceeded", 503),
        ("ListTasks", "ThrottlingException", 400),
        ("RunTask", "ServerException", 500),
    ];
    for (action, code, status) in refusals {
        api.tell("fail", json!({ "action": action, "code": code, "status": status, "times": 4 })).await;
    }
    let manager = api.setup("").start().await;
    manager.serves(1).await;
    let told = manager.log.error(0, "InsufficientInstanceCapacity").await;
    assert_eq!(told["kind"], "no_capacity", "{told}");
    assert!(api.world().await.has_servers(1));
    manager.stop().await;
}

#[tokio::test]
async fn a_fresh_instance_that_is_not_shown_yet_is_not_gone() {
    let api = Api::start().await;
    api.tell("lag", json!({ "describe_instances_ms": 2000, "list_tasks_ms": 1000 })).await;
    let manager = api.setup("").start().await;
    manager.serves(1).await;
    assert!(api.world().await.has_servers(1));
    assert_eq!(api.calls("RunInstances").await, 1);
    manager.stop().await;
}

#[tokio::test]
async fn sigusr1_has_it_look_at_once() {
    let api = Api::start().await;
    api.tell("agent", json!({ "boot_delay": 2 })).await;
    let manager = api.setup("MANAGER_OBSERVE_INTERVAL=5m").start().await;
    manager.log.message(0, "a server appeared").await;
    // The instance is in the cluster after two seconds; nobody would look again for five minutes.
    until("a look shows it", async || {
        manager.signal(Signal::USR1);
        (!manager.log.moves_since(0, "joined").is_empty()).then_some(())
    })
    .await;
    manager.stop().await;
}
