//! The ledger of launches: at most one is asked for at a time, and the next only once the cloud shows the last.
//!
//! That order is what makes one intent one launch: the ordinal of the next launch is one above the highest that the
//! cloud shows, so a manager that crashed after asking arrives at the same ordinal, the same client token, and so at
//! the same instances.
//!
//! A launch falls through the operator's pools: where one has nothing to give, the same intent is asked of the next.
//! Where the cloud keeps intents apart by pool (EC2 does, by zone, once a subnet is named), the same ordinal could then
//! make instances twice: an earlier manager's in one pool, and after a restart this one's in another. There nothing is
//! launched until all that an earlier manager has made must be visible.

use std::collections::BTreeSet;
use std::time::Duration;

use super::id::{InstanceId, LaunchOrdinal};
use super::observation::Instance;
use super::order::LaunchOrder;
use super::policy::Policy;
use super::pools::{Exhausted, ExhaustedPools};
use super::time::Timestamp;
use crate::ports::CloudError;

/// How long the cloud may take to show what it has made (EC2 and ECS are eventually consistent: seconds, as a rule).
pub const VISIBILITY: Duration = Duration::from_secs(60);

/// Between two tries that follow from each other, at ordinals that turn out to be spent or at pools that turn out to be
/// exhausted: EC2 refills `RunInstances` by two calls a second.
const NEXT_TRY: Duration = Duration::from_millis(500);

/// The furthest that ordinals are jumped: no fleet has made so many launches that EC2 has forgotten.
const MAX_STRIDE: u64 = 1 << 20;

/// Why nothing can be launched now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaunchesBlocked {
    /// The last launch is still being asked for, or not visible yet.
    UnderWay,
    /// What an earlier manager launched in another pool may not be visible before.
    LookingBack {
        /// When.
        until: Timestamp,
    },
    /// No pool has anything to give; the first is asked again then.
    NoCapacity {
        /// When.
        until: Timestamp,
    },
    /// Launches failed; the next is tried then.
    BackingOff {
        /// When.
        until: Timestamp,
    },
}

impl LaunchesBlocked {
    /// Until when, if that is known.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::UnderWay => None,
            Self::LookingBack { until } | Self::NoCapacity { until } | Self::BackingOff { until } => Some(until),
        }
    }
}

#[derive(Debug)]
enum Progress {
    /// To be asked for (again) from then on.
    ToAsk { not_before: Timestamp },
    /// Asked for; no answer yet.
    Asked { again_at: Timestamp },
    /// Made; the cloud does not show all of it yet.
    Unseen { missing: BTreeSet<InstanceId>, until: Timestamp },
    /// Perhaps made, by a request that was not answered or by someone else; the cloud does not show it yet.
    Contested { until: Timestamp },
}

#[derive(Debug)]
struct Launch {
    order: LaunchOrder,
    /// When it was decided.
    begun_at: Timestamp,
    progress: Progress,
    /// Instances of it that the cloud shows though no answer named them: a look may show a part of them.
    seen: BTreeSet<InstanceId>,
    /// Requests of which it is not known whether they were carried out.
    unanswered: u32,
}

/// A launch that this ledger did not begin. The cloud may show a part of it at first.
#[derive(Debug)]
struct Inherited {
    ordinal: LaunchOrdinal,
    size: u32,
    seen: BTreeSet<InstanceId>,
    /// What it has not shown by then it will not show.
    until: Timestamp,
}

/// Launches asked for, and how the last ones went.
#[derive(Debug)]
pub struct LaunchLedger {
    next: LaunchOrdinal,
    current: Option<Launch>,
    /// How far the next ordinal jumps when one turns out to be spent or contested: doubled each time once that is safe,
    /// since a fleet that was gone for a while has left any number of spent ones behind.
    stride: u64,
    /// When the first look began. Until all that an earlier manager made must be visible, no ordinal is jumped over: it
    /// could be the one of a launch that is not visible yet.
    looking_since: Option<Timestamp>,
    /// The newest launch of somebody else, an earlier manager above all.
    inherited: Option<Inherited>,
    failures: u32,
    last_failed: Option<LaunchOrdinal>,
    not_before: Timestamp,
    exhausted: ExhaustedPools,
}

impl Default for LaunchLedger {
    fn default() -> Self {
        Self {
            next: LaunchOrdinal(1),
            current: None,
            stride: 1,
            looking_since: None,
            inherited: None,
            failures: 0,
            last_failed: None,
            not_before: Timestamp::default(),
            exhausted: ExhaustedPools::default(),
        }
    }
}

