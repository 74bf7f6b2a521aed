//! Reading a trace of players from a CSV file: `time,number`, in any step, with or without a head.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use actors::planning::{Seen, Sessions, Trace};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;
use thiserror::Error;

use super::columns::{Columns, Kind, Layout, listed};
use super::moment::moment;

/// The longest trace, in seconds: more than a year tells nothing more.
const LONGEST: u32 = 400 * 86_400;

/// The most players in a line: far more than any fleet here can serve.
const MOST: f64 = 100_000_000.0;

/// A step that is so many times as long as the usual one is a gap.
const GAP: u32 = 3;

/// The longest stay, in seconds.
const LONGEST_STAY: f64 = 30.0 * 86_400.0;

/// A step is as long as usual if it is as long as the middle one of so many before it, or of so many after it.
const BESIDE: usize = 5;

/// So many mistakes are told at once.
const TOLD: usize = 10;

/// A trace, and what was made of its file.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Read {
    pub(super) trace: Trace,
    /// When it begins; none where times are seconds.
    pub(super) starts: Option<Timestamp>,
    /// How long players stayed, where a column tells.
    pub(super) sessions: Option<Sessions>,
    /// What was found and guessed.
    pub(super) notes: Vec<String>,
}

/// Why a trace cannot be read: each mistake with its line.
#[derive(Debug, Error)]
pub struct TraceError {
    path: PathBuf,
    mistakes: Vec<Mistake>,
}

/// What is wrong in a line, and what would be right.
#[derive(Debug)]
struct Mistake {
    /// None where it is about the whole file.
    line: Option<u64>,
    text: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        for (number, Mistake { line, text }) in self.mistakes.iter().take(TOLD).enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            match line {
                Some(line) => write!(f, "{end}{path}:{line}: {text}")?,
                None => write!(f, "{end}{path}: {text}")?,
            }
        }
        match self.mistakes.len().checked_sub(TOLD) {
            Some(more @ 1..) => write!(f, "\nand {more} more"),
            _ => Ok(()),
        }
    }
}

/// A line that was read.
struct Row {
    line: u64,
    /// Seconds since the epoch of Unix, or since whatever the trace counts from.
    at: f64,
    is_date: bool,
    number: f64,
    /// How long they stay, in seconds.
    session: Option<u32>,
}

/// Reads a trace.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(path: &Path, columns: &Columns) -> Result<Read, TraceError> {
    let whole = |text: String| TraceError { path: path.to_owned(), mistakes: vec![Mistake { line: None, text }] };
    let file = std::fs::File::open(path).map_err(|error| whole(format!("cannot be read: {error}")))?;
    read_from(file, columns).map_err(|mistakes| TraceError { path: path.to_owned(), mistakes })
}

fn read_from(file: impl io::Read, columns: &Columns) -> Result<Read, Vec<Mistake>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).trim(Trim::All).from_reader(file);
    let mut layout = None;
    let (mut rows, mut mistakes, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                let text = match error.kind() {
                    ErrorKind::Utf8 { .. } => "is no UTF-8 text: save the file as CSV in UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                mistakes.push(Mistake { line, text });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let Some(layout) = &layout else {
            match Layout::of(&record, columns, &mut notes) {
                Ok((found, is_head)) => {
                    if !is_head {
                        take(&record, line, &found, &mut rows, &mut mistakes);
                    }
                    layout = Some(found);
                }
                Err(text) => return Err(vec![Mistake { line: Some(line), text }]),
            }
            continue;
        };
        take(&record, line, layout, &mut rows, &mut mistakes);
    }
    in_order(&rows, layout.as_ref().is_some_and(|layout| layout.session.is_some()), &mut mistakes);
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() && rows.len() < 2 {
        let text = format!(
            "has {} line{} with a time and a number, and must have two at least, like `2025-09-20T18:00:00Z,512`",
            rows.len(),
            if rows.len() == 1 { "" } else { "s" }
        );
        mistakes.push(Mistake { line: None, text });
    }
    match layout {
        Some(layout) if mistakes.is_empty() => Ok(made_of(&rows, &layout, notes)),
        _ => Err(mistakes),
    }
}

