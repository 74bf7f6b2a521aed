//! The state of the fleet, as it is told at each scrape.

use actors::model::{Margins, PhaseCounts};
use prometheus::{Error, Gauge, GaugeVec};

use super::Metrics;
use super::fleet_gauges::{FleetGauges, Limits, Places, Serving};
use super::making::Making;

#[derive(Clone)]
pub(super) struct FleetMetrics {
    servers: GaugeVec,
    serving: GaugeVec,
    places: GaugeVec,
    players: Gauge,
    upscale_margin: Gauge,
    downscale_margin: Gauge,
    shadow: GaugeVec,
    min_servers: Gauge,
    max_servers: Gauge,
    paused: Gauge,
    ready: Gauge,
    cloud_fresh: Gauge,
    launches_in_flight: Gauge,
    launch_failures: Gauge,
}

impl FleetMetrics {
    pub(super) fn new(making: &Making) -> Result<Self, Error> {
        let places = "Places: free ones, those held for clients on their way, those of launches under way (pending), those \
                      of servers that owe an answer (doubtful), and those that clients wait for (waiting).";
        let upscale = "Free and pending places below which the fleet grows.";
        let downscale = "Free places above which the fleet shrinks.";
        let max = "Servers in all that the fleet never exceeds, launches included.";
        let fresh = "1 if the last complete look at the cloud is recent, else 0: nothing is scaled down then.";
        let failures = "Launches that failed since one last came to serve, or the manager started.";
        let metrics = Self {
            servers: making.gauges("servers", "Servers, by where they are in their lives.", &["phase"])?,
            serving: making.gauges(
                "serving_servers",
                "Servers available or on standby, by how they answer for their health.",
                &["condition"],
            )?,
            places: making.gauges("places", places, &["kind"])?,
            players: making.gauge("players", "Players, by what the servers last reported.")?,
            upscale_margin: making.gauge("upscale_margin_places", upscale)?,
            downscale_margin: making.gauge("downscale_margin_places", downscale)?,
            shadow: making.gauges(
                "shadow_margin_places",
                "The margins of the policy that is only watched; 0 without one.",
                &["margin"],
            )?,
            min_servers: making.gauge("min_servers", "Servers that are kept available.")?,
            max_servers: making.gauge("max_servers", max)?,
            paused: making.gauge("paused", "1 if the operator has paused the scaling, else 0.")?,
            ready: making.gauge("ready", "1 if the fleet supervisor answers and has seen all of the fleet, else 0.")?,
            cloud_fresh: making.gauge("cloud_fresh", fresh)?,
            launches_in_flight: making.gauge("launches_in_flight", "Servers on their way, asked for or launched.")?,
            launch_failures: making.gauge("launch_failures_in_a_row", failures)?,
        };
        metrics.set(&FleetGauges::default());
        Ok(metrics)
    }

    fn set(&self, fleet: &FleetGauges) {
        self.set_servers(fleet.servers, fleet.serving);
        self.set_places(fleet.places);
        self.players.set(fleet.players.into());
        let Limits { upscale_margin, downscale_margin, min_servers, max_servers, shadow } = fleet.limits;
        self.upscale_margin.set(upscale_margin.into());
        self.downscale_margin.set(downscale_margin.into());
        for (margin, of) in [("upscale", (|it| it.upscale) as fn(Margins) -> u32), ("downscale", |it| it.downscale)] {
            self.shadow.with_label_values(&[margin]).set(shadow.map_or(0.0, |shadow| of(shadow).into()));
        }
        self.min_servers.set(min_servers.into());
        self.max_servers.set(max_servers.into());
        self.paused.set(flag(fleet.paused));
        self.ready.set(flag(fleet.ready));
        self.cloud_fresh.set(flag(fleet.cloud_is_fresh));
        self.launches_in_flight.set(fleet.launches_in_flight.into());
        self.launch_failures.set(fleet.launch_failures_in_a_row.into());
    }

    fn set_servers(&self, servers: PhaseCounts, serving: Serving) {
        let PhaseCounts { booting, joined, placed, starting, available, standby, closing } = servers;
        for (phase, servers) in [
            ("booting", booting),
            ("joined", joined),
            ("placed", placed),
            ("starting", starting),
            ("available", available),
            ("standby", standby),
            ("closing", closing),
        ] {
            self.servers.with_label_values(&[phase]).set(servers.into());
        }
        let Serving { answering, doubtful, silent } = serving;
        for (condition, servers) in [("answering", answering), ("doubtful", doubtful), ("silent", silent)] {
            self.serving.with_label_values(&[condition]).set(servers.into());
        }
    }

    fn set_places(&self, places: Places) {
        let Places { free, held, pending, doubtful, waiting } = places;
        for (kind, places) in
            [("free", free), ("held", held), ("pending", pending), ("doubtful", doubtful), ("waiting", waiting)]
        {
            self.places.with_label_values(&[kind]).set(places.into());
        }
    }
}

impl Metrics {
    /// The fleet is so at this scrape.
    pub fn fleet(&self, fleet: &FleetGauges) {
        self.fleet.set(fleet);
    }

    /// The supervisor does not answer at this scrape. What it said before is left as it was: unknown is not empty.
    pub fn fleet_is_unknown(&self) {
        self.fleet.ready.set(flag(false));
    }
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}
