//! Health reports on their way to the supervisor. Those that come within some milliseconds go together, and whoever writes to
//! it next takes them along. It is woken for them only where nobody does: on another thread that costs more than what they
//! say, and all who ask meanwhile would wait until its turn comes there.

use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout, timeout_at};

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::game_server_actor::HealthReport;

/// Reports that go together, at most: clients wait for no more than these.
const TOGETHER: usize = 512;

/// How long a report waits for others, and then for somebody who takes them along; where nobody does, those that come
/// meanwhile wait as long again. Of an interval of a second or more it is next to nothing.
const GATHERED_FOR: Duration = Duration::from_millis(5);

/// Where reports are handed in.
pub(crate) type Reports = UnboundedSender<HealthReport>;

/// Those that go together, to be taken in by the supervisor.
pub(crate) type Together = Receiver<Vec<HealthReport>>;

/// Where reports are handed in, where they are taken from, and what is to run as long as they are to be handed on to this
/// supervisor.
pub(crate) fn channel(fleet: FleetRef) -> (Reports, Together, impl Future<Output = ()>) {
    let (reports, handed_in) = unbounded_channel();
    let (hand_over, together) = mpsc::channel(1);
    (reports, together, hand_on(handed_in, hand_over, fleet))
}

async fn hand_on(
    mut handed_in: UnboundedReceiver<HealthReport>,
    hand_over: mpsc::Sender<Vec<HealthReport>>,
    fleet: FleetRef,
) {
    while let Some(report) = handed_in.recv().await {
        let mut together = vec![report];
        let until = Instant::now() + GATHERED_FOR;
        while together.len() < TOGETHER
            && let Ok(Some(report)) = timeout_at(until, handed_in.recv()).await
        {
            together.push(report);
        }
        // There is room as soon as those before were taken.
        if hand_over.send(together).await.is_err() {
            return;
        }
        let are_taken = timeout(GATHERED_FOR, hand_over.reserve()).await.is_ok();
        if !are_taken && fleet.cast(FleetMsg::Reports).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::sleep;

    use super::*;
    use crate::inbox::{self, Inbox};
    use crate::model::{ServerId, Timestamp};
    use crate::ports::ProbeError;

    /// What a timer takes longer, at most.
    const LATER: Duration = Duration::from_millis(1);

    fn running() -> (Reports, Together, Inbox<FleetMsg>) {
        let (fleet, inbox) = inbox::channel();
        let (reports, together, handing_on) = channel(fleet);
        tokio::spawn(handing_on);
        (reports, together, inbox)
    }

    fn report(server: u64) -> HealthReport {
        HealthReport {
            server: ServerId::from_number(server),
            asked_at: Timestamp::default(),
            answer: Err(ProbeError::TimedOut),
        }
    }

    fn servers(reports: &[HealthReport]) -> Vec<u64> {
        reports.iter().map(|report| report.server.number()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_come_within_some_milliseconds_go_together_and_wake_nobody_who_takes_them_along() {
        let (reports, mut together, mut inbox) = running();
        for round in 0..3 {
            reports.send(report(2 * round)).expect("it runs");
            sleep(GATHERED_FOR / 2).await;
            assert!(together.try_recv().is_err(), "others may come");
            reports.send(report(2 * round + 1)).expect("it runs");
            sleep(GATHERED_FOR / 2 + 2 * LATER).await;
            let taken = together.try_recv().expect("they are there");
            assert_eq!(servers(&taken), [2 * round, 2 * round + 1]);
        }
        sleep(10 * GATHERED_FOR).await;
        assert!(inbox.next().now_or_never().is_none(), "nobody is to be woken");
    }

    #[tokio::test(start_paused = true)]
    async fn the_supervisor_is_woken_for_those_that_nobody_takes_along_and_none_is_lost_meanwhile() {
        let (reports, mut together, mut inbox) = running();
        let begun = Instant::now();
        reports.send(report(1)).expect("it runs");
        let woken = timeout(10 * GATHERED_FOR, inbox.next()).await;
        assert!(matches!(woken, Ok(Some(FleetMsg::Reports))), "{woken:?}");
        assert!(begun.elapsed() <= 2 * (GATHERED_FOR + LATER), "{:?}", begun.elapsed());
        // It takes its time, and others come.
        for server in 2..5 {
            reports.send(report(server)).expect("it runs");
            sleep(2 * GATHERED_FOR).await;
        }
        let mut taken = servers(&together.try_recv().expect("they are there"));
        while taken.len() < 4 {
            let woken = timeout(10 * GATHERED_FOR, inbox.next()).await;
            assert!(matches!(woken, Ok(Some(FleetMsg::Reports))), "for the others it is woken again: {woken:?}");
            taken.extend(servers(&together.try_recv().expect("they are there")));
        }
        assert_eq!(taken, [1, 2, 3, 4]);
    }
}
