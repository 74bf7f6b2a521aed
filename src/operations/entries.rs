//! The decision journal, in JSON.

use std::sync::Arc;

use actors::journal::{Basis, Entry as Written, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::moment;

/// An entry of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Counted from the first entry of all on, over restarts too where the journal has a file.
    number: u64,
    /// When it was written.
    #[schema(format = DateTime)]
    at: String,
    /// Who says it: the scaler decided it (`decision`), the cloud answered to an order (`order`), it happened (`event`), or
    /// somebody wanted it (`operator`).
    kind: &'static str,
    /// What it is, in a word.
    #[schema(example = "close")]
    what: &'static str,
    /// The rule by which it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "drained")]
    rule: Option<&'static str>,
    /// The server it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "server-3")]
    server: Option<String>,
    /// The instance that the server runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The launch that the server came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    launch: Option<u64>,
    /// All of it in a sentence.
    text: String,
    /// `done`, or why not. Left out of what only happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// The numbers it was decided on.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<Figures>,
    /// How long it took, of what took some time, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_seconds: Option<f64>,
}

/// The numbers that a decision was made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Figures {
    servers: u32,
    available: u32,
    standby: u32,
    launching: u32,
    silent: u32,
    free: u32,
    pending: u32,
    doubtful: u32,
    waiting: u32,
    upscale_margin: u32,
    downscale_margin: u32,
}

/// A part of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(super) struct Entries {
    /// Oldest first.
    entries: Vec<Entry>,
    /// The number of the oldest one that is still in memory; 0 if there is none.
    oldest: u64,
    /// The number of the last one that was written; 0 if there is none.
    newest: u64,
}

impl Entry {
    /// As it was written.
    pub fn new(written: &Written) -> Self {
        let draft = &written.draft;
        let only_happened = matches!(draft.source, actors::journal::Source::Event);
        let done = (!only_happened).then(|| "done".to_owned());
        Self {
            number: written.number,
            at: moment(written.at),
            kind: draft.source.name(),
            what: draft.what,
            rule: draft.rule,
            server: draft.server.map(|server| server.to_string()),
            instance: draft.instance.as_ref().map(ToString::to_string),
            launch: draft.launch.map(|launch| launch.0),
            text: draft.text.clone(),
            result: draft.refused.clone().or(done),
            figures: draft.basis.as_ref().map(Figures::from),
            took_seconds: draft.took.map(|took| took.as_secs_f64()),
        }
    }

    /// As a line of a file, without the end of it.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Those of a page.
    pub(super) fn all(written: &[Arc<Written>]) -> Vec<Self> {
        written.iter().map(|entry| Self::new(entry)).collect()
    }
}

impl From<&Basis> for Figures {
    fn from(basis: &Basis) -> Self {
        let figures = &basis.figures;
        Self {
            servers: figures.servers,
            available: figures.available,
            standby: figures.standby,
            launching: figures.launching,
            silent: figures.silent,
            free: figures.free,
            pending: figures.pending,
            doubtful: figures.doubtful,
            waiting: figures.waiting,
            upscale_margin: basis.upscale_margin,
            downscale_margin: basis.downscale_margin,
        }
    }
}

impl From<Page> for Entries {
    fn from(page: Page) -> Self {
        Self { entries: Entry::all(&page.entries), oldest: page.oldest, newest: page.newest }
    }
}
