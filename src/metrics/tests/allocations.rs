//! Clients that ask for places.

use std::time::Duration;

use tokio::time::advance;

use super::metrics;
use crate::metrics::{AllocationOutcome, Api, Patience};

#[test]
fn an_answer_is_counted_and_timed() {
    let metrics = metrics();
    let request = metrics.allocation(Api::V0, Patience::None);
    request.answered(AllocationOutcome::Placed, Duration::from_micros(80));
    metrics.allocation(Api::V0, Patience::None).answered(AllocationOutcome::Backup, Duration::ZERO);
    assert_eq!(metrics.sample(r#"allocations_total{api="v0",outcome="placed"}"#), 1.0);
    assert_eq!(metrics.sample(r#"allocations_total{api="v0",outcome="backup"}"#), 1.0);
    let bucket = |le: &str| {
        metrics.sample(&format!(r#"allocation_duration_seconds_bucket{{api="v0",patience="none",le="{le}"}}"#))
    };
    assert_eq!((bucket("0.00005"), bucket("0.0001"), bucket("+Inf")), (1.0, 2.0, 2.0));
}

#[test]
fn who_waits_for_a_place_is_timed_apart() {
    let metrics = metrics();
    let request = metrics.allocation(Api::V1, Duration::from_secs(20).into());
    request.answered(AllocationOutcome::NoCapacity, Duration::from_secs(15));
    assert_eq!(metrics.sample(r#"allocation_duration_seconds_sum{api="v1",patience="some"}"#), 15.0);
    assert_eq!(metrics.sample(r#"allocation_duration_seconds_count{api="v1",patience="none"}"#), 0.0);
    assert_eq!(Patience::from(Duration::ZERO), Patience::None);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_before_the_answer_is_counted_as_well() {
    let metrics = metrics();
    let request = metrics.allocation(Api::V1, Patience::Some);
    advance(Duration::from_secs(3)).await;
    drop(request);
    assert_eq!(metrics.sample(r#"allocation_duration_seconds_sum{api="v1",patience="some"}"#), 3.0);
    assert_eq!(metrics.sample(r#"allocations_total{api="v1",outcome="abandoned"}"#), 1.0);
    let outcomes = ["placed", "no_capacity", "refused", "timeout"];
    let others = outcomes.map(|outcome| format!(r#"allocations_total{{api="v1",outcome="{outcome}"}}"#));
    assert!(others.iter().all(|series| metrics.sample(series) == 0.0));
}
