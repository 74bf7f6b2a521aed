//! What the cloud shows against what is known.

use std::time::Duration;

use actors::model::{
    Action, CloseReason, InstanceState, LaunchOrder, LaunchOrdinal, Observation, Order, Outcome, Phase, Policy, Pool,
    Refused, Role, Roster, Stage, TaskId, TaskState, decide,
};
use actors::ports::CloudError;

use super::Fixture;
use crate::world::{BOOT, START, World};

#[test]
fn a_server_that_two_looks_do_not_show_is_gone() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[0];
    fixture.world.games.clear();
    fixture.world.machines.clear();
    fixture.pass(Duration::from_secs(5));
    fixture.poll();
    fixture.observe();
    assert_eq!(fixture.phase(id), Phase::Available, "one look may miss it");
    (0..3).for_each(|_| fixture.poll());
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!(fixture.phase(id), Phase::Gone);
    assert_eq!(fixture.allocate(), None);
}

#[test]
fn a_first_part_of_the_fleet_is_enough_for_a_place_and_too_little_to_conclude_from() {
    let known = Fixture::with_servers(3, Policy::default());
    let mut whole = known.world.observe(known.now);
    whole.tasks[1].role = Role::Standby;
    let part =
        Observation { instances: whole.instances[..2].to_vec(), tasks: whole.tasks[..2].to_vec(), ..whole.clone() };
    let mut fixture = Fixture { roster: Roster::new(Policy::default()), ..known };
    fixture.roster.glimpse(&part, fixture.now);
    assert_eq!(fixture.allocate(), None, "nobody was asked yet");
    fixture.poll();
    let first = fixture.ids()[0];
    assert_eq!(fixture.allocate().map(|(server, _)| server), Some(first), "the other one is on standby");
    assert!(!fixture.roster.is_ready() && fixture.roster.orders(fixture.now).is_empty());
    fixture.roster.observe(&whole, fixture.now);
    assert_eq!((fixture.roster.is_ready(), fixture.ids().len(), fixture.holds(first)), (true, 3, 1));
    // One that comes after all of them is of no use.
    let other = Fixture::with_servers(5, Policy::default());
    fixture.roster.glimpse(&other.world.observe(fixture.now), fixture.now);
    assert_eq!(fixture.ids().len(), 3);
}

#[test]
fn those_of_a_first_part_that_keep_silent_are_not_closed_for_it_when_the_others_are_known() {
    let policy = Policy::default();
    let known = Fixture::with_servers(10, policy.clone());
    let mut fixture = Fixture { roster: Roster::new(policy.clone()), ..known };
    let whole = fixture.world.observe(fixture.now);
    fixture.roster.glimpse(&Observation { tasks: whole.tasks[..2].to_vec(), ..whole.clone() }, fixture.now);
    for _ in 0..5 {
        fixture.pass(policy.silence_grace);
        let (ids, now) = (fixture.ids(), fixture.now);
        ids.into_iter().for_each(|id| fixture.roster.report(id, now, None, now));
    }
    fixture.observe();
    assert_eq!((fixture.ids().len(), fixture.closings()), (10, Vec::new()));
}

#[test]
fn of_a_first_part_only_what_runs_where_it_is_shown_is_taken_in() {
    let known = Fixture::with_servers(4, Policy::default());
    let mut fixture = Fixture { roster: Roster::new(Policy::default()), ..known };
    let whole = fixture.world.observe(fixture.now);
    let mut part = whole.clone();
    part.tasks[0].state = TaskState::Pending;
    let hidden = part.tasks[1].instance.clone().expect("it runs somewhere");
    part.instances.retain(|instance| instance.id != hidden);
    let stopping = part.tasks[2].instance.clone().expect("it runs somewhere");
    let instance = part.instances.iter_mut().find(|instance| instance.id == stopping).expect("it is shown");
    instance.state = InstanceState::Stopped;
    fixture.roster.glimpse(&part, fixture.now);
    assert_eq!(fixture.ids().len(), 1);
    // Nor does anything follow from what the next one does not show.
    for _ in 0..3 {
        fixture.pass(Duration::from_secs(60));
        fixture.roster.glimpse(&Observation { tasks: Vec::new(), instances: Vec::new(), ..whole.clone() }, fixture.now);
    }
    fixture.roster.observe(&whole, fixture.now);
    assert!(fixture.ids().into_iter().all(|id| fixture.phase(id) == Phase::Available), "{:#?}", fixture.roster);
    assert_eq!(fixture.ids().len(), 4);
}

