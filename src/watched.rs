//! What follows from the configuration and is watched by those who go by it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch::{self, Receiver, Sender};

use crate::config::Settings;
use crate::http::{AnswerRules, ConnectionRules, DoorRules, RateRules, Tokens};
use crate::webhook::WebhookRules;
use crate::{open_files, policy};

/// The side that tells of changes.
pub struct Telling {
    answers: Arc<ArcSwap<AnswerRules>>,
    connections: Sender<ConnectionRules>,
    operator_connections: Sender<ConnectionRules>,
    door: Arc<ArcSwap<DoorRules>>,
    rate: Arc<ArcSwap<RateRules>>,
    operators: Sender<Option<Tokens>>,
    webhook: Sender<Option<WebhookRules>>,
    /// So many files and sockets may be open.
    open_files: u64,
}

/// The side that hears of them. What is read for each request and waited for by nobody is no channel: to read one takes a
/// lock, which the threads that answer would hand to and fro.
#[derive(Clone)]
pub struct Watched {
    /// How clients are answered.
    pub answers: Arc<ArcSwap<AnswerRules>>,
    /// How clients' connections are kept.
    pub connections: Receiver<ConnectionRules>,
    /// How operators' connections are kept.
    pub operator_connections: Receiver<ConnectionRules>,
    /// Which clients are let in.
    pub door: Arc<ArcSwap<DoorRules>>,
    /// How often they may ask.
    pub rate: Arc<ArcSwap<RateRules>>,
    /// What operators must show.
    pub operators: Receiver<Option<Tokens>>,
    /// Whom to ask for margins.
    pub webhook: Receiver<Option<WebhookRules>>,
}

/// Both sides, as the settings have it.
pub fn watch(settings: &Settings) -> (Telling, Watched) {
    let open_files = open_files::raise();
    let fitting = fitting_rules(settings, open_files);
    let answers = Arc::new(ArcSwap::from_pointee(policy::answer_rules(settings, fitting.max_connections)));
    let (connections, watched_connections) = watch::channel(fitting);
    let (operator_connections, watched_operator_connections) =
        watch::channel(policy::operator_connection_rules(settings));
    let door = Arc::new(ArcSwap::from_pointee(policy::door_rules(settings)));
    let rate = Arc::new(ArcSwap::from_pointee(policy::rate_rules(settings)));
    let (operators, watched_operators) = watch::channel(policy::operations_token(settings));
    let (webhook, watched_webhook) = watch::channel(policy::webhook_rules(settings));
    let watched = Watched {
        answers: Arc::clone(&answers),
        connections: watched_connections,
        operator_connections: watched_operator_connections,
        door: Arc::clone(&door),
        rate: Arc::clone(&rate),
        operators: watched_operators,
        webhook: watched_webhook,
    };
    (Telling { answers, connections, operator_connections, door, rate, operators, webhook, open_files }, watched)
}

impl Telling {
    /// Tells of other settings.
    pub fn tell(&self, settings: &Settings) {
        let fitting = fitting_rules(settings, self.open_files);
        self.answers.store(Arc::new(policy::answer_rules(settings, fitting.max_connections)));
        self.connections.send_replace(fitting);
        self.operator_connections.send_replace(policy::operator_connection_rules(settings));
        self.door.store(Arc::new(policy::door_rules(settings)));
        self.rate.store(Arc::new(policy::rate_rules(settings)));
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
