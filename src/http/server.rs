//! Serving the routes: clients are let in, talked with, and seen off.
//!
//! warp's own server waits for a request as long as a client likes, and lets in as many as come. HTTP/1 alone is served:
//! that is what game clients and load balancers speak to it, and what the limits here were made for.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

use super::burst::Burst;
use super::connections::{Connection, ConnectionRules, Connections, OpenConnections};
use super::spread::Spread;
use super::talk::Talk;

/// Before the next try to let somebody in, when the system refuses.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The least that hyper takes as the longest head; the setting allows no less.
const MIN_HEAD_SIZE: usize = 8192;

/// What is served.
pub struct Site {
    /// Which question is asked at which path.
    pub routes: BoxedFilter<(Response,)>,
    /// Whether it wants to know now whose request it is: each comes with its [`Sender`] then.
    pub asks_who: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The threads that talk with clients, the supervisor's first. None: those of the runtime that serves.
    pub threads: Vec<Handle>,
}

/// Whose request it is, as far as can be seen.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// The other end of its connection.
    pub(super) peer: IpAddr,
    /// What came with it.
    pub(super) headers: HeaderMap,
}

/// Serves clients until `shutdown` is cancelled, then finishes the requests in flight for at most `limit`. How many are
/// connected is told by `open`.
pub async fn serve(
    listener: TcpListener,
    Site { routes, asks_who, threads }: Site,
    rules: watch::Receiver<ConnectionRules>,
    open: OpenConnections,
    shutdown: CancellationToken,
    limit: Duration,
) {
    let service = warp::service(routes);
    let connections = Connections::new(rules.clone(), open, Spread::over(threads));
    let converse = |stream: TcpStream, peer, connection: Connection| {
        let http = http(&rules.borrow());
        let (service, asks_who) = (service.clone(), Arc::clone(&asks_who));
        // It is to be woken by the thread that it is talked with on.
        let stream = stream.into_std();
        connection.begin(|connection, ends| async move {
            let talk = Talk { peer, asks_who, service, connection };
            match stream.and_then(TcpStream::from_std) {
                Ok(stream) => talk.converse(stream, http, ends).await,
                Err(error) => tracing::debug!(%error, "a client cannot be talked with"),
            }
        });
    };
    tokio::select! {
        never = let_in(&listener, &connections, converse) => match never {},
        never = connections.keep_to_rules() => match never {},
        () = shutdown.cancelled() => drop(listener),
    }
    connections.end();
    tokio::select! {
        () = connections.all_closed() => {}
        never = connections.keep_to_rules() => match never {},
        () = sleep(limit) => tracing::warn!(?limit, "requests in flight were cut off"),
    }
}

/// What is spoken on a connection.
fn http(rules: &ConnectionRules) -> http1::Builder {
    let mut http = http1::Builder::new();
    // The table of connections limits the time, on a kept one and between two bytes as well.
    http.header_read_timeout(None).max_buf_size(rules.max_head_size.max(MIN_HEAD_SIZE));
    // Head and body are copied together: with answers as short as these that takes less than to hand on both.
    http.writev(false);
    // Whether a client is gone is looked at here. hyper would take another 8 KiB to be read into for each request that it waits
    // for the answer of: what was read before is still the request's.
    http.half_close(true);
    http
}

/// Lets clients in for ever.
async fn let_in(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    converse: impl Fn(TcpStream, IpAddr, Connection),
) -> Infallible {
    let (mut failures, mut crowds) = (Burst::default(), Burst::default());
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if connections.is_full() {
                    if crowds.begins(Instant::now()) {
                        tracing::warn!(
                            "http.max_connections is reached: for each new client the longest idle one goes"
                        );
                    }
                    // Those who were let in just now may have brought their requests: let them be read first.
                    connections.turn().await;
                }
                converse(stream, address.ip(), connections.admit().await);
            }
            Err(error) if concerns_one_client(&error) => {}
            Err(error) => {
                if failures.begins(Instant::now()) {
                    tracing::error!(%error, "clients cannot be let in: the longest idle ones go");
                }
                // Most often there are too many open files, and each connection is one.
                connections.cut_longest();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether only one client was not let in, for it is gone already.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
