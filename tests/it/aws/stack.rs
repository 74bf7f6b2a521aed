//! A CloudFormation stack of `deploy/cloudformation.yaml` on an AWS API server.

use serde_json::{Value, json};
use tokio::process::Command;

use super::api::Api;
use super::environment::{SERVER, python};
use crate::support::manager::Setup;

/// The template.
pub(super) const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/cloudformation.yaml");

const NAME: &str = "games";

/// A stack.
pub(super) struct Stack {
    pub api: Api,
    parameters: Value,
    outputs: Value,
}

impl Stack {
    /// Creates it on an AWS API server with nothing else, and with these parameters beside those that have no default.
    pub(super) async fn create(parameters: Value) -> Self {
        Self::create_on(Api::empty().await, parameters).await
    }

    /// The same where there is something already.
    pub(super) async fn create_on(api: Api, parameters: Value) -> Self {
        let mut stack = Self { api, parameters: json!({}), outputs: Value::Null };
        stack.set(&json!({
            "GameImage": "registry.example.com/game:1",
            "GameHostPort": "9000",
            "BackupGameserver": crate::support::manager::BACKUP,
            "ManagerArchive": "https://downloads.example.com/playlivechess-manager.tar.gz",
            "ManagerArchiveSha256": "0".repeat(64),
        }));
        stack.set(&parameters);
        stack.outputs = stack.does("create", &[NAME, TEMPLATE, &stack.parameters.to_string()]).await;
        // The agents join no other cluster.
        stack.api.tell("cluster", json!({ "cluster": stack.output("ClusterName") })).await;
        stack
    }

    /// Updates it to these parameters; the others stay.
    pub(super) async fn update(&mut self, parameters: Value) {
        self.set(&parameters);
        self.outputs = self.does("update", &[NAME, TEMPLATE, &self.parameters.to_string()]).await;
    }

    /// Deletes it.
    pub(super) async fn delete(&self) {
        self.does("delete", &[NAME]).await;
    }

    /// One of its outputs.
    pub(super) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.outputs))
    }

    /// A manager that is told what the stack's own is told.
    pub(super) fn setup(&self) -> Setup {
        let setup = self.api.environment(Setup::new()).dot_env("");
        self.configure(&setup);
        setup
    }

    /// Writes the manager's configuration as the stack has it by now.
    pub(super) fn configure(&self, setup: &Setup) {
        std::fs::write(setup.path().join("manager.toml"), self.output("ManagerToml")).expect("a directory");
    }

    /// Has `stack.py` do something.
    pub(super) async fn does(&self, what: &str, arguments: &[&str]) -> Value {
        does(&self.api, what, arguments).await
    }

    fn set(&mut self, parameters: &Value) {
        let all = self.parameters.as_object_mut().expect("an object");
        all.extend(parameters.as_object().expect("an object").clone());
    }
}

/// Has `stack.py` do something there.
pub(super) async fn does(api: &Api, what: &str, arguments: &[&str]) -> Value {
    let python = tokio::task::spawn_blocking(python).await.expect("the environment of the AWS API server");
    let mut command = Command::new(python);
    command.arg(format!("{SERVER}/stack.py")).args([&api.url, what]).args(arguments).kill_on_drop(true);
    let done = command.output().await.expect("Python starts");
    assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("JSON")
}
