//! What could go wrong later, asked now: nothing is changed by it.
//!
//! Here is what a doctor tells, in whatever cloud, and what can be asked of this machine. What AWS is asked is in
//! [`crate::cloud::ecs::doctor`], with a build that knows it.

mod finding;
mod local;
mod report;

pub use finding::{Finding, Verdict};
pub use local::{examine, listening};
pub use report::{Report, log};
