//! Looks at the cloud and carries orders out, many at once. Its mailbox never waits for the cloud: each call runs in
//! a task of its own, with a time limit, and what came of it goes to the supervisor as a message.
//!
//! What cannot be asked yet waits in line, the most urgent first. A cloud that is asked too often is looked at
//! less often, before anything else has to wait for it.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::line::Line;
use crate::mailbox::{Backlog, Mailbox};
use crate::model::{Observation, Order, Outcome, Timestamp};
use crate::ports::{Clock, Cloud, CloudError};

/// The next look after something changed in the cloud: soon, and once for all that changes together.
const SOON: Duration = Duration::from_millis(500);

/// How often the pause between two looks is doubled while the cloud is asked too often: eight times the usual one, within
/// what still counts as a recent look.
const MOST_DOUBLINGS: u32 = 3;

/// The AWS actor.
pub type AwsRef = Mailbox<AwsMsg>;

/// What the AWS actor is told.
#[derive(Debug)]
pub enum AwsMsg {
    /// Carry an order out.
    Carry(Order),
    /// One more order may be under way.
    Room(OwnedSemaphorePermit),
    /// An order was carried out, or not, after so long.
    Carried(Outcome, Duration),
    /// Look at the whole cloud now.
    Look,
    /// A look ended.
    Looked(Result<Observation, CloudError>),
    /// Call at another pace from now on.
    Pace(CallPace),
    /// Start nothing more, and answer when the orders under way are done.
    Finish(RpcReplyPort<()>),
}

/// How often the cloud is looked at, and how patiently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallPace {
    /// From the end of one look to the next.
    pub interval: Duration,
    /// How long an order or a look may take.
    pub timeout: Duration,
}

/// What the AWS actor is made of.
pub struct AwsArgs {
    /// The cloud.
    pub cloud: Arc<dyn Cloud>,
    /// What time it is.
    pub clock: Clock,
    /// How often it is looked at.
    pub pace: CallPace,
    /// Orders under way at once; shared by those that come after a restart.
    pub permits: Arc<Semaphore>,
    /// Who is told.
    pub fleet: FleetRef,
    /// Until the first look.
    pub begins_after: Duration,
}

impl AwsActor {
    /// Starts one under this supervisor.
    pub async fn spawn(args: AwsArgs, supervisor: ActorCell) -> Result<AwsRef, SpawnErr> {
        let backlog = Backlog::default();
        let (actor, _) = Actor::spawn_linked(None, Self, (args, backlog.clone()), supervisor).await?;
        Ok(Mailbox::new(actor, backlog))
    }
}

/// What the AWS actor keeps.
pub struct AwsState {
    me: AwsRef,
    args: AwsArgs,
    /// The wait for the next look, and when it ends; none while one is under way.
    next_look: Option<(JoinHandle<()>, Instant)>,
    /// It has begun its first look.
    has_looked: bool,
    /// Asked to look while a look was under way, which may have missed what happened since.
    look_again: bool,
    /// Looks in a row that could not be completed.
    failed_looks: u32,
    /// Looks in a row before or in which the cloud said that it is asked too often.
    throttled_looks: u32,
    /// The cloud said so since the last look.
    throttled: bool,
    /// Orders that were given and not carried out yet, those in line too.
    under_way: usize,
    /// Orders for which there is no room yet.
    line: Line,
    /// Somebody waits for room, for the first in line.
    awaits_room: bool,
    /// The manager ends: no order is started any more.
    finishing: bool,
    finished: Option<RpcReplyPort<()>>,
}

/// The actor.
pub struct AwsActor;

impl Actor for AwsActor {
    type Msg = AwsMsg;
    type State = AwsState;
    type Arguments = (AwsArgs, Backlog);

    async fn pre_start(
        &self,
        me: ActorRef<AwsMsg>,
        (args, backlog): (AwsArgs, Backlog),
    ) -> Result<AwsState, ActorProcessingErr> {
        let begins_after = args.begins_after;
        let mut state = AwsState {
            me: Mailbox::new(me, backlog),
            args,
            next_look: None,
            has_looked: false,
            look_again: false,
            failed_looks: 0,
            throttled_looks: 0,
            throttled: false,
            under_way: 0,
            line: Line::default(),
            awaits_room: false,
            finishing: false,
            finished: None,
        };
        state.look_after(begins_after);
        Ok(state)
    }

