//! Players who wait for a place.

use std::collections::VecDeque;

use super::fleet::Fleet;
use crate::model::Policy;

/// Who waits, in the order in which they came: since when, and how long each would play.
pub(super) struct Waiting {
    line: VecDeque<(u32, u32)>,
    /// For so many seconds each, at most.
    patience: u32,
}

impl Waiting {
    /// Nobody yet.
    pub(super) const fn new(patience: u32) -> Self {
        Self { line: VecDeque::new(), patience }
    }

    /// So many.
    pub(super) fn count(&self) -> u32 {
        self.line.len() as u32
    }

    /// Players for whom there is no place, each of whom would play for so long.
    pub(super) fn join(&mut self, second: u32, stays: &[u32]) {
        self.line.extend(stays.iter().map(|stay| (second, *stay)));
    }

    /// Gives those who came first the places that are free by now.
    pub(super) fn serve(&mut self, fleet: &mut Fleet, policy: &Policy, second: u32) {
        let served = self.line.len().min(fleet.free() as usize);
        for (since, stay) in self.line.drain(..served) {
            fleet.arrive(policy, second, &[stay]);
            let waited = second - since;
            fleet.counts.waited += 1;
            fleet.counts.wait_seconds += u64::from(waited);
            fleet.counts.longest_wait = fleet.counts.longest_wait.max(waited);
        }
    }

    /// Those who have waited for so long as they would: for how long each would have played.
    pub(super) fn give_up(&mut self, second: u32) -> impl Iterator<Item = u32> {
        let gone = self.line.partition_point(|(since, _)| second - since >= self.patience);
        self.line.drain(..gone).map(|(_, stay)| stay)
    }
}
