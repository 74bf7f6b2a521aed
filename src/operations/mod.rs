//! The operations API: the eyes and hands of whoever runs the fleet, on a listener of its own.

mod entries;
mod events;
mod gate;
mod handlers;
mod history;
mod page;
mod routes;
mod scraped;
mod shown;

use std::convert::Infallible;
use std::sync::Arc;

use actors::fleet_supervisor::FleetMsg;
use actors::journal::Entry as Written;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub use entries::Entry;
pub use gate::Gate;
pub use routes::{document, routes};
pub use scraped::Scraped;
pub use shown::Daemon;

use crate::http;
use history::History;

/// What the operations API is made of.
#[derive(Clone)]
pub struct Operations {
    fleet: http::Fleet,
    scraped: Scraped,
    daemon: Arc<Daemon>,
    gate: Gate,
    history: History,
    journal: broadcast::Sender<Arc<Written>>,
    shutdown: CancellationToken,
}

impl Operations {
    /// Over a fleet whose journal is followed there. Streams end with `shutdown`.
    pub fn new(
        fleet: http::Fleet,
        scraped: Scraped,
        daemon: Daemon,
        gate: Gate,
        journal: broadcast::Sender<Arc<Written>>,
        shutdown: CancellationToken,
    ) -> Self {
        Self { fleet, scraped, daemon: Arc::new(daemon), gate, history: History::default(), journal, shutdown }
    }

    /// Keeps the history up, for ever.
    pub async fn remember(self) -> Infallible {
        let mut ticks = tokio::time::interval(history::INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Ok(snapshot) = self.fleet.ask(FleetMsg::Snapshot).await
                && snapshot.observed_at.is_some()
            {
                self.history.take(&snapshot);
            }
        }
    }
}
