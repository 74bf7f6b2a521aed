//! The decision journal, in memory and in its file.

use std::io;
use std::sync::Arc;

use actors::journal::{Entry as Written, Journal};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::journal_file::{self, JournalFile, Lines, Writing};
use crate::metrics::Metrics;
use crate::operations::Entry;
use crate::policy;

/// What writes the journal into its file.
pub struct Chronicle {
    end: CancellationToken,
    following: JoinHandle<()>,
    writing: Writing,
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
    let chronicle = Chronicle::start(&journal, file, metrics.clone());
    Ok((journal, Some(chronicle)))
}

impl Chronicle {
    /// Writes what is written into the journal from now on into a file, too.
    fn start(journal: &Journal, file: JournalFile, metrics: Metrics) -> Self {
        let (lines, writing) = journal_file::start(file, metrics.clone());
        let end = CancellationToken::new();
        let following = tokio::spawn(follow(journal.followers().subscribe(), lines, end.clone(), metrics));
        Self { end, following, writing }
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

/// Hands over what is written, until it is to end; then what was written by then.
async fn follow(mut journal: Receiver<Arc<Written>>, lines: Lines, end: CancellationToken, metrics: Metrics) {
    loop {
        let entry = tokio::select! {
            biased;
            entry = journal.recv() => entry,
            () = end.cancelled() => return,
        };
        match entry {
            Ok(entry) => lines.append(Entry::new(&entry).line()),
            Err(RecvError::Lagged(missed)) => {
                metrics.journal_lines_lost(missed);
                tracing::error!(missed, "entries of the journal are not in its file");
            }
            Err(RecvError::Closed) => return,
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
        let chronicle = Chronicle::start(&journal, file, metrics);
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
