//! What a running daemon is told by signals.

use crate::cloud::{Cloud, on_each_cloud};
use crate::support::process::Signal;

on_each_cloud!(sighup_takes_a_new_configuration_and_refuses_a_broken_one);

async fn sighup_takes_a_new_configuration_and_refuses_a_broken_one(cloud: Cloud) {
    let setup = cloud.setup("").await;
    let manager = setup.start().await;
    manager.serves(1).await;
    let now = manager.log.now();
    let setup = setup.dot_env("MANAGER_MIN_SERVERS=two");
    manager.signal(Signal::HUP);
    let refused = manager.log.message(now, "was not changed").await;
    let refused = refused["message"].as_str().expect("text");
    assert!(refused.contains("scaling.min_servers") && refused.contains("two"), "{refused}");

    let _setup = setup.dot_env("MANAGER_MIN_SERVERS=2");
    manager.signal(Signal::HUP);
    let changed = manager.log.message(now, "was changed: scaling.min_servers").await;
    assert!(changed.to_string().contains('2'), "{changed}");
    manager.log.moved(now, "available", 1).await;
    manager.lists(2).await;
    manager.stop().await;
}
