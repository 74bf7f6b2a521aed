//! Floors by time: so many places are free on Friday evenings, or on the night of an event.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use cronexpr::jiff::{Timestamp as Moment, Zoned};
use cronexpr::{Crontab, FallbackTimezoneOption, ParseOptions};
use thiserror::Error;

use crate::model::time::Timestamp;

/// Far more than any fleet has.
const MOST_PLACES: u32 = 1_000_000;

/// The longest time that a floor may hold.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// Floors for the upscale margin, each for some time. Written as `0 18 * * FRI,SAT,SUN Europe/Berlin for 6h: 200`, or
/// `2026-12-24T17:00[Europe/Berlin] for 10h: 500`; several on lines of their own, or apart by semicolons.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    floors: Vec<Floor>,
    /// As it was written: what is written alike is alike.
    text: String,
}

#[derive(Clone, Debug)]
struct Floor {
    begins: Begins,
    lasts: Duration,
    places: u32,
}

#[derive(Clone, Debug)]
enum Begins {
    /// Again and again.
    At(Box<Crontab>),
    /// Once, at this second since the epoch.
    Once(i64),
}

/// What is wrong with a schedule, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{floor:?}: {wrong}")]
pub struct ScheduleError {
    floor: String,
    wrong: String,
}

impl Schedule {
    /// The highest floor at a moment, of those that have begun and of those that will within `ahead`; 0 where there is none.
    pub fn floor(&self, now: Timestamp, ahead: Duration) -> u32 {
        let second = i64::try_from(now.as_micros() / 1_000_000).unwrap_or(i64::MAX);
        let holds = |floor: &&Floor| floor.holds(second, ahead.as_secs() as i64);
        self.floors.iter().filter(holds).map(|floor| floor.places).max().unwrap_or_default()
    }

    /// Whether there are no floors at all.
    pub const fn is_empty(&self) -> bool {
        self.floors.is_empty()
    }
}

impl Floor {
    /// From so long before the second in which it begins on, and not in the one in which it ends.
    fn holds(&self, second: i64, ahead: i64) -> bool {
        let lasts = self.lasts.as_secs() as i64;
        match &self.begins {
            Begins::Once(begins) => (begins.saturating_sub(ahead)..begins.saturating_add(lasts)).contains(&second),
            Begins::At(crontab) => {
                let after = Moment::from_second(second.saturating_sub(lasts));
                // What is past the end of its calendar begins no more.
                let begins = after.ok().and_then(|after| crontab.find_next(after).ok());
                begins.is_some_and(|begins| begins.timestamp().as_second() <= second + ahead)
            }
        }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let floors = text.split(['\n', ';']).map(str::trim).filter(|floor| !floor.is_empty());
        Ok(Self { floors: floors.map(floor).collect::<Result<_, _>>()?, text: text.trim().to_owned() })
    }
}

fn floor(text: &str) -> Result<Floor, ScheduleError> {
    let wrong = |wrong: String| ScheduleError { floor: text.to_owned(), wrong };
    let right = || wrong("write BEGIN for TIME: PLACES, as 0 18 * * FRI Europe/Berlin for 6h: 200".to_owned());
    let (begins, rest) = text.rsplit_once(" for ").ok_or_else(right)?;
    let (lasts, places) = rest.rsplit_once(':').ok_or_else(right)?;
    let (begins, lasts, places) = (begins.trim(), lasts.trim(), places.trim());
    let lasts = humantime::parse_duration(lasts)
        .map_err(|error| wrong(format!("{lasts:?} is no time: {error}; write it as 6h or 90m")))?;
    if lasts < Duration::from_secs(60) || lasts > LONGEST {
        return Err(wrong("it holds for 1m to 31days".to_owned()));
    }
    let places: u32 =
        places.parse().ok().filter(|places| *places <= MOST_PLACES).ok_or_else(|| {
            wrong(format!("{places:?} is no number of places: write a whole number, 0 to {MOST_PLACES}"))
        })?;
    Ok(Floor { begins: self::begins(begins).map_err(wrong)?, lasts, places })
}

/// A moment begins with its year, and a time that comes again never does; it has spaces.
fn begins(text: &str) -> Result<Begins, String> {
    let is_dated =
        text.split_once('-').is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit()));
    if text.contains(' ') && !is_dated {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let crontab = cronexpr::parse_crontab_with(text, options);
        let crontab = crontab.map_err(|error| told(&error))?;
        // Four years on from any moment all days have been.
        crontab.find_next(Moment::UNIX_EPOCH).map_err(|_| "such a day never comes".to_owned())?;
        return Ok(Begins::At(Box::new(crontab)));
    }
    let zoned = text.parse::<Zoned>().map(|zoned| zoned.timestamp());
    let moment = zoned.or_else(|_| text.parse::<Moment>());
    let right = "write it as 2026-12-24T17:00[Europe/Berlin] or 2026-12-24T16:00Z, or as minute, hour, day of month, month \
                 and day of week, as 0 18 * * FRI";
    moment.map(|moment| Begins::Once(moment.as_second())).map_err(|error| format!("{}; {right}", told(&error)))
}

