//! What is in force, for `check-config` and for the log.

use std::fmt::Write as _;

use figment::value::Value;

use super::kind::plain;
use super::secret::Secret;
use super::setting::Setting;

/// A setting in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effective {
    /// Its place in `manager.toml`.
    pub path: &'static str,
    /// Its value, a credential as `***`.
    pub value: String,
    /// Where the value comes from.
    pub source: String,
    /// The value itself, with the secrets in a file that it names: what has changed there looks the same.
    exact: Option<Secret>,
}

impl Effective {
    pub(super) fn new(setting: &Setting, value: Option<&Value>, source: &str) -> Self {
        let exact = value.map(|value| Secret::new(plain(value)));
        let shown = match value {
            Some(_) if setting.is_secret() => "***".to_owned(),
            Some(value) => plain(value),
            None => "(not set)".to_owned(),
        };
        Self { path: setting.path, value: shown, source: source.to_owned(), exact }
    }

    /// It names a file that holds these secrets.
    pub(super) fn holding(mut self, secrets: &[Secret]) -> Self {
        for secret in secrets {
            let so_far = self.exact.as_ref().map_or("", Secret::reveal);
            self.exact = Some(Secret::new(format!("{so_far}\n{}", secret.reveal())));
        }
        self
    }
}

/// What a new configuration changes, a line a setting, for the log. A value that only comes from elsewhere now is none.
pub fn changes(old: &[Effective], new: &[Effective]) -> Vec<String> {
    let change = |new: &Effective| {
        let old = old.iter().find(|old| old.path == new.path)?;
        if old.exact == new.exact {
            return None;
        }
        let Effective { path, value, source, .. } = new;
        Some(match &old.value {
            same if same == value => format!("{path}: changed ({source})"),
            before => format!("{path}: {before} -> {value} ({source})"),
        })
    };
    new.iter().filter_map(change).collect()
}

/// The settings in columns: key, value, source. A long value moves only its own source.
pub fn print_effective(settings: &[Effective]) -> String {
    // Key and value leave a terminal of 80 columns room for the usual sources.
    const WIDEST_VALUE: usize = 22;
    let width = |text: &str| text.chars().count();
    let keys = settings.iter().map(|setting| width(setting.path)).max().unwrap_or_default();
    let values = settings.iter().map(|setting| width(&setting.value)).max().unwrap_or_default().min(WIDEST_VALUE);
    let mut table = String::new();
    for Effective { path, value, source, .. } in settings {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "{path:keys$}  {value:values$}  {source}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::table::by_path;
    use super::*;

    fn effective(path: &str, value: Option<&str>, source: &str) -> Effective {
        Effective::new(by_path(path).expect("a setting"), value.map(Value::from).as_ref(), source)
    }

    #[test]
    fn a_reload_tells_what_changed() {
        let secret = "aws.secret_access_key";
        let old = [
            effective("fleet", Some("blue"), "default"),
            effective("cloud", Some("ecs"), "default"),
            effective("aws.region", None, "default"),
            effective(secret, Some("hunter2"), ".env line 2"),
        ];
        let new = [
            effective("fleet", Some("green"), "manager.toml"),
            effective("cloud", Some("ecs"), "manager.toml"),
            effective("aws.region", Some("eu-west-1"), ".env line 1"),
            effective(secret, Some("hunter3"), ".env line 2"),
        ];
        let expected = [
            "fleet: blue -> green (manager.toml)",
            "aws.region: (not set) -> eu-west-1 (.env line 1)",
            "aws.secret_access_key: changed (.env line 2)",
        ];
        assert_eq!(changes(&old, &new), expected);
        assert_eq!(changes(&new, &new), Vec::<String>::new());
        assert!(!format!("{new:?}").contains("hunter"));
    }

    #[test]
    fn columns_are_aligned() {
        let settings = [
            effective("fleet", Some("blue"), "default"),
            effective("local.command", Some("a command that is much longer than that"), "manager.toml"),
        ];
        let expected = "fleet          blue                    default\n\
            local.command  a command that is much longer than that  manager.toml\n";
        assert_eq!(print_effective(&settings), expected);
    }
}
