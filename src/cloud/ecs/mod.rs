//! The ECS cloud: instances of a launch template, each with one task of the game server's task definition on it.
//!
//! Nothing is kept here that matters: instances and tasks carry what a restarted manager has to know as
//! [tags](FLEET_TAG), and every call that makes something carries a client token derived from its intent, so that
//! asking again makes nothing twice.
//!
//! Each file is one thing: the calls that change something ([`launch`], [`place`], [`role`], [`rollout`], [`close`]), the
//! look at the whole fleet ([`look`], over the calls in [`reads`], and [`planned_ends`]) and what is made of it
//! ([`observation`], with [`endpoint`],
//! [`port`] and [`foreign`]), and how AWS's answers are mistrusted ([`whole_answers`]) and its errors understood
//! ([`errors`]), and how often it is asked ([`budgets`]). What AWS is asked before a fleet depends on it is in [`doctor`].

mod budgets;
mod close;
mod connection;
pub mod doctor;
mod endpoint;
mod errors;
mod foreign;
mod launch;
mod look;
mod names;
mod observation;
mod place;
mod planned_ends;
mod port;
mod reads;
mod role;
mod rollout;
mod settings;
mod unreachable;
mod whole_answers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actors::model::{
    Doomed, InstanceId, LaunchOrder, Observation, PlaceOrder, Revision, Role, RolloutState, TaskId, Timestamp,
};
use actors::ports::{Cloud, CloudError};
use async_trait::async_trait;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_ec2::types::{Instance, InstanceStateName};
use aws_sdk_ecs::types::TaskDefinition;

pub use connection::ConnectError;
pub use names::{FLEET_TAG, LAUNCH_SIZE_TAG, LAUNCH_TAG, ROLE_TAG, ROLLOUT_TAG};
pub use settings::{AccessKeys, EcsSettings, HealthAddress};

use crate::metrics::Metrics;
use budgets::Budgets;
use planned_ends::PlannedEnds;
use unreachable::Complaints;
use whole_answers::WholeAnswers;

/// Calls of one kind that one order or look has under way at once: AWS allows about 20 a second in the long run.
const AT_ONCE: usize = 4;

/// Game servers as ECS tasks, each on an EC2 instance of its own.
pub struct EcsCloud {
    settings: EcsSettings,
    ec2: aws_sdk_ec2::Client,
    ecs: aws_sdk_ecs::Client,
    /// Task definitions that were asked for, by the ARN of their revision.
    definitions: Mutex<BTreeMap<String, TaskDefinition>>,
    /// The ARNs of the fleet's tasks that were placed or seen last, and had not ended.
    living_tasks: Mutex<BTreeSet<String>>,
    /// Of the revision that is to run, those before it.
    earlier: Mutex<Option<(Revision, Vec<Revision>)>>,
    complaints: Complaints,
    planned: PlannedEnds,
    budgets: Budgets,
}

impl EcsCloud {
    /// Finds out how AWS is reached, and calls nothing yet but what that takes.
    pub async fn connect(settings: EcsSettings) -> Result<Self, ConnectError> {
        Self::connect_by(aws_config::defaults(BehaviorVersion::latest()), settings).await
    }

    /// Connects by what is given, which says how requests are sent and what time it is.
    pub async fn connect_by(loader: ConfigLoader, settings: EcsSettings) -> Result<Self, ConnectError> {
        let config = connection::sdk_config(loader, &settings).await?;
        Ok(Self::over(&config, settings))
    }

    /// The same, and how long calls are held back is told there.
    #[must_use]
    pub fn metered(self, metrics: &Metrics) -> Self {
        Self { budgets: self.budgets.metered(metrics), ..self }
    }

    fn over(config: &SdkConfig, settings: EcsSettings) -> Self {
        let ec2 = aws_sdk_ec2::config::Builder::from(config).interceptor(WholeAnswers::Xml).build();
        let ecs = aws_sdk_ecs::config::Builder::from(config).interceptor(WholeAnswers::Json).build();
        Self {
            settings,
            ec2: aws_sdk_ec2::Client::from_conf(ec2),
            ecs: aws_sdk_ecs::Client::from_conf(ecs),
            definitions: Mutex::default(),
            living_tasks: Mutex::default(),
            earlier: Mutex::default(),
            complaints: Complaints::default(),
            planned: PlannedEnds::default(),
            budgets: Budgets::default(),
        }
    }

    /// As with the definitions.
    fn living_tasks(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.living_tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As with the definitions.
    fn earlier_found(&self) -> MutexGuard<'_, Option<(Revision, Vec<Revision>)>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change to the cache is whole, so one that panicked left nothing half done.
    fn definitions(&self) -> MutexGuard<'_, BTreeMap<String, TaskDefinition>> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cloud for EcsCloud {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        let (shown, target) = tokio::join!(self.look(), self.target());
        let (mut observation, unreachable) = observation::observation(&shown?, &self.settings, begun_at)?;
        self.complaints.update(unreachable);
        // Without it nothing is known to start; all else goes on.
        observation.target = target
            .inspect_err(
                |error| tracing::error!(%error, "which revision is to run cannot be read: what was known of it stands"),
            )
            .ok();
        Ok(observation)
    }

    async fn glimpse(&self, begun_at: Timestamp) -> Result<Option<Observation>, CloudError> {
        let Some(shown) = self.first_page().await? else { return Ok(None) };
        // What cannot be reached is complained of by the whole look.
        Ok(Some(observation::observation(&shown, &self.settings, begun_at)?.0))
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        self.run_instances(order).await
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        let task = self.run_task(order).await?;
        self.living_tasks().insert(task.to_string());
        Ok(task)
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        self.tag(task, role).await
    }

    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        self.mark(revision, state).await
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        self.end(doomed).await
    }
}

/// The instance is terminated, or on its way there.
fn has_ended(instance: &Instance) -> bool {
    let state = instance.state().and_then(|state| state.name());
    matches!(state, Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated))
}
