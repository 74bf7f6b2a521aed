//! Health reports on their way to the supervisor: those that come within some milliseconds go together. It is woken once
//! for all of them then, which costs more than what they say.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::game_server_actor::HealthReport;

/// Reports that go together, at most: clients wait for no more than these.
const TOGETHER: usize = 64;

/// How long a report waits for others. Of an interval of a second or more it is next to nothing.
const GATHERED_FOR: Duration = Duration::from_millis(5);

/// Where reports are handed in.
pub(crate) type Reports = UnboundedSender<HealthReport>;

/// Where reports are handed in, and what is to run as long as they are to be handed on to this supervisor.
pub(crate) fn channel(fleet: FleetRef) -> (Reports, impl Future<Output = ()>) {
    let (reports, handed_in) = unbounded_channel();
    (reports, hand_on(handed_in, fleet))
}

async fn hand_on(mut handed_in: UnboundedReceiver<HealthReport>, fleet: FleetRef) {
    let mut together = Vec::new();
    while let Some(report) = handed_in.recv().await {
        together.push(report);
        let until = Instant::now() + GATHERED_FOR;
        while together.len() < TOGETHER
            && let Ok(Some(report)) = timeout_at(until, handed_in.recv()).await
        {
            together.push(report);
        }
        if fleet.cast(FleetMsg::Reports(std::mem::take(&mut together))).is_err() {
            return;
        }
    }
}
