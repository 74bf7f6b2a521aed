//! The made-up world behind the ports of the actors, with faults by script.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actors::model::{
    Doomed, HealthAnswer, InstanceId, LaunchOrder, Observation, PlaceOrder, Revision, Role, RolloutState, TaskId,
    Timestamp,
};
use actors::ports::{Clock, Cloud, CloudError, HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;

use crate::world::World;

/// Which call a fault befalls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Call {
    Observe,
    Launch,
    Place,
    Record,
    Close,
    Ask,
}

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is done.
    Fails(CloudError),
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// It is never answered.
    Hangs,
    /// The code that calls goes wrong.
    Panics,
}

pub struct FakeCloud {
    pub clock: Clock,
    world: Mutex<World>,
    faults: Mutex<BTreeMap<Call, VecDeque<Fault>>>,
    calls: Mutex<BTreeMap<Call, usize>>,
}

impl FakeCloud {
    pub fn new(clock: Clock, world: World) -> Self {
        Self { clock, world: Mutex::new(world), faults: Mutex::default(), calls: Mutex::default() }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// The next `times` calls of a kind go wrong.
    pub fn script(&self, call: Call, fault: &Fault, times: usize) {
        lock(&self.faults).entry(call).or_default().extend(std::iter::repeat_n(fault.clone(), times));
    }

    /// Everything goes well from now on.
    pub fn mend(&self) {
        lock(&self.faults).clear();
    }

    pub fn calls(&self, call: Call) -> usize {
        lock(&self.calls).get(&call).copied().unwrap_or_default()
    }

    async fn call<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut World, Timestamp) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        *lock(&self.calls).entry(call).or_default() += 1;
        let fault = lock(&self.faults).get_mut(&call).and_then(VecDeque::pop_front);
        let act = || act(&mut self.world(), self.clock.now());
        match fault {
            None => act(),
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::AnswerLost) => {
                act()?;
                Err(CloudError::Unanswered("the connection was closed".into()))
            }
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Panics) => panic!("as scripted"),
        }
    }
}

#[async_trait]
impl Cloud for FakeCloud {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        self.call(Call::Observe, |world, _| Ok(world.observe(begun_at))).await
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        self.call(Call::Launch, |world, now| world.launch(order, now)).await
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        self.call(Call::Place, |world, now| world.place(order, now)).await
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        self.call(Call::Record, |world, _| world.record(task, role)).await
    }

    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        self.call(Call::Record, |world, _| world.record_rollout(revision, state)).await
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        self.call(Call::Close, |world, _| world.close(doomed)).await
    }
}

/// Asks the servers of that world.
pub struct FakeProbes(pub Arc<FakeCloud>);

/// Asks the one that is reached there.
struct FakeProbe {
    cloud: Arc<FakeCloud>,
    target: SocketAddr,
}

impl HealthProbes for FakeProbes {
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(FakeProbe { cloud: Arc::clone(&self.0), target })
    }
}

#[async_trait]
impl HealthProbe for FakeProbe {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        let answered = self.cloud.call(Call::Ask, |world, now| Ok(world.ask(self.target, now))).await;
        answered.unwrap_or_else(|error| Err(ProbeError::Unreachable(error.to_string())))
    }
}

/// A test that panics with the lock held leaves the world whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
