//! What stands in the files of secrets that settings name. They are read with the configuration, so that their mistakes
//! are told with its others, and a reload sees what has changed in them.

use std::fs;
use std::path::Path;

use super::mistakes::{Findings, Mistake};
use super::resolve::Resolved;
use super::secret::Secret;
use super::sections::manager::Settings;
use super::shapes::token;

const TOKEN: &str = "operations.token_file";
const KEYS: &str = "api.keys_file";

/// What stands in them. None: there is no such file, or a mistake in it.
pub(super) struct SecretFiles {
    token: Option<Secret>,
    keys: Option<Vec<Secret>>,
}

impl SecretFiles {
    /// Reads those that the settings name.
    pub(super) fn read(settings: &Resolved, dir: &Path, findings: &mut Findings) -> Self {
        let token = token(settings, dir, findings);
        let allowed = format!("a text file with one key a line, # begins a comment; a key: {}", token::ALLOWED);
        let keys = read(settings, KEYS, dir, all_keys, &allowed, findings);
        Self { token, keys }
    }

    /// What the file holds that this setting names.
    pub(super) fn held(&self, path: &str) -> &[Secret] {
        match path {
            TOKEN => self.token.as_slice(),
            KEYS => self.keys.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Puts it where the settings have a place for it.
    pub(super) fn fill(self, settings: &mut Settings) {
        settings.operations.token = self.token.or(settings.operations.token.take());
        settings.api.keys = self.keys;
    }
}

/// The token in the file that the settings name. None: they name none, or there is a mistake in it.
pub(super) fn token(settings: &Resolved, dir: &Path, findings: &mut Findings) -> Option<Secret> {
    let allowed = format!("a text file with a token alone: {}", token::ALLOWED);
    read(settings, TOKEN, dir, one_token, &allowed, findings)
}

fn read<T>(
    settings: &Resolved,
    path: &str,
    dir: &Path,
    parse: impl Fn(&str) -> Result<T, String>,
    allowed: &str,
    findings: &mut Findings,
) -> Option<T> {
    let setting = settings.get(path)?;
    let text = fs::read_to_string(dir.join(setting.text()?)).map_err(|error| format!("cannot be read: {error}"));
    match text.and_then(|text| parse(&text)) {
        Ok(secrets) => Some(secrets),
        Err(wrong) => {
            findings.mistakes.push(Mistake::one(setting.found(), wrong, allowed));
            None
        }
    }
}

/// An editor puts a line break at the end, which is no part of the token.
fn one_token(text: &str) -> Result<Secret, String> {
    let text = text.trim_end_matches(['\r', '\n']);
    token::check(text).map(|()| Secret::new(text.to_owned()))
}

/// One key a line. A file without any would keep everybody out, and is a mistake.
fn all_keys(text: &str) -> Result<Vec<Secret>, String> {
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        // A key may have # in it, but no blank.
        let (key, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        if key.is_empty() || key.starts_with('#') {
            continue;
        }
        let key = if rest.is_empty() || rest.trim_start().starts_with('#') { key } else { line };
        token::check(key).map_err(|wrong| format!("line {number}: {wrong}"))?;
        keys.push(Secret::new(key.to_owned()));
    }
    if keys.is_empty() { Err("no key in it".to_owned()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_alone() {
        for text in ["0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\n"] {
            assert_eq!(one_token(text).as_ref().map(Secret::reveal), Ok("0123456789abcdef"), "{text:?}");
        }
        for text in ["", "\n", "0123456789\n", "0123456789abcdef\n0123456789abcdef", " 0123456789abcdef"] {
            assert!(one_token(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn keys_stand_one_a_line() {
        let text = "# the site\n0123456789abcdef\n\n  #0123456789abcdef\n\t#123456789abcdef#  # the app\r\n";
        let keys = all_keys(text.trim_start()).map(|keys| keys.iter().map(|key| key.reveal().to_owned()).collect());
        assert_eq!(keys, Ok(vec!["0123456789abcdef".to_owned()]));
        let keys = all_keys("0123456789abcdef # the site\n0#23456789abcdef#\t#the app\r\n").map(|keys| keys.len());
        assert_eq!(keys, Ok(2));
        for (text, why) in [
            ("", "no key"),
            ("\n# 0123456789abcdef\n", "no key"),
            ("0123456789abcdef\nhunter2\n", "line 2: 7 characters long"),
            ("0123456789abcdef hunter2", "line 1: a blank"),
        ] {
            let wrong = all_keys(text).expect_err(text);
            assert!(wrong.contains(why) && !wrong.contains("hunter"), "{text}: {wrong}");
        }
    }
}
