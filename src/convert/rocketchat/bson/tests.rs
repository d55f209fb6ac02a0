use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::convert::json::{Flag, Object, Text, Texts};
use crate::convert::rocketchat::values::Scalar;

/// An element: its kind, its name, its value's bytes.
fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let body = elements.concat();
    [&(body.len() as i32 + 5).to_le_bytes()[..], &body, &[0]].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as i32 + 1).to_le_bytes()[..], text.as_bytes(), &[0]].concat()
}

/// Elements of every kind there is.
fn every_kind() -> Vec<Vec<u8>> {
    vec![
        element(0x01, "double", &3.0f64.to_le_bytes()),
        element(0x02, "text", &text("Büro")),
        element(0x03, "document", &document(&[element(0x02, "_id", &text("U1"))])),
        element(
            0x04,
            "array",
            &document(&[
                element(0x02, "0", &text("a")),
                element(0x0A, "1", &[]),
                element(0x02, "2", &text("b")),
            ]),
        ),
        element(0x05, "binary", &[&2i32.to_le_bytes()[..], &[0, 1, 2]].concat()),
        element(0x06, "undefined", &[]),
        element(0x07, "id", &[0xAB; 12]),
        element(0x08, "yes", &[1]),
        element(0x09, "date", &1_577_836_800_250i64.to_le_bytes()),
        element(0x0A, "null", &[]),
        element(0x0B, "regex", b"a\0i\0"),
        element(0x0C, "pointer", &[text("x"), vec![0; 12]].concat()),
        element(0x0D, "code", &text("f()")),
        element(0x0E, "symbol", &text("s")),
        element(0x0F, "scoped", &[&(4 + 8 + 5i32).to_le_bytes()[..], &text("f()"), &document(&[])].concat()),
        element(0x10, "int", &(-7i32).to_le_bytes()),
        element(0x11, "stamp", &[0; 8]),
        element(0x12, "long", &7i64.to_le_bytes()),
        element(0x13, "decimal", &[0; 16]),
        element(0x7F, "max", &[]),
        element(0xFF, "min", &[]),
    ]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Thing {
    double: Scalar,
    text: Text,
    document: Object<Inner>,
    array: Texts,
    id: Scalar,
    yes: Flag,
    date: Scalar,
    null: Option<Text>,
    int: Scalar,
    long: Text,
    code: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner {
    #[serde(rename = "_id")]
    id: Text,
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    let read = documents(bytes, |document| T::deserialize(document).map(|thing| found.push(thing)));
    match read {
        Ok(()) => Ok(found),
        Err(Broken::Io(error)) => Err(error.to_string()),
        Err(Broken::Document(at, flaw)) => Err(format!("{at}: {flaw}")),
    }
}

#[test]
fn every_kind_of_value() {
    let bytes = document(&every_kind());
    let things: Vec<Thing> = read(&[bytes.clone(), bytes.clone()].concat()).unwrap();
    let thing = &things[1];
    assert_eq!((thing.double.count(), thing.int.get(), thing.long.get()), (Some(3), Some("-7"), Some("7")));
    assert_eq!((thing.text.get(), thing.document.0.id.get()), (Some("Büro"), Some("U1")));
    assert_eq!(thing.array.0.as_deref(), Some(["a".to_owned(), "b".to_owned()].as_slice()));
    assert_eq!(thing.id.get(), Some("abababababababababababab"));
    assert_eq!(thing.date.time().map(|time| time.to_string()).as_deref(), Some("2020-01-01T00:00:00.250Z"));
    assert_eq!((thing.yes, thing.null.is_none(), thing.code.is_some()), (Flag(true), true, true));
    // Whatever is asked for and whatever is passed over, the same bytes are read.
    for element in every_kind() {
        let bytes = document(&[element, self::element(0x10, "last", &[0; 4])]);
        assert!(read::<Thing>(&bytes).is_ok() && read::<BTreeMap<String, Scalar>>(&bytes).is_ok());
    }
}

#[test]
fn lengths_that_lie() {
    let whole = document(&[element(0x02, "text", &text("abc"))]);
    let with = |at: usize, length: i32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        read::<Thing>(&bytes).unwrap_err()
    };
    for length in [-1, 0, 4, i32::MAX, i32::MIN, 17 << 20] {
        assert!(with(0, length).contains("no document is as long"), "{length}");
    }
    assert!(with(0, 16 << 20).contains("ends within a document"));
    for length in [-1, 0, 100, i32::MAX, i32::MIN] {
        assert!(with(10, length).contains("longer than what it is in"), "{length}");
    }
    for end in 1..whole.len() {
        let broken = read::<Thing>(&[&whole, &whole[..end]].concat()).unwrap_err();
        assert!(broken.starts_with(&format!("{}: ", whole.len())), "{end}: {broken}");
    }
    assert!(read::<Thing>(&[]).unwrap().is_empty());
    assert!(read::<Thing>(&document(&[element(0x20, "text", &[])])).unwrap_err().contains("number 32"));
}

#[test]
fn documents_in_documents() {
    let nested =
        |depth: usize| (0..depth).fold(document(&[]), |inner, _| document(&[element(0x04, "array", &inner)]));
    // What nobody asks for is passed over, however deep.
    assert!(read::<Inner>(&nested(1000)).is_ok());
    assert!(read::<Thing>(&nested(1000)).unwrap_err().contains("deep in one another"));
    let deep: Result<Vec<serde_json::Value>, String> = read(&nested(1000));
    assert!(deep.unwrap_err().contains("deep in one another"));
    assert!(read::<serde_json::Value>(&nested(100)).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        change in prop::collection::vec((0usize..400, any::<u8>()), 0..4),
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = document(&every_kind());
        for (at, byte) in change {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = read::<Thing>(&bytes);
        let _ = read::<serde_json::Value>(&bytes);
        let _ = read::<Thing>(&[&(noise.len() as i32 + 4).to_le_bytes()[..], &noise].concat());
    }
}
