//! The roster, case by case.

mod looks;
mod places;

use std::time::Duration;

use actors::model::{Action, Address, HealthAnswer, Phase, Policy, Roster, ServerId, Timestamp, decide};

use crate::world::{START, World};

/// A roster that knows `servers` running servers of a world, all of them heard.
struct Fixture {
    world: World,
    roster: Roster,
    now: Timestamp,
}

impl Fixture {
    fn with_servers(servers: usize, policy: Policy) -> Self {
        let now = Timestamp::from_secs(1_000_000);
        let mut fixture = Self { world: World::new(policy.server_capacity), roster: Roster::new(policy), now };
        for _ in 0..servers {
            let instance = fixture.world.foreign_machine(now);
            fixture.world.machines.get_mut(&instance).expect("it was made").owned = true;
            fixture.world.start_game(&instance, now);
        }
        fixture.pass(START);
        fixture.observe();
        fixture.poll();
        // Whoever was given a place by an earlier manager has arrived by now.
        fixture.pass(fixture.roster.policy().hold_ttl);
        fixture.poll();
        fixture
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    fn observe(&mut self) {
        self.roster.observe(&self.world.observe(self.now), self.now);
    }

    fn poll(&mut self) {
        self.pass(Duration::from_millis(10));
        let asked: Vec<_> =
            self.roster.servers().filter_map(|server| Some((server.id, server.endpoint.clone()?))).collect();
        for (id, endpoint) in asked {
            let answer = self.world.ask(endpoint.health, self.now).ok();
            self.roster.report(id, self.now, answer, self.now);
        }
        self.pass(Duration::from_millis(10));
    }

    fn says(&mut self, id: ServerId, available_capacity: u32, ready_to_close: bool) {
        self.pass(Duration::from_millis(10));
        let answer = HealthAnswer { available_capacity, ready_to_close };
        self.roster.report(id, self.now, Some(answer), self.now);
        self.pass(Duration::from_millis(10));
    }

    /// Sends a server to standby, and has the cloud asked to record it.
    fn send_to_standby(&mut self, id: ServerId) {
        self.roster.commit(Action::Standby(id), self.now).expect("enough is left");
        self.roster.orders(self.now);
    }

    fn allocate(&mut self) -> Option<(ServerId, Address)> {
        self.roster.allocate(self.now).map(|allocation| (allocation.server, allocation.address))
    }

    fn ids(&self) -> Vec<ServerId> {
        self.roster.servers().map(|server| server.id).collect()
    }

    fn phase(&self, id: ServerId) -> Phase {
        self.roster.server(id).map_or(Phase::Gone, |server| server.phase)
    }

    fn holds(&self, id: ServerId) -> u32 {
        self.roster.server(id).expect("a known server").holds.count()
    }

    /// What would be closed by now.
    fn closings(&mut self) -> Vec<Action> {
        let view = self.roster.view(0, self.now);
        let decision = decide(&view, self.roster.policy(), self.now);
        decision.actions().filter(|action| matches!(action, Action::Close(..))).collect()
    }
}
