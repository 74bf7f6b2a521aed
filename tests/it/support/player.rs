//! A player, as a game server and the manager meet one.

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::PATIENCE;

/// A player who has a place on a game server.
pub(crate) struct Player {
    /// Where.
    pub address: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Player {
    /// Takes a place. A server that refuses one fails the test: the manager must not have sent anybody there.
    pub(crate) async fn join(address: &str) -> Self {
        let connecting = connect_async(format!("ws://{address}/ws/connect/"));
        match timeout(PATIENCE, connecting).await.expect("an answer in time") {
            Ok((socket, _)) => Self { address: address.to_owned(), socket },
            Err(Error::Http(answer)) => panic!("{address} refused a player: {}", answer.status()),
            Err(error) => panic!("{address} cannot be reached: {error}"),
        }
    }

    /// Waits until the server ends the connection.
    pub(crate) async fn dropped(mut self) {
        let told = async { while let Some(Ok(_)) = self.socket.next().await {} };
        timeout(PATIENCE, told).await.expect("the connection ends in time");
    }

    /// Leaves in good order. To be dropped by then fails the test.
    pub(crate) async fn leave(mut self) {
        if let Err(error) = self.socket.close(None).await {
            panic!("a player was dropped by {}: {error}", self.address);
        }
        let rest = async {
            while let Some(message) = self.socket.next().await {
                if let Err(error) = message {
                    panic!("a player was dropped by {}: {error}", self.address);
                }
            }
        };
        timeout(PATIENCE, rest).await.expect("the server lets the player go in time");
    }
}
