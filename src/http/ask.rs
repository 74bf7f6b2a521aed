//! Asking the supervisor, with a time limit. When it does not answer, the backup stands in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, FleetRef, Refusal};
use actors::model::{Address, AllocationId, Booking, BookingRequest, NotBooked};
use arc_swap::ArcSwap;
use ractor::RpcReplyPort;
use ractor::rpc::CallResult;
use thiserror::Error;
use tokio::time::Instant;

use crate::metrics::{AllocationOutcome, Api, Metrics, Patience};
use crate::traces::{Request, Traces};

/// How clients are answered; the operator may change it while the daemon runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerRules {
    /// Where clients go when no place is free.
    pub backup: Address,
    /// How long the supervisor may take.
    pub timeout: Duration,
    /// How long a client may wait for a place.
    pub max_wait: Duration,
    /// So many may wait at once: whoever waits is not cut off for a new client, and there has to be room for those.
    pub max_waiting: usize,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Unanswered {
    /// It did not come in time.
    #[error("the fleet does not answer in time")]
    Late,
    /// The supervisor is gone.
    #[error("the fleet does not answer")]
    Gone,
}

/// The fleet, as the handlers see it. A clone is the same, and costs nothing: each request has its own.
#[derive(Clone)]
pub struct Fleet(Arc<Asked>);

struct Asked {
    supervisor: FleetRef,
    rules: Arc<ArcSwap<AnswerRules>>,
    metrics: Metrics,
    traces: Traces,
    /// How many wait for a place.
    waiting: AtomicUsize,
}

