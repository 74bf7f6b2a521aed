//! A share of all places is kept free, however many there are: what Agones calls a buffer, and GameLift a target.

use super::{Margins, MarginsSeen};
use crate::model::policy::Policy;

/// Margins by a share of all places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferPolicy {
    /// So many of a hundred places are to be free; below 100.
    pub percent: u32,
    /// The upscale margin is never below this.
    pub least: u32,
}

impl BufferPolicy {
    /// Of `percent` of all places free, the players take the others: `players × percent / (100 - percent)` are free.
    pub(super) fn margins(&self, policy: &Policy, seen: &MarginsSeen<'_>) -> Margins {
        let percent = u64::from(self.percent.min(99));
        let wanted = (u64::from(seen.players) * percent).div_ceil(100 - percent);
        let upscale = u32::try_from(wanted).unwrap_or(u32::MAX).min(policy.most_places()).max(self.least);
        Margins::above(upscale, policy.server_capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::margins::tests::{seen, traffic};
    use crate::model::{MarginPolicy, Policy};

    #[test]
    fn a_share_of_all_places_is_kept_free() {
        let margin_policy = MarginPolicy::Buffer(BufferPolicy { percent: 25, least: 5 });
        let policy = Policy { margin_policy, server_capacity: 64, max_servers: 20, ..Policy::default() };
        let traffic = traffic(0, 0, 0);
        for (players, upscale) in [(0, 5), (9, 5), (300, 100), (301, 101), (100_000, 20 * 64)] {
            let margins = policy.margins(&MarginsSeen { players, ..seen(&traffic) });
            assert_eq!(margins, Margins { upscale, downscale: upscale + 72 }, "{players}");
        }
    }
}
