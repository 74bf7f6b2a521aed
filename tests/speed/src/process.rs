//! Parts that other processes play, and what they cost.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::Result;

/// How long a part may take to say something.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that plays a part. It is killed when this is dropped.
pub(crate) struct Part {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Of processors.
    pub(crate) cpu: Duration,
    /// Resident bytes.
    pub(crate) memory: u64,
}

impl Part {
    /// Starts this program again, in that role.
    pub(crate) fn start(role: &[&str]) -> Result<Self> {
        Self::spawn(Command::new(std::env::current_exe()?).args(role))
    }

    /// Starts a program.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let lines = BufReader::new(process.stdout.take().ok_or("no stdout")?).lines();
        Ok(Self { process, lines })
    }

    /// What stands behind that word in the next line that begins with it.
    pub(crate) async fn says(&mut self, word: &str) -> Result<String> {
        let found = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(word) {
                    return Ok(rest.trim().to_owned());
                }
            }
            Err(format!("a part ended without {word}").into())
        };
        timeout(PATIENCE, found).await.map_err(|_| format!("waited in vain for {word}"))?
    }

    /// Ends it, and waits until its ports are free.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Result<u32> {
        Ok(self.process.id().ok_or("it has ended")?)
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let pid = self.pid()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // Behind the name, which may have blanks: proc(5), utime and stime are the 14th and 15th field.
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"));
        let memory = resident.ok_or("no VmRSS")?.trim().parse::<u64>()? * 1024;
        // A tick is a hundredth of a second: USER_HZ, which Linux promises to programs.
        Ok(Usage { cpu: Duration::from_millis(ticks * 10), memory })
    }
}

/// Lets this process, and those that it starts, open as many files as they may.
pub(crate) fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With fewer the measurement tells.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
