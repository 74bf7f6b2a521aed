//! How a new revision of the game takes the place of the old one.

use serde::Deserialize;

use crate::config::kind::Kind;
use crate::config::setting::Given::Default;
use crate::config::setting::{Section, Setting};

/// How a new revision of the game takes the place of the old one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Rollout {
    /// Launches under way at once for the sake of a new revision.
    pub surge: u32,
    /// So many servers of a new revision that fail end its rollout.
    pub failures: u32,
}

pub(in crate::config) const SECTION: Section = Section {
    name: "rollout",
    meaning: "How a new revision of the task definition takes the place of the old one. `rollout --help` tells more.",
    settings: &[
        Setting {
            path: "rollout.surge",
            env: "MANAGER_ROLLOUT_SURGE",
            default: Default("2"),
            kind: Kind::Integer { unit: "launches", min: 1, max: 1000 },
            meaning: "So many servers are launched at once to take the place of old ones, within max_servers.",
        },
        Setting {
            path: "rollout.failures",
            env: "MANAGER_ROLLOUT_FAILURES",
            default: Default("3"),
            kind: Kind::Integer { unit: "servers", min: 1, max: 1000 },
            meaning: "So many servers of a new revision that fail, before it is rolled out, end the rollout.",
        },
    ],
};
