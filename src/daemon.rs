//! The daemon's life: from the listener and the cloud it is given to its orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actors::fleet_supervisor::{FleetArgs, FleetMsg, FleetRef, FleetSupervisor};
use actors::ports::{Clock, Cloud};
use futures_util::future::OptionFuture;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Aws, CloudKind, Flags, Loaded, Mistakes, Settings};
use crate::health_probe::HttpProbes;
use crate::http::{self, ConnectionRules, Door, Fleet, OpenConnections, Site};
use crate::metrics::{MeteredCloud, MeteredProbes, Metrics};
use crate::operations::{self, Gate, Operations, Scraped};
use crate::service_manager::ServiceManager;
use crate::signals::Command;
use crate::threads::Threads;
use crate::traces::{self, TracesError};
use crate::watched::{self, Telling};
use crate::webhook::Webhook;
use crate::{chronicle, policy};

/// Where the configuration is read from, at start and again on request.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// What the command line says.
    pub flags: Flags,
    /// Where `manager.toml` and `.env` are looked for.
    pub dir: PathBuf,
}

impl ConfigSource {
    /// Reads all layers of the configuration.
    ///
    /// # Errors
    /// Every mistake of every layer, at once.
    pub fn read(&self) -> Result<Loaded, Mistakes> {
        config::load(&self.flags, &self.dir, environment())
    }

    /// The same, with these variables in place of those of the environment.
    ///
    /// # Errors
    /// As with [`Self::read`].
    pub fn read_with(&self, variables: Vec<(String, String)>) -> Result<Loaded, Mistakes> {
        let is_replaced = |(name, _): &(String, String)| variables.iter().any(|(replaced, _)| replaced == name);
        let others: Vec<_> = environment().filter(|variable| !is_replaced(variable)).collect();
        config::load(&self.flags, &self.dir, others.into_iter().chain(variables))
    }

    /// Reads the address to listen on alone.
    ///
    /// # Errors
    /// Every mistake, if that address is among them.
    pub fn listen(&self) -> Result<SocketAddr, Mistakes> {
        config::listen(&self.flags, &self.dir, environment())
    }

    /// Reads where operators are listened for, and their token, alone.
    ///
    /// # Errors
    /// Every mistake, if one of those is among them.
    pub fn operators(&self) -> Result<config::Operations, Mistakes> {
        config::operators(&self.flags, &self.dir, environment())
    }
}

