//! Asks a game server for its health over HTTP: `GET /health/`.
//!
//! What a game server does with a question is not in this program's hands. So all that is read for one question is limited:
//! not the body alone, since an HTTP client goes on reading headers, and answers like `100 Continue`, for as long as they
//! come, and fast enough to have time for nothing else. A connection is kept for the next question, and nobody listens to
//! it meanwhile: what comes then is part of that one's limit.

mod metered;

use std::collections::HashMap;
use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actors::model::{HealthAnswer, MAX_REPORTED_CAPACITY};
use actors::ports::{HealthProbe, ProbeError};
use async_trait::async_trait;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::Instant;

use metered::{Allowance, Metered};

/// The contract's body has some 50 bytes; whoever sends more than this is not read to the end.
const MAX_BODY: usize = 16 * 1024;

/// Bytes read for one question in all, head and body: past them the connection counts as ended.
const MAX_ANSWER: u64 = 32 * 1024;

/// What is read at once. A fleet has a buffer of that size for each server, and an answer some 200 bytes.
const READ_BUFFER: usize = 4096;

/// A connection that was not used for so long is closed: its server is gone, or asked more seldom than it is worth.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// The probe. It follows no redirect and uses no proxy: it asks the server itself, or nobody.
#[derive(Default)]
pub struct HttpProbe {
    kept: Mutex<Kept>,
}

/// Connections that wait for the next question, by server.
#[derive(Default)]
struct Kept {
    connections: HashMap<SocketAddr, (Connection, Instant)>,
    /// When those that were not used were last closed.
    swept_at: Option<Instant>,
}

/// A connection to a game server, which does nothing but while it is asked.
struct Connection {
    client: SendRequest<Empty<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<Metered>, Empty<Bytes>>>>,
    /// What may be read for the present question.
    allowance: Allowance,
}

/// `{"available_capacity": 7, "ready_to_close": false}`; what else a server says is its own business.
#[derive(Deserialize)]
struct Body {
    available_capacity: u32,
    ready_to_close: bool,
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn ask(&self, target: SocketAddr) -> Result<HealthAnswer, ProbeError> {
        let kept = self.kept().take(target);
        if let Some(kept) = kept {
            match kept.ask(target).await {
                // It may have been closed since: a new one tells whether there is still somebody.
                (Err(ProbeError::Unreachable(_)), _) => {}
                (answer, connection) => return self.keep(target, answer, connection),
            }
        }
        let (answer, connection) = Connection::open(target).await?.ask(target).await;
        self.keep(target, answer, connection)
    }
}

impl HttpProbe {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Every change is whole, so one that panicked left nothing half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(
        &self,
        target: SocketAddr,
        answer: Result<HealthAnswer, ProbeError>,
        connection: Option<Connection>,
    ) -> Result<HealthAnswer, ProbeError> {
        if let (Ok(_), Some(connection)) = (&answer, connection) {
            self.kept().put(target, connection, Instant::now());
        }
        answer
    }
}

impl Kept {
    fn take(&mut self, target: SocketAddr) -> Option<Connection> {
        self.connections.remove(&target).map(|(connection, _)| connection)
    }

    fn put(&mut self, target: SocketAddr, connection: Connection, now: Instant) {
        if self.swept_at.is_none_or(|swept_at| now - swept_at >= KEPT_FOR) {
            self.connections.retain(|_, (_, used_at)| now - *used_at < KEPT_FOR);
            self.swept_at = Some(now);
        }
        self.connections.insert(target, (connection, now));
    }
}

impl Connection {
    async fn open(target: SocketAddr) -> Result<Self, ProbeError> {
        let stream = TcpStream::connect(target).await.map_err(|error| unreachable(&error))?;
        let allowance = Allowance::default();
        let metered = TokioIo::new(Metered::new(stream, allowance.clone()));
        let handshake = http1::Builder::new().read_buf_exact_size(Some(READ_BUFFER)).handshake(metered).await;
        let (client, connection) = handshake.map_err(|error| unreachable(&error))?;
        Ok(Self { client, driver: Box::pin(connection), allowance })
    }

