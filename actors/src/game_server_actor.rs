//! Asks one game server for its health, at its own pace, and reports what came of it. A slow or hostile server
//! delays nobody but itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::model::{HealthAnswer, ServerId, Timestamp};
use crate::ports::{Clock, HealthProbe, ProbeError};

/// One game server's actor.
pub type GameServerRef = ActorRef<GameServerMsg>;

/// What a game server actor is told.
#[derive(Debug)]
pub enum GameServerMsg {
    /// It is time to ask.
    Poll,
    /// A question was answered, or not.
    Polled(HealthReport),
    /// Ask at another pace from now on.
    Pace(Pace),
}

/// What came of one health question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthReport {
    /// Who was asked.
    pub server: ServerId,
    /// When the question was put.
    pub asked_at: Timestamp,
    /// The answer, or why there is none.
    pub answer: Result<HealthAnswer, ProbeError>,
}

/// How often and how patiently a server is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// From the end of one question to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What a game server actor is made of.
pub struct GameServerArgs {
    /// Whose health is asked.
    pub server: ServerId,
    /// Where it is asked.
    pub target: SocketAddr,
    /// How often.
    pub pace: Pace,
    /// How.
    pub probe: Arc<dyn HealthProbe>,
    /// What time it is.
    pub clock: Clock,
    /// Who is told.
    pub fleet: FleetRef,
}

/// What a game server actor keeps.
pub struct GameServerState {
    args: GameServerArgs,
    /// The question under way, or the wait for the next one. There is only ever one of the two.
    next: Option<JoinHandle<()>>,
    /// It has answered before.
    heard: bool,
}

/// The longest pause between two questions to a server that has not answered yet.
const UNHEARD_INTERVAL: Duration = Duration::from_secs(1);

/// The actor.
pub struct GameServerActor;

impl Actor for GameServerActor {
    type Msg = GameServerMsg;
    type State = GameServerState;
    type Arguments = GameServerArgs;

    async fn pre_start(&self, me: GameServerRef, args: GameServerArgs) -> Result<GameServerState, ActorProcessingErr> {
        let mut state = GameServerState { args, next: None, heard: false };
        let offset = phase_offset(state.args.server, state.pause());
        state.poll_after(&me, offset);
        Ok(state)
    }

    async fn handle(
        &self,
        me: GameServerRef,
        msg: GameServerMsg,
        state: &mut GameServerState,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            GameServerMsg::Poll => state.ask(&me),
            GameServerMsg::Polled(report) => state.report(&me, report),
            GameServerMsg::Pace(pace) => state.args.pace = pace,
        }
        Ok(())
    }

    async fn post_stop(&self, _: GameServerRef, state: &mut GameServerState) -> Result<(), ActorProcessingErr> {
        if let Some(next) = state.next.take() {
            next.abort();
        }
        Ok(())
    }
}

impl GameServerState {
    fn poll_after(&mut self, me: &GameServerRef, pause: Duration) {
        let me = me.clone();
        self.next = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // An actor that is gone asks nobody.
            let _ = me.cast(GameServerMsg::Poll);
        }));
    }

    fn ask(&mut self, me: &GameServerRef) {
        let (server, target, limit) = (self.args.server, self.args.target, self.args.pace.timeout);
        let asked_at = self.args.clock.now();
        let probe = Arc::clone(&self.args.probe);
        let me = me.clone();
        // A probe that panics is a miss like any other.
        let question =
            tokio::spawn(async move { timeout(limit, probe.ask(target)).await.unwrap_or(Err(ProbeError::TimedOut)) });
        self.next = Some(tokio::spawn(async move {
            let answer = question.await.unwrap_or_else(|failure| Err(ProbeError::Unreadable(failure.to_string())));
            let _ = me.cast(GameServerMsg::Polled(HealthReport { server, asked_at, answer }));
        }));
    }

    fn report(&mut self, me: &GameServerRef, report: HealthReport) {
        self.heard |= report.answer.is_ok();
        if let Err(error) = &report.answer {
            tracing::debug!(server = %report.server, target = %self.args.target, %error, "no health answer");
        }
        // Without a supervisor there is nobody to tell, and this actor ends with it.
        let _ = self.args.fleet.cast(FleetMsg::Report(report));
        self.poll_after(me, self.pause());
    }

    /// A launch has a deadline for its first answer, however seldom the others are asked.
    fn pause(&self) -> Duration {
        let interval = self.args.pace.interval;
        if self.heard { interval } else { interval.min(UNHEARD_INTERVAL) }
    }
}

/// Where in the interval a server is first asked: spread evenly, so that a fleet adopted at once is not asked at once.
fn phase_offset(server: ServerId, interval: Duration) -> Duration {
    /// Steps of the golden ratio fall apart as evenly as any: `frac(n * 0.618…)`, in 2^16ths.
    const GOLDEN: u64 = 40_503;
    let step = u32::try_from(server.number().wrapping_mul(GOLDEN) & 0xffff).unwrap_or_default();
    interval * step / 0x1_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_known_at_once_are_first_asked_all_over_the_interval() {
        let interval = Duration::from_millis(1000);
        let mut tenths = [0; 10];
        for number in 1..=100 {
            let offset = phase_offset(ServerId(number), interval);
            tenths[offset.as_millis() as usize / 100] += 1;
        }
        assert!(tenths.iter().all(|&servers| (8..=12).contains(&servers)), "{tenths:?}");
    }
}
