//! The HTTP side: game clients ask here where to play. Every answer is the supervisor's, by message.

mod allocations;
mod arriving;
mod ask;
mod bearer;
mod burst;
mod client_address;
mod connections;
mod door;
mod errors;
mod rate_limit;
mod reply;
mod routes;
mod server;
#[cfg(test)]
mod server_tests;
mod spread;
mod streamed;
mod table;
mod talk;
#[cfg(test)]
mod tests;
mod trusted_proxies;
mod v1;
#[cfg(test)]
mod v1_tests;
mod wire;

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

pub use ask::{AnswerRules, Fleet, Unanswered};
pub use bearer::Tokens;
pub use client_address::Client;
pub use connections::{ConnectionRules, OpenConnections};
pub use door::{Door, DoorRules};
pub use rate_limit::RateRules;
pub use routes::routes;
pub use server::{Site, serve};
pub use trusted_proxies::{TrustedProxies, TrustedProxiesError};
pub use v1::document;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Listens for clients. One that has gone without a word, as phones do, is found out by keepalive: its connection would
/// be kept for ever otherwise.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // What is accepted has the same: Linux hands it on.
    socket.set_keepalive(true)?;
    // An answer that is written in parts does not wait for the client to acknowledge the first of them.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
