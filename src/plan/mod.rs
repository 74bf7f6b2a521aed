//! `playlivechess-manager plan`: what a fleet would have cost, and whom it would have turned away.
//!
//! Players of a trace are played against the daemon's own allocation and scaling code, with the settings that the daemon
//! would have: those of `manager.toml`, and what `--set` puts in their place.

mod columns;
mod lived;
mod moment;
mod outcome;
mod parameters;
mod report;
mod sweep;
mod trace_file;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use actors::model::{MarginPolicy, Policy};
use actors::planning::{self, Demand, Outcome, Plan, Sessions, Synthetic, Trace, simulate};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use thiserror::Error;

use crate::config::{Mistakes, Settings};
use crate::daemon::ConfigSource;
use crate::policy;

use columns::Columns;
pub use lived::JournalError;
use lived::{Did, Lived};
use outcome::Told;
pub use report::COLOURS;
pub use trace_file::TraceError;

const EXAMPLES: &str = "\
Examples:
  plan players.csv --sessions weibull:0.5:20m --lead-time 3m --price 0.085
  plan players.csv --set upscale_margin=12 --set allocation=distributed
  plan players.csv --sweep --turned-away 0.0001 --report plan.html
  plan --synthetic --players 2000 --days 14
  plan --journal /var/lib/playlivechess-manager/journal.jsonl --set upscale_margin=12

A trace is a CSV file: a time, and how many players there were at once or how many came. Concurrent players become arrivals
by a deconvolution: in each step players come at the rate that brings those who are still there, of all who came before, up
to the trace. What a step of a trace hides is put back with --dispersion (the variance of arrivals over their mean).

The optimum beside the fleet is a lower bound: a fleet that knows all that is to come, turns nobody away and may move players
from server to server. No fleet of game servers can reach it, for their players cannot be moved.";

/// Players at once, at most: each takes some memory.
const MOST_AT_ONCE: f64 = 10_000_000.0;

