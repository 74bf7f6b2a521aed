//! A manager in a directory of its own, which it can be started in again and again.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rand::RngExt;
use rand::rngs::StdRng;
use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;
use super::log::Log;
use super::player::Player;
use super::process::{Signal, signal};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_playlivechess-manager");

/// Who has no place elsewhere is sent there.
pub const BACKUP: &str = "127.0.0.1:8888";

/// A pace that makes a test short: nothing here takes the minutes that machines take.
const PACE: &str = "
MANAGER_HEALTH_INTERVAL=100ms
MANAGER_HEALTH_TIMEOUT=1s
MANAGER_OBSERVE_INTERVAL=200ms
MANAGER_HOLD_TTL=5s
MANAGER_LAUNCH_BACKOFF=100ms
MANAGER_LOCAL_BOOT_DELAY=0s
MANAGER_LOCAL_SPREAD=address
";

/// Where and how a manager is run.
pub struct Setup {
    dir: TempDir,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// In a directory of its own, listening where there is room.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("playlivechess-manager-").tempdir().expect("a directory");
        let flags = ["--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
        Self { dir, flags, environment: Vec::new() }
    }

    /// With game servers on this machine, and more settings in `.env`.
    pub fn local(more: &str) -> Self {
        let mut setup = Self::new();
        setup.flags.push("--local".to_owned());
        let first = loopback_block();
        setup.environment("MANAGER_LOCAL_FIRST_ADDRESS", &first.to_string());
        setup.dot_env(more);
        setup
    }

    /// Sets what the process finds in its environment.
    pub fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes the `.env`: the tests' pace, and what this one is about.
    pub fn dot_env(&self, settings: &str) {
        self.exact_dot_env(&format!("{PACE}{settings}\n"));
    }

    /// Writes the `.env` as it stands here.
    pub fn exact_dot_env(&self, text: &str) {
        fs::write(self.path().join(".env"), text).expect("the directory can be written to");
    }

    /// The directory that the manager runs in.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command of the binary in this directory and environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.path()).env_clear().envs(self.environment.clone());
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts the manager and waits until clients can ask it.
    pub async fn start(&self) -> Manager {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        let mut process = self.command(&flags).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = Log::collect(process.stderr.take().expect("stderr was piped"));
        let started = log.message(0, "started").await;
        let url = format!("http://{}", started["listen"].as_str().expect("an address"));
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("an HTTP client");
        Manager { process, log, url, client }
    }
}

/// A loopback address with room after it, likely nobody else's on this machine.
fn loopback_block() -> Ipv4Addr {
    let mut random = rand::make_rng::<StdRng>();
    Ipv4Addr::new(127, random.random_range(128..=254), random.random(), 1)
}

/// A running manager. It is killed when the test lets go of it.
pub struct Manager {
    process: Child,
    /// What it says.
    pub log: Log,
    /// Where clients ask it, without a slash at the end.
    pub url: String,
    client: reqwest::Client,
}

/// A server of the fleet, as the manager describes it on SIGUSR2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// As in the log.
    pub id: String,
    pub phase: String,
    pub instance: Option<String>,
    pub task: Option<String>,
    pub address: Option<String>,
}

impl Manager {
    /// Asks for anything; the status and the body.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.expect("the manager answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
    }

    /// Where a client is sent.
    pub async fn available(&self) -> String {
        let (status, answer) = self.get("/available-gameserver/").await;
        assert_eq!(status, 200, "{answer}");
        answer["available"].as_str().expect("an address").to_owned()
    }

    /// The addresses of the servers that take players.
    pub async fn list(&self) -> Vec<String> {
        let (status, answer) = self.get("/available-gameserver-list/").await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["server_list"].clone()).expect("a list of addresses")
    }

    /// A player asks for a place and takes it; with none free, once the next server is there.
    pub async fn bring_player(&self) -> Player {
        loop {
            let now = self.log.now();
            let address = self.available().await;
            if address != BACKUP {
                return Player::join(&address).await;
            }
            self.log.moved(now, "available", 1).await;
        }
    }

    /// Waits until so many servers have become available since the start, and gives the address of each that is.
    pub async fn serves(&self, servers: usize) -> Vec<String> {
        self.log.moved(0, "available", servers).await;
        self.list().await
    }

    /// The fleet's state, by SIGUSR2.
    pub async fn state(&self) -> Vec<Server> {
        let now = self.log.now();
        self.signal(Signal::USR2);
        self.log.find(now, "the fleet's state", state_in).await
    }

    /// The one server with that address.
    pub async fn server_at(&self, address: &str) -> Server {
        let state = self.state().await;
        let found = state.iter().find(|server| server.address.as_deref() == Some(address));
        found.unwrap_or_else(|| panic!("no server at {address} in {state:?}")).clone()
    }

    /// Sends a signal.
    pub fn signal(&self, which: Signal) {
        let pid = self.process.id().and_then(|pid| pid.try_into().ok()).and_then(Pid::from_raw);
        signal(pid.expect("the manager runs"), which);
    }

    /// Waits until it ends.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.expect("the manager ends in time").expect("an exit status")
    }

    /// Ends it in good order.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}");
    }

    /// Kills it, as a crash or a power cut would.
    pub async fn kill(mut self) {
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
            })
        })
        .collect();
    (servers.len() == count).then_some(servers)
}
