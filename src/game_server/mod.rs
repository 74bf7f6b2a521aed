//! A small real game server: `/health/` for the manager, `/ws/connect/` for players, who are matched in pairs. It can
//! be told to misbehave, for tests and demonstrations.

mod lobby;
mod message;
mod misbehaviour;
mod player;
mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::stdout::print;
use lobby::Lobby;
pub use misbehaviour::Misbehaviour;

/// How long players have to be told that the game is over when the server ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the game server is told.
#[derive(Args, Clone, Debug)]
pub struct GameServerArgs {
    /// Where players and the manager are listened for.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,
    /// How many players can be connected.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub capacity: u32,
    /// A game ends by itself after so long; otherwise when a player leaves.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub game_length: Option<Duration>,
    /// What it does wrong.
    #[command(flatten)]
    pub misbehaviour: Misbehaviour,
}

/// Why the game server ended.
#[derive(Debug, Error)]
pub enum GameServerError {
    /// It cannot listen there.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Signals cannot be waited for.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    /// It was told to die.
    #[error("died, as it was told to")]
    Died,
}

/// What the routes and the players share.
#[derive(Clone)]
pub(crate) struct Server {
    lobby: Arc<Mutex<Lobby>>,
    misbehaviour: Arc<misbehaviour::Schedule>,
    game_length: Option<Duration>,
    /// Cancelled when the server ends.
    ending: CancellationToken,
}

impl Server {
    fn new(args: &GameServerArgs) -> Self {
        Self {
            lobby: Arc::new(Mutex::new(Lobby::new(args.capacity))),
            misbehaviour: Arc::new(misbehaviour::Schedule::starting_now(args.misbehaviour)),
            game_length: args.game_length,
            ending: CancellationToken::new(),
        }
    }

    /// Every change to the lobby is whole, so one that panicked left nothing half done.
    fn lobby(&self) -> MutexGuard<'_, Lobby> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the game server until SIGTERM or SIGINT; players are told first.
///
/// # Errors
/// When it cannot listen, or was told to die.
pub async fn run(args: GameServerArgs) -> Result<(), GameServerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(GameServerError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(GameServerError::Signals)?;
    tokio::time::sleep(args.misbehaviour.start_after).await;
    let address = args.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| GameServerError::Listen { address, error })?;
    say(&format!("a game server for {} players listens on {address}\n", args.capacity));
    let server = Server::new(&args);
    let serving = warp::serve(routes::routes(server.clone())).incoming(listener).run();
    tokio::select! {
        () = serving => {}
        () = server.misbehaviour.death() => return Err(GameServerError::Died),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.ending.cancel();
    // The connections live on in tasks of their own until their players are told.
    let everybody_left = async {
        let next_departure = || server.lobby().next_departure();
        while let Some(left) = next_departure() {
            left.await;
        }
    };
    if tokio::time::timeout(FAREWELL, everybody_left).await.is_err() {
        say("not every player could be told\n");
    }
    Ok(())
}

/// Says it to whoever reads. Players do not depend on that.
fn say(line: &str) {
    let _ = print(line);
}

/// A well-behaved game server, to be served by a test.
#[cfg(test)]
pub(crate) fn routes_for_tests(capacity: u32) -> warp::filters::BoxedFilter<(warp::reply::Response,)> {
    let listen = ([127, 0, 0, 1], 0).into();
    let misbehaviour = Misbehaviour::default();
    routes::routes(Server::new(&GameServerArgs { listen, capacity, game_length: None, misbehaviour }))
}
