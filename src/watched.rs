//! What follows from the configuration and is watched by those who go by it.

use tokio::sync::watch::{self, Receiver, Sender};

use crate::config::Settings;
use crate::http::{AnswerRules, ConnectionRules, DoorRules, RateRules, Tokens};
use crate::webhook::WebhookRules;
use crate::{open_files, policy};

/// The side that tells of changes.
pub struct Telling {
    answers: Sender<AnswerRules>,
    connections: Sender<ConnectionRules>,
    operator_connections: Sender<ConnectionRules>,
    door: Sender<DoorRules>,
    rate: Sender<RateRules>,
    operators: Sender<Option<Tokens>>,
    webhook: Sender<Option<WebhookRules>>,
    /// So many files and sockets may be open.
    open_files: u64,
}

/// The side that hears of them.
#[derive(Clone)]
pub struct Watched {
    /// How clients are answered.
    pub answers: Receiver<AnswerRules>,
    /// How clients' connections are kept.
    pub connections: Receiver<ConnectionRules>,
    /// How operators' connections are kept.
    pub operator_connections: Receiver<ConnectionRules>,
    /// Which clients are let in.
    pub door: Receiver<DoorRules>,
    /// How often they may ask.
    pub rate: Receiver<RateRules>,
    /// What operators must show.
    pub operators: Receiver<Option<Tokens>>,
    /// Whom to ask for margins.
    pub webhook: Receiver<Option<WebhookRules>>,
}

/// Both sides, as the settings have it.
pub fn watch(settings: &Settings) -> (Telling, Watched) {
    let open_files = open_files::raise();
    let fitting = fitting_rules(settings, open_files);
    let (answers, watched_answers) = watch::channel(policy::answer_rules(settings, fitting.max_connections));
    let (connections, watched_connections) = watch::channel(fitting);
    let (operator_connections, watched_operator_connections) =
        watch::channel(policy::operator_connection_rules(settings));
    let (door, watched_door) = watch::channel(policy::door_rules(settings));
    let (rate, watched_rate) = watch::channel(policy::rate_rules(settings));
    let (operators, watched_operators) = watch::channel(policy::operations_token(settings));
    let (webhook, watched_webhook) = watch::channel(policy::webhook_rules(settings));
    let watched = Watched {
        answers: watched_answers,
        connections: watched_connections,
        operator_connections: watched_operator_connections,
        door: watched_door,
        rate: watched_rate,
        operators: watched_operators,
        webhook: watched_webhook,
    };
    (Telling { answers, connections, operator_connections, door, rate, operators, webhook, open_files }, watched)
}

impl Telling {
    /// Tells of other settings.
    pub fn tell(&self, settings: &Settings) {
        let fitting = fitting_rules(settings, self.open_files);
        self.answers.send_replace(policy::answer_rules(settings, fitting.max_connections));
        self.connections.send_replace(fitting);
        self.operator_connections.send_replace(policy::operator_connection_rules(settings));
        self.door.send_replace(policy::door_rules(settings));
        self.rate.send_replace(policy::rate_rules(settings));
        self.webhook.send_replace(policy::webhook_rules(settings));
        let wanted = policy::operations_token(settings);
        // Whoever was let in is asked again when it has changed, and not for nothing.
        self.operators.send_if_modified(|token| {
            let changes = *token != wanted;
            *token = wanted;
            changes
        });
    }
}

/// How clients' connections are kept, and no more of them than there can be.
fn fitting_rules(settings: &Settings, open_files: u64) -> ConnectionRules {
    let left = open_files::left_for_clients(open_files, settings);
    let wanted = u64::from(settings.http.max_connections);
    if left < wanted {
        let needed = open_files::needed_for(wanted, settings);
        tracing::warn!(
            "http.max_connections is {wanted}, and only {left} fit in the limit of {open_files} open files: set it to \
             {left} at most, or raise that limit to {needed} (LimitNOFILE={needed}, ulimit -n {needed})"
        );
    }
    policy::connection_rules(settings, left)
}
