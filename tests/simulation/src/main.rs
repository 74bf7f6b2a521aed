//! `cargo soak`: lives many simulated days of a fleet, or one again, or shows that breaks of the code are caught.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use simulation::life::live;
use simulation::manager::Way;
use simulation::mutations::Campaign;
use simulation::scenario::TROUBLE;
use simulation::soak::Soak;

/// Lives simulated days of a fleet, a seed each, and watches that no rule is broken.
///
/// Exit status: 0 nothing was broken (of mutations: each was caught), 1 a rule was broken (a mutation survived),
/// 2 a mistake in the command line.
#[derive(Parser, Debug)]
#[command(name = "cargo soak", version)]
struct Cli {
    /// How many days.
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,
    /// Hours in which things go wrong on each day; two calm ones follow.
    #[arg(long, value_name = "N", default_value_t = 22, value_parser = clap::value_parser!(u64).range(1..=1000))]
    hours: u64,
    /// Days lived at once [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Let managers reach the cloud through the real AWS SDK, over HTTP in memory (cargo soak-aws).
    #[cfg(feature = "aws")]
    #[arg(long)]
    wire: bool,
    /// Live the day of --from alone and write all that happens into this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "mutations"])]
    log: Option<PathBuf>,
    /// Break the production code in each of the ways of mutations/list.rs, and see whether it is noticed.
    #[arg(long)]
    mutations: bool,
    /// With --mutations: only those whose name contains this; may be given more than once.
    #[arg(long, value_name = "TEXT", requires = "mutations")]
    only: Vec<String>,
}

impl Cli {
    #[cfg(feature = "aws")]
    const fn way(&self) -> Way {
        if self.wire { Way::Wire } else { Way::Port }
    }

    #[cfg(not(feature = "aws"))]
    const fn way(&self) -> Way {
        Way::Port
    }

    const fn trouble(&self) -> Duration {
        Duration::from_hours(self.hours)
    }

    /// What cargo calls it.
    fn alias(&self) -> &'static str {
        if self.way() == Way::Port { "soak" } else { "soak-aws" }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(file) = &cli.log {
        return relive(&cli, file);
    }
    if cli.mutations {
        return break_the_code(&cli);
    }
    let begun = Instant::now();
    let soak = Soak {
        from: cli.from,
        seeds: cli.seeds,
        trouble: cli.trouble(),
        way: cli.way(),
        threads: cli.threads,
        shows_progress: true,
    };
    let report = soak.run();
    print!("{}", report.figures);
    match report.broken {
        None => {
            println!("no rule was broken, in {:.0?}", begun.elapsed());
            ExitCode::SUCCESS
        }
        Some(broken) => {
            let hours = if cli.trouble() == TROUBLE { String::new() } else { format!(" --hours {}", cli.hours) };
            println!("\n{broken}\n\nto live this day again:");
            println!("    cargo {} --from {}{hours} --log day.log", cli.alias(), broken.seed);
            ExitCode::FAILURE
        }
    }
}

fn relive(cli: &Cli, file: &PathBuf) -> ExitCode {
    let day = live(cli.from, cli.trouble(), cli.way(), true);
    if let Err(error) = fs::write(file, day.log.unwrap_or_default()) {
        eprintln!("cannot write {}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    let (lines, digest) = day.digest;
    println!("{lines} events with the digest {digest:016x} are in {}", file.display());
    match day.broken {
        None => ExitCode::SUCCESS,
        Some(broken) => {
            println!("{broken}");
            ExitCode::FAILURE
        }
    }
}

fn break_the_code(cli: &Cli) -> ExitCode {
    let campaign = Campaign { only: cli.only.clone(), from: cli.from, seeds: cli.seeds };
    match campaign.run() {
        Ok(survivors) if survivors.is_empty() => ExitCode::SUCCESS,
        Ok(survivors) => {
            println!("not noticed: {}", survivors.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use simulation::mutations;

    #[test]
    fn the_list_of_mutations_fits_the_code() {
        let stale = mutations::stale().expect("the list can be read");
        assert_eq!(stale, Vec::<String>::new(), "each must be found in its file exactly once");
    }
}
