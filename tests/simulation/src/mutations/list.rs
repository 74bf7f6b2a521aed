//! The breaks, by the rule that each offends.

use super::{Edit, Mutation};

const SERVER: &str = "actors/src/model/server.rs";
const SCALING: &str = "actors/src/model/scaling.rs";
const HOLDS: &str = "actors/src/model/holds.rs";
const LAUNCHES: &str = "actors/src/model/launches.rs";
const COMMIT: &str = "actors/src/model/roster/commit.rs";
const ORDERS: &str = "actors/src/model/roster/orders.rs";
const RECONCILE: &str = "actors/src/model/roster/reconcile.rs";
const REPORT: &str = "actors/src/model/roster/report.rs";
const VIEW: &str = "actors/src/model/roster/view.rs";
const SUPERVISOR: &str = "actors/src/fleet_supervisor.rs";
const AWS_ACTOR: &str = "actors/src/aws_actor.rs";
const SCALER: &str = "actors/src/scaler_actor.rs";

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    // 1: no address for a server on standby, starting, silent or gone.
    Mutation {
        name: "players are sent to servers on standby",
        rule: "Address",
        edits: &[Edit {
            file: SERVER,
            find: "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            replace: "(Phase::Available | Phase::Standby, Condition::Answering) => self.unclaimed(),",
        }],
    },
    Mutation {
        name: "players are sent to servers that do not answer",
        rule: "Address",
        edits: &[Edit {
            file: SERVER,
            find: "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            replace: "(Phase::Available, _) => self.unclaimed(),",
        }],
    },
    Mutation {
        name: "players are sent to servers whose end was decided",
        rule: "Address",
        edits: &[Edit {
            file: SERVER,
            find: "(Phase::Available, Condition::Answering) => self.unclaimed(),",
            replace: "(Phase::Available | Phase::Closing(_), Condition::Answering) => self.unclaimed(),",
        }],
    },
    // 2: holds and players never exceed what was reported.
    Mutation {
        name: "places are not held",
        rule: "Holds",
        edits: &[Edit {
            file: SERVER,
            find: "answer.available_capacity.saturating_sub(self.holds.count())",
            replace: "answer.available_capacity",
        }],
    },
    Mutation {
        name: "any health answer ends all holds",
        rule: "Holds",
        edits: &[Edit {
            file: HOLDS,
            find: "self.open.retain(|hold| hold.expires_at > asked_at);",
            replace: "self.open.clear();",
        }],
    },
    Mutation {
        name: "each client that comes ends two holds",
        rule: "Holds",
        edits: &[Edit { file: HOLDS, find: "for _ in 0..arrived {", replace: "for _ in 0..arrived * 2 {" }],
    },
    // 3: standby, then ready to close, with no hold left; or silent past its grace.
    Mutation {
        name: "a server that is ready to close ends with clients on their way",
        rule: "Ending",
        edits: &[Edit { file: SERVER, find: "            && self.holds.count() == 0\n", replace: "" }],
    },
    Mutation {
        name: "the answer from before standby counts",
        rule: "Ending",
        edits: &[Edit { file: SERVER, find: "            && asked_at > self.phase_since\n", replace: "" }],
    },
    Mutation {
        name: "a server on standby ends though it is not ready",
        rule: "Ending",
        edits: &[Edit { file: SERVER, find: "            && answer.ready_to_close\n", replace: "" }],
    },
    Mutation {
        name: "a silent server gets no grace",
        rule: "Ending",
        edits: &[
            Edit {
                file: SCALING,
                find: "&& now.since(server.unanswered_since) >= policy.silence_grace =>",
                replace: "=>",
            },
            Edit {
                file: COMMIT,
                find: "&& now.since(self.silent_since(server)) >= self.policy.silence_grace",
                replace: "",
            },
        ],
    },
    Mutation {
        name: "a launch is given up long before its deadline",
        rule: "Ending",
        edits: &[Edit {
            file: SCALING,
            find: "now.since(server.phase_since) >= deadline && now.since(server.known_since) >= deadline.min(VISIBILITY)",
            replace: "now.since(server.phase_since) >= deadline / 8",
        }],
    },
    Mutation {
        name: "what is first seen after a restart is given up at once",
        rule: "Ending",
        edits: &[Edit {
            file: SCALING,
            find: " && now.since(server.known_since) >= deadline.min(VISIBILITY)",
            replace: "",
        }],
    },
    // 4: never more than the maximum, nor more launches in flight.
    Mutation {
        name: "the maximum of servers is not kept",
        rule: "Size",
        edits: &[
            Edit {
                file: SCALING,
                find: "let count = wanted.min(room).min(in_flight);",
                replace: "let count = wanted.min(in_flight).max(room.min(0));",
            },
            Edit {
                file: COMMIT,
                find: "if too_many || too_many_in_flight {",
                replace: "if too_many && too_many_in_flight {",
            },
        ],
    },
    Mutation {
        name: "the maximum of launches in flight is not kept",
        rule: "Size",
        edits: &[
            Edit {
                file: SCALING,
                find: "let count = wanted.min(room).min(in_flight);",
                replace: "let count = wanted.min(room).max(in_flight.min(0));",
            },
            Edit { file: COMMIT, find: "if too_many || too_many_in_flight {", replace: "if too_many {" },
        ],
    },
    // 5: one intent makes at most one instance.
    Mutation {
        name: "a lost answer is followed by a new launch",
        rule: "Size",
        edits: &[Edit {
            file: LAUNCHES,
            find: "                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
            replace: "                launch.order.ordinal = launch.order.ordinal.plus(1);\n                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
        }],
    },
    Mutation {
        name: "a restarted manager begins its launches at an ordinal of its own",
        rule: "Size",
        edits: &[
            Edit { file: LAUNCHES, find: "next: LaunchOrdinal(1),", replace: "next: LaunchOrdinal(0)," },
            Edit {
                file: LAUNCHES,
                find: "let order = LaunchOrder { ordinal: self.next, count };",
                replace: "if self.next < LaunchOrdinal(1_000_000) { self.next = LaunchOrdinal(now.as_micros()); }\n        let order = LaunchOrder { ordinal: self.next, count };",
            },
        ],
    },
    Mutation {
        name: "ordinals are jumped over before all launches are visible",
        rule: "Size",
        edits: &[Edit {
            file: LAUNCHES,
            find: "if self.looking_since.is_some_and(|since| now.since(since) >= VISIBILITY) {",
            replace: "if self.looking_since.is_some() {",
        }],
    },
    Mutation {
        name: "the next launch goes out before the last one is visible",
        rule: "Size",
        edits: &[Edit {
            file: LAUNCHES,
            find: "            let progress = Progress::Unseen { missing, until: now + VISIBILITY };\n            self.current = Some(Launch { order, progress, seen: BTreeSet::new(), unanswered: 0 });",
            replace: "            let _: (BTreeSet<InstanceId>, Duration) = (missing, VISIBILITY);\n            self.next = self.next.plus(0);\n            self.current = None;",
        }],
    },
    // 6: nothing leaks; what is not the fleet's is not touched.
    Mutation {
        name: "instances that never join are kept",
        rule: "Leak",
        edits: &[Edit {
            file: SCALING,
            find: "Phase::Booting if is_past(policy.boot_deadline) => Some(CloseReason::BootOverdue),",
            replace: "",
        }],
    },
    Mutation {
        name: "the instance of an ended task is forgotten",
        rule: "Leak",
        edits: &[Edit {
            file: RECONCILE,
            find: "if instance_is_over || task_is_over && !owned {",
            replace: "if instance_is_over || task_is_over {",
        }],
    },
    Mutation {
        name: "a restarted manager does not look after launches half done",
        rule: "Leak",
        edits: &[Edit {
            file: RECONCILE,
            find: "if host.owned && instance.state != InstanceState::Terminated {",
            replace: "if host.owned && instance.state != InstanceState::Terminated && self.observed_at.is_some() && false {",
        }],
    },
    Mutation {
        name: "instances that are not the fleet's are terminated",
        rule: "Leak",
        edits: &[Edit { file: SERVER, find: "self.owned && !self.foreign_tasks", replace: "!self.foreign_tasks" }],
    },
    Mutation {
        name: "instances with somebody else's tasks are terminated",
        rule: "Leak",
        edits: &[Edit { file: SERVER, find: "self.owned && !self.foreign_tasks", replace: "self.owned" }],
    },
    // 7: a crash loses nothing.
    Mutation {
        name: "a restarted manager does not read who is on standby",
        rule: "Memory",
        edits: &[Edit {
            file: RECONCILE,
            find: "(TaskState::Running(_), Role::Standby) => (Phase::Standby, now),",
            replace: "(TaskState::Running(_), Role::Standby) => (Phase::Available, now),",
        }],
    },
    Mutation {
        name: "standby is not recorded",
        rule: "Ending",
        edits: &[Edit {
            file: ORDERS,
            find: "Phase::Available | Phase::Standby if server.role_unrecorded => {",
            replace: "Phase::Available if server.role_unrecorded => {",
        }],
    },
    Mutation {
        name: "places that an earlier manager gave out are not waited for",
        rule: "Ending",
        edits: &[Edit { file: SERVER, find: "            && asked_at > self.unknown_holds_until\n", replace: "" }],
    },
    // 8: nothing is scaled down on what cannot be read.
    Mutation {
        name: "an old look is good enough to shrink on",
        rule: "Unknown",
        edits: &[Edit {
            file: VIEW,
            find: "self.observed_at.is_some_and(|observed_at| now.since(observed_at) <= stale_after)",
            replace: "self.observed_at.is_some() || stale_after.is_zero()",
        }],
    },
    Mutation {
        name: "a look that failed counts as one that showed nothing",
        rule: "any",
        edits: &[Edit {
            file: AWS_ACTOR,
            find: "                self.failed_looks += 1;\n",
            replace: "                self.failed_looks += 1;\n                let seen = Observation { begun_at: self.args.clock.now(), instances: Vec::new(), tasks: Vec::new() };\n                let _ = self.args.fleet.cast(FleetMsg::Observed(seen));\n",
        }],
    },
    Mutation {
        name: "a common silence is taken for the servers' own",
        rule: "Unknown",
        edits: &[
            Edit { file: SCALING, find: "self.silent.saturating_mul(2) > self.serving", replace: "false" },
            Edit { file: VIEW, find: "silent * 2 > count", replace: "silent > count" },
        ],
    },
    // 9: the fleet settles and stays.
    Mutation {
        name: "servers are drained as soon as there is one to spare",
        rule: "Rest",
        edits: &[Edit { file: SCALING, find: "if free <= policy.downscale_margin || ", replace: "if " }],
    },
    Mutation {
        name: "the fleet does not grow",
        rule: "Rest",
        edits: &[Edit {
            file: SCALING,
            find: "if count > 0 && view.launches_blocked.is_none() {",
            replace: "if count > 1 && view.launches_blocked.is_none() {",
        }],
    },
    Mutation {
        name: "the fleet does not shrink",
        rule: "Rest",
        edits: &[Edit { file: SCALING, find: "        actions.push(Action::Standby(server.id));\n", replace: "" }],
    },
    // 10: a launch and a new standby never come of one decision.
    Mutation {
        name: "the fleet grows and shrinks by one decision",
        rule: "Together",
        edits: &[
            Edit {
                file: SCALING,
                find: "        actions.extend(drains(view, policy, &figures));\n    } else {",
                replace: "        actions.extend(drains(view, policy, &figures));\n    } else {\n        let eager = Policy { downscale_margin: 0, upscale_margin: 0, min_servers: 0, ..policy.clone() };\n        actions.extend(drains(view, &eager, &figures));",
            },
            Edit { file: COMMIT, find: "                self.check_floor(id)?;\n", replace: "" },
        ],
    },
    // 11: a manager that has ended does nothing more.
    Mutation {
        name: "a manager that ends closes what it has on standby",
        rule: "Ending",
        edits: &[Edit {
            file: SUPERVISOR,
            find: "        if let Some(scaler) = self.scaler.take() {\n            scaler.stop(None);\n        }\n",
            replace: "        let doomed = self.roster.servers().filter_map(|server| Some(crate::model::Doomed { server: server.id, task: server.task.clone(), instance: Some(server.instance()?.clone()) })).collect();\n        self.tell_aws(AwsMsg::Carry(crate::model::Order::Close(doomed)));\n        if let Some(scaler) = self.scaler.take() {\n            scaler.stop(None);\n        }\n",
        }],
    },
    // No player is cut off, no place is lost, calls are few, nothing fails.
    Mutation {
        name: "holds are never given up",
        rule: "Capacity",
        edits: &[Edit {
            file: HOLDS,
            find: "        self.open.retain(|hold| hold.expires_at > asked_at);\n",
            replace: "",
        }],
    },
    Mutation {
        name: "a server counts as ready to close without saying so",
        rule: "any",
        edits: &[Edit {
            file: REPORT,
            find: "server.health.answered(answer, asked_at);",
            replace: "server.health.answered(HealthAnswer { ready_to_close: true, ..answer }, asked_at);",
        }],
    },
    Mutation {
        name: "a failed order is asked for again without a pause",
        rule: "Buckets",
        edits: &[
            Edit {
                file: ORDERS,
                find: "let mut pause = self.policy.launch_backoff;",
                replace: "let mut pause = Duration::ZERO;",
            },
            Edit {
                file: LAUNCHES,
                find: "                launch.progress = Progress::ToAsk { not_before: now + policy.launch_backoff };\n",
                replace: "                launch.progress = Progress::ToAsk { not_before: now };\n",
            },
        ],
    },
    Mutation {
        name: "the scaler panics when there is much to do",
        rule: "Alive",
        edits: &[Edit {
            file: SCALER,
            find: "            log(&decision);\n",
            replace: "            log(&decision);\n            assert!(decision.actions.len() < 3, \"too much to do\");\n",
        }],
    },
];
