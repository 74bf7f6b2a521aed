//! The scaling decision, case by case.

use std::time::Duration;

use actors::model::{
    Action, CloseReason, Condition, FleetView, LaunchesBlocked, Phase, Policy, ServerId, ServerView, Timestamp, decide,
};

const NOW: Timestamp = Timestamp::from_secs(10_000);

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_secs(10_000 - seconds)
}

fn server(number: u64, phase: Phase, unclaimed: u32) -> ServerView {
    ServerView {
        id: ServerId::from_number(number),
        phase,
        phase_since: ago(0),
        known_since: Timestamp::default(),
        condition: Condition::Answering,
        unanswered_since: ago(0),
        heard: true,
        unclaimed,
        drained: false,
        cordoned: false,
        leaving: false,
        outdated: false,
    }
}

fn available(number: u64, free: u32) -> ServerView {
    server(number, Phase::Available, free)
}

fn standby(number: u64, unclaimed: u32) -> ServerView {
    server(number, Phase::Standby, unclaimed)
}

fn silent(view: ServerView, seconds: u64) -> ServerView {
    ServerView { condition: Condition::Silent, unanswered_since: ago(seconds), ..view }
}

fn fleet(servers: impl Into<Vec<ServerView>>) -> FleetView {
    FleetView {
        servers: servers.into(),
        waiting: 0,
        paused: false,
        requested: 0,
        launches_blocked: None,
        observed_at: Some(NOW),
        cloud_is_fresh: true,
    }
}

fn actions(view: &FleetView, policy: &Policy) -> Vec<Action> {
    decide(view, policy, NOW).actions().collect()
}

fn id(number: u64) -> ServerId {
    ServerId::from_number(number)
}

#[test]
fn the_fleet_grows_by_as_many_as_the_deficit_needs() {
    let policy = Policy { upscale_margin: 25, downscale_margin: 60, min_servers: 0, ..Policy::default() };
    for (servers, expected) in [
        (vec![], vec![Action::Launch(3)]),
        (vec![available(1, 4)], vec![Action::Launch(3)]),
        (vec![available(1, 5)], vec![Action::Launch(2)]),
        (vec![available(1, 10), available(2, 10), available(3, 4)], vec![Action::Launch(1)]),
        (vec![available(1, 10), available(2, 10), available(3, 5)], vec![]),
        // What is on its way counts.
        (vec![available(1, 5), server(2, Phase::Booting, 0), server(3, Phase::Starting, 0)], vec![]),
        (vec![available(1, 4), server(2, Phase::Joined, 0), server(3, Phase::Placed, 0)], vec![Action::Launch(1)]),
    ] {
        assert_eq!(actions(&fleet(servers.clone()), &policy), expected, "{servers:?}");
    }
}

#[test]
fn servers_come_back_from_standby_before_any_is_launched() {
    let policy = Policy { upscale_margin: 12, downscale_margin: 40, min_servers: 0, ..Policy::default() };
    let view = fleet([available(1, 2), standby(2, 9), standby(3, 4)]);
    assert_eq!(actions(&view, &policy), [Action::TakeBack(id(3)), Action::TakeBack(id(2))], "the fullest first");
    let view = fleet([available(1, 2), standby(2, 4)]);
    assert_eq!(actions(&view, &policy), [Action::TakeBack(id(2)), Action::Launch(1)], "and the rest is launched");
    let view = fleet([available(1, 2), silent(standby(2, 9), 1), ServerView { drained: true, ..standby(3, 10) }]);
    assert_eq!(actions(&view, &policy), [Action::TakeBack(id(3))], "one that could close, not one that is silent");
    let view = FleetView { cloud_is_fresh: false, ..view };
    assert_eq!(actions(&view, &policy), [Action::TakeBack(id(3))], "also when nothing can be launched or closed");
}

