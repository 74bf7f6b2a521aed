//! The decision journal: each decision with the numbers it was made on, the rule that made it, and what became of it.
//!
//! The last entries are kept in memory; whoever follows (a file, a stream, metrics) is handed each as it is written.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::model::{Figures, InstanceId, LaunchOrdinal, LeadTime, Margins, ServerId, Subject, Timestamp};

/// Entries that a follower may fall behind before it misses some, and is told so: a fleet of ten thousand that is seen
/// for the first time is written down without a pause, an entry or two a server.
const FOLLOWERS_LAG: usize = 32_768;

/// Who has something to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The scaler decided it.
    Decision,
    /// The cloud answered to an order.
    Order,
    /// It happened.
    Event,
    /// The operator wanted it.
    Operator,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Decision, Self::Order, Self::Event, Self::Operator];

    /// A word for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Order => "order",
            Self::Event => "event",
            Self::Operator => "operator",
        }
    }
}

/// The numbers that a decision was made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Basis {
    /// What was counted.
    pub figures: Figures,
    /// Below so many free and pending places the fleet was to grow.
    pub upscale_margin: u32,
    /// Above so many free places it was to shrink.
    pub downscale_margin: u32,
}

impl Basis {
    /// The figures of a decision, beside the margins then.
    pub const fn new(figures: Figures, Margins { upscale, downscale }: Margins) -> Self {
        Self { figures, upscale_margin: upscale, downscale_margin: downscale }
    }
}

/// The words of [`Draft::what`] that those who follow go by.
pub mod what {
    /// Servers are launched, or the cloud was asked to launch them.
    pub const LAUNCH: &str = "launch";
    /// The cloud was asked to place a task.
    pub const PLACE: &str = "place";
    /// A launch came to serve.
    pub const LAUNCHED: &str = "launched";
    /// A launch came to nothing.
    pub const NOT_LAUNCHED: &str = "not-launched";
}

/// What is to be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Who says it.
    pub source: Source,
    /// What it is, in a word: `launch`, `close`, `moved`, …
    pub what: &'static str,
    /// The rule by which it was decided.
    pub rule: Option<&'static str>,
    /// The server it is about.
    pub server: Option<ServerId>,
    /// The instance that the server runs on.
    pub instance: Option<InstanceId>,
    /// The launch that the server came of.
    pub launch: Option<LaunchOrdinal>,
    /// All of it in a sentence.
    pub text: String,
    /// Why it was not done, if it was not. None also for what only happened.
    pub refused: Option<String>,
    /// The numbers it was decided on.
    pub basis: Option<Basis>,
    /// How long it took, of what took some time.
    pub took: Option<Duration>,
    /// Each stage of it, of a launch that came to serve.
    pub lead_time: Option<LeadTime>,
}

impl Draft {
    /// A sentence from someone, about nobody yet.
    pub const fn new(source: Source, what: &'static str, text: String) -> Self {
        Self {
            source,
            what,
            rule: None,
            server: None,
            instance: None,
            launch: None,
            text,
            refused: None,
            basis: None,
            took: None,
            lead_time: None,
        }
    }

    /// The same about a server.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        let Subject { server, instance, launch } = subject;
        Self { server: Some(server), instance, launch, ..self }
    }
}

/// What was written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Counted from the first entry of all on.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub draft: Draft,
}

/// Which entries are meant: those that fit all that is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Only those after this number.
    pub after: Option<u64>,
    /// So many at most: the oldest of them if `after` is given, else the last.
    pub limit: usize,
    /// Only what this one says.
    pub source: Option<Source>,
    /// Only those about this server.
    pub server: Option<ServerId>,
    /// Only those about this instance.
    pub instance: Option<InstanceId>,
}

/// A part of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The entries, oldest first.
    pub entries: Vec<Arc<Entry>>,
    /// The number of the oldest entry that is still known; 0 if there is none.
    pub oldest: u64,
    /// The number of the last one that was written; 0 if there is none.
    pub newest: u64,
}

