//! The four actors in virtual time, on a made-up cloud.

mod clients;
mod life;
mod margins;
mod operator;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::fleet_supervisor::{FleetArgs, FleetMsg, FleetRef, FleetSupervisor};
use actors::journal::Journal;
use actors::model::{Address, InstanceId, Policy, Role, TaskId, Timestamp};
use actors::ports::Clock;
use ractor::call_t;

use tokio::runtime::Handle;

use crate::fake_cloud::{FakeCloud, FakeProbes};
use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

pub struct Fleet {
    supervisor: FleetRef,
    pub cloud: Arc<FakeCloud>,
    policy: Policy,
}

impl Fleet {
    pub async fn start(policy: Policy) -> Self {
        let world = World::new(policy.server_capacity);
        Self::start_in(world, policy).await
    }

    pub async fn start_in(world: World, policy: Policy) -> Self {
        let clock = Clock::starting_at(Timestamp::from_secs(1_000_000));
        let cloud = Arc::new(FakeCloud::new(clock, world));
        Self::start_on(cloud, policy).await
    }

    pub async fn start_on(cloud: Arc<FakeCloud>, policy: Policy) -> Self {
        let args = FleetArgs {
            policy: policy.clone(),
            cloud: cloud.clone(),
            concurrency: 8,
            probes: Arc::new(FakeProbes(cloud.clone())),
            polling: Handle::current(),
            background: Handle::current(),
            clock: cloud.clock,
            journal: Journal::default(),
        };
        let (supervisor, _) = FleetSupervisor::spawn(args).await.expect("a fleet starts");
        Self { supervisor, cloud, policy }
    }

    /// The manager dies, and another one starts on the same cloud.
    pub async fn crash_and_restart(self) -> Self {
        self.crash_and_restart_after(Duration::ZERO).await
    }

    /// The same after so long.
    pub async fn crash_and_restart_after(self, down: Duration) -> Self {
        self.supervisor.get_cell().kill_and_wait(None).await.expect("a supervisor can be killed");
        tokio::time::sleep(down).await;
        Self::start_on(self.cloud, self.policy).await
    }

    pub async fn allocate(&self) -> Option<Address> {
        call_t!(self.supervisor, FleetMsg::Allocate, 1000).expect("the supervisor answers")
    }

    /// A client asks for a place and connects there.
    pub async fn player(&self) -> Address {
        let address = self.allocate().await.expect("a place is free");
        self.cloud.world().arrive(&address);
        address
    }

    pub async fn list(&self) -> Vec<Address> {
        call_t!(self.supervisor, FleetMsg::List, 1000).expect("the supervisor answers").unwrap_or_default()
    }

    pub async fn wait(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    /// Waits until the world is as it should be, for ten virtual minutes at most.
    pub async fn until(&self, what: &str, mut so: impl FnMut(&World) -> bool) {
        for _ in 0..6000 {
            if so(&self.cloud.world()) {
                return;
            }
            self.wait(Duration::from_millis(100)).await;
        }
        panic!("not within ten minutes: {what}; {:#?}", self.cloud.world());
    }

    pub async fn until_available(&self, servers: usize) {
        for _ in 0..6000 {
            if self.list().await.len() == servers {
                return;
            }
            self.wait(Duration::from_millis(100)).await;
        }
        panic!("not within ten minutes: {servers} available; {:#?}", self.cloud.world());
    }

    pub fn leave_all(&self) {
        self.cloud.world().games.values_mut().for_each(|game| game.players = 0);
    }

    pub fn running(&self) -> Vec<TaskId> {
        self.cloud.world().running_games().map(|(task, _)| task.clone()).collect()
    }

    pub fn alive(&self) -> BTreeSet<InstanceId> {
        self.cloud.world().alive()
    }

    pub fn standby(&self) -> usize {
        standby(&self.cloud.world())
    }

    pub fn assert_no_complaints(&self) {
        assert!(self.cloud.world().complaints.is_empty(), "{:?}", self.cloud.world().complaints);
    }
}

fn standby(world: &World) -> usize {
    world.running_games().filter(|(_, game)| game.role == Role::Standby).count()
}
