//! One game server process, on the leash of a keeper.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::model::TaskId;
use futures_util::StreamExt;
use tokio::io::AsyncRead;
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};

/// Bytes of one line of output that are logged; the rest of a longer one is left out.
const MAX_LINE: usize = 8 * 1024;

/// A game server process.
pub(super) struct Process {
    /// Let go, the keeper ends the game server.
    leash: Option<ChildStdin>,
    over: Arc<AtomicBool>,
    stop_requested: bool,
}

impl Process {
    /// Starts a game server. Its output goes to the log under the task's id.
    pub(super) fn spawn(task: &TaskId, words: &[String], grace: Duration) -> io::Result<Self> {
        let mut keeper = Command::new(std::env::current_exe()?)
            .arg("keeper")
            .arg("--grace")
            .arg(humantime::format_duration(grace).to_string())
            .arg("--")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C at the terminal is the manager's to handle.
            .process_group(0)
            .spawn()?;
        let leash = keeper.stdin.take();
        if let Some(stdout) = keeper.stdout.take() {
            tokio::spawn(log_lines(task.clone(), "stdout", stdout));
        }
        if let Some(stderr) = keeper.stderr.take() {
            tokio::spawn(log_lines(task.clone(), "stderr", stderr));
        }
        let over = Arc::new(AtomicBool::new(false));
        tokio::spawn(watch(task.clone(), keeper, Arc::clone(&over)));
        Ok(Self { leash, over, stop_requested: false })
    }

    /// Has it stopped: SIGTERM, and SIGKILL after its grace.
    pub(super) fn stop(&mut self) {
        self.stop_requested = true;
        self.leash = None;
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether it has ended on request.
    pub(super) fn was_stopped(&self) -> bool {
        self.stop_requested && self.is_over()
    }
}

async fn watch(task: TaskId, mut keeper: Child, over: Arc<AtomicBool>) {
    match keeper.wait().await {
        Ok(status) => tracing::info!(%task, %status, "a game server ended"),
        Err(error) => tracing::error!(%task, %error, "a game server can no longer be watched"),
    }
    over.store(true, Ordering::Release);
}

async fn log_lines(task: TaskId, stream: &'static str, output: impl AsyncRead + Unpin) {
    let lines = AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), MAX_LINE);
    let mut lines = FramedRead::new(output, lines);
    loop {
        match lines.next().await {
            Some(Ok(line)) => tracing::info!(%task, stream, "{}", String::from_utf8_lossy(&line).trim_end()),
            Some(Err(AnyDelimiterCodecError::MaxChunkLengthExceeded)) => {
                tracing::warn!(%task, stream, "a line of more than {MAX_LINE} bytes was left out");
            }
            Some(Err(AnyDelimiterCodecError::Io(error))) => {
                tracing::warn!(%task, stream, %error, "the output can no longer be read");
                return;
            }
            None => return,
        }
    }
}
