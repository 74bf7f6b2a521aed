//! A made-up cloud with made-up game servers and players on them. It knows nothing of the manager, and writes down
//! whatever a player or an operator would complain about.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use actors::model::{
    Address, Doomed, Endpoint, HealthAnswer, Instance, InstanceId, InstanceState, LaunchOrder, LaunchOrdinal,
    Observation, PlaceOrder, Registration, Revision, Role, RolloutState, Target, Task, TaskId, TaskState, Timestamp,
};
use actors::ports::{CloudError, ProbeError};

/// From launch until an instance joins the cluster.
pub const BOOT: Duration = Duration::from_secs(20);
/// From placement until a task runs.
pub const START: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Machine {
    pub owned: bool,
    pub launch: Option<LaunchOrder>,
    pub launched_at: Timestamp,
    pub state: InstanceState,
    pub never_joins: bool,
    pub foreign_tasks: bool,
    pub leaving: bool,
}

#[derive(Debug)]
pub struct Game {
    pub instance: InstanceId,
    /// Where it listens.
    pub place: SocketAddr,
    pub placed_at: Timestamp,
    pub stopped: bool,
    pub revision: Revision,
    pub role: Role,
    pub capacity: u32,
    pub players: u32,
    /// Runs and answers nobody.
    pub silent: bool,
    /// Left a health question unanswered at least once: its players may lose their games to the manager's patience.
    pub was_silent: bool,
}

#[derive(Debug)]
pub struct World {
    pub machines: BTreeMap<InstanceId, Machine>,
    pub games: BTreeMap<TaskId, Game>,
    /// Instances made, by launch.
    pub launches: BTreeMap<LaunchOrdinal, Vec<InstanceId>>,
    placements: BTreeMap<(InstanceId, u32, Revision), TaskId>,
    /// Every revision of the game there is, by age, with what became of its rollout.
    pub revisions: Vec<(Revision, RolloutState)>,
    /// Game servers of these never answer.
    pub broken: BTreeSet<Revision>,
    /// How many of the next instances never join.
    pub never_joining: u32,
    pub capacity: u32,
    pub complaints: Vec<String>,
    made: u64,
}

impl World {
    pub fn new(capacity: u32) -> Self {
        Self {
            machines: BTreeMap::new(),
            games: BTreeMap::new(),
            launches: BTreeMap::new(),
            placements: BTreeMap::new(),
            revisions: vec![(Revision::new("game:1"), RolloutState::Active)],
            broken: BTreeSet::new(),
            never_joining: 0,
            capacity,
            complaints: Vec::new(),
            made: 0,
        }
    }

    /// A new revision of the game is there.
    pub fn new_revision(&mut self) -> Revision {
        let revision = Revision::new(format!("game:{}", self.revisions.len() + 1));
        self.revisions.push((revision.clone(), RolloutState::Active));
        revision
    }

    pub fn record_rollout(&mut self, revision: &Revision, state: RolloutState) -> Result<(), CloudError> {
        let known = self.revisions.iter_mut().find(|(known, _)| known == revision);
        known.ok_or_else(|| CloudError::NotFound(revision.to_string()))?.1 = state;
        Ok(())
    }

    /// What the newest revision has come to.
    pub fn rollout(&self) -> RolloutState {
        self.revisions.last().expect("one at least").1
    }

