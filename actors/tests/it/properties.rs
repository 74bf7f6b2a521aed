//! What must always hold, whatever happens in whatever order: the model against a made-up world, with players coming
//! and going, answers lost, servers dying and falling silent, and the manager crashing at any point.

use std::time::Duration;

use actors::model::{
    Action, Address, CloseReason, HealthAnswer, Order, Outcome, Phase, Policy, RolloutState, Roster, ServerId, TaskId,
    Timestamp, decide,
};
use actors::ports::CloudError;
use proptest::prelude::*;

use crate::world::World;

#[derive(Clone, Debug)]
enum Happening {
    Ask,
    Arrive(usize),
    Leave(usize),
    PutHealthQuestion(usize),
    DeliverHealthAnswer(usize),
    LoseHealthAnswer(usize),
    PollAll,
    Observe,
    /// A list of tasks is eventually consistent: it leaves one out.
    ObserveAllButATask(usize),
    Decide,
    Carry(usize),
    CarryAndLoseTheAnswer(usize),
    Refuse(usize),
    NeverJoins,
    Die(usize),
    FallSilent(usize),
    SpeakAgain(usize),
    NewRevision {
        broken: bool,
    },
    /// An operator has something to say of the newest revision.
    RollOut(RolloutState),
    Wait(u64),
    Crash,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let which = || 0..64usize;
    prop_oneof![
        12 => Just(Ask),
        12 => which().prop_map(Arrive),
        8 => which().prop_map(Leave),
        6 => which().prop_map(PutHealthQuestion),
        6 => which().prop_map(DeliverHealthAnswer),
        1 => which().prop_map(LoseHealthAnswer),
        10 => Just(PollAll),
        10 => Just(Observe),
        2 => which().prop_map(ObserveAllButATask),
        12 => Just(Decide),
        12 => which().prop_map(Carry),
        2 => which().prop_map(CarryAndLoseTheAnswer),
        1 => which().prop_map(Refuse),
        1 => Just(NeverJoins),
        1 => which().prop_map(Die),
        1 => which().prop_map(FallSilent),
        1 => which().prop_map(SpeakAgain),
        1 => any::<bool>().prop_map(|broken| NewRevision { broken }),
        1 => prop::sample::select(vec![RolloutState::Active, RolloutState::Paused, RolloutState::RolledBack])
            .prop_map(RollOut),
        14 => (100..20_000u64).prop_map(Wait),
        1 => Just(Crash),
    ]
}

/// A client that was given an address and is on its way.
struct OnTheWay {
    address: Address,
    given_at: Timestamp,
}

struct Question {
    server: ServerId,
    asked_at: Timestamp,
    answer: Option<HealthAnswer>,
}

struct Simulation {
    policy: Policy,
    world: World,
    roster: Roster,
    now: Timestamp,
    orders: Vec<Order>,
    on_the_way: Vec<OnTheWay>,
    questions: Vec<Question>,
    /// When the manager crashed last: of places given out before it knows nothing.
    crashed_at: Timestamp,
}

impl Simulation {
    fn new(policy: Policy) -> Self {
        Self {
            world: World::new(policy.server_capacity),
            roster: Roster::new(policy.clone()),
            policy,
            now: Timestamp::from_secs(1_000_000),
            orders: Vec::new(),
            on_the_way: Vec::new(),
            questions: Vec::new(),
            crashed_at: Timestamp::default(),
        }
    }

