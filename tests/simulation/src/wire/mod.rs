//! The second world: between the production actors and the made-up cloud stand the production adapter for ECS and the
//! real AWS SDK, with their retries and their way of reading errors. HTTP goes through memory.

mod connector;
mod ec2;
mod ecs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use actors::model::{
    Doomed, InstanceId, LaunchOrder, Observation, PlaceOrder, Policy, Revision, Role, RolloutState, TaskId, Timestamp,
};
use actors::ports::{Clock, Cloud, CloudError};
use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use playlivechess_manager::cloud::ecs::{AccessKeys, EcsCloud, EcsSettings, HealthAddress};

use crate::event::ManagerId;
use crate::manager::SharedWorld;
use crate::world::revisions::FAMILY;

/// The instance types of the pools.
const KINDS: [&str; 3] = ["c7i.large", "c7a.large", "m7i.large"];

/// The fleet's tag: its cluster and its name.
const FLEET: &str = "default/playlivechess";

/// The adapter for ECS, and who tells the observer of its looks.
pub struct Wire {
    manager: ManagerId,
    world: SharedWorld,
    cloud: EcsCloud,
}

/// The way of a manager to the world.
pub async fn cloud(manager: ManagerId, world: &SharedWorld, clock: Clock, policy: &Policy) -> Wire {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(connector::client(manager, world.clone()))
        .time_source(VirtualTime(clock))
        .sleep_impl(TokioSleep::new());
    let cloud = EcsCloud::connect_by(loader, settings(policy)).await.expect("a region is set");
    Wire { manager, world: world.clone(), cloud }
}

/// A region of its own for each manager: the SDK keeps its budget of retries by region, for the whole process. One
/// manager would feel in it what another one met, which a restarted process does not.
fn region() -> String {
    static REGIONS: AtomicU64 = AtomicU64::new(1);
    format!("simulated-{}", REGIONS.fetch_add(1, Ordering::Relaxed))
}

fn settings(policy: &Policy) -> EcsSettings {
    let Policy { call_timeout, pools, .. } = *policy;
    let keys =
        AccessKeys { access_key_id: "simulated".into(), secret_access_key: "simulated".into(), session_token: None };
    EcsSettings {
        region: Some(region()),
        profile: None,
        endpoint_url: Some("http://aws.invalid".into()),
        credentials: Some(keys),
        fleet: "playlivechess".into(),
        cluster: "default".into(),
        task_definition: FAMILY.into(),
        launch_template: "defaultECS".into(),
        launch_template_version: "$Default".into(),
        pools: KINDS[..pools as usize].join("; ").parse().expect("good pools"),
        address: "{public_ip}:{port}".parse().expect("a good template"),
        health_address: HealthAddress::Public,
        container: None,
        container_port: None,
        call_timeout,
    }
}

/// The time of the simulated day, to sign with.
#[derive(Clone, Copy, Debug)]
struct VirtualTime(Clock);

impl TimeSource for VirtualTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(self.0.now().as_micros())
    }
}

#[async_trait]
impl Cloud for Wire {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        let seen = self.cloud.observe(begun_at).await?;
        self.world.alive(self.manager).await;
        self.world.lock().looked(self.manager, &seen);
        Ok(seen)
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        self.cloud.launch(order).await
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        self.cloud.place(order).await
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        self.cloud.record(task, role).await
    }

    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        self.cloud.record_rollout(revision, state).await
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        self.cloud.close(doomed).await
    }
}

/// What is done for a request, once it has come to AWS: the body of the answer.
type Act = Box<dyn FnOnce(&mut crate::world::World) -> Result<String, crate::world::aws::ApiError> + Send>;

/// A page of things that are named in order, and the name to go on after, if there are more.
fn page<T>(things: Vec<(String, T)>, after: Option<&str>) -> (Vec<T>, Option<String>) {
    /// Fewer than AWS gives: a list of any length has a second page.
    const PAGE: usize = 5;
    let mut rest = things.into_iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let (names, page): (Vec<String>, Vec<T>) = rest.by_ref().take(PAGE).unzip();
    let has_more = rest.next().is_some();
    (page, names.last().filter(|_| has_more).cloned())
}

/// Shared by all who answer.
type Shared = Arc<(ManagerId, SharedWorld)>;
