//! The least that any fleet could have cost, with all that was to come known before.

/// The cheapest fleet for a demand: for each level k the times at which k servers or more are needed, with gaps that are
/// no longer than a boot bridged, and a boot added for each start.
///
/// It is a lower bound for any rule that turns nobody away, even for one that may move players from server to server. That
/// each level is decided for itself is shown by Lu, Chen and Andrew, "Simple and effective dynamic provisioning for
/// power-proportional data centers" (IEEE TPDS 2013).
pub(super) struct Optimum {
    boot: u32,
    /// Servers that are needed now.
    level: usize,
    /// When each level was last needed, for those above the present one that were needed before.
    since: Vec<u32>,
    least: Least,
}

/// What the cheapest fleet costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Least {
    /// Seconds of all its servers together.
    pub server_seconds: u64,
    /// Servers that it starts: not the fewest that any fleet could.
    pub starts: u64,
}

impl Optimum {
    /// So many servers are needed at the start, and run already; each further one takes `boot` seconds to start.
    pub(super) fn new(boot: u32, level: usize) -> Self {
        Self { boot, level, since: vec![0; level], least: Least::default() }
    }

    /// From this second on so many servers are needed.
    pub(super) fn needs(&mut self, level: usize, second: u32) {
        while self.level > level {
            self.level -= 1;
            self.since[self.level] = second;
        }
        while self.level < level {
            // What was never needed may have run from the start on, as what is needed there does.
            let gap = second - self.since.get(self.level).unwrap_or(&0);
            self.least.server_seconds += u64::from(gap.min(self.boot));
            self.least.starts += u64::from(gap > self.boot);
            if self.level == self.since.len() {
                self.since.push(second);
            }
            self.level += 1;
        }
    }

    /// A second goes by.
    pub(super) fn tick(&mut self) {
        self.least.server_seconds += self.level as u64;
    }

    /// What it came to.
    pub(super) const fn least(&self) -> Least {
        self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_gaps_are_bridged_and_long_ones_cost_a_start() {
        let boot = 100;
        for (gap, cost, starts) in [(60, 50 + 60 + 50, 0), (100, 50 + 100 + 50, 0), (500, 50 + 100 + 50, 1)] {
            let mut optimum = Optimum::new(boot, 1);
            for second in 0..50 + gap + 50 {
                optimum.needs(usize::from(second < 50 || second >= 50 + gap), second);
                optimum.tick();
            }
            assert_eq!(optimum.least(), Least { server_seconds: cost, starts }, "{gap}");
        }
    }

    #[test]
    fn each_level_is_for_itself() {
        let mut optimum = Optimum::new(10, 0);
        for second in 0..54 {
            optimum.needs([2, 1, 2, 0].get((second as usize).wrapping_sub(50)).copied().unwrap_or(0), second);
            optimum.tick();
        }
        // Two starts, and a gap of a second on the upper one.
        assert_eq!(optimum.least(), Least { server_seconds: 2 * 10 + 2 + 1 + 2 + 1, starts: 2 });
    }

    #[test]
    fn what_is_needed_soon_after_the_start_may_have_run_from_there_on() {
        let mut optimum = Optimum::new(100, 0);
        for second in 0..60 {
            optimum.needs(usize::from(second >= 30), second);
            optimum.tick();
        }
        assert_eq!(optimum.least(), Least { server_seconds: 60, starts: 0 });
    }
}
