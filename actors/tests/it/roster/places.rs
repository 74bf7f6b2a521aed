//! Places, holds and health; and when a server may go to standby and close.

use std::time::Duration;

use actors::model::{
    Action, AllocationId, AllocationRule, BookingRequest, CloseReason, HealthAnswer, Order, Phase, Policy, Refused,
    Role, Roster,
};

use super::Fixture;

#[test]
fn places_are_handed_out_up_to_the_capacity_and_not_beyond() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let given: Vec<_> = std::iter::from_fn(|| fixture.allocate()).take(100).collect();
    assert_eq!(given.len(), 20);
    let (first, second) = given.split_at(10);
    assert!(first.iter().all(|place| place == &first[0]), "packed: one server is filled first");
    assert!(second.iter().all(|place| place == &second[0] && place != &first[0]));
}

#[test]
fn distributed_sends_each_player_to_the_emptiest() {
    let mut fixture = Fixture::with_servers(2, Policy { allocation: AllocationRule::Distributed, ..Policy::default() });
    let places: Vec<_> = std::iter::from_fn(|| fixture.allocate()).take(4).map(|(server, _)| server).collect();
    assert_ne!(places[0], places[1]);
    assert_eq!(places[..2], places[2..]);
}

#[test]
fn a_hold_ends_when_its_player_is_seen_or_its_time_is_over() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    let id = fixture.ids()[0];
    for _ in 0..4 {
        fixture.allocate();
    }
    fixture.pass(Duration::from_secs(1));
    fixture.says(id, 8, false);
    assert_eq!(fixture.holds(id), 2, "two have arrived");
    fixture.says(id, 8, false);
    assert_eq!(fixture.holds(id), 2);
    fixture.says(id, 9, false);
    assert_eq!(fixture.holds(id), 2, "one has left, nobody arrived");
    fixture.pass(Duration::from_secs(30));
    fixture.says(id, 9, false);
    assert_eq!(std::iter::from_fn(|| fixture.allocate()).count(), 9, "the others did not come in time");
}

#[test]
fn a_player_who_came_after_the_last_answer_keeps_the_place_however_seldom_the_server_is_asked() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    let id = fixture.ids()[0];
    fixture.says(id, 1, false);
    fixture.allocate();
    // The player comes in time; the next question is put only after the hold's end.
    fixture.pass(Duration::from_secs(31));
    assert_eq!(fixture.allocate(), None);
    fixture.says(id, 0, false);
    assert_eq!((fixture.allocate(), fixture.holds(id)), (None, 0));
}

#[test]
fn an_answer_given_before_the_hold_was_made_does_not_end_it() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    let id = fixture.ids()[0];
    let asked_at = fixture.now;
    fixture.pass(Duration::from_millis(5));
    fixture.allocate();
    fixture.pass(Duration::from_millis(5));
    let answer = HealthAnswer { available_capacity: 9, ready_to_close: false };
    fixture.roster.report(id, asked_at, Some(answer), fixture.now);
    assert_eq!(fixture.holds(id), 1, "somebody else has arrived");
}

#[test]
fn one_miss_takes_a_server_out_and_one_answer_brings_it_back() {
    let mut fixture = Fixture::with_servers(1, Policy::default());
    let id = fixture.ids()[0];
    fixture.pass(Duration::from_secs(1));
    fixture.roster.report(id, fixture.now, None, fixture.now);
    assert_eq!((fixture.allocate(), fixture.roster.available()), (None, vec![]));
    fixture.says(id, 10, true);
    assert!(fixture.allocate().is_some());
}

#[test]
fn going_to_standby_does_not_cut_a_hold_short() {
    let mut fixture = Fixture::with_servers(2, Policy { allocation: AllocationRule::Distributed, ..Policy::default() });
    let (id, _) = fixture.allocate().expect("a place");
    fixture.send_to_standby(id);
    let close = Action::Close(id, CloseReason::Drained);
    fixture.says(id, 10, true);
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue), "a player is on its way");
    fixture.pass(Duration::from_secs(30));
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue), "it may have come since");
    fixture.says(id, 10, true);
    assert_eq!(fixture.roster.commit(close, fixture.now), Ok(()));
}

