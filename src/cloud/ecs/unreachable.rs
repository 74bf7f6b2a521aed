//! Says of each running task that cannot be reached what stands in the way: once, not at every look.

use std::sync::{Mutex, PoisonError};

use super::observation::Unreachable;

/// The tasks that were complained of.
#[derive(Default)]
pub(super) struct Complaints(Mutex<Unreachable>);

impl Complaints {
    /// Logs what is new, and what is over.
    pub(super) fn update(&self, now: Unreachable) {
        // A map that is replaced as a whole is whole even if somebody panicked.
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (task, reason) in now.iter().filter(|(task, reason)| before.get(task) != Some(reason)) {
            tracing::warn!(%task, %reason, "a task runs but cannot be reached: it gets no players");
        }
        for task in before.keys().filter(|task| !now.contains_key(task)) {
            tracing::info!(%task, "a task that could not be reached is reached now, or has ended");
        }
        *before = now;
    }
}