    async fn handle(&self, _: ActorRef<AwsMsg>, msg: AwsMsg, state: &mut AwsState) -> Result<(), ActorProcessingErr> {
        state.me.take_one();
        match msg {
            AwsMsg::Carry(order) => state.carry(order),
            AwsMsg::Room(permit) => state.room(permit),
            AwsMsg::Carried(outcome, took) => state.carried(outcome, took),
            AwsMsg::Look => state.look(),
            AwsMsg::Looked(seen) => state.looked(seen),
            AwsMsg::Pace(pace) => state.args.pace = pace,
            AwsMsg::Finish(reply_to) => state.finish(reply_to),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<AwsMsg>, state: &mut AwsState) -> Result<(), ActorProcessingErr> {
        if let Some((wait, _)) = state.next_look.take() {
            wait.abort();
        }
        Ok(())
    }
}

impl AwsState {
    fn carry(&mut self, order: Order) {
        if self.finishing {
            return;
        }
        tracing::info!(?order, "order");
        self.under_way += 1;
        match Arc::clone(&self.args.permits).try_acquire_owned() {
            Ok(permit) if self.line.is_empty() => self.begin(order, permit),
            _ => {
                self.line.push(order);
                self.await_room();
            }
        }
    }

    fn await_room(&mut self) {
        if self.awaits_room || self.line.is_empty() {
            return;
        }
        self.awaits_room = true;
        let (permits, me) = (Arc::clone(&self.args.permits), self.me.clone());
        tokio::spawn(async move {
            // The semaphore is never closed; an actor that is gone leaves the room to the one after it.
            if let Ok(permit) = permits.acquire_owned().await {
                let _ = me.cast(AwsMsg::Room(permit));
            }
        });
    }

    fn room(&mut self, permit: OwnedSemaphorePermit) {
        self.awaits_room = false;
        if let Some(order) = self.line.pop() {
            self.begin(order, permit);
        }
        self.await_room();
    }

    fn begin(&self, order: Order, permit: OwnedSemaphorePermit) {
        let (cloud, limit) = (Arc::clone(&self.args.cloud), self.args.pace.timeout);
        let me = self.me.clone();
        let (asked, begun_at) = (order.clone(), Instant::now());
        let call = tokio::spawn(async move {
            let _permit = permit;
            let late = CloudError::Unanswered(format!("nothing within {limit:?}"));
            match timeout(limit, carry_out(&*cloud, asked.clone())).await {
                Ok(outcome) => outcome,
                Err(_) => failed(asked, late),
            }
        });
        tokio::spawn(async move {
            let outcome =
                call.await.unwrap_or_else(|failure| failed(order, CloudError::Unanswered(failure.to_string())));
            // An actor that is gone has been replaced: the order is given again in time.
            let _ = me.cast(AwsMsg::Carried(outcome, begun_at.elapsed()));
        });
    }

    fn carried(&mut self, outcome: Outcome, took: Duration) {
        self.under_way -= 1;
        match outcome.error() {
            Some(error) => tracing::warn!(kind = error.kind(), %error, ?outcome, "order failed"),
            None => tracing::debug!(?outcome, "order carried out"),
        }
        self.throttled |= matches!(outcome.error(), Some(CloudError::Throttled(_)));
        let _ = self.args.fleet.cast(FleetMsg::Outcome(outcome, took));
        self.look_soon();
        self.answer_when_finished();
    }

