//! What becomes of a call to AWS on its way there and back.

use std::time::Duration;

use super::aws::ApiError;
use super::buckets::Bucket;
use super::weather::share_of;
use super::{Errand, World};
use crate::event::{Call, Event, ManagerId};
use crate::faults::{CrashPoint, FaultKind};

/// What becomes of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fate {
    /// Until it takes effect.
    pub before: Duration,
    /// What it comes to.
    pub then: Then,
    /// From there until the caller knows.
    pub after: Duration,
}

/// What a call comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Then {
    /// It takes effect, and is answered.
    Effect,
    /// It is refused.
    Refused(ApiError),
    /// It takes effect, and the connection is closed before the answer.
    EffectUnanswered,
    /// Nobody answers, and it takes effect so long after it was sent.
    Late(Duration),
}

impl Call {
    /// What it costs: of which bucket, how many calls.
    fn costs(&self, world: &World) -> (Bucket, u32) {
        let pages = |things: usize, page: usize| u32::try_from(things.div_ceil(page)).unwrap_or(u32::MAX);
        match self {
            Self::ReadInstances => (Bucket::DescribeInstances, pages(world.machines.len(), 500).max(1)),
            Self::ReadCluster => {
                // One list of members and two of tasks, what is in them, by the hundred, and the task definition.
                let (members, tasks) = (pages(world.machines.len(), 100), pages(world.tasks.len(), 100));
                (Bucket::Reads, 2 * members.max(1) + tasks.max(1) + 3)
            }
            Self::Read("DescribeInstances" | "DescribeInstanceStatus") => (Bucket::DescribeInstances, 1),
            Self::Read(_) => (Bucket::Reads, 1),
            Self::RunInstances { .. } => (Bucket::RunInstances, 1),
            Self::RunTask { .. } | Self::StopTask { .. } => (Bucket::Tasks, 1),
            Self::Tag { .. } | Self::Mark { .. } => (Bucket::Tags, 1),
            Self::Terminate { .. } => (Bucket::TerminateInstances, 1),
        }
    }
}

impl World {
    /// A call comes to AWS; what becomes of it.
    pub fn receive(&mut self, manager: ManagerId, call: &Call) -> Fate {
        self.tell(Event::Called(manager, call.clone()));
        let (bucket, calls) = call.costs(self);
        let now = self.now();
        let has_room = self.buckets.take(bucket, calls, now);
        if !has_room {
            self.tell(Event::BucketEmpty(manager, call.clone()));
        }
        let (before, after) = self.latency();
        let then = if has_room { self.outcome_of(call) } else { Then::Refused(ApiError::Throttled) };
        if let Some((CrashPoint::BeforeEffect(which), _)) = self.crash
            && which.is(call)
        {
            self.crash_now(manager, 0);
        }
        Fate { before, then, after }
    }

    fn latency(&mut self) -> (Duration, Duration) {
        let slow = self.weather.has(|kind| matches!(kind, FaultKind::SlowCalls));
        let most = if slow { 8.0 } else { 0.15 };
        (self.chance.seconds(0.01, most), self.chance.seconds(0.01, most))
    }

    fn outcome_of(&mut self, call: &Call) -> Then {
        let is_denied = call.is_change() && self.weather.has(|kind| matches!(kind, FaultKind::Denials));
        let is_out = self.weather.has(|kind| matches!(kind, FaultKind::Outage));
        let throttled = share_of!(self, Throttling);
        let (lost, unanswered) = (share_of!(self, LostRequests), share_of!(self, LostAnswers));
        let late = share_of!(self, LateEffects);
        if is_out || self.chance.happens(lost) {
            Then::Refused(ApiError::ConnectionClosed)
        } else if self.chance.happens(throttled) {
            Then::Refused(ApiError::Throttled)
        } else if is_denied {
            Then::Refused(ApiError::Denied)
        } else if self.chance.happens(unanswered) {
            Then::EffectUnanswered
        } else if self.chance.happens(late) {
            Then::Late(self.scenario.policy.call_timeout + self.chance.seconds(0.0, 20.0))
        } else {
            Then::Effect
        }
    }

    /// A call took effect, or did not.
    pub fn took_effect(&mut self, manager: ManagerId, call: &Call) {
        if let Some((CrashPoint::BeforeAnswer(which), _)) = self.crash
            && which.is(call)
        {
            self.crash_now(manager, 0);
        }
    }

    /// A call's caller knows what came of it, or that nobody knows.
    pub fn call_ended(&mut self, manager: ManagerId, call: &Call, how: &'static str) {
        self.tell(Event::CallEnded(manager, call.clone(), how));
        if let Some((CrashPoint::AfterAnswer(which, turns), _)) = self.crash
            && which.is(call)
        {
            self.crash_now(manager, turns);
        }
        if call.is_change()
            && self.runs(manager)
            && let Some(down) = self.restart.take()
        {
            self.errands.push(Errand::Restart(manager, down));
            self.wake.notify_one();
        }
    }
}
