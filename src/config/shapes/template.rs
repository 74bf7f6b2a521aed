//! The template of the address that players are told.

/// What differs from server to server.
const OF_A_SERVER: [&str; 5] = ["public_ip", "private_ip", "ipv6", "public_dns", "instance_id"];

pub(in crate::config) const ALLOWED: &str = "text with {public_ip}, {private_ip}, {ipv6}, {public_dns} or \
    {instance_id}, and {port}: \"{public_ip}:{port}\"";

/// Whether every placeholder is known, and two servers would be told apart.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    if text.contains(char::is_whitespace) {
        return Err("a blank in it".to_owned());
    }
    let (mut rest, mut of_a_server) = (text, false);
    while let Some((before, opened)) = rest.split_once('{') {
        let (name, after) = opened.split_once('}').ok_or("a { without its }")?;
        if before.contains('}') {
            break;
        }
        of_a_server |= OF_A_SERVER.contains(&name);
        if name != "port" && !OF_A_SERVER.contains(&name) {
            return Err(format!("no placeholder is called {{{name}}}"));
        }
        rest = after;
    }
    if rest.contains('}') {
        return Err("a } without its {".to_owned());
    }
    if of_a_server { Ok(()) } else { Err("nothing in it differs from server to server".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        for text in ["{public_ip}:{port}", "{ipv6}:{port}", "{instance_id}.games.example.com", "{private_ip}:8000"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, why) in [
            ("{ip}:{port}", "no placeholder is called {ip}"),
            ("{}:{port}", "no placeholder is called {}"),
            ("{public_ip", "a { without"),
            ("public_ip}:{port}", "a } without"),
            ("{public_ip}}", "a } without"),
            ("{public_ip} {port}", "blank"),
            ("games.example.com:{port}", "nothing in it differs"),
            ("", "nothing in it differs"),
        ] {
            let wrong = check(text).expect_err(text);
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
