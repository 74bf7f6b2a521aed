//! Whole numbers, as JSON has them.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A whole number from 0 on. To JSON Schema, and so to the documents, `2.0` is one as well: that is how languages without a
/// type for them write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Whole(pub u32);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u32(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number, 0 to {}", u32::MAX)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        u32::try_from(number).map(Whole).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        u32::try_from(number).map(Whole).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        // What is cut off, and what is out of range, makes another number of it.
        let cut = number as u32;
        let is_whole = f64::from(cut) == number;
        is_whole.then_some(Whole(cut)).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
        for (text, number) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("7e2", Some(700)),
            ("-0.0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967295.0", Some(u32::MAX)),
            ("7.5", None),
            ("-1", None),
            ("-1.0", None),
            ("4294967296", None),
            ("4294967296.0", None),
            ("1e300", None),
            ("\"7\"", None),
            ("null", None),
        ] {
            assert_eq!(serde_json::from_str(text).ok(), number.map(Whole), "{text}");
        }
    }
}