    /// Puts the question. The connection is given back if another one can be put on it.
    async fn ask(self, target: SocketAddr) -> (Result<HealthAnswer, ProbeError>, Option<Self>) {
        let question = Request::get("/health/").header(HOST, target.to_string()).body(Empty::<Bytes>::new());
        let question = match question {
            Ok(question) => question,
            Err(error) => return (Err(unreachable(&error)), None),
        };
        let Self { mut client, driver, allowance } = self;
        let mut driver = Some(driver);
        allowance.renew(MAX_ANSWER);
        let asked = async {
            let answer = match client.send_request(question).await {
                Ok(response) => read(response).await,
                Err(error) => Err(unreachable(&error)),
            };
            let is_kept = answer.is_ok() && client.ready().await.is_ok();
            (answer, is_kept)
        };
        let driven = async {
            if let Some(running) = &mut driver {
                // What goes wrong is told to who waits for the answer; an answer that was whole stands.
                let _ = running.await;
            }
            // Who waits is told only when it is gone.
            driver = None;
            pending().await
        };
        let (answer, is_kept) = tokio::select! {
            asked = asked => asked,
            never = driven => never,
        };
        let driver = driver.filter(|_| is_kept);
        (answer, driver.map(|driver| Self { client, driver, allowance }))
    }
}

async fn read(response: Response<Incoming>) -> Result<HealthAnswer, ProbeError> {
    if !response.status().is_success() {
        return Err(ProbeError::Unreadable(format!("status {}", response.status())));
    }
    match Limited::new(response.into_body(), MAX_BODY).collect().await {
        Ok(body) => parse(&body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ProbeError::Unreadable(format!("more than {MAX_BODY} bytes")))
        }
        Err(error) => Err(unreachable(error.as_ref())),
    }
}

/// Reads what a game server said.
///
/// # Errors
/// When it is not the contract: unknown is not empty.
pub fn parse(body: &[u8]) -> Result<HealthAnswer, ProbeError> {
    let Body { available_capacity, ready_to_close } =
        serde_json::from_slice(body).map_err(|error| ProbeError::Unreadable(error.to_string()))?;
    if available_capacity > MAX_REPORTED_CAPACITY {
        let message = format!("an available_capacity of {available_capacity} is above {MAX_REPORTED_CAPACITY}");
        return Err(ProbeError::Unreadable(message));
    }
    Ok(HealthAnswer { available_capacity, ready_to_close })
}

