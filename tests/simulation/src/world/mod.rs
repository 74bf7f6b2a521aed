//! The world: a cloud, game servers and players, all made up, and all that happens in it by itself.
//!
//! It knows nothing of the manager's state. Things happen at their time, in the order of a queue; what managers and
//! players do comes in between, by the functions of [`aws`] and [`players`].

pub mod aws;
pub mod buckets;
pub mod calls;
pub mod games;
pub mod machines;
pub mod mishaps;
pub mod players;
pub mod revisions;
pub mod versions;
pub mod weather;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actors::model::{InstanceId, Observation, TaskId, Timestamp};
use actors::ports::Clock;
use tokio::sync::Notify;

use crate::chance::Chance;
use crate::event::{Event, ManagerId, PlayerId};
use crate::faults::{Accident, CrashPoint};
use crate::figures::Figures;
use crate::log::Log;
use crate::observer::{Broken, Observer};
use crate::scenario::{CALM, ORIGIN, Scenario};

use aws::{GameTask, Launches, Placements};
use buckets::Buckets;
use machines::{Addresses, Machine};
use players::Player;
use revisions::Revisions;
use weather::Weather;

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A fault of the scenario begins.
    FaultBegins(usize),
    /// It ends.
    FaultEnds(usize),
    /// An accident.
    Accident(Accident),
    /// An instance has booted.
    MachineRuns(InstanceId),
    /// Its agent joins the cluster.
    MachineJoins(InstanceId),
    /// It is lost, with all that is on it.
    MachineLost(InstanceId),
    /// It has shut down.
    MachineTerminated(InstanceId),
    /// AWS shows it no longer.
    MachineForgotten(InstanceId),
    /// Somebody else's task on an instance ends.
    OtherTaskEnds(InstanceId),
    /// A task runs.
    TaskRuns(TaskId),
    /// A task fails.
    TaskFails(TaskId),
    /// AWS shows it no longer.
    TaskForgotten(TaskId),
    /// The next player of the day comes.
    PlayerComes,
    /// The crawler of a fault asks, so often in a second, as long as the fault is there.
    CrawlerAsks(usize, f64),
    /// A player asks where to play.
    PlayerAsks(PlayerId),
    /// A player is at the address that was given.
    PlayerArrives(PlayerId),
    /// A player's game is over.
    PlayerLeaves(PlayerId),
    /// A manager is started.
    ManagerStarts,
    /// One of two managers dies.
    OneManagerDies,
    /// From now on nothing goes wrong.
    Calm,
    /// The day is over.
    End,
}

/// What the one who runs the world has to do, since it takes managers.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Send this player to a manager.
    Ask(PlayerId),
    /// Start a manager.
    Start,
    /// Have this manager die, after so many turns of the runtime.
    Kill(ManagerId, u32),
    /// Have it end in good order, and start another one after so long.
    Restart(ManagerId, Duration),
    /// Ask for all places there are, and end the day.
    Count,
}

/// The world.
#[derive(Debug)]
pub struct World {
    clock: Clock,
    /// What drawn things are drawn from.
    pub chance: Chance,
    /// The day.
    pub scenario: Scenario,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    queued: u64,
    wake: Arc<Notify>,
    errands: Vec<Errand>,
    machines: BTreeMap<InstanceId, Machine>,
    tasks: BTreeMap<TaskId, GameTask>,
    launches: Launches,
    placements: Placements,
    addresses: Addresses,
    buckets: Buckets,
    weather: Weather,
    players: BTreeMap<PlayerId, Player>,
    revisions: Revisions,
    /// The managers that run.
    managers: Vec<ManagerId>,
    last_manager: u32,
    made: u64,
    /// A crash that waits for its moment, and how long the manager is gone then.
    crash: Option<(CrashPoint, Duration)>,
    /// A restart that waits for a busy moment, and how long the manager is gone then.
    restart: Option<Duration>,
    observer: Observer,
    /// What was written down.
    pub log: Log,
    /// What was counted.
    pub figures: Figures,
    broken: Option<Broken>,
}

impl World {
    /// A world at the begin of its day.
    pub fn new(scenario: Scenario, clock: Clock, keep_log: bool) -> Self {
        let mut world = Self {
            chance: Chance::new(scenario.seed, 2),
            queue: BTreeMap::new(),
            queued: 0,
            wake: Arc::default(),
            errands: Vec::new(),
            machines: BTreeMap::new(),
            tasks: BTreeMap::new(),
            launches: Launches::default(),
            placements: Placements::default(),
            addresses: Addresses::default(),
            buckets: Buckets::full(clock.now()),
            weather: Weather::default(),
            players: BTreeMap::new(),
            revisions: Revisions::default(),
            managers: Vec::new(),
            last_manager: 0,
            made: 0,
            crash: None,
            restart: None,
            observer: Observer::new(scenario.policy.clone()),
            log: Log::new(keep_log),
            figures: Figures::default(),
            broken: None,
            clock,
            scenario,
        };
        world.plan();
        world.register(true);
        world
    }

