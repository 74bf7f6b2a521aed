//! The commands of operators: they ask a running manager, and have it do things, on its operations listener.

mod client;
mod decisions;
mod event_stream;
mod failure;
pub mod generated;
mod margins;
mod screen;
mod servers;
mod status;
mod table;
mod told;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Subcommand;

use crate::config::{Mistakes, Operations};
use crate::stdout::print;
use client::Client;
pub use client::{Whom, reason};
pub use decisions::Which;
use failure::{EXIT_CODES, Failure};
pub use margins::Change;
use screen::{Paint, draw};
use told::{Fleet, Margins, Server, Servers};

/// Between two looks of `--watch`.
const PACE: Duration = Duration::from_secs(2);

/// What an operator wants of a running manager.
#[derive(Subcommand, Clone, Debug)]
pub enum Verb {
    /// Show a running manager's fleet.
    #[command(after_help = help(&["status", "status --watch", "status --json --url http://10.0.3.7:8001"]))]
    Status {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// Show it anew every two seconds, until Ctrl-C.
        #[arg(long)]
        watch: bool,
        /// Print what the manager answers: a JSON object, a line each with --watch.
        #[arg(long)]
        json: bool,
    },
    /// Show each game server of a running manager.
    #[command(after_help = help(&["servers", "servers --wide", "servers --json"]))]
    Servers {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// Show the instance and the revision of each, too.
        #[arg(long)]
        wide: bool,
        /// Print what the manager answers: a JSON object with the list of them.
        #[arg(long)]
        json: bool,
    },
    /// Show what a running manager decided and why, and what became of it.
    #[command(after_help = help(&[
        "decisions --limit 100", "decisions --follow --server server-3", "decisions --follow --json",
    ]))]
    Decisions {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// Which entries to show.
        #[command(flatten)]
        which: Which,
    },
    /// Empty a game server: it keeps its players, takes no more, and closes when nobody can lose a game by it.
    #[command(after_help = help(&["drain server-3"]))]
    Drain {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// The server's name, as `servers` shows it.
        #[arg(value_name = "ID", value_parser = server_id)]
        id: String,
    },
    /// Have a game server on standby take players again.
    #[command(after_help = help(&["undrain server-3"]))]
    Undrain {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// The server's name, as `servers` shows it.
        #[arg(value_name = "ID", value_parser = server_id)]
        id: String,
    },
    /// Have a running manager look at the cloud now.
    #[command(after_help = help(&["reconcile"]))]
    Reconcile {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
    },
    /// Have nothing launched, emptied or closed any more; players are still sent to what there is.
    #[command(after_help = help(&["pause"]))]
    Pause {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
    },
    /// Have the fleet kept the right size again, after a pause.
    #[command(after_help = help(&["resume"]))]
    Resume {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
    },
    /// Show when the fleet grows and shrinks, and change it until the configuration is read again.
    #[command(after_help = help(&["margins", "margins --upscale 20 --downscale 60", "margins --reset"]))]
    Margins {
        /// Whom to ask.
        #[command(flatten)]
        whom: Whom,
        /// What is to be otherwise.
        #[command(flatten)]
        change: Change,
        /// Go back to those of the configuration.
        #[arg(long, conflicts_with = "Change")]
        reset: bool,
        /// Print what the manager answers: a JSON object.
        #[arg(long)]
        json: bool,
    },
}

fn help(examples: &[&str]) -> String {
    let examples: String = examples.iter().map(|example| format!("  playlivechess-manager {example}\n")).collect();
    format!("Examples:\n{examples}\n{EXIT_CODES}")
}

/// A name that can stand in a path as it is. Whether there is such a server is for the manager to say.
fn server_id(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_name { Ok(text.to_owned()) } else { Err("a server's name is for example server-3".to_owned()) }
}

