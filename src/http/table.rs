//! Who is connected and waits for what since when: decided without a clock, a lock or a socket.
//!
//! A connection tells of itself in a [`Mark`] of its own, twice a request and beside all others; only who comes, goes or is
//! cut off changes the [`Table`].

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A connection's number, given in the order of their coming.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Id(u64);

/// Which request a connection is to bring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    /// Its first one.
    First,
    /// One after an answer.
    Next,
}

/// How long each request may take to arrive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The first one.
    pub(super) first: Duration,
    /// One after an answer.
    pub(super) next: Duration,
}

/// It does not wait: its request is being answered.
const ANSWERS: u64 = u64::MAX - 1;

/// It has to go.
const CUT: u64 = u64::MAX;

/// What a connection waits for, and since when.
pub(super) struct Mark {
    /// Microseconds from `epoch` on, and which request is due in the lowest bit; or one of the two above.
    waits: AtomicU64,
    epoch: Instant,
}

impl Mark {
    /// Its request is there, complete. False when it was cut off before: then nobody is answered.
    pub(super) fn answers(&self) -> bool {
        self.set(ANSWERS)
    }

    /// Its request was answered, and the next one is due.
    pub(super) fn answered(&self, now: Instant) {
        self.set(waits(self.epoch, Due::Next, now));
    }

    /// Whether its request is there, complete, and its answer is not.
    pub(super) fn is_being_answered(&self) -> bool {
        self.waits.load(Ordering::Relaxed) == ANSWERS
    }

    fn set(&self, waits: u64) -> bool {
        let set = |before| (before != CUT).then_some(waits);
        self.waits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set).is_ok()
    }

    /// Whether it has to go.
    #[cfg(test)]
    pub(super) fn is_cut(&self) -> bool {
        self.waits.load(Ordering::SeqCst) == CUT
    }

    /// None while it does not wait.
    fn waits(&self) -> Option<u64> {
        Some(self.waits.load(Ordering::SeqCst)).filter(|waits| *waits < ANSWERS)
    }
}

fn waits(epoch: Instant, due: Due, now: Instant) -> u64 {
    let micros = u64::try_from(now.duration_since(epoch).as_micros()).unwrap_or(u64::MAX >> 2);
    micros << 1 | due as u64
}

struct Open {
    mark: Arc<Mark>,
    /// None before its conversation begins.
    talk: Option<Talk>,
}

/// A conversation.
struct Talk {
    /// Aborted when it has to go.
    task: AbortHandle,
    /// Let go of when it is to end by itself.
    end: Option<oneshot::Sender<Infallible>>,
}

/// The connections that are open. One that is cut off is no longer among them, though it may need a moment to close.
pub(super) struct Table {
    epoch: Instant,
    opened: u64,
    open: HashMap<Id, Open>,
    /// All that waited when this was last empty, by what their marks said: the longest at the end. Who has begun to wait
    /// since has not waited as long as any of them.
    longest: Vec<(u64, Id)>,
}

