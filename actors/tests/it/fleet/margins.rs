//! Margins that set themselves.

use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, Limits};
use actors::model::{LeadTimePolicy, MarginPolicy, Margins, Policy};
use ractor::call_t;

use super::{Fleet, MINUTE};
use crate::fake_cloud::Call;

const FIXED: Margins = Margins { upscale: 4, downscale: 18 };

impl Fleet {
    async fn margins(&self) -> Margins {
        call_t!(self.supervisor, FleetMsg::Snapshot, 1000).expect("the supervisor answers").margins
    }

    /// Six players come every five seconds, and are gone before the next do.
    async fn busy_for(&self, span: Duration) {
        for _ in 0..span.as_secs() / 5 {
            for _ in 0..6 {
                self.player().await;
            }
            // They are seen, and seen to have left.
            self.wait(Duration::from_millis(2500)).await;
            self.leave_all();
            self.wait(Duration::from_millis(2500)).await;
        }
    }
}

fn by_lead_time() -> Policy {
    let margin_policy = MarginPolicy::LeadTime(LeadTimePolicy { one_in: 10_000, least: 0 });
    Policy { margin_policy, max_servers: 20, ..Policy::default() }
}

#[tokio::test(start_paused = true)]
async fn by_lead_time_what_is_kept_free_follows_those_who_come_and_go() {
    let fleet = Fleet::start(by_lead_time()).await;
    fleet.until_available(1).await;
    assert_eq!(fleet.margins().await, FIXED, "nothing is known yet");
    fleet.busy_for(9 * MINUTE).await;
    fleet.wait(2 * MINUTE).await;
    fleet.busy_for(9 * MINUTE).await;
    let busy = fleet.margins().await;
    assert!(busy.upscale > 2 * FIXED.upscale && busy.downscale > busy.upscale + 10, "{busy:?}");
    // The fleet has grown for it, and shrinks when nobody comes any more.
    assert!(fleet.list().await.len() > 1);
    fleet.wait(480 * MINUTE).await;
    let idle = fleet.margins().await;
    assert!(idle.upscale <= 2, "{idle:?}");
    assert_eq!(fleet.list().await.len(), 1);
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn fixed_margins_stay_whatever_comes() {
    let fleet = Fleet::start(Policy::default()).await;
    fleet.until_available(1).await;
    fleet.busy_for(12 * MINUTE).await;
    assert_eq!(fleet.margins().await, FIXED);
}

#[tokio::test(start_paused = true)]
async fn margins_set_by_hand_hold_whatever_comes_until_they_are_taken_back() {
    let fleet = Fleet::start(by_lead_time()).await;
    fleet.until_available(1).await;
    fleet.busy_for(12 * MINUTE).await;
    assert_ne!(fleet.margins().await, FIXED);
    let set = async |change| {
        let set = call_t!(fleet.supervisor, FleetMsg::SetMargins, 1000, change).expect("the supervisor answers");
        set.expect("they hold").margins
    };
    let by_hand = Limits { upscale_margin: Some(40), downscale_margin: Some(60), ..Limits::default() };
    assert_eq!(set(by_hand).await, Margins { upscale: 40, downscale: 60 });
    fleet.wait(MINUTE).await;
    assert_eq!(fleet.margins().await, Margins { upscale: 40, downscale: 60 });
    let taken_back = set(Limits::default()).await;
    assert!(taken_back != FIXED && taken_back.upscale != 40, "{taken_back:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_may_have_no_servers_has_none_when_nobody_plays_and_some_when_somebody_comes() {
    let narrow = Policy { upscale_margin: 0, downscale_margin: 11, ..Policy::default() };
    for policy in [Policy::default(), narrow] {
        let fleet = Fleet::start(Policy { min_servers: 0, ..policy }).await;
        fleet.wait(15 * MINUTE).await;
        assert_eq!((fleet.list().await.len(), fleet.running().len()), (0, 0), "nobody has played yet");
        assert_eq!(fleet.allocate().await, None, "the first is sent to the backup");
        fleet.until_available(1).await;
        fleet.player().await;
        fleet.wait(60 * MINUTE).await;
        assert_eq!(fleet.running().len(), 1, "somebody plays");
        fleet.leave_all();
        fleet.wait(9 * MINUTE).await;
        assert_eq!(fleet.list().await.len(), 1, "others may come");
        fleet.wait(6 * MINUTE).await;
        assert_eq!((fleet.running().len(), fleet.alive().len()), (0, 0), "nobody did");
        fleet.assert_no_complaints();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_longer_than_the_quiet_time_to_start_is_there_for_who_comes_again() {
    let quiet_time = Some(Duration::from_secs(2));
    let fleet = Fleet::start(Policy { min_servers: 0, quiet_time, ..Policy::default() }).await;
    fleet.wait(MINUTE).await;
    assert_eq!(fleet.cloud.calls(Call::Launch), 0, "a manager that finds nothing launches for nobody");
    assert_eq!(fleet.allocate().await, None);
    fleet.wait(Duration::from_secs(3)).await;
    assert_eq!(fleet.list().await.len(), 0, "it takes longer");
    fleet.until_available(1).await;
    fleet.wait(Duration::from_secs(1)).await;
    fleet.player().await;
    fleet.wait(10 * MINUTE).await;
    assert_eq!((fleet.list().await.len(), fleet.cloud.calls(Call::Launch)), (1, 1));
    fleet.assert_no_complaints();
}

#[tokio::test(start_paused = true)]
async fn margins_set_by_hand_hold_on_a_fleet_without_servers_too() {
    let fleet = Fleet::start(Policy { min_servers: 0, ..Policy::default() }).await;
    fleet.wait(15 * MINUTE).await;
    assert_eq!(fleet.list().await.len(), 0);
    let by_hand = Limits { upscale_margin: Some(15), downscale_margin: Some(60), ..Limits::default() };
    let set = call_t!(fleet.supervisor, FleetMsg::SetMargins, 1000, by_hand).expect("the supervisor answers");
    set.expect("they hold together");
    fleet.until_available(2).await;
    fleet.wait(60 * MINUTE).await;
    assert_eq!(fleet.list().await.len(), 2);
}
