//! The layer of `manager.toml`.

use std::io::ErrorKind;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::kind::type_name;
use super::layer::Entry;
use super::mistakes::{Findings, Found, Mistake};
use super::{nearest, table};

/// Read from the working directory if it exists there.
const USUAL: &str = "manager.toml";

/// Reads the file the operator named, which must exist, or the usual one, which need not.
pub(super) fn read(given: Option<&Path>, dir: &Path, findings: &mut Findings) -> Vec<Entry> {
    let name = given.unwrap_or(Path::new(USUAL));
    let source = name.display().to_string();
    let asked_by = if given.is_some() { "flag --config" } else { "the working directory" };
    let text = match std::fs::read_to_string(dir.join(name)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && given.is_none() => return Vec::new(),
        Err(error) => {
            let wrong = format!("cannot be read: {error}");
            findings.mistakes.push(Mistake::unreadable(&source, asked_by, wrong, "a TOML file that can be read"));
            return Vec::new();
        }
    };
    match Toml::from_str::<Dict>(&text) {
        Ok(settings) => Walk { source: &source, findings, entries: Vec::new() }.all(settings),
        Err(error) => {
            let allowed = "TOML, for example: upscale_margin = 4";
            findings.mistakes.push(Mistake::unreadable(&source, asked_by, error.to_string(), allowed));
            Vec::new()
        }
    }
}

/// A walk through the file's sections.
struct Walk<'a> {
    source: &'a str,
    findings: &'a mut Findings,
    entries: Vec<Entry>,
}

impl Walk<'_> {
    fn all(mut self, top: Dict) -> Vec<Entry> {
        for (name, value) in top {
            match value {
                Value::Dict(_, section) if is_section(&name) => {
                    section.into_iter().for_each(|(key, value)| self.key(&format!("{name}.{key}"), value));
                }
                value if is_section(&name) => {
                    let wrong = format!("wrong type: {}, where a section begins", type_name(&value));
                    let found = Found::other(&name, &value, self.source, false);
                    let allowed = format!("a line [{name}] with its settings under it");
                    self.findings.mistakes.push(Mistake::one(found, wrong, allowed));
                }
                value => self.key(&name, value),
            }
        }
        self.entries
    }

    fn key(&mut self, path: &str, value: Value) {
        let source = self.source;
        match table::by_path(path) {
            // Whoever copies or commits the file would hand the credential on.
            Some(setting) if setting.is_secret() => {
                let found = Found::setting(setting, &value, source);
                let allowed = format!("put it into the environment or .env, as {}", setting.env);
                self.findings.mistakes.push(Mistake::one(found, "a credential does not belong here", allowed));
            }
            Some(setting) => self.entries.push(Entry { setting, value, source: source.to_owned() }),
            None => {
                let meant = nearest::in_file(path);
                self.findings.mistakes.push(Mistake::unknown(path, &value, source, meant));
            }
        }
    }
}

fn is_section(name: &str) -> bool {
    table::SECTIONS.iter().any(|section| section.name == name)
}
