//! What a game server can be told to do wrong.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

/// What it does wrong, and when; every time counts from the moment it listens.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Misbehaviour {
    /// Start to listen only after so long.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    pub start_after: Duration,
    /// From then on take health questions and never answer.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub hang_after: Option<Duration>,
    /// From then on answer health questions with garbage.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub garbage_after: Option<Duration>,
    /// Die then.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub die_after: Option<Duration>,
}

/// What it does wrong by now.
#[derive(Debug)]
pub(super) struct Schedule {
    misbehaviour: Misbehaviour,
    listening_since: Instant,
}

impl Schedule {
    /// For a server that listens from now on.
    pub(super) fn starting_now(misbehaviour: Misbehaviour) -> Self {
        Self { misbehaviour, listening_since: Instant::now() }
    }

    /// Whether health questions are left hanging.
    pub(super) fn hangs(&self) -> bool {
        self.has_come(self.misbehaviour.hang_after)
    }

    /// Whether health questions are answered with garbage.
    pub(super) fn talks_garbage(&self) -> bool {
        self.has_come(self.misbehaviour.garbage_after)
    }

    /// Ends when it is time to die.
    pub(super) async fn death(&self) {
        match self.misbehaviour.die_after {
            Some(after) => tokio::time::sleep_until(self.listening_since + after).await,
            None => std::future::pending().await,
        }
    }

    fn has_come(&self, after: Option<Duration>) -> bool {
        after.is_some_and(|after| self.listening_since.elapsed() >= after)
    }
}
