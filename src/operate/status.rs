//! `status`: the fleet at a glance.

use std::time::SystemTime;

use clap::builder::styling::Style;

use super::margins;
use super::screen::{BAD, COLUMNS, GOOD, HEAD, NOTABLE, PLAIN, Paint, fit, plain, since, span};
use super::table::{Cell, Side, Table};
use super::told::{Fleet, Shadow};

/// How far what is told of something stands from the left.
const LABEL: usize = 10;

/// The fleet in 80 columns.
pub(super) fn render(fleet: &Fleet, paint: Paint) -> String {
    let now = humantime::parse_rfc3339(&fleet.now).unwrap_or_else(|_| SystemTime::now());
    let up = span(since(&fleet.started_at, now));
    let of = format!("{} on {}, manager {}, up {up}", fleet.name, fleet.cloud, fleet.version);
    let (state, style) = state(fleet);
    let mut told = line("FLEET", &of, PLAIN, paint) + &line("STATE", state, style, paint);
    let (cloud, style) = cloud(fleet, now);
    told += &line("CLOUD", &cloud, style, paint);
    if let Some(rollout) = &fleet.rollout {
        let come_to = format!("{}, {}; servers failed: {}", rollout.revision, rollout.state, rollout.failures);
        let style = if rollout.state == "active" { PLAIN } else { NOTABLE };
        told += &line("ROLLOUT", &come_to, style, paint);
        // Two revisions have no room in one line.
        if let Some(starts) = rollout.starts.as_ref().filter(|starts| **starts != rollout.revision) {
            told += &line("STARTS", starts, NOTABLE, paint);
        }
    }
    if let Some(blocked) = &fleet.launches.blocked {
        let until = blocked.until.as_ref().map_or_else(String::new, |until| format!(", until {}", time_of_day(until)));
        told += &line("BLOCKED", &format!("{}{until}", blocked.reason), NOTABLE, paint);
    }
    if let Some(shadow) = &fleet.shadow {
        let Shadow { policy, upscale_margin, downscale_margin, launches, standby } = shadow;
        let would = format!(
            "{policy}: margins {upscale_margin} to {downscale_margin}, would launch {launches} and empty {standby} now"
        );
        told += &line("SHADOW", &would, PLAIN, paint);
    }
    let (servers, places, launches) = (&fleet.servers, &fleet.capacity, &fleet.launches);
    let phases = [
        ("booting", servers.booting),
        ("joined", servers.joined),
        ("placed", servers.placed),
        ("starting", servers.starting),
        ("available", servers.available),
        ("standby", servers.standby),
        ("closing", servers.closing),
    ];
    let places = [
        ("free", places.free),
        ("held", places.held),
        ("pending", places.pending),
        ("doubtful", places.doubtful),
        ("waiting", places.waiting),
        ("players", places.players),
    ];
    let launches =
        [("requested", launches.requested), ("in flight", launches.in_flight), ("failures", launches.failures)];
    let tables = [
        figures("SERVERS", &phases),
        figures("PLACES", &places),
        figures("LAUNCHES", &launches),
        margins::table(&fleet.margins, LABEL - 2),
    ];
    tables.iter().fold(told, |told, table| told + "\n" + &table.render(paint))
}

fn state(fleet: &Fleet) -> (&'static str, Style) {
    match (fleet.ready, fleet.paused) {
        (_, true) => ("paused: nothing is launched, emptied or closed before a resume", NOTABLE),
        (false, false) => ("starting: the first look at the cloud is not complete", NOTABLE),
        (true, false) => ("ready", GOOD),
    }
}

fn cloud(fleet: &Fleet, now: SystemTime) -> (String, Style) {
    match &fleet.observed_at {
        None => ("not seen yet".to_owned(), NOTABLE),
        Some(at) if fleet.cloud_is_fresh => (format!("seen {} ago", span(since(at, now))), PLAIN),
        Some(at) => (format!("not seen for {}: nothing is scaled down", span(since(at, now))), BAD),
    }
}

fn line(label: &str, text: &str, style: Style, paint: Paint) -> String {
    let label = paint.paint(HEAD, label) + &" ".repeat(LABEL.saturating_sub(label.len()));
    format!("{label}{}\n", paint.paint(style, &fit(&plain(text), COLUMNS - LABEL)))
}

