//! Calls of the cloud, questions for health, and launches.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::model::{
    Doomed, HealthAnswer, InstanceId, LaunchOrder, LaunchOrdinal, LeadTime, Observation, PlaceOrder, Pool, Revision,
    Role, RolloutState, TaskId, Timestamp,
};
use actors::ports::{Cloud, CloudError, HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;
use tokio::time::{sleep, timeout};

use super::metrics;
use crate::metrics::{Budget, MeteredCloud, MeteredProbes, Metrics};

/// How long a call takes here.
const TAKES: Duration = Duration::from_millis(200);

/// A cloud that launches nothing, since it may not, and does all else.
struct Forbidding;

async fn after<T>(result: Result<T, CloudError>) -> Result<T, CloudError> {
    sleep(TAKES).await;
    result
}

#[async_trait]
impl Cloud for Forbidding {
    async fn observe(&self, begun_at: Timestamp) -> Result<Observation, CloudError> {
        after(Err(CloudError::Throttled(format!("at {begun_at:?}")))).await
    }

    async fn launch(&self, _: LaunchOrder) -> Result<Vec<InstanceId>, CloudError> {
        after(Err(CloudError::Denied("RunInstances".into()))).await
    }

    async fn place(&self, order: &PlaceOrder) -> Result<TaskId, CloudError> {
        after(Err(CloudError::NotFound(order.instance.to_string()))).await
    }

    async fn record(&self, _: &TaskId, _: Role) -> Result<(), CloudError> {
        after(Ok(())).await
    }

    async fn record_rollout(&self, _: &Revision, _: RolloutState) -> Result<(), CloudError> {
        after(Ok(())).await
    }

    async fn close(&self, _: &[Doomed]) -> Result<(), CloudError> {
        after(Ok(())).await
    }
}

fn launch() -> LaunchOrder {
    LaunchOrder { ordinal: LaunchOrdinal(1), count: 1, pool: Pool::default() }
}

fn calls(metrics: &Metrics, operation: &str, result: &str) -> f64 {
    metrics.sample(&format!(r#"cloud_calls_total{{operation="{operation}",result="{result}"}}"#))
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_what_came_of_them() {
    let metrics = metrics();
    let cloud = MeteredCloud::new(Arc::new(Forbidding), &metrics);
    assert_eq!(cloud.launch(launch()).await, Err(CloudError::Denied("RunInstances".into())), "the answer is passed on");
    assert!(cloud.observe(Timestamp::default()).await.is_err());
    for _ in 0..2 {
        assert!(cloud.close(&[]).await.is_ok());
    }
    assert_eq!(calls(&metrics, "launch", "denied"), 1.0);
    assert_eq!(calls(&metrics, "launch", "done"), 0.0);
    assert_eq!(calls(&metrics, "observe", "throttled"), 1.0);
    assert_eq!(calls(&metrics, "close", "done"), 2.0);
    let duration = |what: &str| metrics.sample(&format!("cloud_call_duration_seconds_{what}"));
    assert_eq!(duration(r#"sum{operation="launch"}"#), 0.2);
    assert_eq!(duration(r#"bucket{operation="launch",le="0.1"}"#), 0.0);
    assert_eq!(duration(r#"bucket{operation="launch",le="0.25"}"#), 1.0);
    assert_eq!(duration(r#"count{operation="close"}"#), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_took_too_long_was_not_answered() {
    let metrics = metrics();
    let cloud = MeteredCloud::new(Arc::new(Forbidding), &metrics);
    assert!(timeout(TAKES / 2, cloud.launch(launch())).await.is_err());
    assert_eq!(calls(&metrics, "launch", "unanswered"), 1.0);
    assert_eq!(calls(&metrics, "launch", "denied"), 0.0);
    assert_eq!(metrics.sample(r#"cloud_call_duration_seconds_sum{operation="launch"}"#), 0.1);
}

#[test]
fn calls_that_are_held_back_tell_for_how_long() {
    let metrics = metrics();
    metrics.budget_waited(Budget::Launches, Duration::from_millis(500));
    metrics.budget_waited(Budget::Launches, Duration::from_millis(750));
    assert_eq!(metrics.sample(r#"cloud_budget_wait_seconds_total{budget="launches"}"#), 1.25);
}

/// Servers by their ports: one answers, one is not there, one says something else, and all others keep silent.
struct Servers;

struct Probe(SocketAddr);

impl HealthProbes for Servers {
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(Probe(target))
    }
}

#[async_trait]
impl HealthProbe for Probe {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        match self.0.port() {
            1 => Ok(HealthAnswer { available_capacity: 7, ready_to_close: false }),
            2 => Err(ProbeError::Unreachable("Connection refused".into())),
            3 => Err(ProbeError::Unreadable("status 404".into())),
            _ => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn questions_for_health_are_counted_by_their_answers() {
    let metrics = metrics();
    let probes = MeteredProbes::new(Servers, &metrics);
    for port in 1..=4 {
        let mut probe = probes.probe(([192, 0, 2, 1], port).into());
        let _ = timeout(Duration::from_secs(2), probe.ask()).await;
    }
    for result in ["answered", "unreachable", "unreadable", "timed_out"] {
        assert_eq!(metrics.sample(&format!(r#"health_checks_total{{result="{result}"}}"#)), 1.0, "{result}");
    }
    assert_eq!(metrics.sample("health_check_duration_seconds_sum"), 2.0);
    assert_eq!(metrics.sample("health_check_duration_seconds_count"), 4.0);
}

#[test]
fn a_launch_is_measured_by_its_stages_and_as_a_whole() {
    let metrics = metrics();
    let stages = [40, 12, 1, 7].map(Duration::from_secs);
    metrics.launched(&LeadTime { stages, total: stages.iter().sum() });
    let stage = |stage: &str| metrics.sample(&format!(r#"launch_stage_duration_seconds_sum{{stage="{stage}"}}"#));
    assert_eq!(["booting", "registering", "placing", "starting"].map(stage), [40.0, 12.0, 1.0, 7.0]);
    assert_eq!(metrics.sample("launch_duration_seconds_sum"), 60.0);
    assert_eq!(metrics.sample(r#"launch_duration_seconds_bucket{le="60"}"#), 1.0);
}

#[test]
fn questions_to_the_supervisor_are_timed() {
    let metrics = metrics();
    metrics.supervisor_answered(Duration::from_micros(70));
    assert_eq!(metrics.sample(r#"supervisor_answer_duration_seconds_bucket{le="0.0001"}"#), 1.0);
}
