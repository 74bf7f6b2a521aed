//! What players are told.

use serde::Serialize;

/// What a player is told, as JSON text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message {
    /// There is no opponent yet.
    Waiting,
    /// A game began.
    GameStarted {
        /// The opponent's number.
        opponent: u64,
    },
    /// What the opponent said.
    Move {
        /// As it was said.
        text: String,
    },
    /// The game ended.
    GameOver {
        /// Why.
        reason: &'static str,
    },
}
