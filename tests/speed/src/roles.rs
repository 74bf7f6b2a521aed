//! The parts of a measurement, each a process of its own: the program that is measured, its reference, and who they talk to.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::model::Timestamp;
use actors::ports::Clock;
use clap::Subcommand;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use playlivechess_manager::config::Flags;
use playlivechess_manager::daemon::{self, ConfigSource, Listeners};
use playlivechess_manager::metrics::Metrics;
use playlivechess_manager::threads::Threads;
use playlivechess_manager::{http, signals};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;
use warp::http::Response;
use warp::{Filter, Rejection, Reply};

use crate::cloud::StandingFleet;
use crate::process::raise_open_files;
use crate::{Result, games, polling};

/// What clients are answered, of the length that an answer has.
const ANSWER: &str = "{\"available\": \"127.100.100.100:9000\"}";

/// A part.
#[derive(Subcommand, Clone, Debug)]
#[command(hide = true)]
pub(crate) enum Role {
    /// The daemon, with its own code but for the cloud.
    Manager {
        /// Servers that there are.
        servers: u32,
        /// Places on each.
        capacity: u32,
    },
    /// A bare warp handler that answers a constant.
    Reference,
    /// The same on threads like those of the daemon, where a connection stays on one of them.
    OnThreads,
    /// So many game servers, which answer their health question.
    Games {
        /// How many.
        servers: u32,
        /// Places on each.
        capacity: u32,
    },
    /// A loop that asks so many game servers for their health, and does nothing else.
    Polls {
        /// How many.
        servers: u32,
    },
}

impl Role {
    pub(crate) async fn play(&self) -> Result<()> {
        raise_open_files();
        match *self {
            Self::Manager { servers, capacity } => manage(servers, capacity).await,
            Self::Reference => refer().await,
            Self::OnThreads => refer_on_threads().await,
            Self::Games { servers, capacity } => games::serve(servers, capacity).await,
            Self::Polls { servers } => polling::poll(servers).await,
        }
    }
}

async fn manage(servers: u32, capacity: u32) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let settings = format!(
        "listen = \"127.0.0.1:0\"\n\
         [aws]\ntask_definition = \"game\"\nlaunch_template = \"game\"\nregion = \"eu-west-1\"\n\
         [operations]\nlisten = \"off\"\n\
         [scaling]\nserver_capacity = {capacity}\nupscale_margin = 4\ndownscale_margin = 1000000\n\
         min_servers = 1\nmax_servers = {}\nhold_ttl = \"5s\"\n\
         [cloud_calls]\nobserve_interval = \"10s\"\n",
        // More than there are, as far as there may be more.
        (servers + 100).min(10_000),
    );
    std::fs::write(dir.path().join("manager.toml"), settings)?;
    let source = ConfigSource { flags: Flags::default(), dir: dir.path().to_owned() };
    let loaded = source.read().map_err(|mistakes| mistakes.to_string())?;
    let clients = http::listen(loaded.settings.listen)?;
    println!("listens {}", clients.local_addr()?);
    let clock = Clock::system();
    let cloud = Arc::new(StandingFleet::of(servers));
    let listeners = Listeners { clients, operations: None };
    let metrics = Metrics::new(Timestamp::default())?;
    daemon::run(source, loaded, listeners, cloud, metrics, clock, signals::listen()?).await?;
    Ok(())
}

/// Answers the constant.
fn constant() -> impl Filter<Extract = (Response<&'static str>,), Error = Rejection> + Clone {
    let answer = || Response::builder().header("content-type", "application/json").body(ANSWER);
    // Nothing of it can be refused.
    warp::path!("available-gameserver").and(warp::get()).map(move || answer().unwrap_or_default())
}

async fn refer() -> Result<()> {
    let listener = listen().await?;
    warp::serve(constant()).incoming(listener).run().await;
    Ok(())
}

async fn refer_on_threads() -> Result<()> {
    let listener = listen().await?;
    let threads = Threads::start()?;
    let service = warp::service(constant().map(Reply::into_response).boxed());
    for thread in threads.clients().iter().cycle() {
        let (stream, _) = listener.accept().await?;
        let (stream, service) = (stream.into_std()?, service.clone());
        let answer = service_fn(move |request| service.clone().call(request));
        thread.spawn(async move {
            // A client that goes is no concern of anybody's.
            if let Ok(stream) = TcpStream::from_std(stream) {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            }
        });
    }
    Ok(())
}

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("listens {}", listener.local_addr()?);
    Ok(listener)
}
