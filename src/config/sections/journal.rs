//! What is kept of what the manager decided.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::path;

/// What is kept of what the manager decided.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Journal {
    /// The file it is written to. None: it is kept in memory alone.
    pub path: Option<PathBuf>,
    /// The bytes that the file may have.
    pub max_size: u64,
    /// So many full files are kept beside it.
    pub keep: u32,
    /// So many entries are kept in memory.
    pub memory: u32,
    /// From one census in the file to the next.
    #[serde(deserialize_with = "super::duration")]
    pub census_interval: Duration,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "journal",
    meaning: "What is kept of what the manager decided, and why.",
    settings: &[
        Setting {
            path: "journal.path",
            env: "MANAGER_JOURNAL_PATH",
            default: Unset("journal.jsonl"),
            kind: Kind::Text { allowed: path::ALLOWED, check: path::check },
            meaning: "The file it is written to, one JSON object a line. Not set: it is kept in memory alone.",
        },
        Setting {
            path: "journal.max_size",
            env: "MANAGER_JOURNAL_MAX_SIZE",
            default: Default("10485760"),
            kind: Kind::Integer { unit: "bytes", min: 65_536, max: 1_073_741_824 },
            meaning: "A file that would grow larger than this is put aside as the first of the older ones, `.1`.",
        },
        Setting {
            path: "journal.keep",
            env: "MANAGER_JOURNAL_KEEP",
            default: Default("5"),
            kind: Kind::Integer { unit: "files", min: 0, max: 1000 },
            meaning: "So many older files are kept.",
        },
        Setting {
            path: "journal.memory",
            env: "MANAGER_JOURNAL_MEMORY",
            default: Default("10000"),
            kind: Kind::Integer { unit: "entries", min: 100, max: 1_000_000 },
            meaning: "So many entries are kept in memory, for who asks the manager; 10000 are some 10 MB.",
        },
        Setting {
            path: "journal.census_interval",
            env: "MANAGER_CENSUS_INTERVAL",
            default: Default("1m"),
            kind: Kind::Duration { min: Duration::from_secs(1), max: Duration::from_mins(10) },
            meaning: "How often it is written into the file how many play: plan --journal replays that.",
        },
    ],
};
