//! What was written into the journal, and what was decided by which rule.

use std::sync::Arc;

use actors::journal::{Entry, Source, what};
use actors::model::{Action, CloseReason, Rule, ServerId};
use prometheus::{Error, IntCounter, IntCounterVec};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Metrics;
use super::making::Making;

/// Whether a decision was carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DecisionResult {
    /// The roster took it.
    Done,
    /// The fleet had moved on meanwhile: the next decision sees how.
    Refused,
}

impl DecisionResult {
    const ALL: [Self; 2] = [Self::Done, Self::Refused];

    /// The label's value.
    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// Each action, and the rules by which the scaler takes it. Ends of other reasons are noticed and not decided.
fn decisions() -> [(Action, &'static [Rule]); 5] {
    use CloseReason::{BootOverdue, Drained, HealthOverdue, PlacementOverdue, Silent};
    let any = ServerId::from_number(0);
    [
        (Action::Launch(0), &[Rule::UpscaleMargin, Rule::MinServers, Rule::Rollout]),
        (Action::TakeBack(any), &[Rule::UpscaleMargin, Rule::MinServers]),
        (Action::Standby(any), &[Rule::DownscaleMargin, Rule::Rollout]),
        (Action::Retreat(any), &[Rule::InstanceLeaves]),
        (
            // For the name of the action any reason will do.
            Action::Close(any, Drained),
            &[
                Rule::Ending(Drained),
                Rule::Ending(Silent),
                Rule::Ending(BootOverdue),
                Rule::Ending(PlacementOverdue),
                Rule::Ending(HealthOverdue),
            ],
        ),
    ]
}

#[derive(Clone)]
pub(super) struct JournalMetrics {
    entries: IntCounterVec,
    missed: IntCounter,
    lines_lost: IntCounter,
    not_written: IntCounter,
    decisions: IntCounterVec,
}

impl JournalMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let help = "Entries of the journal, by what they tell of.";
        let entries = making.counters("journal_entries_total", help, &["kind"])?;
        let help = "Entries of the journal that came too fast to be counted in the other metrics.";
        let missed = making.counter("journal_entries_missed_total", help)?;
        let help =
            "Entries of the journal that are not in its file: it could not be written, or not as fast as they came.";
        let lines_lost = making.counter("journal_lines_lost_total", help)?;
        let help = "Tries to write the journal's file that failed; each is repeated until it does not.";
        let not_written = making.counter("journal_file_errors_total", help)?;
        let help = "Decisions of the scaler, by what is done, by the rule that says so and by whether it was done; a \
                    launch of several servers is one.";
        let decided = making.counters("decisions_total", help, &["action", "rule", "result"])?;
        for source in Source::ALL {
            entries.with_label_values(&[source.name()]);
        }
        for (action, rules) in decisions() {
            for (rule, result) in rules.iter().flat_map(|rule| DecisionResult::ALL.map(|result| (rule, result))) {
                decided.with_label_values(&[action.name(), rule.name(), result.name()]);
            }
        }
        Ok(Self { entries, missed, lines_lost, not_written, decisions: decided })
    }
}

impl Metrics {
    /// Something was written into the journal. Decisions are counted, and launches measured, by it as well.
    pub fn entry(&self, entry: &Entry) {
        let draft = &entry.draft;
        self.journal.entries.with_label_values(&[draft.source.name()]).inc();
        if let (Source::Decision, Some(rule)) = (draft.source, draft.rule) {
            let result = if draft.refused.is_none() { DecisionResult::Done } else { DecisionResult::Refused };
            self.decided(draft.what, rule, result);
        }
        if let Some(lead_time) = &draft.lead_time {
            self.launched(lead_time);
        }
        if (draft.source, draft.what) == (Source::Event, what::NOT_LAUNCHED) {
            self.not_launched();
        }
    }

    /// So many entries will not be in the journal's file.
    pub fn journal_lines_lost(&self, lines: u64) {
        self.journal.lines_lost.inc_by(lines);
    }

    /// The journal's file could not be written, this time.
    pub fn journal_not_written(&self) {
        self.journal.not_written.inc();
    }

    /// Counts what is written into the journal, as long as there is one.
    pub async fn follow(self, mut journal: Receiver<Arc<Entry>>) {
        loop {
            match journal.recv().await {
                Ok(entry) => self.entry(&entry),
                Err(RecvError::Lagged(missed)) => self.journal.missed.inc_by(missed),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// The scaler decided something, in the words of [`Action::name`] and [`Rule::name`].
    fn decided(&self, action: &'static str, rule: &'static str, result: DecisionResult) {
        self.journal.decisions.with_label_values(&[action, rule, result.name()]).inc();
    }
}
