//! Game servers that do nothing but answer their health question, and tell how regularly they were asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Result;
use crate::cloud::address;

/// What the interval between two questions should be.
const INTERVAL: Duration = Duration::from_secs(1);

/// What was seen since it was last told.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    /// How much later than the interval each question came than the one before.
    lateness: Mutex<Vec<Duration>>,
}

/// Serves until it is killed. On SIGUSR1 it tells what it has seen since the last one.
pub(crate) async fn serve(servers: u32, capacity: u32) -> Result<()> {
    let seen = Arc::new(Seen::default());
    let body = format!("{{\"available_capacity\": {capacity}, \"ready_to_close\": false}}");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let answer: Arc<str> = format!("{head}\r\n{body}").into();
    let closing: Arc<str> = format!("{head}connection: close\r\n\r\n{body}").into();
    let mut asked = signal(SignalKind::user_defined1())?;
    for number in 0..servers {
        let listener = TcpListener::bind(address(number)).await?;
        tokio::spawn(play(listener, [Arc::clone(&answer), Arc::clone(&closing)], Arc::clone(&seen)));
    }
    println!("plays");
    loop {
        asked.recv().await;
        let mut lateness = std::mem::take(&mut *seen.lateness.lock().await);
        lateness.sort_unstable();
        let p99 = lateness.get(lateness.len() * 99 / 100).copied().unwrap_or_default();
        let connections = seen.connections.swap(0, Ordering::Relaxed);
        println!("seen {} {connections} {}", lateness.len(), p99.as_micros());
    }
}

async fn play(listener: TcpListener, answers: [Arc<str>; 2], seen: Arc<Seen>) {
    let last = Arc::new(Mutex::new(None::<Instant>));
    while let Ok((client, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(answer(client, answers.clone(), Arc::clone(&last), Arc::clone(&seen)));
    }
}

async fn answer(
    mut client: TcpStream,
    [keep, close]: [Arc<str>; 2],
    last: Arc<Mutex<Option<Instant>>>,
    seen: Arc<Seen>,
) {
    let mut head = Vec::with_capacity(512);
    // A question fits in one segment.
    while client.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let now = Instant::now();
        if let Some(before) = last.lock().await.replace(now) {
            seen.lateness.lock().await.push((now - before).saturating_sub(INTERVAL));
        }
        let closes = head.to_ascii_lowercase().windows(17).any(|part| part == b"connection: close");
        head.clear();
        let answer = if closes { &close } else { &keep };
        if client.write_all(answer.as_bytes()).await.is_err() || closes {
            return;
        }
    }
}
