//! The inbox of an actor that is asked ten thousands of times a second. It reads that itself, while it handles one message of
//! ractor's: by ractor's own mailbox each message is boxed and admitted, and between two of them it listens at four ports.

use std::future::{pending, poll_fn};
use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{MessagingErr, RpcReplyPort};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, unconstrained, yield_now};
use tokio::time::{Instant, sleep};

use crate::mailbox::Backlog;
use crate::patience::Patience;

/// So many messages are read at once, at most, before others have their turn on that thread.
const AT_ONCE: u32 = 1024;

/// An inbox, and where it is written to.
pub fn channel<M: Send + 'static>() -> (InboxRef<M>, Inbox<M>) {
    let (queue, messages) = unbounded_channel();
    let backlog = Backlog::default();
    (InboxRef { queue, backlog: backlog.clone() }, Inbox { messages, read_at_once: 0, backlog })
}

/// The end that is read.
#[derive(Debug)]
pub struct Inbox<M> {
    messages: UnboundedReceiver<M>,
    read_at_once: u32,
    backlog: Backlog,
}

impl<M> Inbox<M> {
    /// The next message. None when nobody is left who could send one.
    pub async fn next(&mut self) -> Option<M> {
        if self.read_at_once == AT_ONCE {
            self.read_at_once = 0;
            yield_now().await;
        }
        self.read_at_once += 1;
        let next = poll_fn(|context| {
            let next = self.messages.poll_recv(context);
            if next.is_pending() {
                self.read_at_once = 0;
            }
            next
        });
        // tokio would take its turn away after a hundred, and put it behind all who ask: each of those had to wait twice then.
        let message = unconstrained(next).await;
        if message.is_some() {
            self.backlog.taken();
        }
        message
    }
}

/// The end that is written to. A clone is the same.
#[derive(Debug)]
pub struct InboxRef<M> {
    queue: UnboundedSender<M>,
    backlog: Backlog,
}

impl<M: Send + 'static> InboxRef<M> {
    /// How many messages wait to be read.
    pub fn depth(&self) -> usize {
        self.backlog.depth()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the inbox is gone.
    pub fn cast(&self, msg: M) -> Result<(), MessagingErr<M>> {
        self.backlog.sent();
        self.queue.send(msg).map_err(|SendError(msg)| MessagingErr::SendErr(msg))
    }

    /// Asks something, for so long at most.
    ///
    /// # Errors
    /// When the inbox is gone.
    pub async fn call<T: Send + 'static>(
        &self,
        question: impl FnOnce(RpcReplyPort<T>) -> M,
        limit: Option<Duration>,
    ) -> Result<CallResult<T>, MessagingErr<M>> {
        self.call_until(question, limit.map(|limit| Instant::now() + limit)).await
    }

    /// Asks something, and waits for the answer until then at most.
    ///
    /// # Errors
    /// When the inbox is gone.
    pub async fn call_until<T: Send + 'static>(
        &self,
        question: impl FnOnce(RpcReplyPort<T>) -> M,
        until: Option<Instant>,
    ) -> Result<CallResult<T>, MessagingErr<M>> {
        let (reply_to, answer) = oneshot::channel();
        self.cast(question(reply_to.into()))?;
        let late = async {
            match until {
                Some(until) => Patience::until(until).await,
                None => pending().await,
            }
        };
        Ok(tokio::select! {
            biased;
            answer = answer => answer.map_or(CallResult::SenderError, CallResult::Success),
            () = late => CallResult::Timeout,
        })
    }

    /// Sends a message later, unless that is called off.
    pub(crate) fn send_after(&self, pause: Duration, msg: M) -> AbortHandle {
        let inbox = self.clone();
        let sending = async move {
            sleep(pause).await;
            // Nobody is left whom it would concern.
            let _ = inbox.cast(msg);
        };
        tokio::spawn(sending).abort_handle()
    }
}

impl<M> Clone for InboxRef<M> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), backlog: self.backlog.clone() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn messages_are_read_in_the_order_of_their_coming_and_counted_until_then() {
        let (writer, mut inbox) = channel();
        let another = writer.clone();
        for (number, writer) in [&writer, &another, &writer].into_iter().enumerate() {
            writer.cast(number).expect("it is read");
        }
        assert_eq!(another.depth(), 3);
        for number in 0..3 {
            assert_eq!(inbox.next().await, Some(number));
        }
        assert_eq!(writer.depth(), 0);
        drop(inbox);
        assert!(matches!(writer.cast(7), Err(MessagingErr::SendErr(7))));
    }

    #[tokio::test]
    async fn others_have_their_turn_while_messages_never_end_but_not_after_a_hundred() {
        let (writer, mut inbox) = channel();
        for number in 0..2 * AT_ONCE {
            writer.cast(number).expect("it is read");
        }
        let mut read = async || {
            let mut read = 0;
            while inbox.next().now_or_never().is_some() {
                read += 1;
            }
            read
        };
        assert_eq!(read().await, AT_ONCE);
        assert_eq!(read().await, AT_ONCE);
    }
}
