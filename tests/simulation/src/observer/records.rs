//! What is written down of one machine, one task, one manager, and of what a manager heard at one address.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use actors::model::{Address, HealthAnswer, InstanceId, LaunchOrdinal, Pool, Revision, Role, TaskId, Timestamp};

use super::ending::Ground;
use crate::event::{ManagerId, PlayerId};

#[derive(Debug)]
pub(super) struct MachineBook {
    pub(super) owned: bool,
    pub(super) ordinal: Option<LaunchOrdinal>,
    pub(super) launched_at: Timestamp,
    pub(super) joined_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// Somebody stopped it: it serves nothing more, and is to be terminated.
    pub(super) is_stopped: bool,
    /// Since when it drains.
    pub(super) draining_since: Option<Timestamp>,
    /// Since when somebody else's task runs there.
    pub(super) other_task_since: Option<Timestamp>,
    /// When the last one of those ended.
    pub(super) other_task_until: Option<Timestamp>,
    /// A game server on it gave a good answer to a manager once.
    pub(super) served: bool,
    /// How long it served nothing while it was up to the manager.
    pub(super) idle: Duration,
}

#[derive(Debug)]
pub(super) struct TaskBook {
    pub(super) instance: InstanceId,
    pub(super) revision: Revision,
    pub(super) address: Option<Address>,
    pub(super) running_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// Who plays, since when, and who was sent by whom and when.
    pub(super) players: BTreeMap<PlayerId, (Timestamp, Option<(ManagerId, Timestamp)>)>,
    /// Those who came lately, and by whom and when they were sent.
    pub(super) arrivals: VecDeque<(Timestamp, Option<(ManagerId, Timestamp)>)>,
    pub(super) role: Role,
    pub(super) role_since: Timestamp,
    /// When it was last heard by a manager.
    pub(super) heard_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct ManagerBook {
    pub(super) started_at: Timestamp,
    pub(super) gone_at: Option<Timestamp>,
    pub(super) told_to_end_at: Option<Timestamp>,
    pub(super) ended: bool,
    pub(super) in_flight: usize,
    /// When its calls last had to wait in line: what it asks for may have been decided a while before.
    pub(super) saturated_at: Timestamp,
    /// When its last complete look began.
    pub(super) looked_at: Option<Timestamp>,
    pub(super) first_look_at: Option<Timestamp>,
    /// The highest launch that it was shown, or asked for.
    pub(super) highest_launch: Option<LaunchOrdinal>,
    /// The highest launch that a look or an answer has shown it.
    pub(super) shown_launch: Option<LaunchOrdinal>,
    /// Instances that it was shown to be draining, and when.
    pub(super) saw_draining: BTreeMap<InstanceId, Timestamp>,
    /// The role that it asked for last, and when.
    pub(super) roles: BTreeMap<TaskId, (Role, Timestamp)>,
    /// Tasks and instances whose end it asked for, why, and when first.
    pub(super) ends: BTreeMap<TaskId, (Ground, Timestamp)>,
    pub(super) terminated: BTreeMap<InstanceId, (Ground, Timestamp)>,
    pub(super) ears: BTreeMap<Address, Ear>,
    pub(super) sent: BTreeMap<Address, Vec<Sent>>,
    /// Tasks on standby that it sent players to: by then it must have told AWS that they are taken back.
    pub(super) owes: BTreeMap<TaskId, Timestamp>,
    /// A launch of which it does not know whether it was made, and since when.
    pub(super) open_launch: Option<(LaunchOrdinal, Timestamp)>,
    /// Pools of which it does not know whether they made a launch.
    pub(super) unanswered_pools: BTreeSet<(LaunchOrdinal, Pool)>,
    /// Launches it asked for, and when first.
    pub(super) launches: BTreeMap<LaunchOrdinal, Timestamp>,
    pub(super) last_standby_at: Timestamp,
    /// Revisions that it has given up: AWS may not have been told yet.
    pub(super) given_up: BTreeSet<Revision>,
    /// Where it asked for what to be started, and when first.
    pub(super) placements: BTreeMap<(InstanceId, Revision), Timestamp>,
}

/// What a manager heard at an address.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// The last good answers: newest last.
    pub(super) answers: VecDeque<Heard>,
    /// Questions unanswered in a row, and when the first of them was put and came to nothing.
    pub(super) misses: u32,
    pub(super) missing_since: Timestamp,
    pub(super) missed_at: Timestamp,
    pub(super) asked_at: Timestamp,
    /// When it said how it was with nobody on the way there, the last time but one, and the last time.
    pub(super) quiet_at: Timestamp,
    pub(super) next_quiet_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) at: Timestamp,
    pub(super) asked_at: Timestamp,
    pub(super) looked_at: Timestamp,
    pub(super) answer: HealthAnswer,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) player: PlayerId,
    pub(super) at: Timestamp,
    pub(super) arrived_at: Option<Timestamp>,
}

impl MachineBook {
    pub(super) const fn launched(ordinal: Option<LaunchOrdinal>, now: Timestamp) -> Self {
        Self {
            owned: ordinal.is_some(),
            ordinal,
            launched_at: now,
            joined_at: None,
            ended_at: None,
            is_stopped: false,
            draining_since: None,
            other_task_since: None,
            other_task_until: None,
            served: false,
            idle: Duration::ZERO,
        }
    }

    /// It is the fleet's, and has not ended.
    pub(super) const fn is_of_the_fleet(&self) -> bool {
        self.owned && self.ended_at.is_none()
    }
}

impl TaskBook {
    pub(super) const fn placed(instance: InstanceId, revision: Revision, now: Timestamp) -> Self {
        Self {
            instance,
            revision,
            address: None,
            running_at: None,
            ended_at: None,
            players: BTreeMap::new(),
            arrivals: VecDeque::new(),
            role: Role::Available,
            role_since: now,
            heard_at: None,
        }
    }
}

impl ManagerBook {
    pub(super) const fn started(now: Timestamp) -> Self {
        Self {
            started_at: now,
            gone_at: None,
            told_to_end_at: None,
            ended: false,
            in_flight: 0,
            saturated_at: Timestamp::from_micros(0),
            looked_at: None,
            first_look_at: None,
            highest_launch: None,
            shown_launch: None,
            saw_draining: BTreeMap::new(),
            roles: BTreeMap::new(),
            ends: BTreeMap::new(),
            terminated: BTreeMap::new(),
            ears: BTreeMap::new(),
            sent: BTreeMap::new(),
            owes: BTreeMap::new(),
            open_launch: None,
            unanswered_pools: BTreeSet::new(),
            launches: BTreeMap::new(),
            last_standby_at: Timestamp::from_micros(0),
            given_up: BTreeSet::new(),
            placements: BTreeMap::new(),
        }
    }
}

/// What was heard may be known so much later: reports of game servers go together.
const TOLD_WITHIN: Duration = Duration::from_millis(10);

impl Ear {
    /// The last good answer, unless a question has gone unanswered since: as of before `now`, and as of now.
    pub(super) fn answers_at(&self, now: Timestamp) -> bool {
        let was_good = self.answers.iter().any(|heard| heard.at < now);
        self.misses == 0 && !self.answers.is_empty() || was_good && now <= self.missed_at + TOLD_WITHIN
    }

    pub(super) fn last(&self) -> Option<&Heard> {
        self.answers.back()
    }
}
