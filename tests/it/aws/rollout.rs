//! A new revision of the task definition comes to a fleet with players on it.

use serde_json::{Value, json};

use super::api::{Api, World};
use crate::support::manager::{BACKUP, Manager, Setup};
use crate::support::player::Player;

/// Two servers of the first revision are kept.
const TWO: &str = "MANAGER_MIN_SERVERS=2\nMANAGER_LAUNCH_HEALTHY_DEADLINE=2s";

/// How many tasks run each of the two revisions.
fn revisions(world: &World) -> (usize, usize) {
    let run = |revision: &str| world.revisions().iter().filter(|run| *run == revision).count();
    (run("LaunchGameserver:1"), run("LaunchGameserver:2"))
}

/// What became of the rollout of the second revision, by its tag.
async fn mark(api: &Api) -> Option<String> {
    let tags = &api.revisions().await["LaunchGameserver:2"];
    let tags = tags.as_object().expect("tags by their keys").iter();
    let mut marks = tags.filter(|(key, _)| key.starts_with("playlivechess-manager:rollout:playlivechess-"));
    marks.next().and_then(|(_, value)| value.as_str()).map(str::to_owned)
}

/// Runs `rollout` with an operator's words; whether it succeeded, and what it said.
async fn rollout(setup: &Setup, words: &[&str]) -> (bool, String) {
    let output = setup.command(&[&["rollout"], words].concat()).output().await.expect("the binary runs");
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(said).expect("text"))
}

async fn players(manager: &Manager, count: usize) -> Vec<Player> {
    let mut players = Vec::new();
    for _ in 0..count {
        players.push(manager.bring_player().await);
    }
    players
}

#[tokio::test]
async fn a_rollout_under_load_drops_nobody() {
    let api = Api::start().await;
    let setup = api.setup(TWO);
    let manager = setup.start().await;
    let old = manager.serves(2).await;
    let before = players(&manager, 5).await;

    let now = manager.log.now();
    api.tell("revision", json!({})).await;
    manager.log.message(now, "a rollout began: servers of other revisions are replaced").await;
    // Players come all the while, each when something has happened to a server, and each gets a place.
    let mut meanwhile = Vec::new();
    for stage in ["joined", "placed", "starting", "available", "standby"] {
        manager.log.moved(now, stage, 2).await;
        let address = manager.available().await;
        assert_ne!(address, BACKUP, "there is room all the while");
        meanwhile.push(Player::join(&address).await);
    }
    manager.log.message(now, "the rollout is done: all available servers run it").await;
    let new = manager.list().await;
    assert!(new.iter().all(|address| !old.contains(address)), "{new:?} are others than {old:?}");
    let player = manager.bring_player().await;
    assert!(new.contains(&player.address));
    let (done, said) = rollout(&setup, &["status"]).await;
    assert!(done && said.starts_with("rollout of LaunchGameserver:2: active, done\n"), "{said}");

    // Those who played on play to their end, and the old servers go.
    for player in before.into_iter().chain(meanwhile).chain([player]) {
        player.leave().await;
    }
    api.shows("the old servers have gone", |world| revisions(world).0 == 0 && world.has_servers(2)).await;
    manager.stop().await;
}

#[tokio::test]
async fn a_build_that_never_gets_healthy_stops_itself_and_the_old_one_goes_on() {
    let api = Api::start().await;
    let setup = api.setup(&format!("{TWO}\nMANAGER_ROLLOUT_FAILURES=2"));
    let manager = setup.start().await;
    let old = manager.serves(2).await;
    let before = players(&manager, 3).await;

    let now = manager.log.now();
    api.tell("revision", json!({ "command": ["--hang-after", "0s"] })).await;
    let failed = "the rollout failed and is rolled back: its servers did not come to serve, or died";
    assert_eq!(manager.log.message(now, failed).await["revision"], "LaunchGameserver:2");
    api.shows("its servers have gone", |world| revisions(world).1 == 0 && world.has_servers(2)).await;
    assert_eq!(manager.lists(2).await, old, "what works serves");
    crate::support::until("it is recorded", async || mark(&api).await.filter(|mark| mark == "rolled-back")).await;

    // It goes on growing, and a manager that starts knows.
    let more = players(&manager, 15).await;
    api.shows("the fleet grows", |world| revisions(world) == (3, 0)).await;
    manager.kill().await;
    let manager = setup.start().await;
    manager.lists(3).await;
    let (_, said) = rollout(&setup, &[]).await;
    assert!(said.starts_with("rollout of LaunchGameserver:2: rolled-back\nbefore it: LaunchGameserver:1\n"), "{said}");
    let world = api.world().await;
    assert_eq!(revisions(&world).1, 0, "{world:?}");
    for player in before.into_iter().chain(more) {
        player.leave().await;
    }
    manager.stop().await;
}

