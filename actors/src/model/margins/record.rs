//! What has come of the margins: how many of those who came found no place.

use std::time::Duration;

/// After so long, a third of it counts.
const MEMORY: Duration = Duration::from_secs(14 * 86_400);

/// Of what may be missed so much is spent. The rest is for what cannot be foreseen, as all coming back from an outage.
const SPENT: f64 = 0.5;

/// A share is corrected to so many times more or less, at most.
const MOST_TIMES: f64 = 10.0;

/// What is missed beyond so many times what may be is forgotten: a memory later it is made good.
const FORGIVEN: f64 = 3.0;

/// Players of the last weeks, while the margins were those of a policy that is to keep to a share.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Record {
    came: f64,
    missed: f64,
}

impl Record {
    /// The same with so many more who came in the last `span`, and those of them who found no place, of whom a share may be.
    /// What could not be made good in as long as is remembered is forgotten.
    pub(super) fn with(self, came: u32, missed: u32, span: Duration, share: f64) -> Self {
        let kept = (-span.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        let came = self.came.mul_add(kept, f64::from(came));
        let spent = SPENT * share * came;
        let most = MOST_TIMES.mul_add(chance(spent), spent).max(FORGIVEN * spent);
        Self { came, missed: self.missed.mul_add(kept, f64::from(missed)).min(most) }
    }

    /// The share that may be missed from now on, so that in all it comes to `share` at most.
    ///
    /// Many things make it another than what is reckoned: a margin is a whole number, players are no normal distribution, a
    /// server that is taken back from standby takes no launch. Each standard deviation by which fewer were missed than could have
    /// been makes it larger by itself, and each by which more were makes it smaller.
    pub(super) fn corrected(self, share: f64) -> f64 {
        let spent = SPENT * share * self.came;
        let left = (spent - self.missed) / chance(spent);
        let times = (1.0 + left.abs()).min(MOST_TIMES);
        if left > 0.0 { share * times } else { share / times }
    }
}

/// By which so many differ by chance; a player at least.
fn chance(players: f64) -> f64 {
    (players + 1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const SHARE: f64 = 1e-4;

    /// Each day so many come, and so many find no place.
    fn after(days: u32, came: u32, missed: u32) -> Record {
        (0..days).fold(Record::default(), |record, _| record.with(came, missed, DAY, SHARE))
    }

    #[test]
    fn the_fewer_were_missed_the_more_may_be() {
        // With 480,000 who came half of 48 may be missed: five to either side are chance.
        for (missed, times) in [(0, 1.0 + 24.0 / 5.0), (19, 2.0), (24, 1.0), (29, 0.5), (64, 1.0 / 9.0), (75, 0.1)] {
            let corrected = after(1, 480_000, missed).corrected(SHARE) / SHARE;
            assert!((corrected - times).abs() < 1e-9, "{corrected} with {missed}");
        }
        assert!((Record::default().corrected(SHARE) - SHARE).abs() < 1e-12, "before anybody came");
    }

    #[test]
    fn a_disaster_is_made_good_within_weeks() {
        let mut record = after(14, 100_000, 5).with(100_000, 50_000, DAY, SHARE);
        assert!(record.corrected(SHARE) < 0.11 * SHARE);
        for _ in 0..21 {
            record = record.with(100_000, 0, DAY, SHARE);
        }
        assert!(record.corrected(SHARE) > SHARE, "{record:?}");
    }
}
