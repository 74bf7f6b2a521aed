//! The daemon: whatever touches the outside of the fleet.
//!
//! The fleet itself, its model and its actors, is the crate [`actors`]. Here are its configuration, the HTTP server
//! that game clients ask, the probe that game servers are asked with, and the clouds they run on.

// It ends in a panic where nobody reads: `stdout` does not.
#![warn(clippy::print_stdout)]

pub mod api;
pub mod chronicle;
pub mod cli;
pub mod cloud;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod game_server;
pub mod health_check;
pub mod health_probe;
pub mod http;
pub mod journal_file;
pub mod load;
pub mod metrics;
pub mod open_files;
pub mod operate;
pub mod operations;
pub mod plan;
pub mod policy;
pub mod rollout;
pub mod service_manager;
pub mod signals;
pub mod stdout;
pub mod telemetry;
pub mod threads;
pub mod traces;
pub mod watched;
pub mod webhook;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
