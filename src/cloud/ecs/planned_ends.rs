//! Instances that AWS is about to end or to start anew, and says so ahead: their games would end with them.
//!
//! AWS plans that days ahead, so it is asked once in a while along with a look, and not with each one. Nothing hangs on
//! the answer but how early a server is replaced: a look is whole without it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actors::ports::CloudError;
use aws_sdk_ec2::types::{EventCode, Filter, InstanceStatus, InstanceStatusEvent};
use tokio::time::Instant;

use super::EcsCloud;
use super::errors::failed;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(60);

/// Instances of one page: as many as EC2 gives in one.
const PAGE: i32 = 1000;

/// What is planned for an instance. None of it leaves a game running.
const ENDS: [EventCode; 5] = [
    EventCode::InstanceRetirement,
    EventCode::InstanceStop,
    EventCode::InstanceReboot,
    EventCode::SystemReboot,
    EventCode::SystemMaintenance,
];

/// What the last answer said.
#[derive(Debug, Default)]
pub(super) struct PlannedEnds(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    instances: BTreeSet<String>,
    asked_at: Option<Instant>,
    /// The last question failed, which was told.
    failing: bool,
}

impl PlannedEnds {
    /// Whether it is time to ask; who is told so asks.
    fn is_due(&self) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = known.asked_at.is_none_or(|asked_at| asked_at.elapsed() >= EVERY);
        if is_due {
            known.asked_at = Some(Instant::now());
        }
        is_due
    }

    /// Takes an answer in. What was known before stands until the next one that can be read.
    fn answered(&self, answer: Result<BTreeSet<String>, CloudError>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(instances) => {
                for instance in instances.difference(&known.instances) {
                    tracing::warn!(%instance, "AWS has planned the end, or a reboot, of an instance");
                }
                (known.instances, known.failing) = (instances, false);
            }
            Err(error) => {
                if !known.failing {
                    tracing::warn!(kind = error.kind(), %error, "what AWS has planned for the instances cannot be read");
                }
                known.failing = true;
            }
        }
    }

    fn instances(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).instances.clone()
    }
}

impl EcsCloud {
    /// The instances that will not stay, the fleet's and others, as of a minute ago at most.
    pub(super) async fn planned_ends(&self) -> BTreeSet<String> {
        if self.planned.is_due() {
            self.planned.answered(self.planned_now().await);
        }
        self.planned.instances()
    }

    /// The same as of now.
    pub(super) async fn planned_now(&self) -> Result<BTreeSet<String>, CloudError> {
        let codes = ENDS.map(|code| code.as_str().to_owned()).to_vec();
        let planned = Filter::builder().name("event.code").set_values(Some(codes)).build();
        let call =
            self.ec2.describe_instance_status().filters(planned).max_results(PAGE).into_paginator().items().send();
        let statuses: Vec<InstanceStatus> = call.try_collect().await.map_err(failed("DescribeInstanceStatus"))?;
        let ending = statuses.iter().filter(|status| status.events().iter().any(is_to_come));
        Ok(ending.filter_map(InstanceStatus::instance_id).map(str::to_owned).collect())
    }
}

/// "After a scheduled event is completed, it can still be described for up to a week. If the event has been completed,
/// this description starts with the following text: [Completed]." One that was called off begins with [Canceled].
fn is_to_come(event: &InstanceStatusEvent) -> bool {
    let is_over = |told: &str| told.starts_with("[Completed]") || told.starts_with("[Canceled]");
    event.code().is_some_and(|code| ENDS.contains(code)) && !event.description().is_some_and(is_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_not_to_come() {
        let event = |code: EventCode, told: &str| InstanceStatusEvent::builder().code(code).description(told).build();
        assert!(is_to_come(&event(EventCode::InstanceRetirement, "The instance is running on degraded hardware")));
        assert!(is_to_come(&InstanceStatusEvent::builder().code(EventCode::InstanceStop).build()));
        assert!(!is_to_come(&event(EventCode::InstanceStop, "[Completed] The instance is on degraded hardware")));
        assert!(!is_to_come(&event(EventCode::SystemReboot, "[Canceled] Scheduled reboot")));
        assert!(!is_to_come(&event("of-another-kind".into(), "")));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_for_once_a_minute_and_what_was_known_outlives_a_failure() {
        let planned = PlannedEnds::default();
        let known = BTreeSet::from(["i-1".to_owned()]);
        assert_eq!([planned.is_due(), planned.is_due()], [true, false]);
        planned.answered(Ok(known.clone()));
        tokio::time::advance(EVERY).await;
        assert!(planned.is_due());
        planned.answered(Err(CloudError::Denied("an older policy".into())));
        assert_eq!(planned.instances(), known);
        planned.answered(Ok(BTreeSet::new()));
        assert_eq!(planned.instances(), BTreeSet::new());
    }
}
