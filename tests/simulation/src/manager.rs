//! One manager's process: the production actors, and the way out of it to the cloud and to the game servers. When it
//! dies, what is on its way to the cloud goes on; nothing comes back, and nothing more is asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actors::fleet_supervisor::{FleetArgs, FleetMsg, FleetRef, FleetSupervisor};
use actors::journal::Journal;
use actors::model::{
    Address, Doomed, HealthAnswer, InstanceId, LaunchOrder, Observation, PlaceOrder, Revision, Role, RolloutState,
    TaskId, Timestamp,
};
use actors::ports::{Clock, Cloud, CloudError, HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;
use futures_util::future::{join, join_all};
use ractor::rpc::CallResult;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::event::{Call, Cause, Event, Given, ManagerId};
use crate::scenario::CONCURRENCY;
use crate::world::World;
use crate::world::aws::ApiError;
use crate::world::calls::{Fate, Then};
use crate::world::games::{Meets, Says};

/// How long a client waits for an answer: the default of `http.answer_timeout`.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a manager that is told to end may take: the default of `http.shutdown_limit`.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// The world, shared by all who live in it. One thread runs them all, so nobody ever waits for it.
#[derive(Clone, Debug)]
pub struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Waits for ever for a process that is gone: it asks nothing more.
    pub async fn alive(&self, manager: ManagerId) {
        if !self.lock().runs(manager) {
            std::future::pending::<()>().await;
        }
    }

    /// The world. Never held over an await.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How managers reach the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// By the actors' own port.
    Port,
    /// By the adapter for ECS, through the AWS SDK and HTTP.
    #[cfg(feature = "aws")]
    Wire,
}

/// A manager that runs.
#[derive(Debug)]
pub struct Manager {
    /// Which.
    pub id: ManagerId,
    /// Its supervisor.
    pub fleet: FleetRef,
    /// Ends with the supervisor.
    pub ended: JoinHandle<()>,
}

impl Manager {
    /// Starts one that reaches the cloud on this way.
    pub async fn start(world: &SharedWorld, clock: Clock, way: Way) -> Self {
        let (id, policy) = {
            let mut world = world.lock();
            (world.manager_started(), world.scenario.policy.clone())
        };
        let ports = Arc::new(Ports { manager: id, world: world.clone() });
        let cloud: Arc<dyn Cloud> = match way {
            Way::Port => ports.clone(),
            #[cfg(feature = "aws")]
            Way::Wire => Arc::new(crate::wire::cloud(id, world, clock, &policy).await),
        };
        let args = FleetArgs {
            policy,
            cloud,
            concurrency: CONCURRENCY,
            probes: ports,
            polling: Handle::current(),
            background: Handle::current(),
            clock,
            journal: Journal::default(),
        };
        let (fleet, ended) = FleetSupervisor::spawn(args).await.expect("the supervisor's start does no I/O");
        Self { id, fleet, ended }
    }

    /// Asks it for a place, as a client's request does.
    pub async fn allocate(fleet: FleetRef) -> Given {
        match fleet.call(FleetMsg::Allocate, Some(ANSWER_TIMEOUT)).await {
            Ok(CallResult::Success(Some(address))) => Given::Place(address),
            Ok(CallResult::Success(None)) => Given::Backup,
            _ => Given::Nothing,
        }
    }

    /// Ends it as SIGTERM does.
    pub async fn end(self) {
        let _ = self.fleet.call(FleetMsg::Finish, Some(SHUTDOWN_LIMIT)).await;
        self.fleet.stop(None);
        let _ = self.ended.await;
    }
}

/// The ways out of one manager.
struct Ports {
    manager: ManagerId,
    world: SharedWorld,
}

impl Ports {
    async fn call<T: Send + 'static>(
        &self,
        call: Call,
        act: impl FnOnce(&mut World) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, CloudError> {
        self.world.alive(self.manager).await;
        match send(&self.world, self.manager, call, act).await {
            Told::Answer(answer) => answer.map_err(|error| cloud_error(&error)),
            Told::Lost(_) => Err(CloudError::Unanswered("the connection was closed".into())),
        }
    }

    async fn stop(&self, task: TaskId) -> Result<(), CloudError> {
        let by = Cause::Manager(self.manager);
        self.call(Call::StopTask { task: task.clone() }, move |world| world.stop_task(&task, by)).await
    }