/// The last entries, and those who follow.
#[derive(Debug)]
pub struct Journal {
    entries: VecDeque<Arc<Entry>>,
    written: u64,
    capacity: usize,
    followers: broadcast::Sender<Arc<Entry>>,
}

impl Journal {
    /// An empty one that keeps so many entries at most, and numbers them from the one after `written` on.
    pub fn new(capacity: usize, written: u64) -> Self {
        let followers = broadcast::Sender::new(FOLLOWERS_LAG);
        Self { entries: VecDeque::new(), written, capacity: capacity.max(1), followers }
    }

    /// Those who follow: each gets all entries from when it subscribes.
    pub const fn followers(&self) -> &broadcast::Sender<Arc<Entry>> {
        &self.followers
    }

    /// The number of the last entry; 0 if there is none.
    pub const fn newest(&self) -> u64 {
        self.written
    }

    /// Writes an entry.
    pub fn write(&mut self, draft: Draft, at: Timestamp) {
        self.written += 1;
        let entry = Arc::new(Entry { number: self.written, at, draft });
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(Arc::clone(&entry));
        // Nobody may follow.
        let _ = self.followers.send(entry);
    }

    /// The entries that are meant.
    pub fn read(&self, query: &Query) -> Page {
        let fits = |entry: &&Arc<Entry>| {
            let draft = &entry.draft;
            query.source.is_none_or(|source| draft.source == source)
                && (query.server.is_none() || draft.server == query.server)
                && (query.instance.is_none() || draft.instance == query.instance)
        };
        let entries = if let Some(after) = query.after {
            let next = self.entries.partition_point(|entry| entry.number <= after);
            self.entries.range(next..).filter(fits).take(query.limit).cloned().collect()
        } else {
            let mut last: Vec<_> = self.entries.iter().filter(fits).rev().take(query.limit).cloned().collect();
            last.reverse();
            last
        };
        let oldest = self.entries.front().map_or(0, |entry| entry.number);
        Page { entries, oldest, newest: self.written }
    }
}

impl Default for Journal {
    /// For fleets that nobody asks about their past.
    fn default() -> Self {
        Self::new(1000, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(capacity: usize, entries: u64) -> Journal {
        let mut journal = Journal::new(capacity, 0);
        for number in 1..=entries {
            let draft = Draft::new(Source::Event, "moved", format!("entry {number}"));
            let subject = Subject { server: ServerId::from_number(number % 3), instance: None, launch: None };
            journal.write(draft.about(subject), Timestamp::from_secs(number));
        }
        journal
    }

    fn numbers(journal: &Journal, query: &Query) -> Vec<u64> {
        journal.read(query).entries.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn the_oldest_go_when_it_is_full() {
        let journal = journal(5, 12);
        let page = journal.read(&Query { limit: 100, ..Query::default() });
        assert_eq!((page.entries.len(), page.oldest, page.newest), (5, 8, 12));
    }

    #[test]
    fn it_is_read_from_its_end_or_on_from_an_entry() {
        let journal = journal(100, 12);
        assert_eq!(numbers(&journal, &Query { limit: 3, ..Query::default() }), [10, 11, 12]);
        assert_eq!(numbers(&journal, &Query { after: Some(4), limit: 3, ..Query::default() }), [5, 6, 7]);
        assert_eq!(numbers(&journal, &Query { after: Some(12), limit: 3, ..Query::default() }), [0; 0]);
        let from_the_first = Query { after: Some(0), limit: 3, ..Query::default() };
        assert_eq!(numbers(&journal, &from_the_first), [1, 2, 3]);
        let about = Query { server: Some(ServerId::from_number(0)), limit: 2, ..Query::default() };
        assert_eq!(numbers(&journal, &about), [9, 12]);
    }

    #[test]
    fn numbers_go_on_where_an_earlier_journal_ended() {
        let mut journal = Journal::new(10, 41);
        let mut follower = journal.followers().subscribe();
        journal.write(Draft::new(Source::Operator, "pause", String::new()), Timestamp::default());
        assert_eq!(follower.try_recv().map(|entry| entry.number), Ok(42));
    }
}
