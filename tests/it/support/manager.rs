//! A manager in a directory of its own, which it can be started in again and again.

use std::any::Any;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::{Method, RequestBuilder};
use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::binary::BINARY;
use super::log::Log;
use super::player::Player;
use super::process::{Signal, peak_memory, signal};
use super::{PATIENCE, until};

/// Who has no place elsewhere is sent there.
pub(crate) const BACKUP: &str = "127.0.0.1:8888";

/// A pace that makes a test short: nothing here takes the minutes that machines take. A game server that shares a slow
/// machine with the other tests still answers in time: one that does not gets no players, which is for tests of that.
const PACE: &str = "
MANAGER_HEALTH_INTERVAL=100ms
MANAGER_HEALTH_TIMEOUT=5s
MANAGER_OBSERVE_INTERVAL=200ms
MANAGER_HOLD_TTL=5s
MANAGER_LAUNCH_BACKOFF=100ms
";

/// Where and how a manager is run.
pub(crate) struct Setup {
    dir: TempDir,
    flags: Vec<&'static str>,
    /// The limit on open files, and how far it may be raised.
    open_files: Option<(u32, u32)>,
    environment: Vec<(&'static str, String)>,
    /// What has to last as long.
    kept: Vec<Box<dyn Any>>,
}

impl Setup {
    /// In a directory of its own, listening where there is room.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("playlivechess-manager-").tempdir().expect("a directory");
        Self {
            dir,
            flags: vec!["--listen", "127.0.0.1:0"],
            open_files: None,
            environment: vec![("MANAGER_OPERATIONS_LISTEN", "127.0.0.1:0".to_owned())],
            kept: Vec::new(),
        }
    }

    /// With game servers on this machine.
    pub(crate) fn local() -> Self {
        let mut setup = Self::new();
        setup.flags.push("--local");
        setup
            .environment("MANAGER_LOCAL_FIRST_ADDRESS", &loopback_block().to_string())
            .environment("MANAGER_LOCAL_SPREAD", "address")
            .environment("MANAGER_LOCAL_BOOT_DELAY", "0s")
            .dot_env("")
    }

    /// Sets what the process finds in its environment.
    pub(crate) fn environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Lets the process open so many files, and so many at most if it asks for more.
    pub(crate) fn open_files(mut self, soft: u32, hard: u32) -> Self {
        self.open_files = Some((soft, hard));
        self
    }

    /// Keeps something that has to last as long.
    pub(crate) fn keep(mut self, thing: impl Any) -> Self {
        self.kept.push(Box::new(thing));
        self
    }

    /// With that in its `.env`, next to the tests' pace.
    pub(crate) fn dot_env(self, settings: &str) -> Self {
        self.write_dot_env(&format!("{PACE}{settings}\n"));
        self
    }

    /// Writes the `.env` as it stands here.
    pub(crate) fn write_dot_env(&self, text: &str) {
        fs::write(self.path().join(".env"), text).expect("the directory can be written to");
    }

    /// The directory that the manager runs in.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command of the binary in this directory and environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.open_files {
            None => Command::new(&*BINARY),
            Some((soft, hard)) => {
                let mut shell = Command::new("/bin/sh");
                let limited = format!("ulimit -S -n {soft}; ulimit -H -n {hard}; exec \"$0\" \"$@\"");
                shell.args(["-c", &limited, &BINARY]);
                shell
            }
        };
        command.current_dir(self.path()).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts the manager and waits until clients can ask it.
    pub(crate) async fn start(&self) -> Manager {
        let mut process = self.command(&self.flags).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = Log::collect(process.stderr.take().expect("stderr was piped"));
        let started = log.message(0, "started").await;
        let url = format!("http://{}", started["listen"].as_str().expect("an address"));
        let operations = format!("http://{}", started["operations"].as_str().expect("an address"));
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("an HTTP client");
        Manager { process, log, url, operations, client }
    }
}

/// A loopback address with room after it, likely nobody else's on this machine.
pub(crate) fn loopback_block() -> Ipv4Addr {
    let mut random = rand::make_rng::<StdRng>();
    Ipv4Addr::new(127, random.random_range(128..=254), random.random(), 1)
}

/// A running manager. It is killed when the test lets go of it.
pub(crate) struct Manager {
    process: Child,
    /// What it says.
    pub log: Log,
    /// Where clients ask it, without a slash at the end.
    pub url: String,
    /// Where operators ask it, without a slash at the end.
    pub operations: String,
    client: reqwest::Client,
}