impl LaunchLedger {
    /// Why nothing can be launched at `now`, if so.
    pub fn blocked(&self, policy: &Policy, now: Timestamp) -> Option<LaunchesBlocked> {
        let is_partly_seen = |launch: &Inherited| now < launch.until && launch.seen.len() < launch.size as usize;
        if self.current.is_some() || self.inherited.as_ref().is_some_and(is_partly_seen) {
            Some(LaunchesBlocked::UnderWay)
        } else if let Some(until) = self.looks_back_until(policy).filter(|until| now < *until) {
            Some(LaunchesBlocked::LookingBack { until })
        } else if let Some(until) = self.exhausted.opens_at(policy, now) {
            Some(LaunchesBlocked::NoCapacity { until: until.max(self.not_before) })
        } else if now < self.not_before {
            Some(LaunchesBlocked::BackingOff { until: self.not_before })
        } else {
            None
        }
    }

    /// Until when an earlier manager's launches may be invisible, where the same intent could make them once more. A
    /// request of its last moment may take as long as a call to take effect.
    fn looks_back_until(&self, policy: &Policy) -> Option<Timestamp> {
        let may_repeat = policy.pools > 1 && !policy.intents_span_pools;
        self.looking_since.filter(|_| may_repeat).map(|since| since + policy.call_timeout + VISIBILITY)
    }

    /// Servers asked for that have no instance yet.
    pub fn requested(&self) -> u32 {
        match &self.current {
            Some(Launch { progress: Progress::Unseen { .. }, .. }) | None => 0,
            Some(launch) => launch.order.count.saturating_sub(u32::try_from(launch.seen.len()).unwrap_or(u32::MAX)),
        }
    }

    /// Failed launches in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Notes that the cloud was looked at.
    pub(super) fn looked(&mut self, begun_at: Timestamp) {
        self.looking_since.get_or_insert(begun_at);
    }

    /// Notes an instance that the cloud shows to be of a launch of so many.
    pub(super) fn saw(&mut self, ordinal: LaunchOrdinal, size: u32, instance: &Instance) {
        if ordinal >= self.next && self.current.as_ref().is_none_or(|launch| launch.order.ordinal != ordinal) {
            let until = instance.launched_at + VISIBILITY;
            self.inherited = Some(Inherited { ordinal, size, seen: BTreeSet::new(), until });
        }
        if let Some(launch) = self.inherited.as_mut().filter(|launch| launch.ordinal == ordinal) {
            launch.seen.insert(instance.id.clone());
        }
        if let Some(launch) = &mut self.current
            && launch.order.ordinal == ordinal
            && !matches!(launch.progress, Progress::Unseen { .. })
        {
            launch.seen.insert(instance.id.clone());
            // All that was asked for is there, though no answer said so.
            if launch.seen.len() >= launch.order.count as usize {
                self.current = None;
            }
        }
        if ordinal >= self.next {
            self.next = ordinal.plus(1);
        }
    }

    /// Notes an instance that the cloud shows.
    pub(super) fn saw_instance(&mut self, instance: &InstanceId) {
        if let Some(Launch { progress: Progress::Unseen { missing, .. }, .. }) = &mut self.current {
            missing.remove(instance);
            if missing.is_empty() {
                self.current = None;
            }
        }
    }

    /// Gives up waiting for what the cloud should have shown by now. The ordinal of a contested launch is passed over.
    pub(super) fn expire(&mut self, now: Timestamp) {
        match &self.current {
            Some(Launch { order, progress: Progress::Contested { until }, .. }) if now >= *until => {
                self.next = self.next.max(order.ordinal.plus(self.stride));
                self.stride = (self.stride * 2).min(MAX_STRIDE);
                self.current = None;
            }
            Some(Launch { progress: Progress::Unseen { until, .. }, .. }) if now >= *until => self.current = None,
            _ => {}
        }
    }

    /// Begins a launch of `count` instances.
    pub(super) fn begin(&mut self, count: u32, policy: &Policy, now: Timestamp) {
        // Whoever asked whether launches are blocked was told if no pool is open.
        let pool = self.exhausted.first_open(policy, now).unwrap_or_default();
        let order = LaunchOrder { ordinal: self.next, count, pool };
        let progress = Progress::ToAsk { not_before: now };
        self.current = Some(Launch { order, begun_at: now, progress, seen: BTreeSet::new(), unanswered: 0 });
    }

    /// When the launch of an ordinal was decided, if it is the one under way.
    pub(super) fn begun_at(&self, ordinal: LaunchOrdinal) -> Option<Timestamp> {
        self.current.as_ref().filter(|launch| launch.order.ordinal == ordinal).map(|launch| launch.begun_at)
    }

