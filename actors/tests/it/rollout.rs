//! A new revision of the game comes to a fleet with players on it.

use std::time::Duration;

use actors::model::{Policy, Revision, RolloutState};

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
    let tried = fleet.cloud.world().games.values().filter(|game| game.revision == broken).count();
    assert!(tried <= 4, "{tried} servers were tried: one may have been under way with the third");

    // It goes on scaling.
    fleet.cloud.world().games.values_mut().for_each(|game| game.players = game.capacity);
    fleet.until("the fleet has grown", |world| serving(world, &old) == 4).await;
    assert_eq!(running(&fleet.cloud.world(), &broken), 0);

    // A manager that starts now finds it in the cloud.
    let fleet = fleet.crash_and_restart().await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!(running(&fleet.cloud.world(), &broken), 0);
    assert_eq!(fleet.cloud.world().games.values().filter(|game| game.revision == broken).count(), tried);
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