    fn happens(&mut self, happening: &Happening) {
        // No two things happen at the very same time.
        self.now = self.now + Duration::from_millis(1);
        match happening {
            Happening::Ask => self.ask_for_a_place(),
            Happening::Arrive(which) => self.arrive(*which),
            Happening::Leave(which) => self.leave(*which),
            Happening::PutHealthQuestion(which) => self.put_health_question(*which),
            Happening::DeliverHealthAnswer(which) => self.deliver(*which, true),
            Happening::LoseHealthAnswer(which) => self.deliver(*which, false),
            Happening::PollAll => self.poll_all(),
            Happening::Observe => self.observe(),
            Happening::ObserveAllButATask(which) => self.observe_all_but(*which),
            Happening::Decide => self.decide(),
            Happening::Carry(which) => self.carry(*which, |outcome| outcome),
            Happening::CarryAndLoseTheAnswer(which) => self.carry(*which, unanswered),
            Happening::Refuse(which) => self.refuse(*which),
            Happening::NeverJoins => self.world.never_joining += 1,
            Happening::Die(which) => self.with_game(*which, |world, task| world.kill(task)),
            Happening::FallSilent(which) => self.with_game(*which, |world, task| world.silence(task, true)),
            Happening::SpeakAgain(which) => self.with_game(*which, |world, task| world.silence(task, false)),
            Happening::NewRevision { broken } => {
                let revision = self.world.new_revision();
                self.world.broken.extend(broken.then_some(revision));
            }
            Happening::RollOut(state) => {
                let (newest, _) = self.world.revisions.last().expect("one at least").clone();
                self.world.record_rollout(&newest, *state).expect("it is known");
            }
            Happening::Wait(millis) => self.wait(Duration::from_millis(*millis)),
            Happening::Crash => self.crash(),
        }
        let launched =
            self.world.machines.values().filter(|machine| machine.state == actors::model::InstanceState::Running);
        let alive = launched.count();
        assert!(alive <= self.policy.max_servers as usize, "{alive} instances exceed the maximum");
        assert!(self.world.complaints.is_empty(), "{:?}", self.world.complaints);
    }

    /// Time passes. However long, each server is asked within an interval and a timeout.
    fn wait(&mut self, mut span: Duration) {
        let step = self.policy.health_interval + self.policy.health_timeout;
        while span > Duration::ZERO {
            self.now = self.now + span.min(step);
            span = span.saturating_sub(step);
            self.poll_all();
        }
    }

    fn ask_for_a_place(&mut self) {
        let Some(allocation) = self.roster.allocate(self.now) else { return };
        let server = self.roster.server(allocation.server).expect("a server that players are sent to is known");
        assert_eq!(server.phase, Phase::Available, "players are sent to an available server only");
        let (answer, _) = server.health.last().expect("players are sent to a server that was heard");
        assert!(server.holds.count() <= answer.available_capacity, "more places held than reported");
        self.on_the_way.push(OnTheWay { address: allocation.address, given_at: self.now });
    }

    fn arrive(&mut self, which: usize) {
        if self.on_the_way.is_empty() {
            return;
        }
        let client = self.on_the_way.swap_remove(which % self.on_the_way.len());
        if self.now.since(client.given_at) >= self.policy.hold_ttl {
            return; // It gave up: its place is held for nobody any more.
        }
        // A new manager does not know of the places that were held before it.
        let forgotten = self.now.since(self.crashed_at) < self.policy.hold_ttl * 2;
        match self.world.game_at(&client.address) {
            // It has died, or will not talk. Had it been stopped, a hold would have been cut short: see `decide`.
            None => {}
            Some(game) if game.silent => {}
            Some(game) if forgotten && game.players >= game.capacity => {}
            Some(_) => self.world.arrive(&client.address),
        }
    }

    fn leave(&mut self, which: usize) {
        self.with_game(which, |world, task| {
            let game = world.games.get_mut(task).expect("a running game");
            game.players = game.players.saturating_sub(1);
        });
    }

    fn with_game(&mut self, which: usize, act: impl FnOnce(&mut World, &TaskId)) {
        let running: Vec<TaskId> = self.world.running_games().map(|(task, _)| task.clone()).collect();
        if !running.is_empty() {
            act(&mut self.world, &running[which % running.len()]);
        }
    }

    fn polled(&self) -> Vec<(ServerId, std::net::SocketAddr)> {
        let polled = self.roster.servers().filter(|server| server.phase.is_polled());
        polled.filter_map(|server| Some((server.id, server.endpoint.as_ref()?.health))).collect()
    }

