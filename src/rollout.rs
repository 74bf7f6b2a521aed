//! `rollout`: how far a new revision of the game has come, and the operator's word on it.
//!
//! The word is a mark on the revision in the cloud, which the manager reads with its next look: it need not run, nor be
//! reached from here, and it outlives its manager.

use std::collections::BTreeMap;
use std::fmt;

use actors::model::{Observation, Revision, Role, RolloutState, Target, TaskState};
use actors::ports::{Clock, Cloud, CloudError};
use clap::Subcommand;
use serde::Serialize;
use thiserror::Error;

/// What an operator wants of a rollout.
#[derive(Subcommand, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Show how far it has come (the default).
    Status {
        /// Print a JSON object instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Start no more servers of the new revision while there is another one to run; those there are go on.
    Pause,
    /// Go on with it after a pause, or try it again after it was rolled back.
    Resume,
    /// Go back to the revision before it; its servers are replaced like old ones, and nobody is dropped.
    Back,
}

/// Why an operator's word was not taken.
#[derive(Debug, Error)]
pub enum RolloutError {
    /// The cloud cannot be read, or the mark not be made.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Nothing says what the fleet is to run.
    #[error("which revision is to run cannot be read; the log above says why")]
    NoTarget,
    /// There is nothing to go back to.
    #[error(
        "no server runs another revision than {0}, and there is no earlier active one: register the task definition \
         that is to run, or name one of its revisions in aws.task_definition"
    )]
    NothingBefore(Revision),
}

/// How many servers run a revision, by what they do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// They take players.
    pub available: u32,
    /// They keep the players they have.
    pub standby: u32,
    /// They do not run yet.
    pub starting: u32,
}

/// How far a rollout has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Status {
    /// The revision that is wanted.
    pub target: String,
    /// What has become of it: `active`, `paused` or `rolled-back`.
    pub state: &'static str,
    /// What may run in its place: earlier revisions that were not rolled back, the newest first.
    pub earlier: Vec<String>,
    /// Every server that takes players runs it.
    pub done: bool,
    /// The servers there are, by revision.
    pub servers: BTreeMap<String, Count>,
}

/// Does what the operator wants, and says how things stand then.
pub async fn run(cloud: &dyn Cloud, verb: Verb) -> Result<String, RolloutError> {
    let seen = cloud.observe(Clock::system().now()).await?;
    let target = seen.target.clone().ok_or(RolloutError::NoTarget)?;
    let wanted = match verb {
        Verb::Status { json } => {
            let status = status(&seen, &target);
            return Ok(if json {
                serde_json::to_string_pretty(&status).unwrap_or_default()
            } else {
                status.to_string()
            });
        }
        Verb::Pause => RolloutState::Paused,
        Verb::Resume => RolloutState::Active,
        Verb::Back => RolloutState::RolledBack,
    };
    if wanted == target.state {
        return Ok(format!("the rollout of {} is {} already", target.revision, wanted.name()));
    }
    if wanted == RolloutState::RolledBack && target.earlier.is_empty() && !runs_another(&seen, &target) {
        return Err(RolloutError::NothingBefore(target.revision));
    }
    cloud.record_rollout(&target.revision, wanted).await?;
    Ok(format!("the rollout of {} is {} from the manager's next look on", target.revision, wanted.name()))
}

fn runs_another(seen: &Observation, target: &Target) -> bool {
    seen.tasks.iter().any(|task| matches!(task.state, TaskState::Running(_)) && task.revision != target.revision)
}

fn status(seen: &Observation, target: &Target) -> Status {
    let mut servers: BTreeMap<String, Count> = BTreeMap::new();
    for task in &seen.tasks {
        let which: fn(&mut Count) -> &mut u32 = match (&task.state, task.role) {
            (TaskState::Stopped, _) => continue,
            (TaskState::Pending, _) => |count| &mut count.starting,
            (TaskState::Running(_), Role::Available) => |count| &mut count.available,
            (TaskState::Running(_), Role::Standby) => |count| &mut count.standby,
        };
        *which(servers.entry(task.revision.to_string()).or_default()) += 1;
    }
    let target_name = target.revision.to_string();
    let takes_players = |(_, count): &(&String, &Count)| count.available > 0;
    let done = target.state == RolloutState::Active
        && servers.iter().filter(takes_players).map(|(revision, _)| revision).eq([&target_name]);
    let earlier = target.earlier.iter().map(Revision::to_string).collect();
    Status { target: target_name, state: target.state.name(), earlier, done, servers }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.done { ", done" } else { "" };
        writeln!(f, "rollout of {}: {}{done}", self.target, self.state)?;
        if !self.earlier.is_empty() {
            writeln!(f, "before it: {}", self.earlier.join(", "))?;
        }
        let width = self.servers.keys().map(String::len).chain(["revision".len()]).max().unwrap_or_default();
        write!(f, "{:width$}  available  standby  starting", "revision")?;
        for (revision, Count { available, standby, starting }) in &self.servers {
            write!(f, "\n{revision:width$}  {available:>9}  {standby:>7}  {starting:>8}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use actors::model::{Address, Endpoint, Task, TaskId, Timestamp};

    use super::*;

    fn task(revision: &str, state: TaskState, role: Role) -> Task {
        let (id, revision) = (TaskId::new("task"), Revision::new(revision));
        Task { id, instance: None, state, revision, role, started_at: None }
    }

    fn running() -> TaskState {
        let health = ([127, 0, 0, 1], 8000).into();
        TaskState::Running(Endpoint { players: Address::new("127.0.0.1:8000"), health })
    }

    fn seen(tasks: Vec<Task>) -> Observation {
        Observation { begun_at: Timestamp::default(), instances: Vec::new(), tasks, target: None }
    }

    fn target(state: RolloutState) -> Target {
        Target { revision: Revision::new("game:10"), state, earlier: vec![Revision::new("game:9")] }
    }

    #[test]
    fn servers_are_counted_by_revision_and_by_what_they_do() {
        let tasks = vec![
            task("game:9", running(), Role::Available),
            task("game:9", running(), Role::Standby),
            task("game:10", running(), Role::Available),
            task("game:10", TaskState::Pending, Role::Available),
            task("game:8", TaskState::Stopped, Role::Standby),
        ];
        let expected = "\
rollout of game:10: paused
before it: game:9
revision  available  standby  starting
game:10           1        0         1
game:9            1        1         0";
        assert_eq!(status(&seen(tasks), &target(RolloutState::Paused)).to_string(), expected);
    }

    #[test]
    fn a_rollout_is_done_when_whoever_takes_players_runs_it() {
        let old = |role| task("game:9", running(), role);
        let new = || task("game:10", running(), Role::Available);
        for (tasks, state, done) in [
            (vec![new(), old(Role::Standby)], RolloutState::Active, true),
            (vec![new(), old(Role::Available)], RolloutState::Active, false),
            (vec![old(Role::Standby)], RolloutState::Active, false),
            (vec![new()], RolloutState::RolledBack, false),
        ] {
            assert_eq!(status(&seen(tasks.clone()), &target(state)).done, done, "{tasks:?}");
        }
    }
}
