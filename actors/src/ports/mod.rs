//! What the fleet needs of the world, named by the operations in use and in the fleet's own words.

mod clock;
mod cloud;
mod probe;

pub use clock::Clock;
pub use cloud::{Cloud, CloudError};
pub use probe::{HealthProbe, HealthProbes, ProbeError};