    fn plan(&mut self) {
        self.at(ORIGIN, Happening::ManagerStarts);
        self.at(ORIGIN + Duration::from_secs(1), Happening::PlayerComes);
        for number in 0..self.scenario.faults.len() {
            let (from, until) = (self.scenario.faults[number].from, self.scenario.faults[number].until);
            self.at(from, Happening::FaultBegins(number));
            self.at(until, Happening::FaultEnds(number));
        }
        for (at, accident) in self.scenario.accidents.clone() {
            self.at(at, Happening::Accident(accident));
        }
        self.at(self.scenario.calm_at, Happening::Calm);
        self.at(self.scenario.calm_at + CALM, Happening::End);
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Woken when something is going to happen earlier than what was.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first rule that was broken, if one was.
    pub fn take_broken(&mut self) -> Option<Broken> {
        self.broken.take()
    }

    /// Lets the next thing happen that is due; what is left to do for it by others. None if nothing is due.
    pub fn step(&mut self) -> Option<Vec<Errand>> {
        let now = self.now();
        if self.next_at()? > now {
            return None;
        }
        let (_, happening) = self.queue.pop_first()?;
        self.happen(happening);
        Some(self.take_errands())
    }

    /// What is left to do by others.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// The managers that run.
    pub fn managers(&self) -> &[ManagerId] {
        &self.managers
    }

    /// It is calm: nothing goes wrong any more, and no player comes or goes.
    pub fn is_calm(&self) -> bool {
        self.now() >= self.scenario.calm_at
    }

    /// A manager's process was started.
    pub fn manager_started(&mut self) -> ManagerId {
        self.last_manager += 1;
        let manager = ManagerId(self.last_manager);
        self.managers.push(manager);
        self.tell(Event::ManagerStarted(manager));
        manager
    }

    /// A manager's process is gone, in good order or not.
    pub fn manager_gone(&mut self, manager: ManagerId, in_good_order: bool) {
        if self.managers.contains(&manager) {
            self.managers.retain(|known| *known != manager);
            self.tell(if in_good_order { Event::ManagerEnded(manager) } else { Event::ManagerDied(manager) });
        }
    }

    /// The manager runs.
    pub fn runs(&self, manager: ManagerId) -> bool {
        self.managers.contains(&manager)
    }

    /// Tells what happened.
    pub fn tell(&mut self, event: Event) {
        let now = self.now();
        self.log.write(now, &event);
        self.figures.count(&event);
        if self.broken.is_none()
            && let Err(rule) = self.observer.see(now, &event)
        {
            self.broken = Some(Broken { rule, at: now, seed: self.scenario.seed, last: self.log.last() });
            self.wake.notify_one();
        }
    }

    /// A manager's look at the whole fleet was answered.
    pub fn looked(&mut self, manager: ManagerId, seen: &Observation) {
        let launches = seen.instances.iter().filter(|instance| instance.owned).filter_map(|instance| instance.ordinal);
        self.tell(Event::Looked(manager, seen.begun_at, launches.max()));
    }

    /// What was counted, by the world and by the observer.
    pub fn take_figures(&mut self) -> Figures {
        self.figures.cut_off_silent = self.observer.cut_off_silent();
        std::mem::take(&mut self.figures)
    }

    /// A rule that others than the observer found broken.
    pub fn accuse(&mut self, rule: crate::observer::Violation) {
        let now = self.now();
        let broken = Broken { rule, at: now, seed: self.scenario.seed, last: self.log.last() };
        self.broken.get_or_insert(broken);
        self.wake.notify_one();
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::FaultBegins(number) => self.fault_begins(number),
            Happening::FaultEnds(number) => self.fault_ends(number),
            Happening::Accident(accident) => self.accident(accident),
            Happening::MachineRuns(id) => self.machine_runs(&id),
            Happening::MachineJoins(id) => self.machine_joins(&id),
            Happening::MachineLost(id) => self.machine_lost(&id),
            Happening::MachineTerminated(id) => self.machine_terminated(&id),
            Happening::MachineForgotten(id) => self.machine_forgotten(&id),
            Happening::OtherTaskEnds(id) => self.other_task_ends(&id),
            Happening::TaskRuns(id) => self.task_runs(&id),
            Happening::TaskFails(id) => self.task_fails(&id),
            Happening::TaskForgotten(id) => {
                self.tasks.remove(&id);
            }
            Happening::PlayerComes => self.player_comes(),
            Happening::CrawlerAsks(fault, rate) => self.crawler_asks(fault, rate),
            Happening::PlayerAsks(player) => self.player_asks(player),
            Happening::PlayerArrives(player) => self.player_arrives(player),
            Happening::PlayerLeaves(player) => self.player_leaves(player),
            Happening::ManagerStarts if self.managers.is_empty() => self.errands.push(Errand::Start),
            Happening::ManagerStarts => {}
            Happening::OneManagerDies => self.one_manager_dies(),
            Happening::Calm => self.calm(),
            Happening::End => self.errands.push(Errand::Count),
        }
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.queued += 1;
        if self.next_at().is_none_or(|next| at < next) {
            self.wake.notify_one();
        }
        self.queue.insert((at, self.queued), happening);
    }

    fn after(&mut self, span: Duration, happening: Happening) {
        self.at(self.now() + span, happening);
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}
