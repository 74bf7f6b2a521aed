//! Players who find no place when they come, and wait for one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::fleet::Fleet;
use crate::model::Policy;

/// Who waits, and what became of those who did.
pub(super) struct Waiting {
    /// In the order in which they came: since when, and how long each would play.
    line: VecDeque<(u32, u32)>,
    /// For so many seconds each, at most.
    patience: u32,
    /// Until when all of them would play if they had been given a place at once.
    asked: BinaryHeap<Reverse<u32>>,
    /// Until when those play who were given one.
    served: BinaryHeap<Reverse<u32>>,
}

impl Waiting {
    /// Nobody yet.
    pub(super) const fn new(patience: u32) -> Self {
        Self { line: VecDeque::new(), patience, asked: BinaryHeap::new(), served: BinaryHeap::new() }
    }

    /// So many.
    pub(super) fn count(&self) -> u32 {
        self.line.len() as u32
    }

    /// Players for whom there is no place, each of whom would play for so long.
    pub(super) fn join(&mut self, second: u32, stays: &[u32]) {
        self.line.extend(stays.iter().map(|stay| (second, *stay)));
        self.asked.extend(stays.iter().map(|stay| Reverse(second.saturating_add(*stay))));
    }

    /// Gives those who came first the places that are free by now.
    pub(super) fn serve(&mut self, fleet: &mut Fleet, policy: &Policy, second: u32) {
        let served = self.line.len().min(fleet.free() as usize);
        for (since, stay) in self.line.drain(..served) {
            fleet.arrive(policy, second, &[stay]);
            self.served.push(Reverse(second.saturating_add(stay)));
            let waited = second - since;
            fleet.counts.waited += 1;
            fleet.counts.wait_seconds += u64::from(waited);
            fleet.counts.longest_wait = fleet.counts.longest_wait.max(waited);
        }
    }

    /// Those who have waited for so long as they would leave. So many are turned away.
    pub(super) fn give_up(&mut self, second: u32) -> u64 {
        let gone = self.line.partition_point(|(since, _)| second - since >= self.patience);
        self.line.drain(..gone).count() as u64
    }

    /// Players who would play now if each had been given a place when it came, where so many play in this fleet.
    pub(super) fn wanted(&mut self, second: u32, playing: u32) -> u32 {
        for until in [&mut self.asked, &mut self.served] {
            while until.peek().is_some_and(|Reverse(until)| *until <= second) {
                until.pop();
            }
        }
        playing - self.served.len() as u32 + self.asked.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_player_asked_for_is_the_same_however_long_it_waited() {
        let policy = Policy { server_capacity: 1, max_servers: 1, min_servers: 1, ..Policy::default() };
        let wanted = |patience: u32| {
            let (mut fleet, _) = Fleet::begin(&policy, &[10]);
            let mut waiting = Waiting::new(patience);
            let wanted = (0..30).map(|second| {
                fleet.pass(second);
                waiting.serve(&mut fleet, &policy, second);
                if second == 4 {
                    waiting.join(second, &[5, 10]);
                }
                let gone = waiting.give_up(second);
                fleet.counts.turned_away += gone;
                waiting.wanted(second, fleet.players())
            });
            let wanted: Vec<u32> = wanted.collect();
            (wanted, fleet.counts.waited, fleet.counts.turned_away, fleet.counts.longest_wait)
        };
        let plays = |second: u32| {
            u32::from(second < 10) + u32::from((4..9).contains(&second)) + u32::from((4..14).contains(&second))
        };
        let asked: Vec<u32> = (0..30).map(plays).collect();
        assert_eq!(wanted(0), (asked.clone(), 0, 2, 0));
        assert_eq!(wanted(7), (asked.clone(), 1, 1, 6));
        assert_eq!(wanted(60), (asked, 2, 0, 11));
    }
}
