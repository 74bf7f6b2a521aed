//! The real binary, as its users meet it: over HTTP, WebSockets, signals and its log, with real game servers.

mod command_line;
mod local;
mod support;
