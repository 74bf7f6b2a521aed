//! Answering clients, against a bare warp handler that answers a constant of the same length, as warp itself serves it; and beside
//! it, what comes of that handler on threads like the manager's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Result;
use crate::client::Client;
use crate::plots::Plot;
use crate::process::{Part, raise_open_files};
use crate::verdict::{Goal, Verdict, middle};

/// Clients at once.
const CONNECTIONS: [u32; 3] = [1, 64, 512];

/// The ratios that were reached for each of them, of requests and of p99.
const SO_FAR: [(f64, f64); 3] = [(0.85, 2.0), (0.75, 1.3), (0.75, 1.6)];

/// Each load is brought for a second at a time, in turn, and each side's to those of the same turn: what else the machine does
/// changes from one second to the next.
const TURN: u64 = 1;

/// So often after each start, and so many starts for each second that a load is to last in all: where the system puts what a
/// process has in memory makes it a tenth faster or slower for as long as it runs.
const TURNS_A_START: usize = 3;

/// Until all servers of a fleet were asked for their health.
const SETTLED: Duration = Duration::from_secs(5);

/// What a load saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) requests_a_second: f64,
    pub(crate) p99: Duration,
}

/// Loads of so many clients, of the same turns.
struct Turns {
    connections: u32,
    so_far: (f64, f64),
    bare: Vec<Load>,
    on_threads: Vec<Load>,
    ours: Vec<Load>,
}

pub(crate) async fn measure(servers: u32, seconds: u64, plots: Option<&Path>) -> Result<Vec<Verdict>> {
    raise_open_files();
    let mut turns: Vec<Turns> = CONNECTIONS
        .into_iter()
        .zip(SO_FAR)
        .map(|(connections, so_far)| Turns { connections, so_far, bare: vec![], on_threads: vec![], ours: vec![] })
        .collect();
    for _ in 0..seconds {
        take_turns(servers, &mut turns).await?;
    }
    let mut verdicts: Vec<Verdict> = turns.iter().flat_map(|turns| turns.verdicts(servers)).collect();
    if let Some(dir) = plots {
        let title = format!("Answers while {servers} servers are asked for their health once a second");
        let line = |of: fn(&Turns) -> &[Load]| {
            turns.iter().map(|turns| (f64::from(turns.connections), middle(&rates(of(turns))))).collect::<Vec<_>>()
        };
        let lines = vec![
            ("bare warp", line(|turns| &turns.bare)),
            ("bare warp on such threads", line(|turns| &turns.on_threads)),
            ("the manager", line(|turns| &turns.ours)),
        ];
        Plot { title: &title, by: "clients at once", shown: "answers a second", lines }.draw(dir, "answering.svg")?;
    }
    verdicts.push(exact().await?);
    Ok(verdicts)
}

/// Some turns of each load, after one start of all who take part.
async fn take_turns(servers: u32, turns: &mut [Turns]) -> Result<()> {
    let count = servers.to_string();
    let mut games = Part::start(&["games", &count, "64"])?;
    games.says("plays").await?;
    let mut reference = Part::start(&["reference"])?;
    let bare_at = reference.says("listens").await?;
    let mut threads = Part::start(&["on-threads"])?;
    let threads_at = threads.says("listens").await?;
    let mut manager = Part::start(&["manager", &count, "64"])?;
    let ours_at = manager.says("listens").await?;
    sleep(SETTLED).await;
    for Turns { connections, bare, on_threads, ours, .. } in turns {
        for _ in 0..TURNS_A_START {
            bare.push(load(&bare_at, *connections, TURN).await?);
            on_threads.push(load(&threads_at, *connections, TURN).await?);
            ours.push(load(&ours_at, *connections, TURN).await?);
        }
    }
    for part in [manager, threads, reference, games] {
        part.end().await?;
    }
    Ok(())
}

