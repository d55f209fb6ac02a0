//! JSON as exports have it: streamed, and lenient where versions differ in the type of a value.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::export::Export;
use super::flaw::{broken_json, unreadable};
use crate::input::{Problems, Utf16Reader};

/// Bytes of the buffer in front of the parser.
const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of one text, at most: no id, name, time or address is longer.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Reads a file of an export; what is wrong with it.
pub(super) fn file(
    export: &mut Export,
    path: &str,
    read: impl FnOnce(&mut dyn Read) -> Result<(), serde_json::Error>,
) -> Problems {
    let file = export.file_name(path);
    let read = export.read(path, read);
    trouble(&file, read)
}

/// What is wrong with a file, after reading it.
pub(super) fn trouble(file: &Arc<str>, read: io::Result<Result<(), serde_json::Error>>) -> Problems {
    match read {
        Ok(Ok(())) => Problems::new(),
        Ok(Err(error)) if error.classify() == serde_json::error::Category::Io => {
            unreadable(file, &error.into()).into()
        }
        Ok(Err(error)) => broken_json(file, &error).into(),
        Err(error) => unreadable(file, &error).into(),
    }
}

/// Reads an array element by element; only one is held at a time.
///
/// # Errors
/// At the first thing that is no JSON or no such element: what comes after it cannot be read.
pub(super) fn each<T: DeserializeOwned>(
    reader: impl Read,
    mut take: impl FnMut(T),
) -> Result<(), serde_json::Error> {
    let mut parser = parser(reader)?;
    elements(&mut parser, &mut take)?;
    parser.end()
}

/// Takes the arrays of an object, each under its name, for [`tables`].
pub(super) trait Tables {
    /// Reads what stands under a name: with [`elements`], or not at all.
    fn table<'de, D: Deserializer<'de>>(&mut self, name: &str, rows: D) -> Result<(), D::Error>;
}

/// Reads an object of arrays element by element; only one is held at a time.
///
/// # Errors
/// At the first thing that is no JSON or no such element: what comes after it cannot be read.
pub(super) fn tables(reader: impl Read, take: &mut impl Tables) -> Result<(), serde_json::Error> {
    struct Named<'a, T>(&'a mut T);
    impl<'de, T: Tables> Visitor<'de> for Named<'_, T> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of arrays")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
            while let Some(name) = entries.next_key::<String>()? {
                entries.next_value_seed(One(self.0, &name))?;
            }
            Ok(())
        }
    }
    struct One<'a, T>(&'a mut T, &'a str);
    impl<'de, T: Tables> DeserializeSeed<'de> for One<'_, T> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, rows: D) -> Result<(), D::Error> {
            self.0.table(self.1, rows)
        }
    }
    let mut parser = parser(reader)?;
    parser.deserialize_map(Named(take))?;
    parser.end()
}

/// Reads the elements of the array that comes next.
///
/// # Errors
/// At the first that is no such element.
pub(super) fn elements<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
    take: &mut dyn FnMut(T),
) -> Result<(), D::Error> {
    struct Elements<'a, T>(&'a mut dyn FnMut(T));
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<'_, T> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
            while let Some(element) = elements.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }
    from.deserialize_seq(Elements(take))
}

/// A parser of what is read.
pub(super) type Parser<'a> = serde_json::Deserializer<serde_json::de::IoRead<BufReader<Box<dyn Read + 'a>>>>;

/// Begins to read JSON, in UTF-8 or in what shells of Windows make of it, UTF-16.
///
/// # Errors
/// When the first bytes cannot be read.
pub(super) fn parser<'a>(mut reader: impl Read + 'a) -> Result<Parser<'a>, serde_json::Error> {
    // The mark at the beginning is none of JSON's.
    let mut beginning = Vec::new();
    reader.by_ref().take(3).read_to_end(&mut beginning).map_err(serde_json::Error::io)?;
    let (mark, big_endian) = match beginning.as_slice() {
        [0xef, 0xbb, 0xbf] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(false)),
        [0xfe, 0xff, ..] => (2, Some(true)),
        _ => (0, None),
    };
    beginning.drain(..mark);
    let whole = io::Cursor::new(beginning).chain(reader);
    let text: Box<dyn Read + 'a> = match big_endian {
        Some(big_endian) => Box::new(Utf16Reader::new(whole, big_endian)),
        None => Box::new(whole),
    };
    Ok(serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER_BYTES, text)))
}

