//! The daemon's life: signals, the configuration read again, the end.

use crate::support::manager::{BACKUP, Setup};
use crate::support::player::Player;
use crate::support::process::Signal;

#[tokio::test]
async fn sigterm_ends_it_in_good_order_and_its_game_servers_with_it() {
    let setup = Setup::local("");
    let mut manager = setup.start().await;
    let player = Player::join(&manager.serves(1).await[0]).await;
    manager.signal(Signal::TERM);
    assert!(manager.ended().await.success());
    player.dropped().await;
}

#[tokio::test]
async fn a_killed_manager_leaves_no_game_server_behind() {
    let setup = Setup::local("");
    let manager = setup.start().await;
    let player = Player::join(&manager.serves(1).await[0]).await;
    manager.kill().await;
    player.dropped().await;
}

#[tokio::test]
async fn sighup_takes_a_new_configuration_and_refuses_a_broken_one() {
    let setup = Setup::local("");
    let manager = setup.start().await;
    manager.serves(1).await;
    let now = manager.log.now();
    setup.dot_env("MANAGER_MIN_SERVERS=two");
    manager.signal(Signal::HUP);
    let refused = manager.log.message(now, "was not changed").await;
    let refused = refused["message"].as_str().expect("text");
    assert!(refused.contains("scaling.min_servers") && refused.contains("two"), "{refused}");

    setup.dot_env("MANAGER_MIN_SERVERS=2");
    manager.signal(Signal::HUP);
    let changed = manager.log.message(now, "was changed: scaling.min_servers").await;
    assert!(changed.to_string().contains('2'), "{changed}");
    manager.log.moved(now, "available", 1).await;
    assert_eq!(manager.list().await.len(), 2);
    manager.stop().await;
}

#[tokio::test]
async fn clients_get_the_backup_until_the_fleet_is_there() {
    let setup = Setup::local("MANAGER_LOCAL_BOOT_DELAY=10m");
    let manager = setup.start().await;
    manager.log.message(0, "the fleet is ready").await;
    assert_eq!(manager.available().await, BACKUP);
    assert_eq!(manager.get("/readyz").await.0, 200);
    assert_eq!(manager.get("/livez").await.0, 200);
    manager.stop().await;
}

#[tokio::test]
async fn sigusr1_has_it_look_at_once() {
    let setup = Setup::local("MANAGER_OBSERVE_INTERVAL=5m\nMANAGER_LOCAL_BOOT_DELAY=1s");
    let manager = setup.start().await;
    manager.log.moved(0, "booting", 0).await;
    // The instance is up after a second; nobody would look again for five minutes.
    let up = async {
        loop {
            manager.signal(Signal::USR1);
            if !manager.log.moves_since(0, "joined").is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, up).await.expect("a look shows it");
    manager.stop().await;
}