/// The variables of this process. One that is no text can be none of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Why the daemon ended though nobody asked it to.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The fleet does not start.
    #[error("the fleet does not start: {0}")]
    Start(#[from] ractor::SpawnErr),
    /// The supervisor died, and with it the roster. A new process reads everything from the cloud again.
    #[error("the fleet supervisor died; started again, the manager finds everything in the cloud")]
    SupervisorDied,
    /// The journal's file cannot be read.
    #[error("the journal's file cannot be read: {0}; move it away, or name another one in journal.path")]
    Journal(#[from] std::io::Error),
    /// Nobody can be answered, or asked for its health.
    #[error("no threads can be started to answer clients, and to ask game servers for their health: {0}")]
    Threads(#[source] std::io::Error),
    /// There are to be traces, and cannot be.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// Nobody can be asked for margins.
    #[error("there can be no HTTP client: {0}")]
    Webhook(#[source] reqwest::Error),
    /// Clients can no longer be listened to.
    #[error("the HTTP server ended")]
    ServerEnded,
}

/// Where requests come in.
#[derive(Debug)]
pub struct Listeners {
    /// Those of clients.
    pub clients: TcpListener,
    /// Those of operators. None: nowhere.
    pub operations: Option<TcpListener>,
}

/// What changes when the configuration is read again.
struct Running {
    source: ConfigSource,
    loaded: Loaded,
    fleet: FleetRef,
    telling: Telling,
    service: ServiceManager,
    /// The cloud, as it was started.
    cloud: CloudKind,
    aws: Aws,
    /// Where operators are listened for.
    operations: Option<SocketAddr>,
}

/// Runs the fleet until a command to shut down, or until `commands` ends. Game servers are left as they are.
///
/// # Errors
/// When the daemon cannot start, or a part that it cannot live without ends.
pub async fn run(
    source: ConfigSource,
    loaded: Loaded,
    listeners: Listeners,
    cloud: Arc<dyn Cloud>,
    metrics: Metrics,
    clock: Clock,
    mut commands: mpsc::UnboundedReceiver<Command>,
) -> Result<(), DaemonError> {
    let settings = &loaded.settings;
    let (journal, chronicle) = chronicle::open(settings, &metrics)?;
    let followers = journal.followers().clone();
    tokio::spawn(metrics.clone().follow(followers.subscribe()));
    let (traces, exporting) = traces::start(settings, clock, &metrics)?;
    tokio::spawn(traces.clone().follow(followers.subscribe()));
    let threads = Threads::start().map_err(DaemonError::Threads)?;
    let fleet = FleetSupervisor::spawn(FleetArgs {
        policy: policy::policy(settings),
        cloud: Arc::new(MeteredCloud::new(cloud, &metrics)),
        concurrency: settings.cloud_calls.concurrency as usize,
        probes: Arc::new(MeteredProbes::new(HttpProbes, &metrics)),
        polling: threads.health().clone(),
        background: Handle::current(),
        clock,
        journal,
    });
    let fleet = threads.supervisor().spawn(fleet).await;
    let (fleet, mut fleet_ended) = fleet.map_err(|_| DaemonError::SupervisorDied)??;
    let (telling, watched) = watched::watch(settings);
    let shutdown = CancellationToken::new();
    let limit = settings.http.shutdown_limit;
    let asked = Fleet::new(fleet.clone(), watched.answers.clone(), metrics.clone(), traces);
    let door = Door::new(watched.door.clone(), watched.rate.clone());
    let routes = http::routes(asked.clone(), door.clone());
    let asks_who = {
        let asked = asked.clone();
        move || asked.traces().are_on() || door.counts()
    };
    let clients = Site { routes, asks_who: Arc::new(asks_who), threads: threads.clients() };
    let webhook = Webhook::new(asked.clone(), settings.fleet.clone(), watched.webhook.clone(), metrics.clone());
    let mut asking = pin!(webhook.map_err(DaemonError::Webhook)?.ask());
    let scraped = Scraped { metrics, open: OpenConnections::default(), rules: watched.connections.clone() };
    let open = scraped.open.clone();
    let clients = http::serve(listeners.clients, clients, watched.connections.clone(), open, shutdown.clone(), limit);
    let daemon = operations::Daemon {
        name: settings.fleet.clone(),
        cloud: match settings.cloud {
            CloudKind::Ecs => "ecs",
            CloudKind::Local => "local",
        },
        started_at: clock.now(),
    };
    let operators =
        Operations::new(asked.clone(), scraped, daemon, Gate::new(watched.operators), followers, shutdown.clone());
    let operators = operate(listeners.operations, operators, watched.operator_connections, shutdown.clone(), limit);
    let mut server = tokio::spawn(async { tokio::join!(clients, operators).0 });
    let service = ServiceManager::default();
    let mut census = chronicle.as_ref().map(|chronicle| Box::pin(chronicle.take_census(asked.clone())));
    let mut reporting = pin!(service.clone().report_on(fleet.clone()));
    let (cloud, aws, operations) = (settings.cloud, settings.aws.clone(), settings.operations.listen);
    let mut running = Running { source, loaded, fleet, telling, service, cloud, aws, operations };

    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Shutdown) | None => break,
                Some(command) => running.obey(command),
            },
            never = &mut reporting => match never {},
            never = &mut asking => match never {},
            Some(never) = OptionFuture::from(census.as_mut()) => match never {},
            _ = &mut fleet_ended => return Err(DaemonError::SupervisorDied),
            _ = &mut server => return Err(DaemonError::ServerEnded),
        }
    }
    running.service.stopping();
    shutdown.cancel();
    end(running, server, fleet_ended).await;
    if let Some(chronicle) = chronicle {
        chronicle.finish().await;
    }
    if let Some(exporting) = exporting {
        exporting.finish(limit).await;
    }
    Ok(())
}

/// Serves operators, if they are listened for.
async fn operate(
    listener: Option<TcpListener>,
    operations: Operations,
    rules: watch::Receiver<ConnectionRules>,
    shutdown: CancellationToken,
    limit: Duration,
) {
    let Some(listener) = listener else { return };
    let open = OpenConnections::default();
    let remembering = operations.clone().remember();
    let site = Site { routes: operations::routes(operations), asks_who: Arc::new(|| false), threads: vec![] };
    tokio::select! {
        () = http::serve(listener, site, rules, open, shutdown, limit) => {}
        never = remembering => match never {},
    }
}

