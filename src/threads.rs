//! The threads of this program, and which does what.
//!
//! Clients are answered by one for each processor, each with a runtime of its own: a connection stays where it is, and so does
//! what a processor has in its caches of it. The fleet supervisor is on the first of them. Game servers are asked for their
//! health on one more: with thousands of them it is busy all the time, and would keep the others from answering. All else
//! shares a runtime for several threads.

use std::num::NonZero;
use std::sync::mpsc;
use std::thread::{self, available_parallelism};
use std::{io, iter};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Sockets that a thread takes from the system at once, at most. With hundreds that are ready, all of them would be read before
/// the first is answered, which is out of the processor's caches by then.
const SOCKETS_AT_ONCE: usize = 32;

/// A runtime with a thread for each processor, for all that has no thread of its own.
///
/// # Errors
/// When the system has none to give.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().max_io_events_per_tick(SOCKETS_AT_ONCE).build()
}

/// The threads of the daemon that have a runtime of their own, until this is dropped.
pub struct Threads {
    supervisor: Thread,
    other_clients: Vec<Thread>,
    health: Thread,
}

impl Threads {
    /// Starts them.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn start() -> io::Result<Self> {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            supervisor: Thread::start("supervisor")?,
            other_clients: (1..processors).map(|_| Thread::start("clients")).collect::<Result<_, _>>()?,
            // One is enough: 10,000 servers, the most of a fleet, asked once a second take half of a core.
            health: Thread::start("health")?,
        })
    }

    /// Those that answer clients, the supervisor's first.
    pub fn clients(&self) -> Vec<Handle> {
        iter::once(&self.supervisor).chain(&self.other_clients).map(|thread| thread.handle.clone()).collect()
    }

    /// The one that the supervisor is on.
    pub const fn supervisor(&self) -> &Handle {
        &self.supervisor.handle
    }

    /// The one that asks game servers for their health.
    pub const fn health(&self) -> &Handle {
        &self.health.handle
    }
}

/// A thread with a runtime of its own, until this is dropped. What is by itself needs no runtime for several, which would look
/// after others' tasks at each turn.
struct Thread {
    handle: Handle,
    _until: DropGuard,
}

impl Thread {
    fn start(name: &str) -> io::Result<Self> {
        let over = CancellationToken::new();
        let until = over.clone().drop_guard();
        let (tell, told) = mpsc::channel();
        // The runtime is made where it ends: it cannot be let go of inside another one. Who has started it waits for word.
        let run =
            move || match Builder::new_current_thread().enable_all().max_io_events_per_tick(SOCKETS_AT_ONCE).build() {
                Ok(runtime) => {
                    let _ = tell.send(Ok(runtime.handle().clone()));
                    runtime.block_on(over.cancelled());
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            };
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        let handle = told.recv().map_err(io::Error::other)??;
        Ok(Self { handle, _until: until })
    }
}
