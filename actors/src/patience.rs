//! How long somebody waits for an answer that nearly always comes at once.
//!
//! To set a timer and to call it off takes a lock of the runtime's, each time. Timers that were not needed are kept for the
//! next who waits on the same thread: one that rings too early, for one who came before, is set again then.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// Timers that a thread keeps, at most.
const SPARE: usize = 1024;

thread_local! {
    /// Not in use, and each of the runtime that it was set in.
    static TIMERS: RefCell<Vec<(Id, Timer)>> = const { RefCell::new(Vec::new()) };
}

type Timer = Pin<Box<Sleep>>;

/// Is ready when a time has come.
pub(crate) struct Patience {
    until: Instant,
    timer: Option<(Id, Timer)>,
}

impl Patience {
    /// Until then.
    pub(crate) fn until(until: Instant) -> Self {
        let here = Handle::current().id();
        let spare = TIMERS.with_borrow_mut(|timers| {
            // One of another runtime may never ring again.
            while timers.pop_if(|(of, _)| *of != here).is_some() {}
            timers.pop()
        });
        let (_, mut timer) = spare.unwrap_or_else(|| (here, Box::pin(sleep_until(until))));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        Self { until, timer: Some((here, timer)) }
    }
}

impl Future for Patience {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        let Some((_, timer)) = &mut self.timer else { return Poll::Ready(()) };
        ready!(timer.as_mut().poll(context));
        if timer.deadline() < until {
            timer.as_mut().reset(until);
            ready!(timer.as_mut().poll(context));
        }
        self.timer = None;
        Poll::Ready(())
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            // A thread that ends has none to keep.
            let _ = TIMERS.try_with(|timers| {
                let mut timers = timers.borrow_mut();
                if timers.len() < SPARE {
                    timers.push(timer);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn spare() -> usize {
        TIMERS.with_borrow(Vec::len)
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_not_needed_serves_the_next_who_waits_and_rings_in_time_for_it() {
        let start = Instant::now();
        let limit = Duration::from_millis(500);
        let asked = async {
            tokio::select! {
                biased;
                () = Patience::until(Instant::now() + limit) => false,
                () = tokio::task::yield_now() => true,
            }
        };
        assert!(asked.await && spare() == 1);
        advance(Duration::from_millis(400)).await;
        let patience = Patience::until(Instant::now() + limit);
        assert_eq!(spare(), 0);
        patience.await;
        assert_eq!(start.elapsed(), Duration::from_millis(900));
        assert_eq!(spare(), 0, "one that has rung is not kept");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_less_long_than_the_one_before_is_not_kept_waiting() {
        let start = Instant::now();
        tokio::select! {
            biased;
            () = Patience::until(Instant::now() + Duration::from_secs(60)) => {}
            () = tokio::task::yield_now() => {}
        }
        Patience::until(Instant::now() + Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[test]
    fn a_timer_of_a_runtime_that_has_ended_is_never_used() {
        for _ in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    biased;
                    () = Patience::until(Instant::now() + Duration::from_secs(60)) => {}
                    () = tokio::task::yield_now() => {}
                }
                Patience::until(Instant::now() + Duration::from_secs(1)).await;
            });
        }
        assert_eq!(spare(), 0);
    }
}
