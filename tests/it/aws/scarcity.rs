//! Where EC2 has no capacity, or wants an instance back: the fleet gets what there is, and says what it waits for.

use serde_json::{Value, json};

use super::api::Api;
use super::by_hand::ByHand;
use crate::support::manager::Setup;
use crate::support::process::Signal;

/// The error of a pool without capacity. EC2 has status 500 for it.
fn no_capacity(rest: Value) -> Value {
    let mut fault = json!({
        "action": "RunInstances", "code": "InsufficientInstanceCapacity", "status": 500, "times": 1000,
    });
    fault.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
    fault
}

/// With those pools, and the first pause after a refusal so long.
fn pools(api: &Api, pools: &str, backoff: &str) -> Setup {
    api.setup(&format!("MANAGER_POOLS='{pools}'\nMANAGER_LAUNCH_BACKOFF={backoff}"))
}

#[tokio::test]
async fn with_every_second_launch_refused_for_capacity_the_fleet_reaches_its_margins() {
    let api = Api::start().await;
    api.tell("fail", no_capacity(json!({ "every": 2 }))).await;
    let manager = api.setup("UPSCALE_MARGIN=25\nDOWNSCALE_MARGIN=40\nMANAGER_LAUNCH_MAX_IN_FLIGHT=1").start().await;
    // 30 places are free then, between the margins.
    manager.serves(3).await;
    assert_eq!(api.calls("RunInstances").await, 6, "each of three launches was refused once");
    assert!(api.world().await.has_servers(3));
    manager.stop().await;
}

#[tokio::test]
async fn a_fleet_whose_first_pool_has_no_capacity_launches_from_the_second() {
    let api = Api::start().await;
    api.tell("fail", no_capacity(json!({ "parameters": { "InstanceType": "c7i.large" } }))).await;
    let setup = pools(&api, "c7i.large; c7a.large spot; m7i.large", "5m");
    let manager = setup.start().await;
    manager.serves(1).await;
    let told = manager.log.message(0, "a pool gives no instances").await;
    assert_eq!((&told["pool"], &told["next"]), (&json!("1"), &json!("2")), "{told}");
    assert!(told["again_in"].as_str().is_some_and(|pause| pause.starts_with("299") || pause == "300s"), "{told}");
    let refused = manager.log.error(0, "InsufficientInstanceCapacity").await;
    assert!(refused["error"].as_str().expect("text").ends_with("(pool 1: c7i.large)"), "{refused}");

    // The first pool is left alone for as long as was said.
    let players = [manager.bring_player().await, manager.bring_player().await, manager.bring_player().await];
    for _ in 0..5 {
        manager.bring_player().await.leave().await;
    }
    let setup = setup.dot_env("MANAGER_POOLS=c7i.large\nMANAGER_MIN_SERVERS=2");
    manager.signal(Signal::HUP);
    manager.serves(2).await;
    assert_eq!(api.calls("RunInstances").await, 3);
    let world = api.world().await;
    assert_eq!(world.of_instances("type"), ["c7a.large", "c7a.large"], "a reload leaves the pools as they are");
    assert_eq!(world.of_instances("lifecycle"), ["spot", "spot"]);
    for player in players {
        player.leave().await;
    }
    manager.stop().await;
    drop(setup);
}

#[tokio::test]
async fn with_no_capacity_anywhere_it_tells_when_it_asks_again_and_serves_what_there_is() {
    let api = Api::start().await;
    let setup = pools(&api, "c7i.large; c7a.large", "1s");
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    api.tell("fail", no_capacity(json!({}))).await;
    let now = manager.log.now();
    let mut players = Vec::new();
    for _ in 0..7 {
        players.push(manager.bring_player().await);
    }
    manager.log.message(now, "no pool gives instances: launches wait").await;
    assert_eq!(manager.available().await, server, "the places that are left are given out");
    api.tell("mend", json!({})).await;
    manager.serves(2).await;
    for player in players {
        player.leave().await;
    }
    manager.stop().await;
}

