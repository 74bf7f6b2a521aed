//! The policy of the daemon's role: what it needs, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stack::Stack;
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
    let role = stack.output("ManagerRoleName");
    let (own, others) = (Keys::of(&stack, role).await, Keys::of(&stack, role).await);
    let setup = stack
        .setup()
        .environment("AWS_ACCESS_KEY_ID", &own.id)
        .environment("AWS_SECRET_ACCESS_KEY", &own.secret)
        .environment("AWS_SESSION_TOKEN", &own.token);
    stack.does("enforce", &[]).await;
    let refused = stack.does("is_refused", &[&others.id, &others.secret, &others.token]).await;
    assert_eq!(refused, json!(true), "policies count");

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
    crate::support::until("what to go back to is looked for", async || {
        (stack.api.calls("ListTaskDefinitions").await > 0).then_some(())
    })
    .await;
    manager.stop().await;

    let mut called = stack.api.actions_of(&own.id).await;
    called.extend(IMPLIED.map(str::to_owned));
    // Anybody may ask who he is, whatever the policies say.
    called.remove("sts:GetCallerIdentity");
    assert_eq!(allowed(), called);
}

/// What an instance with a role gets of its metadata; other keys each time.
struct Keys {
    id: String,
    secret: String,
    token: String,
}

impl Keys {
    async fn of(stack: &Stack, role: &str) -> Self {
        let keys = stack.does("credentials", &[role]).await;
        let text = |name: &str| keys[name].as_str().expect("text").to_owned();
        Self { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: text("SessionToken") }
    }
}

/// The statement for a program of its own, which the manager itself can do without.
const DOCTOR: &str = "WhatOnlyTheDoctorAsks";

/// The actions that the policy allows the manager.
fn allowed() -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(POLICY).expect("JSON");
    let statements = policy["Statement"].as_array().expect("a list").iter();
    let statements = statements.filter(|statement| statement["Sid"] != DOCTOR);
    let actions = statements.flat_map(|statement| statement["Action"].as_array().expect("a list"));
    actions.map(|action| action.as_str().expect("a name").to_owned()).collect()
}
