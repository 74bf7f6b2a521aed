//! Many days, on all cores. The first broken rule ends it, with the command that lives just that day again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::figures::Figures;
use crate::life::live;
use crate::manager::Way;
use crate::observer::Broken;

/// Which days to live.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// How long things go wrong on each day.
    pub trouble: Duration,
    /// How managers reach the cloud.
    pub way: Way,
    /// Threads at once; none: one for each core.
    pub threads: Option<usize>,
    /// Shows how far it has come.
    pub shows_progress: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Seeds that were lived to the end of their day, and their counts.
    pub figures: Figures,
    /// The broken rule with the lowest seed that was found.
    pub broken: Option<Box<Broken>>,
}

impl Soak {
    /// Lives the days. Seeds below a broken one are lived to the end, so that the lowest one is told.
    pub fn run(self) -> Report {
        let threads = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let (next, failed) = (AtomicU64::new(self.from), AtomicBool::new(false));
        let bar = self.progress_bar();
        let (days, lived) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                let days = days.clone();
                let (next, failed) = (&next, &failed);
                scope.spawn(move || {
                    while !failed.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.from.saturating_add(self.seeds) {
                            return;
                        }
                        let day = live(seed, self.trouble, self.way, false);
                        failed.fetch_or(day.broken.is_some(), Ordering::Relaxed);
                        // Who collects them lives as long as the threads.
                        let _ = days.send(day);
                    }
                });
            }
            drop(days);
            let mut report = Report { figures: Figures::default(), broken: None };
            for day in lived {
                bar.inc(1);
                report.figures.add(day.figures);
                report.broken = [report.broken, day.broken].into_iter().flatten().min_by_key(|broken| broken.seed);
            }
            bar.finish_and_clear();
            report
        })
    }

    fn progress_bar(self) -> ProgressBar {
        if !self.shows_progress {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} days, {elapsed} so far, {eta} to go");
        ProgressBar::new(self.seeds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }
}
