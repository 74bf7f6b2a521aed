//! The game servers' actors: which there are, and where they run.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ractor::{ActorId, ActorProcessingErr, SpawnErr};

use super::FleetState;
use crate::game_server_actor::{GameServerActor, GameServerArgs, GameServerMsg, GameServerRef, Pace};
use crate::model::{Policy, ServerId};

/// A game server's actor, and where it asks.
pub(super) struct GameServer {
    actor: GameServerRef,
    target: SocketAddr,
}

impl FleetState {
    /// Gives each server that is to be asked its actor, and takes it from all others.
    pub(super) async fn sync_game_servers(&mut self) -> Result<(), ActorProcessingErr> {
        let polled = self.roster.servers().filter(|server| server.phase.is_polled());
        let wanted: BTreeMap<ServerId, SocketAddr> =
            polled.filter_map(|server| Some((server.id, server.endpoint.as_ref()?.health))).collect();
        self.game_servers.retain(|id, game_server| {
            let stays = wanted.get(id) == Some(&game_server.target);
            if !stays {
                game_server.actor.kill();
            }
            stays
        });
        let new = wanted.into_iter().filter(|(id, _)| !self.game_servers.contains_key(id));
        let new: Vec<(SocketAddr, GameServerArgs)> =
            new.map(|(server, target)| (target, self.args(server, target))).collect();
        if new.is_empty() {
            return Ok(());
        }
        let me = self.me.get_cell();
        let started = self.polling.spawn(async move {
            let mut started = Vec::with_capacity(new.len());
            for (target, args) in new {
                let server = args.server;
                let actor = GameServerActor::spawn(args, me.clone()).await?;
                started.push((server, GameServer { actor, target }));
            }
            Ok::<_, SpawnErr>(started)
        });
        self.game_servers.extend(started.await??);
        Ok(())
    }

    fn args(&self, server: ServerId, target: SocketAddr) -> GameServerArgs {
        GameServerArgs {
            server,
            pace: pace(self.roster.policy()),
            probe: self.probes.probe(target),
            clock: self.clock,
            reports: self.reports.clone(),
        }
    }

    /// Replaces one whose actor died. One that was told to go is not known here any more.
    pub(super) async fn replace_game_server(&mut self, died: ActorId) -> Result<(), ActorProcessingErr> {
        self.game_servers.retain(|_, game_server| game_server.actor.get_id() != died);
        self.sync_game_servers().await
    }

    /// Has all of them ask as this policy says.
    pub(super) fn set_pace(&self, policy: &Policy) {
        for game_server in self.game_servers.values() {
            // One that has just died is replaced with the new pace.
            let _ = game_server.actor.cast(GameServerMsg::Pace(pace(policy)));
        }
    }

    /// Ends all of them, in the middle of whatever they do.
    pub(super) fn kill_game_servers(&self) {
        for game_server in self.game_servers.values() {
            game_server.actor.kill();
        }
    }
}

const fn pace(policy: &Policy) -> Pace {
    Pace { interval: policy.health_interval, timeout: policy.health_timeout }
}
