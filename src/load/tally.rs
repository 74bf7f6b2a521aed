//! What became of the players.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How a player's visit ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It left when it wanted to.
    Left,
    /// It was sent to the backup.
    SentToBackup,
    /// The server that it was sent to was full.
    Refused,
    /// Nobody was where it was sent.
    Unreachable,
    /// The connection ended before the player left.
    Dropped,
    /// The manager did not name an address.
    NoAddress,
}

/// What became of the players, by their own account.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tally {
    /// Players who asked the manager for an address.
    pub asked: u32,
    /// Players who connected to a game server.
    pub served: u32,
    /// Players who left when they wanted to.
    pub left: u32,
    /// Players sent to the backup.
    pub backup: u32,
    /// Players sent to a full server.
    pub refused: u32,
    /// Players sent where nobody was.
    pub unreachable: u32,
    /// Players whose connection ended before they left.
    pub dropped: u32,
    /// Players to whom the manager named no address.
    pub no_address: u32,
    /// Players connected now.
    pub playing: u32,
    /// The most players connected at once.
    pub peak: u32,
    /// Players served, by server.
    pub by_server: BTreeMap<String, u32>,
}

impl Tally {
    /// Whether every player was served well, or knowingly sent to the backup.
    pub const fn is_flawless(&self) -> bool {
        self.refused == 0 && self.unreachable == 0 && self.dropped == 0 && self.no_address == 0
    }

    /// A player has found a place on that server.
    pub(super) fn arrived(&mut self, address: String) {
        self.served += 1;
        self.playing += 1;
        self.peak = self.peak.max(self.playing);
        *self.by_server.entry(address).or_default() += 1;
    }

    /// A player is gone.
    pub(super) const fn ended(&mut self, ending: Ending) {
        match ending {
            Ending::Left | Ending::Dropped => self.playing = self.playing.saturating_sub(1),
            Ending::SentToBackup | Ending::Refused | Ending::Unreachable | Ending::NoAddress => {}
        }
        let count = match ending {
            Ending::Left => &mut self.left,
            Ending::SentToBackup => &mut self.backup,
            Ending::Refused => &mut self.refused,
            Ending::Unreachable => &mut self.unreachable,
            Ending::Dropped => &mut self.dropped,
            Ending::NoAddress => &mut self.no_address,
        };
        *count += 1;
    }

    /// In one line, while players come and go.
    pub(super) fn line(&self) -> String {
        let Self { playing, served, backup, refused, dropped, .. } = self;
        let servers = self.by_server.len();
        format!(
            "{playing} playing, {served} served on {servers} servers, {backup} to backup, {refused} refused, {dropped} dropped"
        )
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in [
            ("asked for an address", self.asked),
            ("served", self.served),
            ("left when they wanted to", self.left),
            ("sent to the backup", self.backup),
            ("sent to a full server", self.refused),
            ("sent where nobody was", self.unreachable),
            ("dropped in the middle", self.dropped),
            ("given no address", self.no_address),
            ("at once, at most", self.peak),
        ] {
            writeln!(f, "{what:<26}{count:>8}")?;
        }
        for (server, players) in &self.by_server {
            writeln!(f, "  on {server:<21}{players:>8}")?;
        }
        Ok(())
    }
}
