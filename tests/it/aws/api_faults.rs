//! Each call that the manager makes to AWS goes wrong in each way that calls do, while players come and go: nothing
//! leaks, nothing is done twice, nobody is dropped.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::api::{Api, World};
use super::fault_proxy::FaultProxy;
use crate::support::manager::Manager;
use crate::support::player::Player;

/// A call, as microburst names it.
type Call = (&'static str, &'static str);

/// The calls of each look.
const LOOK: [Call; 5] = [
    ("ec2", "DescribeInstances"),
    ("ecs", "ListContainerInstances"),
    ("ecs", "DescribeContainerInstances"),
    ("ecs", "ListTasks"),
    ("ecs", "DescribeTasks"),
];

/// The calls at a manager's start that only tell it whether all is well, beside one that a fleet grows by; and what it
/// asks once a minute or once for a revision, without which it goes on as well.
const ASIDE: [&str; 5] = [
    "GetCallerIdentity",
    "DescribeClusters",
    "DescribeLaunchTemplateVersions",
    "DescribeInstanceStatus",
    "ListTaskDefinitions",
];

/// The calls that a fleet grows by.
const GROW: [Call; 3] = [("ec2", "RunInstances"), ("ecs", "DescribeTaskDefinition"), ("ecs", "RunTask")];

/// The calls that it shrinks by.
const SHRINK: [Call; 3] = [("ecs", "TagResource"), ("ecs", "StopTask"), ("ec2", "TerminateInstances")];

/// So many players need three servers of ten, and leave fewer places free there than the margin of 4: a fourth server
/// comes, and no fifth.
const CROWD: usize = 27;
const SERVERS: usize = 4;

/// How long a guest stays: several health answers.
const VISIT: Duration = Duration::from_millis(500);

/// As often as the SDK tries by itself: the fleet gets to know of it, and asks again.
const ALL_RETRIES: usize = 3;

/// What goes wrong with a call.
struct Fault {
    /// As microburst's rules have it, for calls of either service.
    of_ec2: Value,
    of_ecs: Value,
    /// How many calls it meets; of a look's, in the second half, one.
    times: usize,
    /// What is asked of AWS is done all the same.
    is_carried_out: bool,
    settings: &'static str,
}

impl Fault {
    /// AWS answers with an error.
    fn error(of_ec2: &str, of_ecs: &str, times: usize) -> Self {
        let error = |code| json!({ "error": { "code": code } });
        Self { of_ec2: error(of_ec2), of_ecs: error(of_ecs), times, is_carried_out: false, settings: "" }
    }

    /// The network has its way with the call.
    fn on_the_way(rule: &Value, is_carried_out: bool) -> Self {
        Self { of_ec2: rule.clone(), of_ecs: rule.clone(), times: ALL_RETRIES, is_carried_out, settings: "" }
    }

    fn rules(&self, calls: &[Call], times: usize) -> Vec<Value> {
        let rule = |(service, operation): &Call| {
            let mut rule = if *service == "ec2" { self.of_ec2.clone() } else { self.of_ecs.clone() };
            rule["service"] = json!(service);
            rule["operation"] = json!(operation);
            rule["times"] = json!(times);
            rule
        };
        calls.iter().map(rule).collect()
    }
}

#[tokio::test]
async fn calls_are_throttled() {
    survived(Fault::error("RequestLimitExceeded", "ThrottlingException", ALL_RETRIES)).await;
}

#[tokio::test]
async fn calls_are_refused() {
    survived(Fault::error("UnauthorizedOperation", "AccessDeniedException", 2)).await;
}

/// They come to AWS when nobody waits for their answer any more, and AWS was asked again.
#[tokio::test]
async fn calls_are_delayed() {
    let delayed = Fault::on_the_way(&json!({ "latency": 3000 }), true);
    survived(Fault { times: 1, settings: "MANAGER_CLOUD_TIMEOUT=2s", ..delayed }).await;
}

#[tokio::test]
async fn calls_are_cut() {
    survived(Fault::on_the_way(&json!({ "reset": true }), false)).await;
}

/// The first half of each comes, in good order. The SDK does not ask for the rest.
#[tokio::test]
async fn answers_are_truncated() {
    let truncated = Fault::on_the_way(&json!({ "response": { "truncate_frac": 0.5 } }), true);
    survived(Fault { times: 2, ..truncated }).await;
}

