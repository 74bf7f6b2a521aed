//! What the tests stand on: a manager in a directory of its own, its log, and players.

pub mod log;
pub mod manager;
pub mod player;
pub mod process;

use std::time::Duration;

/// The longest wait for anything at all. Only a test that fails waits so long: the machines are shared and slow.
pub const PATIENCE: Duration = Duration::from_secs(90);
