//! The operator's hand on a fleet that runs, and what is written down of all that happens.

use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, Limits};
use actors::journal::{Entry, Query, Source, what};
use actors::model::{LaunchOrdinal, Phase, Policy, PolicyError, Refused, ServerId, Snapshot};
use ractor::{RpcReplyPort, call_t};

use super::{Fleet, MINUTE};

impl Fleet {
    async fn snapshot(&self) -> Snapshot {
        *call_t!(self.supervisor, FleetMsg::Snapshot, 1000).expect("the supervisor answers")
    }

    async fn drain(&self, server: ServerId) -> Result<Phase, Refused> {
        let drained = call_t!(self.supervisor, FleetMsg::Drain, 1000, server).expect("the supervisor answers");
        drained.map(|fleet| phase(&fleet, server))
    }

    async fn pause(&self, paused: bool) {
        call_t!(self.supervisor, FleetMsg::Pause, 1000, paused).expect("the supervisor answers");
    }

    async fn set_margins(&self, margins: Limits) -> Result<Policy, PolicyError> {
        let set = call_t!(self.supervisor, FleetMsg::SetMargins, 1000, margins).expect("the supervisor answers");
        set.map(|fleet| fleet.policy)
    }

    /// All that is written about a server.
    async fn history(&self, server: ServerId) -> Vec<Entry> {
        let query = Query { server: Some(server), limit: 1000, ..Query::default() };
        let page = call_t!(self.supervisor, FleetMsg::Journal, 1000, query).expect("the supervisor answers");
        page.entries.iter().map(|entry| Entry::clone(entry)).collect()
    }
}

fn phase(fleet: &Snapshot, server: ServerId) -> Phase {
    fleet.servers.iter().find(|known| known.id == server).expect("it is known").phase
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_was_told_is_not_done_is_not_done() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    let before = fleet.snapshot().await;
    let id = before.servers[0].id;
    fleet.supervisor.cast(FleetMsg::Drain(id, gone())).expect("the supervisor lives");
    fleet.supervisor.cast(FleetMsg::Pause(true, gone())).expect("the supervisor lives");
    let margins = Limits { min_servers: Some(3), ..Limits::default() };
    fleet.supervisor.cast(FleetMsg::SetMargins(margins, gone())).expect("the supervisor lives");
    let after = fleet.snapshot().await;
    assert_eq!((phase(&after, id), after.paused, &after.policy), (Phase::Available, false, &before.policy));
    fleet.drain(id).await.expect("it is available");
    fleet.supervisor.cast(FleetMsg::Undrain(id, gone())).expect("the supervisor lives");
    assert_eq!(phase(&fleet.snapshot().await, id), Phase::Standby);
}