#[tokio::test]
async fn an_operator_pauses_goes_back_and_goes_on() {
    let api = Api::start().await;
    let setup = api.setup(TWO);
    let manager = setup.start().await;
    manager.serves(2).await;
    assert_eq!(
        rollout(&setup, &["back"]).await,
        (
            false,
            "playlivechess-manager: no server runs another revision than LaunchGameserver:1, and there is no earlier \
             active one: register the task definition that is to run, or name one of its revisions in \
             aws.task_definition\n"
                .into()
        )
    );

    // Servers of it never come up, so that the rollout is under way for long enough to be paused.
    api.tell("agent", json!({ "boot_delay": 3600 })).await;
    let now = manager.log.now();
    api.tell("revision", json!({})).await;
    manager.log.message(now, "a rollout began: servers of other revisions are replaced").await;
    let (done, said) = rollout(&setup, &["pause"]).await;
    assert!(done && said == "the rollout of LaunchGameserver:2 is paused from the manager's next look on\n", "{said}");
    manager.log.message(now, "the rollout was paused").await;
    let (_, said) = rollout(&setup, &["pause"]).await;
    assert_eq!(said, "the rollout of LaunchGameserver:2 is paused already\n");
    api.tell("agent", json!({ "boot_delay": 0 })).await;

    assert!(rollout(&setup, &["resume"]).await.0);
    manager.log.message(now, "the rollout goes on").await;
    manager.log.message(now, "the rollout is done: all available servers run it").await;
    assert!(rollout(&setup, &["back"]).await.0, "also of one that is done");
    manager.log.message(now, "the rollout was rolled back by hand").await;
    api.shows("the old revision is back", |world| revisions(world) == (2, 0) && world.has_servers(2)).await;
    let (_, json) = rollout(&setup, &["status", "--json"]).await;
    let status: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&status["state"], &status["servers"]["LaunchGameserver:1"]["available"]),
        (&json!("rolled-back"), &json!(2))
    );
    manager.stop().await;
}

#[tokio::test]
async fn a_revision_that_the_settings_name_is_what_runs() {
    let api = Api::start().await;
    api.tell("revision", json!({})).await;
    let setup = |revision| api.setup(TWO).environment("SERVER_TASK_DEFINITION", revision);
    let manager = setup("LaunchGameserver:1").start().await;
    manager.serves(2).await;
    assert_eq!(revisions(&api.world().await), (2, 0), "though there is a newer one");
    manager.stop().await;

    let manager = setup("LaunchGameserver:2").start().await;
    manager.log.message(0, "the rollout is done: all available servers run it").await;
    api.shows("the other ones have gone", |world| revisions(world) == (0, 2)).await;
    manager.stop().await;
}

#[tokio::test]
async fn without_knowing_what_came_before_the_fleet_goes_on_and_asks_again() {
    let api = Api::start().await;
    let denied =
        json!({ "action": "ListTaskDefinitions", "code": "AccessDeniedException", "status": 400, "times": 1000 });
    api.tell("fail", denied).await;
    let setup = api.setup("");
    let manager = setup.start().await;
    manager.log.message(0, "which revisions came before it cannot be read").await;
    manager.serves(1).await;
    api.tell("mend", json!({})).await;
    let asked = api.calls("ListTaskDefinitions").await;
    crate::support::until("it is asked again", async || (api.calls("ListTaskDefinitions").await > asked).then_some(()))
        .await;
    manager.stop().await;
}
