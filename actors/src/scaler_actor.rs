//! Turns a view of the fleet into a decision, with a pure function, at its own pace and when it is woken.

use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::fleet_supervisor::{FleetMsg, FleetRef};
use crate::mailbox::{Backlog, Mailbox};
use crate::model::{Decision, Figures, FleetView, Policy, decide};
use crate::ports::Clock;

/// Between two decisions at least: a rush of clients wakes the scaler with every one of them.
const SPACING: Duration = Duration::from_millis(50);

/// The scaler actor.
pub type ScalerRef = Mailbox<ScalerMsg>;

/// What the scaler actor is told.
#[derive(Debug)]
pub enum ScalerMsg {
    /// It is time to decide.
    Tick,
    /// Capacity fell below the margin: decide at once.
    Wake,
    /// The view that was asked for, and what the operator wants. None while the cloud was not looked at yet.
    Decide(Option<Box<(FleetView, Policy)>>),
}

/// What the scaler actor is made of.
pub struct ScalerArgs {
    /// Whom a view is asked of, and who is told what was decided.
    pub fleet: FleetRef,
    /// What time it is.
    pub clock: Clock,
    /// Between two decisions when nobody wakes it.
    pub interval: Duration,
    /// Until the first decision.
    pub begins_after: Duration,
}

impl ScalerActor {
    /// Starts one under this supervisor.
    pub async fn spawn(args: ScalerArgs, supervisor: ActorCell) -> Result<ScalerRef, SpawnErr> {
        let backlog = Backlog::default();
        let (actor, _) = Actor::spawn_linked(None, Self, (args, backlog.clone()), supervisor).await?;
        Ok(Mailbox::new(actor, backlog))
    }
}

/// What the scaler actor keeps.
pub struct ScalerState {
    me: ScalerRef,
    args: ScalerArgs,
    /// The wait for the next tick; none while a view is asked for.
    tick: Option<JoinHandle<()>>,
    /// Woken while a view was asked for: that view may be too old.
    woken: bool,
    decided_at: Option<Instant>,
    /// Most of the fleet was silent at the last decision.
    blind: bool,
}

/// The actor.
pub struct ScalerActor;

impl Actor for ScalerActor {
    type Msg = ScalerMsg;
    type State = ScalerState;
    type Arguments = (ScalerArgs, Backlog);

    async fn pre_start(
        &self,
        me: ActorRef<ScalerMsg>,
        (args, backlog): (ScalerArgs, Backlog),
    ) -> Result<ScalerState, ActorProcessingErr> {
        let begins_after = args.begins_after;
        let mut state = ScalerState {
            me: Mailbox::new(me, backlog),
            args,
            tick: None,
            woken: false,
            decided_at: None,
            blind: false,
        };
        state.tick_after(begins_after);
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<ScalerMsg>,
        msg: ScalerMsg,
        state: &mut ScalerState,
    ) -> Result<(), ActorProcessingErr> {
        state.me.take_one();
        match msg {
            ScalerMsg::Tick => state.look(),
            ScalerMsg::Wake => state.wake(),
            ScalerMsg::Decide(seen) => state.decide(seen),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<ScalerMsg>, state: &mut ScalerState) -> Result<(), ActorProcessingErr> {
        if let Some(tick) = state.tick.take() {
            tick.abort();
        }
        Ok(())
    }
}

impl ScalerState {
    fn tick_after(&mut self, pause: Duration) {
        if let Some(tick) = self.tick.take() {
            tick.abort();
        }
        let me = self.me.clone();
        self.tick = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // An actor that is gone decides nothing.
            let _ = me.cast(ScalerMsg::Tick);
        }));
    }

    fn look(&mut self) {
        self.tick = None;
        self.woken = false;
        // Without a supervisor this actor ends with it.
        let _ = self.args.fleet.cast(FleetMsg::Look);
    }

    fn wake(&mut self) {
        if self.tick.is_none() {
            self.woken = true;
        } else {
            self.tick_after(self.spacing_left());
        }
    }

    fn decide(&mut self, seen: Option<Box<(FleetView, Policy)>>) {
        if let Some((view, policy)) = seen.map(|seen| *seen) {
            self.args.interval = policy.health_interval;
            let decision = decide(&view, &policy, self.args.clock.now());
            log(&decision);
            self.tell_of_silence(&decision.figures);
            let _ = self.args.fleet.cast(FleetMsg::Commit(decision));
        }
        self.decided_at = Some(Instant::now());
        let pause = if self.woken { SPACING } else { self.args.interval };
        self.tick_after(pause);
    }

    /// Once when it begins and once when it is over.
    fn tell_of_silence(&mut self, figures: &Figures) {
        let (serving, silent) = (figures.serving, figures.silent);
        match (self.blind, figures.is_blind()) {
            (false, true) => tracing::error!(
                serving,
                silent,
                "most of the fleet is silent, so the fault is more likely here: nothing is closed for it"
            ),
            (true, false) => tracing::info!(serving, silent, "most of the fleet answers again, or is gone"),
            _ => {}
        }
        self.blind = figures.is_blind();
    }

    fn spacing_left(&self) -> Duration {
        self.decided_at.map_or(Duration::ZERO, |decided_at| SPACING.saturating_sub(decided_at.elapsed()))
    }
}

/// One event a decision, with its numbers; what changes nothing is of interest only to who looks closely.
fn log(decision: &Decision) {
    let figures = &decision.figures;
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                actions = ?decision.actions().collect::<Vec<_>>(),
                servers = figures.servers,
                available = figures.available,
                standby = figures.standby,
                launching = figures.launching,
                silent = figures.silent,
                free = figures.free,
                pending = figures.pending,
                doubtful = figures.doubtful,
                "decision"
            )
        };
    }
    if decision.steps.is_empty() {
        event!(trace);
    } else {
        event!(info);
    }
}