#[test]
fn the_minimum_is_kept_and_the_maxima_are_not_exceeded() {
    let policy = Policy { min_servers: 3, max_servers: 5, max_launching: 2, ..Policy::default() };
    assert_eq!(actions(&fleet([available(1, 10)]), &policy), [Action::Launch(2)], "two more make the minimum");
    let rush = Policy { upscale_margin: 60, downscale_margin: 90, ..policy };
    assert_eq!(actions(&fleet([available(1, 0)]), &rush), [Action::Launch(2)], "launches in flight have a maximum");
    let view = fleet([available(1, 0), server(2, Phase::Booting, 0)]);
    assert_eq!(actions(&view, &rush), [Action::Launch(1)]);
    let view = fleet([1, 2, 3, 4].map(|number| available(number, 0)));
    assert_eq!(actions(&view, &rush), [Action::Launch(1)], "servers have a maximum");
    let view = FleetView { requested: 1, ..view };
    assert_eq!(actions(&view, &rush), [], "those asked for count");
    let view = FleetView { launches_blocked: Some(LaunchesBlocked::UnderWay), ..fleet([]) };
    assert_eq!(actions(&view, &rush), []);
}

#[test]
fn the_emptiest_goes_to_standby_as_long_as_enough_is_left() {
    let policy = Policy::default(); // 4, 18, 10, at least one server
    for (servers, expected) in [
        (vec![available(1, 8), available(2, 10)], vec![]),
        (vec![available(1, 9), available(2, 10)], vec![Action::Standby(id(2))]),
        (vec![available(1, 10), available(2, 10)], vec![Action::Standby(id(2))]), // of two alike the younger
        (
            vec![available(1, 10), available(2, 10), available(3, 10)],
            vec![Action::Standby(id(3)), Action::Standby(id(2))],
        ),
        (vec![available(1, 19)], vec![]),                  // the minimum
        (vec![available(1, 3), available(2, 16)], vec![]), // 3 left would call for a launch
        (vec![available(1, 4), available(2, 16)], vec![Action::Standby(id(2))]),
        (vec![available(1, 1), standby(2, 10), available(3, 10)], vec![]),
    ] {
        assert_eq!(actions(&fleet(servers.clone()), &policy), expected, "{servers:?}");
    }
}

#[test]
fn servers_of_another_revision_make_way_for_new_ones_as_soon_as_there_is_room() {
    let policy = Policy { max_servers: 4, ..Policy::default() }; // 4, 18, 10, at least one server
    let old = |view: ServerView| ServerView { outdated: true, ..view };
    for (servers, expected) in [
        (vec![old(available(1, 9))], vec![Action::Launch(1)]), // a new one first
        (vec![old(available(1, 10)), old(available(2, 7))], vec![Action::Launch(1)]), // though there is room
        (vec![old(available(1, 9)), server(2, Phase::Booting, 0)], vec![]), // it is on its way
        (vec![old(available(1, 9)), available(2, 10)], vec![Action::Standby(id(1))]),
        (
            vec![old(available(1, 3)), old(available(2, 9)), available(3, 10)],
            vec![Action::Standby(id(2)), Action::Standby(id(1))],
        ), // all of them
        (vec![old(available(1, 3)), old(available(2, 0)), available(3, 3)], vec![Action::Launch(1)]), // the margin
        (vec![available(1, 3), old(standby(2, 10))], vec![Action::Launch(1)]), // none is taken back
        (vec![1, 2, 3, 4].into_iter().map(|id| old(available(id, 3))).collect(), vec![Action::Standby(id(4))]), // full
        (vec![1, 2, 3, 4].into_iter().map(|id| old(available(id, 1))).collect(), vec![]), // and no room in it
    ] {
        assert_eq!(actions(&fleet(servers.clone()), &policy), expected, "{servers:?}");
    }
}

#[test]
fn a_rollout_has_so_many_launches_under_way_at_once() {
    let policy = Policy { min_servers: 5, rollout_surge: 2, ..Policy::default() };
    let old: Vec<_> = (1..=5).map(|id| ServerView { outdated: true, ..available(id, 1) }).collect();
    assert_eq!(actions(&fleet(old.clone()), &policy), [Action::Launch(2)]);
    let with = |view: ServerView| old.iter().copied().chain([view]).collect::<Vec<_>>();
    assert_eq!(actions(&fleet(with(server(6, Phase::Booting, 0))), &policy), [Action::Launch(1)]);
    let served = actions(&fleet(with(available(6, 10))), &policy);
    assert_eq!(served, [Action::Launch(2)], "growing goes first, and nobody is sent to standby with it");
}

