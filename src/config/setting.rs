//! What a setting is: its names, its default, what is allowed.

use super::kind::Kind;

/// Settings under one heading of `manager.toml`.
pub(super) struct Section {
    /// The heading; empty for the settings before the first one.
    pub(super) name: &'static str,
    /// What they are about.
    pub(super) meaning: &'static str,
    pub(super) settings: &'static [Setting],
}

/// One setting.
pub(super) struct Setting {
    /// Where it stands in `manager.toml`, for example `scaling.upscale_margin`.
    pub(super) path: &'static str,
    /// Its name in `.env` and in the environment.
    pub(super) env: &'static str,
    pub(super) default: Given,
    pub(super) kind: Kind,
    /// One sentence for `manager.toml`.
    pub(super) meaning: &'static str,
}

/// What a setting is when nobody sets it.
pub(super) enum Given {
    /// This value, written as in the environment.
    Default(&'static str),
    /// Nothing; the text is an example for `manager.toml`.
    Unset(&'static str),
}

impl Setting {
    pub(super) const fn is_optional(&self) -> bool {
        matches!(self.default, Given::Unset(_))
    }

    pub(super) const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret)
    }

    /// The heading that it stands under.
    pub(super) fn section(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// How mistakes call it: by both its names, as nobody else knows which one the operator has in mind.
    pub(super) fn names(&self) -> String {
        format!("{} ({})", self.path, self.env)
    }
}
