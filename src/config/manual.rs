//! `manager.toml` as it comes with the program: written from the table, so that it cannot fall behind it.

use super::kind::Kind;
use super::setting::{Given, Section, Setting};
use super::table::SECTIONS;

const HEADER: &str = "\
# The settings of playlivechess-manager: all there are, each with its default.
#
# This file is read from the working directory, or from where --config says. What it sets gives way to the .env in the
# working directory, that to the process environment, and that to the flags; in .env and the environment a setting has
# the name given here after \"Environment\". `playlivechess-manager check-config` shows what is in force, and where it
# comes from.
#
# A duration is a number with a unit: \"500ms\", \"30s\", \"5m\", \"1h\".
# A line `# key = value` stands for a setting without a default; its value is an example.
";

/// A `manager.toml` with every setting: default, what is allowed, meaning. It sets nothing but the defaults.
pub fn manual() -> String {
    SECTIONS.iter().fold(HEADER.to_owned(), |manual, section| manual + &section_text(section))
}

fn section_text(section: &Section) -> String {
    let heading = match section.name {
        "" => String::new(),
        name => format!("\n\n# {}\n[{name}]\n", section.meaning),
    };
    section.settings.iter().map(setting_text).fold(heading, |text, setting| text + &setting)
}

fn setting_text(setting: &Setting) -> String {
    let Setting { env, meaning, .. } = setting;
    let key = setting.path.rsplit('.').next().unwrap_or_default();
    let allowed = setting.kind.allowed();
    match setting.default {
        _ if setting.is_secret() => {
            let instead = format!("put it into the environment or .env, as {env}");
            format!("\n# {key}: {meaning}\n# A credential, so not accepted here: {instead}.\n")
        }
        Given::Default(text) => {
            let value = written(&setting.kind, text);
            format!("\n# {meaning}\n# Allowed: {allowed}.\n# Default: {value}. Environment: {env}.\n{key} = {value}\n")
        }
        Given::Unset(example) => {
            let value = written(&setting.kind, example);
            format!("\n# {meaning}\n# Allowed: {allowed}.\n# Default: none. Environment: {env}.\n# {key} = {value}\n")
        }
    }
}

/// A value as TOML writes it. None of ours has a quote or a backslash in it.
fn written(kind: &Kind, text: &str) -> String {
    if matches!(kind, Kind::Integer { .. }) { text.to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn manager_toml_is_in_step() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("manager.toml");
        let file = std::fs::read_to_string(path).expect("manager.toml at the top of the project");
        let expected = manual();
        for (number, (found, expected)) in file.lines().zip(expected.lines()).enumerate() {
            let help = "write it anew: playlivechess-manager check-config --defaults > manager.toml";
            assert_eq!(found, expected, "line {} of manager.toml; {help}", number + 1);
        }
        assert_eq!(file, expected, "manager.toml ends early or goes on");
    }

    #[test]
    fn every_setting_is_in_it_with_its_meaning() {
        let manual = manual();
        for setting in SECTIONS.iter().flat_map(|section| section.settings) {
            for part in [setting.env, setting.meaning, setting.path.rsplit('.').next().unwrap_or_default()] {
                assert!(manual.contains(part), "{}: {part}", setting.path);
            }
        }
    }
}