#[test]
fn a_server_whose_instance_is_about_to_go_retreats_and_is_replaced_by_the_next_decision() {
    let policy = Policy::default(); // 4, 18, 10, at least one server
    let leaving = |view: ServerView| ServerView { leaving: true, ..view };
    for (servers, expected) in [
        (vec![leaving(available(1, 10))], vec![Action::Retreat(id(1))]),
        (vec![leaving(standby(1, 10))], vec![Action::Launch(1)]), // not taken back
        (vec![leaving(available(1, 10)), available(2, 30)], vec![Action::Retreat(id(1))]), // nobody else goes with it
        (vec![leaving(server(1, Phase::Booting, 0))], vec![Action::Launch(1)]), // it will not come to serve
        (vec![leaving(silent(available(1, 10), 1)), available(2, 9)], vec![]), // nobody is sent there as it is
    ] {
        assert_eq!(actions(&fleet(servers.clone()), &policy), expected, "{servers:?}");
    }
}

#[test]
fn a_decision_that_grows_does_not_shrink() {
    // Two servers too few by the minimum, and far too many places.
    let policy = Policy { min_servers: 4, ..Policy::default() };
    let view = fleet([available(1, 30), available(2, 30)]);
    assert_eq!(actions(&view, &policy), [Action::Launch(2)]);
}

#[test]
fn a_server_that_owes_an_answer_is_neither_filled_nor_replaced_yet() {
    let policy = Policy::default();
    let doubtful = ServerView { condition: Condition::Doubtful, ..available(1, 6) };
    assert_eq!(actions(&fleet([doubtful]), &policy), []);
    assert_eq!(actions(&fleet([silent(available(1, 6), 1)]), &policy), [Action::Launch(1)], "once silent it is");
}

#[test]
fn a_silent_server_ends_after_its_grace_unless_most_are_silent() {
    let policy = Policy { upscale_margin: 0, downscale_margin: 100, min_servers: 0, ..Policy::default() };
    let others = [available(1, 5), available(2, 5)];
    let with = |views: &[ServerView]| fleet([others.as_slice(), views].concat());
    let closes = |number| Action::Close(id(number), CloseReason::Silent);
    assert_eq!(actions(&with(&[silent(available(3, 5), 29)]), &policy), []);
    assert_eq!(actions(&with(&[silent(available(3, 5), 30)]), &policy), [closes(3)]);
    assert_eq!(actions(&with(&[silent(standby(3, 5), 30)]), &policy), [closes(3)], "standby is no shelter");
    let half = [silent(available(3, 5), 99), silent(available(4, 5), 99)];
    assert_eq!(actions(&with(&half), &policy), [closes(3), closes(4)]);
    let most = [silent(available(3, 5), 99), silent(available(4, 5), 99), silent(available(5, 5), 99)];
    assert_eq!(actions(&with(&most), &policy), [], "the fault is more likely on this side");
}

#[test]
fn each_stage_of_a_launch_has_its_deadline() {
    let policy = Policy::default(); // 300, 180, 120 seconds
    let at = |phase, seconds| ServerView { phase_since: ago(seconds), ..server(9, phase, 0) };
    for (phase, deadline, reason) in [
        (Phase::Booting, 300, CloseReason::BootOverdue),
        (Phase::Joined, 180, CloseReason::PlacementOverdue),
        (Phase::Placed, 180, CloseReason::PlacementOverdue),
        (Phase::Starting, 120, CloseReason::HealthOverdue),
    ] {
        assert_eq!(actions(&fleet([available(1, 5), at(phase, deadline - 1)]), &policy), []);
        let overdue = fleet([available(1, 5), at(phase, deadline)]);
        assert_eq!(actions(&overdue, &policy), [Action::Close(id(9), reason)], "{phase:?}");
    }
}

#[test]
fn when_the_cloud_was_not_read_for_long_nothing_shrinks_and_the_fleet_may_grow() {
    let policy = Policy::default();
    let drained = ServerView { drained: true, ..standby(3, 10) };
    let overdue = ServerView { phase_since: Timestamp::default(), ..server(4, Phase::Booting, 0) };
    let stale = |servers: &[ServerView]| FleetView { cloud_is_fresh: false, ..fleet(servers) };
    let view = stale(&[available(1, 10), available(2, 10), drained, overdue, silent(available(5, 1), 500)]);
    assert_eq!(actions(&view, &policy), []);
    assert_eq!(actions(&stale(&[available(1, 3)]), &policy), [Action::Launch(1)]);
}

