//! Margins that a service of the operator's tells.

use std::time::Duration;

use super::{Margins, MarginsSeen};
use crate::model::policy::Policy;

/// Margins by what was told last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToldPolicy {
    /// For so long after it was told.
    pub keep: Duration,
}

impl ToldPolicy {
    /// None when nothing was told for too long.
    pub(super) fn margins(&self, policy: &Policy, seen: &MarginsSeen<'_>) -> Option<Margins> {
        let (Margins { upscale, downscale }, at) = seen.told?;
        // They were told for servers that may have had fewer places.
        let least = Margins::above(upscale, policy.server_capacity).downscale;
        let holds = policy.server_capacity < downscale.saturating_sub(upscale);
        let margins = Margins { upscale, downscale: if holds { downscale } else { least } };
        (seen.now.since(at) <= self.keep).then_some(margins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::margins::tests::{seen, traffic};
    use crate::model::{MarginPolicy, Timestamp};

    #[test]
    fn what_was_told_holds_for_a_while_and_then_what_is_set() {
        let margin_policy = MarginPolicy::Told(ToldPolicy { keep: Duration::from_secs(60) });
        let policy = Policy { margin_policy, ..Policy::default() };
        let (told, fixed) = (Margins { upscale: 70, downscale: 90 }, Margins { upscale: 4, downscale: 18 });
        let traffic = traffic(0, 0, 0);
        let at = |second| {
            let seen = MarginsSeen { told: Some((told, Timestamp::from_secs(1000))), ..seen(&traffic) };
            policy.margins(&MarginsSeen { now: Timestamp::from_secs(second), ..seen })
        };
        assert_eq!((at(1000), at(1060), at(1061)), (told, told, fixed));
        assert_eq!(policy.margins(&seen(&traffic)), fixed);
        let larger = Policy { server_capacity: 64, ..policy };
        let seen = MarginsSeen {
            told: Some((told, Timestamp::from_secs(1000))),
            now: Timestamp::from_secs(1000),
            ..seen(&traffic)
        };
        assert_eq!(larger.margins(&seen), Margins { upscale: 70, downscale: 142 });
    }
}
