//! The command line: which of the binary's programs is run, and how.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use actors::ports::{Clock, Cloud};
use clap::{CommandFactory, Parser, Subcommand};
use tokio::net::TcpListener;

#[cfg(feature = "ecs")]
use crate::cloud::ecs::{self, EcsCloud};
use crate::cloud::keeper::{self, KeeperArgs};
use crate::cloud::local::LocalCloud;
use crate::config::{CloudKind, Flags, Settings, manual, print_effective};
use crate::daemon::{self, ConfigSource, Listeners};
use crate::doctor::{self, Report};
use crate::game_server::{self, GameServerArgs};
use crate::health_check::{self, HealthCheckArgs};
use crate::load::{self, LoadArgs};
use crate::metrics::Metrics;
use crate::operate::{self, generated};
use crate::plan::{self, PlanArgs};
use crate::stdout::print;
use crate::{http, policy, rollout, signals, telemetry, threads};

/// The exit code of a command line or a configuration with mistakes.
const USAGE: u8 = 2;

#[cfg(not(feature = "ecs"))]
const NO_ECS: &str = "this build knows no Amazon ECS: build it with the feature `ecs`, which is on by default, or run \
                      game servers on this machine with --local";

const ROLLOUT_HELP: &str = "\
A rollout begins by itself when the family in aws.task_definition has a newer active revision, or another one is named
there and the manager is started again. New servers are launched first (rollout.surge at once), players go to them as
soon as they have room, and old servers close when their games are over. After rollout.failures failed servers the
manager rolls back by itself. A word given here is a tag on the revision, which the manager reads with its next look.";

/// Keeps a fleet of game servers the right size and tells game clients where to play.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Cli {
    /// The configuration file, read instead of ./manager.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where game clients are listened for, e.g. 0.0.0.0:8000.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Run the game servers as processes on this machine.
    #[arg(long)]
    local: bool,
    #[command(subcommand)]
    program: Option<Program>,
}

