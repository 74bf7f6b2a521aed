//! `servers`: a line for each.

use std::time::{Duration, SystemTime};

use clap::builder::styling::Style;

use super::screen::{BAD, GOOD, NOTABLE, PLAIN, Paint, since, span};
use super::table::{Cell, Side, Table};
use super::told::Server;

/// Oldest first, as they are told. Without `wide` most fit 80 columns.
pub(super) fn render(servers: &[Server], wide: bool, now: SystemTime, paint: Paint) -> String {
    let mut heads = vec![
        ("SERVER", Side::Left),
        ("PHASE", Side::Left),
        ("FOR", Side::Right),
        ("HEALTH", Side::Left),
        ("PLAYERS", Side::Right),
        ("HELD", Side::Right),
        ("FREE", Side::Right),
        ("ADDRESS", Side::Left),
    ];
    if wide {
        heads.extend([("INSTANCE", Side::Left), ("REVISION", Side::Left)]);
    }
    heads.push(("NOTES", Side::Left));
    let mut table = Table::new(&heads);
    for server in servers {
        let known = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or("-"));
        let mut cells = vec![
            Cell::from(server.id.as_str()),
            Cell::new(&server.phase, style_of(&server.phase)),
            Cell::from(span(since(&server.phase_since, now)).as_str()),
            Cell::new(&server.health, style_of(&server.health)),
            Cell::known(server.players),
            Cell::from(server.holds),
            Cell::from(server.free),
            known(&server.address),
        ];
        if wide {
            cells.extend([known(&server.instance), known(&server.revision)]);
        }
        cells.push(Cell::new(notes(server), NOTABLE));
        table.row(cells);
    }
    table.render(paint)
}

fn style_of(word: &str) -> Style {
    match word {
        "available" => GOOD,
        "standby" | "closing" | "doubtful" => NOTABLE,
        "silent" => BAD,
        _ => PLAIN,
    }
}

/// What is not so with most.
fn notes(server: &Server) -> String {
    let ready_in = server.ready_in_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let notes = [
        ready_in.map(|left| format!("in {}", span(left))),
        server.drained_by_operator.then(|| "drained".to_owned()),
        (server.phase == "standby" && server.ready_to_close == Some(true)).then(|| "empty".to_owned()),
        server.leaving.then(|| "leaving".to_owned()),
        server.outdated.then(|| "outdated".to_owned()),
    ];
    notes.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(id: &str, phase: &str) -> Server {
        Server {
            id: id.to_owned(),
            phase: phase.to_owned(),
            phase_since: "2026-11-25T12:00:00.000Z".to_owned(),
            address: None,
            instance: None,
            revision: None,
            health: "unheard".to_owned(),
            ready_to_close: None,
            players: None,
            holds: 0,
            free: 0,
            drained_by_operator: false,
            leaving: false,
            outdated: false,
            ready_in_seconds: None,
        }
    }

    fn told(wide: bool) -> String {
        let serves = |server| Server {
            address: Some("203.0.113.107:8000".to_owned()),
            instance: Some("i-0123456789abcdef0".to_owned()),
            revision: Some("game:10".to_owned()),
            health: "answering".to_owned(),
            ..server
        };
        let servers = [
            Server { players: Some(4), holds: 1, free: 1, ..serves(server("server-1", "available")) },
            Server {
                players: Some(2),
                drained_by_operator: true,
                leaving: true,
                ..serves(server("server-12", "standby"))
            },
            Server { ready_in_seconds: Some(41.5), ..server("server-13", "booting") },
        ];
        let now = humantime::parse_rfc3339("2026-11-25T15:12:00.000Z").expect("a moment");
        render(&servers, wide, now, Paint::NONE)
    }

    #[test]
    fn each_server_has_a_line_in_80_columns() {
        let expected = "\
SERVER     PHASE        FOR  HEALTH     PLAYERS  HELD  FREE  ADDRESS             NOTES
server-1   available  3h12m  answering        4     1     1  203.0.113.107:8000
server-12  standby    3h12m  answering        2     0     0  203.0.113.107:8000  drained, leaving
server-13  booting    3h12m  unheard          -     0     0  -                   in 41s
";
        assert_eq!(told(false), expected);
    }

    #[test]
    fn wide_lines_say_what_runs_where() {
        let told = told(true);
        let line = told.lines().nth(1).expect("the first server");
        assert!(line.ends_with("203.0.113.107:8000  i-0123456789abcdef0  game:10"), "{told}");
    }
}
