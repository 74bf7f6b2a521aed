//! A game server that does not come up.

use crate::support::binary::BINARY;
use crate::support::manager::Setup;

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_the_next_launch_waits() {
    let command = format!("{} game-server --listen {{ip}}:{{port}} --hang-after 0s", *BINARY);
    let setup =
        Setup::local().dot_env(&format!("MANAGER_LAUNCH_HEALTHY_DEADLINE=1s\nMANAGER_LOCAL_COMMAND='{command}'"));
    let manager = setup.start().await;
    manager.log.moved(0, "closing (health overdue)", 2).await;
    assert_eq!(manager.log.moves_since(0, "available"), Vec::<String>::new());
    manager.stop().await;
}
