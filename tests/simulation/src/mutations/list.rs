//! The breaks, by the rule that each offends.

use super::{Mutation, edit, mutation};

const SERVER: &str = "actors/src/model/server.rs";
const SCALING: &str = "actors/src/model/scaling.rs";
const HOLDS: &str = "actors/src/model/holds.rs";
const LAUNCHES: &str = "actors/src/model/launches.rs";
const COMMIT: &str = "actors/src/model/roster/commit.rs";
const ORDERS: &str = "actors/src/model/roster/orders.rs";
const RECONCILE: &str = "actors/src/model/roster/reconcile.rs";
const REPORT: &str = "actors/src/model/roster/report.rs";
const ROLLOUT: &str = "actors/src/model/rollout.rs";
const VIEW: &str = "actors/src/model/roster/view.rs";
const SUPERVISOR: &str = "actors/src/fleet_supervisor/mod.rs";
const AWS_ACTOR: &str = "actors/src/aws_actor.rs";
const SCALER: &str = "actors/src/scaler_actor.rs";

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    // 1: no address for a server on standby, starting, silent or gone.
    mutation(
        "players are sent to servers on standby",
        "Address",
        &[edit(
            SERVER,
            "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            "(Phase::Available | Phase::Standby, Condition::Answering) => self.unclaimed(),",
        )],
    ),
    mutation(
        "players are sent to servers that do not answer",
        "Address",
        &[edit(
            SERVER,
            "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            "(Phase::Available, _) => self.unclaimed(),",
        )],
    ),
    mutation(
        "players are sent to servers whose end was decided",
        "Address",
        &[edit(
            SERVER,
            "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            "(Phase::Available | Phase::Closing(_), Condition::Answering) => self.unclaimed(),",
        )],
    ),
    mutation(
        "players are sent to servers whose instances are about to go",
        "Address",
        &[edit(
            SCALING,
            "        server.leaving && server.phase == Phase::Available",
            "        server.drained && server.phase == Phase::Available",
        )],
    ),
    // 2: holds and players never exceed what was reported.
    mutation(
        "places are not held",
        "Holds",
        &[edit(SERVER, "answer.available_capacity.saturating_sub(self.holds.count())", "answer.available_capacity")],
    ),
    mutation(
        "any health answer ends all holds",
        "Holds",
        &[edit(HOLDS, "let stays = hold.expires_at > asked_at;", "let stays = hold.made_at > asked_at;")],
    ),
    mutation(
        "each client that comes ends two holds",
        "Holds",
        &[edit(
            HOLDS,
            "        let mut ended = Vec::new();\n",
            "        let mut ended = Vec::new();\n        arrived *= 2;\n",
        )],
    ),
    // 3: standby, then ready to close, with no hold left; or silent past its grace.
    mutation(
        "a server that is ready to close ends with clients on their way",
        "Ending",
        &[edit(SERVER, "            && self.holds.count() == 0\n", "")],
    ),
    mutation(
        "the answer from before standby counts",
        "Ending",
        &[edit(SERVER, "            && asked_at > self.phase_since\n", "")],
    ),
    mutation(
        "a server on standby ends though it is not ready",
        "Ending",
        &[edit(SERVER, "            && answer.ready_to_close\n", "")],
    ),
    mutation(
        "a silent server gets no grace",
        "Ending",
        &[
            edit(SCALING, "&& now.since(server.unanswered_since) >= policy.silence_grace =>", "=>"),
            edit(COMMIT, "&& now.since(self.silent_since(server)) >= self.policy.silence_grace", ""),
        ],
    ),
    mutation(
        "a launch is given up long before its deadline",
        "Ending",
        &[edit(
            SCALING,
            "now >= due_at && view.observed_at.is_some_and(|seen_at| seen_at >= shown_from)",
            "now.since(server.phase_since) >= deadline / 8 && shown_from > Timestamp::default()",
        )],
    ),
    mutation(
        "what is first seen after a restart is given up at once",
        "Ending",
        &[edit(SCALING, " && view.observed_at.is_some_and(|seen_at| seen_at >= shown_from)", "")],
    ),
    // 4: never more than the maximum, nor more launches in flight.
    mutation(
        "the maximum of servers is not kept",
        "Size",
        &[
            edit(
                SCALING,
                "let count = wanted.min(room).min(in_flight);",
                "let count = wanted.min(in_flight).max(room.min(0));",
            ),
            edit(COMMIT, "if too_many || too_many_in_flight {", "if too_many && too_many_in_flight {"),
        ],
    ),
    mutation(
        "the maximum of launches in flight is not kept",
        "Size",
        &[
            edit(
                SCALING,
                "let count = wanted.min(room).min(in_flight);",
                "let count = wanted.min(room).max(in_flight.min(0));",
            ),
            edit(COMMIT, "if too_many || too_many_in_flight {", "if too_many {"),
        ],
    ),
    // 5: one intent makes at most one instance.
    mutation(
        "a lost answer is followed by a new launch",
        "Intent",
        &[edit(
            LAUNCHES,
            "                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
            "                launch.order.ordinal = launch.order.ordinal.plus(1);\n                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
        )],
    ),
    mutation(
        "a launch that was not answered is asked of another pool",
        "Intent",
        &[edit(
            LAUNCHES,
            "                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
            "                launch.order.pool.0 = (launch.order.pool.0 + 1) % policy.pools;\n                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
        )],
    ),
    mutation(
        "a launch that may have been made falls through to the next pool",
        "Intent",
        &[edit(
            LAUNCHES,
            "let made_nothing = launch.unanswered == 0 && launch.seen.is_empty();",
            "let made_nothing = launch.seen.is_empty();",
        )],
    ),
    mutation(
        "a restarted manager launches from another pool before all launches are visible",
        "Intent",
        &[edit(
            LAUNCHES,
            "let may_repeat = policy.pools > 1 && !policy.intents_span_pools;",
            "let may_repeat = policy.pools > 1000 && !policy.intents_span_pools;",
        )],
    ),
    mutation(
        "a restarted manager begins its launches at an ordinal of its own",
        "Intent",
        &[
            edit(LAUNCHES, "next: LaunchOrdinal(1),", "next: LaunchOrdinal(0),"),
            edit(
                LAUNCHES,
                "let order = LaunchOrder { ordinal: self.next, count, pool };",
                "if self.next < LaunchOrdinal(1_000_000) { self.next = LaunchOrdinal(now.as_micros()); }\n        let order = LaunchOrder { ordinal: self.next, count, pool };",
            ),
        ],
    ),
    mutation(
        "ordinals are jumped over before all launches are visible",
        "Intent",
        &[edit(
            LAUNCHES,
            "if self.looking_since.is_some_and(|since| now.since(since) >= VISIBILITY) {",
            "if self.looking_since.is_some() {",
        )],
    ),
    mutation(
        "what was launched is forgotten until it is visible",
        "Size",
        &[
            edit(ORDERS, "for instance in new {", "for instance in new.into_iter().take(0) {"),
            edit(
                LAUNCHES,
                "            let progress = Progress::Unseen { missing, until: now + VISIBILITY };\n            self.current = Some(Launch { order, begun_at, progress, seen: BTreeSet::new(), unanswered: 0 });",
                "            let _: (BTreeSet<InstanceId>, Duration, Timestamp) = (missing, VISIBILITY, begun_at);\n            self.next = self.next.plus(0);\n            self.current = None;",
            ),
        ],
    ),
    // 6: nothing leaks; what is not the fleet's is not touched.
    mutation(
        "instances that never join are kept",
        "Leak",
        &[edit(SCALING, "Phase::Booting if is_past(policy.boot_deadline) => Some(CloseReason::BootOverdue),", "")],
    ),
    mutation(
        "servers that stay silent are kept",
        "Leak",
        &[edit(SCALING, "                    && !figures.is_blind()\n", "                    && figures.is_blind()\n")],
    ),
    mutation(
        "the instance of an ended task is forgotten",
        "Leak",
        &[edit(RECONCILE, "if instance_is_over || task_is_over && !owned {", "if instance_is_over || task_is_over {")],
    ),
    mutation(
        "a restarted manager does not look after launches half done",
        "Leak",
        &[edit(
            RECONCILE,
            "if host.owned && instance.state != InstanceState::Terminated {",
            "if host.owned && instance.state != InstanceState::Terminated && self.observed_at.is_some() && false {",
        )],
    ),
    mutation(
        "instances that are not the fleet's are terminated",
        "Leak",
        &[edit(SERVER, "self.owned && !self.foreign_tasks", "!self.foreign_tasks")],
    ),
    mutation(
        "instances with somebody else's tasks are terminated",
        "Leak",
        &[edit(SERVER, "self.owned && !self.foreign_tasks", "self.owned")],
    ),
    // 7: a crash loses nothing.
    mutation(
        "a restarted manager does not read who is on standby",
        "Memory",
        &[
            edit(
                RECONCILE,
                "(TaskState::Running(_), Role::Standby) => (Phase::Standby, now),",
                "(TaskState::Running(_), Role::Standby) => (Phase::Available, now),",
            ),
            edit(RECONCILE, "let stands = server.role_unrecorded ||", "let stands = server.known_since <= now ||"),
        ],
    ),
    mutation(
        "standby is not recorded",
        "Ending",
        &[edit(
            ORDERS,
            "Phase::Available | Phase::Standby if server.role_unrecorded => {",
            "Phase::Available if server.role_unrecorded => {",
        )],
    ),
    mutation(
        "places that an earlier manager gave out are not waited for",
        "Ending",
        &[edit(SERVER, "            && asked_at > self.unknown_holds_until\n", "")],
    ),
    // 8: nothing is scaled down on what cannot be read.
    mutation(
        "an old look is good enough to shrink on",
        "Unknown",
        &[edit(
            VIEW,
            "self.observed_at.is_some_and(|observed_at| now.since(observed_at) <= stale_after)",
            "self.observed_at.is_some() || stale_after.is_zero()",
        )],
    ),
    mutation(
        "a look that failed counts as one that showed nothing",
        "any",
        &[edit(
            AWS_ACTOR,
            "                self.failed_looks += 1;\n",
            "                self.failed_looks += 1;\n                let seen = Observation { begun_at: self.args.clock.now(), instances: Vec::new(), tasks: Vec::new(), target: None };\n                let _ = self.args.fleet.cast(FleetMsg::Observed(seen));\n",
        )],
    ),
    mutation(
        "a common silence is taken for the servers' own",
        "Unknown",
        &[
            edit(SCALING, "self.silent.saturating_mul(2) > self.serving", "false"),
            edit(VIEW, "silent * 2 > count", "silent > count"),
        ],
    ),
    // 9: the fleet settles and stays.
    mutation(
        "servers are drained down to below the margin",
        "Rest",
        &[
            edit(
                SCALING,
                "if left < policy.upscale_margin || !(gives_way || makes_room || is_spare) {",
                "if left == 0 || available <= policy.min_servers {",
            ),
            edit(COMMIT, "if left < u64::from(self.margins.upscale) || !are", "if left == 0 || !are"),
        ],
    ),
    mutation(
        "the fleet does not grow",
        "Rest",
        &[edit(
            SCALING,
            "if count > 0 && view.launches_blocked.is_none() {",
            "if count > 1 && view.launches_blocked.is_none() {",
        )],
    ),
    mutation(
        "the fleet does not shrink",
        "Rest",
        &[edit(SCALING, "        steps.push(Step::new(Action::Standby(server.id), rule));\n", "")],
    ),
    // 10: a launch and a new standby never come of one decision.
    mutation(
        "the fleet grows and shrinks by one decision",
        "Together",
        &[
            edit(
                SCALING,
                "        steps.extend(drains(view, policy, &figures));\n    } else {",
                "        steps.extend(drains(view, policy, &figures));\n    } else {\n        let eager = Policy { downscale_margin: 0, upscale_margin: 0, min_servers: 0, ..policy.clone() };\n        steps.extend(drains(view, &eager, &figures));",
            ),
            edit(COMMIT, "                self.check_floor(id)?;\n", ""),
        ],
    ),
    // 11: a manager that has ended does nothing more.
    mutation(
        "a manager that ends goes on deciding until it is stopped",
        "Stopping",
        &[
            edit(SUPERVISOR, "            scaler.stop(None);\n", "            self.scaler = Some(scaler);\n"),
            edit(SUPERVISOR, "self.tell_aws(AwsMsg::Finish(reply_to));", "std::mem::forget(reply_to);"),
        ],
    ),
    mutation(
        "a manager that ends closes what it has on standby",
        "Ending",
        &[edit(
            SUPERVISOR,
            "        if let Some(scaler) = self.scaler.take() {\n            scaler.stop(None);\n        }\n",
            "        let doomed = self.roster.servers().filter_map(|server| Some(crate::model::Doomed { server: server.id, task: server.task.clone(), instance: Some(server.instance()?.clone()) })).collect();\n        self.tell_aws(AwsMsg::Carry(crate::model::Order::Close(doomed)));\n        if let Some(scaler) = self.scaler.take() {\n            scaler.stop(None);\n        }\n",
        )],
    ),
    // Rollouts: what does not work is given up, and in the end the fleet runs what is wanted.
    mutation(
        "a build that does not work is tried for ever",
        "Rollout",
        &[edit(
            ROLLOUT,
            "if self.failures >= most && others_serve {",
            "if self.failures > most.saturating_mul(1000) {",
        )],
    ),
    mutation(
        "servers are started with what ran before, whatever is wanted",
        "Rollout",
        &[edit(ROLLOUT, ".filter(|_| is_tried)", ".filter(|_| is_tried || !is_tried)")],
    ),
    mutation(
        "what was rolled back is started again",
        "Rollout",
        &[edit(
            ROLLOUT,
            "RolloutState::Paused | RolloutState::RolledBack => before(),",
            "RolloutState::Paused | RolloutState::RolledBack => before().filter(|_| false),",
        )],
    ),
    mutation(
        "what does not come to serve is tried for ever where nothing serves",
        "Rollout",
        &[edit(ROLLOUT, "self.turn.wrapping_add(1)", "self.turn")],
    ),
    mutation(
        "servers of an old revision are not replaced",
        "Rollout",
        &[edit(
            SCALING,
            "server.outdated && is_replaced && available > policy.min_servers;",
            "server.outdated && is_replaced && available > u32::MAX - 1;",
        )],
    ),
    mutation(
        "a launch of which a part is seen is taken for the whole",
        "Size",
        &[edit(LAUNCHES, "launch.seen.len() < launch.size as usize;", "launch.seen.len() > launch.size as usize;")],
    ),
    // No player is cut off, no place is lost, calls are few, nothing fails.
    mutation(
        "holds are never given up",
        "Capacity",
        &[edit(HOLDS, "let stays = hold.expires_at > asked_at;", "let stays = hold.seats > 0;")],
    ),
    mutation(
        "a server counts as ready to close without saying so",
        "any",
        &[edit(
            REPORT,
            "server.health.answered(answer, asked_at);",
            "server.health.answered(HealthAnswer { ready_to_close: true, ..answer }, asked_at);",
        )],
    ),
    mutation(
        "a failed order is asked for again without a pause",
        "Buckets",
        &[
            edit(ORDERS, "self.policy.backoff_after(server.failed_orders).min(LONGEST_PAUSE)", "LONGEST_PAUSE * 0"),
            edit(
                LAUNCHES,
                "                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
                "                launch.progress = Progress::ToAsk { not_before: now };\n",
            ),
        ],
    ),
    mutation(
        "the scaler panics when there is much to do",
        "Alive",
        &[edit(
            SCALER,
            "            log(&decision);\n",
            "            log(&decision);\n            assert!(decision.steps.len() < 3, \"too much to do\");\n",
        )],
    ),
];
