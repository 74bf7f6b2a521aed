//! The fleet of playlivechess-manager: its model and its decisions.
//!
//! It knows no AWS, no HTTP server and no configuration library: what it needs of the world is named in [`ports`].

pub mod model;
pub mod ports;
