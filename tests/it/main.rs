//! The real binary, as its users meet it: over HTTP, WebSockets, signals and its log, with real game servers, on this
//! machine and on an AWS API server.

#[cfg(feature = "ecs")]
mod aws;
mod cloud;
mod command_line;
mod dashboard;
mod examples;
mod faults;
mod growth;
mod hostile_clients;
mod hostile_game_servers;
mod journal;
mod life;
mod local;
mod margins;
mod metrics;
mod openapi;
mod operate;
mod operations;
mod plan;
mod support;
mod systemd;
#[cfg(feature = "traces")]
mod traces;
