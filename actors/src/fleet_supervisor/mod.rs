//! Owns the roster and every other actor. It alone hands out addresses, and it alone changes the roster: what is
//! decided is committed here first, and only then asked of the cloud. A child that dies is replaced; the fleet goes on.

mod clients;
mod game_servers;
mod notes;
mod operator;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::aws_actor::{AwsActor, AwsArgs, AwsMsg, AwsRef, CallPace};
use crate::game_server_actor::HealthReport;
use crate::journal::{Draft, Journal, Page, Query};
use crate::mailbox::{Backlog, Mailbox};
use crate::model::{
    Action, Address, AllocationId, Booking, BookingRequest, Decision, LaunchesBlocked, Margins, Observation, Outcome,
    Policy, PolicyError, Reckoned, Refused, Roster, ServerId, Snapshot, Stage,
};
use crate::ports::{Clock, Cloud, HealthProbes};
use crate::reports::{self, Reports};
use crate::scaler_actor::{ScalerActor, ScalerArgs, ScalerMsg, ScalerRef};
use crate::waiting::{Ticket, WaitingLine};

use game_servers::GameServer;

pub use clients::Refusal;
pub use operator::{Backlogs, Limits};

/// Before the replacement of an actor that died begins its work: one that dies of it again and again must not keep the
/// manager from answering.
const REPLACEMENT_PAUSE: Duration = Duration::from_secs(1);

/// The fleet supervisor.
pub type FleetRef = Mailbox<FleetMsg>;

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
    /// Game servers answered, or did not.
    Reports(Vec<HealthReport>),
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
}

impl FleetMsg {
    /// Whether there may be room for somebody who waits once it is handled. Most messages are clients' own.
    const fn may_add_room(&self) -> bool {
        matches!(
            self,
            Self::Reports(_)
                | Self::Glimpsed(_)
                | Self::Observed(_)
                | Self::Commit(_)
                | Self::Undrain(..)
                | Self::SetMargins(..)
                | Self::Reload(_)
        )
    }
}

/// What a fleet is made of.
pub struct FleetArgs {
    /// What the operator wants. It must pass [`Policy::check`].
    pub policy: Policy,
    /// Where instances come from.
    pub cloud: Arc<dyn Cloud>,
    /// Cloud calls under way at once.
    pub concurrency: usize,
    /// How health is asked for.
    pub probes: Arc<dyn HealthProbes>,
    /// The runtime that has the game servers' actors.
    pub polling: Handle,
    /// The runtime that has the scaler and the AWS actor, apart from the supervisor, which is where it is spawned: so what they
    /// do keeps no client waiting.
    pub background: Handle,
    /// What time it is.
    pub clock: Clock,
    /// Where decisions are written down.
    pub journal: Journal,
}

/// What the supervisor keeps.
pub struct FleetState {
    me: FleetRef,
    roster: Roster,
    /// What the operator wants by the configuration, whatever was changed since.
    configured: Policy,
    waiting: WaitingLine<clients::Waiting>,
    journal: Journal,
    cloud: Arc<dyn Cloud>,
    permits: Arc<Semaphore>,
    probes: Arc<dyn HealthProbes>,
    polling: Handle,
    background: Handle,
    reports: Reports,
    clock: Clock,
    aws: AwsRef,
    /// None once the manager ends.
    scaler: Option<ScalerRef>,
    game_servers: BTreeMap<ServerId, GameServer>,
}

/// The actor.
pub struct FleetSupervisor;

impl FleetSupervisor {
    /// Starts a fleet. The handle ends when the supervisor does, which is never by itself.
    pub async fn spawn(args: FleetArgs) -> Result<(FleetRef, JoinHandle<()>), SpawnErr> {
        let backlog = Backlog::default();
        let (actor, ended) = Actor::spawn(None, Self, (args, backlog.clone())).await?;
        Ok((Mailbox::new(actor, backlog), ended))
    }
}

impl Actor for FleetSupervisor {
    type Msg = FleetMsg;
    type State = FleetState;
    type Arguments = (FleetArgs, Backlog);

