//! Asking the supervisor, with a time limit. When it does not answer, the backup stands in.

use std::time::Duration;

use actors::fleet_supervisor::{FleetMsg, FleetRef};
use actors::model::Address;
use ractor::RpcReplyPort;
use ractor::rpc::CallResult;
use tokio::sync::watch;

/// How clients are answered; the operator may change it while the daemon runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerRules {
    /// Where clients go when no place is free.
    pub backup: Address,
    /// How long the supervisor may take.
    pub timeout: Duration,
}

/// The fleet, as the handlers see it.
#[derive(Clone)]
pub struct Fleet {
    supervisor: FleetRef,
    rules: watch::Receiver<AnswerRules>,
}

impl Fleet {
    /// Asks this supervisor, by these rules.
    pub const fn new(supervisor: FleetRef, rules: watch::Receiver<AnswerRules>) -> Self {
        Self { supervisor, rules }
    }

    /// Where the client is to play; the place is held for it.
    pub async fn allocate(&self) -> Address {
        self.ask(FleetMsg::Allocate).await.flatten().unwrap_or_else(|| self.backup())
    }

    /// Where a client would be sent; nothing is held.
    pub async fn peek(&self) -> Address {
        self.ask(FleetMsg::Peek).await.flatten().unwrap_or_else(|| self.backup())
    }

    /// The available servers; the backup alone while they are not known.
    pub async fn list(&self) -> Vec<Address> {
        self.ask(FleetMsg::List).await.flatten().unwrap_or_else(|| vec![self.backup()])
    }

    /// Whether the cloud was looked at, completely, at least once. None if the supervisor does not answer.
    pub async fn is_ready(&self) -> Option<bool> {
        self.ask(FleetMsg::Ready).await
    }

    fn backup(&self) -> Address {
        self.rules.borrow().backup.clone()
    }

    async fn ask<T: Send + 'static>(&self, question: impl FnOnce(RpcReplyPort<T>) -> FleetMsg) -> Option<T> {
        let limit = self.rules.borrow().timeout;
        match self.supervisor.call(question, Some(limit)).await {
            Ok(CallResult::Success(answer)) => return Some(answer),
            Ok(CallResult::Timeout) => tracing::warn!(?limit, "the fleet does not answer in time"),
            Ok(CallResult::SenderError) | Err(_) => tracing::error!("the fleet does not answer: it is gone"),
        }
        None
    }
}
