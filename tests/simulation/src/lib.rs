//! Simulated years of fleet life.
//!
//! The *production* actors and model run in virtual time against a made-up AWS, made-up game servers, and players. All
//! that could have been otherwise is drawn from one seed, so a seed is a whole day that can be lived again. An
//! [`observer`] that knows nothing of the manager's own state watches the calls to the cloud and the fates of the
//! players, and names the first of the rules that is broken.
//!
//! A [scenario](scenario) is what a seed stands for; the [world] is what it plays in; [`life`] runs it, and kills and
//! starts managers; `wire` puts the real AWS SDK between them and the world; [`soak`] runs many; [`mutations`] shows that breaks of the production code do not go unnoticed.

pub mod chance;
pub mod event;
pub mod faults;
pub mod figures;
pub mod life;
pub mod log;
pub mod manager;
pub mod mutations;
pub mod observer;
pub mod scenario;
pub mod soak;
#[cfg(feature = "aws")]
pub mod wire;
pub mod world;
