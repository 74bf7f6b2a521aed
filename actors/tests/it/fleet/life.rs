//! What becomes of a fleet: it grows, shrinks, is hurt, loses its manager.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::fleet_supervisor::{Backlogs, FleetMsg};
use actors::model::{Address, AllocationRule, Policy, Timestamp};
use actors::ports::{Clock, CloudError};
use ractor::call_t;

use super::{Fleet, HOUR, MINUTE, standby};
use crate::fake_cloud::{Call, FakeCloud, Fault};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn from_nothing_the_fleet_grows_to_its_minimum_and_hands_out_an_address() {
    let fleet = Fleet::start(Policy::default()).await;
    assert_eq!(fleet.allocate().await, None, "before there is a server there is no address");
    fleet.until_available(1).await;
    let address = fleet.player().await;
    assert_eq!(fleet.list().await, [address]);
    assert_eq!(fleet.cloud.world().launches.len(), 1);
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_rush_launches_as_many_as_it_needs_before_the_next_poll() {
    let policy = Policy { health_interval: MINUTE, upscale_margin: 25, downscale_margin: 60, ..Policy::default() };
    let fleet = Fleet::start(policy).await;
    fleet.until_available(3).await;
    fleet.wait(2 * MINUTE).await;
    let launches = fleet.alive().len();
    for _ in 0..20 {
        fleet.player().await;
    }
    // Well within the minute between two polls: what was handed out counts at once.
    fleet.wait(Duration::from_secs(2)).await;
    assert_eq!(fleet.alive().len(), launches + 2, "10 places are left, 25 are wanted");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_fleet_at_rest_stays_as_it_is() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    for _ in 0..8 {
        fleet.player().await;
    }
    fleet.wait(10 * MINUTE).await;
    let (alive, launches) = (fleet.alive(), fleet.cloud.calls(Call::Launch));
    let (records, closes) = (fleet.cloud.calls(Call::Record), fleet.cloud.calls(Call::Close));
    fleet.wait(6 * HOUR).await;
    assert_eq!(fleet.alive(), alive);
    assert_eq!(fleet.cloud.calls(Call::Launch), launches);
    assert_eq!((fleet.cloud.calls(Call::Record), fleet.cloud.calls(Call::Close)), (records, closes));
}

#[tokio::test(start_paused = true)]
async fn players_leave_and_the_emptiest_server_goes_by_way_of_standby() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    for _ in 0..8 {
        fleet.player().await;
    }
    fleet.until_available(2).await;
    fleet.leave_all();
    fleet.until("a server is on standby", |world| standby(world) == 1).await;
    fleet.until("it is gone", |world| world.alive().len() == 1).await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!(fleet.list().await.len(), 1, "the minimum stays");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_standby_server_with_players_stays_and_comes_back_in_a_rush() {
    let policy = Policy { allocation: AllocationRule::Distributed, min_servers: 3, ..Policy::default() };
    let fleet = Fleet::start(Policy { min_servers: 3, ..policy.clone() }).await;
    fleet.until_available(3).await;
    for _ in 0..6 {
        fleet.player().await; // two on each
    }
    fleet
        .supervisor
        .cast(FleetMsg::Reload(Box::new(Policy { min_servers: 1, ..policy })))
        .expect("the supervisor lives");
    fleet.until("one is on standby", |world| standby(world) == 1).await;
    fleet.wait(30 * MINUTE).await;
    assert_eq!((fleet.standby(), fleet.list().await.len()), (1, 2), "it keeps the players it has");
    let launches = fleet.cloud.calls(Call::Launch);
    for _ in 0..14 {
        fleet.player().await;
    }
    fleet.until_available(3).await;
    assert_eq!(fleet.cloud.calls(Call::Launch), launches, "a server taken back is none launched");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_place_held_keeps_its_server_from_closing() {
    let policy = Policy { hold_ttl: 5 * MINUTE, min_servers: 2, ..Policy::default() };
    let fleet = Fleet::start(policy.clone()).await;
    fleet.until_available(2).await;
    let held = fleet.allocate().await.expect("a place is free");
    let other = fleet.list().await.into_iter().find(|address| *address != held).expect("there are two");
    (0..4).for_each(|_| fleet.cloud.world().arrive(&other));
    fleet.wait(Duration::from_secs(5)).await;
    // 15 places are free, and the server with the held one is the emptiest.
    fleet
        .supervisor
        .cast(FleetMsg::Reload(Box::new(Policy { min_servers: 0, upscale_margin: 0, downscale_margin: 11, ..policy })))
        .expect("it lives");
    fleet.until("one is on standby", |world| standby(world) == 1).await;
    assert_eq!(fleet.list().await, [other]);
    fleet.wait(3 * MINUTE).await;
    fleet.cloud.world().arrive(&held);
    fleet.wait(5 * MINUTE).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_is_replaced_and_its_instance_goes() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    let before = fleet.alive();
    let task = fleet.running().remove(0);
    fleet.cloud.world().kill(&task);
    fleet.wait(Duration::from_secs(10)).await;
    assert_eq!(fleet.allocate().await, None, "nobody is sent to a dead server");
    fleet.until("it is replaced", |world| world.alive().is_disjoint(&before) && world.alive().len() == 1).await;
    fleet.until_available(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_gets_no_players_and_is_replaced_after_its_grace() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let task = fleet.running().remove(0);
    fleet.cloud.world().silence(&task, true);
    fleet.wait(Duration::from_secs(5)).await;
    assert_eq!(fleet.list().await.len(), 1);
    fleet.until("it is gone", |world| world.games[&task].stopped).await;
    fleet.until_available(2).await;
    assert_eq!(fleet.alive().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_most_fall_silent_at_once_nothing_is_terminated() {
    let fleet = Fleet::start(Policy { min_servers: 5, max_servers: 5, ..Policy::default() }).await;
    fleet.until_available(5).await;
    let running = fleet.running();
    running.iter().take(3).for_each(|task| fleet.cloud.world().silence(task, true));
    fleet.wait(HOUR).await;
    assert_eq!(fleet.running(), running);
    assert_eq!(fleet.list().await.len(), 2);
    running.iter().for_each(|task| fleet.cloud.world().silence(task, false));
    fleet.until_available(5).await;
}

#[tokio::test(start_paused = true)]
async fn when_a_common_silence_ends_nobody_is_closed_for_it() {
    for phase in 0..10 {
        let fleet = Fleet::start(Policy { min_servers: 10, max_servers: 10, ..Policy::default() }).await;
        fleet.until_available(10).await;
        let running = fleet.running();
        running.iter().for_each(|task| fleet.cloud.world().silence(task, true));
        fleet.wait(2 * MINUTE + phase * Duration::from_millis(100)).await;
        running.iter().for_each(|task| fleet.cloud.world().silence(task, false));
        fleet.wait(2 * MINUTE).await;
        assert_eq!((fleet.running(), fleet.list().await.len()), (running, 10), "phase {phase}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_cloud_cannot_be_read_nothing_is_scaled_down() {
    let fleet = Fleet::start(Policy { min_servers: 3, ..Policy::default() }).await;
    fleet.until_available(3).await;
    let denied = Fault::Fails(CloudError::Denied("AccessDenied".into()));
    fleet.cloud.script(Call::Observe, &denied, 10_000);
    fleet.wait(5 * MINUTE).await;
    fleet.supervisor.cast(FleetMsg::Reload(Box::default())).expect("the supervisor lives");
    fleet.wait(HOUR).await;
    assert_eq!((fleet.standby(), fleet.alive().len()), (0, 3));
    fleet.player().await;
    fleet.cloud.mend();
    fleet.until("it can be read again", |world| world.alive().len() < 3).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_launch_whose_answer_is_lost_is_made_once() {
    let fleet = Fleet::start(Policy::default()).await;
    for fault in [Fault::AnswerLost, Fault::Hangs, Fault::Panics] {
        fleet.cloud.script(Call::Launch, &fault, 1);
        fleet.cloud.script(Call::Place, &fault, 1);
    }
    fleet.until_available(1).await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!(fleet.cloud.world().machines.len(), 1);
    assert_eq!(fleet.cloud.world().games.len(), 1);
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn refused_launches_slow_the_next_ones_down() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.cloud.script(Call::Launch, &Fault::Fails(CloudError::NoCapacity("none".into())), 1000);
    fleet.wait(HOUR).await;
    let tries = fleet.cloud.calls(Call::Launch);
    assert!((10..25).contains(&tries), "{tries} tries in an hour, with pauses of up to five minutes");
    fleet.cloud.mend();
    fleet.until_available(1).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_joins_is_gone_by_its_deadline() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.cloud.world().never_joining = 1;
    fleet.until("it was launched", |world| world.alive().len() == 1).await;
    let stillborn = fleet.alive();
    fleet.until("it is gone", |world| world.alive().is_disjoint(&stillborn)).await;
    fleet.until_available(1).await;
    assert_eq!(fleet.alive().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_manager_killed_at_any_moment_of_a_launch_finds_it_again() {
    // From before the launch call to after the first healthy answer.
    for moment in (0..40_000).step_by(700) {
        let fleet = Fleet::start(Policy::default()).await;
        fleet.wait(Duration::from_millis(moment)).await;
        let fleet = fleet.crash_and_restart().await;
        fleet.until_available(1).await;
        fleet.wait(5 * MINUTE).await;
        assert_eq!(fleet.cloud.world().machines.len(), 1, "killed after {moment} ms");
        assert_eq!(fleet.cloud.world().games.len(), 1, "killed after {moment} ms");
        fleet.assert_no_complaints();
    }
}

#[tokio::test(start_paused = true)]
async fn standby_survives_the_manager_and_closes_only_when_empty() {
    let policy = Policy { min_servers: 3, allocation: AllocationRule::Distributed, ..Policy::default() };
    let fleet = Fleet::start(policy.clone()).await;
    fleet.until_available(3).await;
    for _ in 0..6 {
        fleet.player().await;
    }
    let policy = Policy { min_servers: 1, ..policy };
    fleet.supervisor.cast(FleetMsg::Reload(Box::new(policy.clone()))).expect("the supervisor lives");
    fleet.until("one is on standby", |world| standby(world) == 1).await;
    let fleet = Fleet { policy, ..fleet }.crash_and_restart().await;
    fleet.until_available(2).await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!((fleet.standby(), fleet.list().await.len()), (1, 2));
    fleet.leave_all();
    fleet.until("the standby server is gone", |world| standby(world) == 0 && world.alive().len() <= 2).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn many_running_servers_are_adopted_and_none_launched() {
    let clock = Clock::starting_at(Timestamp::from_secs(1_000_000));
    let cloud = Arc::new(FakeCloud::new(clock, World::new(10)));
    for _ in 0..250 {
        let instance = cloud.world().foreign_machine(Timestamp::from_secs(900_000));
        let task = cloud.world().start_game(&instance, Timestamp::from_secs(900_000));
        cloud.world().games.get_mut(&task).expect("it was started").players = 9;
    }
    let fleet = Fleet::start_on(cloud, Policy { max_servers: 300, downscale_margin: 300, ..Policy::default() }).await;
    fleet.until_available(250).await;
    let addresses: BTreeSet<Address> = fleet.list().await.into_iter().collect();
    assert_eq!((addresses.len(), fleet.cloud.calls(Call::Launch)), (250, 0));
}

#[tokio::test(start_paused = true)]
async fn of_a_foreign_instance_only_our_task_is_stopped() {
    let fleet =
        Fleet::start(Policy { min_servers: 0, upscale_margin: 0, downscale_margin: 11, ..Policy::default() }).await;
    let (by_hand, shared) = {
        let mut world = fleet.cloud.world();
        let now = fleet.cloud.clock.now();
        let by_hand = world.foreign_machine(now);
        let shared = world.foreign_machine(now);
        let machine = world.machines.get_mut(&shared).expect("it was launched");
        (machine.owned, machine.foreign_tasks) = (true, true);
        world.start_game(&by_hand, now);
        world.start_game(&shared, now);
        (by_hand, shared)
    };
    fleet.until("one of two empty servers goes", |world| world.running_games().count() == 1).await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!(fleet.alive(), BTreeSet::from([by_hand, shared]));
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn one_silent_probe_delays_no_other_server() {
    let fleet = Fleet::start(Policy { min_servers: 4, ..Policy::default() }).await;
    fleet.until_available(4).await;
    fleet.cloud.script(Call::Ask, &Fault::Hangs, 1);
    fleet.cloud.script(Call::Ask, &Fault::Panics, 1);
    fleet.wait(Duration::from_millis(1500)).await;
    assert!(fleet.list().await.len() >= 2, "two questions went wrong, the others did not wait for them");
    fleet.until_available(4).await;
    assert_eq!(fleet.cloud.world().machines.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_spot_notice_sends_its_server_to_standby_and_has_it_replaced_at_once() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    let address = fleet.player().await;
    fleet.cloud.world().machines.values_mut().for_each(|machine| machine.leaving = true);
    fleet.wait(fleet.policy.observe_interval + Duration::from_secs(1)).await;
    assert_eq!(fleet.allocate().await, None, "nobody is sent there any more");
    assert_eq!((fleet.standby(), fleet.alive().len()), (1, 2), "a replacement is under way");
    fleet.until_available(1).await;
    assert_ne!(fleet.player().await, address);
    assert_eq!(fleet.running().len(), 2, "who plays there goes on as long as it lasts");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_server_with_a_new_address_is_asked_there() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let task = fleet.running().remove(0);
    let place = fleet.cloud.world().move_game(&task).to_string();
    fleet.wait(fleet.policy.observe_interval + 2 * fleet.policy.health_interval).await;
    let list = fleet.list().await;
    assert!(list.iter().any(|address| address.as_str() == place), "{place} is not in {list:?}");
}

#[tokio::test(start_paused = true)]
async fn actors_that_die_are_replaced_and_the_fleet_goes_on() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let children = fleet.supervisor.get_children();
    assert_eq!(children.len(), 4, "the AWS actor, the scaler, and one for each game server");
    for child in children {
        child.kill_and_wait(None).await.expect("a child can be killed");
    }
    let task = fleet.running().remove(0);
    fleet.cloud.world().kill(&task);
    fleet.until("it is replaced", |world| world.running_games().count() == 2 && world.machines.len() == 3).await;
    fleet.until_available(2).await;
    assert_eq!(fleet.supervisor.get_children().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn actors_that_die_while_clients_never_stop_asking_are_replaced() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let clients = async {
        loop {
            fleet.allocate().await;
            fleet.wait(Duration::from_millis(1)).await;
        }
    };
    let death = async {
        for child in fleet.supervisor.get_children() {
            child.kill_and_wait(None).await.expect("a child can be killed");
        }
        fleet.wait(3 * fleet.policy.health_interval).await;
        fleet.supervisor.get_children().len()
    };
    tokio::select! {
        () = clients => {}
        children = death => assert_eq!(children, 4),
    }
}

#[tokio::test(start_paused = true)]
async fn actors_that_die_again_and_again_are_not_replaced_in_a_rush() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    let (begun, looks) = (tokio::time::Instant::now(), fleet.cloud.calls(Call::Observe));
    for _ in 0..50 {
        for child in fleet.supervisor.get_children() {
            child.kill_and_wait(None).await.expect("a child can be killed");
        }
        // Whatever the new ones do at once, they have time for it.
        fleet.wait(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(fleet.cloud.calls(Call::Observe) - looks, 0, "the last one died a moment ago");
    fleet.wait(fleet.policy.observe_interval).await;
    assert!(fleet.cloud.calls(Call::Observe) > looks, "the fleet goes on");
}

#[tokio::test(start_paused = true)]
async fn an_end_waits_for_the_calls_under_way_and_starts_no_more() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.cloud.script(Call::Launch, &Fault::Hangs, 1);
    fleet.wait(Duration::from_secs(2)).await;
    let asked = tokio::time::Instant::now();
    call_t!(fleet.supervisor, FleetMsg::Finish, 60_000).expect("it ends");
    assert!(asked.elapsed() > Duration::from_secs(20), "the launch under way is given its time: {:?}", asked.elapsed());
    fleet.wait(HOUR).await;
    assert_eq!(fleet.cloud.calls(Call::Launch), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_holds_no_place() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    for _ in 0..100 {
        let (reply_to, gone) = tokio::sync::oneshot::channel();
        drop(gone);
        fleet.supervisor.cast(FleetMsg::Allocate(reply_to.into())).expect("the supervisor lives");
    }
    for _ in 0..10 {
        fleet.player().await;
    }
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_is_asked_too_often_is_looked_at_less_often() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    fleet.wait(MINUTE).await;
    let looks = async || {
        let before = fleet.cloud.calls(Call::Observe);
        fleet.wait(MINUTE * 4).await;
        fleet.cloud.calls(Call::Observe) - before
    };
    assert_eq!(looks().await, 48, "every five seconds");
    let throttled = Fault::Fails(CloudError::Throttled("RequestLimitExceeded".into()));
    fleet.cloud.script(Call::Observe, &throttled, 1000);
    let slow = looks().await;
    assert!((6..=9).contains(&slow), "after 10, 20 and then 40 seconds: {slow}");
    fleet.cloud.mend();
    fleet.wait(MINUTE).await;
    assert_eq!(looks().await, 48, "as before, from the first look that goes well");
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_a_mailbox_is_counted() {
    let fleet = Fleet::start(Policy { min_servers: 3, ..Policy::default() }).await;
    fleet.until_available(3).await;
    for waiting in 1..=5 {
        // Nothing else runs between these.
        fleet.supervisor.cast(FleetMsg::LogState).expect("the supervisor lives");
        assert_eq!(fleet.supervisor.depth(), waiting);
    }
    // So are messages that actors send to themselves.
    fleet.wait(HOUR).await;
    let backlogs = call_t!(fleet.supervisor, FleetMsg::Backlogs, 1000).expect("the supervisor answers");
    assert_eq!((fleet.supervisor.depth(), backlogs), (0, Backlogs::default()));
}
