//! The fleet as operators see it, in JSON.

mod fleet;
mod launches;
mod margins;
mod servers;

pub use fleet::Daemon;
pub(super) use fleet::Fleet;
pub(super) use launches::{Launches, LeadTimes};
pub(super) use margins::{Margins, MarginsChange};
pub(super) use servers::{Server, Servers};
