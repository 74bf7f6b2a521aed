//! What a fleet lived through, from the file of its journal: who played, how long launches took, and what it came to.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use actors::planning::{Sessions, Trace};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use thiserror::Error;

use crate::journal_file::numbered;

/// The trace is of means over so many seconds: a census tells chance, too, which is drawn again when it is played.
const STEP: u32 = 600;

/// After more seconds without a census nothing is known of the fleet.
const GAP: i64 = 600;

/// From so many players who came on it is known how long they stay.
const ENOUGH_PLAYERS: u64 = 200;

/// As [`Sessions::COUNTER_STRIKE`]: of games whose players' stays are known by their mean alone.
const SHAPE: f64 = 0.5;

/// The mean of that distribution in scales.
const MEAN_IN_SCALES: f64 = 2.0;

/// A journal that cannot be replayed.
#[derive(Debug, Error)]
pub enum JournalError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No line is an entry.
    #[error(
        "{path}, line {line}: {wrong}; a journal has one JSON object a line, as the manager writes it to journal.path"
    )]
    NoJournal {
        /// Which file.
        path: PathBuf,
        /// The first line that is none.
        line: usize,
        /// What is wrong with it.
        wrong: String,
    },
    /// Nothing says who played.
    #[error(
        "{path} has {censuses} censuses, and two at least are needed: the manager writes one a minute while it runs, from \
         this version on"
    )]
    NoCensus {
        /// Which file.
        path: PathBuf,
        /// How many it has.
        censuses: usize,
    },
    /// It is too long.
    #[error(
        "{path} has censuses {days} days apart: at most 400 are replayed; leave out those of a clock that was wrong"
    )]
    TooLong {
        /// Which file.
        path: PathBuf,
        /// How many days.
        days: i64,
    },
}

/// What a fleet came to.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Did {
    pub(super) server_seconds: f64,
    pub(super) player_seconds: f64,
    /// Launches that came to serve.
    pub(super) launches: u64,
    pub(super) served: u64,
    pub(super) turned_away: u64,
}

