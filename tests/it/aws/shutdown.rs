//! The end of a manager, and a cloud that cannot be read at its start.

use serde_json::json;

use super::api::Api;
use crate::support::manager::BACKUP;
use crate::support::player::Player;
use crate::support::process::Signal;

#[tokio::test]
async fn stopping_the_manager_touches_no_game_server() {
    let api = Api::start().await;
    let setup = api.setup("");
    let manager = setup.start().await;
    let server = manager.serves(1).await.remove(0);
    let player = Player::join(&server).await;
    manager.stop().await;
    assert!(api.world().await.has_servers(1));
    let manager = setup.start().await;
    assert_eq!(manager.lists(1).await, [server]);
    player.leave().await;
    manager.stop().await;
}

#[tokio::test]
async fn sigterm_waits_for_the_cloud_calls_under_way() {
    let api = Api::start().await;
    api.hold("RunInstances", false).await;
    let setup = api.setup("");
    let mut manager = setup.start().await;
    api.holds("RunInstances").await;
    manager.signal(Signal::TERM);
    manager.log.message(0, "finishing the orders under way").await;
    api.release().await;
    assert!(manager.ended().await.success());
    assert_eq!(api.world().await.living().len(), 1, "the call was carried out");
    let manager = setup.start().await;
    manager.lists(1).await;
    assert!(api.world().await.has_servers(1), "and not a second time");
    manager.stop().await;
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let api = Api::start().await;
    api.hold("RunInstances", false).await;
    let setup = api.setup("MANAGER_SHUTDOWN_LIMIT=5m");
    let mut manager = setup.start().await;
    api.holds("RunInstances").await;
    manager.signal(Signal::TERM);
    manager.log.message(0, "finishing the orders under way").await;
    manager.signal(Signal::TERM);
    assert!(!manager.ended().await.success());
    api.release().await;
}

#[tokio::test]
async fn until_the_cloud_can_be_read_clients_get_the_backup() {
    let api = Api::start().await;
    api.tell(
        "fail",
        json!({ "action": "DescribeInstances", "code": "UnauthorizedOperation", "status": 403, "times": 3 }),
    )
    .await;
    let setup = api.setup("MANAGER_OBSERVE_INTERVAL=1s");
    let manager = setup.start().await;
    let told = manager.log.message(0, "the cloud cannot be read").await;
    assert_eq!((told["kind"].as_str(), told["level"].as_str()), (Some("denied"), Some("ERROR")), "{told}");
    assert_eq!(manager.get("/readyz").await.0, 503);
    assert_eq!(manager.available().await, BACKUP);
    manager.log.message(0, "the cloud can be read again").await;
    let server = manager.serves(1).await.remove(0);
    assert_eq!(manager.get("/readyz").await.0, 200);
    assert_eq!(manager.available().await, server);
    manager.stop().await;
}
