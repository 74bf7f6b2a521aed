//! The parts of a measurement, each a process of its own: the program that is measured, its reference, and who they talk to.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::model::Timestamp;
use actors::ports::Clock;
use clap::Subcommand;
use playlivechess_manager::config::Flags;
use playlivechess_manager::daemon::{self, ConfigSource, Listeners};
use playlivechess_manager::metrics::Metrics;
use playlivechess_manager::{http, signals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::net::TcpListener;
use warp::Filter;

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
    /// A bare warp handler that asks an actor for the constant.
    Asking,
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
            Self::Asking => refer_asking().await,
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

async fn refer() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("listens {}", listener.local_addr()?);
    let route = warp::path!("available-gameserver")
        .and(warp::get())
        .map(|| warp::http::Response::builder().header("content-type", "application/json").body(ANSWER));
    warp::serve(route).incoming(listener).run().await;
    Ok(())
}

/// Answers each question with the constant.
struct Constant;

impl Actor for Constant {
    type Msg = RpcReplyPort<&'static str>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> std::result::Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        reply_to: Self::Msg,
        (): &mut (),
    ) -> std::result::Result<(), ActorProcessingErr> {
        // Who does not wait any more needs no answer.
        let _ = reply_to.send(ANSWER);
        Ok(())
    }
}

async fn refer_asking() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("listens {}", listener.local_addr()?);
    let (actor, _ended) = Actor::spawn(None, Constant, ()).await?;
    let ask = move || {
        let actor = actor.clone();
        async move {
            let answer = actor
                .call(|reply_to| reply_to, None)
                .await
                .ok()
                .and_then(|answer| answer.success_or(()).ok())
                .unwrap_or_default();
            warp::http::Response::builder().header("content-type", "application/json").body(answer)
        }
    };
    let route = warp::path!("available-gameserver").and(warp::get()).then(ask);
    warp::serve(route).incoming(listener).run().await;
    Ok(())
}
