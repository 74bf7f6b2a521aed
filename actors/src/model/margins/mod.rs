//! How many places are kept free: below one number the fleet grows, above the other it shrinks.
//!
//! What sets them is one of several policies, each a pure function of what is seen, in a file of its own. Whichever it is,
//! the same decision is made on them, and the same limits hold.

mod lead_time;

use std::time::Duration;

use super::policy::Policy;
use super::traffic::Traffic;

pub use lead_time::LeadTimePolicy;

/// Below and above how many free places the fleet grows and shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Margins {
    /// With fewer free and pending places than this the fleet grows.
    pub upscale: u32,
    /// With more free places than this it shrinks.
    pub downscale: u32,
}

/// Beside a whole server, a part of one lies between the margins, so that none is sent to standby and taken back by the same
/// players. One in so many.
const BAND: u32 = 8;

impl Margins {
    /// With this upscale margin, and as close a downscale margin as holds still.
    pub fn above(upscale: u32, server_capacity: u32) -> Self {
        let between = server_capacity + server_capacity.div_ceil(BAND).max(2);
        Self { upscale, downscale: upscale.saturating_add(between) }
    }
}

/// What sets the margins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MarginPolicy {
    /// The operator: they are fixed.
    #[default]
    Fixed,
    /// How fast players come, and how long a launch takes.
    LeadTime(LeadTimePolicy),
}

/// What margins that set themselves go by.
#[derive(Clone, Copy, Debug)]
pub struct MarginsSeen<'a> {
    /// Players who come and go.
    pub traffic: &'a Traffic,
    /// Nineteen of twenty launches took no longer; none if none came to serve yet.
    pub lead_time: Option<Duration>,
    /// Players who came together, at most.
    pub largest_party: u32,
}

impl Policy {
    /// The margins, as they are now.
    pub fn margins(&self, seen: &MarginsSeen<'_>) -> Margins {
        let fixed = Margins { upscale: self.upscale_margin, downscale: self.downscale_margin };
        match &self.margin_policy {
            MarginPolicy::Fixed => fixed,
            // With too little to go by, what the operator set holds, and the floor.
            MarginPolicy::LeadTime(policy) => policy.margins(self, seen).unwrap_or_else(|| {
                let raised = policy.least.saturating_sub(fixed.upscale);
                Margins { upscale: fixed.upscale + raised, downscale: fixed.downscale.saturating_add(raised) }
            }),
        }
    }
}
