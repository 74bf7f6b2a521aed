//! What the cloud was asked, what it answered, and how long that took.

use std::sync::Arc;
use std::time::Duration;

use actors::model::{
    Doomed, InstanceId, LaunchOrder, Observation, PlaceOrder, Revision, Role, RolloutState, TaskId, Timestamp,
};
use actors::ports::{Cloud, CloudError};
use async_trait::async_trait;
use prometheus::{CounterVec, Error, HistogramVec, IntCounterVec};

use super::Metrics;
use super::making::Making;
use super::measured::Measured;

/// From an API that answers at once to `cloud_calls.timeout`, 30 seconds, with some to spare, in seconds.
const BOUNDS: [f64; 13] = [5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The result of a call that was carried out; of the others it is the error's kind.
const DONE: &str = "done";

/// What the cloud is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operation {
    Observe,
    Glimpse,
    Launch,
    Place,
    Record,
    RecordRollout,
    Close,
}

impl Operation {
    const ALL: [Self; 7] =
        [Self::Observe, Self::Glimpse, Self::Launch, Self::Place, Self::Record, Self::RecordRollout, Self::Close];

    const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Glimpse => "glimpse",
            Self::Launch => "launch",
            Self::Place => "place",
            Self::Record => "record",
            Self::RecordRollout => "record_rollout",
            Self::Close => "close",
        }
    }
}

/// AWS's limit on how often a group of calls may be made, for which calls are held back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// `RunInstances`.
    Launches,
    /// `TerminateInstances`.
    Terminations,
    /// `RunTask` and `StopTask` together.
    Tasks,
    /// `TagResource`.
    Tags,
}

impl Budget {
    const ALL: [Self; 4] = [Self::Launches, Self::Terminations, Self::Tasks, Self::Tags];

    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Launches => "launches",
            Self::Terminations => "terminations",
            Self::Tasks => "tasks",
            Self::Tags => "tags",
        }
    }
}

/// Each error that there can be, with nothing to say.
fn errors() -> [CloudError; 8] {
    [
        CloudError::NotFound(String::new()),
        CloudError::Throttled(String::new()),
        CloudError::NoCapacity(String::new()),
        CloudError::Denied(String::new()),
        CloudError::Conflict(String::new()),
        CloudError::Spent(String::new()),
        CloudError::Unanswered(String::new()),
        CloudError::Refused(String::new()),
    ]
}

#[derive(Clone)]
pub(super) struct CloudMetrics {
    calls: IntCounterVec,
    durations: HistogramVec,
    waits: CounterVec,
}

impl CloudMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let calls = making.counters(
            "cloud_calls_total",
            "Calls of the cloud, by what was asked and by what came of it: done, or the kind of the error.",
            &["operation", "result"],
        )?;
        let durations = making.durations(
            "cloud_call_duration_seconds",
            "Time that a call of the cloud took in seconds, its retries and the wait for its turn included, by what was \
             asked.",
            &["operation"],
            &BOUNDS,
        )?;
        let waits = making.amounts(
            "cloud_budget_wait_seconds_total",
            "Time in seconds that calls of AWS were held back so as not to exceed its limit on how often they may be \
             made, by the group of calls that has the limit.",
            &["budget"],
        )?;
        for operation in Operation::ALL {
            calls.with_label_values(&[operation.name(), DONE]);
            for error in errors() {
                calls.with_label_values(&[operation.name(), error.kind()]);
            }
            durations.with_label_values(&[operation.name()]);
        }
        for budget in Budget::ALL {
            waits.with_label_values(&[budget.name()]);
        }
        Ok(Self { calls, durations, waits })
    }

    /// Makes a call. Whoever makes it drops it when it takes too long, and takes it for one that was not answered.
    async fn measure<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<T, CloudError> {
        let given_up = CloudError::Unanswered(String::new()).kind();
        let measured = Measured::begin(given_up, |result: &'static str, took: Duration| {
            self.calls.with_label_values(&[operation.name(), result]).inc();
            self.durations.with_label_values(&[operation.name()]).observe(took.as_secs_f64());
        });
        let result = call.await;
        measured.end(result.as_ref().map_or_else(CloudError::kind, |_| DONE));
        result
    }
}

impl Metrics {
    /// A call was held back for so long.
    pub fn budget_waited(&self, budget: Budget, waited: Duration) {
        self.cloud.waits.with_label_values(&[budget.name()]).inc_by(waited.as_secs_f64());
    }
}

/// A cloud whose calls are counted and measured.
pub struct MeteredCloud {
    cloud: Arc<dyn Cloud>,
    metrics: CloudMetrics,
}

impl MeteredCloud {
    /// The same cloud, with its calls counted there.
    pub fn new(cloud: Arc<dyn Cloud>, metrics: &Metrics) -> Self {
        Self { cloud, metrics: metrics.cloud.clone() }
    }
}

#[async_trait]
impl Cloud for MeteredCloud {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        self.metrics.measure(Operation::Observe, self.cloud.observe(begun_at)).await
    }

    async fn glimpse(&self, begun_at: Timestamp) -> Result<Option<Observation>, CloudError> {
        self.metrics.measure(Operation::Glimpse, self.cloud.glimpse(begun_at)).await
    }

    async fn launch(&self, order: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        self.metrics.measure(Operation::Launch, self.cloud.launch(order)).await
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        self.metrics.measure(Operation::Place, self.cloud.place(order)).await
    }

    async fn record(&self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        self.metrics.measure(Operation::Record, self.cloud.record(task, role)).await
    }

    async fn record_rollout(&self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        self.metrics.measure(Operation::RecordRollout, self.cloud.record_rollout(revision, state)).await
    }

    async fn close(&self, doomed: &[Doomed]) -> Result<(), CloudError> {
        self.metrics.measure(Operation::Close, self.cloud.close(doomed)).await
    }
}