    fn put_health_question(&mut self, which: usize) {
        let polled = self.polled();
        if let Some(&(server, target)) = polled.get(which % polled.len().max(1))
            && self.questions.iter().all(|question| question.server != server)
        {
            let answer = self.world.ask(target, self.now).ok();
            self.questions.push(Question { server, asked_at: self.now, answer });
        }
    }

    fn deliver(&mut self, which: usize, whole: bool) {
        if !self.questions.is_empty() {
            let question = self.questions.swap_remove(which % self.questions.len());
            let answer = question.answer.filter(|_| whole);
            if answer.is_none()
                && let Some(task) = self.roster.server(question.server).and_then(|server| server.task.clone())
                && let Some(game) = self.world.games.get_mut(&task)
            {
                game.was_silent = true;
            }
            self.roster.report(question.server, question.asked_at, answer, self.now);
        }
    }

    fn poll_all(&mut self) {
        for (server, target) in self.polled() {
            let answer = self.world.ask(target, self.now).ok();
            self.roster.report(server, self.now, answer, self.now);
        }
    }

    fn observe(&mut self) {
        self.roster.observe(&self.world.observe(self.now), self.now);
        self.take_orders();
    }

    fn observe_all_but(&mut self, which: usize) {
        let mut observation = self.world.observe(self.now);
        if !observation.tasks.is_empty() {
            observation.tasks.remove(which % observation.tasks.len());
        }
        self.roster.observe(&observation, self.now);
        self.take_orders();
    }

    fn decide(&mut self) {
        if !self.roster.is_ready() {
            return;
        }
        let decision = decide(&self.roster.view(0, self.now), &self.policy, self.now);
        let launches = decision.actions().any(|action| matches!(action, Action::Launch(_)));
        let drains = decision.actions().any(|action| matches!(action, Action::Standby(_)));
        assert!(!(launches && drains), "a launch and a new standby came of one decision: {decision:?}");
        for action in decision.actions() {
            if let Action::Close(id, CloseReason::Drained) = action {
                self.assert_nobody_is_on_the_way_to(id);
            }
            // What is refused is decided anew.
            let _ = self.roster.commit(action, self.now);
        }
        self.take_orders();
    }

    /// A client with a place that is still held must find its server.
    fn assert_nobody_is_on_the_way_to(&self, id: ServerId) {
        let address = self.roster.server(id).and_then(|server| Some(server.endpoint.as_ref()?.players.clone()));
        let expected = self.on_the_way.iter().find(|client| {
            Some(&client.address) == address.as_ref() && self.now.since(client.given_at) < self.policy.hold_ttl
        });
        assert!(expected.is_none(), "{id} is closed with a client on its way");
    }

    fn take_orders(&mut self) {
        self.orders.extend(self.roster.orders(self.now));
    }

    fn carry(&mut self, which: usize, answer: impl FnOnce(Outcome) -> Outcome) {
        if self.orders.is_empty() {
            return;
        }
        let order = self.orders.swap_remove(which % self.orders.len());
        let outcome = match order {
            Order::Launch(order) => Outcome::Launched { order, result: self.world.launch(order, self.now) },
            Order::Place(order) => Outcome::Placed { result: self.world.place(&order, self.now), order },
            Order::Record { server, task, role } => {
                Outcome::Recorded { server, role, result: self.world.record(&task, role) }
            }
            Order::RecordRollout { revision, state } => {
                let result = self.world.record_rollout(&revision, state);
                Outcome::RolloutRecorded { revision, state, result }
            }
            Order::Close(doomed) => Outcome::Closed {
                result: self.world.close(&doomed),
                servers: doomed.into_iter().map(|doomed| doomed.server).collect(),
            },
        };
        self.roster.outcome(answer(outcome), self.now);
        self.take_orders();
    }