/// The innermost cause says what happened: "Connection reset by peer", not "connection error".
fn unreachable(error: &(dyn Error + 'static)) -> ProbeError {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ProbeError::Unreachable(cause.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// Asks one who writes this again and again, once it is asked something.
    async fn ask_one_who_says(words: &'static [u8]) -> Result<HealthAnswer, ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut asking, _) = listener.accept().await.expect("a connection");
            // Who speaks before that is not listened to.
            asking.read_u8().await.expect("a question");
            while asking.write_all(words).await.is_ok() {}
        });
        timeout(Duration::from_secs(30), HttpProbe::default().ask(address)).await.expect("an end by itself")
    }

    #[tokio::test]
    async fn what_comes_after_the_answer_is_of_no_interest() {
        let good = b"HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n{\"available_capacity\":7,\"ready_to_close\":false}";
        let answer = ask_one_who_says(good).await;
        assert_eq!(answer, Ok(HealthAnswer { available_capacity: 7, ready_to_close: false }));
    }

    #[tokio::test]
    async fn who_talks_without_end_is_not_listened_to() {
        for words in [
            &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n    ",
            b"HTTP/1.1 ",
            b"GET /health/ HTTP/1.1\r\n",
        ] {
            let answer = ask_one_who_says(words).await;
            assert!(answer.is_err(), "{answer:?} to {words:?}");
        }
    }

    /// A game server that answers so many questions on each connection, and then closes it. How many there were of either
    /// it tells in the end.
    async fn asked_of_one_who_closes_after(answers: u32, questions: u32) -> (u32, u32) {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n{\"available_capacity\":7,\"ready_to_close\":false}";
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let counts = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let counted = Arc::clone(&counts);
        let server = tokio::spawn(async move {
            loop {
                let (mut asking, _) = listener.accept().await.expect("a connection");
                counted.0.fetch_add(1, Ordering::Relaxed);
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut left = answers;
                    while left > 0 && asking.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                        if head.ends_with(b"\r\n\r\n") {
                            counted.1.fetch_add(1, Ordering::Relaxed);
                            left -= 1;
                            head.clear();
                            asking.write_all(answer).await.expect("it is taken");
                        }
                    }
                });
            }
        });
        let probe = HttpProbe::default();
        for _ in 0..questions {
            let answer = timeout(Duration::from_secs(30), probe.ask(address)).await.expect("an end by itself");
            assert_eq!(answer, Ok(HealthAnswer { available_capacity: 7, ready_to_close: false }));
        }
        server.abort();
        (counts.0.load(Ordering::Relaxed), counts.1.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_connection_is_kept_and_one_that_was_closed_since_is_no_miss() {
        assert_eq!(asked_of_one_who_closes_after(u32::MAX, 20).await, (1, 20));
        assert_eq!(asked_of_one_who_closes_after(1, 20).await, (20, 20));
    }

    #[tokio::test]
    async fn what_was_said_before_a_question_is_no_answer_to_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut asking, _) = listener.accept().await.expect("a connection");
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while asking.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                        if head.ends_with(b"\r\n\r\n") {
                            head.clear();
                            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
                            let body = format!("{{\"available_capacity\":{number},\"ready_to_close\":false}}");
                            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                            // Whoever is gone by the second one does not want it.
                            let _ = asking.write_all(answer.repeat(2).as_bytes()).await;
                        }
                    }
                });
            }
        });
        let probe = HttpProbe::default();
        for _ in 0..50 {
            let before = asked.load(Ordering::Relaxed);
            let answer = timeout(Duration::from_secs(30), probe.ask(address)).await.expect("an end by itself");
            let said = answer.expect("an answer").available_capacity;
            assert!(said > before, "{said} was said before this was asked, after {before} questions");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_are_not_used_are_closed() {
        let mut kept = Kept::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let gone = SocketAddr::from(([127, 0, 0, 1], 1));
        kept.put(gone, Connection::open(address).await.expect("it listens"), Instant::now());
        tokio::time::advance(KEPT_FOR).await;
        kept.put(address, Connection::open(address).await.expect("it listens"), Instant::now());
        assert!(kept.take(gone).is_none() && kept.take(address).is_some());
    }

    #[test]
    fn the_contract_is_read() {
        let answer = parse(br#"{"available_capacity": 7, "ready_to_close": false, "version": "1.2"}"#);
        assert_eq!(answer, Ok(HealthAnswer { available_capacity: 7, ready_to_close: false }));
    }

    #[test]
    fn what_is_not_the_contract_is_no_answer() {
        for body in [
            "",
            "null",
            "ok",
            "{}",
            r#"{"available_capacity": 7}"#,
            r#"{"available_capacity": -1, "ready_to_close": true}"#,
            r#"{"available_capacity": "7", "ready_to_close": true}"#,
            r#"{"available_capacity": 7, "ready_to_close": "no"}"#,
            r#"{"available_capacity": 65536, "ready_to_close": true}"#,
            r#"{"available_capacity": 4294967296, "ready_to_close": true}"#,
        ] {
            assert!(matches!(parse(body.as_bytes()), Err(ProbeError::Unreadable(_))), "{body}");
        }
    }
}
