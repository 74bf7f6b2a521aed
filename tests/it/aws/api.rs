//! An AWS API server with one cluster in it, and what a test does to it behind the manager's back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::process::Child;

use super::environment::serve;
use crate::support::binary::BINARY;
use crate::support::manager::Setup;
use crate::support::{PATIENCE, until};

/// A server. It ends, and its game servers with it, when the test lets go of it.
pub(crate) struct Api {
    _process: Child,
    /// Where it is, without a slash at the end.
    pub url: String,
    client: reqwest::Client,
}

/// The tag that makes an instance one of the manager's.
pub(crate) const FLEET_TAG: (&str, &str) = ("playlivechess-manager:fleet", "default/playlivechess");

impl Api {
    /// Starts one, with the names of an old `.env` in it and game servers for ten players.
    pub(crate) async fn start() -> Self {
        let api = Self::empty().await;
        api.tell("world", json!({ "container_port": 9000, "host_port": 9000 })).await;
        api
    }

    /// Starts one with nothing in it yet, where tasks are game servers for ten players.
    pub(crate) async fn empty() -> Self {
        let (process, url) = serve("launcher.py", &[]).await;
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("an HTTP client");
        let api = Self { _process: process, url, client };
        let game = [&BINARY, "game-server", "--listen", "{ip}:{port}", "--capacity", "10"];
        api.tell("agent", json!({ "command": game })).await;
        api
    }

    /// A manager of a fleet on it, with those settings in its `.env`.
    pub(crate) fn setup(&self, settings: &str) -> Setup {
        self.environment(Setup::new())
            .environment("AWS_REGION", "ap-south-1")
            .environment("SERVER_TASK_DEFINITION", "LaunchGameserver")
            .environment("ECS_INSTANCE_LAUNCH_TEMPLATE", "defaultECS")
            .dot_env(settings)
    }

    /// Has a manager find this server in its environment in place of AWS.
    pub(crate) fn environment(&self, setup: Setup) -> Setup {
        setup
            .environment("AWS_ENDPOINT_URL", &self.url)
            .environment("AWS_ACCESS_KEY_ID", "test")
            .environment("AWS_SECRET_ACCESS_KEY", "test")
    }

    /// Does something to what is in it.
    pub(crate) async fn tell(&self, what: &str, how: Value) -> Value {
        let request = self.client.post(format!("{}/_test/{what}", self.url)).body(how.to_string());
        answer(request).await
    }

    /// Launches an instance by hand, with a game server on it or with nothing.
    pub(crate) async fn launch(&self, how: Value) -> Value {
        self.tell("instances", how).await[0].clone()
    }

    /// How often an action was called.
    pub(crate) async fn calls(&self, action: &str) -> usize {
        self.calls_to(action).await.len()
    }

    /// How many calls have come in so far.
    pub(crate) async fn count(&self) -> u64 {
        answer(self.client.get(format!("{}/_test/count", self.url))).await.as_u64().expect("a number")
    }

    /// Holds the next call of an action, when it has come or when it was carried out, until `release`.
    pub(crate) async fn hold(&self, action: &str, carried_out: bool) {
        self.tell("fail", json!({ "action": action, "hold": true, "after": carried_out })).await;
    }

    /// Waits until a call of that action is held.
    pub(crate) async fn holds(&self, action: &str) {
        until(&format!("{action} is called"), async || {
            self.calls_to(action).await.iter().any(|call| call["status"].is_null()).then_some(())
        })
        .await;
    }

    /// From now on each call has to be signed by somebody who may make it.
    pub(crate) async fn ask_for_permissions(&self) {
        let url = format!("{}/moto-api/reset-auth", self.url);
        answer(self.client.post(url).header("content-type", "text/plain").body("0")).await;
    }

    /// Lets the held calls go on.
    pub(crate) async fn release(&self) {
        self.tell("release", json!({})).await;
    }

    /// All actions that were called.
    pub(crate) async fn actions(&self) -> BTreeSet<String> {
        let calls = self.calls_where("").await;
        calls.iter().map(|call| text(call, "action").to_owned()).collect()
    }

    /// The actions that were called with that access key, as policies name them.
    pub(super) async fn actions_of(&self, access_key: &str) -> BTreeSet<String> {
        let calls = self.calls_where("").await;
        let theirs = calls.iter().filter(|call| call["access_key"] == access_key);
        theirs.map(|call| format!("{}:{}", text(call, "service"), text(call, "action"))).collect()
    }

