//! The fleet of playlivechess-manager: its model, its decisions and its actors.
//!
//! It knows no AWS, no HTTP server and no configuration library: what it needs of the world is named in [`ports`].
//! Data runs one way round: a [game server actor](game_server_actor) reports to the
//! [fleet supervisor](fleet_supervisor), which owns the [roster](model::Roster); the [scaler actor](scaler_actor)
//! decides on a view of it; what is committed goes to the cloud through the [AWS actor](aws_actor), and what the
//! cloud shows comes back to the roster.

pub mod aws_actor;
pub mod fleet_supervisor;
pub mod game_server_actor;
pub mod journal;
mod line;
pub mod mailbox;
pub mod model;
mod patience;
pub mod planning;
pub mod ports;
mod reports;
pub mod scaler_actor;
mod waiting;