    /// The launch to ask the cloud for now, if any; it is not given out again before `patience` is over.
    pub(super) fn take_order(&mut self, now: Timestamp, patience: Duration) -> Option<LaunchOrder> {
        let launch = self.current.as_mut()?;
        let due = match launch.progress {
            Progress::ToAsk { not_before } => now >= not_before,
            Progress::Asked { again_at } => now >= again_at,
            Progress::Unseen { .. } | Progress::Contested { .. } => false,
        };
        due.then(|| {
            launch.progress = Progress::Asked { again_at: now + patience };
            launch.unanswered += 1;
            launch.order
        })
    }

    /// The cloud made these instances for the order. Whether it is the order under way.
    pub(super) fn launched(&mut self, order: LaunchOrder, instances: &[InstanceId], now: Timestamp) -> bool {
        self.next = self.next.max(order.ordinal.plus(1));
        self.stride = 1;
        self.exhausted.gave(order.pool);
        let begun_at = self.current.as_ref().filter(|launch| launch.order == order).map(|launch| launch.begun_at);
        if let Some(begun_at) = begun_at {
            let missing = instances.iter().cloned().collect();
            let progress = Progress::Unseen { missing, until: now + VISIBILITY };
            self.current = Some(Launch { order, begun_at, progress, seen: BTreeSet::new(), unanswered: 0 });
        }
        begun_at.is_some()
    }

    /// The cloud did not launch, or did not say so. Gives the pool that turned out to have nothing to give, if one did.
    pub(super) fn not_launched(
        &mut self,
        order: LaunchOrder,
        error: &CloudError,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Exhausted> {
        let launch = self.current.as_mut().filter(|launch| launch.order == order)?;
        if !matches!(error, CloudError::Unanswered(_)) {
            launch.unanswered = launch.unanswered.saturating_sub(1);
        }
        match error {
            // Perhaps it was done: only the same intent, asked for again, tells.
            CloudError::Unanswered(_) | CloudError::Throttled(_) => {
                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };
            }
            CloudError::Conflict(_) => launch.progress = Progress::Contested { until: now + VISIBILITY },
            CloudError::Spent(_) => {
                // What is known of the spent one does not hold of the next.
                let order = LaunchOrder { ordinal: order.ordinal.plus(self.stride), ..order };
                let progress = Progress::ToAsk { not_before: now + NEXT_TRY };
                *launch = Launch { order, progress, seen: BTreeSet::new(), unanswered: 0, ..*launch };
                self.next = self.next.max(order.ordinal);
                if self.looking_since.is_some_and(|since| now.since(since) >= VISIBILITY) {
                    self.stride = (self.stride * 2).min(MAX_STRIDE);
                }
            }
            CloudError::NotFound(_) | CloudError::Denied(_) | CloudError::Refused(_) if policy.pools <= 1 => {
                self.given_up(now);
                // Each refusal counts, also of one ordinal.
                self.failed(None, policy, now);
            }
            // One pool may be gone or not allowed, as spot is in an account that never had any: the others are asked.
            CloudError::NoCapacity(_) | CloudError::NotFound(_) | CloudError::Denied(_) | CloudError::Refused(_) => {
                let mut exhausted = self.exhausted.refused(order.pool, policy, now);
                let made_nothing = launch.unanswered == 0 && launch.seen.is_empty();
                match exhausted.next {
                    Some(pool) if made_nothing => {
                        launch.order.pool = pool;
                        launch.progress = Progress::ToAsk { not_before: now + NEXT_TRY };
                    }
                    Some(_) => self.given_up(now),
                    None => {
                        self.given_up(now);
                        self.failed(None, policy, now);
                        let opens_at = self.exhausted.opens_at(policy, now).unwrap_or(now);
                        exhausted.until = opens_at.max(self.not_before);
                    }
                }
                return Some(exhausted);
            }
        }
        None
    }

    /// The launch under way was refused for certain, this time.
    fn given_up(&mut self, now: Timestamp) {
        match &mut self.current {
            Some(launch) if launch.unanswered > 0 => {
                launch.progress = Progress::Contested { until: now + VISIBILITY };
            }
            // Nothing was made under its ordinal: the next launch has it, as it would after a restart.
            _ => self.current = None,
        }
    }

    /// A launch came to nothing. Instances of one launch that fail together count as one failure.
    pub(super) fn failed(&mut self, ordinal: Option<LaunchOrdinal>, policy: &Policy, now: Timestamp) {
        if ordinal.is_some() && ordinal == self.last_failed {
            return;
        }
        self.last_failed = ordinal;
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + policy.backoff_after(self.failures);
    }

    /// A launch came to serve: the brake is off.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.last_failed = None;
        self.not_before = Timestamp::default();
    }
}

#[cfg(test)]
#[path = "launches_tests.rs"]
mod tests;
