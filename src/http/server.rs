//! Serving the routes: clients are let in, talked with, and seen off.
//!
//! warp's own server waits for a request as long as a client likes, and lets in as many as come. HTTP/1 alone is served:
//! that is what game clients and load balancers speak to it, and what the limits here were made for.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::Request;
use warp::reply::Response;

use super::Peer;
use super::arriving::Arriving;
use super::burst::Burst;
use super::connections::{Connection, ConnectionRules, Connections, OpenConnections};
use super::door::Door;
use super::streamed::Streamed;

/// Before the next try to let somebody in, when the system refuses.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a client is listened to after the last answer. Closing while it still sends would reset the connection,
/// and it would never read that answer.
const LINGER: Duration = Duration::from_secs(2);

/// The least that hyper takes as the longest head; the setting allows no less.
const MIN_HEAD_SIZE: usize = 8192;

/// What is served.
pub struct Site {
    /// Which question is asked at which path.
    pub routes: BoxedFilter<(Response,)>,
    /// Who wants to know, at times, who is at the other end.
    pub door: Option<Door>,
}

/// Serves clients until `shutdown` is cancelled, then finishes the requests in flight for at most `limit`. How many are
/// connected is told by `open`.
pub async fn serve(
    listener: TcpListener,
    Site { routes, door }: Site,
    rules: watch::Receiver<ConnectionRules>,
    open: OpenConnections,
    shutdown: CancellationToken,
    limit: Duration,
) {
    let service = TowerToHyperService::new(warp::service(routes));
    let connections = Connections::new(rules.clone(), open);
    let converse = |stream, peer, connection: Connection| {
        let http = http(&rules.borrow());
        let asker = door.clone().map(|door| Asker { peer, door });
        // A token of its own: all connections would look at the same one, twice a request.
        let (service, shutdown) = (service.clone(), shutdown.child_token());
        connection.begin(|connection| converse(stream, asker, connection, http, service, shutdown));
    };
    tokio::select! {
        never = let_in(&listener, &connections, converse) => match never {},
        never = connections.keep_to_rules() => match never {},
        () = shutdown.cancelled() => drop(listener),
    }
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
    http
}

/// Lets clients in for ever.
async fn let_in(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    converse: impl Fn(TcpStream, Peer, Connection),
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
                    yield_now().await;
                }
                converse(stream, Peer(address.ip()), connections.admit().await);
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

/// Who is at the other end of a connection, for a door that may want to know it.
struct Asker {
    peer: Peer,
    door: Door,
}

/// Answers a client's requests, one after the other, until it leaves.
async fn converse<S>(
    mut stream: TcpStream,
    asker: Option<Asker>,
    connection: Connection,
    http: http1::Builder,
    service: S,
    shutdown: CancellationToken,
) where
    S: Service<Request<Arriving>, Response = Response, Error = Infallible>,
{
    let connection = Arc::new(connection);
    let answer = service_fn(async |mut request: Request<Incoming>| {
        if let Some(Asker { peer, door }) = &asker
            && door.counts()
        {
            request.extensions_mut().insert(*peer);
        }
        let mut request = request.map(|body| Arriving::new(body, &connection));
        if request.body().is_end_stream() && !request.body_mut().is_there() {
            std::future::pending::<()>().await;
        }
        let answer = service.call(request).await?;
        // It may have been answered before all of it was there.
        connection.answers();
        Ok::<_, Infallible>(Streamed::of(answer, &connection))
    });
    talk(&mut stream, http, answer, &shutdown).await;
    let mut nowhere = tokio::io::sink();
    tokio::select! {
        _ = timeout(LINGER, tokio::io::copy(&mut stream, &mut nowhere)) => {}
        () = shutdown.cancelled() => {}
    }
}

/// Speaks HTTP until either side has enough of it; after `shutdown` until the request in flight is answered.
async fn talk<S>(stream: &mut TcpStream, http: http1::Builder, service: S, shutdown: &CancellationToken)
where
    S: Service<Request<Incoming>, Response = warp::http::Response<Streamed>, Error = Infallible>,
{
    let mut talk = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        biased;
        ended = talk.as_mut() => ended,
        () = shutdown.cancelled() => {
            talk.as_mut().graceful_shutdown();
            talk.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
