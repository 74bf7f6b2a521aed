//! Clients' connections.

use prometheus::{Error, Gauge};

use super::Metrics;
use super::making::Making;

#[derive(Clone)]
pub(super) struct ConnectionMetrics {
    open: Gauge,
    allowed: Gauge,
}

impl ConnectionMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let open = making.gauge("http_connections", "Connections of clients that are open.")?;
        let help = "Connections of clients that may be open at once: http.max_connections, or what fits in the limit on \
                    open files.";
        Ok(Self { open, allowed: making.gauge("http_max_connections", help)? })
    }
}

impl Metrics {
    /// So many are open now.
    pub fn connections_open(&self, connections: usize) {
        self.connections.open.set(connections as f64);
    }

    /// So many may be open from now on.
    pub fn connections_allowed(&self, connections: usize) {
        self.connections.allowed.set(connections as f64);
    }
}
