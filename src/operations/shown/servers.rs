//! Its servers.

use actors::model::{Condition, ServerSnapshot, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{moment, seconds};

/// A server.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::operations) struct Server {
    /// Its name, in this manager.
    #[schema(example = "server-3")]
    pub(in crate::operations) id: String,
    /// Where it is in its life: `booting`, `joined`, `placed`, `starting`, `available`, `standby` or `closing`.
    phase: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    phase_since: String,
    /// Since when this manager knows it.
    #[schema(format = DateTime)]
    known_since: String,
    /// What players are told, once it runs.
    address: Option<String>,
    /// Where it runs.
    instance: Option<String>,
    /// Its task.
    task: Option<String>,
    /// What its task runs.
    revision: Option<String>,
    /// `unheard`, `answering`, `doubtful` or `silent`.
    health: &'static str,
    /// How many more players it said it can take.
    reported_capacity: Option<u32>,
    /// Its own word that nobody would lose a game if it stopped.
    ready_to_close: Option<bool>,
    /// What a fresh server takes less what it can take: its players, if it is as large as the others.
    players: Option<u32>,
    /// Places that are held for players on their way.
    holds: u32,
    /// Places that may be handed out.
    free: u32,
    /// An operator sent it to standby: it is not taken back for want of places.
    drained_by_operator: bool,
    /// Its instance is about to go.
    leaving: bool,
    /// Another revision takes its place.
    outdated: bool,
    /// In so many seconds it should serve, if it is on its way and launches were measured.
    #[schema(minimum = 0)]
    ready_in_seconds: Option<f64>,
}

/// All servers.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(in crate::operations) struct Servers {
    /// Oldest first.
    servers: Vec<Server>,
}

impl Server {
    /// As a snapshot has it.
    pub(in crate::operations) fn new(server: &ServerSnapshot, server_capacity: u32) -> Self {
        let answer = server.answer;
        Self {
            id: server.id.to_string(),
            phase: server.phase.name(),
            phase_since: moment(server.phase_since),
            known_since: moment(server.known_since),
            address: server.address.as_ref().map(ToString::to_string),
            instance: server.instance.as_ref().map(ToString::to_string),
            task: server.task.as_ref().map(ToString::to_string),
            revision: server.revision.as_ref().map(ToString::to_string),
            health: match (answer, server.condition) {
                (_, Condition::Silent) => "silent",
                (None, _) => "unheard",
                (Some(_), Condition::Answering) => "answering",
                (Some(_), Condition::Doubtful) => "doubtful",
            },
            reported_capacity: answer.map(|answer| answer.available_capacity),
            ready_to_close: answer.map(|answer| answer.ready_to_close),
            players: answer.map(|answer| server_capacity.saturating_sub(answer.available_capacity)),
            holds: server.holds,
            free: server.free,
            drained_by_operator: server.cordoned,
            leaving: server.leaving,
            outdated: server.outdated,
            ready_in_seconds: server.launch.and_then(|launch| launch.ready_in).map(seconds),
        }
    }

    /// All of a snapshot.
    pub(in crate::operations) fn all(snapshot: &Snapshot) -> Vec<Self> {
        snapshot.servers.iter().map(|server| Self::new(server, snapshot.policy.server_capacity)).collect()
    }
}

impl Servers {
    pub(in crate::operations) fn new(snapshot: &Snapshot) -> Self {
        Self { servers: Server::all(snapshot) }
    }
}