#[test]
fn an_instance_that_a_look_shows_after_its_task_is_no_second_server() {
    let mut fixture = Fixture::with_servers(0, Policy::default());
    let instance = fixture.world.foreign_machine(fixture.now);
    fixture.world.machines.get_mut(&instance).expect("it was made").owned = true;
    fixture.world.start_game(&instance, fixture.now);
    fixture.pass(START);
    let whole = fixture.world.observe(fixture.now);
    fixture.roster.observe(&Observation { instances: Vec::new(), ..whole.clone() }, fixture.now);
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!(fixture.ids().len(), 1);
    assert_eq!(fixture.roster.orders(fixture.now), []);
}

#[test]
fn a_server_that_answers_is_there_whatever_a_list_leaves_out() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[0];
    for _ in 0..5 {
        fixture.pass(Duration::from_secs(5));
        fixture.poll();
        fixture.roster.observe(&World::new(10).observe(fixture.now), fixture.now);
        assert_eq!(fixture.phase(id), Phase::Available);
    }
}

#[test]
fn silence_counts_from_the_end_of_a_common_silence() {
    let policy = Policy::default();
    let mut fixture = Fixture::with_servers(4, policy.clone());
    let ids = fixture.ids();
    for _ in 0..10 {
        fixture.pass(policy.silence_grace);
        ids.iter().for_each(|id| fixture.roster.report(*id, fixture.now, None, fixture.now));
        fixture.observe();
        assert_eq!(fixture.closings(), [], "all are silent: the fault is on this side");
    }
    ids[..2].iter().for_each(|id| fixture.says(*id, 10, false));
    assert_eq!(fixture.closings(), [], "the others were not asked again yet");
    let close = Action::Close(ids[2], CloseReason::Silent);
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue));
    fixture.pass(policy.silence_grace);
    fixture.observe();
    assert_eq!(
        fixture.closings(),
        ids[2..].iter().map(|id| Action::Close(*id, CloseReason::Silent)).collect::<Vec<_>>()
    );
    assert_eq!(fixture.roster.commit(close, fixture.now), Ok(()));
}

#[test]
fn a_look_that_shows_a_part_of_a_launch_makes_no_room_for_another() {
    let mut fixture = Fixture::with_servers(0, Policy { max_servers: 4, ..Policy::default() });
    fixture.roster.commit(Action::Launch(4), fixture.now).expect("launches are not blocked");
    let Some(Order::Launch(order)) = fixture.roster.orders(fixture.now).pop() else { panic!("a launch is ordered") };
    fixture.world.launch(order, fixture.now).expect("there is room");
    let mut part = fixture.world.observe(fixture.now);
    part.instances.truncate(1);
    fixture.roster.observe(&part, fixture.now);
    assert_eq!(fixture.roster.view(0, fixture.now).requested, 3);
    assert!(fixture.roster.commit(Action::Launch(1), fixture.now).is_err());
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!((fixture.ids().len(), fixture.roster.view(0, fixture.now).requested), (4, 0));
}