    fn target(&self) -> Option<Target> {
        let ((revision, state), older) = self.revisions.split_last()?;
        let earlier = older.iter().rev().filter(|(_, state)| *state != RolloutState::RolledBack);
        let earlier = earlier.map(|(revision, _)| revision.clone()).collect();
        Some(Target { revision: revision.clone(), state: *state, earlier })
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub fn observe(&self, now: Timestamp) -> Observation {
        let runs_a_game = |id: &InstanceId| self.games.values().any(|game| game.instance == *id && !game.stopped);
        let shown = self.machines.iter().filter(|(id, machine)| machine.owned || runs_a_game(id));
        let instances = shown.map(|(id, machine)| machine.show(id, now)).collect();
        let tasks = self.games.iter().map(|(id, game)| game.show(id, now)).collect();
        Observation { begun_at: now, instances, tasks, target: self.target() }
    }

    pub fn launch(&mut self, order: LaunchOrder, now: Timestamp) -> Result<Vec<InstanceId>, CloudError> {
        if let Some(before) = self.launches.get(&order.ordinal) {
            let all_ended = before.iter().all(|id| self.machines[id].state == InstanceState::Terminated);
            return match (all_ended, before.len() == order.count as usize) {
                (_, false) => Err(CloudError::Conflict("another count under the same token".into())),
                (true, true) => Err(CloudError::Spent("terminated".into())),
                (false, true) => Ok(before.clone()),
            };
        }
        let mut launched = Vec::new();
        for _ in 0..order.count {
            let id = InstanceId::new(format!("i-{}", self.next()));
            let never_joins = self.never_joining > 0;
            self.never_joining = self.never_joining.saturating_sub(1);
            let machine = Machine { never_joins, ..Machine::launched_at(now, Some(order)) };
            self.machines.insert(id.clone(), machine);
            launched.push(id);
        }
        self.launches.insert(order.ordinal, launched.clone());
        Ok(launched)
    }

    pub fn place(&mut self, order: &PlaceOrder, now: Timestamp) -> Result<TaskId, CloudError> {
        let key = (order.instance.clone(), order.attempt, order.revision.clone());
        if let Some(before) = self.placements.get(&key) {
            return Ok(before.clone());
        }
        let joined_at = self.machines.get(&order.instance).and_then(Machine::joined_at);
        if joined_at.is_none_or(|joined_at| joined_at > now) {
            return Err(CloudError::NotFound(order.instance.to_string()));
        }
        if self.games.values().any(|game| game.instance == order.instance && !game.stopped) {
            // ECS itself keeps two tasks of one family off an instance where it is asked to.
            return Err(CloudError::Refused("distinctInstance".into()));
        }
        let task = self.start_game(&order.instance, now);
        let broken = self.broken.contains(&order.revision);
        let game = self.games.get_mut(&task).expect("it was made");
        (game.revision, game.silent) = (order.revision.clone(), broken);
        self.placements.insert(key, task.clone());
        Ok(task)
    }

    /// Starts a game server by hand.
    pub fn start_game(&mut self, instance: &InstanceId, now: Timestamp) -> TaskId {
        let task = TaskId::new(format!("task-{}", self.next()));
        let game = Game {
            instance: instance.clone(),
            place: place_of(&task),
            placed_at: now,
            stopped: false,
            revision: self.revisions[0].0.clone(),
            role: Role::Available,
            capacity: self.capacity,
            players: 0,
            silent: false,
            was_silent: false,
        };
        self.games.insert(task.clone(), game);
        task
    }

    /// Launches a machine by hand that does not belong to the fleet.
    pub fn foreign_machine(&mut self, now: Timestamp) -> InstanceId {
        let id = InstanceId::new(format!("i-foreign-{}", self.next()));
        self.machines.insert(id.clone(), Machine { owned: false, ..Machine::launched_at(now, None) });
        id
    }

    pub fn record(&mut self, task: &TaskId, role: Role) -> Result<(), CloudError> {
        let game = self.games.get_mut(task).filter(|game| !game.stopped);
        game.ok_or_else(|| CloudError::NotFound(task.to_string()))?.role = role;
        Ok(())
    }

    pub fn close(&mut self, doomed: &[Doomed]) -> Result<(), CloudError> {
        for doomed in doomed {
            if let Some(task) = &doomed.task {
                self.end_game(task, "its task was stopped");
            }
            let Some(instance) = &doomed.instance else { continue };
            let machine = self.machines.get_mut(instance).ok_or_else(|| CloudError::NotFound(instance.to_string()))?;
            if !machine.owned || machine.foreign_tasks {
                self.complaints.push(format!("{instance} was terminated, which is not the fleet's alone"));
            }
            machine.state = InstanceState::Terminated;
            let on_it: Vec<TaskId> = self
                .games
                .iter()
                .filter(|(_, game)| game.instance == *instance)
                .map(|(task, _)| task.clone())
                .collect();
            on_it.iter().for_each(|task| self.end_game(task, "its instance was terminated"));
        }
        Ok(())
    }

    fn end_game(&mut self, task: &TaskId, how: &str) {
        let Some(game) = self.games.get_mut(task).filter(|game| !game.stopped) else { return };
        game.stopped = true;
        if game.players > 0 && !game.was_silent {
            self.complaints.push(format!("{} players of {task} lost their games: {how}", game.players));
        }
    }

    /// The game server dies by itself.
    pub fn kill(&mut self, task: &TaskId) {
        if let Some(game) = self.games.get_mut(task) {
            game.stopped = true;
            game.players = 0;
        }
    }

    /// The game server answers nobody any more, or answers again.
    pub fn silence(&mut self, task: &TaskId, silent: bool) {
        if let Some(game) = self.games.get_mut(task) {
            game.silent = silent;
            game.was_silent |= silent;
        }
    }

    /// The game server gets another address, as with an instance that was stopped and started again.
    pub fn move_game(&mut self, task: &TaskId) -> SocketAddr {
        let game = self.games.get_mut(task).expect("a known game");
        game.place.set_ip([127, 0, 0, 2].into());
        game.place
    }

    pub fn ask(&self, target: SocketAddr, now: Timestamp) -> Result<HealthAnswer, ProbeError> {
        let games = self.games.values().filter(|game| game.place == target);
        let mut running = games.filter(|game| !game.stopped && !game.silent && game.runs_at() <= now);
        let game = running.next().ok_or_else(|| ProbeError::Unreachable("connection refused".into()))?;
        let available_capacity = game.capacity - game.players;
        Ok(HealthAnswer { available_capacity, ready_to_close: game.players == 0 })
    }

    /// The server at an address that players were given.
    pub fn game_at(&mut self, address: &Address) -> Option<&mut Game> {
        let is_there = |game: &&mut Game| address.as_str() == game.place.to_string() && !game.stopped;
        self.games.values_mut().find(is_there)
    }

    /// A player connects to the address that was given out.
    pub fn arrive(&mut self, address: &Address) {
        let complaint = match self.game_at(address) {
            None => Some(format!("nobody is at {address}")),
            Some(game) if game.players >= game.capacity => Some(format!("{address} is full")),
            Some(game) => {
                game.players += 1;
                None
            }
        };
        self.complaints.extend(complaint);
    }

    pub fn alive(&self) -> BTreeSet<InstanceId> {
        let alive = self.machines.iter().filter(|(_, machine)| machine.state == InstanceState::Running);
        alive.map(|(id, _)| id.clone()).collect()
    }

    pub fn running_games(&self) -> impl Iterator<Item = (&TaskId, &Game)> {
        self.games.iter().filter(|(_, game)| !game.stopped)
    }
}

impl Machine {
    fn launched_at(now: Timestamp, launch: Option<LaunchOrder>) -> Self {
        let state = InstanceState::Running;
        Self { owned: true, launch, launched_at: now, state, never_joins: false, foreign_tasks: false, leaving: false }
    }

