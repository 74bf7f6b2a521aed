//! Asking a service of the operator's for the margins: `scaling.policy = "webhook"`.
//!
//! It is sent what margins that set themselves go by, as a JSON object by `POST`, and answers with
//! `{"upscale_margin": 40, "downscale_margin": 120}`; without the second the two are as close as hold still. What it told
//! last holds for `scaling.webhook_keep`, then the margins of the configuration do.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use actors::fleet_supervisor::FleetMsg;
use actors::model::{Margins, Reckoned};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::api::moment;
use crate::http::{Fleet, Unanswered};
use crate::metrics::Metrics;
use crate::operate::reason;

/// An answer has some fifty bytes; whoever sends more than this is not read to the end.
const MAX_ANSWER: usize = 16 * 1024;

/// More places than any fleet here has; so much the settings allow, too.
const MOST_PLACES: u32 = 1_000_000;

/// Whom to ask, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookRules {
    /// Where it is.
    pub url: Url,
    /// Between two questions.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What it is sent.
#[derive(Serialize)]
struct Question<'a> {
    /// The fleet's name.
    fleet: &'a str,
    /// When this was so, RFC 3339.
    now: String,
    /// In games and on their way to one.
    players: u32,
    /// Players a second.
    arrivals_per_second: f64,
    departures_per_second: f64,
    /// The variance of arrivals over their mean.
    dispersion: f64,
    /// Players who came together, at most, of late.
    largest_party: u32,
    /// The p95 of the last launches; null before the first.
    lead_time_seconds: Option<f64>,
    server_capacity: u32,
    /// The margins in force.
    upscale_margin: u32,
    downscale_margin: u32,
}

/// What it answers. What else it says is its own business.
#[derive(Deserialize)]
struct Answer {
    upscale_margin: u32,
    downscale_margin: Option<u32>,
}

/// Why there are no margins.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Fleet(#[from] Unanswered),
    #[error("{}", reason(.0))]
    Http(#[from] reqwest::Error),
    #[error("it answered {0}, not 200")]
    Status(StatusCode),
    #[error("its answer has more than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("its answer is not {{\"upscale_margin\": 40, \"downscale_margin\": 120}}: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error(
        "its margins {upscale} and {downscale} are too close, or above {MOST_PLACES}: the second less the first must be above the server capacity, {capacity}"
    )]
    Margins { upscale: u32, downscale: u32, capacity: u32 },
}

/// Who asks.
pub struct Webhook {
    client: Client,
    fleet: Fleet,
    name: String,
    rules: watch::Receiver<Option<WebhookRules>>,
    metrics: Metrics,
    /// The last question was in vain: that is logged once.
    failed: bool,
}

impl Webhook {
    /// For the fleet of this name, by these rules.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub fn new(
        fleet: Fleet,
        name: String,
        rules: watch::Receiver<Option<WebhookRules>>,
        metrics: Metrics,
    ) -> reqwest::Result<Self> {
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?;
        Ok(Self { client, fleet, name, rules, metrics, failed: false })
    }

    /// Asks for ever, while there is somebody to ask, and tells the fleet.
    pub async fn ask(mut self) -> Infallible {
        let mut changes = self.rules.clone();
        loop {
            let rules = changes.borrow_and_update().clone();
            tokio::select! {
                () = self.ask_by(rules) => {}
                // Of another service nothing is known yet.
                Ok(()) = changes.changed() => self.failed = false,
            }
        }
    }

    /// Asks, and waits until it is time to ask again.
    async fn ask_by(&mut self, rules: Option<WebhookRules>) {
        let Some(rules) = rules else { return pending().await };
        let told = self.ask_once(&rules).await;
        self.metrics.webhook_asked(told.is_ok());
        let WebhookRules { url, interval, .. } = rules;
        match &told {
            Err(error) if !self.failed => {
                tracing::warn!(%url, %error, "the webhook tells no margins: its last ones hold for a while");
            }
            Ok(()) if self.failed => tracing::info!(%url, "the webhook tells margins again"),
            _ => {}
        }
        self.failed = told.is_err();
        sleep(interval).await;
    }

    async fn ask_once(&self, rules: &WebhookRules) -> Result<(), Failure> {
        let reckoned = self.fleet.ask(FleetMsg::Reckoned).await?;
        let question = serde_json::to_vec(&question(&self.name, &reckoned))?;
        let asked = self.client.post(rules.url.clone()).timeout(rules.timeout).body(question);
        let asked = asked.header(CONTENT_TYPE, "application/json").send().await?;
        let answer = serde_json::from_slice(&body(asked).await?)?;
        Ok(self.fleet.tell(FleetMsg::Told(margins(&answer, reckoned.server_capacity)?))?)
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    if response.status() != StatusCode::OK {
        return Err(Failure::Status(response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(Failure::TooLong);
        }
    }
    Ok(body)
}

fn question<'a>(fleet: &'a str, reckoned: &Reckoned) -> Question<'a> {
    Question {
        fleet,
        now: moment(reckoned.at),
        players: reckoned.players,
        arrivals_per_second: reckoned.arrivals,
        departures_per_second: reckoned.departures,
        dispersion: reckoned.dispersion,
        largest_party: reckoned.largest_party,
        lead_time_seconds: reckoned.lead_time.map(|lead_time| lead_time.as_secs_f64()),
        server_capacity: reckoned.server_capacity,
        upscale_margin: reckoned.margins.upscale,
        downscale_margin: reckoned.margins.downscale,
    }
}

/// Those that hold still, as the settings are held to.
fn margins(answer: &Answer, capacity: u32) -> Result<Margins, Failure> {
    let Answer { upscale_margin: upscale, downscale_margin } = *answer;
    let close = Margins::above(upscale.min(MOST_PLACES), capacity);
    let downscale = downscale_margin.unwrap_or(close.downscale);
    let fits = upscale <= MOST_PLACES && downscale <= 2 * MOST_PLACES && downscale > upscale.saturating_add(capacity);
    if fits { Ok(Margins { upscale, downscale }) } else { Err(Failure::Margins { upscale, downscale, capacity }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Margins, String> {
        let answer = serde_json::from_str(text).map_err(|error| Failure::from(error).to_string())?;
        margins(&answer, 10).map_err(|error| error.to_string())
    }

    #[test]
    fn an_answer_has_margins_that_hold_still() {
        assert_eq!(
            read(r#"{"upscale_margin": 40, "downscale_margin": 51}"#),
            Ok(Margins { upscale: 40, downscale: 51 })
        );
        assert_eq!(read(r#"{"upscale_margin": 40, "why": "friday"}"#), Ok(Margins { upscale: 40, downscale: 52 }));
        for (text, error) in [
            ("{}", "its answer is not {\"upscale_margin\": 40, \"downscale_margin\": 120}: missing field"),
            (r#"{"upscale_margin": -1}"#, "its answer is not"),
            (r#"{"upscale_margin": 40, "downscale_margin": 50}"#, "its margins 40 and 50 are too close"),
            (r#"{"upscale_margin": 1000001}"#, "its margins 1000001 and 1000012 are too close, or above 1000000"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.starts_with(error), "{text}: {told}");
        }
    }
}
