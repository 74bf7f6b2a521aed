//! The layer of the `.env` in the working directory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use figment::value::Value;

use super::layer::Entry;
use super::mistakes::{Findings, Mistake};
use super::{nearest, table};

/// Stands in for `$` while dotenvy reads: to it `$` begins a variable of the process environment, but the passwords and
/// template versions (`$Latest`) of a `.env` mean the character itself. From a private use area, so nobody writes it.
const DOLLAR: &str = "\u{f8ff}";

/// Reads the `.env`, if there is one. Nothing of it enters the process environment.
pub(super) fn read(dir: &Path, findings: &mut Findings) -> Vec<Entry> {
    match std::fs::read_to_string(dir.join(".env")) {
        Ok(text) => entries(variables(&text, findings), findings),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let wrong = format!("cannot be read: {error}");
            findings.mistakes.push(Mistake::unreadable(
                ".env",
                "the working directory",
                wrong,
                "a text file, in UTF-8",
            ));
            Vec::new()
        }
    }
}

/// What the variables mean.
fn entries(variables: BTreeMap<String, Variable>, findings: &mut Findings) -> Vec<Entry> {
    let mut variables: Vec<_> = variables.into_iter().collect();
    variables.sort_by_key(|(_, variable)| variable.line);
    let (mut old, mut entries) = (Vec::new(), Vec::new());
    for (name, Variable { line, text }) in variables {
        let source = format!(".env line {line}");
        if let Some(setting) = table::by_env(&name) {
            entries.extend(Entry::named(setting, &text, source, findings));
        } else if let Some(setting) = table::in_seconds(&name) {
            old.extend(Entry::seconds(setting, &text, format!("{source} ({name})"), findings));
        } else if table::UNUSED.contains(&name.as_str()) {
            findings.notices.push(format!("{name} is not used any more ({source})"));
        } else {
            let meant = nearest::in_environment(&name);
            findings.mistakes.push(Mistake::unknown(&name, &Value::from(text), &source, meant));
        }
    }
    // Where both are given, the new name is the one that was chosen for this program.
    old.extend(entries);
    old
}

/// A variable's last occurrence.
struct Variable {
    line: usize,
    text: String,
}

/// The variables by name: of a repeated one the last counts, wherever it stands.
fn variables(text: &str, findings: &mut Findings) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    let line = Rc::new(Cell::new(0));
    // dotenvy skips a byte order mark only when it loads into the process environment, and takes a blank at the very
    // end of the file for an open value.
    let text = hide_dollars(&without_unused_values(text.trim_start_matches('\u{feff}'))) + "\n";
    for variable in dotenvy::from_read_iter(LineByLine { rest: text.as_bytes(), line: Rc::clone(&line) }) {
        match variable {
            Ok((name, text)) => {
                let variable = Variable { line: line.get(), text: text.replace(DOLLAR, "$") };
                if let Some(earlier) = variables.insert(name.clone(), variable) {
                    let (first, last) = (earlier.line, line.get());
                    findings
                        .notices
                        .push(format!("{name} is set in .env lines {first} and {last}: the last one counts"));
                }
            }
            Err(error) => findings.mistakes.push(malformed(&error, line.get())),
        }
    }
    variables
}

/// The mistake of a line that is none. Its text may be a credential, so it is not shown.
fn malformed(error: &dotenvy::Error, last_line: usize) -> Mistake {
    // A quote that stays open swallows the lines after it; what helps is where it begins.
    let lines = if let dotenvy::Error::LineParse(text, _) = error { text.lines().count().max(1) } else { 1 };
    let source = format!(".env line {}", (last_line + 1).saturating_sub(lines));
    let wrong = if lines > 1 { "a quote is opened and not closed" } else { "not of the form NAME=value" };
    let allowed = "NAME=value, with quotes around a value that has blanks or quotes in it: NAME='a value'";
    Mistake::unreadable("a line", &source, wrong, allowed)
}

/// Leaves out what the old web framework alone read: it took values that need quotes here, and they mean nothing now.
fn without_unused_values(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if table::UNUSED.contains(&name.trim()) => format!("{name}=\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Replaces each `$` that no backslash escapes already.
fn hide_dollars(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        match character {
            '$' if !escaped => hidden.push_str(DOLLAR),
            other => hidden.push(other),
        }
        escaped = character == '\\' && !escaped;
    }
    hidden
}

/// Gives out one line a read and counts them: what dotenvy has just returned ended on the line counted last.
struct LineByLine<'a> {
    rest: &'a [u8],
    line: Rc<Cell<usize>>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end_of_line = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |end| end + 1);
        let (given, rest) = self.rest.split_at(end_of_line.min(buffer.len()));
        buffer[..given.len()].copy_from_slice(given);
        self.rest = rest;
        if given.ends_with(b"\n") {
            self.line.set(self.line.get() + 1);
        }
        Ok(given.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Vec<(usize, String, String)>, Findings) {
        let mut findings = Findings::default();
        let mut variables: Vec<_> =
            variables(text, &mut findings).into_iter().map(|(name, of)| (of.line, name, of.text)).collect();
        variables.sort();
        (variables, findings)
    }

    fn values(text: &str) -> Vec<(usize, String, String)> {
        let (variables, findings) = parse(text);
        assert_eq!(findings.mistakes, Vec::new(), "{text}");
        variables
    }

    #[test]
    fn lines_are_counted_through_comments_and_blanks() {
        let text = "\u{feff}# a comment\n\nA=1\r\n  # it's another\nexport B='two words' # said why\n\nC=\nD=last ";
        let expected = [(3, "A", "1"), (5, "B", "two words"), (7, "C", ""), (8, "D", "last")];
        assert_eq!(values(text), expected.map(|(line, name, text)| (line, name.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_long_line_is_one_line() {
        let long = "x".repeat(100_000);
        assert_eq!(values(&format!("A={long}\nB=1")), [(1, "A".to_owned(), long), (2, "B".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_dollar_is_a_dollar() {
        for (written, meant) in [
            ("$Latest", "$Latest"),
            ("a$HOME$b$", "a$HOME$b$"),
            ("'$x'", "$x"),
            ("\"$x\"", "$x"),
            (r"\$x", "$x"),
            (r#""\\$x""#, r"\$x"),
            (r"'\$x'", r"\$x"),
            ("${HOME}", "${HOME}"),
            // All the characters of which Django makes its keys.
            ("a!@#$%^&*(-_=+)", "a!@#$%^&*(-_=+)"),
        ] {
            assert_eq!(values(&format!("A={written}")), [(1, "A".to_owned(), meant.to_owned())], "{written}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_name_counts() {
        let (variables, findings) = parse("A=1\nB=2\nA=3\n");
        assert_eq!(variables, [(2, "B".to_owned(), "2".to_owned()), (3, "A".to_owned(), "3".to_owned())]);
        assert_eq!(findings.notices, ["A is set in .env lines 1 and 3: the last one counts"]);
    }

    #[test]
    fn every_malformed_line_is_named_and_not_shown() {
        let (variables, findings) = parse("hunter2 hunter2\nA=1\nB=hunter2 hunter2\n=hunter2\nC='hunter2\nD=4\n");
        let told: Vec<_> = findings.mistakes.iter().map(|mistake| mistake.found[0].source.as_str()).collect();
        assert_eq!(told, [".env line 1", ".env line 3", ".env line 4", ".env line 5"]);
        assert!(!findings.mistakes.iter().any(|mistake| mistake.to_string().contains("hunter2")));
        assert!(findings.mistakes[3].wrong.contains("quote"), "{}", findings.mistakes[3]);
        assert_eq!(variables.len(), 1);
    }
}
