//! Measuring something that may be given up before it has come to an end: its future is dropped then.

use std::time::Duration;

use tokio::time::Instant;

/// One thing under way. What has become of it is told once, when this is dropped.
pub(super) struct Measured<R: Copy, F: FnMut(R, Duration)> {
    begun: Instant,
    result: R,
    tell: F,
}

impl<R: Copy, F: FnMut(R, Duration)> Measured<R, F> {
    /// It begins now. If it is given up, that is its result.
    pub(super) fn begin(given_up: R, tell: F) -> Self {
        Self { begun: Instant::now(), result: given_up, tell }
    }

    /// It has come to an end.
    pub(super) fn end(mut self, result: R) {
        self.result = result;
    }
}

impl<R: Copy, F: FnMut(R, Duration)> Drop for Measured<R, F> {
    fn drop(&mut self) {
        (self.tell)(self.result, self.begun.elapsed());
    }
}
