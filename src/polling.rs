//! The thread that asks game servers for their health. With thousands of them it is busy all the time: among those that
//! answer clients, it would keep them from it, and each question would wake one of them.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// The thread, until this is dropped.
pub struct Polling {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Polling {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start() -> io::Result<Self> {
        // One is enough: 10,000 servers, the most of a fleet, asked once a second take half of a core.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("health").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Where those who ask are to run.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever asks is gone with the fleet: nothing is left to be waited for.
            runtime.shutdown_background();
        }
    }
}
