//! Brings players to a running manager: each asks for an address, connects there, plays a while and leaves. What
//! they see is counted by them, not by the manager.

mod player;
mod tally;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Url;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use player::Visit;
pub use tally::{Ending, Tally};

/// Players at once; each has a socket, and a process may have some thousands.
const MAX_PLAYERS_AT_ONCE: usize = 10_000;

/// Arrivals a second, at most: far more than one process can bring.
const MAX_RATE: f64 = 10_000.0;

/// How often the progress bar is drawn anew when nobody comes or goes.
const REDRAW: Duration = Duration::from_millis(200);

/// What the load is told.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// The manager that is asked for addresses: where it listens for clients.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub manager: Url,
    /// How many players come in all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub players: u32,
    /// How many come in a second, on average; they come at random.
    #[arg(long, value_name = "R", default_value_t = 5.0)]
    pub rate: f64,
    /// How long a player stays, on average.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "20s")]
    pub session: Duration,
    /// The manager's backup: who is sent there is counted and does not connect.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8888")]
    pub backup: String,
    /// Makes the arrivals and stays the same each time.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Print the tally as JSON to stdout.
    #[arg(long)]
    pub json: bool,
}

/// Why no load could be brought.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Nobody would come, or too many.
    #[error("a rate of {0} arrivals a second: it must be above 0 and at most {MAX_RATE}")]
    Rate(f64),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The manager's address is none.
    #[error("{0} cannot be asked for an address: it must be like http://127.0.0.1:8000")]
    Manager(Url),
}

/// Brings players until all have come and gone; Ctrl-C has them leave early.
///
/// # Errors
/// When the arguments make no sense.
pub async fn run(args: LoadArgs) -> Result<Tally, LoadError> {
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_signal.cancel();
        }
    });
    bring(&args, stop).await
}

async fn bring(args: &LoadArgs, stop: CancellationToken) -> Result<Tally, LoadError> {
    if !(args.rate > 0.0 && args.rate <= MAX_RATE) {
        return Err(LoadError::Rate(args.rate));
    }
    if args.manager.scheme() != "http" || args.manager.host_str().is_none() {
        return Err(LoadError::Manager(args.manager.clone()));
    }
    let visit = Arc::new(Visit::new(&args.manager, args.backup.clone(), stop.clone())?);
    let mut random = args.seed.map_or_else(rand::make_rng, StdRng::seed_from_u64);
    let bar = progress_bar(args.players);
    let mut tally = Tally::default();
    let mut players = JoinSet::new();
    let mut coming = args.players;
    let mut next_arrival = Instant::now();
    let (arrivals, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    while coming > 0 || !players.is_empty() {
        tokio::select! {
            () = stop.cancelled(), if coming > 0 => coming = 0,
            () = tokio::time::sleep_until(next_arrival), if coming > 0 && players.len() < MAX_PLAYERS_AT_ONCE => {
                coming -= 1;
                next_arrival += exponential(&mut random, Duration::from_secs(1).div_f64(args.rate));
                let stay = exponential(&mut random, args.session);
                let (visit, arrivals) = (Arc::clone(&visit), arrivals.clone());
                players.spawn(async move { visit.make(stay, arrivals).await });
                tally.asked += 1;
            }
            Some(address) = arrived.recv() => tally.arrived(address),
            Some(ended) = players.join_next() => {
                while let Ok(address) = arrived.try_recv() {
                    tally.arrived(address);
                }
                // A player that panics was dropped by this program, not by a server: it counts all the same.
                tally.ended(ended.unwrap_or(Ending::Dropped));
            }
        }
        bar.set_position(u64::from(tally.asked));
        bar.set_message(tally.line());
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// A random span with that mean, as long as between two events that know nothing of each other: `-ln(1 - u) * mean`.
fn exponential(random: &mut StdRng, mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - random.random::<f64>()).ln())
}

fn progress_bar(players: u32) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(u64::from(players)), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} came  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW);
    bar
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;
    use warp::Filter;

    use super::*;

    /// A manager that always names the same address.
    async fn manager_naming(address: SocketAddr) -> Url {
        let answer = warp::path!("available-gameserver")
            .map(move || warp::reply::json(&serde_json::json!({ "available": address.to_string() })));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let manager = listener.local_addr().expect("an address");
        tokio::spawn(warp::serve(answer).incoming(listener).run());
        format!("http://{manager}").parse().expect("a URL")
    }

    fn args(manager: Url, players: u32) -> LoadArgs {
        let session = Duration::from_millis(50);
        let backup = "127.0.0.1:1".to_owned();
        LoadArgs { manager, players, rate: 200.0, session, backup, seed: Some(7), json: false }
    }

    async fn game_server(capacity: u32) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(warp::serve(crate::game_server::routes_for_tests(capacity)).incoming(listener).run());
        address
    }

    #[tokio::test]
    async fn players_who_find_room_are_served_and_none_is_dropped() {
        let address = game_server(100).await;
        let tally = bring(&args(manager_naming(address).await, 20), CancellationToken::new()).await.expect("good args");
        assert_eq!((tally.asked, tally.served, tally.left, tally.dropped), (20, 20, 20, 0), "{tally}");
        assert_eq!(tally.by_server.get(&address.to_string()), Some(&20));
        assert!(tally.is_flawless());
    }

    #[tokio::test]
    async fn players_at_a_full_server_are_refused_and_that_is_a_flaw() {
        let address = game_server(1).await;
        let crowd =
            LoadArgs { session: Duration::from_secs(60), rate: 1000.0, ..args(manager_naming(address).await, 5) };
        let stop = CancellationToken::new();
        let leave = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            leave.cancel();
        });
        let tally = bring(&crowd, stop).await.expect("good args");
        assert_eq!((tally.served, tally.refused), (1, 4), "{tally}");
        assert!(!tally.is_flawless());
    }

    #[tokio::test]
    async fn players_sent_to_the_backup_or_to_nobody_are_told_apart() {
        let nobody: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        let to_backup = args(manager_naming(nobody).await, 3);
        let to_nobody = LoadArgs { backup: "127.0.0.1:2".into(), ..to_backup.clone() };
        let tally = bring(&to_backup, CancellationToken::new()).await.expect("good args");
        assert_eq!((tally.backup, tally.unreachable, tally.is_flawless()), (3, 0, true), "{tally}");
        let tally = bring(&to_nobody, CancellationToken::new()).await.expect("good args");
        assert_eq!((tally.backup, tally.unreachable, tally.is_flawless()), (0, 3, false), "{tally}");
    }

    #[tokio::test]
    async fn a_rate_that_makes_no_sense_is_refused() {
        let url: Url = "http://127.0.0.1:1".parse().expect("a URL");
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let args = LoadArgs { rate, ..args(url.clone(), 1) };
            assert!(matches!(bring(&args, CancellationToken::new()).await, Err(LoadError::Rate(_))), "{rate}");
        }
    }
}
