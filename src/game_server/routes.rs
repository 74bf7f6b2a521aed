//! `/health/` and `/ws/connect/`.

use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::ws::Ws;
use warp::{Filter, Reply};

use super::Server;
use super::player::Place;

/// The longest message a player may send, in bytes: a move is short.
const MAX_MESSAGE: usize = 4096;

/// Both routes, with and without the trailing slash.
pub(super) fn routes(server: Server) -> BoxedFilter<(Response,)> {
    let shared = warp::any().map(move || server.clone());
    let health = warp::path!("health").and(warp::get()).and(shared.clone()).then(health);
    let connect = warp::path!("ws" / "connect").and(warp::ws()).and(shared).map(connect);
    health.or(connect).unify().boxed()
}

/// `{"available_capacity": 7, "ready_to_close": false}`
async fn health(server: Server) -> Response {
    if server.misbehaviour.hangs() {
        std::future::pending::<()>().await;
    }
    if server.misbehaviour.talks_garbage() {
        return "42 fine, thank you".into_response();
    }
    let lobby = server.lobby();
    let (capacity, ready) = (lobby.available_capacity(), lobby.is_ready_to_close());
    warp::reply::json(&serde_json::json!({ "available_capacity": capacity, "ready_to_close": ready })).into_response()
}

fn connect(upgrade: Ws, server: Server) -> Response {
    match Place::reserve(&server) {
        Some(place) => {
            upgrade.max_message_size(MAX_MESSAGE).on_upgrade(move |socket| place.serve(socket)).into_response()
        }
        None => {
            let full = warp::reply::json(&serde_json::json!({ "error": "the server is full" }));
            warp::reply::with_status(full, StatusCode::SERVICE_UNAVAILABLE).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::game_server::routes_for_tests;

    async fn ask(server: &BoxedFilter<(Response,)>) -> Value {
        let response = warp::test::request().path("/health/").reply(server).await;
        serde_json::from_slice(response.body()).expect("JSON")
    }

    async fn said(player: &mut warp::test::WsClient) -> Value {
        let message = player.recv().await.expect("a message");
        serde_json::from_str(message.to_str().expect("text")).expect("JSON")
    }

    #[tokio::test]
    async fn every_connection_takes_a_place_and_gives_it_back() {
        let server = routes_for_tests(2);
        assert_eq!(ask(&server).await, json!({ "available_capacity": 2, "ready_to_close": true }));
        let connect = || warp::test::ws().path("/ws/connect/");
        let mut first = connect().handshake(server.clone()).await.expect("there is room");
        assert_eq!(said(&mut first).await, json!({ "type": "waiting" }));
        assert_eq!(ask(&server).await, json!({ "available_capacity": 1, "ready_to_close": false }));
        let mut second = connect().handshake(server.clone()).await.expect("there is room");
        assert_eq!(said(&mut second).await["type"], "game_started");
        assert_eq!(ask(&server).await, json!({ "available_capacity": 0, "ready_to_close": false }));
        assert!(connect().handshake(server.clone()).await.is_err(), "it is full");
        assert_eq!(said(&mut first).await["type"], "game_started");
        first.send_text("e2e4").await;
        assert_eq!(said(&mut second).await, json!({ "type": "move", "text": "e2e4" }));
        first.send(warp::ws::Message::close()).await;
        assert_eq!(said(&mut second).await["type"], "game_over");
        assert_eq!(ask(&server).await, json!({ "available_capacity": 1, "ready_to_close": false }));
    }
}
