//! What happens thousands of times a second under an attack is told once.

use std::time::Duration;

use tokio::time::Instant;

/// A burst is over when nothing has happened for so long.
const QUIET: Duration = Duration::from_secs(30);

/// Events of one kind, that come in bursts.
#[derive(Default)]
pub(super) struct Burst {
    last: Option<Instant>,
}

impl Burst {
    /// One more happens. True when it is the first of a burst.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        self.last.replace(now).is_none_or(|last| now.duration_since(last) > QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_on_as_long_as_no_pause_is_long() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let table = [(0, true), (0, false), (30, false), (60, false), (91, true), (92, false)];
        for (seconds, begins) in table {
            assert_eq!(burst.begins(at(seconds)), begins, "at {seconds}");
        }
    }
}
