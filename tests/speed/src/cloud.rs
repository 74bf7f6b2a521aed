//! A fleet that is there already, and a cloud that gives no more.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use actors::model::{
    Address, Doomed, Endpoint, Instance, InstanceId, InstanceState, LaunchOrder, Observation, PlaceOrder, Registration,
    Revision, Role, RolloutState, Target, Task, TaskId, TaskState, Timestamp,
};
use actors::ports::{Cloud, CloudError};
use async_trait::async_trait;

/// Where the game servers are, each on an address of its own.
const PORT: u16 = 9000;

/// The same servers, for ever.
pub(crate) struct StandingFleet {
    /// Made once: what a real cloud's answer takes to be read is the SDK's.
    seen: Observation,
}

impl StandingFleet {
    /// So many servers.
    pub(crate) fn of(servers: u32) -> Self {
        Self { seen: observation(servers, Timestamp::default()) }
    }
}

/// The address of a game server.
pub(crate) fn address(number: u32) -> SocketAddr {
    // 127.100.0.1 and on.
    SocketAddr::from((Ipv4Addr::from_bits(0x7f64_0001 + number), PORT))
}

/// All of them, as a look shows them.
pub(crate) fn observation(servers: u32, at: Timestamp) -> Observation {
    let revision = Revision::new("game:1");
    let instance = |number: u32| Instance {
        id: InstanceId::new(format!("i-{number:017x}")),
        owned: true,
        ordinal: None,
        launch_size: 1,
        state: InstanceState::Running,
        launched_at: Timestamp::default(),
        leaving: false,
        registration: Some(Registration { joined_at: Timestamp::default(), connected: true, foreign_tasks: false }),
    };
    let task = |number: u32| Task {
        id: TaskId::new(format!("arn:aws:ecs:eu-west-1:123456789012:task/games/{number:032x}")),
        instance: Some(instance(number).id),
        state: TaskState::Running(Endpoint {
            players: Address::new(address(number).to_string()),
            health: address(number),
        }),
        revision: revision.clone(),
        role: Role::Available,
        started_at: Some(Timestamp::default()),
    };
    Observation {
        begun_at: at,
        instances: (0..servers).map(instance).collect(),
        tasks: (0..servers).map(task).collect(),
        target: Some(Target { revision: revision.clone(), state: RolloutState::Active, earlier: Vec::new() }),
    }
}

/// Microseconds since the Unix epoch, which all processes of this machine agree on.
pub(crate) fn micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

#[async_trait]
impl Cloud for StandingFleet {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        println!("observed");
        Ok(Observation { begun_at, ..self.seen.clone() })
    }

    async fn launch(&self, _: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        println!("launches {}", micros());
        Err(CloudError::NoCapacity("this fleet is all there is".to_owned()))
    }

    async fn place(&self, _: &PlaceOrder) -> Result<TaskId, CloudError> {
        Err(CloudError::Refused("all tasks are placed".to_owned()))
    }

    async fn record(&self, _: &TaskId, _: Role) -> Result<(), CloudError> {
        Ok(())
    }

    async fn record_rollout(&self, _: &Revision, _: RolloutState) -> Result<(), CloudError> {
        Ok(())
    }

    async fn close(&self, _: &[Doomed]) -> Result<(), CloudError> {
        Ok(())
    }
}