impl Turns {
    fn verdicts(&self, servers: u32) -> [Verdict; 4] {
        let Self { connections, so_far, bare, on_threads, ours } = self;
        let paired = |what: String, of: &[Load]| {
            let requests = Verdict::paired(format!("{what}: requests"), &rates(of), &rates(bare), "/s");
            // Of one client it is either what a request takes or what a thread waits for a processor: no pairs.
            let (slowest, of_bare) = (middle(&p99s(of)), middle(&p99s(bare)));
            (requests, Verdict::ratio(format!("{what}: p99"), slowest, of_bare, "ms", Goal::None))
        };
        let (requests, slowest) = paired(format!("{connections} clients, {servers} servers"), ours);
        let (threads, of_threads) = paired(format!("{connections} clients, bare warp on such threads"), on_threads);
        [
            requests.with_goal(Goal::AtLeast(0.9)).so_far(so_far.0),
            slowest.with_goal(Goal::AtMost(1.25)).so_far(so_far.1),
            threads,
            of_threads,
        ]
    }
}

fn rates(loads: &[Load]) -> Vec<f64> {
    loads.iter().map(|load| load.requests_a_second).collect()
}

fn p99s(loads: &[Load]) -> Vec<f64> {
    loads.iter().map(|load| load.p99.as_secs_f64() * 1e3).collect()
}

/// Brings so many clients for so long.
pub(crate) async fn load(at: &str, connections: u32, seconds: u64) -> Result<Load> {
    let (threads, connections) = (connections.min(2).to_string(), connections.to_string());
    let url = format!("http://{at}/available-gameserver/");
    let wrk = Command::new("wrk")
        .args(["--latency", "-t", &threads, "-c", &connections, "-d", &format!("{seconds}s"), &url])
        .output()
        .await
        .map_err(|error| format!("wrk does not start: {error} (Debian: apt install wrk)"))?;
    let told = String::from_utf8_lossy(&wrk.stdout);
    if told.contains("Non-2xx") || told.contains("Socket errors") {
        return Err(format!("not all were answered: {told}").into());
    }
    let value = |name: &str| told.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let requests = value("Requests/sec:").ok_or_else(|| format!("no rate: {told}"))?.parse()?;
    let p99 = value("99%").and_then(duration).ok_or_else(|| format!("no latency: {told}"))?;
    Ok(Load { requests_a_second: requests, p99 })
}

/// As wrk writes it: `812.00us`, `1.02ms`, `1.02s`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic)?);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * seconds))
}

/// Of more requests than there are places, in a rush: how many places were given twice.
async fn exact() -> Result<Verdict> {
    const SERVERS: u32 = 100;
    const CAPACITY: u32 = 50;
    const CLIENTS: u32 = 64;
    let mut games = Part::start(&["games", &SERVERS.to_string(), &CAPACITY.to_string()])?;
    games.says("plays").await?;
    let mut manager = Part::start(&["manager", &SERVERS.to_string(), &CAPACITY.to_string()])?;
    let at = manager.says("listens").await?;
    sleep(SETTLED).await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(at.clone(), SERVERS * CAPACITY * 2 / CLIENTS));
    }
    let mut given: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(answers) = clients.join_next().await {
        for address in answers?? {
            *given.entry(address).or_default() += 1;
        }
    }
    manager.end().await?;
    games.end().await?;
    let of_fleet = given.iter().filter(|(address, _)| address.starts_with("127.100."));
    let twice: u32 = of_fleet.map(|(_, places)| places.saturating_sub(CAPACITY)).sum();
    let what = format!("places given twice, of {} in a rush of {CLIENTS} clients", SERVERS * CAPACITY);
    Ok(Verdict::none(what, twice))
}

/// Asks so often, and gives the addresses.
async fn ask(at: String, times: u32) -> Result<Vec<String>> {
    let mut client = Client::connect(&at).await?;
    let mut addresses = Vec::new();
    for _ in 0..times {
        addresses.push(client.ask().await?);
    }
    Ok(addresses)
}
