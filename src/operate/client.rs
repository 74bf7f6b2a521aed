//! Asks the operations listener of a running manager.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header, redirect};
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::told::Problem;
use crate::config::{Mistakes, Operations, Secret};
use crate::health_check::reached_at;

/// To be connected. A manager that is there answers at once.
const CONNECTING: Duration = Duration::from_secs(5);

/// For a whole answer: the manager gives its own parts less.
const LIMIT: Duration = Duration::from_secs(15);

/// A longer answer is not the manager's: ten thousand servers take a tenth of it.
const LARGEST: usize = 64 << 20;

/// Whom to ask.
#[derive(Args, Clone, Debug)]
pub struct Whom {
    /// The manager to ask, by default the one at operations.listen, with the operations.token of the configuration.
    #[arg(long, value_name = "URL", env = "MANAGER_OPERATIONS_URL", hide_env_values = true, value_parser = base)]
    url: Option<Url>,
}

/// Where requests go. `127.0.0.1:8001` is as good as with `http://` before it.
fn base(text: &str) -> Result<Url, String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Url = text.parse().map_err(|error| format!("{error}: it is for example http://127.0.0.1:8001"))?;
    match url.scheme() {
        "http" => Ok(url),
        other => Err(format!("managers are asked by http, not by {other}: from afar through a tunnel, as of ssh -L")),
    }
}

/// Asks one manager.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Without a slash at the end.
    base: String,
    token: Option<Secret>,
}

impl Client {
    /// For that manager, or the one of the configuration.
    pub(super) fn new(whom: &Whom, configured: Result<Operations, Mistakes>) -> Result<Self, Failure> {
        let Operations { listen, token, .. } = configured?;
        let base = match (&whom.url, listen) {
            (Some(url), _) => url.as_str().trim_end_matches('/').to_owned(),
            (None, Some(listen)) => format!("http://{}", reached_at(listen)),
            (None, None) => {
                let off = "operations.listen is off here: --url names the manager to ask";
                return Err(Failure::Usage(off.to_owned()));
            }
        };
        Self::at(base, token)
    }

    /// For the one at that URL, which has no slash at its end.
    pub(super) fn at(base: String, token: Option<Secret>) -> Result<Self, Failure> {
        // Whoever answers must not send the token elsewhere.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECTING).redirect(redirect::Policy::none());
        let http = http.build().map_err(|error| Failure::Usage(reason(&error)))?;
        Ok(Self { http, base, token })
    }

    /// Asks for what is there, as text.
    pub(super) async fn get(&self, path: &str) -> Result<String, Failure> {
        self.ask(self.request(Method::GET, path)).await
    }

    /// Has something done.
    pub(super) async fn post(&self, path: &str) -> Result<String, Failure> {
        self.ask(self.request(Method::POST, path)).await
    }

    /// Puts this JSON there.
    pub(super) async fn put(&self, path: &str, json: String) -> Result<String, Failure> {
        let request = self.request(Method::PUT, path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(json)).await
    }

    /// Takes back what was put there.
    pub(super) async fn delete(&self, path: &str) -> Result<String, Failure> {
        self.ask(self.request(Method::DELETE, path)).await
    }

    /// The stream of all that changes, after that entry of the journal.
    pub(super) async fn events(&self, last: u64) -> Result<Response, Failure> {
        let request = self.request(Method::GET, "/v1/events").header("last-event-id", last);
        let answer = tokio::time::timeout(LIMIT, request.send()).await;
        let answer = answer.map_err(|_| self.not_reached("no answer in time"))?.map_err(|error| self.failed(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refused(answer).await) }
    }

    /// What an answer means.
    pub(super) fn read<T: DeserializeOwned>(&self, answer: &str) -> Result<T, Failure> {
        serde_json::from_str(answer)
            .map_err(|error| self.not_reached(&format!("what answers is no manager of this version: {error}")))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn ask(&self, request: RequestBuilder) -> Result<String, Failure> {
        let answer = request.timeout(LIMIT).send().await.map_err(|error| self.failed(&error))?;
        if answer.status().is_success() { self.text(answer).await } else { Err(self.refused(answer).await) }
    }

    async fn text(&self, mut answer: Response) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        while let Some(more) = answer.chunk().await.map_err(|error| self.failed(&error))? {
            bytes.extend_from_slice(&more);
            if bytes.len() > LARGEST {
                return Err(self.not_reached("an answer without an end"));
            }
        }
        String::from_utf8(bytes).map_err(|_| self.not_reached("an answer that is no text"))
    }

    async fn refused(&self, answer: Response) -> Failure {
        let status = answer.status();
        let text = self.text(answer).await.unwrap_or_default();
        let problem = serde_json::from_str(&text).map(|Problem { detail }| detail);
        match (status, problem) {
            (StatusCode::UNAUTHORIZED, detail) => Failure::Token(detail.unwrap_or_else(|_| status.to_string())),
            (_, Ok(detail)) => Failure::Refused(detail),
            (_, Err(_)) => self.not_reached(&format!("what answers is no manager: {status}")),
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Failure {
        match error {
            // A token with what no header can hold, most likely.
            error if error.is_builder() => Failure::Usage(reason(error)),
            error if error.is_timeout() => self.not_reached("no answer in time"),
            error => self.not_reached(&reason(error)),
        }
    }

    fn not_reached(&self, why: &str) -> Failure {
        Failure::NotReached(format!("no manager was reached at {}: {why}", self.base))
    }
}

/// The cause of it all: what is above it says no more than that there is one.
pub fn reason(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, String> {
        base(text).map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    #[test]
    fn an_address_is_as_good_as_a_url() {
        for text in ["127.0.0.1:8001", "http://127.0.0.1:8001", "http://127.0.0.1:8001/"] {
            assert_eq!(told(text).as_deref(), Ok("http://127.0.0.1:8001"));
        }
        assert_eq!(told("ops.example/fleet").as_deref(), Ok("http://ops.example/fleet"));
    }

    #[test]
    fn nobody_is_asked_by_what_this_program_does_not_speak() {
        for text in ["https://ops.example", "unix:///run/manager", "http://", "127.0.0.1:port"] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
