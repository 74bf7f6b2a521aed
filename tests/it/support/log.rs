//! What the manager says, line by line: awaited, not polled.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

/// So many of the last lines are shown when a test fails.
const SHOWN: usize = 60;

/// The lines so far. Outside a terminal each is an object; one that is none stands as the `message` of one.
pub(crate) struct Log(watch::Receiver<Vec<Value>>);

impl Log {
    /// Collects what comes until the end.
    pub(crate) fn collect(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "message": line }));
                sender.send_modify(|lines: &mut Vec<Value>| lines.push(line));
            }
        });
        Self(lines)
    }

    /// How many lines there are by now: what comes next has this number.
    pub(crate) fn now(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits until `find` finds what it looks for among the lines from number `since` on.
    pub(crate) async fn find<T>(&self, since: usize, what: &str, find: impl Fn(&[Value]) -> Option<T>) -> T {
        let mut lines = self.0.clone();
        let come = lines.wait_for(|lines| find(&lines[since..]).is_some());
        match timeout(PATIENCE, come).await {
            Ok(Ok(lines)) => find(&lines[since..]).expect("found a moment ago"),
            Ok(Err(_)) => panic!("the manager ended before {what}\n{}", self.last_lines()),
            Err(_) => panic!("waited in vain for {what}\n{}", self.last_lines()),
        }
    }

    /// Waits for a line whose message has that in it, from number `since` on.
    pub(crate) async fn message(&self, since: usize, message: &str) -> Value {
        self.line(since, "message", message).await
    }

    /// Waits for a line whose error has that in it, from number `since` on.
    pub(crate) async fn error(&self, since: usize, error: &str) -> Value {
        self.line(since, "error", error).await
    }

    async fn line(&self, since: usize, field: &str, text: &str) -> Value {
        let is_meant = |line: &&Value| line[field].as_str().is_some_and(|found| found.contains(text));
        self.find(since, text, |lines| lines.iter().find(is_meant).cloned()).await
    }

    /// Whether that stands anywhere in it.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.0.borrow().iter().any(|line| line.to_string().contains(text))
    }

    /// How many lines so far have a message with that in it, from number `since` on.
    pub(crate) fn count(&self, since: usize, message: &str) -> usize {
        let has_it = |line: &&Value| line["message"].as_str().is_some_and(|found| found.contains(message));
        self.0.borrow()[since..].iter().filter(has_it).count()
    }

    /// Waits until so many servers came to a phase, from number `since` on, and names them in that order.
    pub(crate) async fn moved(&self, since: usize, to: &str, count: usize) -> Vec<String> {
        let what = format!("{count} servers to be {to}");
        self.find(since, &what, |lines| {
            let servers = moves(lines, to);
            (servers.len() >= count).then_some(servers)
        })
        .await
    }

    /// Waits until, of all servers that ever appeared, so many are left.
    pub(crate) async fn left(&self, count: usize) {
        let appeared = |lines: &[Value]| lines.iter().filter(|line| line["message"] == "a server appeared").count();
        let what = format!("{count} servers to be left");
        self.find(0, &what, |lines| (appeared(lines) - moves(lines, "gone").len() == count).then_some(())).await;
    }

    /// The servers that came to a phase so far, from number `since` on.
    pub(crate) fn moves_since(&self, since: usize, to: &str) -> Vec<String> {
        moves(&self.0.borrow()[since..], to)
    }

    fn last_lines(&self) -> String {
        let lines = self.0.borrow();
        lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| format!("{line}\n")).collect()
    }
}

fn moves(lines: &[Value], to: &str) -> Vec<String> {
    let moved = lines.iter().filter(|line| line["message"] == "a server moved on" && line["to"] == to);
    moved.filter_map(|line| line["server"].as_str().map(str::to_owned)).collect()
}
