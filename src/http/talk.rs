//! What is said on a client's connection, from its first request to its end.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
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
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;
use warp::http::Request;
use warp::reply::Response;

use super::arriving::Arriving;
use super::connections::{Connection, End};
use super::server::Sender;
use super::streamed::Streamed;
use super::wire::Wire;

/// How long a client is listened to after the last answer. Closing while it still sends would reset the connection,
/// and it would never read that answer.
const LINGER: Duration = Duration::from_secs(2);

/// So many times 4 KiB are read and forgotten of a connection that is closed.
const MOST_DISCARDED: usize = 16;

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
pub(super) struct Talk<S> {
    pub(super) peer: IpAddr,
    pub(super) asks_who: Arc<dyn Fn() -> bool + Send + Sync>,
    pub(super) service: S,
    pub(super) connection: Connection,
}

impl<S> Talk<S>
where
    S: Service<Request<Arriving>, Response = Response, Error = Infallible, Future: Unpin> + Clone,
{
    /// Answers a client's requests, one after the other, until either side has enough of it; when `end` comes, the one in
    /// flight.
    pub(super) async fn converse(self, mut stream: TcpStream, http: http1::Builder, mut end: End) {
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

/// Reads what has come already, as far as one may go on sending: to close a connection with that unread resets it, too.
fn discard(stream: &TcpStream) {
    let mut unread = [0; 4096];
    (0..MOST_DISCARDED).take_while(|_| stream.try_read(&mut unread).is_ok_and(|length| length > 0)).count();
}
