//! The fleet as an operator sees it: all that is known, at one moment.

use std::time::Duration;

use super::Roster;
use super::estimate::{stage, stage_since};
use crate::model::id::{Address, InstanceId, Revision, ServerId, TaskId};
use crate::model::launches::LaunchesBlocked;
use crate::model::lead_times::{LeadTimes, Stage};
use crate::model::life::Phase;
use crate::model::margins::Margins;
use crate::model::policy::Policy;
use crate::model::rollout::RolloutState;
use crate::model::scaling::{Action, Figures, decide};
use crate::model::server::{Condition, HealthAnswer, Server};
use crate::model::time::Timestamp;
use crate::model::view::FleetView;

/// Servers by phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the phases are described where they are defined")]
pub struct PhaseCounts {
    pub booting: u32,
    pub joined: u32,
    pub placed: u32,
    pub starting: u32,
    pub available: u32,
    pub standby: u32,
    pub closing: u32,
}

impl Snapshot {
    /// How many servers there are in each phase.
    pub fn phases(&self) -> PhaseCounts {
        let mut counts = PhaseCounts::default();
        for server in &self.servers {
            match server.phase {
                Phase::Booting => counts.booting += 1,
                Phase::Joined => counts.joined += 1,
                Phase::Placed => counts.placed += 1,
                Phase::Starting => counts.starting += 1,
                Phase::Available => counts.available += 1,
                Phase::Standby => counts.standby += 1,
                Phase::Closing(_) => counts.closing += 1,
                Phase::Gone => {}
            }
        }
        counts
    }

    /// Players: what the serving servers do not report as free of the capacity of a fresh one. They tell nothing else.
    pub fn players(&self) -> u32 {
        let serving = self.servers.iter().filter(|server| server.phase.is_serving());
        let taken = |available| self.policy.server_capacity.saturating_sub(available);
        let players = serving.filter_map(|server| Some(taken(server.answer?.available_capacity)));
        players.fold(0, u32::saturating_add)
    }
}

/// All that is known of the fleet.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When.
    pub now: Timestamp,
    /// When the last complete look at the cloud began. None: nothing is known yet.
    pub observed_at: Option<Timestamp>,
    /// That look is recent.
    pub cloud_is_fresh: bool,
    /// The operator wants nothing decided for now.
    pub paused: bool,
    /// What the operator wants now.
    pub policy: Policy,
    /// The margins as they are now.
    pub margins: Margins,
    /// What another policy would do, that is only watched.
    pub shadow: Option<Shadow>,
    /// What the operator wants by the configuration, whatever was changed since.
    pub configured: Policy,
    /// What the next decision would be made on.
    pub figures: Figures,
    /// Places that are held.
    pub held: u32,
    /// Every server that is not gone, oldest first.
    pub servers: Vec<ServerSnapshot>,
    /// Servers asked for that have no instance yet.
    pub requested: u32,
    /// Why nothing can be launched now, if so.
    pub launches_blocked: Option<LaunchesBlocked>,
    /// Launches in a row that failed.
    pub launch_failures: u32,
    /// What is to run, once that is known.
    pub rollout: Option<RolloutSnapshot>,
    /// How long the last launches took.
    pub lead_times: LeadTimes,
}

/// What a policy would do with the fleet as it is, if it set the margins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shadow {
    /// Its name.
    pub policy: &'static str,
    /// Its margins.
    pub margins: Margins,
    /// Servers that it would launch now.
    pub launches: u32,
    /// Servers that it would send to standby now.
    pub standby: u32,
}

/// What the fleet is to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RolloutSnapshot {
    /// The revision that is wanted.
    pub revision: Revision,
    /// Whether the fleet goes on to it.
    pub state: RolloutState,
    /// Servers of it that failed since its rollout began.
    pub failures: u32,
    /// What servers are started with.
    pub starts: Option<Revision>,
}