#[test]
fn an_instance_of_the_fleet_that_somebody_else_uses_counts_until_it_is_free_to_go() {
    let mut fixture = Fixture::with_servers(0, Policy { max_servers: 1, ..Policy::default() });
    let order = LaunchOrder { ordinal: LaunchOrdinal(1), count: 1, pool: Pool::default() };
    let instance = fixture.world.launch(order, fixture.now).expect("there is room").remove(0);
    fixture.world.machines.get_mut(&instance).expect("it was made").foreign_tasks = true;
    for _ in 0..10 {
        fixture.pass(Duration::from_secs(60));
        fixture.observe();
        let id = fixture.ids()[0];
        let _ = fixture.roster.commit(Action::Close(id, CloseReason::PlacementOverdue), fixture.now);
        assert_eq!(fixture.roster.orders(fixture.now), [], "nothing is placed there, and nothing ended");
    }
    assert_eq!(fixture.roster.commit(Action::Launch(1), fixture.now), Err(Refused::Maximum));
    fixture.world.machines.get_mut(&instance).expect("it was made").foreign_tasks = false;
    fixture.pass(Duration::from_secs(60));
    fixture.observe();
    let [Order::Close(doomed)] = &fixture.roster.orders(fixture.now)[..] else { panic!("it is free to go") };
    assert_eq!(doomed[0].instance, Some(instance));
}

#[test]
fn a_look_that_began_earlier_than_the_last_is_dropped() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    let (id, old) = (fixture.ids()[0], fixture.now);
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    for _ in 0..3 {
        fixture.roster.observe(&World::new(10).observe(old), fixture.now);
    }
    assert_eq!(fixture.phase(id), Phase::Available);
}

#[test]
fn a_fresh_launch_may_stay_unseen_for_a_while() {
    let mut fixture = Fixture::with_servers(0, Policy::default());
    fixture.roster.commit(Action::Launch(1), fixture.now).expect("launches are not blocked");
    let Some(Order::Launch(order)) = fixture.roster.orders(fixture.now).pop() else { panic!("a launch is ordered") };
    let result = fixture.world.launch(order, fixture.now);
    fixture.roster.outcome(actors::model::Outcome::Launched { order, result }, fixture.now);
    let id = fixture.ids()[0];
    for _ in 0..5 {
        fixture.pass(Duration::from_secs(5));
        fixture.roster.observe(&World::new(10).observe(fixture.now), fixture.now);
        assert_eq!(fixture.phase(id), Phase::Booting);
        let again = fixture.roster.commit(Action::Launch(1), fixture.now);
        assert_eq!(again, Err(Refused::LaunchesBlocked), "the next waits until the last is seen");
    }
    fixture.observe();
    assert_eq!(fixture.roster.commit(Action::Launch(1), fixture.now), Ok(()));
}

#[test]
fn how_long_each_stage_of_a_launch_took_is_kept() {
    let mut fixture = Fixture::with_servers(0, Policy::default());
    fixture.roster.commit(Action::Launch(1), fixture.now).expect("launches are not blocked");
    let Some(Order::Launch(order)) = fixture.roster.orders(fixture.now).pop() else { panic!("a launch is ordered") };
    fixture.pass(Duration::from_secs(2));
    let result = fixture.world.launch(order, fixture.now);
    fixture.roster.outcome(Outcome::Launched { order, result }, fixture.now);
    fixture.observe();
    fixture.pass(BOOT);
    fixture.observe();
    let Some(Order::Place(order)) = fixture.roster.orders(fixture.now).pop() else { panic!("a task is to be placed") };
    fixture.pass(Duration::from_secs(1));
    let result = fixture.world.place(&order, fixture.now);
    fixture.roster.outcome(Outcome::Placed { order, result }, fixture.now);
    fixture.pass(START);
    fixture.observe();
    assert_eq!(fixture.roster.lead_times().total(), None, "it has not come to serve yet");
    fixture.poll();
    let lead_times = fixture.roster.lead_times();
    let seconds = |stage| lead_times.stage(stage).map(|spread| spread.p50.as_secs());
    assert_eq!(Stage::ALL.map(seconds), [2, 20, 1, 5].map(Some));
    assert_eq!((lead_times.count(), lead_times.total().map(|total| total.max.as_secs())), (1, Some(28)));
}