#[test]
fn with_steady_players_any_fleet_comes_to_rest_in_a_few_rounds() {
    // Decisions carried out at once, from every mix of up to four servers, until nothing more is decided.
    let policy = Policy { max_servers: 9, ..Policy::default() };
    for mix in 0..11_u32.pow(4) {
        let mut servers: Vec<ServerView> =
            (0..4).map(|place| available(u64::from(place), mix / 11_u32.pow(place) % 11)).collect();
        let mut rounds = 0;
        loop {
            let decided = actions(&fleet(servers.clone()), &policy);
            if decided.is_empty() {
                break;
            }
            for action in decided {
                match action {
                    Action::Launch(count) => {
                        let next = servers.len() as u64;
                        servers.extend((0..u64::from(count)).map(|number| available(next + number, 10)));
                    }
                    Action::Standby(gone) => change(&mut servers, gone, Phase::Standby),
                    Action::TakeBack(back) => change(&mut servers, back, Phase::Available),
                    Action::Close(..) => panic!("players are on it"),
                    Action::Retreat(_) => panic!("no instance is about to go"),
                }
            }
            rounds += 1;
            assert!(rounds <= 3, "{mix}: {servers:?}");
        }
    }
}

fn change(servers: &mut [ServerView], id: ServerId, phase: Phase) {
    servers.iter_mut().filter(|server| server.id == id).for_each(|server| server.phase = phase);
}

#[test]
fn a_launch_is_overdue_only_if_a_look_after_its_deadline_shows_it() {
    let policy = Policy::default(); // five minutes to boot
    let launch = ServerView { phase_since: ago(310), ..server(1, Phase::Booting, 0) };
    let seen = |seconds| FleetView { observed_at: Some(ago(seconds)), ..fleet([launch]) };
    assert_eq!(actions(&seen(11), &policy), [], "it may have joined since");
    assert_eq!(actions(&seen(10), &policy), [Action::Close(id(1), CloseReason::BootOverdue)]);
}

#[test]
fn an_old_instance_that_was_first_seen_just_now_is_not_given_up_at_once() {
    let policy = Policy::default();
    for phase in [Phase::Booting, Phase::Joined, Phase::Placed, Phase::Starting] {
        let known = |seconds| ServerView {
            phase_since: Timestamp::default(),
            known_since: ago(seconds),
            ..server(9, phase, 0)
        };
        assert_eq!(
            actions(&fleet([available(1, 10), known(59)]), &policy),
            [],
            "{phase}: its task may not be shown yet"
        );
        assert_ne!(actions(&fleet([available(1, 10), known(60)]), &policy), [], "{phase}");
    }
    let booting =
        ServerView { phase_since: Timestamp::default(), known_since: ago(70), ..server(9, Phase::Booting, 0) };
    let unseen = FleetView { observed_at: Some(ago(20)), ..fleet([available(1, 10), booting]) };
    assert_eq!(actions(&unseen, &policy), [], "the last look is from before its task had to be shown");
}

#[test]
fn deadlines_count_by_the_cloud_s_clock_even_if_it_is_ahead() {
    let future = NOW + Duration::from_secs(60);
    let booting = ServerView { phase_since: future, ..server(1, Phase::Booting, 0) };
    assert_eq!(actions(&fleet([available(2, 5), booting]), &Policy::default()), []);
}

#[test]
fn for_those_who_wait_servers_are_launched_whatever_is_free_and_none_is_drained() {
    let servers: Vec<ServerView> = (1..=8).map(|number| available(number, 4)).collect();
    let waiting = |seats| FleetView { waiting: seats, ..fleet(servers.clone()) };
    let policy = Policy { upscale_margin: 4, downscale_margin: 18, ..Policy::default() };
    assert!(matches!(actions(&waiting(0), &policy)[..], [Action::Standby(_), ..]), "32 places are free");
    assert_eq!(actions(&waiting(6), &policy), [Action::Launch(1)]);
    assert_eq!(actions(&waiting(11), &policy), [Action::Launch(2)]);
    let under_way = FleetView { requested: 1, ..waiting(6) };
    assert_eq!(actions(&under_way, &policy), [], "it is for them");
}
