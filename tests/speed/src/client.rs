//! A game client, on a connection that is kept.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// A connection to the manager.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Connects to who listens there.
    pub(crate) async fn connect(at: &str) -> Result<Self> {
        Ok(Self(TcpStream::connect(at).await?))
    }

    /// Asks for a place; where it is.
    pub(crate) async fn ask(&mut self) -> Result<String> {
        self.0.write_all(b"GET /available-gameserver/ HTTP/1.1\r\nhost: manager\r\n\r\n").await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            if self.0.read_buf(&mut answer).await? == 0 {
                return Err("the manager hung up".into());
            }
        }
        let answer = String::from_utf8(answer)?;
        Ok(answer.rsplit('"').nth(1).ok_or("no address")?.to_owned())
    }
}
