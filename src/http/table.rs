//! Who is connected and waits for what since when: decided without a clock, a lock or a socket.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

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

struct Open {
    /// What it is to bring, and since when; none while its request is being answered.
    waits: Option<(Due, Instant)>,
    /// Cancelled when it has to go.
    cut: CancellationToken,
}

/// The connections that are open. One that is cut off is no longer among them, though it may need a moment to close.
#[derive(Default)]
pub(super) struct Table {
    opened: u64,
    open: HashMap<Id, Open>,
    /// Those whose first request is due, longest first.
    first: BTreeSet<(Instant, Id)>,
    /// Those whose next request is due, longest first.
    next: BTreeSet<(Instant, Id)>,
}

impl Table {
    /// Takes in a connection that has brought no request yet. The token tells it to go.
    pub(super) fn open(&mut self, now: Instant) -> (Id, CancellationToken) {
        self.opened += 1;
        let id = Id(self.opened);
        let cut = CancellationToken::new();
        self.open.insert(id, Open { waits: None, cut: cut.clone() });
        self.wait(id, Due::First, now);
        (id, cut)
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Its request is there, complete. False when it was cut off before: then nobody is answered.
    pub(super) fn answers(&mut self, id: Id) -> bool {
        self.forget_wait(id);
        self.open.contains_key(&id)
    }

    /// Its request was answered, and the next one is due.
    pub(super) fn answered(&mut self, id: Id, now: Instant) {
        self.wait(id, Due::Next, now);
    }

    /// It is closed.
    pub(super) fn closed(&mut self, id: Id) {
        self.forget_wait(id);
        self.open.remove(&id);
    }

    /// Cuts off the one that has waited longest, whatever for. False when none waits.
    pub(super) fn cut_longest(&mut self) -> bool {
        let longest = [self.first.first(), self.next.first()].into_iter().flatten().min();
        let Some(&(_, id)) = longest else { return false };
        self.cut(id);
        true
    }

    /// Cuts off those whose request is overdue. None is before the moment that it gives.
    pub(super) fn cut_overdue(&mut self, now: Instant, limits: Limits) -> Instant {
        let first = self.cut_overdue_of(Due::First, now, limits.first);
        let next = self.cut_overdue_of(Due::Next, now, limits.next);
        first.min(next)
    }

    fn cut_overdue_of(&mut self, due: Due, now: Instant, limit: Duration) -> Instant {
        while let Some(&(since, id)) = self.queue(due).first() {
            if since + limit > now {
                return since + limit;
            }
            self.cut(id);
        }
        now + limit
    }

    fn cut(&mut self, id: Id) {
        self.forget_wait(id);
        if let Some(open) = self.open.remove(&id) {
            open.cut.cancel();
        }
    }

    fn wait(&mut self, id: Id, due: Due, now: Instant) {
        if let Some(open) = self.open.get_mut(&id) {
            open.waits = Some((due, now));
            self.queue(due).insert((now, id));
        }
    }

    fn forget_wait(&mut self, id: Id) {
        if let Some((due, since)) = self.open.get_mut(&id).and_then(|open| open.waits.take()) {
            self.queue(due).remove(&(since, id));
        }
    }

    const fn queue(&mut self, due: Due) -> &mut BTreeSet<(Instant, Id)> {
        match due {
            Due::First => &mut self.first,
            Due::Next => &mut self.next,
        }
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
        let (mut table, start) = (Table::default(), Instant::now());
        let (answered, answered_cut) = table.open(start);
        let (_, silent_cut) = table.open(start + seconds(1));
        assert!(table.answers(answered));
        table.answered(answered, start + seconds(2));
        let (_, late_cut) = table.open(start + seconds(3));
        for cut in [silent_cut, answered_cut, late_cut] {
            assert!(!cut.is_cancelled() && table.cut_longest() && cut.is_cancelled());
        }
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }

    #[test]
    fn one_that_is_being_answered_is_never_cut_off() {
        let (mut table, start) = (Table::default(), Instant::now());
        let (id, cut) = table.open(start);
        assert!(table.answers(id));
        assert!(!table.cut_longest());
        table.cut_overdue(start + seconds(3600), LIMITS);
        assert_eq!((table.len(), cut.is_cancelled()), (1, false));
    }

    #[test]
    fn one_that_was_cut_off_is_not_answered_any_more() {
        let (mut table, start) = (Table::default(), Instant::now());
        let (id, _) = table.open(start);
        assert!(table.cut_longest());
        assert!(!table.answers(id));
        table.answered(id, start);
        table.closed(id);
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }

    #[test]
    fn each_request_has_its_own_limit_and_the_next_look_is_at_the_earliest() {
        let (mut table, start) = (Table::default(), Instant::now());
        assert_eq!(table.cut_overdue(start, LIMITS), start + seconds(10));
        let (kept, kept_cut) = table.open(start);
        let (_, silent_cut) = table.open(start + seconds(5));
        assert!(table.answers(kept));
        table.answered(kept, start + seconds(1));
        assert_eq!(table.cut_overdue(start + seconds(14), LIMITS), start + seconds(15));
        assert!(!silent_cut.is_cancelled());
        assert_eq!(table.cut_overdue(start + seconds(15), LIMITS), start + seconds(25));
        assert!(silent_cut.is_cancelled() && !kept_cut.is_cancelled());
        table.cut_overdue(start + seconds(61), LIMITS);
        assert!(kept_cut.is_cancelled());
    }

    #[test]
    fn one_that_closes_by_itself_leaves_nothing_behind() {
        let (mut table, start) = (Table::default(), Instant::now());
        let (waiting, _) = table.open(start);
        let (answering, _) = table.open(start);
        assert!(table.answers(answering));
        table.closed(waiting);
        table.closed(answering);
        assert_eq!((table.len(), table.cut_longest()), (0, false));
    }
}