/// What is to be planned.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// The trace: a CSV file of times and players.
    #[arg(value_name = "TRACE", required_unless_present_any = ["synthetic", "journal"], conflicts_with = "synthetic")]
    trace: Option<PathBuf>,
    /// Replay what a fleet lived through: the file of its journal (journal.path). What it did stands beside what it would have
    /// done. Beside a TRACE the journal tells how long launches take, and no more.
    #[arg(long, value_name = "FILE", conflicts_with = "synthetic")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    columns: Columns,
    /// Make a trace up: days and weekends, crowds, and an outage after which everybody comes back at once.
    #[arg(long)]
    synthetic: bool,
    /// Players at once on an average evening of the made-up trace.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000), requires = "synthetic")]
    players: u32,
    /// Days of the made-up trace.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=400), requires = "synthetic")]
    days: u32,
    /// So many times the players of the trace, as 0.01.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = parameters::factor)]
    scale: f64,
    /// How long players stay: weibull:SHAPE:SCALE, exponential:MEAN or fixed:LENGTH. Without it weibull:0.5:20m, or as long as
    /// the journal says.
    #[arg(long, value_name = "DISTRIBUTION", value_parser = parameters::sessions)]
    sessions: Option<Sessions>,
    /// The variance of arrivals over their mean: 1 if players know nothing of each other, more if they come in crowds. Without
    /// it 1, or what the journal says.
    #[arg(long, value_name = "X", value_parser = parameters::dispersion)]
    dispersion: Option<f64>,
    /// How long a launch takes until its server answers; or several, one of which each launch takes. Without it 4m, or the
    /// launches of the journal.
    #[arg(long, value_name = "DURATION,...", value_delimiter = ',', value_parser = parameters::lead_time)]
    lead_time: Vec<Duration>,
    /// How long a player waits for a place where there is none, as clients of /v1/allocations may: the fleet grows for it, and it is
    /// turned away when that was not soon enough. Without it nobody waits, and the backup has them at once.
    #[arg(long, value_name = "DURATION", value_parser = parameters::wait)]
    wait: Option<u32>,
    /// What a server costs an hour.
    #[arg(long, value_name = "X", value_parser = parameters::price)]
    price: Option<f64>,
    /// A setting in place of what manager.toml says, as upscale_margin=12; as often as you like.
    #[arg(long, value_name = "SETTING=VALUE")]
    set: Vec<String>,
    /// Where the numbers by which players come and go begin.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// So many runs, each with a seed of its own; a sweep tries each setting so often.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Try margins, both allocation rules and all policies for the cheapest, and print its lines for manager.toml.
    #[arg(long)]
    sweep: bool,
    /// The share of players that may be turned away, or have to wait, for --sweep.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0001, value_parser = parameters::share, requires = "sweep")]
    turned_away: f64,
    /// Write a page with plots there.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The trace is wrong.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The journal cannot be replayed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The settings are wrong.
    #[error("{0}")]
    Settings(#[from] Mistakes),
    /// `--set` is wrong.
    #[error("{0}")]
    Set(String),
    /// Nobody plays.
    #[error("nobody plays in this trace: all its numbers are 0")]
    Nobody,
    /// More play than there is room for.
    #[error("{most:.0} players at once: at most {MOST_AT_ONCE} are played; a smaller --scale may do")]
    TooMany {
        /// So many, at most.
        most: f64,
    },
    /// The report cannot be drawn.
    #[error("the report cannot be drawn: {0}")]
    Drawing(String),
    /// The report cannot be written.
    #[error("the report cannot be written to {path}: {error}")]
    Report {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A trace, as it is played.
struct Played {
    demand: Demand,
    from: Source,
}

/// Where it is from, and what is known of those who play it but for when each comes.
struct Source {
    starts: Option<Timestamp>,
    name: String,
    notes: Vec<String>,
    sessions: Sessions,
    dispersion: f64,
    lead_times: Vec<Duration>,
    /// What the fleet did that lived through it.
    did: Option<Did>,
}

/// How long a launch takes that nothing is known of: an instance boots, joins its cluster, pulls an image and starts a task.
const LEAD_TIME: Duration = Duration::from_secs(240);

impl Played {
    /// When it begins; where that is not known, on a Monday at midnight in UTC.
    fn begin(&self) -> actors::model::Timestamp {
        const A_MONDAY: u64 = 4 * 86_400;
        let second = self.from.starts.map_or(Ok(A_MONDAY), |starts| u64::try_from(starts.as_second()));
        actors::model::Timestamp::from_secs(second.unwrap_or_default())
    }
}

/// Plays the trace, and tells what came of it.
///
/// # Errors
/// When the trace or the settings are wrong, or the report cannot be written.
pub fn run(args: &PlanArgs, source: &ConfigSource) -> Result<String, PlanError> {
    let settings = settings(args, source)?;
    let policy = policy::policy(&settings);
    let mut played = played(args)?;
    if matches!(policy.margin_policy, MarginPolicy::Told(_)) {
        played.from.notes.push("nobody asks the webhook here: the two margins hold".to_owned());
    }
    let swept = args.sweep.then(|| sweep::sweep(args, &policy, &played));
    let chosen = swept.as_ref().and_then(|swept| swept.best()).map_or(policy, |best| best.policy.clone());
    let seeds: Vec<u64> = (0..u64::from(args.seeds)).map(|number| args.seed.wrapping_add(number)).collect();
    let outcomes = at_once(args, &played, seeds.len(), |number| (chosen.clone(), seeds[number]));
    let told = Told { args, played: &played, policy: &chosen, outcomes: &outcomes, swept: swept.as_ref() };
    if let Some(path) = &args.report {
        let page = report::page(&told).map_err(|error| PlanError::Drawing(error.to_string()))?;
        fs::write(path, page).map_err(|error| PlanError::Report { path: path.clone(), error })?;
    }
    Ok(if args.json { told.json() } else { told.to_string() })
}

/// The settings that the daemon would have.
fn settings(args: &PlanArgs, source: &ConfigSource) -> Result<Settings, PlanError> {
    // Of one that is set twice the last counts.
    let mut variables = BTreeMap::new();
    for text in &args.set {
        let (name, value) = parameters::set(text).map_err(PlanError::Set)?;
        variables.insert(name, value);
    }
    // Nothing is launched: a plan needs no AWS, and what is missing for it is no mistake.
    let mut source = source.clone();
    source.flags.local = true;
    Ok(source.read_with(variables.into_iter().collect())?.settings)
}

fn played(args: &PlanArgs) -> Result<Played, PlanError> {
    let (trace, mut from) = trace(args)?;
    let trace = scaled(trace, args.scale, args.seed);
    let most = most_at_once(&trace, &from.sessions);
    if most > MOST_AT_ONCE {
        return Err(PlanError::TooMany { most });
    }
    let demand = Demand::of(&trace, from.sessions.clone(), from.dispersion);
    if demand.is_empty() {
        return Err(PlanError::Nobody);
    }
    let excess = demand.excess();
    if excess >= 1.0 {
        from.notes.push(format!(
            "the trace falls faster than sessions end: up to {excess:.0} more players are played than it has; shorter --sessions \
             would follow it"
        ));
    }
    Ok(Played { demand, from })
}

fn trace(args: &PlanArgs) -> Result<(Trace, Source), PlanError> {
    let mut from = Source {
        starts: None,
        name: String::new(),
        notes: Vec::new(),
        sessions: args.sessions.clone().unwrap_or(Sessions::COUNTER_STRIKE),
        dispersion: args.dispersion.unwrap_or(1.0),
        lead_times: if args.lead_time.is_empty() { vec![LEAD_TIME] } else { args.lead_time.clone() },
        did: None,
    };
    let trace = if let Some(path) = &args.trace {
        let read = trace_file::read(path, &args.columns)?;
        if let Some(journal) = &args.journal {
            from.lead_times = launches_of(&lived::read(journal)?, args).unwrap_or(from.lead_times);
        }
        from.sessions = read.sessions.unwrap_or(from.sessions);
        from = Source { starts: read.starts, name: path.display().to_string(), notes: read.notes, ..from };
        if args.dispersion.is_some() && matches!(read.trace, Trace::Arrivals(_)) {
            from.notes.push("--dispersion has no effect: who came when is counted in this trace".to_owned());
        }
        read.trace
    } else if let Some(path) = &args.journal {
        let lived = lived::read(path)?;
        from.lead_times = launches_of(&lived, args).unwrap_or(from.lead_times);
        from.sessions = args.sessions.clone().or(lived.sessions).unwrap_or(from.sessions);
        from.dispersion = args.dispersion.unwrap_or(lived.dispersion);
        let did = (args.scale == 1.0).then_some(lived.did);
        from = Source { starts: Some(lived.starts), name: path.display().to_string(), notes: lived.notes, did, ..from };
        lived.trace
    } else {
        let made_up = Synthetic { players: args.players, days: args.days, seed: args.seed };
        from = Source { name: format!("made up, with seed {}", args.seed), notes: made_up.notes(), ..from };
        made_up.trace(&from.sessions)
    };
    Ok((trace, from))
}

/// How long launches took, unless it is said how long they take, or there were none.
fn launches_of(lived: &Lived, args: &PlanArgs) -> Option<Vec<Duration>> {
    (args.lead_time.is_empty() && !lived.lead_times.is_empty()).then(|| lived.lead_times.clone())
}

/// Players at once, as far as it can be told before they are played.
fn most_at_once(trace: &Trace, sessions: &Sessions) -> f64 {
    match trace {
        Trace::Concurrent(points) => points.iter().map(|(_, players)| *players).fold(0.0, f64::max),
        Trace::Arrivals(points) => {
            let stay = sessions.mean().as_secs();
            let from = |at: u32| points.partition_point(|(other, _)| u64::from(*other) + stay < u64::from(at));
            let before = |number: usize| {
                points[from(points[number].0)..=number].iter().map(|(_, players)| f64::from(*players)).sum()
            };
            let every = (points.len() / 1000).max(1);
            (0..points.len()).step_by(every).map(before).fold(0.0, f64::max)
        }
    }
}

fn scaled(trace: Trace, scale: f64, seed: u64) -> Trace {
    match trace {
        Trace::Concurrent(points) => {
            Trace::Concurrent(points.into_iter().map(|(at, players)| (at, players * scale)).collect())
        }
        Trace::Arrivals(points) if scale == 1.0 => Trace::Arrivals(points),
        Trace::Arrivals(points) => Trace::Arrivals(planning::scaled(&points, scale, seed)),
    }
}

/// Plays so many fleets, as many at once as there are processors, with a progress bar where somebody watches.
fn at_once(
    args: &PlanArgs,
    played: &Played,
    runs: usize,
    which: impl Fn(usize) -> (Policy, u64) + Sync,
) -> Vec<Outcome> {
    let (demand, starts) = (&played.demand, played.begin());
    let days = u64::from(demand.seconds() / 86_400) * runs as u64;
    let bar = ProgressBar::with_draw_target(Some(days), target(args.json));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} days played, {eta} left") {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(runs.max(1));
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let play = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= runs {
                    return done;
                }
                let (policy, seed) = which(number);
                let lead_times = played.from.lead_times.clone();
                let patience = args.wait.unwrap_or_default();
                let plan = Plan { policy, starts, lead_times, patience, moments_every: outcome::HOUR };
                done.push((number, simulate(demand, &plan, seed, || bar.inc(1))));
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    bar.finish_and_clear();
    outcomes.sort_unstable_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn target(json: bool) -> ProgressDrawTarget {
    if !json && io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