    async fn calls_to(&self, action: &str) -> Vec<Value> {
        self.calls_where(&format!("?action={action}")).await
    }

    async fn calls_where(&self, which: &str) -> Vec<Value> {
        let calls = answer(self.client.get(format!("{}/_test/calls{which}", self.url))).await;
        calls.as_array().expect("a list of calls").clone()
    }

    /// Waits until what is in it is as it should be.
    pub(crate) async fn shows(&self, what: &str, is_so: impl Fn(&World) -> bool) -> World {
        until(what, async || Some(self.world().await).filter(&is_so)).await
    }

    /// The tags of each revision of the task definition, by its name.
    pub(crate) async fn revisions(&self) -> Value {
        answer(self.client.get(format!("{}/_test/revisions", self.url))).await
    }

    /// All that is in it.
    pub(crate) async fn world(&self) -> World {
        World(answer(self.client.get(format!("{}/_test/world", self.url))).await)
    }
}

pub(super) async fn answer(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("the AWS API server answers");
    let ok = answer.status().is_success();
    let text = answer.text().await.expect("a body");
    assert!(ok, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// What is in an AWS API server.
#[derive(Debug)]
pub(crate) struct World(Value);

impl World {
    /// The ids of the instances that are neither terminated nor about to be.
    pub(crate) fn living(&self) -> Vec<String> {
        self.ids("instances", "id", |instance| ["pending", "running"].contains(&text(instance, "state")))
    }

    /// The ARNs of the tasks that are neither stopped nor about to be.
    pub(crate) fn tasks(&self) -> Vec<String> {
        self.ids("tasks", "arn", |task| text(task, "desired_status") == "RUNNING")
    }

    /// The roles that are recorded on those tasks.
    pub(crate) fn roles(&self) -> Vec<String> {
        let role = |task: &Value| task["tags"]["playlivechess-manager:role"].as_str().map(str::to_owned);
        let tasks = self.0["tasks"].as_array().expect("a list").iter();
        tasks.filter(|task| text(task, "desired_status") == "RUNNING").filter_map(role).collect()
    }

    /// What those tasks run.
    pub(crate) fn revisions(&self) -> Vec<String> {
        self.ids("tasks", "revision", |task| text(task, "desired_status") == "RUNNING")
    }

    /// So many instances live, with a task on each and no other task.
    pub(crate) fn has_servers(&self, count: usize) -> bool {
        let (living, hosts) = (self.living(), self.hosts());
        living.len() == count && self.tasks().len() == count && living.into_iter().collect::<BTreeSet<_>>() == hosts
    }

    /// Whether the agent of that instance is in touch with ECS.
    pub(crate) fn is_connected(&self, instance: &str) -> bool {
        let mut members = self.0["container_instances"].as_array().expect("a list").iter();
        members.any(|member| text(member, "instance") == instance && member["connected"] == true)
    }

    /// How many tasks were ever placed on each instance that ever was.
    pub(crate) fn placements(&self) -> BTreeMap<String, usize> {
        let all = |_: &Value| true;
        let mut placements: BTreeMap<String, usize> =
            self.ids("instances", "id", all).into_iter().map(|instance| (instance, 0)).collect();
        for instance in self.ids("tasks", "instance", all) {
            *placements.entry(instance).or_default() += 1;
        }
        placements
    }

    /// The ordinals of the launches that each instance that ever was came of.
    pub(crate) fn ordinals(&self) -> Vec<String> {
        let instances = self.0["instances"].as_array().expect("a list").iter();
        instances.map(|instance| text(&instance["tags"], "playlivechess-manager:launch").to_owned()).collect()
    }

    /// One thing of each instance that ever was, by its name in the summary.
    pub(crate) fn of_instances(&self, what: &str) -> Vec<String> {
        let instances = self.0["instances"].as_array().expect("a list").iter();
        instances.map(|instance| text(instance, what).to_owned()).collect()
    }

    fn hosts(&self) -> BTreeSet<String> {
        self.ids("tasks", "instance", |task| text(task, "desired_status") == "RUNNING").into_iter().collect()
    }

    fn ids(&self, kind: &str, name: &str, which: impl Fn(&Value) -> bool) -> Vec<String> {
        let all = self.0[kind].as_array().expect("a list").iter();
        all.filter(|thing| which(thing)).map(|thing| text(thing, name).to_owned()).collect()
    }
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name} in {of}"))
}
