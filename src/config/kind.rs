//! What a setting's value may be.

use std::time::Duration;

use figment::value::Value;
use humantime::format_duration;

/// The kind of a setting, with what is allowed.
pub(super) enum Kind {
    /// A whole number in this unit, both ends included.
    Integer { unit: &'static str, min: i64, max: i64 },
    /// A time with its unit, both ends included.
    Duration { min: Duration, max: Duration },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text of a certain shape. `check` tells what is wrong with it.
    Text { allowed: &'static str, check: fn(&str) -> Result<(), String> },
    /// A credential: any text, shown nowhere.
    Secret,
}

impl Kind {
    /// A value written as text, where there are no types: in `.env`, in the environment, in a flag. What ought to be a
    /// number and is none stays text, for [`Kind::check`] to refuse.
    pub(super) fn read(&self, text: &str) -> Value {
        match (self, text.trim().parse::<i64>()) {
            (Self::Integer { .. }, Ok(number)) => Value::from(number),
            _ => Value::from(text),
        }
    }

    /// The value in its usual form, or what is wrong with it.
    pub(super) fn check(&self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Integer { min, max, .. } => integer(value, *min, *max),
            Self::Duration { min, max } => duration(value, *min, *max),
            Self::Choice(words) if words.contains(&text(value)?) => Ok(value.clone()),
            Self::Choice(_) => Err("not one of the words allowed".to_owned()),
            Self::Text { check, .. } => check(text(value)?).map(|()| value.clone()),
            Self::Secret if text(value)?.is_empty() => Err("empty".to_owned()),
            Self::Secret => Ok(value.clone()),
        }
    }

    /// What is allowed, in words.
    pub(super) fn allowed(&self) -> String {
        match self {
            Self::Integer { unit, min, max } => format!("a whole number, {min} to {max} ({unit})"),
            Self::Duration { min, max } => {
                format!("a duration, \"{}\" to \"{}\"", format_duration(*min), format_duration(*max))
            }
            Self::Choice(words) => words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or "),
            Self::Text { allowed, .. } => (*allowed).to_owned(),
            Self::Secret => "a credential".to_owned(),
        }
    }
}

/// A value as a mistake shows it: text in quotes, so that blanks and emptiness can be seen.
pub(super) fn quoted(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Dict(..) => "{ ... }".to_owned(),
        Value::Array(..) => "[ ... ]".to_owned(),
        other => plain(other),
    }
}

/// A value as a table shows it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) if !text.is_empty() => text.clone(),
        Value::Num(_, number) => {
            let whole = number.to_i128().map(|whole| whole.to_string());
            whole.or_else(|| number.to_f64().map(|fraction| format!("{fraction:?}"))).unwrap_or_default()
        }
        Value::Bool(_, truth) => truth.to_string(),
        other => quoted(other),
    }
}

/// A value's type, as the operator would call it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(..) => "text",
        Value::Char(..) => "a character",
        Value::Bool(..) => "true or false",
        Value::Num(_, number) if number.to_f64().is_some() => "a fraction",
        Value::Num(..) => "a number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a table",
        Value::Array(..) => "an array",
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("wrong type: {}, not text in quotes", type_name(value)))
}

fn integer(value: &Value, min: i64, max: i64) -> Result<Value, String> {
    if let Value::String(_, text) = value {
        return Err(match text.parse::<i64>() {
            Ok(number) => format!("wrong type: text; write {number} without quotes"),
            Err(_) => "not a whole number".to_owned(),
        });
    }
    let number = value.to_i128().ok_or_else(|| format!("wrong type: {}, not a whole number", type_name(value)))?;
    match i64::try_from(number) {
        Ok(number) if (min..=max).contains(&number) => Ok(Value::from(number)),
        _ => Err("out of range".to_owned()),
    }
}

fn duration(value: &Value, min: Duration, max: Duration) -> Result<Value, String> {
    let text = match value {
        Value::Num(..) => plain(value),
        _ => text(value)?.trim().to_owned(),
    };
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(format!("a number without a unit: give one, for example \"{text}s\""));
    }
    let duration = humantime::parse_duration(&text)
        .map_err(|_| "not a duration: it is written like \"500ms\", \"30s\" or \"5m\"".to_owned())?;
    if !(min..=max).contains(&duration) {
        return Err("out of range".to_owned());
    }
    Ok(Value::from(format_duration(duration).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Kind = Kind::Integer { unit: "places", min: 1, max: 100 };
    const PAUSE: Kind = Kind::Duration { min: Duration::from_millis(50), max: Duration::from_mins(5) };
    const RULE: Kind = Kind::Choice(&["packed", "distributed"]);

    #[test]
    fn good_values_take_their_usual_form() {
        let table: [(&Kind, Value, &str); 8] = [
            (&PLACES, Value::from(1), "1"),
            (&PLACES, Value::from(100), "100"),
            (&PLACES, PLACES.read(" 7 "), "7"),
            (&PAUSE, Value::from("50ms"), "50ms"),
            (&PAUSE, Value::from("300 s"), "5m"),
            (&PAUSE, PAUSE.read(" 1500ms "), "1s 500ms"),
            (&RULE, Value::from("packed"), "packed"),
            (&Kind::Secret, Value::from("any"), "any"),
        ];
        for (kind, value, expected) in table {
            assert_eq!(kind.check(&value).as_ref().map(plain), Ok(expected.to_owned()), "{value:?}");
        }
    }

    #[test]
    fn bad_values_are_told_what_is_wrong() {
        let table: [(&Kind, Value, &str); 17] = [
            (&PLACES, Value::from(0), "out of range"),
            (&PLACES, Value::from(101), "out of range"),
            (&PLACES, Value::from(-1), "out of range"),
            (&PLACES, Value::from(4.5), "wrong type: a fraction, not a whole number"),
            (&PLACES, Value::from(true), "wrong type: true or false, not a whole number"),
            (&PLACES, Value::from("4"), "wrong type: text; write 4 without quotes"),
            (&PLACES, PLACES.read("four"), "not a whole number"),
            (&PLACES, PLACES.read(""), "not a whole number"),
            (&PAUSE, Value::from(30), "a number without a unit: give one, for example \"30s\""),
            (&PAUSE, Value::from("0.5"), "a number without a unit: give one, for example \"0.5s\""),
            (&PAUSE, Value::from("soon"), "not a duration: it is written like \"500ms\", \"30s\" or \"5m\""),
            (&PAUSE, Value::from("-5s"), "not a duration: it is written like \"500ms\", \"30s\" or \"5m\""),
            (&PAUSE, Value::from("49ms"), "out of range"),
            (&PAUSE, Value::from("6m"), "out of range"),
            (&RULE, Value::from("Packed"), "not one of the words allowed"),
            (&RULE, Value::from(3), "wrong type: a number, not text in quotes"),
            (&Kind::Secret, Value::from(""), "empty"),
        ];
        for (kind, value, expected) in table {
            assert_eq!(kind.check(&value), Err(expected.to_owned()), "{value:?}");
        }
    }

    #[test]
    fn what_is_allowed_can_be_read() {
        assert_eq!(PLACES.allowed(), "a whole number, 1 to 100 (places)");
        assert_eq!(PAUSE.allowed(), "a duration, \"50ms\" to \"5m\"");
        assert_eq!(RULE.allowed(), "\"packed\" or \"distributed\"");
    }
}
