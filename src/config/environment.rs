//! The layer of the process environment.

use figment::value::Value;

use super::layer::Entry;
use super::mistakes::{Findings, Mistake};
use super::{nearest, table};

/// What only the command line of operators reads: a manager that is started where it is set has nothing against it.
const OF_OPERATORS: &str = "MANAGER_OPERATIONS_URL";

/// Takes what is meant for the manager. The environment is full of other programs' variables, so only a name that
/// claims to be the manager's can be wrong.
pub(super) fn read(env: impl IntoIterator<Item = (String, String)>, findings: &mut Findings) -> Vec<Entry> {
    let mut variables: Vec<_> = env.into_iter().collect();
    // Environments have no order of their own, and a message should not depend on chance.
    variables.sort();
    let (mut old, mut entries) = (Vec::new(), Vec::new());
    for (name, text) in variables {
        let source = format!("environment variable {name}");
        match table::by_env(&name) {
            Some(setting) => entries.extend(Entry::named(setting, &text, source, findings)),
            None => match table::in_seconds(&name) {
                Some(setting) => old.extend(Entry::seconds(setting, &text, source, findings)),
                None if name.starts_with("MANAGER_") && name != OF_OPERATORS => {
                    let meant = nearest::in_environment(&name);
                    findings.mistakes.push(Mistake::unknown(&name, &Value::from(text), &source, meant));
                }
                None => {}
            },
        }
    }
    // Where both are given, the new name is the one that was chosen for this program.
    old.extend(entries);
    old
}
