//! The decision journal, in memory and in its file.

use std::io;
use std::sync::Arc;

use actors::journal::{Entry as Written, Journal};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::journal_file::{self, Lines, Writing};
use crate::operations::Entry;
use crate::policy;

/// What writes the journal into its file.
pub struct Chronicle {
    following: JoinHandle<()>,
    writing: Writing,
}

/// An empty journal, and what writes it into a file if there is to be one. Numbers go on where the file ends.
///
/// # Errors
/// When the file that is there cannot be read.
pub fn open(settings: &Settings) -> io::Result<(Journal, Option<Chronicle>)> {
    let memory = settings.journal.memory as usize;
    let Some(file) = policy::journal_file(settings) else { return Ok((Journal::new(memory, 0), None)) };
    let last = journal_file::last_number(&file.path)?.unwrap_or_default();
    let journal = Journal::new(memory, last);
    let (lines, writing) = journal_file::start(file);
    let following = tokio::spawn(follow(journal.followers().subscribe(), lines));
    Ok((journal, Some(Chronicle { following, writing })))
}

impl Chronicle {
    /// Writes what is left, once the fleet has ended.
    pub async fn finish(self) {
        // It ends with the fleet, whose journal it follows.
        let _ = self.following.await;
        self.writing.finish().await;
    }
}

async fn follow(mut journal: Receiver<Arc<Written>>, lines: Lines) {
    loop {
        match journal.recv().await {
            Ok(entry) => lines.append(Entry::new(&entry).line()),
            Err(RecvError::Lagged(missed)) => tracing::error!(missed, "entries of the journal are not in its file"),
            Err(RecvError::Closed) => return,
        }
    }
}
