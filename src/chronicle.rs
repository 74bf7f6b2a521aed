//! The decision journal, in memory and in its file.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actors::fleet_supervisor::FleetMsg;
use actors::journal::{Entry as Written, Journal};
use actors::model::{Reckoned, Totals};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::moment;
use crate::config::Settings;
use crate::http::Fleet;
use crate::journal_file::{self, JournalFile, Lines, Writing};
use crate::metrics::Metrics;
use crate::operations::Entry;
use crate::policy;

/// What writes the journal into its file.
pub struct Chronicle {
    end: CancellationToken,
    following: JoinHandle<()>,
    writing: Writing,
    lines: Lines,
    /// The number of the last entry.
    last: Arc<AtomicU64>,
    census_interval: Duration,
}

/// How many there are, beside the entries of the journal's file: `plan --journal` goes by it.
#[derive(Serialize)]
struct Census {
    /// That of the entry before it.
    number: u64,
    /// RFC 3339.
    at: String,
    kind: &'static str,
    /// In games and on their way to one.
    players: u32,
    /// Since the census before it: given places, sent to the backup for want of one, and told to come again for that.
    placed: u64,
    turned_away: u64,
    refused: u64,
    /// That are not gone.
    servers: u32,
}

/// An empty journal, and what writes it into a file if there is to be one. Numbers go on where the file ends. What does
/// not get there is counted in the metrics.
///
/// # Errors
/// When the file that is there cannot be read.
pub fn open(settings: &Settings, metrics: &Metrics) -> io::Result<(Journal, Option<Chronicle>)> {
    let memory = settings.journal.memory as usize;
    let Some(file) = policy::journal_file(settings) else { return Ok((Journal::new(memory, 0), None)) };
    let last = journal_file::last_number(&file.path)?.unwrap_or_default();
    let journal = Journal::new(memory, last);
    let chronicle = Chronicle::start(&journal, file, metrics.clone(), settings.journal.census_interval);
    Ok((journal, Some(chronicle)))
}

impl Chronicle {
    /// Writes what is written into the journal from now on into a file, too.
    fn start(journal: &Journal, file: JournalFile, metrics: Metrics, census_interval: Duration) -> Self {
        let (lines, writing) = journal_file::start(file, metrics.clone());
        let (end, last) = (CancellationToken::new(), Arc::new(AtomicU64::new(journal.newest())));
        let follower = Follower { lines: lines.clone(), last: Arc::clone(&last), metrics };
        let following = tokio::spawn(follower.follow(journal.followers().subscribe(), end.clone()));
        Self { end, following, writing, lines, last, census_interval }
    }

    /// Writes a census of this fleet into the file, now and then for ever.
    pub fn take_census(&self, fleet: Fleet) -> impl Future<Output = Infallible> + use<> {
        let (lines, last, interval) = (self.lines.clone(), Arc::clone(&self.last), self.census_interval);
        async move {
            let mut before = Totals::default();
            loop {
                sleep(interval).await;
                // Without an answer there is no census: what was counted is in the next.
                let Ok(reckoned) = fleet.ask(FleetMsg::Reckoned).await else { continue };
                let census = Census::of(&reckoned, before, last.load(Ordering::Relaxed));
                before = reckoned.totals;
                lines.append(serde_json::to_string(&census).unwrap_or_default());
            }
        }
    }

    /// Writes what is left, once the fleet has ended.
    pub async fn finish(self) {
        // Others who follow the journal may hold it open for longer than the fleet does.
        self.end.cancel();
        if let Err(failure) = self.following.await {
            tracing::error!(%failure, "following the journal failed");
        }
        self.writing.finish().await;
    }
}

impl Census {
    fn of(reckoned: &Reckoned, before: Totals, number: u64) -> Self {
        let Reckoned { at, players, servers, totals, .. } = *reckoned;
        // Counted anew, they may be fewer.
        let since = |of: fn(Totals) -> u64| of(totals).saturating_sub(of(before));
        let (placed, turned_away) = (since(|it| it.placed), since(|it| it.turned_away));
        let refused = since(|it| it.refused);
        Self { number, at: moment(at), kind: "census", players, placed, turned_away, refused, servers }
    }
}

/// Who hands on what is written.
struct Follower {
    lines: Lines,
    last: Arc<AtomicU64>,
    metrics: Metrics,
}

impl Follower {
    /// Until it is to end; then what was written by then.
    async fn follow(self, mut journal: Receiver<Arc<Written>>, end: CancellationToken) {
        loop {
            let entry = tokio::select! {
                biased;
                entry = journal.recv() => entry,
                () = end.cancelled() => return,
            };
            match entry {
                Ok(entry) => {
                    self.lines.append(Entry::new(&entry).line());
                    self.last.store(entry.number, Ordering::Relaxed);
                }
                Err(RecvError::Lagged(missed)) => {
                    self.metrics.journal_lines_lost(missed);
                    tracing::error!(missed, "entries of the journal are not in its file");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actors::journal::{Draft, Source};
    use actors::model::Timestamp;

    use super::*;

    #[tokio::test]
    async fn it_ends_with_the_fleet_whoever_follows_the_journal_besides() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::new(10, 0);
        let metrics = Metrics::new(Timestamp::default()).expect("metrics that can be registered");
        let file = JournalFile { path: path.clone(), max_size: 1_000_000, keep: 1 };
        let chronicle = Chronicle::start(&journal, file, metrics, Duration::from_secs(60));
        // An operator's connection that is not read from has one for as long as it lasts.
        let _follower = journal.followers().clone();
        for number in 1..=100 {
            journal.write(Draft::new(Source::Event, "moved", format!("entry {number}")), Timestamp::default());
        }
        drop(journal);
        tokio::time::timeout(Duration::from_secs(30), chronicle.finish()).await.expect("an end");
        let written = std::fs::read_to_string(path).expect("a file");
        assert_eq!(written.lines().count(), 100, "{written}");
    }
}
