//! Times as both APIs show them.

use std::time::{Duration, UNIX_EPOCH};

use actors::model::Timestamp;

/// A point in time by RFC 3339, in UTC, to the millisecond.
pub fn moment(at: Timestamp) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_micros(at.as_micros())).to_string()
}

/// A span in seconds, to the millisecond.
pub fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_millisecond() {
        assert_eq!(moment(Timestamp::from_micros(1_795_587_264_123_456)), "2026-11-25T06:14:24.123Z");
        assert_eq!(seconds(Duration::from_micros(41_234_567)), 41.235);
    }
}
