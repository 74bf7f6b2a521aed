//! What a cloud shows of a thing: reads lag behind writes, and a read may go to a replica that lags more.

use std::time::Duration;

use actors::model::Timestamp;

/// How long what was shown before can still be shown again: no replica lags more.
const MEMORY: Duration = Duration::from_secs(60);

/// A thing as it was shown over time.
#[derive(Clone, Debug)]
pub struct Versions<T> {
    /// (shown from, what), in order.
    shown: Vec<(Timestamp, T)>,
}

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self { shown: Vec::new() }
    }
}

impl<T> Versions<T> {
    /// It is `what` from now on, which is shown once `lag` has passed.
    pub fn write(&mut self, what: T, now: Timestamp, lag: Duration) {
        let from = self.shown.last().map_or(now + lag, |(last, _)| (*last).max(now + lag));
        let forgotten = self.shown.iter().rposition(|(at, _)| now.since(*at) > MEMORY).unwrap_or(0);
        self.shown.drain(..forgotten);
        self.shown.push((from, what));
    }

    /// What a replica shows that is `behind` the others; nothing where it was not there yet.
    pub fn read(&self, now: Timestamp, behind: Duration) -> Option<&T> {
        self.shown.iter().rev().find(|(from, _)| *from + behind <= now).map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1000 + seconds)
    }

    #[test]
    fn a_write_is_shown_after_its_lag_and_later_by_a_replica_that_is_behind() {
        let mut thing = Versions::default();
        thing.write("pending", at(0), Duration::from_secs(5));
        thing.write("running", at(20), Duration::from_secs(10));
        let none = Duration::ZERO;
        assert_eq!(thing.read(at(4), none), None);
        assert_eq!(thing.read(at(29), none), Some(&"pending"));
        assert_eq!(thing.read(at(30), none), Some(&"running"));
        assert_eq!(thing.read(at(30), Duration::from_secs(1)), Some(&"pending"));
    }

    #[test]
    fn a_later_write_is_never_shown_before_an_earlier_one() {
        let mut thing = Versions::default();
        thing.write(1, at(0), Duration::from_secs(30));
        thing.write(2, at(1), Duration::ZERO);
        assert_eq!(thing.read(at(10), Duration::ZERO), None);
        assert_eq!(thing.read(at(30), Duration::ZERO), Some(&2));
    }
}
