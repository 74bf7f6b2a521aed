//! Which thread talks on a connection, for as long as that is open.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// So many connections the first thread has before any other has one. The supervisor is there: with few at once, a request is
/// answered in less time than another thread takes to wake up.
const FEW: usize = 8;

/// The threads that talk with clients, and how many connections each has.
pub(super) struct Spread(Vec<(Handle, AtomicUsize)>);

/// A thread's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ThreadId(usize);

impl Spread {
    /// Over the threads of these runtimes; over those of the one that this is called in, if there are none.
    pub(super) fn over(threads: Vec<Handle>) -> Self {
        let threads = if threads.is_empty() { vec![Handle::current()] } else { threads };
        Self(threads.into_iter().map(|thread| (thread, AtomicUsize::new(0))).collect())
    }

    /// Chooses one for a connection more. Nobody else may choose meanwhile.
    pub(super) fn take(&self) -> ThreadId {
        let open: Vec<usize> = self.0.iter().map(|(_, open)| open.load(Ordering::Relaxed)).collect();
        let id = next(&open);
        self.0[id].1.fetch_add(1, Ordering::Relaxed);
        ThreadId(id)
    }

    /// A connection that it had is closed.
    pub(super) fn give_back(&self, ThreadId(id): ThreadId) {
        self.0[id].1.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until each of them has had a turn: it has seen all that came on its connections before, those that were spawned just
    /// now among them.
    pub(super) async fn turn(&self) {
        for (thread, _) in &self.0 {
            // One that has ended sees nothing more.
            let _ = thread.spawn(yield_now()).await;
        }
    }

    /// Where its tasks are spawned.
    pub(super) fn handle(&self, ThreadId(id): ThreadId) -> &Handle {
        &self.0[id].0
    }
}

/// The number of the one that is to have one more, by how many connections each has.
fn next(open: &[usize]) -> usize {
    let is_few = open.first().is_some_and(|first| *first < FEW);
    let fewest = open.iter().enumerate().min_by_key(|(_, open)| **open);
    fewest.filter(|_| !is_few).map_or(0, |(id, _)| id)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;

    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::threads::Threads;

    /// How many each of so many threads has after so many came.
    fn spread(threads: usize, connections: usize) -> Vec<usize> {
        let mut open = vec![0; threads];
        for _ in 0..connections {
            let next = next(&open);
            open[next] += 1;
        }
        open
    }

    #[test]
    fn few_stay_with_the_supervisor() {
        for threads in 1..5 {
            assert_eq!(spread(threads, FEW)[0], FEW, "of {threads}");
        }
    }

    #[test]
    fn many_are_spread_evenly() {
        assert_eq!(spread(1, 1000), [1000]);
        assert_eq!(spread(2, 1000), [500, 500]);
        assert_eq!(spread(4, 13), [8, 2, 2, 1]);
        assert_eq!(spread(4, 1001), [251, 250, 250, 250]);
    }

    #[tokio::test]
    async fn after_a_turn_all_that_had_come_is_read() {
        let threads = Threads::start().expect("some threads");
        let spread = Spread::over(threads.clients());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        client.write_u8(7).await.expect("it is taken");
        let stream = listener.accept().await.and_then(|(stream, _)| stream.into_std()).expect("a connection");
        let (busy, until) = mpsc::channel::<()>();
        threads.supervisor().spawn(async move { until.recv() });
        let read = threads.supervisor().spawn(async { TcpStream::from_std(stream)?.read_u8().await });
        let mut turn = pin!(spread.turn());
        for _ in 0..10 {
            assert!(turn.as_mut().now_or_never().is_none(), "that thread is busy");
            yield_now().await;
        }
        drop(busy);
        turn.await;
        assert!(read.is_finished());
    }

    #[tokio::test]
    async fn whoever_goes_makes_room() {
        let spread = Spread::over(vec![Handle::current(); 2]);
        let taken: Vec<ThreadId> = (0..FEW + 1).map(|_| spread.take()).collect();
        assert_eq!(taken[FEW], ThreadId(1));
        spread.give_back(ThreadId(0));
        assert_eq!([spread.take(), spread.take()], [ThreadId(0), ThreadId(1)]);
    }
}
