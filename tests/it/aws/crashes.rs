//! A manager that is killed loses nothing: the next one goes on where it stopped.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::api::Api;
use crate::growth::one_on_standby;
use crate::support::process::Signal;
use crate::support::until;

#[tokio::test]
async fn killed_in_the_middle_of_a_launch_nothing_is_launched_twice() {
    for (action, carried_out) in
        [("RunInstances", true), ("RunInstances", false), ("RunTask", true), ("RunTask", false)]
    {
        let api = Api::start().await;
        api.hold(action, carried_out).await;
        let setup = api.setup("");
        let manager = setup.start().await;
        api.holds(action).await;
        manager.kill().await;
        api.release().await;
        let manager = setup.start().await;
        manager.lists(1).await;
        let world = api.world().await;
        assert!(world.has_servers(1), "{action}, carried out: {carried_out}: {world:?}");
        manager.stop().await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_a_drain_standby_is_still_standby() {
    let api = Api::start().await;
    let (setup, manager, players, standby) = one_on_standby(api.setup("")).await;
    let recorded = |world: &super::api::World| world.roles().contains(&"standby".to_owned());
    api.shows("the role is recorded", recorded).await;
    manager.kill().await;

    let manager = setup.start().await;
    let list = manager.lists(2).await;
    assert!(!list.contains(&standby), "{standby} is on standby: {list:?}");
    let now = manager.log.now();
    for player in players {
        player.leave().await;
    }
    manager.log.moved(now, "closing (drained)", 2).await;
    api.shows("one server and nothing else", |world| world.has_servers(1)).await;
    manager.stop().await;
}

#[tokio::test]
async fn killed_in_the_middle_of_a_termination_the_rest_of_it_is_done() {
    for (action, carried_out) in [("StopTask", true), ("TerminateInstances", false), ("TerminateInstances", true)] {
        let api = Api::start().await;
        let setup = api.setup("MANAGER_MIN_SERVERS=2");
        let manager = setup.start().await;
        manager.serves(2).await;
        api.hold(action, carried_out).await;
        let setup = setup.dot_env("");
        manager.signal(Signal::HUP);
        api.holds(action).await;
        manager.kill().await;
        api.release().await;
        let manager = setup.start().await;
        manager.lists(1).await;
        api.shows("one server and nothing else", |world| world.has_servers(1)).await;
        manager.stop().await;
    }
}

/// Kills, each at a random moment while players come and go.
const KILLS: usize = 60;

/// The longest that a manager lives, in calls to AWS: about seven looks, and what they lead to. Time would tell less:
/// on a slow machine a manager would never come to launch anything.
const LONGEST_LIFE: u64 = 50;

#[tokio::test]
async fn sixty_random_kills_leave_what_the_margins_ask_for() {
    let api = Api::start().await;
    api.tell("agent", json!({ "in_process": true })).await;
    let setup = api.setup("MANAGER_HOLD_TTL=1s");
    let mut random = StdRng::seed_from_u64(60);
    for _ in 0..KILLS {
        // Servers fill up and empty, so that each life has launches and drains to be killed in.
        let capacity = [0, 0, 5, 10][random.random_range(0..4)];
        api.tell("games", json!({ "available_capacity": capacity, "ready_to_close": capacity == 10 })).await;
        let manager = setup.start().await;
        let end = api.count().await + random.random_range(0..LONGEST_LIFE);
        until("it has made so many calls", async || (api.count().await >= end).then_some(())).await;
        manager.kill().await;
    }
    api.tell("games", json!({ "available_capacity": 10, "ready_to_close": true })).await;
    let manager = setup.start().await;
    // One server of ten places is between the margins of 4 and 18.
    api.shows("one server and nothing else", |world| world.has_servers(1)).await;
    manager.lists(1).await;
    let launches = api.calls("RunInstances").await;
    assert!(launches > 3, "the kills were to come in the middle of something: {launches} launches");
    manager.stop().await;
}
