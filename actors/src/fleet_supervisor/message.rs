//! What the supervisor is told and asked.

use std::time::Duration;

use ractor::RpcReplyPort;

use super::{Backlogs, Limits, Refusal};
use crate::inbox::InboxRef;
use crate::journal::{Page, Query};
use crate::model::{
    Address, AllocationId, Booking, BookingRequest, Decision, Margins, Observation, Outcome, Policy, PolicyError,
    Reckoned, Refused, ServerId, Snapshot,
};
use crate::waiting::Ticket;

/// The fleet supervisor.
pub type FleetRef = InboxRef<FleetMsg>;

/// What the fleet supervisor is told and asked. What an operator has done is answered with the fleet as it is then; it is
/// not done for one who waits no more, and was told so.
#[derive(Debug)]
pub enum FleetMsg {
    /// A client asks for a place; it is held for that client. None if no server has one.
    Allocate(RpcReplyPort<Option<Address>>),
    /// A client asks for places that it may come back to, and waits for so long if no server has room for them now.
    Book(BookingRequest, Duration, RpcReplyPort<Result<Booking, Refusal>>),
    /// One who waited has waited long enough.
    WaitOver(Ticket),
    /// What has become of an allocation. None if it is not known.
    Booking(AllocationId, RpcReplyPort<Option<Booking>>),
    /// A client gives back what an allocation still holds. What it was is answered, if it is known.
    Release(AllocationId, RpcReplyPort<Option<Booking>>),
    /// Where the next client would be sent; nothing is held.
    Peek(RpcReplyPort<Option<Address>>),
    /// The addresses of the available servers. None while the cloud was not looked at yet.
    List(RpcReplyPort<Option<Vec<Address>>>),
    /// Whether the cloud was looked at, completely, at least once.
    Ready(RpcReplyPort<bool>),
    /// Game servers answered, or did not: what they said waits to be taken in.
    Reports,
    /// A first part of the cloud was looked at.
    Glimpsed(Observation),
    /// The cloud was looked at.
    Observed(Observation),
    /// An order was carried out, or not, after so long.
    Outcome(Outcome, Duration),
    /// The scaler wants to see the fleet.
    Look,
    /// The scaler decided.
    Commit(Decision),
    /// Look at the cloud now.
    Reconcile,
    /// All that is known of the fleet.
    Snapshot(RpcReplyPort<Box<Snapshot>>),
    /// What margins that set themselves go by.
    Reckoned(RpcReplyPort<Box<Reckoned>>),
    /// The operator's service told these margins.
    Told(Margins),
    /// How many messages wait for the other actors.
    Backlogs(RpcReplyPort<Backlogs>),
    /// A part of the journal.
    Journal(Query, RpcReplyPort<Page>),
    /// The operator sends a server to standby, for good.
    Drain(ServerId, RpcReplyPort<Result<Box<Snapshot>, Refused>>),
    /// The operator has a server take players again.
    Undrain(ServerId, RpcReplyPort<Result<Box<Snapshot>, Refused>>),
    /// The operator wants nothing decided any more, or again.
    Pause(bool, RpcReplyPort<Box<Snapshot>>),
    /// The operator wants other margins until the configuration is read again.
    SetMargins(Limits, RpcReplyPort<Result<Box<Snapshot>, PolicyError>>),
    /// Write the state of the fleet to the log.
    LogState,
    /// The operator wants something else from now on.
    Reload(Box<Policy>),
    /// The manager ends: decide nothing more, and answer when the cloud calls under way are done.
    Finish(RpcReplyPort<()>),
    /// The AWS actor or the scaler has ended. Which, ractor tells, as soon as it has its turn.
    ActorEnded,
    /// The supervisor ends, and all its actors.
    Stop,
}

/// What ractor hands to the supervisor: that it is to read its inbox. It tells itself so, after whatever else ractor had for
/// it.
#[derive(Debug)]
pub struct Read;

impl FleetMsg {
    /// Whether a client asks for a place. Nearly all messages are such.
    pub(super) const fn asks_for_place(&self) -> bool {
        matches!(self, Self::Allocate(_) | Self::Book(..))
    }

    /// Whether there may be room for somebody who waits once it is handled.
    pub(super) const fn may_add_room(&self) -> bool {
        matches!(
            self,
            Self::Glimpsed(_)
                | Self::Observed(_)
                | Self::Commit(_)
                | Self::Undrain(..)
                | Self::SetMargins(..)
                | Self::Reload(_)
        )
    }
}
