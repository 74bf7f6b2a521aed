//! The fleet in a made-up world: tables and properties on the model, and the production actors in virtual time.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

mod fake_cloud;
mod fleet;
mod properties;
mod rollout;
mod roster;
mod scaling;
mod world;