/// A client that waits, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fleet {
    /// Asks this supervisor, by these rules. Answers are counted and traced there.
    pub fn new(supervisor: FleetRef, rules: Arc<ArcSwap<AnswerRules>>, metrics: Metrics, traces: Traces) -> Self {
        Self(Arc::new(Asked { supervisor, rules, metrics, traces, waiting: AtomicUsize::default() }))
    }

    /// A client that asked for a place is turned away without the fleet being asked.
    pub fn turned_away(&self, api: Api, outcome: AllocationOutcome) {
        self.0.metrics.turned_away(api, outcome);
    }

    /// Where requests are traced.
    pub fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// Where the client is to play; the place is held for it.
    pub async fn allocate(&self, trace: &mut Request) -> Address {
        let request = self.0.metrics.allocation(Api::V0, Patience::None);
        trace.asks();
        let (answer, took) = self.ask_at(request.begun(), FleetMsg::Allocate, Duration::ZERO).await;
        trace.is_told();
        let outcome = match answer {
            Ok(Some(_)) => AllocationOutcome::Placed,
            Ok(None) => AllocationOutcome::Backup,
            Err(_) => AllocationOutcome::Timeout,
        };
        request.answered(outcome, took);
        trace.tell("outcome", || outcome.name().to_owned());
        if let Ok(Some(address)) = &answer {
            trace.tell("address", || address.to_string());
        }
        answer.ok().flatten().unwrap_or_else(|| self.backup())
    }

    /// Places that the client may come back to, waited for as long as it likes.
    ///
    /// # Errors
    /// When the fleet does not answer.
    pub async fn book(
        &self,
        request: BookingRequest,
        patience: Duration,
        trace: &mut Request,
    ) -> Result<Result<Booking, Refusal>, Unanswered> {
        let waiting = if patience.is_zero() { None } else { self.may_wait() };
        let patience = if waiting.is_some() { patience } else { Duration::ZERO };
        let measured = self.0.metrics.allocation(Api::V1, patience.into());
        trace.asks();
        let book = |reply_to| FleetMsg::Book(request, patience, reply_to);
        let (answer, took) = self.ask_at(measured.begun(), book, patience).await;
        trace.is_told();
        let outcome = match answer {
            Ok(Ok(_)) => AllocationOutcome::Placed,
            Ok(Err(Refusal::NotBooked { why: NotBooked::NoRoom, .. })) => AllocationOutcome::NoCapacity,
            Ok(Err(Refusal::NotBooked { .. })) => AllocationOutcome::Refused,
            Ok(Err(Refusal::UnderWay)) => AllocationOutcome::Conflict,
            Err(_) => AllocationOutcome::Timeout,
        };
        measured.answered(outcome, took);
        trace.tell("outcome", || outcome.name().to_owned());
        if let Ok(Ok(booking)) = &answer {
            let Booking { id, server, seats, .. } = booking;
            trace.tell("allocation", || id.to_string());
            trace.tell("server", || server.to_string());
            tracing::debug!(allocation = %id, %server, seats, trace_id = trace.id(), "allocated");
        }
        answer
    }

    /// One more may wait, if there are not too many. Who would be one too many is answered at once.
    fn may_wait(&self) -> Option<Waiting<'_>> {
        let before = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.0.waiting);
        (before < self.0.rules.load().max_waiting).then_some(waiting)
    }

    /// What has become of an allocation.
    ///
    /// # Errors
    /// When the fleet does not answer.
    pub async fn booking(&self, id: AllocationId) -> Result<Option<Booking>, Unanswered> {
        self.ask(|reply_to| FleetMsg::Booking(id, reply_to)).await
    }

    /// Gives an allocation's places back.
    ///
    /// # Errors
    /// When the fleet does not answer.
    pub async fn release(&self, id: AllocationId) -> Result<Option<Booking>, Unanswered> {
        self.ask(|reply_to| FleetMsg::Release(id, reply_to)).await
    }

    /// Where a client would be sent; nothing is held.
    pub async fn peek(&self) -> Address {
        self.ask(FleetMsg::Peek).await.ok().flatten().unwrap_or_else(|| self.backup())
    }

    /// The available servers; the backup alone while they are not known.
    pub async fn list(&self) -> Vec<Address> {
        self.ask(FleetMsg::List).await.ok().flatten().unwrap_or_else(|| vec![self.backup()])
    }

    /// Whether the cloud was looked at, completely, at least once. None if the supervisor does not answer.
    pub async fn is_ready(&self) -> Option<bool> {
        self.ask(FleetMsg::Ready).await.ok()
    }

    /// The server that stands in.
    pub fn backup(&self) -> Address {
        self.0.rules.load().backup.clone()
    }

    /// How long a client may wait for a place.
    pub fn max_wait(&self) -> Duration {
        self.0.rules.load().max_wait
    }

    /// Asks a question that is answered at once.
    ///
    /// # Errors
    /// When the fleet does not answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(RpcReplyPort<T>) -> FleetMsg,
    ) -> Result<T, Unanswered> {
        self.ask_at(Instant::now(), question, Duration::ZERO).await.0
    }

    /// How many messages wait for the supervisor.
    pub fn backlog(&self) -> usize {
        self.0.supervisor.depth()
    }

    /// Tells it something that nothing is answered to.
    ///
    /// # Errors
    /// When the fleet is gone.
    pub fn tell(&self, msg: FleetMsg) -> Result<(), Unanswered> {
        self.0.supervisor.cast(msg).map_err(|_| Unanswered::Gone)
    }

    /// Asks a question now, as the caller's clock says, and tells how long the answer took as well: a clock is read no more
    /// often than needed.
    async fn ask_at<T: Send + 'static>(
        &self,
        now: Instant,
        question: impl FnOnce(RpcReplyPort<T>) -> FleetMsg,
        patience: Duration,
    ) -> (Result<T, Unanswered>, Duration) {
        let limit = self.0.rules.load().timeout;
        let answer = self.0.supervisor.call_until(question, Some(now + patience + limit)).await;
        let took = now.elapsed();
        // Of a client that waits for a place the answer waits for the fleet, not in the mailbox.
        if patience.is_zero() {
            self.0.metrics.supervisor_answered(took);
        }
        let answer = match answer {
            Ok(CallResult::Success(answer)) => Ok(answer),
            Ok(CallResult::Timeout) => {
                tracing::warn!(?limit, "the fleet does not answer in time");
                Err(Unanswered::Late)
            }
            Ok(CallResult::SenderError) | Err(_) => {
                tracing::error!("the fleet does not answer: it is gone");
                Err(Unanswered::Gone)
            }
        };
        (answer, took)
    }
}