    fn refuse(&mut self, which: usize) {
        if self.orders.is_empty() {
            return;
        }
        let result = CloudError::NoCapacity("there is none".into());
        let outcome = match self.orders.swap_remove(which % self.orders.len()) {
            Order::Launch(order) => Outcome::Launched { order, result: Err(result) },
            Order::Place(order) => Outcome::Placed { order, result: Err(result) },
            Order::Record { server, role, .. } => Outcome::Recorded { server, role, result: Err(result) },
            Order::RecordRollout { revision, state } => {
                Outcome::RolloutRecorded { revision, state, result: Err(result) }
            }
            Order::Close(doomed) => {
                let servers = doomed.into_iter().map(|doomed| doomed.server).collect();
                Outcome::Closed { servers, result: Err(result) }
            }
        };
        self.roster.outcome(outcome, self.now);
    }

    /// All that the manager knew is gone, and so are the orders it was about to give.
    fn crash(&mut self) {
        self.roster = Roster::new(self.policy.clone());
        self.orders.clear();
        self.questions.clear();
        self.crashed_at = self.now;
    }

    /// The fleet is left alone, with everything working, for so many seconds.
    fn settle(&mut self, seconds: u64) {
        for second in 0..seconds {
            self.now = self.now + Duration::from_secs(1);
            self.poll_all();
            if second % 5 == 0 {
                self.observe();
            }
            self.decide();
            while !self.orders.is_empty() {
                self.carry(0, |outcome| outcome);
            }
        }
    }
}

fn unanswered(outcome: Outcome) -> Outcome {
    let error = || CloudError::Unanswered("the connection was closed".into());
    match outcome {
        Outcome::Launched { order, .. } => Outcome::Launched { order, result: Err(error()) },
        Outcome::Placed { order, .. } => Outcome::Placed { order, result: Err(error()) },
        Outcome::Recorded { server, role, .. } => Outcome::Recorded { server, role, result: Err(error()) },
        Outcome::RolloutRecorded { revision, state, .. } => {
            Outcome::RolloutRecorded { revision, state, result: Err(error()) }
        }
        Outcome::Closed { servers, .. } => Outcome::Closed { servers, result: Err(error()) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_must_hold_holds(happenings in prop::collection::vec(happening(), 1..500)) {
        let policy = Policy { max_servers: 8, max_launching: 4, ..Policy::default() };
        let mut simulation = Simulation::new(policy.clone());
        simulation.observe();
        for happening in &happenings {
            simulation.happens(happening);
        }

        // Left alone, with players staying as they are, the fleet comes to rest between its margins.
        simulation.world.never_joining = 0;
        simulation.world.broken.clear();
        let silent: Vec<TaskId> = simulation.world.running_games().map(|(task, _)| task.clone()).collect();
        silent.iter().for_each(|task| simulation.world.silence(task, false));
        simulation.settle(3600);
        let launches = simulation.world.launches.len();
        let alive = simulation.world.alive();
        simulation.settle(600);
        prop_assert_eq!(simulation.world.launches.len(), launches, "a fleet at rest launches nothing");
        prop_assert_eq!(simulation.world.alive(), alive.clone(), "a fleet at rest ends nothing");
        prop_assert!(simulation.world.complaints.is_empty(), "{:?}", simulation.world.complaints);
        let hosts: std::collections::BTreeSet<_> =
            simulation.world.running_games().map(|(_, game)| game.instance.clone()).collect();
        prop_assert_eq!(hosts, alive.clone(), "every instance serves, and nothing serves elsewhere");
        let view = simulation.roster.view(0, simulation.now);
        let figures = actors::model::Figures::of(&view, &policy);
        prop_assert_eq!(figures.servers as usize, alive.len());
        let grown = figures.free >= policy.upscale_margin || figures.servers == policy.max_servers;
        prop_assert!(grown, "{:?}", figures);
        let is_full = figures.servers == policy.max_servers;
        prop_assert!(figures.outdated == 0 || is_full, "what is outdated was replaced: {:?}", view);
    }
}