/// Finishes the requests in flight and the cloud calls under way, side by side, within one limit for both.
async fn end(running: Running, server: JoinHandle<()>, fleet_ended: JoinHandle<()>) {
    let limit = running.loaded.settings.http.shutdown_limit.max(Duration::from_millis(1));
    let (served, finished) = tokio::join!(server, running.fleet.call(FleetMsg::Finish, Some(limit)));
    if let Err(failure) = served {
        tracing::error!(%failure, "the HTTP server failed");
    }
    match finished {
        Ok(answer) if answer.is_success() => {}
        _ => tracing::warn!(?limit, "cloud calls under way were cut off; the next start finds what they did"),
    }
    running.fleet.stop(None);
    if let Err(failure) = fleet_ended.await {
        tracing::error!(%failure, "the fleet failed");
    }
    tracing::info!("ended");
}

impl Running {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Reload => {
                self.service.clone().reloading(|| self.reload());
                self.tell(FleetMsg::Reconcile);
            }
            Command::Reconcile => self.tell(FleetMsg::Reconcile),
            Command::LogState => self.tell(FleetMsg::LogState),
            Command::Shutdown => {}
        }
    }

    /// Reads the configuration again. One with mistakes changes nothing.
    fn reload(&mut self) {
        let mut loaded = match self.source.read() {
            Ok(loaded) => loaded,
            Err(mistakes) => {
                tracing::error!("the configuration was not changed, for it has mistakes:\n{mistakes}");
                return;
            }
        };
        let changes = config::changes(&self.loaded.effective, &loaded.effective);
        if changes.is_empty() {
            tracing::info!("the configuration was read again: nothing changed");
        }
        for change in changes {
            tracing::info!("the configuration was changed: {change}");
        }
        for setting in fixed_at_start(&self.loaded.settings, &loaded.settings) {
            tracing::warn!(setting, "this change has to wait for the next start");
        }
        keep_closed(self.operations, &self.loaded.settings.operations, &mut loaded.settings.operations);
        self.telling.tell(&loaded.settings);
        // The cloud is the one that was started, with its pools. What was changed by hand is over in any case.
        let in_force = Settings { cloud: self.cloud, aws: self.aws.clone(), ..loaded.settings.clone() };
        self.tell(FleetMsg::Reload(Box::new(policy::policy(&in_force))));
        self.loaded = loaded;
    }

    fn tell(&self, msg: FleetMsg) {
        // Its death ends the daemon by itself.
        let _ = self.fleet.cast(msg);
    }
}

/// Where operators are listened for waits for the next start, and until then a token is asked for where others reach it.
fn keep_closed(listening: Option<SocketAddr>, before: &config::Operations, now: &mut config::Operations) {
    if now.token.is_none() && listening.is_some_and(|listening| !listening.ip().is_loopback()) {
        tracing::warn!("operators are still listened for where others reach it: the token stays as it was");
        now.token.clone_from(&before.token);
    }
}

/// The changed settings that a running daemon cannot follow.
fn fixed_at_start(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let differs = [
        ("listen", old.listen != new.listen),
        ("cloud", old.cloud != new.cloud),
        ("fleet", old.fleet != new.fleet),
        ("operations.listen", old.operations.listen != new.operations.listen),
        ("journal", old.journal != new.journal),
        ("traces", old.traces != new.traces),
        ("cloud_calls.concurrency", old.cloud_calls.concurrency != new.cloud_calls.concurrency),
        ("http.shutdown_limit", old.http.shutdown_limit != new.http.shutdown_limit),
        ("local", old.local != new.local),
        ("aws", old.aws != new.aws),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(setting, _)| setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Operations, Secret};

    #[test]
    fn where_others_reach_it_a_reload_takes_no_token_away() {
        let operations = |token: Option<&str>| {
            let listen = Some(SocketAddr::from(([127, 0, 0, 1], 8001)));
            Operations { listen, token: token.map(|token| Secret::new(token.to_owned())), token_file: None }
        };
        let table = [
            ("0.0.0.0:8001", None, Some("the old one")),
            ("0.0.0.0:8001", Some("another one"), Some("another one")),
            ("127.0.0.1:8001", None, None),
        ];
        for (listening, wanted, expected) in table {
            let mut now = operations(wanted);
            keep_closed(listening.parse().ok(), &operations(Some("the old one")), &mut now);
            assert_eq!(now, operations(expected), "{listening}, {wanted:?}");
        }
    }
}