/// Reads what stands one after the other, on lines of its own or with nothing between; `take` reads one of it.
///
/// # Errors
/// At the first thing that is no JSON: what comes after it cannot be read.
pub(super) fn documents<'a>(
    reader: impl Read + 'a,
    mut take: impl FnMut(&mut Parser<'a>) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    let mut parser = parser(reader)?;
    // Anything but the end is the next one, or an error that it meets again.
    while parser.end().is_err() {
        take(&mut parser)?;
    }
    Ok(())
}

/// An object; anything else is an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut found = None;
        from.deserialize_any(Objects { deep: false, take: &mut |object| found = Some(object) })?;
        Ok(Object(found.unwrap_or_default()))
    }
}

/// Takes what stands in a file: an object, or each object of an array. Anything else is passed over.
///
/// # Errors
/// At the first thing that is no JSON, or not such an object.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
    take: &mut dyn FnMut(T),
) -> Result<(), D::Error> {
    from.deserialize_any(Objects { deep: true, take })
}

/// Looks for objects.
struct Objects<'a, T> {
    /// In arrays, too.
    deep: bool,
    take: &'a mut dyn FnMut(T),
}

impl<'de, T: Deserialize<'de>> de::DeserializeSeed<'de> for Objects<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
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

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        if self.deep {
            while elements.next_element_seed(Objects { deep: false, take: &mut *self.take })?.is_some() {}
        } else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        (self.take)(T::deserialize(MapAccessDeserializer::new(entries))?);
        Ok(())
    }
}

/// A text, or a number as it is written; anything else is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    /// The text, if there is one that is not empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The same, taken out.
    pub(super) fn take(&mut self) -> Option<String> {
        self.0.take().filter(|text| !text.is_empty())
    }
}

/// A list of texts; anything else is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts(pub(super) Option<Vec<String>>);

/// Whether something is true; anything but `true` is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

/// Whether something is true or false; anything else is not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told(pub(super) Option<bool>);

/// A whole number, also one in a text; anything else is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Number(pub(super) Option<i64>);

/// Reads whatever stands there, and keeps it if it is of the kind that is looked for.
struct Lenient<T>(std::marker::PhantomData<T>);

/// What a value is made from.
trait Kept: Default {
    fn text(_text: &str) -> Self {
        Self::default()
    }
    fn number(number: i64) -> Self {
        Self::text(&number.to_string())
    }
    fn flag(_flag: bool) -> Self {
        Self::default()
    }
    fn list(_list: Vec<String>) -> Self {
        Self::default()
    }
}

impl Kept for Text {
    fn text(text: &str) -> Self {
        Text(Some(text).filter(|text| text.len() <= TEXT_BYTES_MAX).map(str::to_owned))
    }
}

impl Kept for Texts {
    fn list(list: Vec<String>) -> Self {
        Texts(Some(list))
    }
}

impl Kept for Flag {
    fn flag(flag: bool) -> Self {
        Flag(flag)
    }
}

impl Kept for Told {
    fn flag(flag: bool) -> Self {
        Told(Some(flag))
    }
}

impl Kept for Number {
    fn text(text: &str) -> Self {
        Number(text.parse().ok())
    }
    fn number(number: i64) -> Self {
        Number(Some(number))
    }
}