    fn joined_at(&self) -> Option<Timestamp> {
        (!self.never_joins && self.state == InstanceState::Running).then(|| self.launched_at + BOOT)
    }

    fn show(&self, id: &InstanceId, now: Timestamp) -> Instance {
        let foreign_tasks = self.foreign_tasks;
        let joined = self.joined_at().filter(|at| *at <= now);
        Instance {
            id: id.clone(),
            owned: self.owned,
            ordinal: self.launch.map(|launch| launch.ordinal),
            launch_size: self.launch.map_or(1, |launch| launch.count),
            state: self.state,
            launched_at: self.launched_at,
            leaving: self.leaving,
            registration: joined.map(|joined_at| Registration { joined_at, connected: true, foreign_tasks }),
        }
    }
}

impl Game {
    fn runs_at(&self) -> Timestamp {
        self.placed_at + START
    }

    fn show(&self, id: &TaskId, now: Timestamp) -> Task {
        let running = self.runs_at() <= now;
        let place = self.place;
        Task {
            id: id.clone(),
            instance: Some(self.instance.clone()),
            state: match (self.stopped, running) {
                (true, _) => TaskState::Stopped,
                (false, true) => {
                    TaskState::Running(Endpoint { players: Address::new(place.to_string()), health: place })
                }
                (false, false) => TaskState::Pending,
            },
            revision: self.revision.clone(),
            role: self.role,
            started_at: running.then(|| self.runs_at()),
        }
    }
}

/// Each task listens on a port of its own.
fn place_of(task: &TaskId) -> SocketAddr {
    let number = task.as_str().trim_start_matches("task-").parse().expect("tasks are numbered");
    SocketAddr::from(([127, 0, 0, 1], number))
}
