//! What a fleet would cost, and whom it would turn away: players, the daemon's own allocation and scaling code, and no
//! sockets, no actors and no clock. Seconds are the steps: the daemon decides once a second, too.
//!
//! The [demand](Demand) is the same for all that are compared, player by player, whatever a fleet does with them; beside
//! each stands the [optimum](Outcome::optimum) that no fleet can be cheaper than.
//!
//! A server is ready when its lead time is over, and answers from then on; it is gone in the second in which it is closed.
//! Players are there in the second in which they come: nobody is waited for with a place held. Whoever finds none
//! waits for as long as the [plan](Plan::patience) says, and is turned away then; nobody comes again.

mod demand;
mod fleet;
mod optimum;
mod sessions;
mod simulation;
mod synthetic;
mod waiting;

pub use demand::{Demand, Trace, scaled};
pub use fleet::Counts;
pub use optimum::Least;
pub use sessions::{Seen, Sessions};
pub use simulation::{Moment, Outcome, Plan, simulate};
pub use synthetic::Synthetic;
