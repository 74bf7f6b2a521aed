//! What systemd is told of the daemon, where the unit says `Type=notify`: that it is ready, that it is being reloaded,
//! that it ends, and, as long as the fleet supervisor answers, that it lives. Without systemd all of it goes nowhere.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, FleetRef};
use ractor::rpc::CallResult;
use sd_notify::NotifyState;
use tokio::time::sleep;

/// How often the supervisor is asked before the fleet is ready: nobody waits longer than this for nothing.
const STARTING_PACE: Duration = Duration::from_millis(250);

/// The same from then on, without a watchdog: for the status line alone.
const STATUS_PACE: Duration = Duration::from_secs(10);

/// How much longer the start may take, each time that the supervisor answers. While AWS cannot be reached there is no
/// first look, but clients are answered: ending that manager would only take the backup's address from them.
const STARTING_TIME: Duration = Duration::from_secs(30);

/// How long the supervisor may take, as a part of the pace: an answer that comes later is none.
const PATIENCE: u32 = 2;

/// systemd, or nobody.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    /// Whether it was told that the daemon is ready.
    told_ready: Arc<AtomicBool>,
}

/// What the supervisor said: how many servers take players, once the cloud was looked at.
type Answer = Option<usize>;

impl ServiceManager {
    /// Tells how the fleet is, as long as it answers. Never ends.
    pub async fn report_on(self, fleet: FleetRef) -> Infallible {
        let ask = |limit| {
            let fleet = fleet.clone();
            async move {
                match fleet.call(FleetMsg::List, Some(limit)).await {
                    Ok(CallResult::Success(servers)) => Some(servers.map(|servers| servers.len())),
                    _ => None,
                }
            }
        };
        self.report(sd_notify::watchdog_enabled(), ask, tell).await
    }

    /// Runs a reload between the two messages that it has.
    pub fn reloading(&self, reload: impl FnOnce()) {
        // One that is still starting cannot be reloading for systemd, and would be taken for ready after it.
        let is_ready = self.told_ready.load(Ordering::Relaxed);
        if is_ready && let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
        reload();
        if is_ready {
            tell(&[NotifyState::Ready]);
        }
    }

    /// The daemon ends, which may take a while.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("ending: cloud calls under way are finished")]);
    }

    async fn report<Asking: Future<Output = Option<Answer>>>(
        self,
        watchdog: Option<Duration>,
        ask: impl Fn(Duration) -> Asking,
        tell: impl Fn(&[NotifyState<'_>]),
    ) -> Infallible {
        // systemd asks for a sign of life in each `WatchdogSec`, and advises to give two.
        let pace = watchdog.map_or(STATUS_PACE, |limit| limit / 2);
        loop {
            match ask(pace / PATIENCE).await {
                Some(Some(servers)) => {
                    let status = format!("{servers} servers take players");
                    let mut signs = vec![NotifyState::Watchdog, NotifyState::Status(&status)];
                    if !self.told_ready.swap(true, Ordering::Relaxed) {
                        signs.push(NotifyState::Ready);
                    }
                    tell(&signs);
                }
                Some(None) => {
                    let micros = u32::try_from(STARTING_TIME.as_micros()).unwrap_or(u32::MAX);
                    let status =
                        NotifyState::Status("clients get the backup: the first look at the cloud is not complete");
                    tell(&[NotifyState::Watchdog, NotifyState::ExtendTimeoutUsec(micros), status]);
                }
                // Nothing is said for a supervisor that does not answer: that is what the watchdog is for.
                None => tracing::error!("the fleet supervisor does not answer: systemd gets no sign of life"),
            }
            sleep(if self.told_ready.load(Ordering::Relaxed) { pace } else { pace.min(STARTING_PACE) }).await;
        }
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "systemd cannot be told anything");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::{Instant, timeout};

    use super::*;

    const WATCHDOG: Duration = Duration::from_secs(20);

    /// What is told, and when, in two minutes (short of their last moment) with a supervisor that answers so at that time.
    async fn told(answer: impl Fn(Duration) -> Option<Answer>) -> Vec<(Duration, String)> {
        let (start, told) = (Instant::now(), RefCell::new(Vec::new()));
        let ask = |limit| {
            let answer = answer(start.elapsed());
            async move {
                if answer.is_none() {
                    sleep(limit).await;
                }
                answer
            }
        };
        let tell = |states: &[NotifyState<'_>]| {
            told.borrow_mut().extend(states.iter().map(|state| (start.elapsed(), state.to_string())));
        };
        let reporting = ServiceManager::default().report(Some(WATCHDOG), ask, tell);
        timeout(Duration::from_secs(115), reporting).await.expect_err("it goes on for ever");
        told.into_inner()
    }

    fn times(told: &[(Duration, String)], what: &str) -> Vec<u64> {
        told.iter().filter(|(_, state)| state.starts_with(what)).map(|(at, _)| at.as_secs()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_once_and_lives_twice_in_each_watchdog_time() {
        let told = told(|_| Some(Some(3))).await;
        assert_eq!(times(&told, "READY=1"), [0]);
        assert_eq!(times(&told, "WATCHDOG=1"), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
        assert!(told.iter().any(|(_, state)| state == "STATUS=3 servers take players"), "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_supervisor_that_stops_answering_has_no_sign_of_life_and_one_that_answers_again_has() {
        let told = told(|at| (!(30..70).contains(&at.as_secs())).then_some(Some(1))).await;
        let alive = times(&told, "WATCHDOG=1");
        assert_eq!(alive[..3], [0, 10, 20]);
        assert!(alive[3] >= 70, "{alive:?}");
        assert_eq!(times(&told, "READY=1"), [0], "systemd was told already");
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_cloud_cannot_be_seen_it_is_not_ready_and_gets_the_time() {
        let told = told(|at| Some((at.as_secs() >= 60).then_some(0))).await;
        assert_eq!(times(&told, "READY=1"), [60]);
        let extended = times(&told, "EXTEND_TIMEOUT_USEC=30000000");
        assert!(extended.contains(&0) && extended.contains(&59), "{extended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_supervisor_that_never_answers_gets_no_time() {
        assert_eq!(told(|_| None).await, []);
    }
}
