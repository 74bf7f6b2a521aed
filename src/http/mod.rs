//! The HTTP side: game clients ask here where to play. Every answer is the supervisor's, by message.

mod ask;
mod errors;
mod reply;
mod routes;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

pub use ask::{AnswerRules, Fleet};
pub use routes::routes;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Listens for clients. One that has gone without a word, as phones do, is found out by keepalive: its connection would
/// be kept for ever otherwise.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // What is accepted has the same: Linux hands it on.
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves clients until `shutdown` is cancelled, then finishes the requests in flight for at most `limit`.
pub async fn serve(listener: TcpListener, fleet: Fleet, shutdown: CancellationToken, limit: Duration) {
    let server = warp::serve(routes(fleet)).incoming(listener).graceful(shutdown.clone().cancelled_owned()).run();
    // A client that never finishes its request would hold the server open for ever.
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        () = server => {}
        () = overdue => tracing::warn!(?limit, "requests in flight were cut off"),
    }
}
