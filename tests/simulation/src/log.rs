//! The log of a day: each event a line. What is kept of it is its digest, the last events, and, if wanted, the whole.

use std::collections::VecDeque;
use std::fmt::Write;

use actors::model::Timestamp;

use crate::event::{Event, clock};

/// How many of the last events are told with a broken rule.
const LAST: usize = 50;

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    lines: u64,
    digest: Fnv,
    last: VecDeque<String>,
    whole: Option<String>,
    line: String,
}

/// The 64-bit FNV-1a hash (RFC 9923): the same in every build, unlike the standard library's.
#[derive(Debug)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Log {
    /// A log that keeps all its lines, or only the last ones.
    pub fn new(keep_whole: bool) -> Self {
        Self { whole: keep_whole.then(String::new), ..Self::default() }
    }

    /// Writes an event down.
    pub fn write(&mut self, at: Timestamp, event: &Event) {
        self.line.clear();
        // Writing to a string does not fail.
        let _ = writeln!(self.line, "{} {event}", clock(at));
        for byte in self.line.bytes() {
            self.digest.0 = (self.digest.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.lines += 1;
        if let Some(whole) = &mut self.whole {
            whole.push_str(&self.line);
        }
        if !event.is_routine() {
            if self.last.len() == LAST {
                self.last.pop_front();
            }
            self.last.push_back(self.line.trim_end().to_owned());
        }
    }

    /// Lines written, and a number that tells two logs apart.
    pub const fn digest(&self) -> (u64, u64) {
        (self.lines, self.digest.0)
    }

    /// The last events that were no routine.
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    /// All of it, if it was kept.
    pub fn into_whole(self) -> Option<String> {
        self.whole
    }
}