/// What was made of a journal.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Lived {
    pub(super) trace: Trace,
    pub(super) starts: Timestamp,
    pub(super) did: Did,
    /// How long each launch took that came to serve.
    pub(super) lead_times: Vec<Duration>,
    /// None where too few came.
    pub(super) sessions: Option<Sessions>,
    pub(super) dispersion: f64,
    pub(super) notes: Vec<String>,
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Entry {
    #[serde(deserialize_with = "moment")]
    at: Timestamp,
    kind: String,
    #[serde(default)]
    what: String,
    took_seconds: Option<f64>,
    players: Option<u32>,
    #[serde(default)]
    placed: u64,
    #[serde(default)]
    turned_away: u64,
    servers: Option<Value>,
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

#[derive(Clone, Copy, Debug)]
struct Census {
    at: Timestamp,
    players: u32,
    placed: u64,
    turned_away: u64,
    servers: u32,
}

/// Reads a journal, with the older files that were put away beside it.
///
/// # Errors
/// When a line is no entry, or nothing says who played.
pub(super) fn read(path: &Path) -> Result<Lived, JournalError> {
    let (mut censuses, mut launches, mut notes, mut found) = (Vec::new(), Vec::new(), Vec::new(), Found::default());
    let files = files(path);
    for file in &files {
        read_file(file, &mut found, |entry| match entry {
            Entry { kind, at, players: Some(players), placed, turned_away, servers, .. } if kind == "census" => {
                let servers = servers.as_ref().and_then(Value::as_u64).and_then(|servers| u32::try_from(servers).ok());
                censuses.push(Census { at, players, placed, turned_away, servers: servers.unwrap_or_default() });
            }
            Entry { what, at, took_seconds: Some(took), .. }
                if what == "launched" && took.is_finite() && took > 0.0 =>
            {
                launches.push((at, Duration::from_secs_f64(took.clamp(1.0, 86_400.0))));
            }
            _ => {}
        })?;
    }
    if let (0, Some(Unread { path, line, wrong })) = (found.entries, found.first_unread) {
        return Err(JournalError::NoJournal { path, line, wrong });
    }
    if found.unread > 0 {
        notes.push(format!(
            "{} lines that are no entries were passed over: they were cut short, most likely",
            found.unread
        ));
    }
    censuses.sort_by_key(|census| census.at);
    censuses.dedup_by_key(|census| census.at);
    let ([first, .., last], [_, _, ..]) = (&censuses[..], &censuses[..]) else {
        return Err(JournalError::NoCensus { path: path.to_owned(), censuses: censuses.len() });
    };
    let days = (last.at.as_second() - first.at.as_second()) / 86_400;
    if days > 400 {
        return Err(JournalError::TooLong { path: path.to_owned(), days });
    }
    if files.len() > 1 {
        notes.push(format!("{} files, {} to {}", files.len(), files[0].display(), path.display()));
    }
    let gaps: Vec<_> =
        censuses.windows(2).filter(|pair| pair[1].at.as_second() - pair[0].at.as_second() > GAP).collect();
    if let Some([before, after]) = gaps.first().copied() {
        notes.push(format!(
            "{} times nothing was written for more than {} min, first from {:.0} to {:.0}: what was between is drawn straight",
            gaps.len(),
            GAP / 60,
            before.at,
            after.at
        ));
    }
    let between = |(at, _): &&(Timestamp, Duration)| (first.at..=last.at).contains(at);
    let did = Did { launches: launches.iter().filter(between).count() as u64, ..did(&censuses) };
    if did.turned_away > 0 {
        notes.push(format!(
            "{} players were sent to the backup and are not among those who are played: the fleet had to be larger by them",
            did.turned_away
        ));
    }
    Ok(Lived {
        trace: trace(&censuses),
        starts: first.at,
        did,
        sessions: sessions(did),
        dispersion: dispersion(&censuses),
        lead_times: launches.into_iter().map(|(_, took)| took).collect(),
        notes,
    })
}

/// The oldest first. A rotation that was cut short leaves one out.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut files = VecDeque::new();
    let mut is_missing = false;
    for file in (0..).map(|number| numbered(path, number)) {
        match (file.exists(), is_missing) {
            (true, _) => files.push_front(file),
            (false, false) => is_missing = true,
            (false, true) => break,
        }
    }
    if files.is_empty() { vec![path.to_owned()] } else { files.into() }
}

/// What lines a journal has.
#[derive(Default)]
struct Found {
    entries: usize,
    unread: usize,
    first_unread: Option<Unread>,
}

struct Unread {
    path: PathBuf,
    line: usize,
    wrong: String,
}

/// Passes over lines that are no entries, as those that were being written when the machine stopped.
fn read_file(path: &Path, found: &mut Found, mut take: impl FnMut(Entry)) -> Result<(), JournalError> {
    let io = |error| JournalError::Io { path: path.to_owned(), error };
    let lines = BufReader::new(File::open(path).map_err(io)?).split(b'\n');
    for (line, text) in (1..).zip(lines) {
        let text = text.map_err(io)?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&text) {
            Ok(entry) => {
                found.entries += 1;
                take(entry);
            }
            Err(error) => {
                found.unread += 1;
                let unread = || Unread { path: path.to_owned(), line, wrong: error.to_string() };
                found.first_unread.get_or_insert_with(unread);
            }
        }
    }
    Ok(())
}

/// Each census holds until the next, but not over a gap.
fn did(censuses: &[Census]) -> Did {
    let mut did = Did::default();
    for pair in censuses.windows(2) {
        let seconds = pair[1].at.as_second() - pair[0].at.as_second();
        if seconds > GAP {
            continue;
        }
        let seconds = seconds as f64;
        did.server_seconds += f64::midpoint(pair[0].servers.into(), pair[1].servers.into()) * seconds;
        did.player_seconds += f64::midpoint(pair[0].players.into(), pair[1].players.into()) * seconds;
        did.served = did.served.saturating_add(pair[1].placed);
        did.turned_away = did.turned_away.saturating_add(pair[1].turned_away);
    }
    did
}

