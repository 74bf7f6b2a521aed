//! The CloudFormation template: that it is sound, and that a fleet lives on what it makes.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::api::Api;
use super::environment::python;
use super::stack::{Stack, TEMPLATE, does};
use crate::support::process::Signal;

#[test]
fn the_linter_has_nothing_to_say() {
    let linted = Command::new(python().with_file_name("cfn-lint")).arg(TEMPLATE).output().expect("the linter starts");
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
}

#[tokio::test]
async fn a_player_gets_an_address_on_what_the_template_made_and_nothing_of_it_stays() {
    let mut stack = Stack::create(json!({})).await;
    let setup = stack.setup();
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    let player = manager.bring_player().await;
    assert_eq!(player.address, server);
    assert!(server.ends_with(":9000"), "{server}");

    // What is changed in the stack is so for the next machine.
    stack.update(json!({ "MinServers": "2", "GameInstanceType": "t3.medium" })).await;
    stack.configure(&setup);
    manager.signal(Signal::HUP);
    manager.serves(2).await;
    let fleet = stack.does("fleet", &[stack.output("FleetTag")]).await;
    let of_each = |what: &str| fleet.as_array().expect("a list").iter().map(|it| it[what].clone()).collect::<Vec<_>>();
    assert_eq!(of_each("type"), ["t3.small", "t3.medium"]);
    let group = json!([stack.output("GameSecurityGroupId")]);
    assert_eq!(of_each("groups"), [group.clone(), group]);
    player.leave().await;
    manager.stop().await;

    stack.does("end_fleet", &[stack.output("FleetTag")]).await;
    stack.delete().await;
    assert_eq!(stack.does("leftovers", &[]).await, json!([]));
}

#[tokio::test]
async fn another_game_is_rolled_out_and_the_one_before_it_is_there_to_go_back_to() {
    let mut stack = Stack::create(json!({})).await;
    let setup = stack.setup();
    let manager = setup.start().await;
    manager.serves(1).await;
    let now = manager.log.now();
    stack.update(json!({ "GameImage": "registry.example.com/game:2" })).await;
    manager.log.message(now, "the rollout is done: all available servers run it").await;
    stack.api.shows("the old one has gone", |world| world.revisions() == ["games-game:2"]).await;

    let back = setup.command(&["rollout", "back"]).output().await.expect("the binary runs");
    assert!(back.status.success(), "{back:?}");
    stack.api.shows("it is back", |world| world.revisions() == ["games-game:1"]).await;
    manager.stop().await;
}

#[tokio::test]
async fn in_a_network_of_your_own_spot_machines_serve_at_ports_that_they_pick() {
    let api = Api::empty().await;
    let mut parameters = does(&api, "network", &[]).await;
    let subnet = parameters["GameSubnetId"].clone();
    let others = json!({ "Addresses": "private", "GameHostPort": "0", "GamePurchase": "spot" });
    parameters.as_object_mut().expect("an object").extend(others.as_object().expect("an object").clone());
    let stack = Stack::create_on(api, parameters).await;
    assert!(stack.output("ManagerToml").contains("{private_ip}"), "{}", stack.output("ManagerToml"));
    let setup = stack.setup();
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    let port: u16 = server.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    assert!(port >= 32768, "{server}");
    manager.stop().await;

    let fleet = stack.does("fleet", &[stack.output("FleetTag")]).await;
    assert_eq!(fleet[0]["subnet"], subnet);
    let templates = stack.does("templates", &[]).await;
    let of_games = templates.as_array().expect("a list").iter().find(|it| script(it).contains("ECS_CLUSTER"));
    assert_eq!(of_games.expect("a template")["InstanceMarketOptions"]["MarketType"], "spot");
}

#[tokio::test]
async fn the_script_that_installs_the_manager_is_one_that_bash_can_read() {
    let stack = Stack::create(json!({})).await;
    let templates = stack.does("templates", &[]).await;
    let scripts: Vec<&str> = templates.as_array().expect("a list").iter().map(script).collect();
    assert_eq!(scripts.len(), 2, "{scripts:?}");
    for script in &scripts {
        let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("bash starts");
        bash.stdin.take().expect("it was piped").write_all(script.as_bytes()).expect("it reads");
        assert!(bash.wait().expect("an exit status").success(), "{script}");
    }
    let installs = scripts.iter().find(|script| script.contains("systemctl")).expect("one that starts the unit");
    assert!(installs.contains(stack.output("ManagerToml")), "{installs}");
    assert!(!installs.contains("${"), "each name was found: {installs}");
}

fn script(template: &Value) -> &str {
    template["UserData"].as_str().expect("text")
}
