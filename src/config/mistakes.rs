//! What is wrong with a configuration, for the one who wrote it.

use std::fmt;

use figment::value::Value;
use thiserror::Error;

use super::kind::quoted;
use super::setting::Setting;

/// What reading the layers brings up beside the values.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notices: Vec<String>,
}

/// Everything that is wrong, at once.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct Mistakes(Vec<Mistake>);

/// One thing that is wrong, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// What was found: one setting, or several that do not go together.
    pub found: Vec<Found>,
    /// What is wrong with it.
    pub wrong: String,
    /// What would be right.
    pub allowed: String,
}

/// A key, what it is set to, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The key.
    pub key: String,
    /// Its value, credentials as `***`. None if it has none.
    pub value: Option<String>,
    /// Where the value comes from: a file, a line of `.env`, a variable, a flag, or `default`.
    pub source: String,
}

impl Mistakes {
    pub(super) const fn new(mistakes: Vec<Mistake>) -> Self {
        Self(mistakes)
    }

    /// The mistakes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl Found {
    /// A setting with its value, which stays hidden if it is a credential.
    pub(super) fn setting(setting: &Setting, value: &Value, source: &str) -> Self {
        let value = if setting.is_secret() { "***".to_owned() } else { quoted(value) };
        Self { key: setting.names(), value: Some(value), source: source.to_owned() }
    }

    /// What is no setting, with its value, which stays hidden if it may be a credential.
    pub(super) fn other(key: &str, value: &Value, source: &str, hidden: bool) -> Self {
        let value = if hidden { "***".to_owned() } else { quoted(value) };
        Self { key: key.to_owned(), value: Some(value), source: source.to_owned() }
    }
}

impl Mistake {
    pub(super) fn one(found: Found, wrong: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { found: vec![found], wrong: wrong.into(), allowed: allowed.into() }
    }

    /// A file, or a part of one, that cannot be read.
    pub(super) fn unreadable(what: &str, source: &str, wrong: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::one(Found { key: what.to_owned(), value: None, source: source.to_owned() }, wrong, allowed)
    }

    /// A name that means nothing, with the one that was meant.
    pub(super) fn unknown(key: &str, value: &Value, source: &str, meant: Option<&str>) -> Self {
        let found = Found::other(key, value, source, may_be_credential(key) || meant.is_some_and(may_be_credential));
        let allowed = match meant {
            Some(name) => format!("did you mean {name}?"),
            None => "the settings that manager.toml, as it comes with the program, lists".to_owned(),
        };
        Self::one(found, "no setting has this name", allowed)
    }
}

/// Nobody knows what an unknown name holds, so its value is judged by words in the name.
fn may_be_credential(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["secret", "token", "key", "pass", "credential", "url"].iter().any(|word| lower.contains(word))
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        self.0.iter().try_for_each(|mistake| write!(f, "\n\n{mistake}"))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Found { key, value, source } in &self.found {
            match value {
                Some(value) => writeln!(f, "{key} = {value}, from {source}")?,
                None => writeln!(f, "{key}, from {source}")?,
            }
        }
        writeln!(f, "    wrong:   {}", indented(&self.wrong))?;
        write!(f, "    allowed: {}", indented(&self.allowed))
    }
}

/// Keeps what takes several lines, such as a parser's message with the line it points at, in its column.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n             ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_block() {
        let mistakes = Mistakes::new(vec![
            Mistake::unknown("UPSCALE", &Value::from("4"), ".env line 3", Some("UPSCALE_MARGIN")),
            Mistake::unreadable("manager.toml", "the working directory", "one\ntwo\n", "TOML"),
        ]);
        let expected = "\
the configuration has 2 mistakes:

UPSCALE = \"4\", from .env line 3
    wrong:   no setting has this name
    allowed: did you mean UPSCALE_MARGIN?

manager.toml, from the working directory
    wrong:   one
             two
    allowed: TOML";
        assert_eq!(mistakes.to_string(), expected);
    }

    #[test]
    fn what_may_be_a_credential_is_not_shown() {
        let table = [
            ("AWS_SECRET_ACCES_KEY", None),
            ("API_TOKEN", None),
            ("DB_PASSWORD", None),
            ("REDIS_URL", None),
            ("AWS_SESSION_TOKN", Some("AWS_SESSION_TOKEN")),
        ];
        for (name, meant) in table {
            let told = Mistake::unknown(name, &Value::from("hunter2"), ".env", meant).to_string();
            assert!(told.starts_with(&format!("{name} = ***")), "{told}");
        }
    }
}