impl<'de, T: Kept> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<T, E> {
        Ok(T::flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Ok(T::number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Ok(i64::try_from(number).map_or_else(|_| T::text(&number.to_string()), T::number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        // Microseconds since 1970 fit a double's 53 bits until the year 2255, so six places are what was written.
        Ok(T::text(&format!("{number:.6}")))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<T, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element::<Text>()? {
            list.extend(element.0);
        }
        Ok(T::list(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<T, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }
}

macro_rules! lenient {
    ($($kind:ty),+) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(Lenient(std::marker::PhantomData))
            }
        }
    )+};
}

lenient!(Text, Texts, Flag, Told, Number);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(default)]
    struct Thing {
        ts: Text,
        members: Texts,
        hidden: Flag,
    }

    fn things(text: &str) -> Result<Vec<Thing>, String> {
        let mut things = Vec::new();
        each(text.as_bytes(), |thing| things.push(thing)).map_err(|error| error.to_string())?;
        Ok(things)
    }

    #[test]
    fn whatever_type_a_value_has() {
        let text = "\u{feff}[{\"ts\":\"1.000002\",\"members\":[\"U1\",null,2]},{\"ts\":1433903598,\"members\":null,\"hidden\":true,\
                    \"x\":{\"y\":[]}},{\"ts\":1433903598.25,\"members\":{},\"hidden\":[[]]}]";
        let things = things(text).unwrap();
        let ts: Vec<_> = things.iter().map(|thing| thing.ts.get().unwrap()).collect();
        assert_eq!(ts, ["1.000002", "1433903598", "1433903598.250000"]);
        assert_eq!(things[0].members.0.as_deref(), Some(["U1".to_owned(), "2".to_owned()].as_slice()));
        assert_eq!(
            (things[1].members.0.as_ref(), things[1].hidden, things[2].hidden),
            (None, Flag(true), Flag(false))
        );
    }

    #[test]
    fn utf_16_with_its_mark_is_read() {
        for bytes_of in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = "\u{feff}[{\"ts\":\"ü\"}]".encode_utf16().flat_map(bytes_of).collect();
            let mut things = Vec::new();
            each(bytes.as_slice(), |thing: Thing| things.push(thing)).unwrap();
            assert_eq!(things[0].ts.get(), Some("ü"));
        }
    }

    #[test]
    fn tables_of_an_object() {
        #[derive(Default)]
        struct Found(Vec<String>);
        impl Tables for Found {
            fn table<'de, D: Deserializer<'de>>(&mut self, name: &str, rows: D) -> Result<(), D::Error> {
                match name {
                    "a" => elements(rows, &mut |row: Text| self.0.extend(row.0)),
                    _ => IgnoredAny::deserialize(rows).map(|_| ()),
                }
            }
        }
        let mut found = Found::default();
        tables("{\"x\": {\"y\": [1]}, \"a\": [1, \"b\"], \"z\": 3}".as_bytes(), &mut found).unwrap();
        assert_eq!(found.0, ["1", "b"]);
        assert!(
            tables("{\"a\": 1}".as_bytes(), &mut found)
                .unwrap_err()
                .to_string()
                .contains("expected an array")
        );
        assert!(tables("[]".as_bytes(), &mut found).unwrap_err().to_string().contains("an object of arrays"));
    }

    #[test]
    fn whatever_number_and_truth() {
        let all: (Number, Number, Number, Told, Told, Told) =
            serde_json::from_str("[7, \"-8\", 9.5, true, false, \"true\"]").unwrap();
        assert_eq!((all.0.0, all.1.0, all.2.0), (Some(7), Some(-8), None));
        assert_eq!((all.3.0, all.4.0, all.5.0), (Some(true), Some(false), None));
    }

    #[test]
    fn what_is_broken_says_where() {
        assert!(things("[{},").unwrap_err().contains("line 1 column 4"));
        assert!(things("{}").unwrap_err().contains("expected an array"));
        assert!(things("[\"\"]").is_err());
        assert!(things(&"[".repeat(100_000)).unwrap_err().contains("recursion limit"));
        assert_eq!(things("[] x").unwrap_err(), "trailing characters at line 1 column 4");
    }
}
