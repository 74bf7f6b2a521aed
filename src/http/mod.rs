//! The HTTP side: game clients ask here where to play. Every answer is the supervisor's, by message.

mod ask;
mod errors;
mod reply;
mod routes;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use ask::{AnswerRules, Fleet};
pub use routes::routes;

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
