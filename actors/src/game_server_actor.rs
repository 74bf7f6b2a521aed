//! Asks one game server for its health, at its own pace, and reports what came of it. A slow or hostile server
//! delays nobody but itself.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use tokio::time::{Instant, sleep};

use crate::mailbox::{Backlog, Mailbox};
use crate::model::{HealthAnswer, ServerId, Timestamp};
use crate::patience::Patience;
use crate::ports::{Clock, HealthProbe, ProbeError};
use crate::reports::Reports;

/// One game server's actor.
pub type GameServerRef = Mailbox<GameServerMsg>;

/// What a game server actor is told. It pauses and asks while it handles one message, until there is another one, so that it
/// takes no timer, no task and no message a question: there are ten thousand of it. Whoever wants it gone kills it, since
/// `stop` would wait.
#[derive(Debug)]
pub enum GameServerMsg {
    /// Ask each time a pause is over. It tells itself so, after whatever else it was told.
    Poll,
    /// Ask at another pace, once the question that comes next by the one before is answered.
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
    /// How often.
    pub pace: Pace,
    /// How.
    pub probe: Box<dyn HealthProbe>,
    /// What time it is.
    pub clock: Clock,
    /// Where it is told.
    pub(crate) reports: Reports,
}

/// What a game server actor keeps.
pub struct GameServerState {
    me: GameServerRef,
    args: GameServerArgs,
    /// Before the next question.
    pause: Duration,
    /// It has answered before.
    heard: bool,
}

/// The longest pause between two questions to a server that has not answered yet.
const UNHEARD_INTERVAL: Duration = Duration::from_secs(1);

/// The actor.
pub struct GameServerActor;

impl GameServerActor {
    /// Starts one under this supervisor.
    pub async fn spawn(args: GameServerArgs, supervisor: ActorCell) -> Result<GameServerRef, SpawnErr> {
        let backlog = Backlog::default();
        let (actor, _) = Actor::spawn_linked(None, Self, (args, backlog.clone()), supervisor).await?;
        Ok(Mailbox::new(actor, backlog))
    }
}

impl Actor for GameServerActor {
    type Msg = GameServerMsg;
    type State = GameServerState;
    type Arguments = (GameServerArgs, Backlog);

    async fn pre_start(
        &self,
        me: ActorRef<GameServerMsg>,
        (args, backlog): (GameServerArgs, Backlog),
    ) -> Result<GameServerState, ActorProcessingErr> {
        let me = Mailbox::new(me, backlog);
        let pause = phase_offset(args.server, args.pace.interval.min(UNHEARD_INTERVAL));
        me.cast(GameServerMsg::Poll)?;
        Ok(GameServerState { me, args, pause, heard: false })
    }

    async fn handle(
        &self,
        _: ActorRef<GameServerMsg>,
        msg: GameServerMsg,
        state: &mut GameServerState,
    ) -> Result<(), ActorProcessingErr> {
        state.me.take_one();
        match msg {
            GameServerMsg::Poll => {
                while state.me.depth() == 0 {
                    state.poll().await;
                }
                state.me.cast(GameServerMsg::Poll)?;
            }
            GameServerMsg::Pace(pace) => {
                state.args.pace = pace;
                state.pause = state.pause.min(pace.interval);
            }
        }
        Ok(())
    }
}

impl GameServerState {
    async fn poll(&mut self) {
        sleep(self.pause).await;
        let Self { args: GameServerArgs { server, pace, probe, clock, reports }, heard, .. } = self;
        let asked_at = clock.now();
        let answer = tokio::select! {
            biased;
            // A probe that panics is a miss like any other.
            asked = AssertUnwindSafe(probe.ask()).catch_unwind() => {
                asked.unwrap_or_else(|_| Err(ProbeError::Unreadable("the probe panicked".to_owned())))
            }
            () = Patience::until(Instant::now() + pace.timeout) => Err(ProbeError::TimedOut),
        };
        self.pause = match &answer {
            _ if *heard => pace.interval,
            // All who were first asked within a second are asked all over the interval from now on.
            Ok(_) => phase_offset(*server, pace.interval),
            // A launch has a deadline for its first answer, however seldom the others are asked.
            Err(_) => pace.interval.min(UNHEARD_INTERVAL),
        };
        *heard |= answer.is_ok();
        if let Err(error) = &answer {
            tracing::debug!(%server, %error, "no health answer");
        }
        // Without a supervisor there is nobody to tell, and this actor ends with it.
        let _ = reports.send(HealthReport { server: *server, asked_at, answer });
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
