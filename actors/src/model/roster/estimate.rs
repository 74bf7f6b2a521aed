//! When there will be places: by the launches that are under way, and how long the last ones took.

use std::time::Duration;

use super::Roster;
use crate::model::launches::LaunchesBlocked;
use crate::model::lead_times::Stage;
use crate::model::life::Phase;
use crate::model::server::Server;
use crate::model::time::Timestamp;

impl Roster {
    /// How long until so many places that lack now should be there, behind those who wait for so many. None where that cannot
    /// be told: no launch was measured yet, or no server is on its way and none will be launched.
    pub fn ready_in(&self, seats: u32, waiting: u32, now: Timestamp) -> Option<Duration> {
        let whole = self.lead_times.total()?.p50;
        let arriving = self.servers.iter().filter(|server| !server.is_leaving());
        let mut arrivals: Vec<Duration> = arriving.filter_map(|server| self.server_ready_in(server, now)).collect();
        arrivals.extend((0..self.ledger.requested()).map(|_| whole));
        arrivals.sort_unstable();
        let seats = seats.saturating_add(waiting);
        let needed = seats.div_ceil(self.policy.server_capacity).max(1) as usize;
        let grows = self.expected() < u64::from(self.margins.upscale) + u64::from(waiting);
        let is_full = self.size() >= self.policy.max_servers || self.paused;
        arrivals.get(needed - 1).copied().or_else(|| {
            let blocked = self.ledger.blocked(&self.policy, now).and_then(LaunchesBlocked::until);
            let begins_in = blocked.map_or(Duration::ZERO, |until| until.since(now));
            (grows && !is_full).then_some(begins_in + whole)
        })
    }

    /// How long until a server on its way should serve, by the stage it is in and since when. None for one that is not on
    /// its way, and while no launch was measured.
    pub fn server_ready_in(&self, server: &Server, now: Timestamp) -> Option<Duration> {
        let stage = stage(server)?;
        let spread = self.lead_times.stage(stage)?;
        let took = now.since(stage_since(server, stage));
        // One that takes longer than most is expected when the slow ones came, and then any moment.
        let left = [spread.p50, spread.p95, spread.max].into_iter().find(|usual| *usual > took);
        let later = Stage::ALL.into_iter().filter(|later| *later > stage);
        let later: Duration = later.filter_map(|later| self.lead_times.stage(later)).map(|spread| spread.p50).sum();
        Some(left.map_or(Duration::ZERO, |usual| usual.saturating_sub(took)) + later)
    }
}

/// The stage that a launch is in; none for a server that is not on its way.
pub(crate) const fn stage(server: &Server) -> Option<Stage> {
    match server.phase {
        Phase::Booting if server.milestones.running_at.is_none() => Some(Stage::Booting),
        Phase::Booting => Some(Stage::Registering),
        Phase::Joined => Some(Stage::Placing),
        Phase::Placed | Phase::Starting => Some(Stage::Starting),
        Phase::Available | Phase::Standby | Phase::Closing(_) | Phase::Gone => None,
    }
}

/// Since when a launch is in its stage.
pub(crate) fn stage_since(server: &Server, stage: Stage) -> Timestamp {
    let milestones = &server.milestones;
    let since = match stage {
        Stage::Booting => milestones.requested_at,
        Stage::Registering => milestones.running_at,
        Stage::Placing => milestones.registered_at,
        Stage::Starting => milestones.placed_at,
    };
    since.unwrap_or(server.phase_since)
}
