//! Where an actor is written to, and how many messages wait there: ractor itself does not tell.

use std::future::pending;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, MessagingErr, RpcReplyPort};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::patience::Patience;

/// The messages that were sent to an actor and not taken by it yet. A clone counts the same ones.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// The actor takes a message.
    pub(crate) fn taken(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn sent(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An actor whose messages are counted: all of them have to be sent here.
#[derive(Debug)]
pub struct Mailbox<M> {
    actor: ActorRef<M>,
    backlog: Backlog,
}

impl<M: Message> Mailbox<M> {
    /// That of this actor, which has to count what it takes in this backlog.
    pub const fn new(actor: ActorRef<M>, backlog: Backlog) -> Self {
        Self { actor, backlog }
    }

    /// How many messages wait to be taken.
    pub fn depth(&self) -> usize {
        self.backlog.0.load(Ordering::Relaxed)
    }

    /// The actor takes a message.
    pub(crate) fn take_one(&self) {
        self.backlog.taken();
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the actor is gone.
    pub fn cast(&self, msg: M) -> Result<(), MessagingErr<M>> {
        self.backlog.sent();
        self.actor.cast(msg)
    }

    /// Asks something, for so long at most.
    ///
    /// # Errors
    /// When the actor is gone.
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
    /// When the actor is gone.
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
    pub(crate) fn send_after(&self, pause: Duration, msg: impl FnOnce() -> M + Send + 'static) -> AbortHandle {
        let backlog = self.backlog.clone();
        let counted = move || {
            backlog.sent();
            msg()
        };
        self.actor.send_after(pause, counted).abort_handle()
    }
}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), backlog: self.backlog.clone() }
    }
}

/// What else can be done with an actor.
impl<M> Deref for Mailbox<M> {
    type Target = ActorRef<M>;

    fn deref(&self) -> &ActorRef<M> {
        &self.actor
    }
}
