//! What a layer is made of: values for settings, each with where it comes from.

use std::time::Duration;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::Flags;
use super::mistakes::{Findings, Found, Mistake};
use super::setting::{Given, Setting};
use super::table;

/// A value for a setting. To figment each is a provider of its own, so that each keeps its own source.
pub(super) struct Entry {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    /// For example `manager.toml`, `.env line 9`, `environment variable UPSCALE_MARGIN`, `flag --listen`, `default`.
    pub(super) source: String,
}

impl Provider for Entry {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.setting.path, self.value.clone());
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

impl Entry {
    /// A value written as text.
    pub(super) fn text(setting: &'static Setting, text: &str, source: impl Into<String>) -> Self {
        Self { setting, value: setting.kind.read(text), source: source.into() }
    }

    /// A named value of `.env` or of the environment. None if it counts as not set.
    pub(super) fn named(
        setting: &'static Setting,
        text: &str,
        source: String,
        findings: &mut Findings,
    ) -> Option<Self> {
        if text.is_empty() && setting.is_optional() {
            findings.notices.push(format!("{} is empty and counts as not set ({source})", setting.env));
            return None;
        }
        Some(Self::text(setting, text, source))
    }

    /// A value under a name of the old program, in seconds. There 0 meant "without a pause", which here is the default:
    /// as often as is sensible, never a busy loop.
    pub(super) fn seconds(
        setting: &'static Setting,
        text: &str,
        source: String,
        findings: &mut Findings,
    ) -> Option<Self> {
        let duration = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match (duration, &setting.default) {
            (Some(duration), Given::Default(default)) if duration.is_zero() => {
                Some(Self::text(setting, default, source))
            }
            (Some(duration), _) => Some(Self::text(setting, &humantime::format_duration(duration).to_string(), source)),
            (None, _) => {
                let found = Found::setting(setting, &Value::from(text), &source);
                let allowed = "seconds, fractions too; 0 is as often as is sensible";
                findings.mistakes.push(Mistake::one(found, "not a number of seconds", allowed));
                None
            }
        }
    }
}

/// What holds when nobody says anything.
pub(super) fn defaults() -> Vec<Entry> {
    let default = |setting: &'static Setting| match setting.default {
        Given::Default(text) => Some(Entry::text(setting, text, "default")),
        Given::Unset(_) => None,
    };
    table::settings().filter_map(default).collect()
}

/// What the command line says.
pub(super) fn flags(flags: &Flags) -> Vec<Entry> {
    let listen = flags.listen.as_deref().map(|text| ("listen", text, "flag --listen"));
    let local = flags.local.then_some(("cloud", "local", "flag --local"));
    let entry = |(path, text, source)| table::by_path(path).map(|setting| Entry::text(setting, text, source));
    listen.into_iter().chain(local).filter_map(entry).collect()
}