#[derive(Subcommand, Debug)]
enum Program {
    /// Print the effective settings, each with its source.
    CheckConfig {
        /// Print the defaults instead, as a manager.toml.
        #[arg(long)]
        defaults: bool,
    },
    /// Ask everything that could go wrong later, changing nothing. Fails when the manager could not run.
    Doctor {
        /// Print a JSON array of {check, result, found, mend} instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// See how a new revision of the task definition takes the place of the old one, and have a say in it.
    #[command(after_help = ROLLOUT_HELP)]
    Rollout {
        #[command(subcommand)]
        verb: Option<rollout::Verb>,
    },
    #[command(flatten)]
    Operate(operate::Verb),
    /// Ask a running manager on this machine whether it is alive. Fails when it is not.
    HealthCheck(HealthCheckArgs),
    /// Run a small real game server.
    GameServer(GameServerArgs),
    /// Play a trace of players against the scaling code: what a fleet would have cost, and whom it would have turned away.
    Plan(PlanArgs),
    /// Bring players to a running manager. Fails when one of them was dropped, sent to a full server or given no address.
    Load(LoadArgs),
    /// Print what a shell needs to complete this command line.
    #[command(after_help = generated::COMPLETIONS_HELP)]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page, made from what --help says.
    #[command(hide = true)]
    Man {
        /// That of this command alone.
        command: Option<String>,
    },
    /// Keep a game server of the local cloud on a leash.
    #[command(hide = true)]
    Keeper(KeeperArgs),
}

/// Runs what the command line says.
pub fn main() -> ExitCode {
    let Cli { config, listen, local, program } = Cli::parse();
    let source = || {
        let dir = std::env::current_dir()?;
        Ok::<_, std::io::Error>(ConfigSource { flags: Flags { config, listen, local }, dir })
    };
    let ended = match program {
        None => source().map_err(Into::into).and_then(manage),
        Some(Program::CheckConfig { defaults: true }) => tell(manual(), ExitCode::SUCCESS),
        Some(Program::CheckConfig { defaults: false }) => {
            source().map_err(Into::into).and_then(|source| check_config(&source))
        }
        Some(Program::Doctor { json }) => source().map_err(Into::into).and_then(|source| examine(&source, json)),
        Some(Program::Rollout { verb }) => {
            let verb = verb.unwrap_or(rollout::Verb::Status { json: false });
            source().map_err(Into::into).and_then(|source| roll_out(&source, verb))
        }
        Some(Program::Operate(verb)) => source()
            .map_err(Into::into)
            .and_then(|source| in_runtime(async { Ok(operate::run(verb, || source.operators()).await) })),
        Some(Program::Completions { shell }) => tell(generated::completions(shell, Cli::command()), ExitCode::SUCCESS),
        Some(Program::Man { command }) => match generated::manual(Cli::command(), command.as_deref()) {
            Ok(page) => tell(page, ExitCode::SUCCESS),
            Err(error) => {
                eprintln!("playlivechess-manager: {error}");
                Ok(ExitCode::from(USAGE))
            }
        },
        Some(Program::HealthCheck(args)) => source().map_err(Into::into).and_then(|source| {
            let address = match args.address {
                Some(address) => address,
                None => source.listen()?,
            };
            in_runtime(async { Ok(health_check::run(address, args.ready).await) })
        }),
        Some(Program::GameServer(args)) => in_runtime(async {
            game_server::run(args).await?;
            Ok(ExitCode::SUCCESS)
        }),
        Some(Program::Plan(args)) => source().map_err(Into::into).and_then(|source| match plan::run(&args, &source) {
            Ok(told) => tell(told, ExitCode::SUCCESS),
            Err(error) => {
                eprintln!("{error}");
                Ok(ExitCode::from(USAGE))
            }
        }),
        Some(Program::Load(args)) => in_runtime(async {
            let json = args.json;
            let tally = load::run(args).await?;
            let told = if json { serde_json::json!(tally).to_string() } else { tally.to_string() };
            tell(told + "\n", if tally.is_flawless() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }),
        Some(Program::Keeper(args)) => keeper::run(args).map_err(Into::into),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("playlivechess-manager: {error}");
        ExitCode::FAILURE
    })
}

type Ended = Result<ExitCode, Box<dyn Error>>;

fn in_runtime(program: impl Future<Output = Ended>) -> Ended {
    threads::runtime()?.block_on(program)
}

/// Prints all that a program has to tell. What it ends with stands, whether or not somebody reads it.
fn tell(text: impl AsRef<[u8]>, code: ExitCode) -> Ended {
    match print(text) {
        Err(error) if !error.is_unwanted() => Err(error.into()),
        _ => Ok(code),
    }
}

fn check_config(source: &ConfigSource) -> Ended {
    match source.read() {
        Ok(loaded) => {
            let notes: String = loaded.notices.iter().map(|notice| format!("note: {notice}\n")).collect();
            tell(print_effective(&loaded.effective) + &notes, ExitCode::SUCCESS)
        }
        Err(mistakes) => {
            eprintln!("{mistakes}");
            Ok(ExitCode::from(USAGE))
        }
    }
}

fn examine(source: &ConfigSource, json: bool) -> Ended {
    let settings = match source.read() {
        Ok(loaded) => loaded.settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    in_runtime(async {
        let mut findings = vec![doctor::listening(settings.listen)];
        findings.extend(match settings.cloud {
            CloudKind::Local => doctor::examine(&policy::local(&settings)?, settings.scaling.max_servers),
            #[cfg(feature = "ecs")]
            CloudKind::Ecs => {
                match ecs::doctor::Doctor::connect(policy::ecs(&settings)?, settings.scaling.max_servers).await {
                    Ok(doctor) => doctor.examine().await,
                    Err(error) => ecs::doctor::without_region(&error),
                }
            }
            #[cfg(not(feature = "ecs"))]
            CloudKind::Ecs => return Err(NO_ECS.into()),
        });
        let report = Report::from(findings);
        let told = if json { report.json() } else { report.to_string() };
        tell(told + "\n", if report.may_start() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn roll_out(source: &ConfigSource, verb: rollout::Verb) -> Ended {
    let settings = match source.read() {
        Ok(loaded) => loaded.settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    if settings.cloud == CloudKind::Local {
        return Err("game servers on this machine all run one command, the manager's own: there is no rollout".into());
    }
    telemetry::init();
    in_runtime(async {
        let clock = Clock::system();
        let cloud = cloud(&settings, clock, &Metrics::new(clock.now())?).await?;
        tell(rollout::run(&*cloud, verb).await? + "\n", ExitCode::SUCCESS)
    })
}

fn manage(source: ConfigSource) -> Ended {
    telemetry::init();
    let loaded = match source.read() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    loaded.notices.iter().for_each(|notice| tracing::info!("{notice}"));
    in_runtime(async {
        let commands = signals::listen()?;
        let (listen, operations) = (loaded.settings.listen, loaded.settings.operations.listen);
        let clients = http::listen(listen).map_err(|error| {
            format!("cannot listen on {listen}: {error}; --listen or MANAGER_LISTEN names another address")
        })?;
        let operations = operations.map(|listen| {
            http::listen(listen).map_err(|error| {
                format!(
                    "cannot listen for operators on {listen}: {error}; MANAGER_OPERATIONS_LISTEN names another address, \
                     or is off"
                )
            })
        });
        let listeners = Listeners { clients, operations: operations.transpose()? };
        let clock = Clock::system();
        let metrics = Metrics::new(clock.now())?;
        let cloud = cloud(&loaded.settings, clock, &metrics).await?;
        let operations = listeners.operations.as_ref().map(TcpListener::local_addr).transpose()?;
        let operations = operations.map(tracing::field::display);
        let listen = listeners.clients.local_addr()?;
        tracing::info!(%listen, operations, cloud = ?loaded.settings.cloud, "started");
        #[cfg(feature = "ecs")]
        if loaded.settings.cloud == CloudKind::Ecs {
            tokio::spawn(glance(loaded.settings.clone()));
        }
        daemon::run(source, loaded, listeners, cloud, metrics, clock, commands).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The cloud that the settings name. What it does of itself is counted there.
#[cfg_attr(not(feature = "ecs"), expect(unused_variables, reason = "the local cloud holds no call back"))]
async fn cloud(settings: &Settings, clock: Clock, metrics: &Metrics) -> Result<Arc<dyn Cloud>, Box<dyn Error>> {
    match settings.cloud {
        CloudKind::Local => Ok(Arc::new(LocalCloud::new(policy::local(settings)?, clock))),
        #[cfg(feature = "ecs")]
        CloudKind::Ecs => Ok(Arc::new(EcsCloud::connect(policy::ecs(settings)?).await?.metered(metrics))),
        #[cfg(not(feature = "ecs"))]
        CloudKind::Ecs => Err(NO_ECS.into()),
    }
}

/// Says early what would otherwise show in a launch that fails. AWS may just be slow, so nothing waits for it.
#[cfg(feature = "ecs")]
async fn glance(settings: Settings) {
    let Ok(fleet) = policy::ecs(&settings) else { return };
    if let Ok(doctor) = ecs::doctor::Doctor::connect(fleet, settings.scaling.max_servers).await {
        doctor::log(&doctor.glance().await);
    }
}
