//! Answers of Microsoft Graph, as files have them: a page (an object with `value`), an array, one thing alone, or one after
//! the other (JSON lines). Only one thing is held at a time.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::ids::Context;
use super::thing::Thing;
use crate::convert::json::{self, Text};

/// Reads everything in a file; `take` gets each thing with what its page says that it belongs to.
///
/// # Errors
/// At the first that is no JSON: what comes after it cannot be read.
pub(super) fn each(
    reader: impl Read,
    take: &mut dyn FnMut(&Context, Thing),
) -> Result<(), serde_json::Error> {
    let mut parser = json::parser(reader)?;
    loop {
        match parser.end() {
            Ok(()) => return Ok(()),
            Err(error) if error.is_syntax() => {}
            Err(error) => return Err(error),
        }
        Answer { context: &Context::default(), take }.deserialize(&mut parser)?;
    }
}

/// Whatever comes next.
struct Answer<'a> {
    context: &'a Context,
    take: &'a mut dyn FnMut(&Context, Thing),
}

impl<'de> DeserializeSeed<'de> for Answer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of Microsoft Graph")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Answer { context: self.context, take: self.take })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut context = self.context.clone();
        while let Some(key) = entries.next_key::<String>()? {
            match key.as_str() {
                "@odata.context" => {
                    if let Some(text) = entries.next_value::<Text>()?.get() {
                        context = Context::parse(text);
                    }
                }
                "value" => entries.next_value_seed(Answer { context: &context, take: self.take })?,
                "@odata.type" => return alone(key, entries, &context, self.take),
                // What else is said of a page: how much there is, and where the next one is.
                _ if key.starts_with("@odata.") => {
                    entries.next_value::<IgnoredAny>()?;
                }
                _ => return alone(key, entries, &context, self.take),
            }
        }
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// A thing, of which the first key was read.
fn alone<'de, A: MapAccess<'de>>(
    key: String,
    entries: A,
    context: &Context,
    take: &mut dyn FnMut(&Context, Thing),
) -> Result<(), A::Error> {
    let whole = MapAccessDeserializer::new(Rest { key: Some(key), entries });
    take(context, Thing::deserialize(whole)?);
    Ok(())
}

struct Rest<A> {
    key: Option<String>,
    entries: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.entries.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<Vec<String>, String> {
        let mut ids = Vec::new();
        let mut take = |context: &Context, mut thing: Thing| {
            let id = thing.id.take().unwrap_or_default();
            ids.push(context.team.as_ref().map_or(id.clone(), |team| format!("{team}/{id}")));
        };
        each(text.as_bytes(), &mut take).map_err(|error| error.to_string())?;
        Ok(ids)
    }

    #[test]
    fn pages_arrays_lines_and_single_things() {
        let page = "{\"@odata.context\":\"https://graph.example/v1.0/$metadata#teams('t1')/channels\",\
                    \"@odata.count\":2,\"value\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"@odata.nextLink\":\"x\"}";
        assert_eq!(ids(page).unwrap(), ["t1/a", "t1/b"]);
        assert_eq!(ids(&format!("[{page},{{\"id\":7}},null,\"x\"]")).unwrap(), ["t1/a", "t1/b", "7"]);
        assert_eq!(ids("{\"id\":\"a\"}\n{\"@odata.type\":\"x\",\"id\":\"b\"}\n\n").unwrap(), ["a", "b"]);
        assert_eq!(
            ids("{\"@odata.context\":\"x#teams('t2')/channels/$entity\",\"id\":\"a\"}").unwrap(),
            ["t2/a"]
        );
        assert_eq!(ids("").unwrap(), [""; 0]);
        assert!(ids("{\"id\":\"a\"}\n{\"id\":").unwrap_err().contains("line 2"));
        assert!(ids("x").is_err());
    }
}