/// Reads a line.
fn take(record: &StringRecord, line: u64, layout: &Layout, rows: &mut Vec<Row>, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |text| mistakes.push(Mistake { line: Some(line), text });
    if record.len() != layout.width {
        return wrong(format!("has {} columns, and the first line has {}", record.len(), layout.width));
    }
    let (time, number) = (&record[layout.time], layout.number.map_or("1", |number| &record[number]));
    let Some((at, is_date)) = moment(time) else {
        return wrong(format!(
            "{time:?} is no time: write 2025-09-20T18:00:00Z, 2025-09-20 18:00 (UTC), or seconds, as 1758391200"
        ));
    };
    let session = match layout.session.map(|session| stay(&record[session])).transpose() {
        Ok(session) => session,
        Err(text) => return wrong(text),
    };
    match number.parse::<f64>() {
        Ok(number) if (0.0..=MOST).contains(&number) => {
            if layout.kind == Kind::Arrivals && number.fract() != 0.0 {
                return wrong(format!("{number} players come: nobody comes in part, write a whole number"));
            }
            rows.push(Row { line, at, is_date, number, session });
        }
        Ok(number) => wrong(format!("{number} players: it must be from 0 to {MOST}")),
        Err(_) if number.is_empty() => wrong("has no number of players: write 0 if there were none".to_owned()),
        Err(_) => wrong(format!("{number:?} is no number of players: write digits alone, as 1250")),
    }
}

/// How long somebody stays, in seconds.
fn stay(text: &str) -> Result<u32, String> {
    let seconds =
        text.parse::<f64>().ok().or_else(|| humantime::parse_duration(text).ok().map(|stay| stay.as_secs_f64()));
    let seconds = seconds.ok_or_else(|| format!("{text:?} is no time to stay: write seconds, as 1200, or 20m"))?;
    let fits = (0.0..=LONGEST_STAY).contains(&seconds);
    fits.then_some(seconds.ceil().max(1.0) as u32).ok_or_else(|| format!("{text} must be from 0s to 30days"))
}

/// Players, line by line, may come at the same time.
fn in_order(rows: &[Row], may_repeat: bool, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |line, text| mistakes.push(Mistake { line: Some(line), text });
    for pair in rows.windows(2) {
        let [before, after] = pair else { continue };
        if before.is_date != after.is_date {
            wrong(after.line, format!("has a date where line {} has a number, or the other way round", before.line));
        } else if after.at == before.at && !may_repeat {
            wrong(after.line, format!("is of the same time as line {}: keep one of them", before.line));
        } else if after.at < before.at {
            wrong(after.line, format!("is earlier than line {}: sort the lines by time", before.line));
        } else if after.at - before.at < 1.0 && !may_repeat {
            wrong(
                after.line,
                format!("is less than a second after line {}: add their numbers up by the second", before.line),
            );
        }
    }
    if let (Some(first), Some(last)) = (rows.first(), rows.last())
        && last.at - first.at > f64::from(LONGEST)
    {
        let days = (last.at - first.at) / 86_400.0;
        let text = format!("is {days:.0} days after the first line: at most {} are played", LONGEST / 86_400);
        wrong(last.line, text);
    }
}

