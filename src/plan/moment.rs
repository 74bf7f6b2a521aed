//! The times in a trace: numbers or dates, however they are written.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Seconds that are taken for those since 1970: of this century.
const SECONDS_OF_DATES: Range<f64> = 946_684_800.0..4_102_444_800.0;

/// Seconds, and whether they are a date's.
pub(super) fn moment(text: &str) -> Option<(f64, bool)> {
    let seconds = |timestamp: Timestamp| (timestamp.as_second() as f64, true);
    let local = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok().map(seconds);
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some((number, SECONDS_OF_DATES.contains(&number)));
    }
    let of_timestamp = text.parse::<Timestamp>().ok().map(seconds);
    let of_time = || text.parse::<DateTime>().ok().and_then(local);
    let of_date = || text.parse::<Date>().ok().and_then(|date| local(date.at(0, 0, 0, 0)));
    of_timestamp.or_else(of_time).or_else(of_date)
}