#[test]
fn a_server_closes_only_on_its_word_given_after_it_went_to_standby() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[0];
    let close = Action::Close(id, CloseReason::Drained);
    fixture.says(id, 10, true);
    let refused = fixture.roster.commit(close, fixture.now);
    assert_eq!(refused, Err(Refused::WrongPhase(Phase::Available)));
    fixture.send_to_standby(id);
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue), "its word is from before");
    fixture.says(id, 10, false);
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue), "a game is on");
    fixture.says(id, 10, true);
    assert_eq!(fixture.roster.commit(close, fixture.now), Ok(()));
}

#[test]
fn a_server_closes_only_after_the_cloud_was_asked_to_record_that_it_is_on_standby() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let id = fixture.ids()[0];
    fixture.roster.commit(Action::Standby(id), fixture.now).expect("enough is left");
    fixture.says(id, 10, true);
    let close = Action::Close(id, CloseReason::Drained);
    assert_eq!(fixture.roster.commit(close, fixture.now), Err(Refused::NotDue), "nobody else can know of it");
    fixture.roster.orders(fixture.now);
    assert_eq!(fixture.roster.commit(close, fixture.now), Ok(()));
}

#[test]
fn a_whole_fleet_that_goes_to_standby_is_recorded_within_what_aws_allows() {
    let policy = Policy { upscale_margin: 0, min_servers: 0, max_servers: 40, ..Policy::default() };
    let mut fixture = Fixture::with_servers(30, policy);
    for id in fixture.ids() {
        fixture.roster.commit(Action::Standby(id), fixture.now).expect("nobody is needed");
    }
    let mut records = |after| {
        fixture.pass(Duration::from_secs(after));
        let orders = fixture.roster.orders(fixture.now);
        orders.iter().filter(|order| matches!(order, Order::Record { .. })).count()
    };
    // Twenty at once and one a second are allowed; half of it is taken.
    assert_eq!([0, 0, 5, 1, 14].map(&mut records), [10, 0, 5, 1, 10]);
}

#[test]
fn places_given_back_keep_their_server_until_an_answer_shows_that_nobody_came() {
    let mut fixture = Fixture::with_servers(2, Policy { upscale_margin: 0, min_servers: 0, ..Policy::default() });
    let allocation = AllocationId::from_number(1);
    let party = BookingRequest { id: allocation, seats: 2, sticky: None, idempotency: None };
    let id = fixture.roster.book(party, fixture.now).expect("there is room").booking.server;
    fixture.send_to_standby(id);
    fixture.pass(Duration::from_secs(1));
    fixture.says(id, 10, true);
    // One of the two comes, and a moment later the party is called off.
    fixture.roster.release(allocation, fixture.now);
    assert_eq!((fixture.closings(), fixture.holds(id)), (vec![], 2));
    fixture.says(id, 9, false);
    assert_eq!((fixture.closings(), fixture.holds(id)), (vec![], 0), "somebody plays there");
    fixture.says(id, 10, true);
    assert_eq!(fixture.closings(), [Action::Close(id, CloseReason::Drained)]);
}

#[test]
fn places_that_an_earlier_manager_gave_out_are_waited_for() {
    let policy = Policy { min_servers: 0, upscale_margin: 0, ..Policy::default() };
    let mut fixture = Fixture::with_servers(1, policy.clone());
    let task = fixture.roster.servers().find_map(|server| server.task.clone()).expect("it runs");
    fixture.world.record(&task, Role::Standby).expect("a running task");
    // Another manager, which knows nothing of the places that the last one gave out a moment before.
    fixture.roster = Roster::new(policy.clone());
    fixture.observe();
    let started_at = fixture.now;
    while fixture.closings().is_empty() {
        fixture.poll();
        assert!(fixture.now.since(started_at) < policy.hold_ttl * 2, "it is drained");
        fixture.pass(Duration::from_secs(1));
    }
    assert!(fixture.now.since(started_at) > policy.hold_ttl, "after {:?}", fixture.now.since(started_at));
}

#[test]
fn a_standby_that_would_leave_too_little_is_refused() {
    let mut fixture = Fixture::with_servers(2, Policy::default());
    let ids = fixture.ids();
    // Between the view and the commit a rush took nearly all of the other server's places.
    for _ in 0..7 {
        fixture.allocate();
    }
    assert_eq!(fixture.roster.commit(Action::Standby(ids[1]), fixture.now), Err(Refused::Floor));
    assert_eq!(fixture.roster.commit(Action::Standby(ids[0]), fixture.now), Ok(()));
    assert_eq!(fixture.roster.commit(Action::Standby(ids[1]), fixture.now), Err(Refused::Floor), "the minimum");
}
