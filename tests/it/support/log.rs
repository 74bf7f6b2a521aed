//! What the manager says, line by line: awaited, not polled.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

/// So many of the last lines are shown when a test fails.
const SHOWN: usize = 60;

/// The lines so far. Outside a terminal each is an object; one that is none stands as the `message` of one.
pub struct Log(watch::Receiver<Vec<Value>>);

impl Log {
    /// Collects what comes until the end.
    pub fn collect(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
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
    pub fn now(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits until `find` finds what it looks for among the lines from number `since` on.
    pub async fn find<T>(&self, since: usize, what: &str, find: impl Fn(&[Value]) -> Option<T>) -> T {
        let mut lines = self.0.clone();
        let come = lines.wait_for(|lines| find(&lines[since..]).is_some());
        match timeout(PATIENCE, come).await {
            Ok(Ok(lines)) => find(&lines[since..]).expect("found a moment ago"),
            Ok(Err(_)) => panic!("the manager ended before {what}\n{}", self.last_lines()),
            Err(_) => panic!("waited in vain for {what}\n{}", self.last_lines()),
        }
    }

    /// Waits for a line with that message, from number `since` on.
    pub async fn message(&self, since: usize, message: &str) -> Value {
        let is_meant = |line: &&Value| line["message"].as_str().is_some_and(|text| text.contains(message));
        self.find(since, message, |lines| lines.iter().find(is_meant).cloned()).await
    }

    /// Waits until so many servers came to a phase, from number `since` on, and names them in that order.
    pub async fn moved(&self, since: usize, to: &str, count: usize) -> Vec<String> {
        let what = format!("{count} servers to be {to}");
        self.find(since, &what, |lines| {
            let servers = moves(lines, to);
            (servers.len() >= count).then_some(servers)
        })
        .await
    }

    /// Waits until, of all servers that ever appeared, so many are left.
    pub async fn left(&self, count: usize) {
        let appeared = |lines: &[Value]| lines.iter().filter(|line| line["message"] == "a server appeared").count();
        let what = format!("{count} servers to be left");
        self.find(0, &what, |lines| (appeared(lines) - moves(lines, "gone").len() == count).then_some(())).await;
    }

    /// The servers that came to a phase so far, from number `since` on.
    pub fn moves_since(&self, since: usize, to: &str) -> Vec<String> {
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
