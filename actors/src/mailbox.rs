//! Where an actor is written to, and how many messages wait there: ractor itself does not tell.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ractor::{ActorRef, Message, MessagingErr};

/// The messages that were sent to an actor and not taken by it yet. A clone counts the same ones.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// How many there are.
    pub(crate) fn depth(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The actor takes a message.
    pub(crate) fn taken(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The actor is sent a message.
    pub(crate) fn sent(&self) {
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
        self.backlog.depth()
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
