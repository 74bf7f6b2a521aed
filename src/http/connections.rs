//! How many connections there may be, and how long each may keep its request back. So a client that sends nothing, or
//! half of something, takes the place of nobody: when there is no more room, whoever has waited longest goes.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinHandle, unconstrained};
use tokio::time::{Instant, sleep_until};

use super::spread::{Spread, ThreadId};
use super::table::{Id, Limits, Mark, Table};

/// How connections are kept; the operator may change it while the daemon runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionRules {
    /// How long a new connection may take to bring its first request, complete up to the body.
    pub header_timeout: Duration,
    /// How long it may take from an answer to the next request.
    pub idle_timeout: Duration,
    /// So many are open at most, besides those that are just being closed.
    pub max_connections: usize,
    /// So many bytes a request may have without its body. Taken by connections that come after a change.
    pub max_head_size: usize,
}

/// From one look at all connections to the next, at least.
const LOOKS_APART: Duration = Duration::from_millis(50);

/// How many connections of a server are open. A clone tells the same.
#[derive(Clone, Debug, Default)]
pub struct OpenConnections(Arc<AtomicUsize>);

impl OpenConnections {
    /// So many.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, table: &Table) {
        self.0.store(table.len(), Ordering::Relaxed);
    }
}

/// The connections of a server.
pub(super) struct Connections {
    rules: watch::Receiver<ConnectionRules>,
    table: Mutex<Table>,
    open: OpenConnections,
    spread: Spread,
    /// Tells whoever waits for it that one waits or is closed by now.
    changed: Notify,
    /// Somebody is to be let in as soon as one waits.
    is_full_of_busy: AtomicBool,
    /// All conversations are to end, and are told so from now on.
    are_to_end: AtomicBool,
}

impl Connections {
    /// None yet.
    pub(super) fn new(rules: watch::Receiver<ConnectionRules>, open: OpenConnections, spread: Spread) -> Arc<Self> {
        let table = Mutex::new(Table::new(Instant::now()));
        Arc::new(Self {
            rules,
            table,
            open,
            spread,
            changed: Notify::new(),
            is_full_of_busy: AtomicBool::new(false),
            are_to_end: AtomicBool::new(false),
        })
    }

    /// Whether somebody has to go before one more can be let in.
    pub(super) fn is_full(&self) -> bool {
        self.table().len() >= self.max()
    }

    /// Lets one in. When there is no room, the one that has waited longest is cut off; while none waits, as all are
    /// being answered, this takes until one does.
    pub(super) async fn admit(self: &Arc<Self>) -> Connection {
        if let Some(connection) = self.try_admit() {
            return connection;
        }
        // Before the next look: whoever waits from then on tells.
        self.is_full_of_busy.store(true, Ordering::SeqCst);
        let connection = loop {
            if let Some(connection) = self.try_admit() {
                break connection;
            }
            self.changed.notified().await;
        };
        self.is_full_of_busy.store(false, Ordering::SeqCst);
        connection
    }

    fn try_admit(self: &Arc<Self>) -> Option<Connection> {
        let max = self.max();
        let mut table = self.table();
        // More than one is too many when the number was lowered and those who were being answered wait now.
        while table.len() >= max {
            table.cut_longest().then_some(())?;
        }
        let (id, mark) = table.open(Instant::now());
        self.open.set(&table);
        let thread = self.spread.take();
        Some(Connection { id, thread, progress: Progress { mark, connections: Arc::clone(self) } })
    }

    /// Waits until each thread has seen what has come on its connections.
    pub(super) async fn turn(&self) {
        self.spread.turn().await;
    }

    /// Cuts off the one that has waited longest.
    pub(super) fn cut_longest(&self) {
        self.table().cut_longest();
    }

    /// Cuts off, for ever, those whose request does not come in time, and those that are too many by new rules.
    pub(super) async fn keep_to_rules(&self) -> Infallible {
        let mut rules = self.rules.clone();
        loop {
            let next = {
                let rules = rules.borrow_and_update();
                let limits = Limits { first: rules.header_timeout, next: rules.idle_timeout };
                let mut table = self.table();
                while table.len() > rules.max_connections && table.cut_longest() {}
                table.cut_overdue(Instant::now(), limits)
            };
            tokio::select! {
                () = sleep_until(next.max(Instant::now() + LOOKS_APART)) => {}
                Ok(()) = rules.changed() => {}
            }
        }
    }

    /// Tells all conversations to end with the request in flight.
    pub(super) fn end(&self) {
        self.are_to_end.store(true, Ordering::SeqCst);
        self.table().end();
    }

    /// Waits until all are closed. Nobody may be let in meanwhile.
    pub(super) async fn all_closed(&self) {
        while self.table().len() > 0 {
            self.changed.notified().await;
        }
    }

    fn max(&self) -> usize {
        self.rules.borrow().max_connections
    }

