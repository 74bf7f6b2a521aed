//! What a manager finds at its start, or beside what it launched itself.

use serde_json::{Value, json};

use super::api::{Api, FLEET_TAG};
use crate::support::player::Player;
use crate::support::process::Signal;

/// So many that no list comes in one page, and no description in one call.
const MANY: usize = 150;

/// Deadlines that soon show what is done to an instance that serves nothing.
const SHORT_DEADLINES: &str = "MANAGER_LAUNCH_BOOT_DEADLINE=2s\nMANAGER_LAUNCH_PLACEMENT_DEADLINE=2s";

fn instance_of(launched: &Value) -> String {
    launched["instance"].as_str().expect("an id").to_owned()
}

/// An instance of the fleet's that serves nothing: what ends it would have ended others that must not be.
async fn idle(api: &Api) -> String {
    let (tag, fleet) = FLEET_TAG;
    instance_of(&api.launch(json!({ "task": false, "register": false, "tags": { tag: fleet } })).await)
}

#[tokio::test]
async fn a_fleet_of_150_is_adopted_as_it_is() {
    let api = Api::start().await;
    api.tell("agent", json!({ "in_process": true })).await;
    api.tell("games", json!({ "available_capacity": 3, "ready_to_close": false })).await;
    let (tag, fleet) = FLEET_TAG;
    api.tell("instances", json!({ "count": MANY, "tags": { tag: fleet } })).await;
    let setup = api.setup("DOWNSCALE_MARGIN=1000\nMANAGER_MAX_SERVERS=200\nMANAGER_HEALTH_INTERVAL=1s");
    let manager = setup.start().await;
    manager.lists(MANY).await;
    for action in ["RunInstances", "RunTask", "TerminateInstances", "StopTask"] {
        assert_eq!(api.calls(action).await, 0, "nothing was to be done: {action}");
    }
    manager.stop().await;
}

#[tokio::test]
async fn a_task_placed_by_hand_serves_and_only_the_task_is_ever_ended() {
    let api = Api::start().await;
    let setup = api.setup("DOWNSCALE_MARGIN=20");
    let manager = setup.start().await;
    let own = manager.serves(1).await.remove(0);
    let by_hand = instance_of(&api.launch(json!({})).await);
    let list = manager.lists(2).await;
    let address = list.iter().find(|address| **address != own).expect("it has an address of its own");
    Player::join(address).await.leave().await;

    // Of 20 free places 18 are kept from now on: the younger server goes.
    let _setup = setup.dot_env("DOWNSCALE_MARGIN=18");
    manager.signal(Signal::HUP);
    manager.log.left(1).await;
    let world = api.shows("one task is left", |world| world.tasks().len() == 1).await;
    assert!(world.living().contains(&by_hand), "an instance without the fleet's tag is not the fleet's");
    assert_eq!(manager.list().await, [own]);
    manager.stop().await;
}

#[tokio::test]
async fn somebody_elses_instance_is_never_touched() {
    let api = Api::start().await;
    let foreign = [
        json!({ "task": false }),
        json!({ "task": false, "register": false }),
        json!({ "task": false, "tags": { FLEET_TAG.0: "staging/playlivechess" } }),
    ];
    let mut instances = Vec::new();
    for how in foreign {
        instances.push(instance_of(&api.launch(how).await));
    }
    let idle = idle(&api).await;
    let manager = api.setup(SHORT_DEADLINES).start().await;
    let world = api.shows("the idle one is gone", |world| !world.living().contains(&idle)).await;
    for instance in instances {
        assert!(world.living().contains(&instance), "{instance} is not the fleet's");
    }
    manager.stop().await;
}

#[tokio::test]
async fn an_instance_that_runs_somebody_elses_task_is_never_terminated() {
    let api = Api::start().await;
    api.tell("world", json!({ "task_definition": "SomethingElse", "container_port": 7000, "host_port": 7000 })).await;
    let shared = api.launch(json!({ "tags": { FLEET_TAG.0: FLEET_TAG.1 } })).await;
    let theirs = shared["task"].as_str().expect("an ARN").to_owned();
    api.tell("world", json!({ "container_port": 9000, "host_port": 9000 })).await;
    let idle = idle(&api).await;
    let manager = api.setup(SHORT_DEADLINES).start().await;
    let world = api.shows("the idle one is gone", |world| !world.living().contains(&idle)).await;
    assert!(world.living().contains(&instance_of(&shared)));
    assert!(world.tasks().contains(&theirs));
    manager.stop().await;
}

#[tokio::test]
async fn what_vanishes_is_replaced() {
    let api = Api::start().await;
    let setup = api.setup("MANAGER_MIN_SERVERS=2");
    let manager = setup.start().await;
    let servers = manager.serves(2).await;
    let now = manager.log.now();
    let instance = manager.server_at(&servers[0]).await.instance.expect("an instance");
    let task = manager.server_at(&servers[1]).await.task.expect("a task");
    api.tell("vanish", json!({ "instance": instance })).await;
    api.tell("vanish", json!({ "task": task })).await;
    manager.log.moved(now, "gone", 2).await;
    manager.log.moved(now, "available", 2).await;
    let list = manager.lists(2).await;
    assert!(list.iter().all(|address| !servers.contains(address)), "{list:?} are others than {servers:?}");
    api.shows("two servers and nothing else", |world| world.has_servers(2)).await;
    manager.stop().await;
}

/// ECS goes on showing the task of an instance that was terminated while its agent was out of reach.
#[tokio::test]
async fn what_vanishes_without_its_agent_is_replaced_too() {
    let api = Api::start().await;
    let manager = api.setup("").start().await;
    let vanished = manager.serves(1).await.remove(0);
    let now = manager.log.now();
    let instance = manager.server_at(&vanished).await.instance.expect("an instance");
    api.tell("agent", json!({ "disconnected": [instance] })).await;
    // An agent that is still there when its instance ends would stop the task.
    api.shows("the agent is out of reach", |world| !world.is_connected(&instance)).await;
    api.tell("vanish", json!({ "instance": instance })).await;
    manager.log.moved(now, "available", 1).await;
    let list = manager.lists(1).await;
    assert_ne!(list, [vanished]);
    manager.log.moved(now, "gone", 1).await;
    let world = api.world().await;
    assert!(world.has_servers(1), "one server and nothing else: {world:?}");
    assert_eq!(manager.log.count(now, "a server appeared"), 1, "the one that vanished does not appear again");
    manager.stop().await;
}

#[tokio::test]
async fn the_old_env_alone_drives_it() {
    let api = Api::start().await;
    let setup = api.environment(crate::support::manager::Setup::new());
    setup.write_dot_env(
        "AWS_REGION=ap_south_1\nSECRET_KEY=lol\nDEBUG=False\nUPSCALE_MARGIN=4\nDOWNSCALE_MARGIN=18\nSERVER_CAPACITY=10\n\
         AWS_REGION=ap-south-1\nECS_INSTANCE_LAUNCH_TEMPLATE=defaultECS\nSERVER_TASK_DEFINITION=LaunchGameserver\n\
         SLEEP_TIME=0\nBACKUP_GAMESERVER=127.0.0.1:8888\n",
    );
    let manager = setup.start().await;
    manager.log.message(0, "SECRET_KEY").await;
    let server = manager.serves(1).await.remove(0);
    let player = manager.bring_player().await;
    assert_eq!(player.address, server);
    player.leave().await;
    assert!(api.world().await.has_servers(1));
    manager.stop().await;
}
