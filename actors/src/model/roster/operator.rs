//! The operator's hand: servers emptied and put back, and scaling that stands still.

use super::Roster;
use super::commit::Refused;
use crate::model::id::ServerId;
use crate::model::life::{Event, Phase};
use crate::model::time::Timestamp;

impl Roster {
    /// Sends a server to standby however few places are left, and keeps it there: it closes once nobody can lose a game
    /// by it. The role is recorded in the cloud, and that it was by hand is not: a manager that starts may take it back.
    pub fn drain(&mut self, id: ServerId, now: Timestamp) -> Result<(), Refused> {
        let server = self.servers.get(id).ok_or(Refused::Gone)?;
        if server.phase != Phase::Standby {
            self.change_role(id, Phase::Available, Event::SentToStandby, now)?;
        }
        self.set_cordoned(id, true);
        Ok(())
    }

    /// Has a server take players again.
    pub fn undrain(&mut self, id: ServerId, now: Timestamp) -> Result<(), Refused> {
        let server = self.servers.get(id).ok_or(Refused::Gone)?;
        if server.phase != Phase::Available {
            self.change_role(id, Phase::Standby, Event::TakenBack, now)?;
        }
        self.set_cordoned(id, false);
        Ok(())
    }

    /// Lets nothing be decided any more, or again. What is under way goes on: launches come to serve, and what closes
    /// closes.
    pub const fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether nothing is decided now.
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    fn set_cordoned(&mut self, id: ServerId, cordoned: bool) {
        if let Some(server) = self.servers.get_mut(id) {
            server.cordoned = cordoned;
        }
    }
}
