//! `cargo speed`: how fast the manager is, each figure beside a reference that is measured in the same run.

mod answering;
mod client;
mod cloud;
mod footprint;
mod games;
mod lasting;
mod plots;
mod polling;
mod process;
mod reaction;
mod roles;
mod scale;
mod verdict;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use playlivechess_manager::threads::runtime;

use roles::Role;
use verdict::Verdict;

/// What goes wrong ends the run: a figure is not worth having then.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the manager against references of the same run, and prints a line a ratio with its goal.
///
/// Exit status: 0 nothing that was reached is lost by a wide margin, 1 something is, 2 a mistake on the command line.
#[derive(Parser, Debug)]
#[command(name = "cargo speed", version)]
struct Cli {
    /// Only these.
    #[arg(value_enum)]
    subjects: Vec<Subject>,
    /// Servers of the fleet.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    servers: u32,
    /// Seconds that each load lasts. Clients are brought for three seconds after each of so many starts.
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u64,
    /// Draw what was measured, as SVG, in this directory.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Play a part in somebody else's measurement.
    #[command(subcommand)]
    role: Option<Role>,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Subject {
    /// Requests for a place, against a bare warp handler.
    Answering,
    /// Health questions, against a bare loop of the same client.
    Polling,
    /// From the request that crosses the margin to the launch.
    Reaction,
    /// What an allocation, a report, a decision and a look cost, by the size of the fleet.
    Scale,
    /// Whether it goes on as it began, over millions of requests.
    Lasting,
    /// From its start to ready, and what it takes when nothing happens.
    Footprint,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = runtime().map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match &cli.role {
                Some(role) => role.play().await.map(|()| ExitCode::SUCCESS),
                None => measure(&cli).await,
            }
        })
    });
    done.unwrap_or_else(|error| {
        eprintln!("cargo speed: {error}");
        ExitCode::FAILURE
    })
}

async fn measure(cli: &Cli) -> Result<ExitCode> {
    let wants = |subject| cli.subjects.is_empty() || cli.subjects.contains(&subject);
    let mut lost = false;
    // Before anything is measured: minutes would be for nothing.
    if let Some(plots) = &cli.plots {
        std::fs::create_dir_all(plots).map_err(|error| format!("--plots {}: {error}", plots.display()))?;
    }
    let mut tell = |verdicts: Vec<Verdict>| {
        for verdict in verdicts {
            println!("{verdict}");
            lost |= verdict.is_lost();
        }
    };
    if wants(Subject::Scale) {
        tell(scale::measure(cli.plots.as_deref())?);
    }
    if wants(Subject::Reaction) {
        tell(reaction::measure().await?);
    }
    if wants(Subject::Footprint) {
        tell(footprint::measure().await?);
    }
    if wants(Subject::Polling) {
        tell(polling::measure(cli.servers, cli.seconds).await?);
    }
    if wants(Subject::Answering) {
        tell(answering::measure(cli.servers, cli.seconds, cli.plots.as_deref()).await?);
    }
    if wants(Subject::Lasting) {
        tell(lasting::measure(cli.servers, cli.seconds).await?);
    }
    Ok(if lost { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
