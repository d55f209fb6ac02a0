//! Values as BSON and MongoDB's extended JSON have them: the latter writes in objects what JSON cannot tell apart,
//! `{"$date": {"$numberLong": "1577836800000"}}`, `{"$oid": "…"}`.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::convert::json::{Flag, Text, objects};
use crate::model::Timestamp;

/// A text, a number or a time, whichever way it is written, as a text; anything else is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scalar(Option<String>);

impl Scalar {
    /// The text, if there is one that is not empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// A time: milliseconds since 1970, or ISO 8601.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let text = self.get()?;
        Timestamp::parse_epoch_ms(text).or_else(|_| Timestamp::parse(text, None)).ok()
    }

    /// A number of things.
    pub(super) fn count(&self) -> Option<usize> {
        let text = self.get()?;
        text.split_once('.').map_or(text, |(whole, _)| whole).parse().ok()
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(Some(number.to_string())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(Some(number.to_string())))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(Some(format!("{number:.3}"))))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(text.to_owned())))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Scalar, A::Error> {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Scalar, A::Error> {
                let mut found = Scalar(None);
                while let Some(name) = entries.next_key::<String>()? {
                    if name.starts_with('$') {
                        found = entries.next_value()?;
                    } else {
                        entries.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        from.deserialize_any(Written)
    }
}

/// A list of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Addresses(Vec<Address>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Address {
    address: Text,
    verified: Flag,
}

impl Addresses {
    /// The first that was verified, else the first.
    pub(super) fn best(&self) -> Option<&str> {
        let verified = self.0.iter().find(|address| address.verified.0 && address.address.get().is_some());
        verified.or(self.0.first())?.address.get()
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut addresses = Vec::new();
        objects(from, &mut |address| addresses.push(address))?;
        Ok(Addresses(addresses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(json: &str) -> Option<String> {
        serde_json::from_str::<Scalar>(json).unwrap().time().map(|time| time.to_string())
    }

    #[test]
    fn times_whichever_way_they_are_written() {
        for json in [
            r#"{"$date":{"$numberLong":"1577836800250"}}"#,
            r#"{"$date":1577836800250}"#,
            r#"{"$date":"2020-01-01T00:00:00.250Z"}"#,
            r#"{"$date":"2020-01-01T01:00:00.250+0100"}"#,
            r#""2020-01-01T00:00:00.250Z""#,
            "1577836800250",
            "1577836800250.0",
        ] {
            assert_eq!(time(json).as_deref(), Some("2020-01-01T00:00:00.250Z"), "{json}");
        }
        for json in ["null", "true", "[1]", "{}", "{\"$date\":{}}", "\"soon\"", "{\"a\":1}"] {
            assert_eq!(time(json), None, "{json}");
        }
    }

    #[test]
    fn the_address_that_was_verified() {
        let best = |json| serde_json::from_str::<Addresses>(json).unwrap().best().map(str::to_owned);
        let two = r#"[{"address":"a@a.example"},{"address":"b@a.example","verified":true}]"#;
        assert_eq!(best(two).as_deref(), Some("b@a.example"));
        assert_eq!(best(r#"[{"address":"a@a.example","verified":false}]"#).as_deref(), Some("a@a.example"));
        assert_eq!((best("[]"), best("null"), best("[null,{}]")), (None, None, None));
    }
}
