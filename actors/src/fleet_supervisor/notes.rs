//! What happened, in the words of the log and of the journal.

use std::time::Duration;

use tracing::field::{debug, display};

use crate::journal::{Basis, Draft, Source, what};
use crate::model::{
    Action, Exhausted, Figures, LaunchOrder, Note, Outcome, Policy, PolicyError, Refused, Revision, RolloutNote,
    Roster, Server, ServerId, Step, Subject, Timestamp,
};

/// Something that the scaler decided; not yet whether it was done.
pub(super) fn decision(step: Step, figures: &Figures, roster: &Roster) -> Draft {
    let Step { action, rule } = step;
    let why = format!("by the rule {}", rule.name());
    let text = match action {
        Action::Launch(count) => format!("launch {count} more, {why}"),
        Action::TakeBack(id) => format!("{id} takes players again, {why}"),
        Action::Standby(id) | Action::Retreat(id) => format!("{id} takes no more players, {why}"),
        Action::Close(id, reason) => format!("end {id}: {}", reason.name()),
    };
    let draft = Draft::new(Source::Decision, action.name(), text);
    let draft = Draft { rule: Some(rule.name()), basis: Some(Basis::new(*figures, roster.margins())), ..draft };
    match action.server() {
        Some(id) => about(draft, id, roster),
        None => draft,
    }
}

/// What the cloud answered to an order, after so long.
pub(super) fn order(outcome: &Outcome, took: Duration, roster: &Roster) -> Draft {
    let draft = |what, text| Draft::new(Source::Order, what, text);
    let draft = match outcome {
        Outcome::Launched { order, result } => {
            let made = result.as_deref().unwrap_or_default();
            let made: Vec<&str> = made.iter().map(crate::model::InstanceId::as_str).collect();
            let made = if made.is_empty() { String::new() } else { format!(": {}", made.join(", ")) };
            let instances = if order.count == 1 { "instance" } else { "instances" };
            let LaunchOrder { ordinal, count, pool } = order;
            let text = format!("launch number {ordinal}: {count} {instances} of pool {pool}{made}");
            Draft { launch: Some(order.ordinal), ..draft(what::LAUNCH, text) }
        }
        Outcome::Placed { order, .. } => {
            let text = format!("place {} on {} for {}", order.revision, order.instance, order.server);
            about(draft(what::PLACE, text), order.server, roster)
        }
        Outcome::Recorded { server, role, .. } => {
            about(draft("record", format!("record {server} as {}", role.name())), *server, roster)
        }
        Outcome::RolloutRecorded { revision, state, .. } => {
            draft("record", format!("record the rollout of {revision} as {}", state.name()))
        }
        Outcome::Closed { servers, .. } => {
            let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
            let draft = draft("close", format!("stop the tasks and terminate the instances of {}", names.join(", ")));
            match servers[..] {
                [server] => about(draft, server, roster),
                _ => draft,
            }
        }
    };
    Draft { refused: outcome.error().map(ToString::to_string), took: Some(took), ..draft }
}

/// Something that happened.
pub(super) fn event(note: Note, now: Timestamp) -> Draft {
    let draft = |what, text| Draft::new(Source::Event, what, text);
    match note {
        Note::Appeared { subject, phase } => {
            draft("appeared", format!("{} appeared, {phase}", subject.server)).about(subject)
        }
        Note::Moved { subject, from, to } => {
            draft("moved", format!("{} was {from} and is {to}", subject.server)).about(subject)
        }
        Note::Launched { subject, lead_time } => {
            let draft = draft(what::LAUNCHED, format!("{} came to serve after {lead_time}", subject.server));
            Draft { took: Some(lead_time.total), lead_time: Some(lead_time), ..draft.about(subject) }
        }
        Note::NotLaunched { subject, reached, after } => {
            let text = format!("{} did not come to serve: it was {reached}", subject.server);
            Draft { took: after, ..draft(what::NOT_LAUNCHED, text).about(subject) }
        }
        Note::Shared(subject) => {
            let text = "somebody else's task runs on its instance: it is not terminated".to_owned();
            draft("shared", text).about(subject)
        }
        Note::Rollout { revision, what } => draft("rollout", rollout_text(&revision, what)),
        Note::NoCapacity(Exhausted { pool, until, next }) => {
            let then = next.map_or_else(|| "launches wait".to_owned(), |next| format!("pool {next} is asked"));
            let text = format!("pool {pool} gives no instances, again in {:?}: {then}", until.since(now));
            draft("no-capacity", text)
        }
        Note::Impossible { subject, refused } => draft("impossible", refused.to_string()).about(subject),
    }
}

/// What the operator did to a server, or tried.
pub(super) fn by_hand_on(what: &'static str, server: ServerId, done: Result<(), Refused>, roster: &Roster) -> Draft {
    let draft = about(Draft::new(Source::Operator, what, format!("{what} {server}")), server, roster);
    Draft { refused: done.err().map(|refused| refused.to_string()), ..draft }
}

