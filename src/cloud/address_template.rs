//! What players are told: a template such as `{public_ip}:{port}`, filled in for each game server.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// What a placeholder of an [`AddressTemplate`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placeholder {
    /// `{public_ip}`: the public IPv4 address.
    PublicIp,
    /// `{private_ip}`: the private IPv4 address.
    PrivateIp,
    /// `{ipv6}`: the IPv6 address, in brackets.
    Ipv6,
    /// `{public_dns}`: the public DNS name.
    PublicDns,
    /// `{instance_id}`: the EC2 instance's id.
    InstanceId,
    /// `{port}`: the port on the instance.
    Port,
}

impl Placeholder {
    const ALL: [Self; 6] = [Self::PublicIp, Self::PrivateIp, Self::Ipv6, Self::PublicDns, Self::InstanceId, Self::Port];

    const fn name(self) -> &'static str {
        match self {
            Self::PublicIp => "public_ip",
            Self::PrivateIp => "private_ip",
            Self::Ipv6 => "ipv6",
            Self::PublicDns => "public_dns",
            Self::InstanceId => "instance_id",
            Self::Port => "port",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Placeholder(Placeholder),
}

/// A text with placeholders: `{public_ip}`, `{private_ip}`, `{ipv6}` (filled in with its brackets), `{public_dns}`,
/// `{instance_id}` and `{port}`. At least one other than `{port}` is in it, and no blank.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct AddressTemplate(Vec<Piece>);

/// Why a text is no address template.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AddressTemplateError {
    /// There is no such placeholder.
    #[error("no placeholder is called {{{0}}}")]
    Unknown(String),
    /// A placeholder is not closed, or closed without having been opened.
    #[error("a brace without its counterpart")]
    Unbalanced,
    /// It comes out the same for every instance.
    #[error("nothing in it differs from server to server")]
    SameForAll,
    /// No address has a blank in it.
    #[error("a blank in it")]
    Blank,
}

impl FromStr for AddressTemplate {
    type Err = AddressTemplateError;

    fn from_str(text: &str) -> Result<Self, AddressTemplateError> {
        if text.contains(char::is_whitespace) {
            return Err(AddressTemplateError::Blank);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(AddressTemplateError::Unbalanced)?;
            pieces.extend(literal(before)?);
            pieces.push(Piece::Placeholder(placeholder(name)?));
            rest = after;
        }
        pieces.extend(literal(rest)?);
        let differs = |piece: &Piece| matches!(piece, Piece::Placeholder(what) if *what != Placeholder::Port);
        if pieces.iter().any(differs) { Ok(Self(pieces)) } else { Err(AddressTemplateError::SameForAll) }
    }
}

impl TryFrom<String> for AddressTemplate {
    type Error = AddressTemplateError;

    fn try_from(text: String) -> Result<Self, AddressTemplateError> {
        text.parse()
    }
}

fn literal(text: &str) -> Result<Option<Piece>, AddressTemplateError> {
    if text.contains('}') {
        return Err(AddressTemplateError::Unbalanced);
    }
    Ok((!text.is_empty()).then(|| Piece::Text(text.to_owned())))
}

fn placeholder(name: &str) -> Result<Placeholder, AddressTemplateError> {
    if name.contains('{') {
        return Err(AddressTemplateError::Unbalanced);
    }
    let mut all = Placeholder::ALL.into_iter();
    all.find(|known| known.name() == name).ok_or_else(|| AddressTemplateError::Unknown(name.to_owned()))
}

impl AddressTemplate {
    /// Whether that is in it.
    pub fn has(&self, what: Placeholder) -> bool {
        self.0.contains(&Piece::Placeholder(what))
    }

    /// Fills the placeholders in. The first value that cannot be had is the error.
    pub fn render<E>(&self, value: impl Fn(Placeholder) -> Result<String, E>) -> Result<String, E> {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Placeholder(what @ Placeholder::Ipv6) => Ok(format!("[{}]", value(*what)?)),
            Piece::Placeholder(what) => value(*what),
        };
        self.0.iter().map(fill).collect()
    }
}

impl fmt::Display for AddressTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Placeholder(what) => write!(f, "{{{}}}", what.name()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(what: Placeholder) -> Result<String, &'static str> {
        match what {
            Placeholder::PublicIp => Ok("203.0.113.7".into()),
            Placeholder::PrivateIp => Ok("10.0.0.7".into()),
            Placeholder::Ipv6 => Ok("2001:db8::7".into()),
            Placeholder::PublicDns => Err("there is no public DNS name"),
            Placeholder::InstanceId => Ok("i-07".into()),
            Placeholder::Port => Ok("8000".into()),
        }
    }

    #[test]
    fn placeholders_are_filled_in_wherever_they_stand() {
        for (template, address) in [
            ("{public_ip}:{port}", "203.0.113.7:8000"),
            ("{private_ip}:{port}", "10.0.0.7:8000"),
            ("{ipv6}:{port}", "[2001:db8::7]:8000"),
            ("{instance_id}.play.example.com:443", "i-07.play.example.com:443"),
            ("{public_ip}", "203.0.113.7"),
        ] {
            let parsed: AddressTemplate = template.parse().expect(template);
            assert_eq!(parsed.render(value), Ok(address.to_owned()));
            assert_eq!(parsed.to_string(), template);
        }
    }

    #[test]
    fn a_value_that_cannot_be_had_is_an_error_and_no_guess() {
        let template: AddressTemplate = "{public_dns}:{port}".parse().expect("a good template");
        assert_eq!(template.render(value), Err("there is no public DNS name"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        use AddressTemplateError::{Blank, SameForAll, Unbalanced, Unknown};
        for (text, error) in [
            ("{public_ip}:{prot}", Unknown("prot".into())),
            ("{}:{port}", Unknown(String::new())),
            ("{public_ip:{port}", Unbalanced),
            ("{public_ip}:{port", Unbalanced),
            ("public_ip}:{port}", Unbalanced),
            ("{public_ip}}:{port}", Unbalanced),
            ("", SameForAll),
            ("{public_ip} {port}", Blank),
            ("play.example.com:{port}", SameForAll),
        ] {
            assert_eq!(text.parse::<AddressTemplate>(), Err(error), "{text}");
        }
        assert_eq!(Unknown("prot".into()).to_string(), "no placeholder is called {prot}");
    }
}
