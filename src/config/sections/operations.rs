//! Where operators look at the fleet and steer it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use crate::config::kind::Kind;
use crate::config::secret::Secret;
use crate::config::setting::Given::{Default, Unset};
use crate::config::setting::{Section, Setting};
use crate::config::shapes::{address, path};

/// Where operators look at the fleet and steer it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Operations {
    /// Where they are listened for. None: nowhere.
    #[serde(deserialize_with = "listen")]
    pub listen: Option<SocketAddr>,
    /// What they must show, from the file if there is one. Never None on an address that others can reach.
    pub token: Option<Secret>,
    /// The file that the token was read from.
    pub token_file: Option<PathBuf>,
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == address::OFF { Ok(None) } else { text.parse().map(Some).map_err(de::Error::custom) }
}

pub(in crate::config) const SECTION: Section = Section {
    name: "operations",
    meaning: "Where operators look at the fleet and steer it.",
    settings: &[
        Setting {
            path: "operations.listen",
            env: "MANAGER_OPERATIONS_LISTEN",
            default: Default("127.0.0.1:8001"),
            kind: Kind::Text { allowed: address::SOCKET_OR_OFF_ALLOWED, check: address::socket_or_off },
            meaning: "Where operators ask. On an address that other machines can reach a token is needed.",
        },
        Setting {
            path: "operations.token",
            env: "MANAGER_OPERATIONS_TOKEN",
            default: Unset("0123456789abcdef"),
            kind: Kind::Secret,
            meaning: "What they must send, as `Authorization: Bearer TOKEN`: 16 or more visible ASCII characters.",
        },
        Setting {
            path: "operations.token_file",
            env: "MANAGER_OPERATIONS_TOKEN_FILE",
            default: Unset("operations-token"),
            kind: Kind::Text { allowed: path::ALLOWED, check: path::check },
            meaning: "A file with that token, in its place.",
        },
    ],
};
