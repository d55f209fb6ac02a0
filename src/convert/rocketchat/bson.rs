//! BSON (bsonspec.org, version 1.1), as mongodump writes it: document after document. One is held at a time, and no length
//! in it is believed before the bytes are there.

use std::fmt;
use std::io::{self, Read};

use serde::de::value::CowStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Bytes of one document, at most: 16 MiB, and what MongoDB allows itself beyond that.
const DOCUMENT_BYTES_MAX: usize = (16 * 1024 + 16) * 1024;

/// Documents in one another, at most; MongoDB itself takes 100.
const DEPTH_MAX: u8 = 128;

/// Why a file is no BSON.
#[derive(Debug)]
pub(super) enum Broken {
    /// It cannot be read.
    Io(io::Error),
    /// What is wrong with the document that begins at this byte.
    Document(u64, Flaw),
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw(String);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Flaw {}

impl de::Error for Flaw {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Flaw(message.to_string())
    }
}

fn cut() -> Flaw {
    Flaw("a value is longer than what it is in".to_owned())
}

/// Reads document after document.
///
/// # Errors
/// At the first that is broken: what comes after it cannot be found.
pub(super) fn documents(
    mut reader: impl Read,
    mut take: impl FnMut(Document<'_>) -> Result<(), Flaw>,
) -> Result<(), Broken> {
    let mut buffer = Vec::new();
    let mut at: u64 = 0;
    loop {
        buffer.clear();
        let broken = |flaw: &str| Broken::Document(at, Flaw(flaw.to_owned()));
        let mut more = |buffer: &mut Vec<u8>, bytes: usize| {
            // Memory is taken as the bytes come.
            reader.by_ref().take(bytes as u64).read_to_end(buffer).map_err(Broken::Io)
        };
        match more(&mut buffer, 4)? {
            0 => return Ok(()),
            4 => {}
            _ => return Err(broken("the file ends within a document")),
        }
        let length = match <[u8; 4]>::try_from(buffer.as_slice()).map(i32::from_le_bytes).map(usize::try_from)
        {
            Ok(Ok(length)) if (5..=DOCUMENT_BYTES_MAX).contains(&length) => length,
            _ => return Err(broken("no document is as long as it says")),
        };
        if more(&mut buffer, length - 4)? < length - 4 {
            return Err(broken("the file ends within a document"));
        }
        let document = Document { rest: &buffer[4..], depth: 0 };
        take(document).map_err(|flaw| Broken::Document(at, flaw))?;
        at += length as u64;
    }
}

/// A document, or an array: its elements, up to the byte that ends them.
#[derive(Debug)]
pub(super) struct Document<'de> {
    rest: &'de [u8],
    depth: u8,
}

impl<'de> Document<'de> {
    fn bytes(&mut self, count: usize) -> Result<&'de [u8], Flaw> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(cut)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        self.bytes(N)?.try_into().map_err(|_| cut())
    }

    fn length(&mut self) -> Result<usize, Flaw> {
        usize::try_from(i32::from_le_bytes(self.array()?)).map_err(|_| cut())
    }

    /// A text that a NUL ends.
    fn name(&mut self) -> Result<&'de [u8], Flaw> {
        let end = memchr::memchr(0, self.rest).ok_or_else(cut)?;
        let name = self.bytes(end)?;
        self.bytes(1)?;
        Ok(name)
    }

    /// A text whose length stands before it; it counts the NUL at its end.
    fn text(&mut self) -> Result<&'de [u8], Flaw> {
        let length = self.length()?;
        self.bytes(length)?.split_last().map(|(_, text)| text).ok_or_else(cut)
    }

    /// A document within this one.
    fn inner(&mut self) -> Result<Document<'de>, Flaw> {
        let length = self.length()?.checked_sub(4).ok_or_else(cut)?;
        let rest = self.bytes(length)?;
        if self.depth >= DEPTH_MAX {
            return Err(Flaw(format!("documents lie more than {DEPTH_MAX} deep in one another")));
        }
        Ok(Document { rest, depth: self.depth + 1 })
    }

    /// The kind of the next element, with its name; `None` at the end.
    fn next(&mut self) -> Result<Option<(u8, &'de [u8])>, Flaw> {
        match self.bytes(1)? {
            [0] => Ok(None),
            [kind] => Ok(Some((*kind, self.name()?))),
            _ => Err(cut()),
        }
    }

    /// Passes over a value.
    fn skip(&mut self, kind: u8) -> Result<(), Flaw> {
        let bytes = match kind {
            0x06 | 0x0A | 0x7F | 0xFF => 0,
            0x08 => 1,
            0x10 => 4,
            0x01 | 0x09 | 0x11 | 0x12 => 8,
            0x07 => 12,
            0x13 => 16,
            0x02 | 0x0D | 0x0E => self.length()?,
            0x03 | 0x04 | 0x0F => self.length()?.checked_sub(4).ok_or_else(cut)?,
            0x05 => self.length()?.checked_add(1).ok_or_else(cut)?,
            0x0B => {
                self.name()?;
                self.name()?;
                0
            }
            0x0C => self.length()?.checked_add(12).ok_or_else(cut)?,
            kind => return Err(Flaw(format!("there is no kind of value with the number {kind}"))),
        };
        self.bytes(bytes).map(drop)
    }
}

/// One value.
struct Value<'a, 'de> {
    document: &'a mut Document<'de>,
    kind: u8,
}

fn visit_text<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Flaw> {
    match std::str::from_utf8(bytes) {
        Ok(text) => visitor.visit_borrowed_str(text),
        Err(_) => visitor.visit_string(String::from_utf8_lossy(bytes).into_owned()),
    }
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = Flaw;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        let document = self.document;
        match self.kind {
            0x01 => visitor.visit_f64(f64::from_le_bytes(document.array()?)),
            0x02 | 0x0D | 0x0E => visit_text(document.text()?, visitor),
            0x03 => visitor.visit_map(Elements { document: document.inner()?, kind: 0 }),
            0x04 => visitor.visit_seq(Elements { document: document.inner()?, kind: 0 }),
            0x07 => {
                let id: [u8; 12] = document.array()?;
                visitor.visit_string(id.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            0x08 => visitor.visit_bool(document.bytes(1)? != [0]),
            // Milliseconds since 1970.
            0x09 | 0x12 => visitor.visit_i64(i64::from_le_bytes(document.array()?)),
            0x10 => visitor.visit_i64(i32::from_le_bytes(document.array()?).into()),
            kind => {
                document.skip(kind)?;
                visitor.visit_unit()
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        match self.kind {
            0x06 | 0x0A => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        self.document.skip(self.kind)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// The elements of a document. An array is a document whose names are numbers.
struct Elements<'de> {
    document: Document<'de>,
    /// The kind of the value that comes next.
    kind: u8,
}

impl<'de> MapAccess<'de> for Elements<'de> {
    type Error = Flaw;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Flaw> {
        let Some((kind, name)) = self.document.next()? else { return Ok(None) };
        self.kind = kind;
        let name: CowStrDeserializer<'_, Flaw> = String::from_utf8_lossy(name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Flaw> {
        seed.deserialize(Value { kind: self.kind, document: &mut self.document })
    }
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Flaw;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Flaw> {
        let Some((kind, _)) = self.document.next()? else { return Ok(None) };
        seed.deserialize(Value { kind, document: &mut self.document }).map(Some)
    }
}

impl<'de> Deserializer<'de> for Document<'de> {
    type Error = Flaw;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Flaw> {
        visitor.visit_map(Elements { document: self, kind: 0 })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct option
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