#[tokio::test]
async fn a_pool_in_another_subnet_has_the_template_s_interface_there() {
    let api = Api::start().await;
    let mut operator = ByHand::on(&api).await;
    let subnets = operator.call("ec2", "describe_subnets", json!({})).await;
    let subnet = |number: usize| subnets["Subnets"][number]["SubnetId"].as_str().expect("an id").to_owned();
    let group = json!({ "GroupName": "games", "Description": "games", "VpcId": subnets["Subnets"][0]["VpcId"] });
    let group = operator.call("ec2", "create_security_group", group).await["GroupId"].clone();
    let interface =
        json!({ "DeviceIndex": 0, "SubnetId": subnet(0), "Groups": [group], "AssociatePublicIpAddress": true });
    let data = json!({ "InstanceType": "t3.small", "NetworkInterfaces": [interface] });
    let template = json!({ "LaunchTemplateName": "one-zone", "LaunchTemplateData": data });
    operator.call("ec2", "create_launch_template", template).await;
    let refuse = no_capacity(json!({ "parameters": { "InstanceType": "t3.small" } }));
    api.tell("fail", refuse).await;
    let there = subnet(1);
    let setup = pools(&api, &format!("t3.small {there}; t3.medium {there}"), "5m");
    let manager = setup.environment("ECS_INSTANCE_LAUNCH_TEMPLATE", "one-zone").start().await;
    manager.serves(1).await;
    let world = api.world().await;
    assert_eq!(world.of_instances("subnet"), [there]);
    let shown = operator.call("ec2", "describe_instances", json!({})).await;
    assert_eq!(shown["Reservations"][0]["Instances"][0]["SecurityGroups"][0]["GroupId"], group);
    manager.stop().await;
}

/// EC2 takes a client token once in each zone: an earlier manager may have used this one's in the other.
#[tokio::test]
async fn with_pools_in_several_zones_a_fresh_manager_first_waits_for_what_it_cannot_see_yet() {
    let api = Api::start().await;
    let manager = pools(&api, "subnet-1; subnet-2", "5m").start().await;
    manager.log.message(0, "first look at the cloud").await;
    let now = manager.log.now();
    manager.signal(Signal::USR2);
    let state = manager.log.message(now, "state of the fleet").await;
    assert!(state["launches_blocked"].as_str().is_some_and(|told| told.contains("LookingBack")), "{state}");
    assert!(state["launches_go_on_in"].is_string(), "and until when: {state}");
    assert_eq!(api.calls("RunInstances").await, 0);
    manager.stop().await;
}

#[tokio::test]
async fn an_instance_with_a_planned_retirement_is_replaced_at_once_and_its_players_finish() {
    let api = Api::start().await;
    let manager = api.setup("").start().await;
    let server = manager.serves(1).await.remove(0);
    let player = manager.bring_player().await;
    let [instance] = <[String; 1]>::try_from(api.world().await.living()).expect("one instance");
    manager.stop().await;
    api.tell("plan", json!({ "instance": instance, "description": "[Completed] on degraded hardware" })).await;

    // Asked at a manager's first look, and once a minute from then on.
    let manager = api.setup("").start().await;
    assert_eq!(manager.lists(1).await, [server.as_str()], "what is over is not planned");
    manager.stop().await;
    api.tell("plan", json!({ "instance": instance })).await;
    let manager = api.setup("").start().await;
    let list = manager.serves(1).await;
    assert!(list.len() == 1 && list[0] != server, "the replacement takes players, the other one no more: {list:?}");
    let guest = manager.bring_player().await;
    assert_ne!(guest.address, server);
    api.shows("the role is recorded", |world| world.roles() == ["standby"]).await;
    assert_eq!(api.world().await.living().len(), 2, "a game goes on there");
    player.leave().await;
    api.shows("the one that was planned to go is gone", |world| !world.living().contains(&instance)).await;
    guest.leave().await;
    manager.stop().await;
}

#[tokio::test]
async fn an_instance_that_drains_after_a_spot_notice_is_replaced_at_once_and_its_players_finish() {
    let api = Api::start().await;
    let mut by_hand = ByHand::on(&api).await;
    let manager = api.setup("").start().await;
    let server = manager.serves(1).await.remove(0);
    let player = manager.bring_player().await;
    let members = by_hand.call("ecs", "list_container_instances", json!({})).await["containerInstanceArns"].clone();
    let drains = json!({ "containerInstances": members, "status": "DRAINING" });
    by_hand.call("ecs", "update_container_instances_state", drains).await;

    manager.log.moved(0, "standby", 1).await;
    let list = manager.serves(1).await;
    assert!(list.len() == 1 && list[0] != server, "the replacement takes players, the other one no more: {list:?}");
    assert_eq!(api.world().await.living().len(), 2, "a game goes on there");
    player.leave().await;
    api.shows("the one that drained is gone", |world| world.living().len() == 1).await;
    manager.stop().await;
}