/// All that is known of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerSnapshot {
    /// Which.
    pub id: ServerId,
    /// Where it is in its life.
    pub phase: Phase,
    /// Since when.
    pub phase_since: Timestamp,
    /// Since when this manager knows it.
    pub known_since: Timestamp,
    /// What players are told, once it runs.
    pub address: Option<Address>,
    /// Where it runs.
    pub instance: Option<InstanceId>,
    /// Its task.
    pub task: Option<TaskId>,
    /// What its task runs.
    pub revision: Option<Revision>,
    /// What may be made of its health.
    pub condition: Condition,
    /// Its last answer.
    pub answer: Option<HealthAnswer>,
    /// Places that are held.
    pub holds: u32,
    /// Places that may be handed out.
    pub free: u32,
    /// The operator sent it to standby.
    pub cordoned: bool,
    /// Its instance is about to go.
    pub leaving: bool,
    /// Another revision takes its place.
    pub outdated: bool,
    /// How far its launch is.
    pub launch: Option<LaunchSnapshot>,
}

/// How far a launch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaunchSnapshot {
    /// When it was asked for, or first seen.
    pub begun_at: Timestamp,
    /// The stage it is in.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// How long until it should serve, if launches were measured.
    pub ready_in: Option<Duration>,
}

impl Roster {
    /// The fleet as it stands, while clients wait for so many places.
    pub fn snapshot(&mut self, waiting: u32, now: Timestamp) -> Snapshot {
        let view = self.view(waiting, now);
        let servers: Vec<ServerSnapshot> =
            self.servers.iter().map(|server| self.server_snapshot(server, now)).collect();
        Snapshot {
            now,
            shadow: self.shadow(&view, now),
            observed_at: view.observed_at,
            cloud_is_fresh: view.cloud_is_fresh,
            paused: self.paused,
            figures: Figures::of(&view, &self.policy),
            held: servers.iter().fold(0, |held, server| held.saturating_add(server.holds)),
            servers,
            requested: view.requested,
            launches_blocked: view.launches_blocked,
            launch_failures: self.ledger.failures(),
            rollout: self.rollout.target().map(|target| RolloutSnapshot {
                revision: target.revision.clone(),
                state: target.state,
                failures: self.rollout.failures(),
                starts: self.rollout.wanted().cloned(),
            }),
            lead_times: self.lead_times.clone(),
            policy: self.policy.clone(),
            margins: self.margins,
            configured: self.policy.clone(),
        }
    }

    fn shadow(&self, view: &FleetView, now: Timestamp) -> Option<Shadow> {
        let policy = self.in_shadow()?;
        let decision = decide(view, &policy, now);
        let (mut launches, mut standby) = (0, 0);
        for action in decision.actions() {
            match action {
                Action::Launch(count) => launches += count,
                Action::Standby(_) => standby += 1,
                Action::TakeBack(_) | Action::Retreat(_) | Action::Close(..) => {}
            }
        }
        let Policy { upscale_margin: upscale, downscale_margin: downscale, shadow_policy, .. } = policy;
        Some(Shadow { policy: shadow_policy?.name(), margins: Margins { upscale, downscale }, launches, standby })
    }

    /// One server as it stands.
    pub fn server_snapshot(&self, server: &Server, now: Timestamp) -> ServerSnapshot {
        let silent_after = self.policy.silent_after_misses;
        ServerSnapshot {
            id: server.id,
            phase: server.phase,
            phase_since: server.phase_since,
            known_since: server.known_since,
            address: server.endpoint.as_ref().map(|endpoint| endpoint.players.clone()),
            instance: server.instance().cloned(),
            task: server.task.clone(),
            revision: server.revision.clone(),
            condition: server.health.condition(silent_after),
            answer: server.health.last().map(|(answer, _)| answer),
            holds: server.holds.count(),
            free: server.free(silent_after),
            cordoned: server.cordoned,
            leaving: server.is_leaving(),
            outdated: self.rollout.is_outdated(server.revision.as_ref()),
            launch: stage(server).map(|stage| LaunchSnapshot {
                begun_at: server.milestones.requested_at.unwrap_or(server.known_since),
                stage,
                since: stage_since(server, stage),
                ready_in: self.server_ready_in(server, now),
            }),
        }
    }
}
