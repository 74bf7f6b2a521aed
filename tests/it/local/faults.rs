//! Game servers that die or fall silent are replaced, and get nobody meanwhile.

use crate::support::manager::Setup;
use crate::support::player::Player;
use crate::support::process::{Signal, game_server_at, signal};

/// With two servers one may fall silent: it is not most of the fleet.
const TWO_SERVERS: &str = "MANAGER_MIN_SERVERS=2\nMANAGER_HEALTH_GRACE=1s\nMANAGER_HEALTH_TIMEOUT=200ms";

#[tokio::test]
async fn a_killed_server_is_replaced() {
    let setup = Setup::local("");
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

#[tokio::test]
async fn a_silent_server_gets_nobody_and_is_replaced_past_its_grace() {
    let setup = Setup::local(TWO_SERVERS);
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

#[tokio::test]
async fn when_the_whole_fleet_falls_silent_nothing_is_terminated() {
    let setup = Setup::local(&format!("{TWO_SERVERS}\nMANAGER_MAX_SERVERS=2"));
    let manager = setup.start().await;
    let servers = manager.serves(2).await;
    let now = manager.log.now();
    let pids: Vec<_> = servers.iter().map(|server| game_server_at(server)).collect();
    pids.iter().for_each(|pid| signal(*pid, Signal::STOP));
    manager.log.message(now, "most of the fleet is silent").await;
    assert_eq!(manager.list().await, Vec::<String>::new());
    pids.iter().for_each(|pid| signal(*pid, Signal::CONT));
    manager.log.message(now, "most of the fleet answers again").await;
    assert_eq!(manager.log.moves_since(now, "closing (silent)"), Vec::<String>::new());
    manager.stop().await;
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_the_next_launch_waits() {
    let command = format!("{} game-server --listen {{ip}}:{{port}} --hang-after 0s", crate::support::manager::BINARY);
    let setup = Setup::local(&format!("MANAGER_LAUNCH_HEALTHY_DEADLINE=1s\nMANAGER_LOCAL_COMMAND='{command}'"));
    let manager = setup.start().await;
    manager.log.moved(0, "closing (health overdue)", 2).await;
    assert_eq!(manager.log.moves_since(0, "available"), Vec::<String>::new());
    manager.stop().await;
}