/// The scaling stands still, or goes on.
pub(super) fn paused(paused: bool) -> Draft {
    let (what, text) =
        if paused { ("pause", "nothing is decided any more") } else { ("resume", "the scaling goes on") };
    Draft::new(Source::Operator, what, text.to_owned())
}

/// Other margins, if they hold together.
pub(super) fn margins(policy: &Policy, refused: Option<&PolicyError>) -> Draft {
    let draft = Draft::new(Source::Operator, "margins", format!("set by hand: {}", wanted(policy)));
    Draft { refused: refused.map(ToString::to_string), ..draft }
}

/// The configuration was read again, and was another one.
pub(super) fn reloaded(policy: &Policy) -> Draft {
    Draft::new(Source::Operator, "reload", format!("the configuration was read again: {}", wanted(policy)))
}

fn wanted(policy: &Policy) -> String {
    let Policy { upscale_margin, downscale_margin, min_servers, max_servers, .. } = policy;
    format!(
        "upscale margin {upscale_margin}, downscale margin {downscale_margin}, {min_servers} to {max_servers} servers"
    )
}

fn about(draft: Draft, server: ServerId, roster: &Roster) -> Draft {
    let gone = || Subject { server, instance: None, launch: None };
    draft.about(roster.server(server).map_or_else(gone, Server::subject))
}

fn rollout_text(revision: &Revision, what: RolloutNote) -> String {
    match what {
        RolloutNote::Began => format!("the rollout of {revision} began"),
        RolloutNote::Paused => format!("the rollout of {revision} was paused"),
        RolloutNote::Resumed => format!("the rollout of {revision} goes on"),
        RolloutNote::RolledBack => format!("the rollout of {revision} was rolled back by hand"),
        RolloutNote::Failed(servers) => format!("the rollout of {revision} failed: {servers} of its servers did"),
        RolloutNote::Tried => format!("{revision} is tried next"),
        RolloutNote::Done => format!("the rollout of {revision} is done"),
    }
}

/// Writes a line to the log.
pub(super) fn log(note: &Note, now: Timestamp) {
    match note {
        Note::Appeared { subject: Subject { server, instance, launch }, phase } => {
            let (instance, launch) = (instance.as_ref().map(display), launch.map(display));
            tracing::info!(%server, instance, launch, phase = phase.name(), "a server appeared");
        }
        Note::Moved { subject: Subject { server, instance, launch }, from, to } => {
            let (instance, launch) = (instance.as_ref().map(display), launch.map(display));
            tracing::info!(%server, instance, launch, from = from.name(), to = %to, "a server moved on");
        }
        Note::Launched { subject: Subject { server, instance, launch }, lead_time } => {
            let (instance, launch) = (instance.as_ref().map(display), launch.map(display));
            tracing::info!(%server, instance, launch, %lead_time, "a launch came to serve");
        }
        Note::NotLaunched { subject: Subject { server, instance, launch }, reached, after } => {
            let (instance, launch) = (instance.as_ref().map(display), launch.map(display));
            let (reached, after) = (reached.name(), after.map(debug));
            tracing::warn!(%server, instance, launch, reached, after, "a launch did not come to serve");
        }
        Note::Shared(Subject { server, instance, .. }) => tracing::error!(
            %server,
            instance = instance.as_ref().map(display),
            "somebody else's task runs on an instance of the fleet: no game is placed there, and it is not terminated"
        ),
        Note::Rollout { revision, what } => log_rollout(revision, *what),
        Note::NoCapacity(Exhausted { pool, until, next }) => {
            let again_in = until.since(now);
            match next {
                Some(next) => {
                    tracing::warn!(%pool, ?again_in, %next, "a pool gives no instances: the next one is asked")
                }
                None => tracing::error!(%pool, ?again_in, "no pool gives instances: launches wait"),
            }
        }
        Note::Impossible { subject, refused } => tracing::warn!(server = %subject.server, %refused, "impossible"),
    }
}

fn log_rollout(revision: &Revision, what: RolloutNote) {
    match what {
        RolloutNote::Began => tracing::info!(%revision, "a rollout began: servers of other revisions are replaced"),
        RolloutNote::Paused => tracing::info!(%revision, "the rollout was paused"),
        RolloutNote::Resumed => tracing::info!(%revision, "the rollout goes on"),
        RolloutNote::RolledBack => tracing::warn!(%revision, "the rollout was rolled back by hand"),
        RolloutNote::Failed(servers) => tracing::error!(
            %revision,
            servers,
            "the rollout failed and is rolled back: its servers did not come to serve, or died"
        ),
        RolloutNote::Tried => tracing::error!(
            %revision,
            "servers of what was tried before do not come to serve: this revision is tried next"
        ),
        RolloutNote::Done => tracing::info!(%revision, "the rollout is done: all available servers run it"),
    }
}
