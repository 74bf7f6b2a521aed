//! Files.

pub(in crate::config) const ALLOWED: &str =
    "the path of a file; one without a / in front begins in the working directory";

/// What can be the path of a file.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("empty".to_owned());
    }
    if text.ends_with('/') {
        return Err("a folder, where a file belongs".to_owned());
    }
    if text.contains(char::is_control) { Err("a control character in it".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for text in ["journal.jsonl", "/var/log/my games/journal.jsonl", "../x"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in ["", " ", "/var/log/", "a\nb", "a\0b"] {
            assert!(check(text).is_err(), "{text:?}");
        }
    }
}