#[tokio::test]
async fn calls_are_carried_out_and_not_answered() {
    survived(Fault::on_the_way(&json!({ "response": { "abort_frac": 0.0 } }), true)).await;
}

/// A fleet grows and shrinks with its players while the fault meets each call.
async fn survived(fault: Fault) {
    let api = Api::start().await;
    let proxy = FaultProxy::before(&api).await;
    let settings = format!("MANAGER_HOLD_TTL=1s\n{}", fault.settings);
    let setup = api.setup(&settings).environment("AWS_ENDPOINT_URL", &proxy.url);
    let manager = setup.start().await;
    manager.serves(1).await;

    let served = Cell::new(0);
    let regulars = tokio::select! {
        regulars = a_crowd_comes_and_goes(&api, &manager, &proxy, &fault) => regulars,
        () = guests_come_and_go(&manager, &served) => unreachable!("there is always another guest"),
    };
    assert!(served.get() > 0, "guests came all the time");
    for regular in regulars {
        regular.leave().await;
    }

    manager.log.left(1).await;
    let world = api.shows("one server and nothing else", |world| world.has_servers(1)).await;
    manager.lists(1).await;
    let placements = world.placements();
    assert_eq!(placements.len(), SERVERS, "instances were launched for nobody: {placements:?}");
    assert!(placements.values().all(|tasks| *tasks == 1), "one task an instance: {placements:?}");
    // Each decision was to launch one.
    let ordinals = world.ordinals();
    assert_eq!(ordinals.iter().collect::<BTreeSet<_>>().len(), SERVERS, "one instance a launch: {ordinals:?}");
    // Unless a look shows first what came of it, what was not answered is asked for again, and makes nothing more.
    let most = SERVERS + if fault.is_carried_out { fault.times } else { 0 };
    let asked = api.calls("RunInstances").await;
    assert!((SERVERS..=most).contains(&asked), "{asked} launches were asked for, of {SERVERS} to {most}");
    let calls: BTreeSet<String> = [&LOOK[..], &GROW, &SHRINK].concat().iter().map(|(_, name)| (*name).into()).collect();
    let mut made = api.actions().await;
    made.retain(|call| !ASIDE.contains(&call.as_str()));
    assert_eq!(made, calls, "each call that the manager makes met the fault");
    manager.stop().await;
}

/// Brings the crowd and lets nearly all of it leave, with faults on both ways. Gives those who stayed all the time.
async fn a_crowd_comes_and_goes(api: &Api, manager: &Manager, proxy: &FaultProxy, fault: &Fault) -> Vec<Player> {
    // No look shows what came of a launch before it is asked for again.
    proxy.set([fault.rules(&LOOK, fault.times), fault.rules(&GROW, fault.times)].concat()).await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(manager.bring_player().await);
    }
    proxy.are_met().await;
    manager.serves(SERVERS).await;

    proxy.set([fault.rules(&LOOK, 1), fault.rules(&SHRINK, fault.times)].concat()).await;
    let mut played_on = BTreeSet::new();
    let (last, most): (Vec<Player>, Vec<Player>) =
        crowd.into_iter().partition(|player| played_on.insert(player.address.clone()));
    for player in most {
        player.leave().await;
    }
    // Two of four servers are enough for those who are left; the others keep whom they have.
    manager.log.moved(0, "standby", 2).await;
    let list = manager.list().await;
    let (regulars, rest): (Vec<Player>, Vec<Player>) =
        last.into_iter().partition(|player| list.contains(&player.address));
    assert!(!rest.is_empty(), "only one of four servers had nobody");
    let on_standby = |world: &World| world.roles().iter().filter(|role| *role == "standby").count();
    api.shows("who is on standby is recorded", |world| on_standby(world) == rest.len()).await;
    for player in rest {
        player.leave().await;
    }
    proxy.are_met().await;
    regulars
}

/// Brings one guest after the other.
async fn guests_come_and_go(manager: &Manager, served: &Cell<usize>) {
    loop {
        let guest = manager.bring_player().await;
        sleep(VISIT).await;
        guest.leave().await;
        served.set(served.get() + 1);
    }
}