fn trace(censuses: &[Census]) -> Trace {
    let mut points: Vec<(u32, f64)> = Vec::new();
    for step in steps(censuses) {
        let second = (step[0].at.as_second() - censuses[0].at.as_second()) as u32;
        let mean = step.iter().map(|census| f64::from(census.players)).sum::<f64>() / step.len() as f64;
        points.push((second / STEP * STEP, mean));
    }
    if let [only] = points[..] {
        points.push((STEP, only.1));
    }
    Trace::Concurrent(points)
}

/// Those of ten minutes each.
fn steps(censuses: &[Census]) -> impl Iterator<Item = &[Census]> {
    let first = censuses.first().map_or(0, |census| census.at.as_second());
    let number = move |census: &Census| (census.at.as_second() - first) / i64::from(STEP);
    censuses.chunk_by(move |one, other| number(one) == number(other))
}

/// By Little's law players stay as long on average as there are players for each who comes a second.
fn sessions(did: Did) -> Option<Sessions> {
    let stay = did.player_seconds / did.served as f64;
    let is_known = did.served >= ENOUGH_PLAYERS && (1.0..=30.0 * 86_400.0).contains(&stay);
    is_known
        .then(|| Sessions::Weibull { shape: SHAPE, scale: Duration::from_secs_f64((stay / MEAN_IN_SCALES).max(1.0)) })
}