    async fn pre_start(
        &self,
        me: ActorRef<FleetMsg>,
        (args, backlog): (FleetArgs, Backlog),
    ) -> Result<FleetState, ActorProcessingErr> {
        let me = Mailbox::new(me, backlog);
        let permits = Arc::new(Semaphore::new(args.concurrency));
        let (reports, handing_on) = reports::channel(me.clone());
        args.polling.spawn(handing_on);
        let background = args.background;
        let aws = spawn_aws(&background, &me, &args.policy, &args.cloud, &permits, args.clock, Duration::ZERO).await?;
        let scaler = spawn_scaler(&background, &me, &args.policy, args.clock, Duration::ZERO).await?;
        Ok(FleetState {
            me,
            configured: args.policy.clone(),
            roster: Roster::new(args.policy),
            waiting: WaitingLine::default(),
            journal: args.journal,
            cloud: args.cloud,
            permits,
            probes: args.probes,
            polling: args.polling,
            background,
            reports,
            clock: args.clock,
            aws,
            scaler: Some(scaler),
            game_servers: BTreeMap::new(),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<FleetMsg>,
        msg: FleetMsg,
        state: &mut FleetState,
    ) -> Result<(), ActorProcessingErr> {
        state.me.take_one();
        let may_add_room = msg.may_add_room();
        // What is waited for is boxed: an allocation, which waits for nothing, would move its room about.
        match msg {
            FleetMsg::Allocate(reply_to) => state.allocate(reply_to),
            FleetMsg::Book(request, patience, reply_to) => state.book(request, patience, reply_to),
            FleetMsg::WaitOver(ticket) => state.wait_over(ticket),
            FleetMsg::Booking(id, reply_to) => answer(reply_to, state.roster.booking(id)),
            FleetMsg::Release(id, reply_to) => answer(reply_to, state.roster.release(id, state.clock.now())),
            FleetMsg::Peek(reply_to) => answer(reply_to, state.roster.peek()),
            FleetMsg::List(reply_to) => answer(reply_to, state.roster.is_ready().then(|| state.roster.available())),
            FleetMsg::Ready(reply_to) => answer(reply_to, state.roster.is_ready()),
            FleetMsg::Reports(reports) => Box::pin(state.reports(reports)).await?,
            FleetMsg::Glimpsed(part) => Box::pin(state.glimpsed(&part)).await?,
            FleetMsg::Observed(observation) => Box::pin(state.observed(&observation)).await?,
            FleetMsg::Outcome(outcome, took) => Box::pin(state.outcome(outcome, took)).await?,
            FleetMsg::Look => state.show(),
            FleetMsg::Commit(decision) => Box::pin(state.commit(decision)).await?,
            FleetMsg::Reconcile => state.tell_aws(AwsMsg::Look),
            FleetMsg::Snapshot(reply_to) => answer(reply_to, state.snapshot()),
            FleetMsg::Reckoned(reply_to) => answer(reply_to, Box::new(state.roster.reckoned(state.clock.now()))),
            FleetMsg::Told(margins) => state.told(margins),
            FleetMsg::Backlogs(reply_to) => answer(reply_to, state.backlogs()),
            FleetMsg::Journal(query, reply_to) => answer(reply_to, state.journal.read(&query)),
            FleetMsg::Drain(server, reply_to) => Box::pin(state.drain(server, reply_to)).await?,
            FleetMsg::Undrain(server, reply_to) => Box::pin(state.undrain(server, reply_to)).await?,
            FleetMsg::Pause(paused, reply_to) => state.pause(paused, reply_to),
            FleetMsg::SetMargins(margins, reply_to) => state.set_margins(&margins, reply_to),
            FleetMsg::LogState => state.log_state(),
            FleetMsg::Reload(policy) => state.reload(*policy),
            FleetMsg::Finish(reply_to) => state.finish(reply_to),
        }
        if may_add_room {
            state.serve_waiting();
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<FleetMsg>,
        event: SupervisionEvent,
        state: &mut FleetState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(child, error) => {
                tracing::error!(actor = %child.get_id(), %error, "an actor failed and is replaced");
                state.replace(&child).await
            }
            SupervisionEvent::ActorTerminated(child, ..) => state.replace(&child).await,
            _ => Ok(()),
        }
    }

    async fn post_stop(&self, me: ActorRef<FleetMsg>, state: &mut FleetState) -> Result<(), ActorProcessingErr> {
        state.kill_game_servers();
        me.stop_children_and_wait(None, None).await;
        Ok(())
    }
}

impl FleetState {
    async fn reports(&mut self, reports: Vec<HealthReport>) -> Result<(), ActorProcessingErr> {
        let now = self.clock.now();
        for HealthReport { server, asked_at, answer } in reports {
            self.roster.report(server, asked_at, answer.ok(), now);
        }
        self.follow_up().await
    }

    async fn glimpsed(&mut self, part: &Observation) -> Result<(), ActorProcessingErr> {
        if !self.roster.is_ready() {
            tracing::info!(tasks = part.tasks.len(), "a first part of the fleet is known, the rest is being read");
        }
        self.roster.glimpse(part, self.clock.now());
        self.follow_up().await?;
        self.sync_game_servers().await
    }

    async fn observed(&mut self, observation: &Observation) -> Result<(), ActorProcessingErr> {
        if !self.roster.is_ready() {
            let (instances, tasks) = (observation.instances.len(), observation.tasks.len());
            tracing::info!(instances, tasks, "first look at the cloud: the fleet is ready");
        }
        self.roster.observe(observation, self.clock.now());
        self.give_orders();
        // What was launched before is seen now, so the next launch may go.
        self.tell_scaler(ScalerMsg::Wake);
        self.follow_up().await?;
        // A server may be reached elsewhere without having moved on in its life.
        self.sync_game_servers().await
    }

    async fn outcome(&mut self, outcome: Outcome, took: Duration) -> Result<(), ActorProcessingErr> {
        self.journal.write(notes::order(&outcome, took, &self.roster), self.clock.now());
        self.roster.outcome(outcome, self.clock.now());
        self.give_orders();
        self.follow_up().await
    }

    fn show(&mut self) {
        let (now, waiting) = (self.clock.now(), self.waiting.seats());
        let is_ready = self.roster.is_ready();
        self.roster.reckon(now);
        let seen = is_ready.then(|| Box::new((self.roster.view(waiting, now), self.roster.in_force())));
        self.tell_scaler(ScalerMsg::Decide(seen));
    }

    async fn commit(&mut self, decision: Decision) -> Result<(), ActorProcessingErr> {
        let replacements_are_due = decision.actions().any(|action| matches!(action, Action::Retreat(_)));
        for step in &decision.steps {
            let draft = notes::decision(*step, &decision.figures, &self.roster);
            let refused = self.roster.commit(step.action, self.clock.now()).err();
            if let Some(refused) = refused {
                tracing::info!(action = ?step.action, %refused, "not done after all");
            }
            let draft = Draft { refused: refused.map(|refused| refused.to_string()), ..draft };
            self.journal.write(draft, self.clock.now());
        }
        if replacements_are_due {
            self.tell_scaler(ScalerMsg::Wake);
        }
        self.give_orders();
        self.follow_up().await
    }

    fn give_orders(&mut self) {
        for order in self.roster.orders(self.clock.now()) {
            self.tell_aws(AwsMsg::Carry(order));
        }
    }

    fn set_policy(&mut self, policy: Policy) {
        self.set_pace(&policy);
        self.tell_aws(AwsMsg::Pace(call_pace(&policy)));
        self.roster.set_policy(policy, self.clock.now());
        self.tell_scaler(ScalerMsg::Wake);
    }

    fn finish(&mut self, reply_to: RpcReplyPort<()>) {
        self.send_away();
        if let Some(scaler) = self.scaler.take() {
            scaler.stop(None);
        }
        self.tell_aws(AwsMsg::Finish(reply_to));
    }

    fn log_state(&mut self) {
        let now = self.clock.now();
        let view = self.roster.view(self.waiting.seats(), now);
        let until = view.launches_blocked.and_then(LaunchesBlocked::until);
        tracing::info!(
            servers = view.servers.len(),
            requested = view.requested,
            launches_blocked = ?view.launches_blocked,
            launches_go_on_in = until.map(|until| tracing::field::debug(until.since(now))),
            cloud_is_fresh = view.cloud_is_fresh,
            paused = self.roster.is_paused(),
            policy = ?self.roster.policy(),
            margins = ?self.roster.margins(),
            "state of the fleet"
        );
        if let (Some(target), Some(starts)) = (self.roster.target(), self.roster.wanted()) {
            let (revision, state, failures) = (&target.revision, target.state.name(), self.roster.rollout_failures());
            tracing::info!(%revision, state, failures, %starts, "state of the rollout");
        }
        let lead_times = self.roster.lead_times();
        if let Some(total) = lead_times.total() {
            tracing::info!(launches = lead_times.count(), %total, "lead time of the last launches");
            for stage in Stage::ALL {
                let spread = lead_times.stage(stage).map(tracing::field::display);
                tracing::info!(stage = stage.name(), spread, "lead time of a stage");
            }
        }
        for server in self.roster.servers() {
            tracing::info!(
                server = %server.id,
                phase = server.phase.name(),
                instance = server.instance().map(tracing::field::display),
                task = server.task.as_ref().map(tracing::field::display),
                revision = server.revision.as_ref().map(tracing::field::display),
                address = server.endpoint.as_ref().map(|endpoint| tracing::field::display(&endpoint.players)),
                holds = server.holds.count(),
                unclaimed = server.unclaimed(),
                health = ?server.health,
                "state of a server"
            );
        }
    }

    /// Logs what happened to the servers, and gives each one that is to be asked its actor.
    async fn follow_up(&mut self) -> Result<(), ActorProcessingErr> {
        let notes = self.roster.take_notes();
        if notes.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        for note in notes {
            notes::log(&note, now);
            self.journal.write(notes::event(note, now), now);
        }
        self.sync_game_servers().await
    }

    /// Replaces a child that died. One that was told to go is not known here any more.
    async fn replace(&mut self, child: &ActorCell) -> Result<(), ActorProcessingErr> {
        let died = child.get_id();
        if died == self.aws.get_id() {
            let (policy, pause) = (self.roster.policy(), REPLACEMENT_PAUSE);
            let Self { background, me, cloud, permits, clock, .. } = self;
            self.aws = spawn_aws(background, me, policy, cloud, permits, *clock, pause).await?;
        } else if self.scaler.as_ref().is_some_and(|scaler| scaler.get_id() == died) {
            let policy = self.roster.policy();
            let scaler = spawn_scaler(&self.background, &self.me, policy, self.clock, REPLACEMENT_PAUSE);
            self.scaler = Some(scaler.await?);
        } else {
            self.replace_game_server(died).await?;
        }
        Ok(())
    }

    fn tell_aws(&self, msg: AwsMsg) {
        // One that has just died is replaced; its orders are given again in time.
        let _ = self.aws.cast(msg);
    }

    fn tell_scaler(&self, msg: ScalerMsg) {
        if let Some(scaler) = &self.scaler {
            // One that has just died is replaced, and begins by looking.
            let _ = scaler.cast(msg);
        }
    }
}

async fn spawn_aws(
    background: &Handle,
    me: &FleetRef,
    policy: &Policy,
    cloud: &Arc<dyn Cloud>,
    permits: &Arc<Semaphore>,
    clock: Clock,
    begins_after: Duration,
) -> Result<AwsRef, ActorProcessingErr> {
    let (cloud, permits) = (Arc::clone(cloud), Arc::clone(permits));
    let args = AwsArgs { cloud, clock, pace: call_pace(policy), permits, fleet: me.clone(), begins_after };
    Ok(background.spawn(AwsActor::spawn(args, me.get_cell())).await??)
}

async fn spawn_scaler(
    background: &Handle,
    me: &FleetRef,
    policy: &Policy,
    clock: Clock,
    begins_after: Duration,
) -> Result<ScalerRef, ActorProcessingErr> {
    let args = ScalerArgs { fleet: me.clone(), clock, interval: policy.health_interval, begins_after };
    Ok(background.spawn(ScalerActor::spawn(args, me.get_cell())).await??)
}

const fn call_pace(policy: &Policy) -> CallPace {
    CallPace { interval: policy.observe_interval, timeout: policy.call_timeout }
}

fn answer<T>(reply_to: RpcReplyPort<T>, answer: T) {
    // Who asked may have gone.
    let _ = reply_to.send(answer);
}
