//! What the operator wants of the fleet.

use std::time::Duration;

use thiserror::Error;

use super::allocation::AllocationRule;
use super::margins::{MarginPolicy, Schedule};

/// Margins, limits and deadlines. [`Policy::check`] tells whether they can hold together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Below so many free and pending places the fleet grows.
    pub upscale_margin: u32,
    /// Above so many free places the fleet shrinks.
    pub downscale_margin: u32,
    /// What sets the margins; the two above hold while it has too little to go by.
    pub margin_policy: MarginPolicy,
    /// Another policy, of which it is only told what it would do.
    pub shadow_policy: Option<MarginPolicy>,
    /// Floors for the upscale margin, by time, whatever sets it.
    pub schedule: Schedule,
    /// Players that a fresh server takes.
    pub server_capacity: u32,
    /// Servers that are kept available however few players there are.
    pub min_servers: u32,
    /// So long after somebody last played or came a fleet that may have no servers ends its last one. None: never, whatever the
    /// margins are they hold.
    pub quiet_time: Option<Duration>,
    /// Servers in all, pending and standby included, that are never exceeded.
    pub max_servers: u32,
    /// Launches in flight that are never exceeded.
    pub max_launching: u32,
    /// Where the next player is sent.
    pub allocation: AllocationRule,
    /// How long a place is held for a client that does not show up.
    pub hold_ttl: Duration,
    /// How long a client's sticky key leads to the server that it was last given.
    pub sticky_ttl: Duration,
    /// Pause between two health questions to one server, and between two decisions.
    pub health_interval: Duration,
    /// How long a server may take to answer.
    pub health_timeout: Duration,
    /// From the first unanswered question on a server gets no players; after so many in a row it is silent.
    pub silent_after_misses: u32,
    /// How long a silent server is waited for, counted from its first miss.
    pub silence_grace: Duration,
    /// From the launch of an instance until it is in the cluster.
    pub boot_deadline: Duration,
    /// From joining the cluster until a task runs on it.
    pub placement_deadline: Duration,
    /// From running until the first healthy answer.
    pub healthy_deadline: Duration,
    /// Pause after a failed launch, and before a pool that had nothing to give is asked again, doubled with each
    /// further failure in a row.
    pub launch_backoff: Duration,
    /// The longest such pause.
    pub launch_backoff_max: Duration,
    /// Launches under way at once for the sake of a new revision, in place of servers that still run the old one.
    pub rollout_surge: u32,
    /// So many servers of a new revision that fail end its rollout.
    pub rollout_failures: u32,
    /// Pools that a launch falls through, at least one: what the first does not have is asked of the second, and so on.
    pub pools: u32,
    /// What an intent has made in one pool the cloud knows in all of them, and makes it nowhere again.
    pub intents_span_pools: bool,
    /// Pause between two looks at the whole cloud.
    pub observe_interval: Duration,
    /// How long one cloud call, or one look, may take.
    pub call_timeout: Duration,
}

impl Policy {
    /// How old the last look at the cloud may be for anything to be scaled down on it: three missed looks.
    pub fn stale_after(&self) -> Duration {
        (self.observe_interval + self.call_timeout) * 3
    }

    /// Refuses a policy that could not keep a fleet steady.
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.server_capacity == 0 {
            return Err(PolicyError::NoCapacity);
        }
        let band = i64::from(self.downscale_margin) - i64::from(self.upscale_margin);
        if band <= i64::from(self.server_capacity) {
            return Err(PolicyError::Flaps { band, server_capacity: self.server_capacity });
        }
        if self.pools == 0 {
            return Err(PolicyError::NoPool);
        }
        if self.min_servers > self.max_servers {
            return Err(PolicyError::MinAboveMax { min: self.min_servers, max: self.max_servers });
        }
        Ok(())
    }

    /// The pause after `failures` failed launches in a row.
    pub fn backoff_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.launch_backoff.saturating_mul(1 << doublings).min(self.launch_backoff_max)
    }
}

impl Default for Policy {
    /// The margins of the old manager; deadlines that suit ECS on EC2.
    fn default() -> Self {
        Self {
            upscale_margin: 4,
            downscale_margin: 18,
            margin_policy: MarginPolicy::Fixed,
            shadow_policy: None,
            schedule: Schedule::default(),
            server_capacity: 10,
            min_servers: 1,
            quiet_time: Some(Duration::from_secs(600)),
            max_servers: 20,
            max_launching: 10,
            allocation: AllocationRule::Packed,
            hold_ttl: Duration::from_secs(30),
            sticky_ttl: Duration::from_secs(3600),
            health_interval: Duration::from_secs(1),
            health_timeout: Duration::from_secs(2),
            silent_after_misses: 3,
            silence_grace: Duration::from_secs(30),
            boot_deadline: Duration::from_secs(300),
            placement_deadline: Duration::from_secs(180),
            healthy_deadline: Duration::from_secs(120),
            launch_backoff: Duration::from_secs(5),
            launch_backoff_max: Duration::from_secs(300),
            rollout_surge: 2,
            rollout_failures: 3,
            pools: 1,
            intents_span_pools: true,
            observe_interval: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a policy is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PolicyError {
    /// A server that takes nobody.
    #[error("the server capacity is 0: a server takes at least one player")]
    NoCapacity,
    /// Taking a server away would at once call for a new one.
    #[error("downscale margin - upscale margin is {band}, and must be more than the server capacity {server_capacity}")]
    Flaps {
        /// Downscale margin less upscale margin.
        band: i64,
        /// Players that a fresh server takes.
        server_capacity: u32,
    },
    /// Nowhere to launch from.
    #[error("there is no pool to launch instances from")]
    NoPool,
    /// The limits cross.
    #[error("the minimum of {min} servers is above the maximum of {max}")]
    MinAboveMax {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_no_wider_than_a_server_is_refused() {
        for (up, down, fits) in [(4, 18, true), (4, 15, true), (4, 14, false), (18, 4, false)] {
            let policy = Policy { upscale_margin: up, downscale_margin: down, ..Policy::default() };
            assert_eq!(policy.check().is_ok(), fits, "{up} {down}");
        }
    }

    #[test]
    fn failures_in_a_row_double_the_pause_up_to_its_limit() {
        let policy = Policy::default();
        let pauses: Vec<u64> = (1..=8).map(|failures| policy.backoff_after(failures).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(policy.backoff_after(u32::MAX).as_secs(), 300);
    }
}
