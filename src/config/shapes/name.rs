//! Names that are the operator's own.

pub(in crate::config) const FLEET_ALLOWED: &str = "1 to 32 of the characters a-z, 0-9 and -, with a letter first";
pub(in crate::config) const PROFILE_ALLOWED: &str = "a name from the AWS configuration files";

/// The name of a fleet: part of tags and client tokens, so short and plain.
pub(in crate::config) fn fleet(text: &str) -> Result<(), String> {
    if !(1..=32).contains(&text.len()) {
        return Err(format!("{} characters long", text.len()));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err("does not begin with a letter from a to z".to_owned());
    }
    match text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        Some(other) => Err(format!("{other:?} in it")),
        None => Ok(()),
    }
}

/// The name of an AWS profile.
pub(in crate::config) fn profile(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("empty".to_owned());
    }
    if text.contains(char::is_control) { Err("a control character in it".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets() {
        for text in ["a", "blue-2", "playlivechess", &"x".repeat(32)] {
            assert_eq!(fleet(text), Ok(()), "{text}");
        }
        for text in ["", "Blue", "2blue", "-blue", "blue_2", "blue 2", "blü", &"x".repeat(33)] {
            assert!(fleet(text).is_err(), "{text}");
        }
    }

    #[test]
    fn profiles() {
        assert_eq!(profile("my games"), Ok(()));
        for text in ["", " ", "a\nb"] {
            assert!(profile(text).is_err(), "{text:?}");
        }
    }
}
