//! What a matchmaker asks for: parties, the same server again, a wait, and places given back.

use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, Refusal};
use actors::model::{AllocationId, Booking, BookingRequest, BookingState, NotBooked, Policy};
use ractor::call_t;
use tokio::task::JoinHandle;

use super::{Fleet, MINUTE};

/// More than any wait of these tests, in milliseconds.
const LONG: u64 = 3_600_000;

fn request(number: u128, seats: u32) -> BookingRequest {
    BookingRequest { id: AllocationId::from_number(number), seats, sticky: None, idempotency: None }
}

fn no_room(ready_in: Option<u64>) -> Result<Booking, Refusal> {
    Err(Refusal::NotBooked { why: NotBooked::NoRoom, ready_in: ready_in.map(Duration::from_secs) })
}

impl Fleet {
    async fn book(&self, request: BookingRequest) -> Result<Booking, Refusal> {
        self.wait_for(request, Duration::ZERO).await.expect("it does not panic")
    }

    /// Asks at once, and has the answer waited for.
    fn wait_for(&self, request: BookingRequest, patience: Duration) -> JoinHandle<Result<Booking, Refusal>> {
        let supervisor = self.supervisor.clone();
        tokio::spawn(async move {
            call_t!(supervisor, FleetMsg::Book, LONG, request, patience).expect("the supervisor answers")
        })
    }

    async fn booking(&self, number: u128) -> Option<BookingState> {
        let id = AllocationId::from_number(number);
        let booking = call_t!(self.supervisor, FleetMsg::Booking, 1000, id).expect("the supervisor answers");
        booking.map(|booking| booking.state)
    }

    async fn release(&self, number: u128) -> Option<BookingState> {
        let id = AllocationId::from_number(number);
        let booking = call_t!(self.supervisor, FleetMsg::Release, 1000, id).expect("the supervisor answers");
        booking.map(|booking| booking.state)
    }

    /// One server for ten players, and no more.
    async fn of_one() -> Self {
        let fleet = Self::start(Policy { max_servers: 1, ..Policy::default() }).await;
        fleet.until_available(1).await;
        fleet
    }
}