fn made_of(rows: &[Row], layout: &Layout, mut notes: Vec<String>) -> Read {
    let first = &rows[0];
    let at = |row: &Row| (row.at - first.at) as u32;
    let starts = first.is_date.then(|| Timestamp::from_second(first.at as i64).ok()).flatten();
    if layout.session.is_some() {
        let stays = rows.iter().filter_map(|row| Some((row.session?, row.number as u32))).collect();
        let by_second = rows.chunk_by(|one, other| at(one) == at(other));
        let arrivals =
            by_second.map(|rows| (at(&rows[0]), rows.iter().map(|row| row.number as u32).fold(0, u32::saturating_add)));
        let trace = Trace::Arrivals(arrivals.collect());
        return Read { trace, starts, sessions: Seen::of(stays).map(Sessions::Seen), notes };
    }
    let steps: Vec<u32> = rows.windows(2).map(|pair| at(&pair[1]) - at(&pair[0])).collect();
    // As long as the steps before it or those after it are: a trace may be in hours first and in minutes later.
    let middle = |beside: &[u32]| {
        let mut beside = beside.to_vec();
        beside.sort_unstable();
        beside.get(beside.len() / 2).copied()
    };
    let usual = |number: usize| {
        let before = middle(&steps[number.saturating_sub(BESIDE)..number]);
        let after = middle(&steps[number + 1..(number + 1 + BESIDE).min(steps.len())]);
        before.max(after).unwrap_or(u32::MAX)
    };
    let is_gap = |number: usize| steps[number] >= usual(number).saturating_mul(GAP);
    let gaps: Vec<String> =
        (0..steps.len()).filter(|number| is_gap(*number)).map(|number| rows[number].line.to_string()).collect();
    if !gaps.is_empty() {
        let lines = listed(gaps.iter().take(TOLD).map(String::as_str));
        let more = if gaps.len() > TOLD { " and so on" } else { "" };
        let s = if gaps.len() == 1 { "" } else { "s" };
        let filled = match layout.kind {
            Kind::Players => "a straight line",
            Kind::Arrivals => "as many as came in the step before it, again and again",
        };
        notes.push(format!("{} gap{s}, after line{s} {lines}{more}: filled with {filled}", gaps.len()));
    }
    let trace = match layout.kind {
        Kind::Players => Trace::Concurrent(rows.iter().map(|row| (at(row), row.number)).collect()),
        Kind::Arrivals => {
            let times = |number: usize| if is_gap(number) { steps[number].div_ceil(usual(number)) } else { 1 };
            let times = (0..steps.len()).map(times).chain([1]);
            Trace::Arrivals(
                rows.iter()
                    .zip(times)
                    .map(|(row, times)| (at(row), (row.number as u32).saturating_mul(times)))
                    .collect(),
            )
        }
    };
    Read { trace, starts, sessions: None, notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Read, String> {
        parsed_by(text, &Columns::default())
    }

    fn parsed_by(text: &str, columns: &Columns) -> Result<Read, String> {
        let path = PathBuf::from("trace.csv");
        read_from(text.as_bytes(), columns).map_err(|mistakes| TraceError { path, mistakes }.to_string())
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let points = vec![(0, 5.0), (600, 0.0), (1200, 7.5)];
        for text in [
            "utc,players\n2025-09-20T01:00:00Z,5\n2025-09-20T01:10:00Z,0\n2025-09-20T03:20:00+02:00,7.5\n",
            "players,Time\n5,2025-09-20 01:00\n0,2025-09-20 01:10\n7.5,2025-09-20 01:20:00\n",
            "1758330000,5\n1758330600,0\n1758331200,7.5\n",
            "# from the old manager\n\n0, 5\n600, 0\n1200, 7.5",
            "region,ccu,ts\r\neu,5,0\r\neu,0,600\r\neu,7.5,1200\r\n",
        ] {
            let read = parsed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.trace, Trace::Concurrent(points.clone()), "{text}");
            assert_eq!(read.starts.is_some(), text.contains("2025") || text.contains("17583"), "{text}");
        }
    }

    #[test]
    fn a_column_tells_how_long_players_stay() {
        let columns = |arrivals: Option<&str>| Columns {
            sessions_column: Some("stay".to_owned()),
            arrivals_column: arrivals.map(str::to_owned),
            ..Columns::default()
        };
        let read = parsed_by("time,stay\n0,60\n0,20m\n5,60\n", &columns(None)).expect("a trace");
        assert_eq!(read.trace, Trace::Arrivals(vec![(0, 2), (5, 1)]));
        assert_eq!(read.sessions, Seen::of(vec![(60, 2), (1200, 1)]).map(Sessions::Seen));
        let read = parsed_by("time,joins,stay\n0,3,60\n60,1,90.5\n", &columns(Some("joins"))).expect("a trace");
        assert_eq!(read.trace, Trace::Arrivals(vec![(0, 3), (60, 1)]));
        assert_eq!(read.sessions, Seen::of(vec![(60, 3), (91, 1)]).map(Sessions::Seen));
        for (text, told) in [
            ("time,stay\n0,long\n", "trace.csv:2: \"long\" is no time to stay"),
            ("time,stay\n0,-1\n", "trace.csv:2: -1 must be from 0s to 30days"),
            ("time,players\n0,1\n", "trace.csv:1: has no column stay"),
            ("0,60\n1,60\n", "trace.csv:1: is no head with names, and the column stay is asked for"),
            ("time,stay\n5,60\n0,60\n", "trace.csv:3: is earlier than line 2"),
        ] {
            let error = parsed_by(text, &columns(None)).expect_err(text);
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }

    #[test]
    fn two_gaps_side_by_side_are_seen() {
        let lines = [0, 60, 120, 180, 3600, 7200, 7260, 7320, 7380].map(|at| format!("{at},5\n")).concat();
        let read = parsed(&lines).expect("a trace");
        assert!(read.notes.iter().any(|note| note.starts_with("2 gaps, after lines 4, 5")), "{:?}", read.notes);
    }

    #[test]
    fn what_was_guessed_and_filled_is_told() {
        let text = "time,joins\n0,6\n60,6\n120,6\n420,6\n480,9\n";
        let read = parsed(text).expect("a trace");
        assert_eq!(read.trace, Trace::Arrivals(vec![(0, 6), (60, 6), (120, 30), (420, 6), (480, 9)]));
        assert_eq!(read.notes.len(), 2);
        assert_eq!(read.notes[0], "times in the column time, players who come in joins");
        assert!(read.notes[1].starts_with("1 gap, after line 4: filled with as many as came"), "{}", read.notes[1]);
    }

    #[test]
    fn a_trace_whose_steps_change_has_no_gap() {
        let text: String = (0..5)
            .map(|hour| hour * 3600)
            .chain((1..9).map(|ten| 14_400 + ten * 600))
            .map(|at| format!("{at},5\n"))
            .collect();
        assert_eq!(parsed(&text).expect("a trace").notes.len(), 1, "that there is no head");
        let with_gap = text + "90000,5\n90600,5\n";
        assert!(parsed(&with_gap).expect("a trace").notes[1].starts_with("1 gap, after line 13"));
    }

    #[test]
    fn a_mistake_names_its_line_and_what_would_be_right() {
        let table = [
            ("", "trace.csv: has 0 lines with a time and a number, and must have two at least"),
            ("utc,players\n", "trace.csv: has 0 lines with"),
            ("utc,players\n0,5\n", "trace.csv: has 1 line with"),
            ("0\n60\n", "trace.csv:1: has 1 column: a time and a number are needed"),
            ("0,5\n60,x\n", "trace.csv:2: \"x\" is no number of players: write digits alone, as 1250"),
            ("0,5\n60,\n", "trace.csv:2: has no number of players: write 0"),
            ("0,5\n60,-1\n", "trace.csv:2: -1 players: it must be from 0 to 100000000"),
            ("0,5\n60,NaN\n", "trace.csv:2: NaN players: it must be from 0"),
            ("0,5\nyesterday,6\n", "trace.csv:2: \"yesterday\" is no time: write 2025-09-20T18:00:00Z"),
            ("0,5\n60,6\n60,7\n", "trace.csv:3: is of the same time as line 2: keep one of them"),
            ("0,5\n60,6\n30,7\n", "trace.csv:3: is earlier than line 2: sort the lines by time"),
            ("0,5\n60,6,7\n", "trace.csv:2: has 3 columns, and the first line has 2"),
            ("0,5\n2025-09-20,6\n", "trace.csv:2: has a date where line 1 has a number"),
            ("0,5\n0.5,6\n", "trace.csv:2: is less than a second after line 1: add their numbers up"),
            ("0,5\n40000000,6\n", "trace.csv:2: is 463 days after the first line: at most 400 are played"),
            (
                "a,b,c\n0,5,6\n",
                "trace.csv:1: has no column that is named like a time: say which with --time-column, of a, b, c",
            ),
            ("time,b,c\n0,5,6\n", "trace.csv:1: has no column that is named like a number of players"),
            ("time,players,joins\n0,5,6\n", "trace.csv:1: has players at once and players who come: say which with"),
            ("time,joins\n0,5.5\n1,6\n", "trace.csv:2: 5.5 players come: nobody comes in part"),
        ];
        for (text, mistake) in table {
            let error = parsed(text).expect_err(text);
            assert!(error.starts_with(mistake), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_line() {
        let read = read_from(&b"0,5\n60,\xff\n"[..], &Columns::default());
        let mistakes = read.expect_err("no text");
        assert_eq!(mistakes[0].line, Some(2));
        assert!(mistakes[0].text.contains("UTF-8"), "{}", mistakes[0].text);
    }

    #[test]
    fn the_columns_that_are_asked_for_are_read() {
        let columns = |time: Option<&str>, players: Option<&str>, arrivals: Option<&str>| Columns {
            time_column: time.map(str::to_owned),
            players_column: players.map(str::to_owned),
            arrivals_column: arrivals.map(str::to_owned),
            sessions_column: None,
        };
        let text = "a,b,c\n0,5,6\n60,7,8\n";
        let read = parsed_by(text, &columns(Some("a"), Some("C"), None)).expect("a trace");
        assert_eq!(read.trace, Trace::Concurrent(vec![(0, 6.0), (60, 8.0)]));
        let read = parsed_by(text, &columns(Some("a"), None, Some("b"))).expect("a trace");
        assert_eq!(read.trace, Trace::Arrivals(vec![(0, 5), (60, 7)]));
        let error = parsed_by(text, &columns(Some("d"), Some("c"), None)).expect_err("no such column");
        assert_eq!(error, "trace.csv:1: has no column d: it has a, b, c");
        let error = parsed_by(text, &columns(Some("a"), Some("a"), None)).expect_err("one for both");
        assert!(error.contains("one column for both"), "{error}");
        let error = parsed_by("0,5\n", &columns(Some("a"), None, None)).expect_err("no head");
        assert!(error.contains("is no head with names"), "{error}");
    }

    #[test]
    fn many_mistakes_are_told_together_and_not_all() {
        let text: String = (0..30).map(|line| format!("{line},x\n")).collect();
        let error = parsed(&text).expect_err("no numbers");
        assert_eq!((error.lines().count(), error.lines().last()), (11, Some("and 20 more")));
    }
}
