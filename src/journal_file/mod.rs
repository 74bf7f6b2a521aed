//! The file of the decision journal: a line of JSON an entry, appended as they come, in files of limited size.
//!
//! Whoever has a line hands it over and never waits: a task takes the lines, many at once, and writes them where the
//! runtime has its blocking work. A file that cannot be written, as its disk is full or its folder missing, stops
//! nothing: it is tried again, while lines wait in a queue, and those that the queue has no room for are counted.

mod appending;
mod last_number;
#[cfg(test)]
mod tests;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

pub use appending::JournalFile;
use appending::NotAppended;
pub(crate) use appending::numbered;
pub use last_number::last_number;

/// Lines that wait at most: as many as the journal's followers may be behind. An entry has some 500 bytes, so that these
/// are 16 MB.
const QUEUE: usize = 32_768;

/// Lines that are written at once at most.
const BATCH: usize = 1000;

/// Before a file that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the task that writes this file. What is lost is counted there.
pub fn start(file: JournalFile, metrics: Metrics) -> (Lines, Writing) {
    let (sender, queue) = mpsc::channel(QUEUE);
    let (lost, end) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
    let lines = Lines { queue: sender, lost: Arc::clone(&lost), metrics: metrics.clone() };
    let file = Arc::new(file);
    let writer = Writer { file, queue, batch: Vec::new(), lost, metrics, told: None, end: end.clone() };
    (lines, Writing { end, task: tokio::spawn(writer.run()) })
}

/// Where lines are handed over.
#[derive(Clone)]
pub struct Lines {
    queue: mpsc::Sender<Arc<str>>,
    /// Lines that were lost since that was told.
    lost: Arc<AtomicU64>,
    metrics: Metrics,
}

impl Lines {
    /// Hands over a line, without its end. Never waits: one that there is no room for is lost, and counted.
    pub fn append(&self, line: impl Into<Arc<str>>) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(line.into()) {
            self.metrics.journal_lines_lost(1);
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!("more lines for the journal's file than are written: from here on some are lost");
            }
        }
    }
}

/// The task that writes.
#[derive(Debug)]
pub struct Writing {
    end: CancellationToken,
    task: JoinHandle<()>,
}

impl Writing {
    /// Takes no more lines, and writes those that were handed over. What cannot be written then is lost, and told. A disk
    /// that hangs makes this hang.
    pub async fn finish(self) {
        self.end.cancel();
        if let Err(failure) = self.task.await {
            tracing::error!(%failure, "writing the journal's file failed");
        }
    }
}

/// Writes the lines.
struct Writer {
    file: Arc<JournalFile>,
    queue: mpsc::Receiver<Arc<str>>,
    /// Taken from the queue, and not written yet.
    batch: Vec<Arc<str>>,
    lost: Arc<AtomicU64>,
    metrics: Metrics,
    /// What was told last of why the file cannot be written; None while it can.
    told: Option<String>,
    end: CancellationToken,
}

impl Writer {
    async fn run(mut self) {
        while self.next_batch().await {
            while !self.write().await {
                if self.end.is_cancelled() {
                    return self.give_up();
                }
                // The end is worth one more try, for the file may be back.
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    () = self.end.cancelled() => {}
                }
            }
            if self.queue.is_empty() {
                self.tell_lost();
            }
        }
    }

    /// Waits for lines. False when there will be none any more.
    async fn next_batch(&mut self) -> bool {
        let taken = tokio::select! {
            // Once told to end, it is to end, however many lines keep coming.
            biased;
            () = self.end.cancelled() => {
                self.queue.close();
                self.queue.recv_many(&mut self.batch, BATCH).await
            }
            taken = self.queue.recv_many(&mut self.batch, BATCH) => taken,
        };
        taken > 0
    }

    /// Writes the batch. False if some of it is still to be written.
    async fn write(&mut self) -> bool {
        let (file, mut lines) = (Arc::clone(&self.file), mem::take(&mut self.batch));
        let count = lines.len();
        let written = spawn_blocking(move || {
            let result = file.append(&mut lines);
            (lines, result)
        });
        match written.await {
            Ok((left, result)) => {
                self.batch = left;
                self.tell(result)
            }
            Err(failure) => {
                tracing::error!(%failure, "writing the journal's file failed");
                self.lose(count);
                true
            }
        }
    }

    /// Tells what is new in the outcome, and says whether it was good.
    fn tell(&mut self, outcome: Result<(), NotAppended>) -> bool {
        let path = self.file.path.display();
        match (outcome, &self.told) {
            (Ok(()), None) => true,
            (Ok(()), Some(_)) => {
                tracing::info!(%path, "the journal's file is written again");
                self.told = None;
                true
            }
            (Err(error), told) => {
                self.metrics.journal_not_written();
                let error = error.to_string();
                if told.as_ref() != Some(&error) {
                    tracing::error!(%path, %error, "the journal's file cannot be written; it is tried again");
                    self.told = Some(error);
                }
                false
            }
        }
    }

    fn tell_lost(&self) {
        let lines = self.lost.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "so many lines of the journal's file were lost");
        }
    }

    /// What is left is lost.
    fn give_up(mut self) {
        self.queue.close();
        self.lose(self.batch.len() + self.queue.len());
        self.tell_lost();
    }

    fn lose(&self, lines: usize) {
        self.metrics.journal_lines_lost(lines as u64);
        self.lost.fetch_add(lines as u64, Ordering::Relaxed);
    }
}