impl Table {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, opened: 0, open: HashMap::new(), longest: Vec::new() }
    }

    /// Takes in a connection that has brought no request yet.
    pub(super) fn open(&mut self, now: Instant) -> (Id, Arc<Mark>) {
        self.opened += 1;
        let id = Id(self.opened);
        let waits = AtomicU64::new(waits(self.epoch, Due::First, now));
        let mark = Arc::new(Mark { waits, epoch: self.epoch });
        self.open.insert(id, Open { mark: Arc::clone(&mark), talk: None });
        (id, mark)
    }

    /// Its conversation has begun: that is aborted when it has to go, and at once if it had to go before.
    pub(super) fn talks(&mut self, id: Id, task: AbortHandle, end: oneshot::Sender<Infallible>) {
        match self.open.get_mut(&id) {
            Some(open) => open.talk = Some(Talk { task, end: Some(end) }),
            None => task.abort(),
        }
    }

    /// All conversations are to end.
    pub(super) fn end(&mut self) {
        for talk in self.open.values_mut().filter_map(|open| open.talk.as_mut()) {
            talk.end = None;
        }
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// It is closed.
    pub(super) fn closed(&mut self, id: Id) {
        self.open.remove(&id);
    }

    /// Cuts off the one that has waited longest, whatever for. False when none waits.
    pub(super) fn cut_longest(&mut self) -> bool {
        self.cut_longest_known() || {
            let waiting = self.open.iter().filter_map(|(id, open)| Some((open.mark.waits()?, *id)));
            self.longest = waiting.collect();
            self.longest.sort_unstable_by(|one, other| other.cmp(one));
            self.cut_longest_known()
        }
    }

    fn cut_longest_known(&mut self) -> bool {
        while let Some((waits, id)) = self.longest.pop() {
            if self.cut(id, waits) {
                return true;
            }
        }
        false
    }

    /// Cuts off those whose request is overdue. None is before the moment that it gives.
    pub(super) fn cut_overdue(&mut self, now: Instant, limits: Limits) -> Instant {
        let mut earliest = now + limits.first.min(limits.next);
        let mut overdue = Vec::new();
        for (id, open) in &self.open {
            let Some(waits) = open.mark.waits() else { continue };
            let limit = if waits & 1 == Due::First as u64 { limits.first } else { limits.next };
            let until = self.epoch + Duration::from_micros(waits >> 1) + limit;
            if until <= now {
                overdue.push((waits, *id));
            } else {
                earliest = earliest.min(until);
            }
        }
        for (waits, id) in overdue {
            self.cut(id, waits);
        }
        earliest
    }

    /// Cuts one off, if it still waits for the same.
    fn cut(&mut self, id: Id, waits: u64) -> bool {
        let Some(open) = self.open.get(&id) else { return false };
        let is_cut = open.mark.waits.compare_exchange(waits, CUT, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if is_cut && let Some(Open { talk: Some(talk), .. }) = self.open.remove(&id) {
            talk.task.abort();
        }
        is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { first: Duration::from_secs(10), next: Duration::from_secs(60) };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_one_that_has_waited_longest_goes_first_whatever_it_waits_for() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let (_, answered) = table.open(start);
        let (_, silent) = table.open(start + seconds(1));
        assert!(answered.answers());
        answered.answered(start + seconds(2));
        let (_, late) = table.open(start + seconds(3));
        for next in [silent, answered, late] {
            assert!(!next.is_cut() && table.cut_longest() && next.is_cut());
        }
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }

    #[test]
    fn who_is_answered_while_others_go_has_not_waited_as_long_as_they() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let (_, first) = table.open(start);
        let (_, busy) = table.open(start);
        let (_, last) = table.open(start + seconds(1));
        assert!(busy.answers() && table.cut_longest() && first.is_cut() && !first.answers());
        busy.answered(start + seconds(2));
        assert!(table.cut_longest() && last.is_cut() && !busy.is_cut());
        // One of those that were known to wait has been answered meanwhile, and waits again.
        let (_, known) = table.open(start + seconds(3));
        let (_, other) = table.open(start + seconds(4));
        assert!(table.cut_longest() && busy.is_cut());
        assert!(known.answers());
        known.answered(start + seconds(5));
        assert!(table.cut_longest() && other.is_cut() && !known.is_cut());
        assert!(table.cut_longest() && known.is_cut() && !table.cut_longest());
    }

    #[test]
    fn one_that_is_being_answered_is_never_cut_off() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let (_, busy) = table.open(start);
        assert!(busy.answers());
        assert!(!table.cut_longest());
        table.cut_overdue(start + seconds(3600), LIMITS);
        assert_eq!((table.len(), busy.is_cut()), (1, false));
    }

    #[test]
    fn one_that_was_cut_off_is_not_answered_any_more() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let (id, gone) = table.open(start);
        assert!(table.cut_longest());
        assert!(!gone.answers());
        gone.answered(start);
        table.closed(id);
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }

    #[test]
    fn each_request_has_its_own_limit_and_the_next_look_is_at_the_earliest() {
        let start = Instant::now();
        let mut table = Table::new(start);
        assert_eq!(table.cut_overdue(start, LIMITS), start + seconds(10));
        let (_, kept) = table.open(start);
        let (_, silent) = table.open(start + seconds(5));
        assert!(kept.answers());
        kept.answered(start + seconds(1));
        assert_eq!(table.cut_overdue(start + seconds(14), LIMITS), start + seconds(15));
        assert!(!silent.is_cut());
        assert_eq!(table.cut_overdue(start + seconds(15), LIMITS), start + seconds(25));
        assert!(silent.is_cut() && !kept.is_cut());
        table.cut_overdue(start + seconds(61), LIMITS);
        assert!(kept.is_cut());
    }

    #[tokio::test]
    async fn one_that_has_to_go_before_its_conversation_begins_goes_then() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let ((early, _), (late, _)) = (table.open(start), table.open(start));
        let talk = || tokio::spawn(std::future::pending::<()>());
        let (early_talk, late_talk) = (talk(), talk());
        table.talks(late, late_talk.abort_handle(), oneshot::channel().0);
        assert!(table.cut_longest() && table.cut_longest());
        table.talks(early, early_talk.abort_handle(), oneshot::channel().0);
        for talk in [early_talk, late_talk] {
            assert!(talk.await.is_err_and(|ended| ended.is_cancelled()));
        }
    }

    #[test]
    fn one_that_closes_by_itself_leaves_nothing_behind() {
        let start = Instant::now();
        let mut table = Table::new(start);
        let (waiting, _) = table.open(start);
        let (answering, busy) = table.open(start);
        assert!(busy.answers());
        table.closed(waiting);
        table.closed(answering);
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }
}