    /// Every change to the table is whole, so one that panicked left nothing half done.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's place among the connections, which it has until this is dropped or cut off.
pub(super) struct Connection {
    id: Id,
    thread: ThreadId,
    progress: Progress,
}

impl Connection {
    /// Begins a conversation on it, on its own thread, that lasts until it ends by itself or is cut off. It is told when it is
    /// to end.
    pub(super) fn begin<T: Future<Output = ()> + Send + 'static>(
        self,
        talk: impl FnOnce(Self, End) -> T,
    ) -> JoinHandle<()> {
        let (id, thread, connections) = (self.id, self.thread, Arc::clone(&self.progress.connections));
        let (end, told) = oneshot::channel();
        let end_of_talk = End { connections: Arc::clone(&connections), told, listener: None };
        let talk = connections.spread.handle(thread).spawn(talk(self, end_of_talk));
        connections.table().talks(id, talk.abort_handle(), end);
        talk
    }

    /// What its requests tell of themselves by.
    pub(super) const fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let connections = &self.progress.connections;
        let mut table = connections.table();
        table.closed(self.id);
        connections.spread.give_back(self.thread);
        connections.open.set(&table);
        drop(table);
        connections.changed.notify_one();
    }
}

/// Tells how far a connection's request has come.
#[derive(Clone)]
pub(super) struct Progress {
    mark: Arc<Mark>,
    connections: Arc<Connections>,
}

impl Progress {
    /// A request is there, complete. False when the connection was cut off a moment before.
    pub(super) fn answers(&self) -> bool {
        self.mark.answers()
    }

    /// Whether a request is there, complete, and its answer is not.
    pub(super) fn is_being_answered(&self) -> bool {
        self.mark.is_being_answered()
    }

    /// The answer is there, and the next request is due.
    pub(super) fn answered(&self) {
        self.mark.answered(Instant::now());
        if self.connections.is_full_of_busy.load(Ordering::SeqCst) {
            self.connections.changed.notify_one();
        }
    }
}

/// Is ready when a conversation is to end. It is looked at at each turn: so it looks at what all share and nobody changes,
/// and at the channel of its own, which is in no cache when thousands are open, only before that and to be woken.
pub(super) struct End {
    connections: Arc<Connections>,
    told: oneshot::Receiver<Infallible>,
    /// Whom the channel wakes.
    listener: Option<Waker>,
}

impl Future for End {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_woken = self.listener.as_ref().is_some_and(|listener| listener.will_wake(context.waker()));
        if is_woken && !self.connections.are_to_end.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.listener = Some(context.waker().clone());
        // Whoever has used up its turn would not be listened to, and be taken for one who is.
        pin!(unconstrained(&mut self.told)).poll(context).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    fn rules(max_connections: usize) -> ConnectionRules {
        ConnectionRules {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections,
            max_head_size: 8192,
        }
    }

    fn connections(rules: watch::Receiver<ConnectionRules>) -> Arc<Connections> {
        Connections::new(rules, OpenConnections::default(), Spread::over(vec![Handle::current()]))
    }

    #[tokio::test(start_paused = true)]
    async fn with_all_being_answered_a_new_one_waits_for_the_first_answer() {
        let (_sender, rules) = watch::channel(rules(2));
        let connections = connections(rules);
        let (one, other) = (connections.admit().await, connections.admit().await);
        assert!(one.progress().answers() && other.progress().answers());
        assert!(connections.is_full());
        assert!(timeout(MOMENT, connections.admit()).await.is_err(), "there is no room");
        let (third, ()) = tokio::join!(connections.admit(), async { other.progress().answered() });
        assert!(!other.progress().answers() && third.progress().answers() && one.progress().answers());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_closes_makes_room_for_one() {
        let (_sender, rules) = watch::channel(rules(1));
        let connections = connections(rules);
        let busy = connections.admit().await;
        assert!(busy.progress().answers());
        let (next, ()) = tokio::join!(connections.admit(), async { drop(busy) });
        assert!(connections.is_full() && next.progress().answers());
        drop(next);
        connections.all_closed().await;
    }

    #[tokio::test(start_paused = true)]
    async fn new_rules_hold_for_those_who_are_there() {
        let (sender, rules) = watch::channel(rules(10));
        let connections = connections(rules);
        let start = Instant::now();
        let silent = async |connection: Connection, _| {
            let _open = connection;
            std::future::pending::<()>().await;
        };
        let busy = connections.admit().await;
        assert!(busy.progress().answers());
        let (old, young) = (connections.admit().await.begin(silent), connections.admit().await.begin(silent));
        let changes = async {
            tokio::task::yield_now().await;
            sender.send_modify(|rules| rules.max_connections = 2);
            assert!(old.await.is_err_and(|ended| ended.is_cancelled()));
            assert!(start.elapsed().is_zero() && !young.is_finished());
            sender.send_modify(|rules| rules.header_timeout = Duration::from_secs(3));
            assert!(young.await.is_err_and(|ended| ended.is_cancelled()));
        };
        tokio::select! {
            never = connections.keep_to_rules() => match never {},
            () = changes => {}
        }
        assert_eq!((start.elapsed().as_secs(), busy.progress().answers()), (3, true));
    }
}
