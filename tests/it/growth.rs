//! Players come and the fleet grows; they leave and it shrinks; nobody is dropped or sent where there is no room.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::net::TcpListener;

use crate::cloud::{Cloud, on_each_cloud};
use crate::support::manager::{BACKUP, Manager, Setup};
use crate::support::player::Player;
use crate::support::process::Signal;

on_each_cloud!(
    the_first_address_takes_players_and_tells_its_health,
    the_fleet_grows_with_its_players_and_shrinks_without_them,
    a_server_on_standby_gets_nobody_keeps_its_players_and_goes_when_they_have_left,
    a_rush_takes_a_server_back_from_standby_before_anything_is_launched,
    a_crowd_that_comes_and_goes_is_served_without_a_drop,
);

async fn the_first_address_takes_players_and_tells_its_health(cloud: Cloud) {
    let setup = cloud.setup("").await;
    let manager = setup.start().await;
    let servers = manager.serves(1).await;
    assert_eq!(manager.available().await, servers[0]);
    let health = reqwest::get(format!("http://{}/health/", servers[0])).await.expect("an answer");
    let health: Value = serde_json::from_slice(&health.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(health, serde_json::json!({ "available_capacity": 10, "ready_to_close": true }));
    Player::join(&servers[0]).await.leave().await;
    manager.stop().await;
}

async fn the_fleet_grows_with_its_players_and_shrinks_without_them(cloud: Cloud) {
    let setup = cloud.setup("").await;
    let manager = setup.start().await;
    manager.serves(1).await;
    let mut players = Vec::new();
    for _ in 0..27 {
        players.push(manager.bring_player().await);
    }
    let played_on: BTreeSet<&str> = players.iter().map(|player| player.address.as_str()).collect();
    assert_eq!(played_on.len(), 3, "27 players need three servers of ten: {played_on:?}");

    for player in players {
        player.leave().await;
    }
    manager.log.left(1).await;
    assert_eq!(manager.list().await.len(), 1, "the minimum stays");
    let drained = manager.log.moves_since(0, "closing (drained)");
    let standby = manager.log.moves_since(0, "standby");
    assert_eq!(drained.len(), manager.log.moves_since(0, "gone").len(), "nothing else ended one");
    assert!(drained.iter().all(|server| standby.contains(server)), "{drained:?} were on standby first: {standby:?}");
    manager.stop().await;
}

/// Three servers with a game on each, of which one is too many once fewer will do.
pub(crate) async fn one_on_standby(setup: Setup) -> (Setup, Manager, Vec<Player>, String) {
    const SPREAD_OUT: &str = "MANAGER_ALLOCATION=distributed\nMANAGER_MIN_SERVERS=";
    let setup = setup.dot_env(&format!("{SPREAD_OUT}3"));
    let manager = setup.start().await;
    manager.serves(3).await;
    let mut players = Vec::new();
    for _ in 0..6 {
        players.push(manager.bring_player().await);
    }
    let now = manager.log.now();
    let setup = setup.dot_env(&format!("{SPREAD_OUT}1"));
    manager.signal(Signal::HUP);
    let standby = manager.log.moved(now, "standby", 1).await.remove(0);
    let state = manager.state().await;
    let address = state.into_iter().find(|server| server.id == standby).and_then(|server| server.address);
    (setup, manager, players, address.expect("it serves"))
}

async fn a_server_on_standby_gets_nobody_keeps_its_players_and_goes_when_they_have_left(cloud: Cloud) {
    let (_setup, manager, players, standby) = one_on_standby(cloud.setup("").await).await;
    assert!(!manager.list().await.contains(&standby));
    for _ in 0..10 {
        assert_ne!(manager.available().await, standby);
    }
    let now = manager.log.now();
    let (there, elsewhere): (Vec<Player>, Vec<Player>) =
        players.into_iter().partition(|player| player.address == standby);
    assert!(!there.is_empty(), "six players were spread over three servers");
    for player in there {
        player.leave().await;
    }
    manager.log.moved(now, "closing (drained)", 1).await;
    manager.log.moved(now, "gone", 1).await;
    TcpListener::bind(&standby).await.expect("nobody listens there any more");
    for player in elsewhere {
        player.leave().await;
    }
    manager.stop().await;
}

async fn a_rush_takes_a_server_back_from_standby_before_anything_is_launched(cloud: Cloud) {
    let (_setup, manager, players, standby) = one_on_standby(cloud.setup("").await).await;
    let now = manager.log.now();
    // 16 places are free on the other two; the margin is 4.
    for _ in 0..13 {
        let address = manager.available().await;
        assert!(address != standby && address != BACKUP, "{address}");
    }
    manager.log.moved(now, "available", 1).await;
    assert_eq!(manager.server_at(&standby).await.phase, "available");
    assert!(manager.list().await.contains(&standby));
    assert_eq!(manager.log.moves_since(now, "starting").len(), 0, "nothing was launched");
    for player in players {
        player.leave().await;
    }
    manager.stop().await;
}

async fn a_crowd_that_comes_and_goes_is_served_without_a_drop(cloud: Cloud) {
    let setup = cloud.setup("").await;
    let manager = setup.start().await;
    manager.serves(1).await;
    let tally = manager.load(&setup, &["--players", "120", "--rate", "20", "--session", "2s", "--seed", "7"]).await;
    assert_eq!((&tally["asked"], &tally["dropped"], &tally["refused"]), (&120.into(), &0.into(), &0.into()));
    let servers = tally["by_server"].as_object().expect("servers").len();
    assert!(servers > 1, "one server cannot hold them: {tally}");
    manager.log.left(1).await;
    assert_eq!(manager.list().await.len(), 1);
    manager.stop().await;
}
