//! A proxy between the manager and an AWS API server, which does wrong to the calls that it is told to: microburst.

use serde_json::{Value, json};
use tokio::process::Child;

use super::api::{Api, answer};
use super::environment::serve;
use crate::support::until;

/// A proxy. It ends when the test lets go of it.
pub(super) struct FaultProxy {
    _process: Child,
    /// What the manager finds in place of AWS, without a slash at the end.
    pub url: String,
    client: reqwest::Client,
}

impl FaultProxy {
    /// Starts one, which does nothing wrong yet.
    pub(super) async fn before(api: &Api) -> Self {
        let (process, url) = serve("fault_proxy.py", &[&api.url]).await;
        let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { _process: process, url, client }
    }

    /// Has these rules, and no others, met by the calls that come from now on.
    pub(super) async fn set(&self, rules: Vec<Value>) {
        let rules = json!(rules).to_string();
        answer(self.client.post(self.rules()).header("Content-Type", "application/json").body(rules)).await;
    }

    /// Waits until each rule was met as often as it may be.
    pub(super) async fn are_met(&self) {
        until("each fault was met", async || {
            let rules = answer(self.client.get(self.rules())).await;
            let mut rules = rules.as_array().expect("a list of rules").iter();
            rules.all(|rule| rule["fired_count"] == rule["times"]).then_some(())
        })
        .await;
    }

    fn rules(&self) -> String {
        format!("{}/_microburst/rules", self.url)
    }
}
