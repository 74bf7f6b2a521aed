//! A new revision of the game comes to a fleet with players on it.

use std::time::Duration;

use actors::model::{Policy, Revision, RolloutState};
use actors::ports::CloudError;

use crate::fake_cloud::{Call, Fault};
use crate::fleet::Fleet;
use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);

/// How many available servers of the world run that revision.
fn serving(world: &World, revision: &Revision) -> usize {
    let of_it = |game: &crate::world::Game| game.revision == *revision && game.role == actors::model::Role::Available;
    world.running_games().filter(|(_, game)| of_it(game)).count()
}

fn running(world: &World, revision: &Revision) -> usize {
    world.running_games().filter(|(_, game)| game.revision == *revision).count()
}

/// How many servers were ever started with that revision.
fn tried(world: &World, revision: &Revision) -> usize {
    world.games.values().filter(|game| game.revision == *revision).count()
}

/// For a while no server of any of these comes to serve, and those there are die.
fn outage(world: &mut World, revisions: &[Revision]) {
    world.broken.extend(revisions.iter().cloned());
    let running: Vec<_> = world.running_games().map(|(task, _)| task.clone()).collect();
    running.iter().for_each(|task| world.kill(task));
}

/// Three servers of the first revision, with eight players on each.
async fn busy_fleet(policy: Policy) -> (Fleet, Revision) {
    let fleet = Fleet::start(Policy { min_servers: 3, ..policy }).await;
    fleet.until_available(3).await;
    fleet.cloud.world().games.values_mut().for_each(|game| game.players = 8);
    fleet.wait(Duration::from_secs(5)).await;
    let old = fleet.cloud.world().revisions[0].0.clone();
    (fleet, old)
}

