//! One player's connection: what the player says goes to the lobby, what the lobby says goes to the player.

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use warp::ws::{self, WebSocket};

use super::Server;
use super::lobby::PlayerId;
use super::message::Message;

/// A reserved place, given back unless a player takes it.
pub(super) struct Place {
    server: Server,
    taken: bool,
}

impl Place {
    /// Reserves a place, if there is one.
    pub(super) fn reserve(server: &Server) -> Option<Self> {
        server.lobby().reserve().then(|| Self { server: server.clone(), taken: false })
    }

    /// A player takes the place until the connection ends, however it does.
    pub(super) async fn serve(mut self, socket: WebSocket) {
        let (tell, told) = unbounded_channel();
        self.taken = true;
        let id = self.server.lobby().join(tell);
        let seat = Seat { server: self.server.clone(), id };
        seat.play(socket, told).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.taken {
            self.server.lobby().give_up();
        }
    }
}

/// A place that a player has taken.
struct Seat {
    server: Server,
    id: PlayerId,
}

impl Seat {
    async fn play(&self, socket: WebSocket, mut told: UnboundedReceiver<Message>) {
        let (mut to_player, mut from_player) = socket.split();
        loop {
            tokio::select! {
                said = from_player.next() => match said {
                    Some(Ok(message)) => {
                        if let Ok(text) = message.to_str() {
                            self.server.lobby().relay(self.id, text);
                        }
                    }
                    // Gone: the library has answered a good-bye by then.
                    Some(Err(_)) | None => return,
                },
                Some(message) = told.recv() => {
                    self.end_in_time(&message);
                    // A player who has said good-bye is told nothing more, and is owed an answer to that.
                    if to_player.send(encode(&message)).await.is_err() {
                        break;
                    }
                }
                () = self.server.ending.cancelled() => {
                    // A player who is gone already cannot be told.
                    let _ = to_player.send(encode(&Message::GameOver { reason: "the server ends" })).await;
                    break;
                }
            }
        }
        let _ = to_player.send(ws::Message::close()).await;
        // The player's own good-bye.
        while let Some(Ok(_)) = from_player.next().await {}
    }

    /// Sets the clock of a game that began, if games have one. One of the two players' clocks is enough.
    fn end_in_time(&self, message: &Message) {
        if let (Message::GameStarted { opponent }, Some(length)) = (message, self.server.game_length)
            && self.id.number() < *opponent
        {
            let (server, id, opponent) = (self.server.clone(), self.id, PlayerId::from_number(*opponent));
            tokio::spawn(async move {
                tokio::time::sleep(length).await;
                server.lobby().game_over(id, opponent);
            });
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.server.lobby().leave(self.id);
    }
}

fn encode(message: &Message) -> ws::Message {
    ws::Message::text(serde_json::json!(message).to_string())
}
