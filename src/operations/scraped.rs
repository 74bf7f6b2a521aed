//! What Prometheus reads.

use actors::fleet_supervisor::FleetMsg;
use tokio::sync::watch;
use warp::http::{Response, StatusCode};
use warp::hyper::body::Bytes;

use crate::api;
use crate::http::{ConnectionRules, Fleet, OpenConnections};
use crate::metrics::{self, FleetGauges, Metrics};

/// The metrics, and what they are told at a scrape.
#[derive(Clone)]
pub struct Scraped {
    /// What was counted.
    pub metrics: Metrics,
    /// The connections of clients.
    pub open: OpenConnections,
    /// How many there may be.
    pub rules: watch::Receiver<ConnectionRules>,
}

impl Scraped {
    /// All metrics, as they are now.
    pub(super) async fn scrape(&self, fleet: &Fleet) -> Response<Bytes> {
        self.metrics.supervisor_backlog(fleet.backlog());
        if let Ok(backlogs) = fleet.ask(FleetMsg::Backlogs).await {
            self.metrics.backlogs(backlogs);
        }
        match fleet.ask(FleetMsg::Snapshot).await {
            Ok(snapshot) => self.metrics.fleet(&FleetGauges::from(&*snapshot)),
            // A scrape that failed would tell nothing of why.
            Err(_) => self.metrics.fleet_is_unknown(),
        }
        self.metrics.connections_open(self.open.count());
        self.metrics.connections_allowed(self.rules.borrow().max_connections);
        api::body(StatusCode::OK, metrics::CONTENT_TYPE, self.metrics.render())
    }
}