/// In one line.
fn told(error: &dyn Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_secs(text.parse::<Zoned>().expect("a moment").timestamp().as_second() as u64)
    }

    #[test]
    fn an_evening_is_an_evening_where_it_is_written_for() {
        let schedule: Schedule = "0 18 * * FRI,SAT,SUN Europe/Berlin for 6h: 200".parse().expect("a schedule");
        for (moment, floor) in [
            ("2026-11-27T17:59:59[Europe/Berlin]", 0),
            ("2026-11-27T18:00:00[Europe/Berlin]", 200),
            ("2026-11-27T23:59:59[Europe/Berlin]", 200),
            ("2026-11-28T00:00:00[Europe/Berlin]", 0),
            ("2026-11-26T20:00:00[Europe/Berlin]", 0),
            // In summer it is two hours before UTC, and the evening is the same.
            ("2026-07-03T17:59:59[Europe/Berlin]", 0),
            ("2026-07-03T16:00:00[UTC]", 200),
        ] {
            assert_eq!(schedule.floor(at(moment), Duration::ZERO), floor, "{moment}");
        }
    }

    #[test]
    fn the_highest_floor_holds_and_an_event_comes_once() {
        let text =
            "* * * * * for 1h: 10\n2026-12-24T17:00[Europe/Berlin] for 10h: 500; 2026-12-24 20:00Z for 90m: 700\n";
        let schedule: Schedule = text.parse().expect("a schedule");
        for (moment, floor) in [
            ("2026-12-24T16:59:59[Europe/Berlin]", 10),
            ("2026-12-24T17:00:00[Europe/Berlin]", 500),
            ("2026-12-24T20:00:00[UTC]", 700),
            ("2026-12-24T21:30:00[UTC]", 500),
            ("2026-12-25T03:00:00[Europe/Berlin]", 10),
            ("2027-12-24T17:00:00[Europe/Berlin]", 10),
        ] {
            assert_eq!(schedule.floor(at(moment), Duration::ZERO), floor, "{moment}");
        }
        assert_eq!("".parse::<Schedule>().expect("nothing").floor(at("2026-12-24T17:00[UTC]"), Duration::ZERO), 0);
    }

    #[test]
    fn a_floor_holds_all_the_way_from_before_it_begins() {
        let text = "0 18 * * * for 1m: 200; 2026-12-24T20:00Z for 1m: 200";
        let schedule: Schedule = text.parse().expect("a schedule");
        let ahead = Duration::from_secs(600);
        for begins in ["2026-12-23T18:00:00[UTC]", "2026-12-24T20:00:00[UTC]"] {
            let begins = at(begins);
            let holds = |second: u64| schedule.floor(begins.before(ahead) + Duration::from_secs(second), ahead) == 200;
            assert_eq!([0, 300, 600, 659, 660].map(holds), [true, true, true, true, false]);
            assert_eq!(schedule.floor(begins.before(ahead + Duration::from_secs(1)), ahead), 0);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_floor_that_it_is_in() {
        for (text, told) in [
            ("0 18 * * FRI", "write BEGIN for TIME: PLACES"),
            ("0 18 * * FRI for 6h", "write BEGIN for TIME: PLACES"),
            ("0 18 * * FRI for 6: 200", "\"6\" is no time"),
            ("0 18 * * FRI for 10s: 200", "it holds for 1m to 31days"),
            ("0 18 * * FRI for 6h: many", "\"many\" is no number of places"),
            ("0 18 * * FRY for 6h: 1", "FRY"),
            ("0 18 * * FRI Europe/Berlim for 6h: 1", "Europe/Berlim"),
            ("0 25 * * * for 6h: 1", "25"),
            ("0 0 30 2 * for 6h: 1", "such a day never comes"),
            ("0 0 * * * for 6h: 4000000000", "0 to 1000000"),
            ("2026-13-24T17:00Z for 6h: 1", "2026-12-24T17:00[Europe/Berlin]"),
            ("2026-12-24 17:00 Europe/Berlin for 6h: 1", "2026-12-24T17:00[Europe/Berlin]"),
            ("christmas for 6h: 1", "2026-12-24T17:00[Europe/Berlin]"),
        ] {
            let error = format!("0 0 * * * for 1h: 5; {text}").parse::<Schedule>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("{text:?}: ")) && error.contains(told), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
