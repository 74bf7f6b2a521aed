//! Counting who comes and goes, and setting the margins by it.

use super::Roster;
use crate::model::margins::{Margins, MarginsSeen};
use crate::model::policy::Policy;
use crate::model::time::Timestamp;
use crate::model::traffic::Traffic;

/// What was counted since the margins were last set.
#[derive(Clone, Debug, Default)]
pub(super) struct Reckoning {
    traffic: Traffic,
    /// Places handed out since the last count.
    handed_out: u32,
    largest_party: u32,
    /// When was last counted, and how many players there were, those that were on their way included.
    last: Option<(Timestamp, u32)>,
}

impl Reckoning {
    /// Places were handed out to players who come together.
    pub(super) fn handed_out(&mut self, seats: u32) {
        self.handed_out = self.handed_out.saturating_add(seats);
        self.largest_party = self.largest_party.max(seats);
    }
}

impl Roster {
    /// Counts who came and went since this was last done, and sets the margins by it.
    ///
    /// Who leaves does not say so: those are gone who were there, or came, and are no more. Who did not show up is among
    /// them.
    pub fn reckon(&mut self, now: Timestamp) {
        let players = self.players();
        let Reckoning { traffic, handed_out, last, .. } = &mut self.reckoning;
        if let Some((counted_at, before)) = *last {
            let span = now.since(counted_at);
            if span.is_zero() {
                return;
            }
            let departures = before.saturating_add(*handed_out).saturating_sub(players);
            traffic.count(*handed_out, departures, span);
        }
        (*last, *handed_out) = (Some((now, players)), 0);
        self.set_margins();
    }

    /// The margins as they are now.
    pub const fn margins(&self) -> Margins {
        self.margins
    }

    /// What the operator wants, with the margins as they are now.
    pub fn in_force(&self) -> Policy {
        let Margins { upscale, downscale } = self.margins;
        Policy { upscale_margin: upscale, downscale_margin: downscale, ..self.policy.clone() }
    }

    pub(super) fn set_margins(&mut self) {
        let Reckoning { traffic, largest_party, .. } = &self.reckoning;
        let lead_time = self.lead_times.total().map(|total| total.p95);
        self.margins = self.policy.margins(&MarginsSeen { traffic, lead_time, largest_party: *largest_party });
    }

    /// Players on servers, and on their way to one.
    fn players(&self) -> u32 {
        let serving = self.servers.iter().filter(|server| server.phase.is_serving());
        let capacity = self.policy.server_capacity;
        serving
            .filter_map(|server| {
                let (answer, _) = server.health.last()?;
                Some(capacity.saturating_sub(answer.available_capacity) + server.holds.count())
            })
            .sum()
    }
}