/// A server of the fleet, as the manager describes it on SIGUSR2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Server {
    /// As in the log.
    pub id: String,
    pub phase: String,
    pub instance: Option<String>,
    pub task: Option<String>,
    pub address: Option<String>,
    /// Health questions that were not answered, since the last one that was.
    pub misses: u64,
}

impl Manager {
    /// Asks for anything; the status and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.expect("the manager answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
    }

    /// What a client asks, in its own way.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// What an operator asks, as a client that is no browser does.
    pub(crate) fn operate(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.operations))
    }

    /// Where a client is sent.
    pub(crate) async fn available(&self) -> String {
        let (status, answer) = self.get("/available-gameserver/").await;
        assert_eq!(status, 200, "{answer}");
        answer["available"].as_str().expect("an address").to_owned()
    }

    /// The addresses of the servers that take players.
    pub(crate) async fn list(&self) -> Vec<String> {
        let (status, answer) = self.get("/available-gameserver-list/").await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["server_list"].clone()).expect("a list of addresses")
    }

    /// Waits until so many servers take players, and gives their addresses.
    pub(crate) async fn lists(&self, servers: usize) -> Vec<String> {
        until(&format!("{servers} servers take players"), async || {
            let list = self.list().await;
            (list.len() == servers && list != [BACKUP]).then_some(list)
        })
        .await
    }

    /// Brings a crowd of players, and gives what became of them.
    pub(crate) async fn load(&self, setup: &Setup, arguments: &[&str]) -> Value {
        let mut load = setup.command(&["load", "--json", "--manager", &self.url]);
        let ended = load.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).output().await;
        let ended = ended.expect("the binary starts");
        let told = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "{told}\n{}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_str(&told).expect("JSON")
    }

    /// A player asks for a place and takes it; with none free, once there is one.
    pub(crate) async fn bring_player(&self) -> Player {
        let address = until("a place is free", async || {
            let address = self.available().await;
            (address != BACKUP).then_some(address)
        });
        Player::join(&address.await).await
    }

    /// Waits until so many servers have become available since the start and take players, and gives their addresses.
    pub(crate) async fn serves(&self, servers: usize) -> Vec<String> {
        self.log.moved(0, "available", servers).await;
        self.lists(servers).await
    }

    /// The fleet's state, by SIGUSR2.
    pub(crate) async fn state(&self) -> Vec<Server> {
        let now = self.log.now();
        self.signal(Signal::USR2);
        self.log.find(now, "the fleet's state", state_in).await
    }

    /// The one server with that address.
    pub(crate) async fn server_at(&self, address: &str) -> Server {
        let state = self.state().await;
        let found = state.iter().find(|server| server.address.as_deref() == Some(address));
        found.unwrap_or_else(|| panic!("no server at {address} in {state:?}")).clone()
    }

    /// The address and port where clients ask it.
    pub(crate) fn authority(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        let pid = self.process.id().and_then(|pid| pid.try_into().ok()).and_then(Pid::from_raw);
        pid.expect("the manager runs")
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    /// The most memory that it ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        peak_memory(self.process.id().expect("the manager runs"))
    }

    /// Waits until it ends.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.expect("the manager ends in time").expect("an exit status")
    }

    /// Ends it in good order.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}");
    }

    /// Kills it, as a crash or a power cut would.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.expect("the manager runs");
    }
}

fn state_in(lines: &[Value]) -> Option<Vec<Server>> {
    let head = lines.iter().position(|line| line["message"] == "state of the fleet")?;
    let count = usize::try_from(lines[head]["servers"].as_u64()?).ok()?;
    let rest = lines[head..].iter().filter(|line| line["message"] == "state of a server");
    let text = |line: &Value, field: &str| line[field].as_str().map(str::to_owned);
    let servers: Vec<Server> = rest
        .take(count)
        .filter_map(|line| {
            Some(Server {
                id: text(line, "server")?,
                phase: text(line, "phase")?,
                instance: text(line, "instance"),
                task: text(line, "task"),
                address: text(line, "address"),
                misses: misses_in(line["health"].as_str()?)?,
            })
        })
        .collect();
    (servers.len() == count).then_some(servers)
}

/// `Health { last: …, misses: 3, unanswered_since: … }`
fn misses_in(health: &str) -> Option<u64> {
    health.split_once("misses: ")?.1.split_once(',')?.0.parse().ok()
}