fn figures(label: &str, figures: &[(&str, u32)]) -> Table {
    let heads: Vec<_> =
        [(label, Side::Left)].into_iter().chain(figures.iter().map(|(h, _)| (*h, Side::Right))).collect();
    let mut table = Table::new(&heads).first_column(LABEL - 2);
    table.row([Cell::from("")].into_iter().chain(figures.iter().map(|(_, figure)| Cell::from(*figure))));
    table
}

/// Of a moment of the API, to the second.
fn time_of_day(moment: &str) -> String {
    moment.get(11..19).map_or_else(|| moment.to_owned(), |time| format!("{time}Z"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fleet(change: impl FnOnce(&mut Value)) -> Fleet {
        let mut fleet = json!({
            "version": "0.1.0", "name": "playlivechess", "cloud": "ecs",
            "now": "2026-11-25T12:00:02.500Z", "started_at": "2026-11-25T08:48:02.000Z",
            "ready": true, "paused": false,
            "servers": {
                "booting": 0, "joined": 0, "placed": 0, "starting": 1, "available": 3, "standby": 1, "closing": 0
            },
            "capacity": {"free": 11, "held": 1, "pending": 6, "doubtful": 0, "waiting": 0, "players": 7},
            "margins": {
                "upscale_margin": 4, "downscale_margin": 14, "server_capacity": 6, "min_servers": 1, "max_servers": 10,
                "changed": false,
                "configured": {"upscale_margin": 4, "downscale_margin": 14, "min_servers": 1, "max_servers": 10}
            },
            "launches": {"requested": 0, "in_flight": 1, "failures": 0, "blocked": null},
            "rollout": {"revision": "game:10", "state": "active", "failures": 0, "starts": "game:10"},
            "observed_at": "2026-11-25T12:00:00.000Z", "cloud_is_fresh": true
        });
        change(&mut fleet);
        serde_json::from_value(fleet).expect("a fleet")
    }

    #[test]
    fn the_fleet_is_told_at_a_glance() {
        let expected = "\
FLEET     playlivechess on ecs, manager 0.1.0, up 3h12m
STATE     ready
CLOUD     seen 2s ago
ROLLOUT   game:10, active; servers failed: 0

SERVERS   booting  joined  placed  starting  available  standby  closing
                0       0       0         1          3        1        0

PLACES    free  held  pending  doubtful  waiting  players
            11     1        6         0        0        7

LAUNCHES  requested  in flight  failures
                  0          1         0

MARGINS   upscale  downscale  min servers  max servers  server capacity
                4         14            1           10                6
";
        assert_eq!(render(&fleet(|_| {}), Paint::NONE), expected);
    }

    #[test]
    fn what_an_operator_should_know_is_told_first() {
        let told = render(
            &fleet(|fleet| {
                fleet["paused"] = json!(true);
                fleet["cloud_is_fresh"] = json!(false);
                let blocked = json!({"reason": "the last launches failed", "until": "2026-11-25T12:00:32.000Z"});
                fleet["launches"]["blocked"] = blocked;
                fleet["rollout"]["state"] = json!("rolled-back");
                fleet["rollout"]["starts"] = json!("game:9");
            }),
            Paint::NONE,
        );
        let top = told.split("\n\n").next().expect("the top");
        for wanted in [
            "paused: nothing is launched",
            "not seen for 2s: nothing is scaled down",
            "game:10, rolled-back; servers failed: 0\nSTARTS    game:9\n",
            "the last launches failed, until 12:00:32Z",
        ] {
            assert!(top.contains(wanted), "{wanted} is not in {top}");
        }
    }

    #[test]
    fn the_largest_fleet_fits_a_terminal() {
        let most = u32::MAX;
        let told = render(
            &fleet(|fleet| {
                fleet["name"] = json!("a-fleet-with-a-name-that-was-chosen-by-somebody-with-a-lot-of-time".repeat(2));
                fleet["observed_at"] = Value::Null;
                for part in ["servers", "capacity"] {
                    fleet[part].as_object_mut().into_iter().flatten().for_each(|(_, figure)| *figure = json!(99_999));
                }
                fleet["margins"]["changed"] = json!(true);
                fleet["margins"]["downscale_margin"] = json!(1_000_000);
                fleet["launches"]["failures"] = json!(most);
                let reason = "what an earlier manager launched may not be visible yet";
                fleet["launches"]["blocked"] = json!({"reason": reason, "until": "2026-11-25T12:00:32.000Z"});
            }),
            Paint::NONE,
        );
        assert!(told.lines().all(|line| line.chars().count() <= COLUMNS), "{told}");
    }
}
