//! The server on a real socket, with a fleet that takes its time to answer: a request takes 100ms, or as long as it waits for a place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::tests::{Script, fleet, open_door};
use super::{ConnectionRules, OpenConnections, Site, listen, routes, serve};
use crate::threads::Threads;

const REQUEST: &[u8] = b"GET /available-gameserver/ HTTP/1.1\r\nhost: manager\r\n\r\n";
const ANSWER: &str = r#"{"available": "127.0.0.1:8888"}"#;

/// By then it is done, and a client that is not noticed to be gone would wait longer.
const SOON: Duration = Duration::from_secs(20);

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
    _rules: watch::Sender<ConnectionRules>,
    _threads: Threads,
}

/// A server with room for so many connections.
async fn served(max_connections: usize) -> Served {
    let listener = listen(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let limit = Duration::from_mins(1);
    let rules = ConnectionRules { header_timeout: limit, idle_timeout: limit, max_connections, max_head_size: 8192 };
    let (sender, rules) = watch::channel(rules);
    let fleet = fleet(Script::Stuck).await;
    let threads = Threads::start().expect("some threads");
    let site = Site { routes: routes(fleet, open_door()), asks_who: Arc::new(|| false), threads: threads.clients() };
    let open = OpenConnections::default();
    let ended = tokio::spawn(serve(listener, site, rules, open, shutdown.clone(), limit));
    Served { address, shutdown, ended, _rules: sender, _threads: threads }
}

/// A connection on which that was said.
async fn said(address: SocketAddr, text: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it can be connected to");
    stream.write_all(text).await.expect("it is taken");
    stream
}

/// All that comes until the connection is closed.
async fn heard(mut stream: TcpStream) -> String {
    let mut heard = String::new();
    // A reset after the answer does no harm.
    let _ = stream.read_to_string(&mut heard).await;
    heard
}

#[tokio::test]
async fn shutdown_waits_for_requests_in_flight_and_for_nobody_else() {
    let Served { address, shutdown, ended, _rules, _threads } = served(10).await;
    let idle = said(address, b"").await;
    let mut kept = said(address, REQUEST).await;
    assert!(kept.read(&mut [0; 1024]).await.expect("an answer") > 0);
    // Of two requests the second one is being answered as soon as the first one was.
    let mut asking = said(address, &[REQUEST, REQUEST].concat()).await;
    assert!(asking.read(&mut [0; 1024]).await.expect("an answer") > 0);
    shutdown.cancel();
    ended.await.expect("it ends by itself");
    assert!(heard(asking).await.ends_with(ANSWER));
    assert_eq!((heard(idle).await, heard(kept).await), (String::new(), String::new()));
}

/// One that waits for a place.
async fn waiting(address: SocketAddr) -> TcpStream {
    let waits = b"POST /v1/allocations?wait=60s HTTP/1.1\r\nhost: manager\r\ncontent-length: 0\r\n\r\n";
    let mut waiting = said(address, &[REQUEST, waits].concat()).await;
    assert!(waiting.read(&mut [0; 1024]).await.expect("an answer") > 0);
    waiting
}

#[tokio::test]
async fn who_goes_while_it_waits_for_a_place_makes_room_at_once() {
    let served = served(1).await;
    let gone = waiting(served.address).await;
    let mut next = said(served.address, REQUEST).await;
    drop(gone);
    let answered = timeout(SOON, next.read(&mut [0; 1024])).await;
    assert!(answered.expect("nobody is before it any more").expect("an answer") > 0);
}

#[tokio::test]
async fn who_goes_while_it_waits_for_a_place_does_not_keep_the_manager_from_ending() {
    let Served { address, shutdown, ended, _rules, _threads } = served(10).await;
    let (gone, mut other) = (waiting(address).await, said(address, &[REQUEST, REQUEST].concat()).await);
    assert!(other.read(&mut [0; 1024]).await.expect("an answer") > 0);
    shutdown.cancel();
    assert!(other.read(&mut [0; 1024]).await.expect("an answer") > 0, "it was told to end meanwhile");
    drop(gone);
    timeout(SOON, ended).await.expect("nobody is left to be answered").expect("it ends by itself");
}

#[tokio::test]
async fn who_is_gone_when_its_request_is_read_is_not_answered() {
    let nowhere = b"GET /nowhere HTTP/1.1\r\nhost: manager\r\n\r\n".as_slice();
    let malformed = b"POST /v1/allocations HTTP/1.1\r\nhost: manager\r\ncontent-length: 1\r\n\r\n{";
    for request in [nowhere, malformed] {
        let served = served(1).await;
        let mut first = said(served.address, &[REQUEST, REQUEST].concat()).await;
        assert!(first.read(&mut [0; 1024]).await.expect("an answer") > 0);
        // It is not let in before the first one waits again.
        let mut gone = said(served.address, request).await;
        gone.shutdown().await.expect("it says that it goes");
        assert!(first.read(&mut [0; 1024]).await.expect("an answer") > 0);
        assert_eq!(timeout(SOON, heard(gone)).await.expect("it is let go"), "");
    }
}

#[tokio::test]
async fn one_that_is_being_answered_does_not_make_way_and_nobody_is_turned_away() {
    let served = served(2).await;
    let mut asking = Vec::new();
    for _ in 0..10 {
        asking.push(said(served.address, REQUEST).await);
    }
    for stream in &mut asking {
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).await.expect("an answer");
        assert!(String::from_utf8_lossy(&answer[..length]).ends_with(ANSWER));
    }
}