    async fn terminate_all(&self, instances: Vec<InstanceId>) -> Result<(), CloudError> {
        if instances.is_empty() {
            return Ok(());
        }
        match self.terminate(instances.clone()).await {
            // One that is not there has AWS refuse all of them.
            Err(CloudError::NotFound(_)) => {
                let mut result = Ok(());
                for instance in instances {
                    result = result.and(gone_is_fine(self.terminate(vec![instance]).await));
                }
                result
            }
            terminated => terminated,
        }
    }

    async fn terminate(&self, instances: Vec<InstanceId>) -> Result<(), CloudError> {
        let by = Cause::Manager(self.manager);
        let call = Call::Terminate { instances: instances.clone() };
        self.call(call, move |world| world.terminate(&instances, by)).await
    }
}

/// What comes back of a call.
#[derive(Debug)]
pub enum Told<T> {
    /// The answer, or why there is none.
    Answer(Result<T, ApiError>),
    /// Nothing, or less than all: the connection was closed. What the answer would have been, if there was one.
    Lost(Option<T>),
}

/// Sends a call on its way to AWS and back. What comes of it does not depend on whether its caller still waits.
pub async fn send<T: Send + 'static>(
    world: &SharedWorld,
    manager: ManagerId,
    call: Call,
    act: impl FnOnce(&mut World) -> Result<T, ApiError> + Send + 'static,
) -> Told<T> {
    let fate = world.lock().receive(manager, &call);
    let (answer, answered) = oneshot::channel();
    tokio::spawn(travel(world.clone(), manager, call, fate, act, answer));
    match answered.await {
        Ok(told) => told,
        // Nobody will ever answer.
        Err(_) => std::future::pending().await,
    }
}

async fn travel<T>(
    world: SharedWorld,
    manager: ManagerId,
    call: Call,
    fate: Fate,
    act: impl FnOnce(&mut World) -> Result<T, ApiError>,
    answer: oneshot::Sender<Told<T>>,
) {
    sleep(if let Then::Late(late) = fate.then { late } else { fate.before }).await;
    let told = match fate.then {
        Then::Refused(ApiError::ConnectionClosed) => Some(Told::Lost(None)),
        Then::Refused(error) => Some(Told::Answer(Err(error))),
        Then::Effect => Some(Told::Answer(take_effect(&world, manager, &call, act))),
        Then::EffectUnanswered => Some(Told::Lost(take_effect(&world, manager, &call, act).ok())),
        Then::Late(_) => {
            let _ = take_effect(&world, manager, &call, act);
            None
        }
    };
    sleep(fate.after).await;
    let how = match &told {
        Some(Told::Answer(Ok(_))) => "answered",
        Some(Told::Answer(Err(_))) => "refused",
        Some(Told::Lost(_)) | None => "not answered",
    };
    world.lock().call_ended(manager, &call, how);
    if let Some(told) = told {
        // Who asked may be gone.
        let _ = answer.send(told);
    }
}

fn take_effect<T>(
    world: &SharedWorld,
    manager: ManagerId,
    call: &Call,
    act: impl FnOnce(&mut World) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut world = world.lock();
    let made = act(&mut world);
    world.took_effect(manager, call);
    made
}

/// As the adapter of the real cloud understands AWS's errors.
fn cloud_error(error: &ApiError) -> CloudError {
    match error {
        ApiError::Throttled => CloudError::Throttled("ThrottlingException".into()),
        ApiError::Denied => CloudError::Denied("UnauthorizedOperation".into()),
        ApiError::NoCapacity => CloudError::NoCapacity("InsufficientInstanceCapacity".into()),
        ApiError::OtherParameters => CloudError::Conflict("IdempotentParameterMismatch".into()),
        ApiError::NotFound => CloudError::NotFound("InvalidInstanceID.NotFound".into()),
        ApiError::Refused(reason) if reason.starts_with("RESOURCE:") => CloudError::NoCapacity((*reason).into()),
        ApiError::Refused(reason) => CloudError::Refused((*reason).into()),
        ApiError::ConnectionClosed => CloudError::Unanswered("the connection was closed".into()),
    }
}

