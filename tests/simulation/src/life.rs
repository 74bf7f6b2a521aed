//! A day is lived: the world's queue is run in virtual time, and managers are started, asked, killed and ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use actors::ports::Clock;
use ractor::ActorStatus;
use tokio::sync::Notify;

use crate::event::{Event, Given, ManagerId, PlayerId};
use crate::figures::Figures;
use crate::manager::{Manager, SharedWorld, Way};
use crate::observer::{Broken, Rule, Violation};
use crate::scenario::{ORIGIN, Scenario};
use crate::world::{Errand, World};

/// What came of a day.
#[derive(Debug)]
pub struct Day {
    /// What was counted.
    pub figures: Figures,
    /// The first rule that was broken, if one was.
    pub broken: Option<Box<Broken>>,
    /// How many events there were, and a number that tells two logs apart.
    pub digest: (u64, u64),
    /// The whole log, if it was wanted.
    pub log: Option<String>,
}

/// Lives the day of a seed, with so many hours of trouble before the calm.
pub fn live(seed: u64, trouble: Duration, way: Way, keep_log: bool) -> Day {
    watch_panics();
    // The SDK draws its retries' jitter from there.
    #[cfg(feature = "aws")]
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O takes nothing of the system");
    // Begun inside: out there the clock is the machine's, and would be a little ahead of the runtime's.
    runtime.block_on(async { Life::begin(Scenario::of(seed, trouble), way, keep_log).run().await })
}

struct Life {
    way: Way,
    world: SharedWorld,
    clock: Clock,
    managers: BTreeMap<ManagerId, Manager>,
    is_over: bool,
}

impl Life {
    fn begin(scenario: Scenario, way: Way, keep_log: bool) -> Self {
        let clock = Clock::starting_at(ORIGIN);
        let world = SharedWorld::new(World::new(scenario, clock, keep_log));
        Self { way, world, clock, managers: BTreeMap::new(), is_over: false }
    }

    async fn run(mut self) -> Day {
        let wake = self.world.lock().wake();
        PANIC.with_borrow_mut(|watch| *watch = (None, Some(Arc::clone(&wake))));
        let broken = loop {
            self.catch_up().await;
            self.check_managers();
            let broken = self.world.lock().take_broken();
            if broken.is_some() || self.is_over {
                break broken;
            }
            let next_at = self.world.lock().next_at().unwrap_or(ORIGIN);
            tokio::select! {
                biased;
                () = wake.notified() => {}
                () = tokio::time::sleep(next_at.since(self.clock.now())) => {}
            }
        };
        let mut world = self.world.lock();
        let figures = world.take_figures();
        let log = std::mem::take(&mut world.log);
        Day { figures, broken: broken.map(Box::new), digest: log.digest(), log: log.into_whole() }
    }

    /// Lets happen what is due, and runs the errands of it.
    async fn catch_up(&mut self) {
        let errands = self.world.lock().take_errands();
        self.do_all(errands).await;
        loop {
            let Some(errands) = self.world.lock().step() else { return };
            self.do_all(errands).await;
        }
    }

    async fn do_all(&mut self, errands: Vec<Errand>) {
        for errand in errands {
            match errand {
                Errand::Ask(player) => self.ask(player),
                Errand::Start => self.start().await,
                Errand::Kill(manager, turns) => self.kill(manager, turns).await,
                Errand::Restart(manager, down) => self.restart(manager, down),
                Errand::Count => self.count().await,
            }
        }
    }

    async fn start(&mut self) {
        let manager = Manager::start(&self.world, self.clock, self.way).await;
        self.managers.insert(manager.id, manager);
    }

    /// Sends a client to one of the managers, as a load balancer would.
    fn ask(&mut self, player: PlayerId) {
        let known: Vec<ManagerId> = self.managers.keys().copied().collect();
        let asked = self.world.lock().chance.pick_any(&known);
        let Some(manager) = asked.and_then(|id| self.managers.get(&id)) else {
            self.world.lock().nobody_to_ask(player);
            return;
        };
        let (world, id, fleet) = (self.world.clone(), manager.id, manager.fleet.clone());
        tokio::spawn(async move {
            let given = Manager::allocate(fleet).await;
            let mut world = world.lock();
            // What a manager says in the moment of its death does not arrive.
            let given = if world.runs(id) { given } else { Given::Nothing };
            world.sent(id, player, given);
        });
    }

    /// It dies between two messages: so many turns of the runtime from now.
    async fn kill(&mut self, id: ManagerId, turns: u32) {
        let Some(manager) = self.managers.remove(&id) else { return };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.world.lock().manager_gone(id, false);
        manager.fleet.get_cell().kill();
        let _ = manager.ended.await;
    }

    fn restart(&mut self, id: ManagerId, down: Duration) {
        let Some(manager) = self.managers.remove(&id) else { return };
        let world = self.world.clone();
        world.lock().tell(Event::ManagerToldToEnd(id));
        tokio::spawn(async move {
            manager.end().await;
            let mut world = world.lock();
            world.manager_gone(id, true);
            world.start_manager_after(down);
        });
    }

    /// Takes all the places there are, and sets them against what the servers say. Then the day is over.
    async fn count(&mut self) {
        self.world.lock().tell(Event::CountBegan);
        let free = self.world.lock().free_places();
        let mut given = 0;
        for fleet in self.managers.values().map(|manager| &manager.fleet) {
            // All at once: before the fleet can take anybody back from standby for them.
            let asked: Vec<_> = (0..=free).map(|_| tokio::spawn(Manager::allocate(fleet.clone()))).collect();
            for answer in asked {
                given += u32::from(matches!(answer.await, Ok(Given::Place(_))));
            }
        }
        let mut world = self.world.lock();
        world.tell(Event::Counted { given, free });
        self.is_over = true;
    }

    /// Nothing in a manager may fail, whatever happens around it.
    fn check_managers(&self) {
        let died = self.managers.values().find(|manager| manager.fleet.get_status() == ActorStatus::Stopped);
        if let Some(manager) = died {
            let what = format!("the supervisor of {} ended by itself", manager.id);
            self.world.lock().accuse(Violation { rule: Rule::Alive, what });
        }
        if let Some(what) = PANIC.with_borrow_mut(|(what, _)| what.take()) {
            self.world.lock().accuse(Violation { rule: Rule::Alive, what });
        }
    }
}

thread_local! {
    /// What the last panic on this thread said, and who is to hear of it. Actors and tasks that panic are replaced, so it
    /// would go unnoticed.
    static PANIC: RefCell<(Option<String>, Option<Arc<Notify>>)> = const { RefCell::new((None, None)) };
}

fn watch_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANIC.with_borrow_mut(|(what, wake)| {
                *what = Some(format!("a panic: {panic}"));
                wake.iter().for_each(|wake| wake.notify_one());
            });
            before(panic);
        }));
    });
}
