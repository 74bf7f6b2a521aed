//! Game servers as those who ask for their health see them.

use std::net::SocketAddr;
use std::time::Duration;

use actors::model::{HealthAnswer, InstanceId, TaskId, Timestamp};

use super::World;
use super::weather::share_of;

/// What is wrong with a game server, or with the way to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Temper {
    /// It takes health questions and never answers; and it takes no players.
    pub hangs: bool,
    /// It hangs like that, and no end of a fault mends it.
    pub hangs_for_good: bool,
    /// It takes seconds to answer.
    pub is_slow: bool,
    /// It answers what is not the contract.
    pub talks_garbage: bool,
    /// Whether it is ready to close, as it says, is not so.
    pub lies: bool,
    /// The manager cannot reach it.
    pub is_cut_off: bool,
}

impl Temper {
    /// It takes whatever comes, and nothing comes of it.
    pub const fn is_hung(&self) -> bool {
        self.hangs || self.hangs_for_good
    }
}

/// What meets a health question on its way to a game server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meets {
    /// The game server takes it, after so long.
    Server(Duration),
    /// The connection is refused, after so long.
    Refusal(Duration),
    /// Nothing comes back.
    Silence,
}

/// A body longer than is read to the end.
static HUGE: [u8; 64 * 1024] = [b'{'; 64 * 1024];

/// Bodies that are not the contract.
const GARBAGE: [&str; 12] = [
    "",
    "null",
    "[]",
    "<html><body>502 Bad Gateway</body></html>",
    "{\"available_capacity\": 3",
    "{\"available_capacity\": \"3\", \"ready_to_close\": true}",
    "{\"available_capacity\": -1, \"ready_to_close\": true}",
    "{\"available_capacity\": 1e99, \"ready_to_close\": true}",
    "{\"available_capacity\": 4294967295, \"ready_to_close\": true}",
    "{\"available_capacity\": 65536, \"ready_to_close\": true}",
    "{\"available_capacity\": 3, \"ready_to_close\": \"yes\"}",
    "{\"ready_to_close\": true}",
];

/// What a game server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    /// How it is, by the contract.
    Health(HealthAnswer),
    /// Something else.
    Garbage(Vec<u8>),
}

impl Says {
    /// As the body of an HTTP answer.
    pub fn into_body(self) -> Vec<u8> {
        match self {
            Self::Health(HealthAnswer { available_capacity: free, ready_to_close: ready }) => {
                format!("{{\"available_capacity\": {free}, \"ready_to_close\": {ready}}}").into_bytes()
            }
            Self::Garbage(body) => body,
        }
    }
}

impl World {
    /// Each game server that is up, as faults have it.
    pub(super) fn spoil_games(&mut self) {
        let up: Vec<TaskId> = self.tasks.iter().filter(|(_, task)| is_up(task)).map(|(id, _)| id.clone()).collect();
        up.iter().for_each(|id| self.spoil_game(id));
    }

    /// One game server, as faults have it.
    pub(super) fn spoil_game(&mut self, id: &TaskId) {
        let shares = [
            share_of!(self, Hangs),
            share_of!(self, SlowAnswers),
            share_of!(self, Garbage),
            share_of!(self, Lies),
            share_of!(self, CutOff),
        ];
        let [hangs, is_slow, talks_garbage, lies, is_cut_off] = shares.map(|share| self.chance.happens(share));
        if let Some(task) = self.tasks.get_mut(id) {
            task.temper.hangs |= hangs;
            task.temper.is_slow |= is_slow;
            task.temper.talks_garbage |= talks_garbage;
            task.temper.lies |= lies;
            task.temper.is_cut_off |= is_cut_off;
        }
    }

    /// What no fault stands for any more is well again.
    pub(super) fn mend_games(&mut self) {
        let (hangs, slow) = (share_of!(self, Hangs) > 0.0, share_of!(self, SlowAnswers) > 0.0);
        let (garbage, lies) = (share_of!(self, Garbage) > 0.0, share_of!(self, Lies) > 0.0);
        let cut_off = share_of!(self, CutOff) > 0.0;
        for task in self.tasks.values_mut() {
            task.temper.hangs &= hangs;
            task.temper.is_slow &= slow;
            task.temper.talks_garbage &= garbage;
            task.temper.lies &= lies;
            task.temper.is_cut_off &= cut_off;
        }
    }

    /// The game server that listens there.
    pub(super) fn game_at(&self, place: SocketAddr) -> Option<&TaskId> {
        let now = self.now();
        let listens = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let there = |task: &super::GameTask| SocketAddr::V4(task.place) == place;
        let mut found = self.tasks.iter().filter(|(_, task)| there(task) && is_up(task) && listens(task.listens_at));
        found.next().map(|(id, _)| id)
    }

    /// A health question is sent there.
    pub fn question(&mut self, place: SocketAddr) -> Meets {
        let quick = self.chance.seconds(0.001, 0.03);
        let Some(task) = self.game_at(place).map(|id| &self.tasks[id]) else {
            // A machine that is up refuses; one that is gone is silent.
            return if self.chance.happens(0.5) { Meets::Refusal(quick) } else { Meets::Silence };
        };
        let temper = task.temper;
        if temper.is_cut_off || temper.is_hung() {
            Meets::Silence
        } else if temper.is_slow {
            Meets::Server(self.chance.seconds(0.2, 5.0))
        } else {
            Meets::Server(quick)
        }
    }

    /// What the game server there says of itself; none if it has gone meanwhile.
    pub fn says(&mut self, place: SocketAddr) -> Option<Says> {
        let task = &self.tasks[self.game_at(place)?];
        let (temper, available_capacity) = (task.temper, task.free_places());
        let ready_to_close = task.players.is_empty();
        if !temper.talks_garbage {
            let ready_to_close = ready_to_close != (temper.lies && self.chance.happens(0.5));
            return Some(Says::Health(HealthAnswer { available_capacity, ready_to_close }));
        }
        Some(Says::Garbage(if self.chance.happens(0.1) {
            HUGE.to_vec()
        } else {
            self.chance.pick(&GARBAGE).as_bytes().to_vec()
        }))
    }

    /// Free places on the servers that take players, by their own word.
    pub fn free_places(&self) -> u32 {
        let takes_players = |task: &&super::GameTask| is_up(task) && task.role == actors::model::Role::Available;
        self.tasks.values().filter(takes_players).map(super::GameTask::free_places).sum()
    }

    /// Running game servers, for accidents.
    pub(super) fn games_up(&self) -> Vec<(TaskId, InstanceId)> {
        let up = self.tasks.iter().filter(|(_, task)| is_up(task));
        up.map(|(id, task)| (id.clone(), task.instance.clone())).collect()
    }
}

fn is_up(task: &super::GameTask) -> bool {
    task.started_at.is_some() && !task.has_ended
}
