//! Somebody who calls AWS by hand, for what the control of the AWS API server has no word of its own for.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::api::Api;
use super::environment::{SERVER, python};
use crate::support::PATIENCE;

/// An operator, with clients that are kept from call to call.
pub(crate) struct ByHand {
    _process: Child,
    calls: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// What the next call is signed with, and those after it.
    keys: Option<[String; 2]>,
}

impl ByHand {
    /// An operator of that server's region.
    pub(crate) async fn on(api: &Api) -> Self {
        let python = tokio::task::spawn_blocking(python).await.expect("the environment of the AWS API server");
        let mut process = Command::new(python)
            .args([&format!("{SERVER}/by_hand.py"), &api.url, "ap-south-1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python starts");
        let calls = process.stdin.take().expect("stdin was piped");
        let answers = BufReader::new(process.stdout.take().expect("stdout was piped")).lines();
        Self { _process: process, calls, answers, keys: None }
    }

    /// Signs with these from now on.
    pub(crate) fn sign_with(&mut self, keys: [String; 2]) {
        self.keys = Some(keys);
    }

    /// Calls AWS, in boto3's names. What AWS refuses fails the test.
    pub(crate) async fn call(&mut self, service: &str, operation: &str, parameters: Value) -> Value {
        let mut call = json!({ "service": service, "operation": operation, "parameters": parameters });
        if let Some(keys) = self.keys.take() {
            call["keys"] = json!(keys);
        }
        self.calls.write_all(format!("{call}\n").as_bytes()).await.expect("the operator is there");
        let answer = timeout(PATIENCE, self.answers.next_line()).await.expect("an answer in time").expect("text");
        let answer = answer.unwrap_or_else(|| panic!("AWS refused {call}; its reason is in stderr"));
        serde_json::from_str(&answer).expect("JSON")
    }
}
