//! Which columns of a trace are read: told, or guessed by their names.

use std::fmt::Write;

use csv::StringRecord;

use super::moment::moment;

/// Names of the column with times, in any case.
const TIMES: [&str; 8] = ["time", "timestamp", "utc", "datetime", "date", "ts", "at", "second"];

/// Names of the column with players at once.
const PLAYERS: [&str; 8] =
    ["players", "concurrent", "ccu", "online", "playing", "count", "value", "concurrent_players"];

/// Names of the column with players who come.
const ARRIVALS: [&str; 6] = ["arrivals", "joins", "logins", "sessions", "new_players", "requests"];

/// Which columns are read; guessed where it is not said.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Columns {
    /// The trace's column with times: RFC 3339, `2025-09-20 18:00` (UTC), or seconds.
    #[arg(long, value_name = "NAME")]
    pub time_column: Option<String>,
    /// The trace's column with players at once.
    #[arg(long, value_name = "NAME", conflicts_with = "arrivals_column")]
    pub players_column: Option<String>,
    /// The trace's column with players who come, from that time to the next.
    #[arg(long, value_name = "NAME")]
    pub arrivals_column: Option<String>,
    /// The trace's column with how long those who come stay: seconds, or 20m. Without --arrivals-column each line is a player.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["players_column", "sessions"])]
    pub sessions_column: Option<String>,
}

/// What a number in the trace is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Players,
    Arrivals,
}

/// Where in a line what is read stands.
pub(super) struct Layout {
    pub(super) time: usize,
    /// None where each line is a player.
    pub(super) number: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) kind: Kind,
    /// How many columns each line has.
    pub(super) width: usize,
}

impl Layout {
    /// By the first line, which may be a head.
    pub(super) fn of(first: &StringRecord, columns: &Columns, notes: &mut Vec<String>) -> Result<(Self, bool), String> {
        let Columns { time_column, players_column, arrivals_column, sessions_column } = columns;
        let width = first.len();
        if width < 2 {
            return Err(format!("has {width} column: a time and a number are needed, with a comma between them"));
        }
        let is_head = first.iter().all(|field| field.parse::<f64>().is_err() && moment(field).is_none());
        if !is_head {
            let asked = [time_column, players_column, arrivals_column, sessions_column];
            if let Some(name) = asked.into_iter().flatten().next() {
                return Err(format!(
                    "is no head with names, and the column {name} is asked for: add one as the first line"
                ));
            }
            notes.push("no head: times in the first column, players at once in the second".to_owned());
            return Ok((Self { time: 0, number: Some(1), session: None, kind: Kind::Players, width }, false));
        }
        let named = |name: &str| first.iter().position(|field| field.eq_ignore_ascii_case(name));
        let asked =
            |name: &String| named(name).ok_or_else(|| format!("has no column {name}: it has {}", listed(first.iter())));
        let guessed = |names: &[&str]| names.iter().find_map(|name| named(name));
        let time = match time_column {
            Some(name) => asked(name)?,
            None => guessed(&TIMES).ok_or_else(|| {
                format!(
                    "has no column that is named like a time: say which with --time-column, of {}",
                    listed(first.iter())
                )
            })?,
        };
        if let Some(name) = sessions_column {
            let session = asked(name)?;
            let number = arrivals_column.as_ref().map(asked).transpose()?;
            if session == time || number.is_some_and(|number| number == time || number == session) {
                return Err("has one column for two things: times, players and how long they stay are three".to_owned());
            }
            let who =
                number.map_or("a player a line".to_owned(), |number| format!("players who come in {}", &first[number]));
            notes.push(format!(
                "times in the column {}, {who}, how long they stay in {}",
                &first[time], &first[session]
            ));
            return Ok((Self { time, number, session: Some(session), kind: Kind::Arrivals, width }, true));
        }
        let (number, kind) = match (players_column, arrivals_column) {
            (Some(name), _) => (asked(name)?, Kind::Players),
            (None, Some(name)) => (asked(name)?, Kind::Arrivals),
            (None, None) => match (guessed(&PLAYERS), guessed(&ARRIVALS)) {
                (Some(players), None) => (players, Kind::Players),
                (None, Some(arrivals)) => (arrivals, Kind::Arrivals),
                (Some(_), Some(_)) => {
                    return Err("has players at once and players who come: say which with --players-column or \
                                --arrivals-column"
                        .to_owned());
                }
                (None, None) if width == 2 => (1 - time, Kind::Players),
                (None, None) => {
                    return Err(format!(
                        "has no column that is named like a number of players: say which with --players-column or \
                         --arrivals-column, of {}",
                        listed(first.iter())
                    ));
                }
            },
        };
        if number == time {
            return Err(format!("has one column for both, {}: times and players are two", &first[time]));
        }
        let what = if kind == Kind::Players { "players at once" } else { "players who come" };
        notes.push(format!("times in the column {}, {what} in {}", &first[time], &first[number]));
        Ok((Self { time, number: Some(number), session: None, kind, width }, true))
    }
}

pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.fold(String::new(), |mut list, name| {
        let _ = write!(list, "{}{name}", if list.is_empty() { "" } else { ", " });
        list
    })
}
