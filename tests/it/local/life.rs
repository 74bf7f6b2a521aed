//! The daemon's life, and that of the game servers that it runs itself.

use crate::support::manager::{BACKUP, Setup};
use crate::support::player::Player;
use crate::support::process::{Signal, keeper_of, signal};

#[tokio::test]
async fn sigterm_ends_it_in_good_order_and_its_game_servers_with_it() {
    let setup = Setup::local();
    let mut manager = setup.start().await;
    let player = Player::join(&manager.serves(1).await[0]).await;
    manager.signal(Signal::TERM);
    assert!(manager.ended().await.success());
    player.dropped().await;
}

#[tokio::test]
async fn a_killed_manager_leaves_no_game_server_behind() {
    let setup = Setup::local();
    let manager = setup.start().await;
    let player = Player::join(&manager.serves(1).await[0]).await;
    manager.kill().await;
    player.dropped().await;
}

#[tokio::test]
async fn clients_get_the_backup_until_the_fleet_is_there() {
    let setup = Setup::local().dot_env("MANAGER_LOCAL_BOOT_DELAY=10m");
    let manager = setup.start().await;
    manager.log.message(0, "the fleet is ready").await;
    assert_eq!(manager.available().await, BACKUP);
    assert_eq!(manager.get("/readyz").await.0, 200);
    assert_eq!(manager.get("/livez").await.0, 200);
    manager.stop().await;
}

#[tokio::test]
async fn a_keeper_that_is_signalled_takes_its_game_server_along() {
    let setup = Setup::local();
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    let player = Player::join(&server).await;
    signal(keeper_of(&server), Signal::TERM);
    player.dropped().await;
    manager.stop().await;
}