#[test]
fn a_restarted_manager_keeps_the_deadlines_of_launches_half_done() {
    let mut fixture = Fixture::with_servers(0, Policy::default());
    let launched_at = fixture.now;
    fixture
        .world
        .launch(LaunchOrder { ordinal: LaunchOrdinal(7), count: 1, pool: Pool::default() }, launched_at)
        .expect("it launches");
    fixture.pass(BOOT + Duration::from_secs(60));
    fixture.roster = Roster::new(Policy::default());
    fixture.observe();
    let server = fixture.roster.servers().next().expect("it is taken up");
    assert_eq!((server.phase, server.phase_since), (Phase::Joined, launched_at + BOOT));
    let orders = fixture.roster.orders(fixture.now);
    assert!(matches!(orders.as_slice(), [Order::Place(_)]), "{orders:?}");
}

#[test]
fn an_instance_stopped_by_hand_is_terminated() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[0];
    let instance = fixture.roster.server(id).and_then(|server| server.instance().cloned()).expect("it has one");
    fixture.world.machines.get_mut(&instance).expect("it was made").state = InstanceState::Stopped;
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!(fixture.phase(id), Phase::Closing(CloseReason::InstanceStopped));
    let Some(Order::Close(doomed)) = fixture.roster.orders(fixture.now).pop() else { panic!("it is to be closed") };
    assert_eq!(doomed[0].instance, Some(instance));
}

/// As ECS shows it where the instance's agent was out of reach when it ended.
#[test]
fn the_task_that_outlives_its_instance_is_stopped_and_its_server_gone_then() {
    for owned in [true, false] {
        let mut fixture = Fixture::with_servers(2, Policy::default());
        let id = fixture.ids()[0];
        let server = fixture.roster.server(id).expect("a known server");
        let (instance, task) =
            (server.instance().cloned().expect("it has one"), server.task.clone().expect("it has one"));
        let machine = fixture.world.machines.get_mut(&instance).expect("it was made");
        (machine.owned, machine.state) = (owned, InstanceState::Terminated);
        for _ in 0..3 {
            fixture.pass(Duration::from_secs(5));
            fixture.observe();
            assert_eq!(fixture.phase(id), Phase::Closing(CloseReason::InstanceStopped));
            assert_eq!(fixture.ids().len(), 2, "it is not taken for another server");
        }
        let Some(Order::Close(doomed)) = fixture.roster.orders(fixture.now).pop() else { panic!("it is to be closed") };
        assert_eq!(doomed[0].task, Some(task.clone()));
        fixture.world.kill(&task);
        fixture.pass(Duration::from_secs(5));
        fixture.observe();
        assert_eq!((fixture.phase(id), fixture.ids().len()), (Phase::Gone, 1));
    }
}

#[test]
fn an_instance_with_two_of_our_tasks_goes_only_when_both_are_closing() {
    let mut fixture = Fixture::with_servers(1, Policy { min_servers: 0, upscale_margin: 0, ..Policy::default() });
    let first = fixture.ids()[0];
    let instance = fixture.roster.server(first).and_then(|server| server.instance().cloned()).expect("it has one");
    fixture.world.start_game(&instance, fixture.now);
    fixture.pass(START);
    fixture.observe();
    fixture.poll();
    fixture.send_to_standby(first);
    fixture.says(first, 10, true);
    fixture.roster.commit(Action::Close(first, CloseReason::Drained), fixture.now).expect("it is drained");
    let Some(Order::Close(doomed)) = fixture.roster.orders(fixture.now).pop() else { panic!("it is to be closed") };
    assert_eq!((doomed.len(), &doomed[0].instance), (1, &None), "somebody plays on the same instance");
    assert!(doomed[0].task.is_some());
}

#[test]
fn a_role_is_recorded_until_the_cloud_shows_it() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[1];
    fixture.roster.commit(Action::Standby(id), fixture.now).expect("enough is left");
    let recorded = |orders: Vec<Order>| -> Vec<TaskId> {
        orders
            .into_iter()
            .filter_map(|order| if let Order::Record { task, .. } = order { Some(task) } else { None })
            .collect()
    };
    let task = fixture.roster.server(id).and_then(|server| server.task.clone()).expect("it has one");
    assert_eq!(recorded(fixture.roster.orders(fixture.now)), std::slice::from_ref(&task));
    assert!(recorded(fixture.roster.orders(fixture.now)).is_empty(), "it is being asked for");
    // The outcome is lost.
    fixture.pass(Duration::from_secs(120));
    fixture.observe();
    assert_eq!(recorded(fixture.roster.orders(fixture.now)), [task]);
}