#[tokio::test(start_paused = true)]
async fn new_servers_come_first_and_old_ones_go_when_their_players_have_left() {
    let (fleet, old) = busy_fleet(Policy::default()).await;
    let new = fleet.cloud.world().new_revision();
    while serving(&fleet.cloud.world(), &new) < 3 {
        fleet.wait(Duration::from_secs(1)).await;
        let world = fleet.cloud.world();
        assert!(serving(&world, &old) + serving(&world, &new) >= 3, "the minimum takes players all the while");
        assert_eq!(running(&world, &old), 3, "nobody is sent away");
    }
    fleet.until("the old ones take nobody", |world| serving(world, &old) == 0).await;
    let address = fleet.player().await;
    assert_eq!(fleet.cloud.world().game_at(&address).expect("a server").revision, new);
    fleet.wait(10 * MINUTE).await;
    assert_eq!(running(&fleet.cloud.world(), &old), 3, "their players have not finished");

    fleet.leave_all();
    fleet.until("the old ones have gone", |world| running(world, &old) == 0).await;
    assert_eq!(running(&fleet.cloud.world(), &new), 3);
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn players_go_to_new_servers_as_soon_as_there_is_room() {
    let (fleet, old) = busy_fleet(Policy { rollout_surge: 1, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    let address = fleet.player().await;
    assert_eq!(fleet.cloud.world().game_at(&address).expect("a server").revision, old, "there is no other yet");
    fleet.until("one serves", |world| serving(world, &new) == 1).await;
    fleet.wait(Duration::from_secs(8)).await;
    assert!(serving(&fleet.cloud.world(), &old) > 0, "some of the old ones take players still");
    let address = fleet.player().await;
    assert_eq!(fleet.cloud.world().game_at(&address).expect("a server").revision, new);
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_build_that_does_not_get_healthy_is_rolled_back_and_the_old_one_goes_on() {
    let (fleet, old) = busy_fleet(Policy { rollout_failures: 3, ..Policy::default() }).await;
    let broken = {
        let mut world = fleet.cloud.world();
        let broken = world.new_revision();
        world.broken.insert(broken.clone());
        broken
    };
    for _ in 0..90 {
        fleet.wait(Duration::from_secs(10)).await;
        let world = fleet.cloud.world();
        assert_eq!(serving(&world, &old), 3, "what works takes players all the while");
        if world.rollout() == RolloutState::RolledBack {
            break;
        }
    }
    assert_eq!(fleet.cloud.world().rollout(), RolloutState::RolledBack, "within a quarter of an hour");
    fleet.until("its servers have gone", |world| running(world, &broken) == 0).await;
    let tried = tried(&fleet.cloud.world(), &broken);
    assert!(tried <= 4, "{tried} servers were tried: one may have been under way with the third");

    // It goes on scaling.
    fleet.cloud.world().games.values_mut().for_each(|game| game.players = game.capacity);
    fleet.until("the fleet has grown", |world| serving(world, &old) == 4).await;
    assert_eq!(running(&fleet.cloud.world(), &broken), 0);

    // A manager that starts now finds it in the cloud.
    let fleet = fleet.crash_and_restart().await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!(running(&fleet.cloud.world(), &broken), 0);
    assert_eq!(self::tried(&fleet.cloud.world(), &broken), tried);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_has_to_grow_while_a_new_build_is_tried_grows_by_the_old_one() {
    let (fleet, old) = busy_fleet(Policy { rollout_surge: 1, ..Policy::default() }).await;
    {
        let mut world = fleet.cloud.world();
        let broken = world.new_revision();
        world.broken.insert(broken);
    }
    fleet.wait(Duration::from_secs(30)).await;
    fleet.cloud.world().games.values_mut().for_each(|game| game.players = game.capacity);
    fleet.until("there is room", |world| serving(world, &old) == 4).await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_pauses_resumes_and_rolls_back() {
    let (fleet, old) = busy_fleet(Policy { rollout_surge: 1, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    fleet.until("one serves", |world| serving(world, &new) == 1).await;
    let say = |state| fleet.cloud.world().record_rollout(&new, state).expect("it is known");
    say(RolloutState::Paused);
    fleet.wait(MINUTE).await;
    let paused = running(&fleet.cloud.world(), &new);
    fleet.wait(10 * MINUTE).await;
    assert_eq!(running(&fleet.cloud.world(), &new), paused, "none is started");
    assert!(serving(&fleet.cloud.world(), &new) > 0, "and those there are go on");

    say(RolloutState::Active);
    fleet.until("all serve", |world| serving(world, &new) == 3 && serving(world, &old) == 0).await;
    say(RolloutState::RolledBack);
    fleet.until("the old one is back", |world| serving(world, &old) == 3 && serving(world, &new) == 0).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_rollout_outlives_its_manager() {
    let (fleet, old) = busy_fleet(Policy { rollout_surge: 1, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    fleet.until("one serves", |world| serving(world, &new) == 1).await;
    let fleet = fleet.crash_and_restart().await;
    fleet.until("all serve", |world| serving(world, &new) == 3 && serving(world, &old) == 0).await;
    assert_eq!(running(&fleet.cloud.world(), &old), 3, "their players have not finished");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_fleet_at_its_maximum_rolls_out_one_by_one() {
    let fleet = Fleet::start(Policy { min_servers: 3, max_servers: 3, ..Policy::default() }).await;
    fleet.until_available(3).await;
    let (old, new) = {
        let mut world = fleet.cloud.world();
        (world.revisions[0].0.clone(), world.new_revision())
    };
    while serving(&fleet.cloud.world(), &new) < 3 {
        fleet.wait(Duration::from_secs(1)).await;
        let world = fleet.cloud.world();
        assert!(world.alive().len() <= 3, "the maximum holds");
        assert!(serving(&world, &old) + serving(&world, &new) >= 2, "one at a time");
    }
    fleet.assert_no_complaints();
}

/// A world without servers where so many revisions were registered after the first, which alone works.
fn broken_after_the_first(broken: usize) -> World {
    let mut world = World::new(Policy::default().server_capacity);
    for _ in 0..broken {
        let revision = world.new_revision();
        world.broken.insert(revision);
    }
    world
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_known_to_work_what_might_is_tried_in_turn() {
    let mut world = broken_after_the_first(3);
    let [works, first, second, newest] = [0, 1, 2, 3].map(|at| world.revisions[at].0.clone());
    world.record_rollout(&newest, RolloutState::RolledBack).expect("it is known");
    let fleet = Fleet::start_in(world, Policy::default()).await;
    for _ in 0..6 {
        fleet.wait(10 * MINUTE).await;
        if serving(&fleet.cloud.world(), &works) == 1 {
            break;
        }
    }
    assert_eq!(serving(&fleet.cloud.world(), &works), 1, "within an hour");
    let tried = [&second, &first, &newest].map(|revision| tried(&fleet.cloud.world(), revision));
    assert_eq!(tried, [2, 1, 0], "the newest was rolled back, and the one before it has every other turn");
    let is_marked = |(_, state): &(Revision, RolloutState)| *state == RolloutState::RolledBack;
    assert_eq!(
        fleet.cloud.world().revisions.iter().filter(|it| is_marked(it)).count(),
        1,
        "it need not be their fault"
    );
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_new_build_that_does_not_work_and_finds_no_server_is_rolled_back_once_an_older_one_serves() {
    let world = broken_after_the_first(1);
    let [works, broken] = [0, 1].map(|at| world.revisions[at].0.clone());
    let fleet = Fleet::start_in(world, Policy { rollout_failures: 2, ..Policy::default() }).await;
    for _ in 0..12 {
        fleet.wait(10 * MINUTE).await;
        if fleet.cloud.world().rollout() == RolloutState::RolledBack {
            break;
        }
    }
    assert_eq!(serving(&fleet.cloud.world(), &works), 1, "players have somewhere to go");
    assert_eq!(fleet.cloud.world().rollout(), RolloutState::RolledBack);
    let tried = tried(&fleet.cloud.world(), &broken);
    assert!(tried <= 5, "{tried} servers were tried: two before the older one, two after it, and one under way");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_never_heard_proves_nothing() {
    let policy = Policy { rollout_surge: 2, rollout_failures: 2, ..Policy::default() };
    let (fleet, old) = busy_fleet(policy).await;
    let broken = {
        let mut world = fleet.cloud.world();
        let broken = world.new_revision();
        world.broken.insert(broken.clone());
        broken
    };
    fleet.until("two run", |world| running(world, &broken) == 2).await;
    fleet.wait(Duration::from_secs(20)).await;
    // Who starts now takes them for servers that have players, and most run what does not work.
    let lost: Vec<_> = {
        let world = fleet.cloud.world();
        let old = world.running_games().filter(|(_, game)| game.revision == old);
        old.map(|(task, _)| task.clone()).take(2).collect()
    };
    lost.iter().for_each(|task| fleet.cloud.world().kill(task));
    let fleet = fleet.crash_and_restart().await;
    fleet.until("it is rolled back", |world| world.rollout() == RolloutState::RolledBack).await;
    fleet.until("the old one is back", |world| serving(world, &old) == 3 && running(world, &broken) == 0).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn what_serves_is_not_turned_away_from_when_launches_fail() {
    let (fleet, old) = busy_fleet(Policy { rollout_failures: 1, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    fleet.leave_all();
    fleet.until("it is rolled out", |world| serving(world, &new) == 3 && running(world, &old) == 0).await;
    fleet.wait(MINUTE).await;
    let before = tried(&fleet.cloud.world(), &old);
    {
        let mut world = fleet.cloud.world();
        world.broken.insert(new.clone());
        world.games.values_mut().for_each(|game| game.players = game.capacity);
    }
    fleet.wait(60 * MINUTE).await;
    let world = fleet.cloud.world();
    assert!(tried(&world, &new) > 6, "launches go on, and fail");
    assert_eq!((tried(&world, &old), world.rollout()), (before, RolloutState::Active));
}

#[tokio::test(start_paused = true)]
async fn what_was_heard_is_not_given_up_in_an_outage() {
    let mut world = broken_after_the_first(0);
    world.revisions.push((Revision::new("game:2"), RolloutState::Active));
    let [older, old] = [0, 1].map(|at| world.revisions[at].0.clone());
    let fleet = Fleet::start_in(world, Policy::default()).await;
    fleet.until("it serves", |world| serving(world, &old) == 1).await;
    let new = fleet.cloud.world().new_revision();
    fleet.cloud.world().record_rollout(&new, RolloutState::RolledBack).expect("it is known");
    fleet.wait(MINUTE).await;
    outage(&mut fleet.cloud.world(), &[older.clone(), old.clone(), new.clone()]);
    fleet.wait(60 * MINUTE).await;
    fleet.cloud.world().broken.clear();
    fleet.until("it serves again", |world| serving(world, &old) == 1).await;
    assert_eq!([&older, &new].map(|revision| tried(&fleet.cloud.world(), revision)), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_good_build_that_comes_in_an_outage_is_not_marked_for_it() {
    let (fleet, old) = busy_fleet(Policy { rollout_failures: 2, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    outage(&mut fleet.cloud.world(), &[old.clone(), new.clone()]);
    fleet.wait(60 * MINUTE).await;
    assert!(tried(&fleet.cloud.world(), &new) >= 2, "it has failed as often as it may");
    assert_eq!(fleet.cloud.world().rollout(), RolloutState::Active, "nothing else serves either");
    fleet.cloud.world().broken.clear();
    for _ in 0..6 {
        fleet.wait(10 * MINUTE).await;
    }
    let world = fleet.cloud.world();
    assert_eq!((serving(&world, &new), running(&world, &old)), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn going_back_from_a_finished_rollout_passes_over_what_does_not_work_any_more() {
    let mut world = broken_after_the_first(0);
    let [gone, newest] = [world.new_revision(), world.new_revision()];
    let works = world.revisions[0].0.clone();
    world.broken.insert(gone);
    let fleet = Fleet::start_in(world, Policy::default()).await;
    fleet.until("the newest serves", |world| serving(world, &newest) == 1).await;
    fleet.cloud.world().record_rollout(&newest, RolloutState::RolledBack).expect("it is known");
    for _ in 0..3 {
        fleet.wait(10 * MINUTE).await;
    }
    {
        let world = fleet.cloud.world();
        assert_eq!((serving(&world, &works), running(&world, &newest)), (1, 0));
    }
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_starts_places_nothing_of_a_paused_revision() {
    let (fleet, old) = busy_fleet(Policy::default()).await;
    let new = {
        let mut world = fleet.cloud.world();
        let new = world.new_revision();
        world.record_rollout(&new, RolloutState::Paused).expect("it is known");
        world.games.values_mut().for_each(|game| game.players = game.capacity);
        new
    };
    fleet.until("one is launched", |world| world.alive().len() == 4).await;
    // By then its instance has joined, and waits for what to run: the first look decides.
    let fleet = fleet.crash_and_restart_after(5 * MINUTE).await;
    fleet.until("it serves", |world| serving(world, &old) >= 4).await;
    assert_eq!(tried(&fleet.cloud.world(), &new), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_is_placed_again_and_not_something_else() {
    let (fleet, old) = busy_fleet(Policy { rollout_surge: 1, ..Policy::default() }).await;
    let before = tried(&fleet.cloud.world(), &old);
    let new = fleet.cloud.world().new_revision();
    fleet.cloud.script(Call::Place, &Fault::Fails(CloudError::Refused("RESOURCE:MEMORY".into())), 1);
    fleet.until("it serves", |world| serving(world, &new) > 0).await;
    assert_eq!(tried(&fleet.cloud.world(), &old), before);
}

#[tokio::test(start_paused = true)]
async fn a_build_that_comes_while_nobody_answers_is_not_marked_for_it() {
    let (fleet, old) = busy_fleet(Policy { rollout_failures: 2, ..Policy::default() }).await;
    let new = {
        let mut world = fleet.cloud.world();
        let new = world.new_revision();
        world.broken.extend([old, new.clone()]);
        new
    };
    let all = fleet.running();
    all.iter().for_each(|task| fleet.cloud.world().silence(task, true));
    fleet.wait(60 * MINUTE).await;
    assert!(tried(&fleet.cloud.world(), &new) > 2, "it has failed more often than it may");
    assert_eq!(fleet.cloud.world().rollout(), RolloutState::Active, "as all that is there does");
}

#[tokio::test(start_paused = true)]
async fn what_ran_before_an_outage_and_does_not_any_more_does_not_keep_the_new_one_away() {
    let (fleet, old) = busy_fleet(Policy { rollout_failures: 2, ..Policy::default() }).await;
    let new = fleet.cloud.world().new_revision();
    outage(&mut fleet.cloud.world(), &[old.clone(), new.clone()]);
    fleet.wait(60 * MINUTE).await;
    fleet.cloud.world().broken.remove(&new);
    for _ in 0..6 {
        fleet.wait(10 * MINUTE).await;
    }
    assert_eq!(serving(&fleet.cloud.world(), &new), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_at_its_maximum_waits_for_the_end_of_the_one_that_made_room() {
    let fleet = Fleet::start(Policy { min_servers: 3, max_servers: 3, ..Policy::default() }).await;
    fleet.until_available(3).await;
    let (old, new) = {
        let mut world = fleet.cloud.world();
        (world.revisions[0].0.clone(), world.new_revision())
    };
    fleet.cloud.script(Call::Close, &Fault::Fails(CloudError::Throttled("for now".into())), 8);
    while serving(&fleet.cloud.world(), &new) < 1 {
        fleet.wait(Duration::from_secs(1)).await;
        let world = fleet.cloud.world();
        assert!(serving(&world, &old) + serving(&world, &new) >= 2, "one at a time");
    }
}

#[tokio::test(start_paused = true)]
async fn beside_a_server_that_hangs_for_good_what_it_runs_is_started_again_and_a_broken_build_is_rolled_back() {
    let fleet = Fleet::start(Policy { rollout_failures: 2, ..Policy::default() }).await;
    fleet.until_available(1).await;
    let (old, broken) = {
        let mut world = fleet.cloud.world();
        let (old, broken) = (world.revisions[0].0.clone(), world.new_revision());
        world.broken.insert(broken.clone());
        (old, broken)
    };
    let [hangs] = <[_; 1]>::try_from(fleet.running()).expect("one server");
    fleet.cloud.world().silence(&hangs, true);
    for _ in 0..12 {
        fleet.wait(10 * MINUTE).await;
        if fleet.cloud.world().rollout() == RolloutState::RolledBack {
            break;
        }
    }
    assert_eq!(fleet.cloud.world().rollout(), RolloutState::RolledBack);
    fleet.until("what works serves", |world| running(world, &broken) == 0 && serving(world, &old) == 1).await;
}
