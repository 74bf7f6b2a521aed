//! Game servers that die or fall silent are replaced, and get nobody meanwhile.

use crate::cloud::{Cloud, on_each_cloud};
use crate::support::player::Player;
use crate::support::process::{Signal, game_server_at, signal};
use crate::support::until;

/// With two servers one may fall silent: it is not most of the fleet.
const TWO_SERVERS: &str = "MANAGER_MIN_SERVERS=2\nMANAGER_HEALTH_GRACE=2s\nMANAGER_HEALTH_TIMEOUT=500ms";

/// So many misses take twice the grace and more: each lasts as long as the timeout.
const PAST_THE_GRACE: u64 = 10;

on_each_cloud!(
    a_killed_server_is_replaced,
    a_silent_server_gets_nobody_and_is_replaced_past_its_grace,
    when_the_whole_fleet_falls_silent_nothing_is_terminated,
);

async fn a_killed_server_is_replaced(cloud: Cloud) {
    let setup = cloud.setup("").await;
    let manager = setup.start().await;
    let killed = manager.serves(1).await.remove(0);
    let player = Player::join(&killed).await;
    let now = manager.log.now();
    signal(game_server_at(&killed), Signal::KILL);
    player.dropped().await;
    manager.log.moved(now, "closing (task stopped)", 1).await;
    manager.log.moved(now, "available", 1).await;
    let list = manager.list().await;
    assert_eq!(list.len(), 1);
    Player::join(&list[0]).await.leave().await;
    manager.stop().await;
}

async fn a_silent_server_gets_nobody_and_is_replaced_past_its_grace(cloud: Cloud) {
    let setup = cloud.setup(TWO_SERVERS).await;
    let manager = setup.start().await;
    let silent = manager.serves(2).await.remove(0);
    let now = manager.log.now();
    signal(game_server_at(&silent), Signal::STOP);
    manager.log.moved(now, "closing (silent)", 1).await;
    manager.log.moved(now, "available", 1).await;
    for _ in 0..4 {
        assert_ne!(manager.available().await, silent);
    }
    assert!(!manager.list().await.contains(&silent));
    manager.log.moved(now, "gone", 1).await;
    manager.stop().await;
}

async fn when_the_whole_fleet_falls_silent_nothing_is_terminated(cloud: Cloud) {
    let setup = cloud.setup(&format!("{TWO_SERVERS}\nMANAGER_MAX_SERVERS=2")).await;
    let manager = setup.start().await;
    let servers = manager.serves(2).await;
    let now = manager.log.now();
    let pids: Vec<_> = servers.iter().map(|server| game_server_at(server)).collect();
    pids.iter().for_each(|pid| signal(*pid, Signal::STOP));
    manager.log.message(now, "most of the fleet is silent").await;
    assert_eq!(manager.list().await, Vec::<String>::new());
    until("all are silent past their grace", async || {
        manager.state().await.iter().all(|server| server.misses >= PAST_THE_GRACE).then_some(())
    })
    .await;
    pids.iter().for_each(|pid| signal(*pid, Signal::CONT));
    manager.log.message(now, "most of the fleet answers again").await;
    // The first to answer again must not be the end of the last: what was missed counts for nothing.
    assert_eq!(manager.lists(2).await, servers);
    assert!(manager.state().await.iter().all(|server| server.phase == "available"));
    assert_eq!(manager.log.moves_since(now, "closing (silent)"), Vec::<String>::new());
    manager.stop().await;
}
