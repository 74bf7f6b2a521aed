//! The thread that asks game servers for their health. With thousands of them it is busy all the time: among those that
//! answer clients, it would keep them from it, and each question would wake one of them.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The thread, until this is dropped.
pub struct Polling {
    handle: Handle,
    _until: DropGuard,
}

impl Polling {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start() -> io::Result<Self> {
        // One is enough: 10,000 servers, the most of a fleet, asked once a second take half of a core. What is by itself
        // needs no runtime for several, which would look after others' tasks at each turn.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, over) = (runtime.handle().clone(), CancellationToken::new());
        let until = over.clone().drop_guard();
        thread::Builder::new().name("health".to_owned()).spawn(move || runtime.block_on(over.cancelled()))?;
        Ok(Self { handle, _until: until })
    }

    /// Where those who ask are to run.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}
