//! What became of the questions for margins.

use prometheus::{Error, IntCounterVec};

use super::Metrics;
use super::making::Making;

#[derive(Clone)]
pub(super) struct WebhookMetrics {
    questions: IntCounterVec,
}

impl WebhookMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help =
            "Questions for margins to the service in scaling.webhook_url, by whether it told some that can hold.";
        let questions = making.counters("webhook_questions_total", help, &["result"])?;
        for told in [true, false] {
            questions.with_label_values(&[result(told)]);
        }
        Ok(Self { questions })
    }
}

const fn result(told: bool) -> &'static str {
    if told { "told" } else { "failed" }
}

impl Metrics {
    /// The service was asked, and told margins that can hold, or did not.
    pub fn webhook_asked(&self, told: bool) {
        self.webhook.questions.with_label_values(&[result(told)]).inc();
    }
}
