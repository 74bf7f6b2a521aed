//! The fleet as a decision sees it: a snapshot with nothing in it that moves.

use super::id::ServerId;
use super::launches::LaunchesBlocked;
use super::life::Phase;
use super::server::Condition;
use super::time::Timestamp;

/// All that a scaling decision is made on.
#[derive(Clone, Debug)]
pub struct FleetView {
    /// Every server that is not gone, oldest first.
    pub servers: Vec<ServerView>,
    /// Places that clients wait for.
    pub waiting: u32,
    /// The operator wants nothing decided for now.
    pub paused: bool,
    /// Servers asked for that have no instance yet.
    pub requested: u32,
    /// Why nothing can be launched now, if so.
    pub launches_blocked: Option<LaunchesBlocked>,
    /// When the last complete look at the cloud began.
    pub observed_at: Option<Timestamp>,
    /// The last look at the cloud is recent. If not, nothing is scaled down: unknown is not empty.
    pub cloud_is_fresh: bool,
}

/// One server as a decision sees it.
#[derive(Clone, Copy, Debug)]
pub struct ServerView {
    /// Which.
    pub id: ServerId,
    /// Where it is in its life.
    pub phase: Phase,
    /// Since when.
    pub phase_since: Timestamp,
    /// Since when this manager knows it. The cloud may show late what belongs to it.
    pub known_since: Timestamp,
    /// What may be made of its health.
    pub condition: Condition,
    /// Since when it owes an answer, if it does.
    pub unanswered_since: Timestamp,
    /// It was heard at least once.
    pub heard: bool,
    /// Reported capacity less holds, whatever its role.
    pub unclaimed: u32,
    /// Nobody could lose a game by its end.
    pub drained: bool,
    /// The operator sent it to standby.
    pub cordoned: bool,
    /// Its instance is about to go.
    pub leaving: bool,
    /// It runs, or starts, another revision than the one that is wanted.
    pub outdated: bool,
}

impl ServerView {
    /// Free places: of an available server that answers, and of no other.
    pub const fn free(&self) -> u32 {
        match (self.phase, self.condition) {
            (Phase::Available, Condition::Answering) => self.unclaimed,
            _ => 0,
        }
    }
}