    fn look_after(&mut self, pause: Duration) {
        if let Some((wait, _)) = self.next_look.take() {
            wait.abort();
        }
        let me = self.me.clone();
        let wait = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // An actor that is gone looks no more.
            let _ = me.cast(AwsMsg::Look);
        });
        self.next_look = Some((wait, Instant::now() + pause));
    }

    fn look_soon(&mut self) {
        let may_hasten = !self.throttled && self.throttled_looks == 0;
        if may_hasten && self.next_look.as_ref().is_some_and(|(_, at)| *at > Instant::now() + SOON) {
            self.look_after(SOON);
        }
    }

    fn look(&mut self) {
        let Some((wait, _)) = self.next_look.take() else {
            self.look_again = true;
            return;
        };
        wait.abort();
        self.look_again = false;
        let (cloud, limit, begun_at) = (Arc::clone(&self.args.cloud), self.args.pace.timeout, self.args.clock.now());
        if !std::mem::replace(&mut self.has_looked, true) {
            self.glimpse(begun_at);
        }
        let me = self.me.clone();
        let call = tokio::spawn(async move {
            let late = CloudError::Unanswered(format!("the fleet could not be read within {limit:?}"));
            timeout(limit, cloud.observe(begun_at)).await.unwrap_or(Err(late))
        });
        tokio::spawn(async move {
            let seen = call.await.unwrap_or_else(|failure| Err(CloudError::Unanswered(failure.to_string())));
            let _ = me.cast(AwsMsg::Looked(seen));
        });
    }

    /// A large fleet is not read at once; part of it is enough to answer the first clients.
    fn glimpse(&self, begun_at: Timestamp) {
        let (cloud, limit, fleet) = (Arc::clone(&self.args.cloud), self.args.pace.timeout, self.args.fleet.clone());
        tokio::spawn(async move {
            match timeout(limit, cloud.glimpse(begun_at)).await {
                Ok(Ok(Some(part))) => {
                    let _ = fleet.cast(FleetMsg::Glimpsed(part));
                }
                Ok(Ok(None)) => {}
                // The whole look says more, at its end.
                Ok(Err(error)) => tracing::debug!(%error, "no first part of the fleet"),
                Err(_) => tracing::debug!("no first part of the fleet in time"),
            }
        });
    }

    fn looked(&mut self, seen: Result<Observation, CloudError>) {
        self.throttled |= matches!(seen, Err(CloudError::Throttled(_)));
        self.throttled_looks = if self.throttled { self.throttled_looks.saturating_add(1) } else { 0 };
        self.throttled = false;
        match seen {
            Ok(observation) => {
                if self.failed_looks > 0 {
                    tracing::info!(failed_looks = self.failed_looks, "the cloud can be read again");
                }
                self.failed_looks = 0;
                let _ = self.args.fleet.cast(FleetMsg::Observed(observation));
            }
            Err(error) => {
                self.failed_looks += 1;
                tracing::error!(
                    kind = error.kind(),
                    %error,
                    failed_looks = self.failed_looks,
                    "the cloud cannot be read: nothing is scaled down until it can"
                );
            }
        }
        let usual = self.args.pace.interval * (1 << self.throttled_looks.min(MOST_DOUBLINGS));
        let pause = if self.look_again { Duration::ZERO } else { usual };
        self.look_after(pause);
    }

    fn finish(&mut self, reply_to: RpcReplyPort<()>) {
        if self.under_way > 0 {
            tracing::info!(orders = self.under_way, "finishing the orders under way");
        }
        self.finishing = true;
        self.finished = Some(reply_to);
        self.answer_when_finished();
    }

    fn answer_when_finished(&mut self) {
        if self.under_way == 0
            && let Some(reply_to) = self.finished.take()
        {
            // Who asked may have run out of patience.
            let _ = reply_to.send(());
        }
    }
}

/// Asks the cloud for what is ordered.
async fn carry_out(cloud: &dyn Cloud, order: Order) -> Outcome {
    match order {
        Order::Launch(order) => Outcome::Launched { order, result: cloud.launch(order).await },
        Order::Place(order) => {
            let result = cloud.place(&order).await;
            Outcome::Placed { order, result }
        }
        Order::Record { server, task, role } => {
            Outcome::Recorded { server, role, result: cloud.record(&task, role).await }
        }
        Order::RecordRollout { revision, state } => {
            let result = cloud.record_rollout(&revision, state).await;
            Outcome::RolloutRecorded { revision, state, result }
        }
        Order::Close(doomed) => {
            let result = cloud.close(&doomed).await;
            Outcome::Closed { servers: doomed.into_iter().map(|doomed| doomed.server).collect(), result }
        }
    }
}

/// The outcome of an order that came to nothing.
fn failed(order: Order, error: CloudError) -> Outcome {
    match order {
        Order::Launch(order) => Outcome::Launched { order, result: Err(error) },
        Order::Place(order) => Outcome::Placed { order, result: Err(error) },
        Order::Record { server, role, .. } => Outcome::Recorded { server, role, result: Err(error) },
        Order::RecordRollout { revision, state } => Outcome::RolloutRecorded { revision, state, result: Err(error) },
        Order::Close(doomed) => {
            Outcome::Closed { servers: doomed.into_iter().map(|doomed| doomed.server).collect(), result: Err(error) }
        }
    }
}
