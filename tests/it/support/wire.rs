//! A connection to a manager, on which a test says byte for byte what it likes.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use super::PATIENCE;
use super::manager::Manager;

/// A request that is complete, up to its body.
pub(crate) fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: manager\r\n{headers}\r\n")
}

/// An answer, as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: String,
}

/// What can be said there.
pub(crate) struct Speaker(OwnedWriteHalf);

/// What can be heard from there.
pub(crate) struct Listener(BufReader<OwnedReadHalf>);

/// A connection.
pub(crate) struct Wire {
    pub speaker: Speaker,
    pub listener: Listener,
}

impl Wire {
    /// Connects to that manager.
    pub(crate) async fn connect(manager: &Manager) -> Self {
        Self::to(&manager.authority()).await
    }

    /// Connects to that address and port.
    pub(crate) async fn to(authority: &str) -> Self {
        Self::through(TcpSocket::new_v4().expect("a socket"), authority).await
    }

    /// Connects as somebody who takes in hardly anything that is not read.
    pub(crate) async fn narrow(authority: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a smaller buffer");
        Self::through(socket, authority).await
    }

    async fn through(socket: TcpSocket, authority: &str) -> Self {
        let connecting = socket.connect(authority.parse().expect("an address"));
        let connected = timeout(PATIENCE, connecting).await.expect("connected in time");
        let stream = connected.expect("the manager can be connected to");
        stream.set_nodelay(true).expect("the connection is there");
        let (reader, writer) = stream.into_split();
        Self { speaker: Speaker(writer), listener: Listener(BufReader::new(reader)) }
    }

    /// Asks, and hears the answer, on a connection that is kept.
    pub(crate) async fn ask(&mut self, path: &str) -> io::Result<Answer> {
        self.speaker.say(&request("GET", path, "")).await?;
        self.listener.answer().await
    }

    /// Waits until the manager closes the connection.
    pub(crate) async fn closed(&mut self) {
        self.listener.closed().await;
    }

    /// Whether the connection is open as far as can be told without waiting.
    pub(crate) fn is_open(&self) -> bool {
        let read = self.listener.0.get_ref().try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Speaker {
    /// Says that.
    pub(crate) async fn say(&mut self, text: impl AsRef<[u8]>) -> io::Result<()> {
        timeout(PATIENCE, self.0.write_all(text.as_ref())).await.expect("it is taken or refused in time")
    }

    /// Says that a byte at a time, until all is said or nobody listens any more.
    pub(crate) async fn drip(&mut self, text: &str, pause: Duration) -> io::Result<()> {
        for byte in text.as_bytes() {
            self.say([*byte]).await?;
            sleep(pause).await;
        }
        Ok(())
    }
}

impl Listener {
    /// The next answer to anything but HEAD.
    pub(crate) async fn answer(&mut self) -> io::Result<Answer> {
        self.read(true).await
    }

    /// The next answer to HEAD.
    pub(crate) async fn head(&mut self) -> io::Result<Answer> {
        self.read(false).await
    }

    /// Waits until the manager closes the connection.
    pub(crate) async fn closed(&mut self) {
        // A connection that is reset is closed as well.
        let end = async { while self.0.read(&mut [0; 4096]).await.is_ok_and(|length| length > 0) {} };
        timeout(PATIENCE, end).await.expect("the manager closes the connection");
    }

    async fn read(&mut self, with_body: bool) -> io::Result<Answer> {
        timeout(PATIENCE, self.read_patiently(with_body)).await.expect("an answer in time")
    }

    async fn read_patiently(&mut self, with_body: bool) -> io::Result<Answer> {
        let status = self.line().await?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut length = 0;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ").filter(|_| with_body) {
                length = value.parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Answer { status: status.expect("a status"), body: String::from_utf8(body).expect("text") })
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}
