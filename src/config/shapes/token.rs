//! Tokens and keys, which others send in a header.

pub(in crate::config) const ALLOWED: &str =
    "16 or more visible ASCII characters without a blank, such as `openssl rand -hex 16` prints";

/// With fewer characters it could be guessed.
const SHORTEST: usize = 16;

/// Whether it can be sent, and not be guessed. What is wrong is told without a character of it.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("empty".to_owned());
    }
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("a blank, a line break or a character beyond ASCII in it".to_owned());
    }
    match text.len() {
        short @ ..SHORTEST => Err(format!("{short} characters long: too short")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for text in ["0123456789abcdef", "a+/=!\"#$%&'()*,-~", &"x".repeat(1000)] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, why) in [
            ("", "empty"),
            ("0123456789abcde", "15 characters long"),
            ("0123456789 abcdef", "a blank"),
            ("0123456789abcdef\n", "a line break"),
            ("0123456789äbcdef", "beyond ASCII"),
        ] {
            let wrong = check(text).expect_err(text);
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