/// The variance of who came in a minute over the mean, within ten minutes.
fn dispersion(censuses: &[Census]) -> f64 {
    let (mut squares, mut expected) = (0.0, 0.0);
    for step in steps(censuses).filter(|step| step.len() > 2) {
        let came = |census: &Census| census.placed as f64 + census.turned_away as f64;
        let mean = step.iter().map(came).sum::<f64>() / step.len() as f64;
        squares += step.iter().map(|census| (came(census) - mean).powi(2)).sum::<f64>();
        // One of them is not free.
        expected += mean * (step.len() - 1) as f64;
    }
    if expected > 0.0 { (squares / expected).clamp(1.0, 1000.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn census(minute: u32, players: u32, placed: u32, servers: u32) -> String {
        let (day, hour) = (minute / 1440 + 1, minute / 60 % 24);
        let at = format!("2026-11-{day:02}T{hour:02}:{:02}:00Z", minute % 60);
        format!(
            "{{\"number\":7,\"at\":\"{at}\",\"kind\":\"census\",\"players\":{players},\"placed\":{placed},\"turned_away\":1,\
             \"servers\":{servers}}}\n"
        )
    }

    fn lived(files: &[&str]) -> Result<Lived, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.jsonl");
        for (number, text) in (0..).zip(files) {
            fs::write(numbered(&path, number), text).expect("a file");
        }
        read(&path).map_err(|error| error.to_string().replace(&dir.path().display().to_string(), ""))
    }

    #[test]
    fn a_journal_tells_who_played_how_long_launches_took_and_what_it_came_to() {
        let older: String = (0..60).map(|minute| census(minute, 100, 5, 10)).collect();
        let mut newer: String = (60..120).map(|minute| census(minute, 200, 10, 20)).collect();
        newer += "{\"number\":8,\"at\":\"2026-11-01T01:30:00Z\",\"kind\":\"event\",\"what\":\"launched\",\"took_seconds\":93.5,\"text\":\"x\"}\n";
        let lived = lived(&[&newer, &older]).expect("a journal");
        let Trace::Concurrent(points) = &lived.trace else { panic!("{lived:?}") };
        assert_eq!((points.len(), points[0], points[11]), (12, (0, 100.0), (6600, 200.0)));
        assert_eq!(lived.starts.to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(lived.lead_times, [Duration::from_secs_f64(93.5)]);
        let Did { server_seconds, player_seconds, launches, served, turned_away } = lived.did;
        assert_eq!(
            (server_seconds / 60.0, player_seconds / 60.0),
            (59.0 * 10.0 + 15.0 + 59.0 * 20.0, 59.0 * 100.0 + 150.0 + 59.0 * 200.0)
        );
        assert_eq!((launches, served, turned_away), (1, 59 * 5 + 60 * 10, 119));
        assert!(lived.notes.iter().any(|note| note.starts_with("119 players were sent to the backup")));
        // 20 minutes each, by both hours.
        let Some(Sessions::Weibull { scale, .. }) = lived.sessions else { panic!("{lived:?}") };
        assert!((590.0..610.0).contains(&scale.as_secs_f64()), "{scale:?}");
        assert_eq!(lived.dispersion, 1.0);
        assert!(lived.notes[0].starts_with("2 files"), "{:?}", lived.notes);
    }

    #[test]
    fn crowds_are_seen() {
        let text: String =
            (0..600).map(|minute| census(minute, 100, if minute % 5 == 0 { 24 } else { 0 }, 10)).collect();
        assert!(lived(&[&text]).expect("a journal").dispersion > 10.0);
    }

    #[test]
    fn a_manager_that_was_away_did_nothing_and_its_players_stayed_no_longer() {
        let hour = |from: u32| (from..from + 60).map(|minute| census(minute, 100, 5, 10)).collect::<String>();
        let lived = lived(&[&(hour(0) + &hour(1200))]).expect("a journal");
        assert_eq!((lived.did.server_seconds, lived.did.served), (2.0 * 59.0 * 600.0, 2 * 59 * 5));
        assert_eq!(lived.sessions.map(|sessions| sessions.mean().as_secs() / 60), Some(20));
        assert!(lived.notes[0].starts_with("1 times nothing was written"), "{:?}", lived.notes);
    }

    #[test]
    fn lines_that_were_cut_short_are_passed_over_and_a_file_may_be_missing() {
        let torn = census(0, 1, 1, 1) + "{\"number\":7,\"at\":\"2026-11\n\0\0\0\n" + &census(1, 1, 1, 1);
        let told = lived(&[&torn]).expect("a journal");
        assert!(told.notes[0].starts_with("2 lines that are no entries"), "{:?}", told.notes);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.jsonl");
        fs::write(numbered(&path, 1), census(1, 1, 1, 1) + &census(2, 1, 1, 1)).expect("a file");
        fs::write(numbered(&path, 3), census(0, 1, 1, 1)).expect("a file");
        assert_eq!(read(&path).expect("a journal").starts.to_string(), "2026-11-01T00:01:00Z", "two are missing");
        fs::write(&path, census(3, 1, 1, 1)).expect("a file");
        assert_eq!(read(&path).expect("a journal").starts.to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn launches_before_anybody_was_counted_are_none_of_what_it_did() {
        let launched =
            "{\"at\":\"2026-10-01T00:00:00Z\",\"kind\":\"event\",\"what\":\"launched\",\"took_seconds\":9}\n";
        let lived = lived(&[&(launched.to_owned() + &census(0, 1, 1, 1) + &census(1, 1, 1, 1))]).expect("a journal");
        assert_eq!((lived.did.launches, lived.lead_times), (0, vec![Duration::from_secs(9)]));
    }

    #[test]
    fn what_cannot_be_replayed_is_told_with_its_line() {
        for (text, told) in [
            ("{\"at\": \"yesterday\"}", "/journal.jsonl, line 1: "),
            ("time,players\n", "/journal.jsonl, line 1: "),
            (&census(0, 1, 1, 1), "/journal.jsonl has 1 censuses, and two at least"),
            ("", "/journal.jsonl has 0 censuses"),
        ] {
            let error = lived(&[text]).expect_err(text);
            assert!(error.starts_with(told), "{error}");
        }
        assert!(lived(&[]).expect_err("no file").contains("No such file"));
    }
}
