//! The state of the fleet.

use std::time::Duration;

use actors::model::{
    Action, Address, Endpoint, HealthAnswer, Instance, InstanceId, InstanceState, Margins, Observation, PhaseCounts,
    Policy, Registration, Revision, Role, Roster, Task, TaskId, TaskState, Timestamp,
};

use super::metrics;
use crate::metrics::{FleetGauges, Limits, Places, Serving};

#[test]
fn each_number_is_told_under_its_own_name() {
    let metrics = metrics();
    metrics.fleet(&FleetGauges {
        servers: PhaseCounts { booting: 1, joined: 2, placed: 3, starting: 4, available: 5, standby: 6, closing: 7 },
        serving: Serving { answering: 8, doubtful: 9, silent: 10 },
        places: Places { free: 11, held: 12, pending: 13, doubtful: 14, waiting: 15 },
        players: 16,
        limits: Limits {
            upscale_margin: 17,
            downscale_margin: 18,
            min_servers: 19,
            max_servers: 20,
            shadow: Some(Margins { upscale: 27, downscale: 28 }),
        },
        paused: true,
        ready: true,
        cloud_is_fresh: false,
        launches_in_flight: 21,
        launch_failures_in_a_row: 22,
    });
    for (series, value) in [
        (r#"servers{phase="booting"}"#, 1.0),
        (r#"servers{phase="joined"}"#, 2.0),
        (r#"servers{phase="placed"}"#, 3.0),
        (r#"servers{phase="starting"}"#, 4.0),
        (r#"servers{phase="available"}"#, 5.0),
        (r#"servers{phase="standby"}"#, 6.0),
        (r#"servers{phase="closing"}"#, 7.0),
        (r#"serving_servers{condition="answering"}"#, 8.0),
        (r#"serving_servers{condition="doubtful"}"#, 9.0),
        (r#"serving_servers{condition="silent"}"#, 10.0),
        (r#"places{kind="free"}"#, 11.0),
        (r#"places{kind="held"}"#, 12.0),
        (r#"places{kind="pending"}"#, 13.0),
        (r#"places{kind="doubtful"}"#, 14.0),
        (r#"places{kind="waiting"}"#, 15.0),
        ("players", 16.0),
        ("upscale_margin_places", 17.0),
        ("shadow_margin_places{margin=\"upscale\"}", 27.0),
        ("shadow_margin_places{margin=\"downscale\"}", 28.0),
        ("downscale_margin_places", 18.0),
        ("min_servers", 19.0),
        ("max_servers", 20.0),
        ("launches_in_flight", 21.0),
        ("launch_failures_in_a_row", 22.0),
        ("paused", 1.0),
        ("ready", 1.0),
        ("cloud_fresh", 0.0),
    ] {
        assert_eq!(metrics.sample(series), value, "{series}");
    }
}

#[test]
fn of_a_fleet_that_does_not_answer_the_last_numbers_stay() {
    let metrics = metrics();
    metrics.fleet(&FleetGauges { ready: true, players: 3, ..FleetGauges::default() });
    metrics.fleet_is_unknown();
    assert_eq!((metrics.sample("ready"), metrics.sample("players")), (0.0, 3.0));
}

/// One game server that runs on an instance of the fleet.
fn one_server(begun_at: Timestamp) -> Observation {
    let instance = InstanceId::new("i-1");
    let registration = Registration { joined_at: begun_at, connected: true, foreign_tasks: false };
    let endpoint = Endpoint { players: Address::new("203.0.113.7:8000"), health: ([203, 0, 113, 7], 8000).into() };
    Observation {
        begun_at,
        instances: vec![Instance {
            id: instance.clone(),
            owned: true,
            ordinal: None,
            launch_size: 1,
            state: InstanceState::Running,
            launched_at: begun_at,
            leaving: false,
            registration: Some(registration),
        }],
        tasks: vec![Task {
            id: TaskId::new("task-1"),
            instance: Some(instance),
            state: TaskState::Running(endpoint),
            revision: Revision::new("game:1"),
            role: Role::Available,
            started_at: Some(begun_at),
        }],
        target: None,
    }
}

#[test]
fn the_numbers_are_those_of_the_fleet() {
    let policy = Policy { upscale_margin: 4, downscale_margin: 18, server_capacity: 10, ..Policy::default() };
    let mut roster = Roster::new(policy.clone());
    let start = Timestamp::from_secs(1_700_000_000);
    assert!(!FleetGauges::from(&roster.snapshot(0, start)).ready);

    roster.observe(&one_server(start), start);
    let server = roster.servers().next().expect("a server").id;
    let now = start + Duration::from_secs(1);
    roster.report(server, now, Some(HealthAnswer { available_capacity: 7, ready_to_close: false }), now);
    assert!(roster.allocate(now).is_some());
    roster.commit(Action::Launch(2), now).expect("a launch");

    assert_eq!(
        FleetGauges::from(&roster.snapshot(5, now)),
        FleetGauges {
            servers: PhaseCounts { available: 1, ..PhaseCounts::default() },
            serving: Serving { answering: 1, ..Serving::default() },
            places: Places { free: 6, held: 1, pending: 20, doubtful: 0, waiting: 5 },
            players: 3,
            limits: Limits {
                upscale_margin: 4,
                downscale_margin: 18,
                min_servers: policy.min_servers,
                max_servers: policy.max_servers,
                shadow: None,
            },
            paused: false,
            ready: true,
            cloud_is_fresh: true,
            launches_in_flight: 2,
            launch_failures_in_a_row: 0,
        }
    );
}