#[async_trait]
impl Cloud for Ports {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        let instances = self.call(Call::ReadInstances, |world| Ok(world.instances_shown())).await?;
        let seen = self.call(Call::ReadCluster, move |world| Ok(world.observation(begun_at, instances))).await?;
        self.world.alive(self.manager).await;
        self.world.lock().looked(self.manager, &seen);
        Ok(seen)
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        let LaunchOrder { ordinal, count, pool } = order;
        let (token, by) = (format!("launch-{ordinal}"), Cause::Manager(self.manager));
        let call = Call::RunInstances { ordinal, count, pool };
        let launched = self.call(call, move |world| world.run_instances(token, order, by)).await?;
        let living: Vec<InstanceId> = launched.into_iter().filter(|(_, lives)| *lives).map(|(id, _)| id).collect();
        if living.is_empty() { Err(CloudError::Spent("all are terminated".into())) } else { Ok(living) }
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        let PlaceOrder { instance, attempt, revision, .. } = order.clone();
        let (token, by) = (format!("{instance}-{revision}-{attempt}"), Cause::Manager(self.manager));
        let call = Call::RunTask { instance: instance.clone(), token: token.clone(), revision: revision.clone() };
        self.call(call, move |world| world.run_task(token, &instance, &revision, true, by)).await
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        let task = task.clone();
        self.call(Call::Tag { task: task.clone(), role }, move |world| world.tag(&task, role)).await
    }

    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        let (revision, by) = (revision.clone(), Cause::Manager(self.manager));
        let call = Call::Mark { revision: revision.clone(), state };
        self.call(call, move |world| world.mark(&revision, state, by)).await
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        let stops = doomed.iter().filter_map(|doomed| doomed.task.clone()).map(|task| self.stop(task));
        let instances = doomed.iter().filter_map(|doomed| doomed.instance.clone()).collect();
        let (stopped, terminated) = join(join_all(stops), self.terminate_all(instances)).await;
        stopped.into_iter().try_for_each(gone_is_fine).and(terminated)
    }
}

fn gone_is_fine(result: Result<(), CloudError>) -> Result<(), CloudError> {
    if let Err(CloudError::NotFound(_)) = result { Ok(()) } else { result }
}

impl HealthProbes for Ports {
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(Probe { manager: self.manager, world: self.world.clone(), target })
    }
}

/// The way out to one game server.
struct Probe {
    manager: ManagerId,
    world: SharedWorld,
    target: SocketAddr,
}

#[async_trait]
impl HealthProbe for Probe {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        self.world.alive(self.manager).await;
        let target = self.target;
        let mut question = Question::put(self);
        let met = self.world.lock().question(target);
        let answer = match met {
            Meets::Silence => std::future::pending().await,
            Meets::Refusal(after) => {
                sleep(after).await;
                Err(ProbeError::Unreachable("connection refused".into()))
            }
            Meets::Server(after) => {
                sleep(after / 2).await;
                let says = self.world.lock().says(target);
                question.looked_at = self.world.lock().now();
                sleep(after / 2).await;
                says.map_or_else(|| Err(ProbeError::Unreachable("connection reset".into())), read)
            }
        };
        question.answer = answer.as_ref().ok().copied();
        answer
    }
}

/// Reads what a game server said, as the daemon does.
#[cfg(feature = "aws")]
fn read(says: Says) -> Result<HealthAnswer, ProbeError> {
    playlivechess_manager::health_probe::parse(&says.into_body())
}

/// Takes what a game server said for what it is: the daemon, which can read it, is not part of this build.
#[cfg(not(feature = "aws"))]
fn read(says: Says) -> Result<HealthAnswer, ProbeError> {
    match says {
        Says::Health(answer) => Ok(answer),
        Says::Garbage(_) => Err(ProbeError::Unreadable("not the contract".into())),
    }
}

/// A health question under way. Who asked hears of its end, whichever it is, and so does the observer.
struct Question {
    manager: ManagerId,
    world: SharedWorld,
    address: Address,
    asked_at: Timestamp,
    looked_at: Timestamp,
    answer: Option<HealthAnswer>,
}

impl Question {
    fn put(by: &Probe) -> Self {
        let now = by.world.lock().now();
        Self {
            manager: by.manager,
            world: by.world.clone(),
            address: Address::new(by.target.to_string()),
            asked_at: now,
            looked_at: now,
            answer: None,
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let mut world = self.world.lock();
        if world.runs(self.manager) {
            world.tell(Event::Health {
                manager: self.manager,
                address: self.address.clone(),
                asked_at: self.asked_at,
                answer: self.answer.map(|answer| (self.looked_at, answer)),
            });
        }
    }
}