/// Where one asks who waits no more.
fn gone<T: Send + 'static>() -> RpcReplyPort<T> {
    ractor::concurrency::oneshot().0.into()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_drained_by_hand_keeps_its_players_and_is_not_taken_back() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    let address = fleet.player().await;
    let first = fleet.snapshot().await.servers[0].id;
    assert_eq!(fleet.drain(first).await, Ok(Phase::Standby));
    assert_eq!(fleet.drain(first).await, Ok(Phase::Standby), "it is so already");
    assert_eq!(fleet.allocate().await, None);
    fleet.until_available(1).await;
    assert_eq!(fleet.alive().len(), 2, "another one was launched in its place");
    assert!(!fleet.list().await.contains(&address));
    fleet.leave_all();
    fleet.until("the drained one is gone", |world| world.alive().len() == 1).await;
    fleet.wait(MINUTE).await;
    assert_eq!(fleet.drain(first).await, Err(Refused::Gone));
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_server_can_be_put_back() {
    let fleet = Fleet::start(Policy { max_servers: 1, ..Policy::default() }).await;
    fleet.until_available(1).await;
    fleet.player().await;
    let only = fleet.snapshot().await.servers[0].id;
    fleet.drain(only).await.expect("it is available");
    fleet.wait(5 * MINUTE).await;
    assert_eq!(fleet.list().await, [], "though places lack");
    let back = call_t!(fleet.supervisor, FleetMsg::Undrain, 1000, only).expect("the supervisor answers");
    assert_eq!(back.map(|fleet| phase(&fleet, only)), Ok(Phase::Available));
    assert_eq!(fleet.list().await.len(), 1);
    fleet.wait(MINUTE).await;
    assert_eq!(fleet.standby(), 0, "it is recorded");
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_paused_fleet_decides_nothing_and_goes_on_serving() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    fleet.pause(true).await;
    for _ in 0..10 {
        fleet.player().await;
    }
    fleet.wait(10 * MINUTE).await;
    assert_eq!((fleet.alive().len(), fleet.allocate().await), (1, None));
    assert!(fleet.snapshot().await.paused);
    fleet.pause(false).await;
    fleet.until_available(2).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn margins_are_changed_until_the_configuration_is_read_again() {
    let configured = Policy::default();
    let fleet = Fleet::start(configured.clone()).await;
    fleet.until_available(1).await;
    let crossed = Limits { upscale_margin: Some(30), ..Limits::default() };
    assert_eq!(fleet.set_margins(crossed).await, Err(PolicyError::Flaps { band: -12, server_capacity: 10 }));
    let wide = Limits { upscale_margin: Some(15), downscale_margin: Some(40), ..Limits::default() };
    fleet.set_margins(wide).await.expect("they hold together");
    fleet.until_available(2).await;
    let more = fleet.set_margins(Limits { min_servers: Some(3), ..Limits::default() }).await.expect("so do these");
    assert_eq!((more.upscale_margin, more.min_servers), (15, 3), "what was changed before stays");
    fleet.until_available(3).await;
    assert_eq!(fleet.set_margins(Limits::default()).await, Ok(configured.clone()));
    fleet.until_available(1).await;
    fleet
        .supervisor
        .cast(FleetMsg::Reload(Box::new(Policy { min_servers: 2, ..configured })))
        .expect("the supervisor lives");
    fleet.until_available(2).await;
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn why_an_instance_was_terminated_has_an_answer() {
    let fleet = Fleet::start(Policy { min_servers: 2, ..Policy::default() }).await;
    fleet.until_available(2).await;
    let shown = fleet.snapshot().await;
    fleet.supervisor.cast(FleetMsg::Reload(Box::default())).expect("the supervisor lives");
    fleet.until("one is closed", |world| world.alive().len() == 1).await;
    fleet.wait(MINUTE).await;
    let alive = fleet.alive();
    let gone = shown.servers.iter().find(|server| server.instance.as_ref().is_some_and(|it| !alive.contains(it)));
    let gone = gone.expect("one of the two");
    let history = fleet.history(gone.id).await;
    let told: Vec<(Source, &str, Option<&str>)> =
        history.iter().map(|entry| (entry.draft.source, entry.draft.what, entry.draft.rule)).collect();
    for expected in [
        (Source::Event, "launched", None),
        (Source::Decision, "standby", Some("downscale-margin")),
        (Source::Decision, "close", Some("drained")),
        (Source::Order, "close", None),
    ] {
        assert!(told.contains(&expected), "{expected:?} is not in {told:#?}");
    }
    let closed = history.iter().find(|entry| entry.draft.what == "close").expect("it is there");
    let basis = closed.draft.basis.expect("the numbers");
    assert_eq!(
        (basis.figures.standby, basis.downscale_margin, closed.draft.instance.as_ref()),
        (1, 18, gone.instance.as_ref())
    );
    assert!(history.iter().all(|entry| entry.draft.refused.is_none()), "{history:#?}");
    assert!(history.is_sorted_by_key(|entry| (entry.at, entry.number)));
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_launch_is_written_down_under_its_number() {
    let policy = Policy::default();
    let fleet = Fleet::start(policy.clone()).await;
    fleet.cloud.world().never_joining = 1;
    fleet.until("it was launched", |world| world.alive().len() == 1).await;
    let stillborn = fleet.snapshot().await.servers[0].id;
    fleet.until_available(1).await;
    let served = fleet.snapshot().await.servers[0].id;
    for (server, launch, what) in [(stillborn, 1, what::NOT_LAUNCHED), (served, 2, what::LAUNCHED)] {
        let history = fleet.history(server).await;
        let end = history.iter().find(|entry| entry.draft.what == what).unwrap_or_else(|| panic!("{history:#?}"));
        assert_eq!(end.draft.launch, Some(LaunchOrdinal(launch)), "{end:#?}");
        let overdue = end.draft.took.expect("how long it took") >= policy.boot_deadline;
        assert_eq!(overdue, what == what::NOT_LAUNCHED, "{end:#?}");
    }
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_how_far_a_launch_is() {
    let fleet = Fleet::start(Policy { min_servers: 1, ..Policy::default() }).await;
    fleet.until_available(1).await;
    for _ in 0..10 {
        fleet.player().await;
    }
    fleet.wait(Duration::from_secs(3)).await;
    let shown = fleet.snapshot().await;
    let launch = shown.servers.iter().find_map(|server| server.launch).expect("one is launched");
    let ready_in = launch.ready_in.expect("one was measured");
    assert!(ready_in > Duration::ZERO && ready_in <= shown.lead_times.total().expect("measured").p50, "{launch:?}");
    assert_eq!((shown.figures.launching, shown.figures.pending, shown.figures.free), (1, 10, 0));
}
