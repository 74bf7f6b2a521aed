//! The policy of the daemon's role: what it needs, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stack::Stack;
use crate::support::manager::Setup;
use crate::support::process::Signal;

const POLICY: &str = include_str!("../../../deploy/iam-policy.json");

/// What no call is named after: EC2 asks for CreateTags when RunInstances brings tags, and EC2 and ECS ask for PassRole
/// when RunInstances hands a machine its instance profile, and RunTask a task its role.
const IMPLIED: [&str; 2] = ["ec2:CreateTags", "iam:PassRole"];

#[tokio::test]
async fn the_template_has_the_same_policy() {
    let stack = Stack::create(json!({})).await;
    let policies = stack.does("policies", &[stack.output("ManagerRoleName")]).await;
    let family = "games-game";
    let names = [
        ("default/playlivechess", stack.output("FleetTag").to_owned()),
        ("cluster/default", format!("cluster/{}", stack.output("ClusterName"))),
        ("task/default", format!("task/{}", stack.output("ClusterName"))),
        ("lt-0123456789abcdef0", stack.output("GameLaunchTemplateId").to_owned()),
        ("LaunchGameserver", family.to_owned()),
        ("arn:aws:iam::123456789012:role/game-instance", stack.output("GameInstanceRoleArn").to_owned()),
        ("arn:aws:iam::123456789012:role/game-task", stack.output("GameTaskRoleArn").to_owned()),
    ];
    let policy = names.iter().fold(POLICY.to_owned(), |policy, (example, name)| policy.replace(example, name));
    let policy: Value = serde_json::from_str(&policy).expect("JSON");
    assert_eq!(policies["daemon"], policy);
}

#[tokio::test]
async fn with_its_role_alone_the_daemon_does_all_that_it_does_and_is_allowed_nothing_else() {
    let stack = Stack::create(json!({ "MinServers": "2" })).await;
    let own = Keys::of(&stack).await;
    let setup = own.give(stack.setup());
    enforce(&stack).await;

    // A fleet grows, serves, puts a server on standby and closes it.
    let manager = setup.start().await;
    manager.serves(2).await;
    manager.bring_player().await.leave().await;
    let setup = setup.dot_env("MANAGER_MIN_SERVERS=1");
    manager.signal(Signal::HUP);
    manager.log.left(1).await;

    // A new revision comes and is rolled back.
    let now = manager.log.now();
    stack.api.tell("revision", json!({ "family": "games-game" })).await;
    manager.log.message(now, "a rollout began: servers of other revisions are replaced").await;
    let back = setup.command(&["rollout", "back"]).output().await.expect("the binary runs");
    assert!(back.status.success(), "{back:?}");
    manager.log.message(now, "the rollout was rolled back by hand").await;
    manager.stop().await;

    let mut called = called_by(&stack, &own).await;
    called.extend(IMPLIED.map(str::to_owned));
    assert_eq!(allowed(|statement| statement != DOCTOR), called);
}

#[tokio::test]
async fn with_the_same_role_the_doctor_finds_nothing_wrong_and_asks_all_that_it_is_allowed() {
    let stack = Stack::create(json!({})).await;
    let (manager, doctor) = (Keys::of(&stack).await, Keys::of(&stack).await);
    enforce(&stack).await;
    let running = manager.give(stack.setup()).start().await;
    running.serves(1).await;
    running.stop().await;

    let looked = doctor.give(stack.setup()).command(&["doctor", "--json"]).output().await.expect("the binary runs");
    let findings: Vec<Value> = serde_json::from_slice(&looked.stdout).expect("JSON");
    let bad: Vec<&Value> = findings.iter().filter(|finding| finding["result"] != "pass").collect();
    assert!(looked.status.success() && bad.is_empty(), "{bad:#?}");

    let asked = called_by(&stack, &doctor).await;
    let spare: Vec<String> = allowed(|statement| statement == DOCTOR).difference(&asked).cloned().collect();
    assert_eq!(spare, [""; 0], "allowed, and not asked for");
    let all = allowed(|_| true);
    let denied: Vec<&String> = asked.difference(&all).collect();
    assert_eq!(denied, [""; 0], "asked for, and not allowed");
}

#[tokio::test]
async fn a_crowd_is_served_without_a_drop_on_what_the_template_made_and_with_its_role_alone() {
    let stack = Stack::create(json!({})).await;
    let own = Keys::of(&stack).await;
    let setup = own.give(stack.setup());
    enforce(&stack).await;
    let manager = setup.start().await;
    manager.serves(1).await;
    let tally = manager.load(&setup, &["--players", "60", "--rate", "10", "--session", "2s", "--seed", "7"]).await;
    assert_eq!((&tally["asked"], &tally["dropped"], &tally["refused"]), (&60.into(), &0.into(), &0.into()));
    assert!(tally["by_server"].as_object().expect("servers").len() > 1, "one server cannot hold them: {tally}");
    manager.log.left(1).await;
    assert_eq!(manager.list().await.len(), 1);
    manager.stop().await;
}

/// From now on policies count.
async fn enforce(stack: &Stack) {
    let others = Keys::of(stack).await;
    stack.does("enforce", &[]).await;
    let refused = stack.does("is_refused", &[&others.id, &others.secret, &others.token]).await;
    assert_eq!(refused, json!(true), "they do");
}

/// The actions that were called with these keys. Anybody may ask who he is, whatever the policies say.
async fn called_by(stack: &Stack, keys: &Keys) -> BTreeSet<String> {
    let mut called = stack.api.actions_of(&keys.id).await;
    called.remove("sts:GetCallerIdentity");
    called
}

/// What the manager's machine gets of its metadata, which has its role; other keys each time.
struct Keys {
    id: String,
    secret: String,
    token: String,
}

impl Keys {
    async fn of(stack: &Stack) -> Self {
        let keys = stack.does("credentials", &[stack.output("ManagerRoleName")]).await;
        let text = |name: &str| keys[name].as_str().expect("text").to_owned();
        Self { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: text("SessionToken") }
    }

    fn give(&self, setup: Setup) -> Setup {
        setup
            .environment("AWS_ACCESS_KEY_ID", &self.id)
            .environment("AWS_SECRET_ACCESS_KEY", &self.secret)
            .environment("AWS_SESSION_TOKEN", &self.token)
    }
}

/// The statement for a program of its own, which the manager itself can do without.
const DOCTOR: &str = "WhatOnlyTheDoctorAsks";

/// The actions that statements of the policy allow, by their names.
fn allowed(is_meant: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(POLICY).expect("JSON");
    let statements = policy["Statement"].as_array().expect("a list").iter();
    let statements = statements.filter(|statement| statement["Sid"].as_str().is_some_and(&is_meant));
    let actions = statements.flat_map(|statement| statement["Action"].as_array().expect("a list"));
    actions.map(|action| action.as_str().expect("a name").to_owned()).collect()
}
