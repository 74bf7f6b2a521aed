//! Handing out places.

use super::Roster;
use crate::model::id::{Address, ServerId};
use crate::model::life::Phase;
use crate::model::server::Condition;
use crate::model::time::Timestamp;

/// A place handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allocation {
    /// On which server.
    pub server: ServerId,
    /// What the player is told.
    pub address: Address,
    /// With this place the free and pending ones fell below the upscale margin: the fleet is to grow at once.
    pub crosses_margin: bool,
}

impl Roster {
    /// Hands out a place and holds it; none if no server has one. O(log n) in the number of servers.
    pub fn allocate(&mut self, now: Timestamp) -> Option<Allocation> {
        let before = self.expected();
        let id = self.index.pick(self.policy.allocation)?;
        let server = self.servers.get_mut(&id)?;
        let address = server.endpoint.as_ref()?.players.clone();
        server.holds.add(now, now + self.policy.hold_ttl);
        self.reindex(id);
        let margin = u64::from(self.policy.upscale_margin);
        Some(Allocation { server: id, address, crosses_margin: before >= margin && self.expected() < margin })
    }

    /// Where the next player would be sent, without holding the place.
    pub fn peek(&self) -> Option<Address> {
        let id = self.index.pick(self.policy.allocation)?;
        Some(self.servers.get(&id)?.endpoint.as_ref()?.players.clone())
    }

    /// The addresses of the servers that are available and answer, full ones too, oldest first.
    pub fn available(&self) -> Vec<Address> {
        let takes_players = |phase, condition| phase == Phase::Available && condition == Condition::Answering;
        self.servers
            .values()
            .filter(|server| takes_players(server.phase, server.health.condition(self.policy.silent_after_misses)))
            .filter_map(|server| Some(server.endpoint.as_ref()?.players.clone()))
            .collect()
    }

    /// Free and pending places.
    fn expected(&self) -> u64 {
        self.index.total() + u64::from(self.in_flight()) * u64::from(self.policy.server_capacity)
    }
}
