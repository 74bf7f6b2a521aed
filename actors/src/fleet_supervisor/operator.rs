//! What the operator wants of the fleet while it runs.

use ractor::{ActorProcessingErr, RpcReplyPort};

use super::{FleetState, answer, notes};
use crate::model::{MarginPolicy, Margins, Policy, PolicyError, Refused, Schedule, ServerId, Snapshot};
use crate::scaler_actor::ScalerMsg;

/// Other margins and limits than those of the configuration, each where it is set. None at all: those of the
/// configuration again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Below so many free and pending places the fleet grows.
    pub upscale_margin: Option<u32>,
    /// Above so many free places it shrinks.
    pub downscale_margin: Option<u32>,
    /// Servers that are kept available.
    pub min_servers: Option<u32>,
    /// Servers that are never exceeded.
    pub max_servers: Option<u32>,
}

/// Messages that wait in the mailboxes of the actors that there is one of, beside the supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backlogs {
    /// The scaler's.
    pub scaler: usize,
    /// The AWS actor's.
    pub aws: usize,
}

type ServerReply = RpcReplyPort<Result<Box<Snapshot>, Refused>>;

impl FleetState {
    pub(super) fn snapshot(&mut self) -> Box<Snapshot> {
        let snapshot = self.roster.snapshot(self.waiting.seats(), self.clock.now());
        Box::new(Snapshot { configured: self.configured.clone(), ..snapshot })
    }

    pub(super) fn backlogs(&self) -> Backlogs {
        Backlogs { scaler: self.scaler.as_ref().map_or(0, |scaler| scaler.depth()), aws: self.aws.depth() }
    }

    pub(super) async fn drain(&mut self, id: ServerId, reply_to: ServerReply) -> Result<(), ActorProcessingErr> {
        if reply_to.is_closed() {
            return Ok(());
        }
        let done = self.roster.drain(id, self.clock.now());
        self.settle("drain", id, done, reply_to).await
    }

    pub(super) async fn undrain(&mut self, id: ServerId, reply_to: ServerReply) -> Result<(), ActorProcessingErr> {
        if reply_to.is_closed() {
            return Ok(());
        }
        let done = self.roster.undrain(id, self.clock.now());
        self.settle("undrain", id, done, reply_to).await
    }

    async fn settle(
        &mut self,
        what: &'static str,
        id: ServerId,
        done: Result<(), Refused>,
        reply_to: ServerReply,
    ) -> Result<(), ActorProcessingErr> {
        let now = self.clock.now();
        self.journal.write(notes::by_hand_on(what, id, done, &self.roster), now);
        let snapshot = done.map(|()| self.snapshot());
        answer(reply_to, snapshot);
        self.give_orders();
        self.tell_scaler(ScalerMsg::Wake);
        self.follow_up().await
    }

    pub(super) fn pause(&mut self, paused: bool, reply_to: RpcReplyPort<Box<Snapshot>>) {
        if reply_to.is_closed() {
            return;
        }
        if paused != self.roster.is_paused() {
            self.roster.set_paused(paused);
            self.journal.write(notes::paused(paused), self.clock.now());
            tracing::warn!(paused, "the operator has a say in the scaling");
        }
        let snapshot = self.snapshot();
        answer(reply_to, snapshot);
        self.tell_scaler(ScalerMsg::Wake);
    }

    pub(super) fn set_margins(&mut self, limits: &Limits, reply_to: RpcReplyPort<Result<Box<Snapshot>, PolicyError>>) {
        if reply_to.is_closed() {
            return;
        }
        let from = if *limits == Limits::default() { &self.configured } else { self.roster.policy() };
        let by_hand = limits.upscale_margin.or(limits.downscale_margin).is_some();
        let policy = Policy {
            upscale_margin: limits.upscale_margin.unwrap_or(from.upscale_margin),
            downscale_margin: limits.downscale_margin.unwrap_or(from.downscale_margin),
            // Margins that are set by hand set themselves no more, nor does a schedule raise them, or quiet end them.
            margin_policy: if by_hand { MarginPolicy::Fixed } else { from.margin_policy },
            quiet_time: if by_hand { None } else { from.quiet_time },
            schedule: if by_hand { Schedule::default() } else { from.schedule.clone() },
            min_servers: limits.min_servers.unwrap_or(from.min_servers),
            max_servers: limits.max_servers.unwrap_or(from.max_servers),
            ..self.configured.clone()
        };
        let checked = policy.check();
        self.journal.write(notes::margins(&policy, checked.as_ref().err()), self.clock.now());
        if checked.is_ok() {
            tracing::warn!(?policy, "the operator has changed the margins, until the configuration is read again");
            self.set_policy(policy);
        }
        let snapshot = checked.map(|()| self.snapshot());
        answer(reply_to, snapshot);
    }

    /// The operator's service told other margins: they hold if its word is asked for, and nothing else changes.
    pub(super) fn told(&mut self, margins: Margins) {
        let before = self.roster.margins();
        self.roster.told(margins, self.clock.now());
        if self.roster.margins() != before {
            self.tell_scaler(ScalerMsg::Wake);
        }
    }

    /// The configuration was read again: what was changed by hand is over.
    pub(super) fn reload(&mut self, policy: Policy) {
        self.journal.write(notes::reloaded(&policy), self.clock.now());
        self.configured = policy.clone();
        self.set_policy(policy);
    }
}