#[tokio::test(start_paused = true)]
async fn a_party_holds_its_places_until_it_has_come_or_gives_them_back() {
    let fleet = Fleet::of_one().await;
    let party = fleet.book(request(1, 4)).await.expect("there are ten places");
    assert_eq!(fleet.book(request(2, 7)).await, no_room(None), "six are left, and there is one server at most");
    assert!(fleet.book(request(3, 6)).await.is_ok());
    assert_eq!((fleet.booking(1).await, fleet.booking(2).await), (Some(BookingState::Held), None));

    assert_eq!(fleet.release(3).await, Some(BookingState::Held), "what it was");
    assert_eq!(fleet.booking(3).await, Some(BookingState::Released));
    assert_eq!(fleet.release(3).await, Some(BookingState::Released));
    assert_eq!(fleet.release(4).await, None);
    (0..4).for_each(|_| fleet.cloud.world().arrive(&party.address));
    fleet.wait(Duration::from_secs(2)).await;
    assert_eq!(fleet.booking(1).await, Some(BookingState::Arrived));
    assert!(fleet.book(request(5, 6)).await.is_ok());
    fleet.wait(MINUTE).await;
    assert_eq!(fleet.booking(5).await, Some(BookingState::Expired), "nobody came");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_party_larger_than_a_server_is_told_so() {
    let fleet = Fleet::of_one().await;
    let refused = Err(Refusal::NotBooked { why: NotBooked::TooManySeats { most: 10 }, ready_in: None });
    assert_eq!(fleet.book(request(1, 11)).await, refused);
}

#[tokio::test(start_paused = true)]
async fn friends_with_a_key_meet_on_one_server_as_long_as_it_has_room() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let friend = |number| BookingRequest { sticky: Some("table-7".into()), ..request(number, 2) };
    let first = fleet.book(friend(1)).await.expect("there is room");
    // The fullest server is the first one's by now, so others would go there as well: they fill the second one.
    let other = fleet.book(request(2, 9)).await.expect("there is room");
    assert_ne!(other.server, first.server);
    for number in 3..=6 {
        let next = fleet.book(friend(number)).await.expect("there is room");
        assert_eq!(next.server, first.server, "though the other one is fuller");
    }
    let last = fleet.wait_for(friend(7), 10 * MINUTE).await.expect("it ends").expect("a place in time");
    assert_ne!(last.server, first.server, "it is full");
    fleet.wait(Duration::from_secs(1)).await;
    fleet.release(3).await;
    fleet.wait(Duration::from_secs(2)).await;
    let back = fleet.book(friend(8)).await.expect("there is room");
    assert_eq!(back.server, first.server, "it was full for a while, and is the same table");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_repeated_holds_nothing_more() {
    let fleet = Fleet::of_one().await;
    let keyed = |number, seats| BookingRequest { idempotency: Some("request-1".into()), ..request(number, seats) };
    let made = fleet.book(keyed(1, 10)).await.expect("there is room");
    assert_eq!(fleet.book(keyed(2, 10)).await, Ok(made));
    let other = Err(Refusal::NotBooked { why: NotBooked::OtherRequest, ready_in: None });
    assert_eq!(fleet.book(keyed(3, 9)).await, other);
    // What is not its own any more is no answer to it.
    fleet.release(1).await;
    fleet.wait(Duration::from_secs(2)).await;
    let anew = fleet.book(keyed(4, 9)).await.expect("there is room");
    assert_eq!((anew.id, anew.state), (AllocationId::from_number(4), BookingState::Held));
    assert_eq!(fleet.book(keyed(5, 9)).await, Ok(anew));
}

#[tokio::test(start_paused = true)]
async fn a_party_that_fits_nowhere_has_a_server_launched_for_it() {
    let fleet = Fleet::start(Policy { min_servers: 3, ..Policy::default() }).await;
    fleet.until_available(3).await;
    for number in 1..=3 {
        assert!(fleet.book(request(number, 6)).await.is_ok());
    }
    // Twelve places are free, more than the margin, and four at most on one server.
    assert_eq!(fleet.book(request(4, 6)).await, no_room(None), "nothing is on its way, or due");
    let party = fleet.wait_for(request(5, 6), 10 * MINUTE).await.expect("it ends");
    assert!(party.is_ok(), "{party:?}");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_served_in_turn_and_the_fleet_grows_for_them() {
    let fleet = Fleet::start(Policy::default()).await;
    let first = fleet.wait_for(request(1, 10), 10 * MINUTE);
    let second = fleet.wait_for(request(2, 10), 10 * MINUTE);
    let (first, second) = (first.await.expect("it ends"), second.await.expect("it ends"));
    let (first, second) = (first.expect("a place in time"), second.expect("a place in time"));
    assert_ne!(first.server, second.server);
    assert!(first.held_until <= second.held_until, "who came first was served first");
    fleet.until_available(3).await; // and the margin
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn who_waited_long_enough_is_told_when_to_come_again() {
    let fleet = Fleet::of_one().await;
    assert!(fleet.book(request(1, 10)).await.is_ok());
    let waits =
        fleet.wait_for(BookingRequest { idempotency: Some("waits".into()), ..request(2, 1) }, Duration::from_secs(20));
    fleet.wait(Duration::from_secs(1)).await;
    let again = fleet.book(BookingRequest { idempotency: Some("waits".into()), ..request(3, 1) }).await;
    assert_eq!(again, Err(Refusal::UnderWay));
    assert_eq!(waits.await.expect("it ends"), no_room(None), "there is one server at most");
    assert_eq!(fleet.supervisor.depth(), 0, "the end of a wait is a message like any other");
    let waits = fleet.wait_for(request(4, 1), 5 * MINUTE);
    fleet.wait(Duration::from_secs(1)).await;
    fleet.release(1).await;
    assert!(waits.await.expect("it ends").is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_estimate_is_that_of_the_launches_under_way() {
    let fleet = Fleet::start(Policy { max_launching: 1, ..Policy::default() }).await;
    fleet.until_available(1).await;
    for _ in 0..10 {
        fleet.player().await;
    }
    let asked_at = fleet.cloud.clock.now();
    let Err(Refusal::NotBooked { ready_in: Some(ready_in), .. }) = fleet.book(request(1, 1)).await else {
        panic!("it is full, and one launch was measured");
    };
    let booking = fleet.wait_for(request(2, 1), 10 * MINUTE).await.expect("it ends").expect("a place in time");
    let took = (booking.held_until.since(asked_at)).saturating_sub(Policy::default().hold_ttl);
    assert!(took.abs_diff(ready_in) < Duration::from_secs(10), "{ready_in:?} were told, {took:?} it took");
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_sent_away_when_the_manager_ends() {
    let fleet = Fleet::start(Policy { max_servers: 1, ..Policy::default() }).await;
    let waits = fleet.wait_for(request(1, 1), 10 * MINUTE);
    tokio::task::yield_now().await;
    call_t!(fleet.supervisor, FleetMsg::Finish, 60_000).expect("it ends");
    assert_eq!(waits.await.expect("it ends"), no_room(None));
    let late = fleet.wait_for(request(2, 1), 10 * MINUTE);
    fleet.wait(Duration::from_secs(1)).await;
    assert!(late.is_finished(), "and so is one who comes then");
}
