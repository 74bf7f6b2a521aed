//! Serving the routes: clients are let in, talked with, and seen off.
//!
//! warp's own server waits for a request as long as a client likes, and lets in as many as come. HTTP/1 alone is served:
//! that is what game clients and load balancers speak to it, and what the limits here were made for.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{Either, FutureExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Request};
use warp::reply::Response;

use super::arriving::Arriving;
use super::burst::Burst;
use super::connections::{Connection, ConnectionRules, Connections, End, OpenConnections};
use super::streamed::Streamed;
use super::wire::Wire;

/// Before the next try to let somebody in, when the system refuses.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a client is listened to after the last answer. Closing while it still sends would reset the connection,
/// and it would never read that answer.
const LINGER: Duration = Duration::from_secs(2);

/// So many times 4 KiB are read and forgotten of a connection that is closed.
const MOST_DISCARDED: usize = 16;

/// The least that hyper takes as the longest head; the setting allows no less.
const MIN_HEAD_SIZE: usize = 8192;

/// What is served.
pub struct Site {
    /// Which question is asked at which path.
    pub routes: BoxedFilter<(Response,)>,
    /// Whether it wants to know now whose request it is: each comes with its [`Sender`] then.
    pub asks_who: Arc<dyn Fn() -> bool + Send + Sync>,
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
    Site { routes, asks_who }: Site,
    rules: watch::Receiver<ConnectionRules>,
    open: OpenConnections,
    shutdown: CancellationToken,
    limit: Duration,
) {
    let service = warp::service(routes);
    let connections = Connections::new(rules.clone(), open);
    let converse = |stream, peer, connection: Connection| {
        let http = http(&rules.borrow());
        let (service, asks_who) = (service.clone(), Arc::clone(&asks_who));
        connection.begin(|connection, ends| {
            let talk = Talk { peer, asks_who, service, connection };
            talk.converse(stream, http, ends)
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
                    yield_now().await;
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

/// Reads what has come already, as far as one may go on sending: to close a connection with that unread resets it, too.
fn discard(stream: &TcpStream) {
    let mut unread = [0; 4096];
    (0..MOST_DISCARDED).take_while(|_| stream.try_read(&mut unread).is_ok_and(|length| length > 0)).count();
}

/// How a conversation ended.
enum Ended {
    /// Either side had enough of it.
    ByItself,
    /// It was told to.
    Told,
    /// The client was gone before it was answered.
    Gone,
}

/// What a client is told.
type Answered = Result<warp::http::Response<Streamed>, Infallible>;

/// What is said on a connection.
struct Talk<S> {
    peer: IpAddr,
    asks_who: Arc<dyn Fn() -> bool + Send + Sync>,
    service: S,
    connection: Connection,
}

impl<S> Talk<S>
where
    S: Service<Request<Arriving>, Response = Response, Error = Infallible, Future: Unpin> + Clone,
{
    /// Answers a client's requests, one after the other, until either side has enough of it; when `end` comes, the one in
    /// flight.
    async fn converse(self, mut stream: TcpStream, http: http1::Builder, mut end: End) {
        match self.talk(&mut stream, http, &mut end).await {
            Ended::Gone => {}
            Ended::Told => discard(&stream),
            Ended::ByItself => {
                let mut nowhere = tokio::io::sink();
                tokio::select! {
                    _ = timeout(LINGER, tokio::io::copy(&mut stream, &mut nowhere)) => {}
                    () = end => {}
                }
            }
        }
    }

    async fn talk(&self, stream: &mut TcpStream, http: http1::Builder, end: &mut End) -> Ended {
        let (read, write) = stream.split();
        let wire = Wire::new(read, write);
        let service = service_fn(|request| self.answer(request, &wire));
        let mut talk = pin!(http.serve_connection(TokioIo::new(&wire), service));
        let mut goes = poll_fn(|context| self.goes(&wire, context));
        let (result, ended) = tokio::select! {
            biased;
            result = talk.as_mut() => (result, Ended::ByItself),
            () = &mut goes => return Ended::Gone,
            () = end => {
                talk.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    result = talk => (result, Ended::Told),
                    () = &mut goes => return Ended::Gone,
                }
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection ended early");
        }
        ended
    }

    /// Is ready when the client goes while it is being answered: nobody would read that, and whoever waits for a place is not
    /// to get one any more. Between two requests hyper reads, and sees it.
    fn goes(&self, wire: &Wire<'_>, context: &mut Context<'_>) -> Poll<()> {
        if self.connection.progress().is_being_answered() { wire.poll_end(context) } else { Poll::Pending }
    }

    /// Answers a request. Who was gone when it was read is not: its conversation ends by that.
    fn answer(&self, mut request: Request<Incoming>, wire: &Wire<'_>) -> impl Future<Output = Answered> {
        if (self.asks_who)() {
            let sender = Sender { peer: self.peer, headers: request.headers().clone() };
            request.extensions_mut().insert(sender);
        }
        let (head, body) = request.into_parts();
        let progress = self.connection.progress();
        let Some(body) = Arriving::of(body, progress) else { return Either::Left(pending()) };
        let mut answer = self.service.clone().call(Request::from_parts(head, body));
        let mut is_new = true;
        Either::Right(poll_fn(move |context| {
            if is_new && self.goes(wire, context).is_ready() {
                return Poll::Pending;
            }
            is_new = false;
            let answer = ready!(answer.poll_unpin(context))?;
            // It may have been answered before all of it was there.
            progress.answers();
            Poll::Ready(Ok(Streamed::of(answer, progress)))
        }))
    }
}