#[test]
fn what_is_refused_is_asked_for_again_after_growing_pauses() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[1];
    fixture.roster.commit(Action::Standby(id), fixture.now).expect("enough is left");
    let refused = || Err(CloudError::Denied("not allowed".into()));
    let mut pauses = Vec::new();
    let mut waited = 0;
    while pauses.len() < 6 {
        let orders = fixture.roster.orders(fixture.now);
        if let [Order::Record { server, role, .. }] = orders[..] {
            pauses.push(waited);
            waited = 0;
            fixture.roster.outcome(Outcome::Recorded { server, role, result: refused() }, fixture.now);
        }
        fixture.pass(Duration::from_secs(1));
        waited += 1;
    }
    assert_eq!(pauses, [0, 5, 10, 20, 30, 30]);
}

#[test]
fn a_role_that_somebody_else_recorded_is_followed() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[1];
    let task = fixture.roster.server(id).and_then(|server| server.task.clone()).expect("it has one");
    for (role, phase) in [(Role::Standby, Phase::Standby), (Role::Available, Phase::Available)] {
        fixture.world.record(&task, role).expect("a running task");
        // What was followed stands for a minute: a look may be shown an older role.
        fixture.pass(Duration::from_secs(61));
        fixture.observe();
        assert_eq!(fixture.phase(id), phase);
        assert_eq!(fixture.roster.orders(fixture.now), [], "nothing is recorded over it");
    }
    // What this manager decides stands against what the cloud still shows.
    fixture.roster.commit(Action::Standby(id), fixture.now).expect("enough is left");
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!(fixture.phase(id), Phase::Standby);
}

#[test]
fn a_task_that_ran_before_and_is_shown_late_is_taken_for_one_with_players() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    fixture.pass(Duration::from_secs(3600));
    fixture.roster = Roster::new(Policy::default());
    let mut first_look = fixture.world.observe(fixture.now);
    first_look.tasks.clear();
    fixture.roster.observe(&first_look, fixture.now);
    let id = fixture.ids()[0];
    assert_eq!(fixture.phase(id), Phase::Joined);
    fixture.pass(Duration::from_secs(5));
    fixture.observe();
    assert_eq!(fixture.phase(id), Phase::Available, "a launch would be given up at its deadline, which is long past");
    assert_eq!(fixture.allocate(), None, "it was not heard yet");
    fixture.pass(Duration::from_secs(300));
    fixture.observe();
    assert_eq!(decide(&fixture.roster.view(0, fixture.now), &Policy::default(), fixture.now).steps, []);
}

#[test]
fn a_launch_that_is_first_seen_to_run_late_is_asked_before_it_is_given_up() {
    let mut fixture = Fixture::with_servers(0, Policy::default());
    fixture.roster.commit(Action::Launch(1), fixture.now).expect("there is room");
    let Some(Order::Launch(order)) = fixture.roster.orders(fixture.now).pop() else { panic!("it is to be launched") };
    let result = fixture.world.launch(order, fixture.now);
    let instance = result.as_ref().expect("instances")[0].clone();
    fixture.roster.outcome(Outcome::Launched { order, result }, fixture.now);
    fixture.pass(BOOT);
    fixture.observe();
    // The task starts, and the cloud cannot be read for longer than the deadline for health.
    fixture.world.start_game(&instance, fixture.now);
    fixture.pass(START + Duration::from_secs(130));
    fixture.observe();
    let policy = Policy::default();
    assert_eq!(decide(&fixture.roster.view(0, fixture.now), &policy, fixture.now).steps, []);
    fixture.poll();
    assert_eq!(fixture.roster.available().len(), 1);
}
