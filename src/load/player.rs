//! One player's visit.

use std::error::Error;
use std::sync::Once;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use super::tally::Ending;
use crate::operate::reason;

/// How long a player waits for the manager, and for a game server to take the connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two moves of one player.
const THINKING: Duration = Duration::from_secs(1);

/// What all visits have in common.
pub(super) struct Visit {
    client: reqwest::Client,
    ask: Url,
    backup: String,
    stop: CancellationToken,
    /// Once it was said why there is no address.
    complained: Once,
}

/// The manager's answer.
#[derive(Deserialize)]
struct Answer {
    available: String,
}

impl Visit {
    pub(super) fn new(manager: &Url, backup: String, stop: CancellationToken) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let mut ask = manager.clone();
        ask.set_path("/available-gameserver/");
        Ok(Self { client, ask, backup, stop, complained: Once::new() })
    }

    /// Makes one visit of that length; names the server once the player has found a place there.
    pub(super) async fn make(&self, stay: Duration, arrivals: UnboundedSender<String>) -> Ending {
        let Some(address) = self.address().await else { return Ending::NoAddress };
        if address == self.backup {
            return Ending::SentToBackup;
        }
        let connected = timeout(PATIENCE, connect_async(format!("ws://{address}/ws/connect/"))).await;
        let socket = match connected {
            Ok(Ok((socket, _))) => socket,
            // The game server answered, and not with a place.
            Ok(Err(WsError::Http(_))) => return Ending::Refused,
            Ok(Err(_)) | Err(_) => return Ending::Unreachable,
        };
        // Whoever counts is there until every player has gone.
        let _ = arrivals.send(address);
        self.play(socket, stay).await
    }

    async fn address(&self) -> Option<String> {
        match self.ask().await {
            Ok(address) => Some(address),
            Err(error) => {
                // Once is enough: it is the same for the others.
                let why = reason(&*error);
                self.complained.call_once(|| eprintln!("playlivechess-manager: no address from {}: {why}", self.ask));
                None
            }
        }
    }

    async fn ask(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let response = self.client.get(self.ask.clone()).send().await?.error_for_status()?;
        let answer: Answer = serde_json::from_slice(&response.bytes().await?)?;
        Ok(answer.available)
    }

    async fn play(&self, socket: WebSocketStream<MaybeTlsStream<TcpStream>>, stay: Duration) -> Ending {
        let (mut say, mut hear) = socket.split();
        let leave_at = Instant::now() + stay;
        let mut moves = tokio::time::interval_at(Instant::now() + THINKING, THINKING);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(leave_at) => break,
                () = self.stop.cancelled() => break,
                _ = moves.tick() => {
                    if say.send(Message::text("e2e4")).await.is_err() {
                        return Ending::Dropped;
                    }
                }
                heard = hear.next() => match heard {
                    Some(Ok(message)) if !message.is_close() => {}
                    _ => return Ending::Dropped,
                },
            }
        }
        // It leaves: what the server makes of that is not its concern any more.
        let _ = say.close().await;
        Ending::Left
    }
}
