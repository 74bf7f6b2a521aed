//! What the tests stand on: a manager in a directory of its own, its log, players, and other clients.

pub(crate) mod binary;
pub(crate) mod log;
pub(crate) mod manager;
pub(crate) mod player;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod visitors;
pub(crate) mod wire;

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// The longest wait for anything at all. Only a test that fails waits so long: the machines are shared and slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks at what tells of no change by itself.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something to be seen.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let seen = async {
        loop {
            match look().await {
                Some(seen) => return seen,
                None => sleep(PAUSE).await,
            }
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}