/// Does it, and says on stderr what is wrong if anything is.
pub async fn run(verb: Verb, configured: impl FnOnce() -> Result<Operations, Mistakes>) -> ExitCode {
    let done = match Client::new(verb.whom(), configured()) {
        Err(failure) => Err(failure),
        Ok(client) if verb.is_endless() => tokio::select! {
            done = operate(&client, &verb) => done,
            // So it is meant to end.
            _ = tokio::signal::ctrl_c() => Ok(()),
        },
        Ok(client) => operate(&client, &verb).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn operate(client: &Client, verb: &Verb) -> Result<(), Failure> {
    let paint = Paint::wanted();
    match verb {
        Verb::Status { watch: true, json, .. } => watch(client, *json, paint).await,
        Verb::Status { json, .. } => Ok(print(look(client, *json, paint).await?)?),
        Verb::Servers { wide, json, .. } => {
            let answer = client.get("/v1/servers").await?;
            let Servers { servers } = client.read(&answer)?;
            let told = servers::render(&servers, *wide, SystemTime::now(), paint);
            Ok(print(if *json { answer + "\n" } else { told })?)
        }
        Verb::Decisions { which, .. } => decisions::run(client, which, paint).await,
        Verb::Drain { id, .. } => {
            let server: Server = client.read(&client.post(&format!("/v1/servers/{id}/drain")).await?)?;
            let players = server.players.map_or_else(String::new, |players| format!(", players: {players}"));
            Ok(print(format!(
                "{} is {}{players}: it takes no more, and closes when it may\n",
                server.id, server.phase
            ))?)
        }
        Verb::Undrain { id, .. } => {
            let server: Server = client.read(&client.post(&format!("/v1/servers/{id}/undrain")).await?)?;
            Ok(print(format!("{} is {}: it takes players\n", server.id, server.phase))?)
        }
        Verb::Reconcile { .. } => {
            client.post("/v1/reconcile").await?;
            Ok(print("the manager looks at the cloud\n")?)
        }
        Verb::Pause { .. } => {
            client.post("/v1/pause").await?;
            Ok(print("paused: nothing is launched, emptied or closed before a resume, or a start of the manager\n")?)
        }
        Verb::Resume { .. } => {
            client.post("/v1/resume").await?;
            Ok(print("resumed: the fleet is kept the right size\n")?)
        }
        Verb::Margins { change, reset, json, .. } => {
            let (margins, answer) = change_margins(client, change, *reset).await?;
            Ok(print(if *json { answer + "\n" } else { margins::render(&margins, paint) })?)
        }
    }
}

/// What is printed of the fleet.
async fn look(client: &Client, json: bool, paint: Paint) -> Result<String, Failure> {
    let answer = client.get("/v1/fleet").await?;
    let fleet: Fleet = client.read(&answer)?;
    Ok(if json { answer + "\n" } else { status::render(&fleet, paint) })
}

/// A manager that was there once is waited for: it may be started again.
async fn watch(client: &Client, json: bool, paint: Paint) -> Result<(), Failure> {
    let on_screen = std::io::IsTerminal::is_terminal(&std::io::stdout()) && !json;
    let mut told = look(client, json, paint).await?;
    if on_screen {
        print("\x1b[2J")?;
    }
    loop {
        if on_screen {
            draw(&told)?;
        } else {
            print(&told)?;
        }
        tokio::time::sleep(PACE).await;
        told = match look(client, json, paint).await {
            // It refuses to show the fleet only while it is too busy to.
            Err(Failure::NotReached(why) | Failure::Refused(why)) if on_screen => {
                format!("{why}\ntrying again until Ctrl-C\n")
            }
            Err(Failure::NotReached(why) | Failure::Refused(why)) => {
                eprintln!("playlivechess-manager: {why}; trying again until Ctrl-C");
                String::new()
            }
            told => told?,
        };
    }
}

async fn change_margins(client: &Client, change: &Change, reset: bool) -> Result<(Margins, String), Failure> {
    let answer = match (reset, change.is_none()) {
        (true, _) => client.delete("/v1/margins").await?,
        (false, false) => client.put("/v1/margins", change.json()).await?,
        (false, true) => {
            let fleet: serde_json::Value = client.read(&client.get("/v1/fleet").await?)?;
            fleet["margins"].to_string()
        }
    };
    Ok((client.read(&answer)?, answer))
}

impl Verb {
    fn whom(&self) -> &Whom {
        match self {
            Self::Status { whom, .. }
            | Self::Servers { whom, .. }
            | Self::Decisions { whom, .. }
            | Self::Drain { whom, .. }
            | Self::Undrain { whom, .. }
            | Self::Reconcile { whom }
            | Self::Pause { whom }
            | Self::Resume { whom }
            | Self::Margins { whom, .. } => whom,
        }
    }

    /// Whether it ends by Ctrl-C alone.
    const fn is_endless(&self) -> bool {
        match self {
            Self::Status { watch, .. } => *watch,
            Self::Decisions { which, .. } => which.is_endless(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_no_name_that_leads_elsewhere() {
        assert_eq!(server_id("server-3").as_deref(), Ok("server-3"));
        for text in ["", "../pause", "server-3/undrain", "server-3?", "server%2F3", "sérver"] {
            assert!(server_id(text).is_err(), "{text}");
        }
    }
}
