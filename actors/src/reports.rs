//! Health reports on their way to the supervisor: those that come at the same moment go together. It is woken once for
//! all of them then, which costs more than what they say.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::yield_now;

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::game_server_actor::HealthReport;

/// Reports that go together, at most: clients wait for no more than these.
const TOGETHER: usize = 64;

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
        // Whoever has an answer at this moment hands it in now.
        yield_now().await;
        while together.len() < TOGETHER
            && let Ok(report) = handed_in.try_recv()
        {
            together.push(report);
        }
        if fleet.cast(FleetMsg::Reports(std::mem::take(&mut together))).is_err() {
            return;
        }
    }
}
