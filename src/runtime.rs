//! The runtime of this program, but for the thread that asks game servers for their health.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Sockets that a thread takes from the system at once, at most. With hundreds that are ready, all of them would be read before
/// the first is answered, which is out of the processor's caches by then.
const SOCKETS_AT_ONCE: usize = 32;

/// A runtime with a thread for each processor.
///
/// # Errors
/// When the system has none to give.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().max_io_events_per_tick(SOCKETS_AT_ONCE).build()
}
