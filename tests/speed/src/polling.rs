//! Asking a large fleet for its health, against a loop that does nothing else.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::Result;
use crate::cloud::address;
use crate::process::{Part, Usage, raise_open_files};
use crate::verdict::{Goal, Verdict};

/// How often each server is asked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Until a fleet that is seen for the first time is asked as it will be from then on.
const SETTLED: Duration = Duration::from_secs(5);

/// Each side asks so often, in turn: what else the machine does changes meanwhile.
const TURNS: usize = 3;

/// What one side used for its questions, and how regularly it put them.
struct Polled {
    cpu: Duration,
    memory: u64,
    questions: u64,
    connections: u64,
    lateness_p99: Duration,
}

pub(crate) async fn measure(servers: u32, seconds: u64) -> Result<Vec<Verdict>> {
    raise_open_files();
    let (count, span) = (servers.to_string(), Duration::from_secs(seconds.max(5)));
    let mut games = Part::start(&["games", &count, "10"])?;
    games.says("plays").await?;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare.push(side(&["polls", &count], "polls", &mut games, span).await?);
        ours.push(side(&["manager", &count, "10"], "observed", &mut games, span).await?);
    }
    // What a manager of nobody has is not the fleet's.
    let mut empty = Part::start(&["manager", "0", "10"])?;
    empty.says("observed").await?;
    let idle = empty.usage()?.memory;
    empty.end().await?;
    games.end().await?;
    let of = |side: &[Polled], figure: fn(&Polled) -> f64| side.iter().map(figure).collect::<Vec<_>>();
    let cpu = |side: &[Polled]| of(side, |polled| polled.cpu.as_secs_f64() * 1e6 / polled.questions as f64);
    let worst = |figure| of(&ours, figure).into_iter().fold(0.0, f64::max);
    let each = (worst(|polled| polled.memory as f64) - idle as f64) / f64::from(servers);
    let lateness = worst(|polled| polled.lateness_p99.as_secs_f64() * 1e3);
    let opened = worst(|polled| 100.0 * polled.connections as f64 / polled.questions as f64);
    let what = format!("{servers} servers: CPU a question");
    Ok(vec![
        Verdict::paired(what, &cpu(&ours), &cpu(&bare), "us").with_goal(Goal::AtMost(1.3)),
        Verdict::limit(format!("{servers} servers: memory of each"), each / 1024.0, "KiB", 20.0),
        Verdict::limit("lateness of a question, p99", lateness, "ms", 100.0),
        Verdict::limit("connections opened a hundred questions", opened, "", 1.0),
    ])
}

async fn side(role: &[&str], begins: &str, games: &mut Part, span: Duration) -> Result<Polled> {
    let mut part = Part::start(role)?;
    part.says(begins).await?;
    sleep(SETTLED).await;
    seen(games).await?;
    let Usage { cpu: before, .. } = part.usage()?;
    sleep(span).await;
    let Usage { cpu, memory } = part.usage()?;
    part.end().await?;
    let [questions, connections, micros] = seen(games).await?;
    Ok(Polled { cpu: cpu - before, memory, questions, connections, lateness_p99: Duration::from_micros(micros) })
}

/// Questions, connections and lateness since this was last asked.
async fn seen(games: &mut Part) -> Result<[u64; 3]> {
    kill_process(Pid::from_raw(games.pid()?.try_into()?).ok_or("no process")?, Signal::USR1)?;
    let seen = games.says("seen").await?;
    let numbers: Vec<u64> = seen.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
    Ok(numbers.try_into().map_err(|_| "not three numbers")?)
}

/// The reference: so many connections, each asked once an interval.
pub(crate) async fn poll(servers: u32) -> Result<()> {
    println!("polls");
    for number in 0..servers {
        // Spread over the interval, as the manager's are.
        let offset = INTERVAL.mul_f64(f64::from(number) / f64::from(servers));
        tokio::spawn(async move {
            sleep(offset).await;
            ask(number).await
        });
    }
    std::future::pending().await
}

async fn ask(number: u32) -> Result<()> {
    let target = address(number);
    let (mut client, connection) = http1::handshake(TokioIo::new(TcpStream::connect(target).await?)).await?;
    tokio::spawn(connection);
    loop {
        let question = Request::get("/health/").header(HOST, target.to_string()).body(Empty::<Bytes>::new())?;
        client.send_request(question).await?.into_body().collect().await?;
        sleep(INTERVAL).await;
    }
}
