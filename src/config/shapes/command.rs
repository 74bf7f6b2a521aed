//! The command line of a game server.

pub(in crate::config) const ALLOWED: &str =
    "a program with its arguments, quoted as in a shell, with {ip} or {port} in them: \"./game --bind {ip}:{port}\"";

/// Whether a command starts a game server where it is told to. None at all is the manager's own.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let words = shell_words::split(text).map_err(|_| "a quote is opened and not closed")?;
    if words.first().is_none_or(String::is_empty) {
        return Err("no program to start".to_owned());
    }
    if !words.iter().any(|word| word.contains("{ip}") || word.contains("{port}")) {
        return Err("neither {ip} nor {port} in it: every server would listen at the same place".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        for text in ["", "./game --bind {ip}:{port}", "'my game' --port={port}", "env IP={ip} game"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, why) in [
            ("./game", "neither"),
            ("./game '{port}", "quote"),
            ("   ", "no program"),
            ("'' {port}", "no program"),
            ("./game {Port}", "neither"),
        ] {
            let wrong = check(text).expect_err(text);
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
