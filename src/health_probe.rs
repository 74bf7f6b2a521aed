//! Asks a game server for its health over HTTP: `GET /health/`.
//!
//! What a game server does with a question is not in this program's hands. So each question has a connection of its own
//! that nothing outlives, and all that is read on it is limited: not the body alone, since an HTTP client goes on reading
//! headers, and answers like `100 Continue`, for as long as they come, and fast enough to have time for nothing else.

use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;

use actors::model::{HealthAnswer, MAX_REPORTED_CAPACITY};
use actors::ports::{HealthProbe, ProbeError};
use async_trait::async_trait;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, join};
use tokio::net::TcpStream;

/// The contract's body has some 50 bytes; whoever sends more than this is not read to the end.
const MAX_BODY: usize = 16 * 1024;

/// Bytes read for one question in all, head and body: past them the connection counts as ended.
const MAX_ANSWER: u64 = 32 * 1024;

/// The probe. It follows no redirect and uses no proxy: it asks the server itself, or nobody.
pub struct HttpProbe;

/// `{"available_capacity": 7, "ready_to_close": false}`; what else a server says is its own business.
#[derive(Deserialize)]
struct Body {
    available_capacity: u32,
    ready_to_close: bool,
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn ask(&self, target: SocketAddr) -> Result<HealthAnswer, ProbeError> {
        let (from, to) = TcpStream::connect(target).await.map_err(|error| unreachable(&error))?.into_split();
        let limited = TokioIo::new(join(from.take(MAX_ANSWER), to));
        let (mut client, connection) = http1::handshake(limited).await.map_err(|error| unreachable(&error))?;
        let question = Request::get("/health/").header(HOST, target.to_string()).header(CONNECTION, "close");
        let question = question.body(Empty::<Bytes>::new()).map_err(|error| unreachable(&error))?;
        let answer = async {
            let response = client.send_request(question).await.map_err(|error| unreachable(&error))?;
            read(response).await
        };
        let driven = async {
            // What goes wrong is told to who waits for the answer; an answer that was whole stands.
            let _ = connection.await;
            pending().await
        };
        tokio::select! {
            answer = answer => answer,
            answer = driven => answer,
        }
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
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;
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
        timeout(Duration::from_secs(30), HttpProbe.ask(address)).await.expect("an end by itself")
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
