//! Which value wins, and whether it is allowed.

use std::time::Duration;

use figment::Figment;
use figment::value::Value;
use serde::de::DeserializeOwned;

use super::effective::Effective;
use super::layer::Entry;
use super::mistakes::{Findings, Found, Mistake};
use super::secret_files::SecretFiles;
use super::sections::manager::Settings;
use super::setting::Setting;
use super::table;

/// The winning values, those that are allowed.
pub(super) struct Resolved(Vec<Winner>);

/// What a setting ended up as.
pub(super) struct Winner {
    pub(super) setting: &'static Setting,
    outcome: Outcome,
    source: String,
}

enum Outcome {
    /// Nobody set it, and it has no default.
    Unset,
    /// It was set to something that is not allowed; the mistake is told already.
    Refused,
    Allowed(Value),
}

impl Resolved {
    /// Lays the entries over each other, later ones on top, and checks those that end up there.
    pub(super) fn new(entries: impl Iterator<Item = Entry>, findings: &mut Findings) -> Self {
        let layers = entries.fold(Figment::new(), Figment::merge);
        Self(table::settings().map(|setting| Winner::of(setting, &layers, findings)).collect())
    }

    /// The setting at this place, if it has a value that is allowed.
    pub(super) fn get(&self, path: &str) -> Option<&Winner> {
        self.0.iter().find(|winner| winner.setting.path == path && winner.value().is_some())
    }

    /// The value of the setting at this place, if it has one that is allowed.
    pub(super) fn one<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        self.get(path)?.value()?.deserialize().ok()
    }

    /// Whether nobody set this one, not even to something that is not allowed.
    pub(super) fn is_unset(&self, path: &str) -> bool {
        self.0.iter().any(|winner| winner.setting.path == path && matches!(winner.outcome, Outcome::Unset))
    }

    /// The typed settings. Only called once every value was found to be allowed.
    pub(super) fn settings(&self) -> Result<Settings, Mistake> {
        let set = self.0.iter().filter_map(|winner| {
            Some(Entry { setting: winner.setting, value: winner.value()?.clone(), source: winner.source.clone() })
        });
        set.fold(Figment::new(), Figment::merge).extract().map_err(|error| {
            Mistake::unreadable("the settings", "all sources together", error.to_string(), "what manager.toml lists")
        })
    }

    /// What to show the operator.
    pub(super) fn effective(&self, files: &SecretFiles) -> Vec<Effective> {
        let show = |winner: &Winner| {
            let effective = Effective::new(winner.setting, winner.value(), &winner.source);
            effective.holding(files.held(winner.setting.path))
        };
        self.0.iter().map(show).collect()
    }
}

impl Winner {
    fn of(setting: &'static Setting, layers: &Figment, findings: &mut Findings) -> Self {
        let Ok(value) = layers.find_value(setting.path) else {
            return Self { setting, outcome: Outcome::Unset, source: "default".to_owned() };
        };
        let source = layers.get_metadata(value.tag()).map_or_else(String::new, |metadata| metadata.name.to_string());
        let outcome = match setting.kind.check(&value) {
            Ok(value) => Outcome::Allowed(value),
            Err(wrong) => {
                let found = Found::setting(setting, &value, &source);
                findings.mistakes.push(Mistake::one(found, wrong, setting.kind.allowed()));
                Outcome::Refused
            }
        };
        Self { setting, outcome, source }
    }

    /// How a mistake shows it.
    pub(super) fn found(&self) -> Found {
        match self.value() {
            Some(value) => Found::setting(self.setting, value, &self.source),
            None => Found { key: self.setting.names(), value: None, source: self.source.clone() },
        }
    }

    fn value(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Allowed(value) => Some(value),
            Outcome::Unset | Outcome::Refused => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.value().and_then(Value::as_str)
    }

    pub(super) fn integer(&self) -> Option<i128> {
        self.value().and_then(Value::to_i128)
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        self.text().and_then(|text| humantime::parse_duration(text).ok())
    }
}
