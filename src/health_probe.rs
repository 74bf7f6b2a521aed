//! Asks a game server for its health over HTTP: `GET /health/`.
//!
//! What a game server does with a question is not in this program's hands. So all that is read for one question is limited:
//! not the body alone, since an HTTP client goes on reading headers, and answers like `100 Continue`, for as long as they
//! come, and fast enough to have time for nothing else. A connection is kept for the next question, and nothing but the
//! connection: what an HTTP client keeps beside it, for each of ten thousand servers, would be most of the manager's memory.

use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use actors::model::{HealthAnswer, MAX_REPORTED_CAPACITY};
use actors::ports::{HealthProbe, HealthProbes, ProbeError};
use async_trait::async_trait;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, Join, Take, join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Instant;

/// The contract's body has some 50 bytes; whoever sends more than this is not read to the end.
const MAX_BODY: usize = 16 * 1024;

/// Bytes read for one question in all, head and body: past them the connection counts as ended.
const MAX_ANSWER: u64 = 32 * 1024;

/// A connection that was not used for so long may have been forgotten on its way by now, without a word to either end.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Probes that follow no redirect and use no proxy: they ask the server itself, or nobody.
pub struct HttpProbes;

impl HealthProbes for HttpProbes {
    fn probe(&self, target: SocketAddr) -> Box<dyn HealthProbe> {
        Box::new(HttpProbe { target, host: host(target), kept: None })
    }
}

/// The probe of one server.
struct HttpProbe {
    target: SocketAddr,
    /// How it is named in each question.
    host: HeaderValue,
    /// The connection of the last question, and when that was answered.
    kept: Option<(Connection, Instant)>,
}

/// A connection of which only so much is read.
type Connection = Join<Take<OwnedReadHalf>, OwnedWriteHalf>;

/// `{"available_capacity": 7, "ready_to_close": false}`; what else a server says is its own business.
#[derive(Deserialize)]
struct Body {
    available_capacity: u32,
    ready_to_close: bool,
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn ask(&mut self) -> Result<HealthAnswer, ProbeError> {
        if let Some((connection, _)) = self.kept.take().filter(|(_, used_at)| used_at.elapsed() < KEPT_FOR) {
            match self.ask_on(connection).await {
                // It may have been closed since: a new one tells whether there is still somebody.
                Err(ProbeError::Unreachable(_)) => {}
                answer => return answer,
            }
        }
        let connection = TcpStream::connect(self.target).await.map_err(|error| unreachable(&error))?;
        let (read, write) = connection.into_split();
        self.ask_on(join(read.take(0), write)).await
    }
}

fn host(target: SocketAddr) -> HeaderValue {
    // An address has no character that a header may not have.
    HeaderValue::try_from(target.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

impl HttpProbe {
    /// Puts the question, and keeps the connection if another one can be put on it.
    async fn ask_on(&mut self, mut connection: Connection) -> Result<HealthAnswer, ProbeError> {
        connection.reader_mut().set_limit(MAX_ANSWER);
        let handshake = http1::handshake(TokioIo::new(connection)).await;
        let (mut client, connection) = handshake.map_err(|error| unreachable(&error))?;
        let mut question = Request::new(Empty::<Bytes>::new());
        *question.uri_mut() = Uri::from_static("/health/");
        question.headers_mut().insert(HOST, self.host.clone());
        let mut connection = Some(connection);
        let asked = async {
            let response = client.send_request(question).await.map_err(|error| unreachable(&error))?;
            let answer = read(response).await?;
            Ok((answer, client.ready().await.is_ok()))
        };
        let driven = async {
            if let Some(connection) = &mut connection {
                // What goes wrong is told to who waits for the answer; an answer that was whole stands.
                let _ = connection.await;
            }
            // Who waits is told only when it is gone.
            connection = None;
            pending().await
        };
        let (answer, may_be_kept) = tokio::select! {
            asked = asked => asked?,
            never = driven => never,
        };
        let parts = connection.filter(|_| may_be_kept).map(http1::Connection::into_parts);
        // What was said already would be no answer to the next question.
        let kept = parts.filter(|parts| parts.read_buf.is_empty()).map(|parts| parts.io.into_inner());
        self.kept = kept.map(|connection| (connection, Instant::now()));
        Ok(answer)
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
        timeout(Duration::from_secs(30), HttpProbes.probe(address).ask()).await.expect("an end by itself")
    }

    #[tokio::test]
    async fn what_comes_after_the_answer_is_of_no_interest() {
        let answer = ask_one_who_says(GOOD).await;
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

    const GOOD: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n{\"available_capacity\":7,\"ready_to_close\":false}";

    async fn answer_one(asking: &mut TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(asking.read_buf(&mut head).await.is_ok_and(|read| read > 0), "it went away");
        }
        asking.write_all(GOOD).await.expect("it is taken");
    }

    /// A game server that answers so many questions on each connection, and then closes it. How many there were of either
    /// it tells in the end.
    async fn asked_of_one_who_closes_after(answers: u32, questions: u32) -> (u32, u32) {
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
                            asking.write_all(GOOD).await.expect("it is taken");
                        }
                    }
                });
            }
        });
        let mut probe = HttpProbes.probe(address);
        for _ in 0..questions {
            let answer = timeout(Duration::from_secs(30), probe.ask()).await.expect("an end by itself");
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
        let mut probe = HttpProbes.probe(address);
        for _ in 0..50 {
            let before = asked.load(Ordering::Relaxed);
            let answer = timeout(Duration::from_secs(30), probe.ask()).await.expect("an end by itself");
            let said = answer.expect("an answer").available_capacity;
            assert!(said > before, "{said} was said before this was asked, after {before} questions");
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_not_used_for_long_is_not_trusted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut probe = HttpProbes.probe(listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            // The first is neither closed nor answered any more: so it is where somebody between has forgotten it.
            let (mut forgotten, _) = listener.accept().await.expect("a connection");
            answer_one(&mut forgotten).await;
            let (mut asking, _) = listener.accept().await.expect("a connection");
            answer_one(&mut asking).await;
        });
        assert!(probe.ask().await.is_ok());
        tokio::time::pause();
        tokio::time::advance(KEPT_FOR).await;
        tokio::time::resume();
        assert!(timeout(Duration::from_secs(30), probe.ask()).await.expect("an answer in time").is_ok());
        server.await.expect("both were asked on");
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
