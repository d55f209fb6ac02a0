//! Where in a record the value stands that a problem is about, in bytes. Pure.
//!
//! Nothing of it is known while rows are in order: it is looked for when there is something to be shown.

use std::ops::Range;

use serde_json::Value;

use super::columns::Key;
use super::json_object::is_slip;
use super::problem::ProblemKind;

/// In a CSV record: of the field, else of what the problem's kind is about, else all of it. `fields` is how many the
/// header has.
pub(super) fn in_csv(
    kind: ProblemKind,
    record: &[u8],
    delimiter: u8,
    field: Option<usize>,
    fields: usize,
) -> Range<usize> {
    let place = |field| csv_field(record, delimiter, field);
    match kind {
        ProblemKind::NulByte | ProblemKind::NotUtf8 => bad_byte(kind, record),
        ProblemKind::RaggedLine => {
            let begin = place(fields).map_or(record.len(), |extra| extra.start);
            begin..record.len()
        }
        _ => field.and_then(place).unwrap_or(0..record.len()),
    }
}

/// In a line of JSON: of the value of that key, else of what the problem's kind is about, else all of it. The value of a
/// key that is not there would stand at the object's end.
pub(super) fn in_json(kind: ProblemKind, line: &[u8], key: Option<&str>) -> Range<usize> {
    match kind {
        ProblemKind::NulByte | ProblemKind::NotUtf8 => bad_byte(kind, line),
        ProblemKind::BrokenJson | ProblemKind::NestedTooDeep => {
            // The column counts bytes from 1.
            let column = serde_json::from_slice::<Value>(line).err().map_or(0, |error| error.column());
            let begin = column.saturating_sub(1).min(line.len());
            begin..column.clamp(begin, line.len())
        }
        ProblemKind::SimilarColumn => key.and_then(|key| json_slip(line, key)).unwrap_or(0..line.len()),
        _ => match key {
            Some(key) => json_value(line, key).unwrap_or_else(|| {
                let end = line.trim_ascii_end().len();
                end.saturating_sub(1)..end
            }),
            None => 0..line.len(),
        },
    }
}

/// The first byte that is no text.
fn bad_byte(kind: ProblemKind, record: &[u8]) -> Range<usize> {
    if kind == ProblemKind::NulByte {
        return memchr::memchr(0, record).map_or(0..record.len(), |place| place..place + 1);
    }
    match std::str::from_utf8(record) {
        Ok(_) => 0..record.len(),
        Err(error) => {
            let begin = error.valid_up_to();
            begin..begin + error.error_len().unwrap_or(record.len() - begin)
        }
    }
}

/// A field with its quotes, as the guard follows them; `None` where the record has no such field.
fn csv_field(record: &[u8], delimiter: u8, field: usize) -> Option<Range<usize>> {
    let (mut begin, mut count) = (0, 0);
    let (mut quoted, mut at) = (false, 0);
    while at < record.len() {
        let byte = record[at];
        if byte == b'"' && (quoted || at == begin) {
            // A doubled quote closes and opens again.
            quoted = !quoted;
            if !quoted && record.get(at + 1) == Some(&b'"') {
                quoted = true;
                at += 1;
            }
        } else if byte == delimiter && !quoted {
            if count == field {
                return Some(begin..at);
            }
            count += 1;
            begin = at + 1;
        }
        at += 1;
    }
    (count == field).then_some(begin..record.len())
}

/// The last value of a key of the outermost object.
fn json_value(line: &[u8], key: &str) -> Option<Range<usize>> {
    json_pair(line, |name| name == key.as_bytes()).map(|(_, value)| value)
}

/// The first key of the outermost object that is nearly that one, with its quotes.
fn json_slip(line: &[u8], key: &str) -> Option<Range<usize>> {
    let mut met = false;
    let (name, _) = json_pair(line, |name| {
        let name = std::str::from_utf8(name).unwrap_or_default();
        let first = !met && Key::of(name).is_none() && is_slip(name, key);
        met |= first;
        first
    })?;
    Some(name.start.saturating_sub(1)..(name.end + 1).min(line.len()))
}

/// Of the outermost object's keys that are wanted the last, without its quotes, and its value.
fn json_pair(line: &[u8], mut wanted: impl FnMut(&[u8]) -> bool) -> Option<(Range<usize>, Range<usize>)> {
    let (mut depth, mut at) = (0, 0);
    // A text that may turn out to be a key, and the value that is followed.
    let (mut text, mut value): (Range<usize>, Option<(Range<usize>, usize)>) = (0..0, None);
    let mut found = None;
    while at < line.len() {
        match line[at] {
            b'"' => {
                let begin = at + 1;
                at = begin;
                while at < line.len() && line[at] != b'"' {
                    at += if line[at] == b'\\' { 2 } else { 1 };
                }
                text = begin..at.min(line.len());
            }
            b':' if depth == 1 && value.is_none() && line.get(text.clone()).is_some_and(&mut wanted) => {
                value = Some((text.clone(), at + 1));
            }
            b'{' | b'[' => depth += 1,
            byte @ (b'}' | b']' | b',') => {
                if depth == 1
                    && let Some((name, begin)) = value.take()
                {
                    found = Some((name, trimmed(line, begin..at)));
                }
                if byte != b',' {
                    depth -= 1;
                }
                if depth <= 1 {
                    text = 0..0;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn trimmed(line: &[u8], range: Range<usize>) -> Range<usize> {
    let blanks = line[range.clone()].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let length = line[range.clone()].trim_ascii().len();
    range.start + blanks..range.start + blanks + length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(record: &str, field: usize) -> Option<&str> {
        csv_field(record.as_bytes(), b',', field).map(|range| &record[range])
    }

    #[test]
    fn fields_with_their_quotes() {
        let record = r#"a,"b,""c""",,d"e,"f"#;
        let fields = ["a", r#""b,""c""""#, "", r#"d"e"#, "\"f"];
        for (place, expected) in fields.into_iter().enumerate() {
            assert_eq!(field(record, place), Some(expected));
        }
        assert_eq!(field(record, 5), None);
        assert_eq!((field("", 0), field("", 1)), (Some(""), None));
        let ragged =
            |record: &'static str| &record[in_csv(ProblemKind::RaggedLine, record.as_bytes(), b',', None, 2)];
        assert_eq!((ragged("a,b,c,d"), ragged("a")), ("c,d", ""));
    }

    #[test]
    fn values_of_keys() {
        let line = r#" {"a": {"b": [1, "x}"]}, "b" : "y\"," , "c":7, "c": 8 }"#;
        let value = |key| json_value(line.as_bytes(), key).map(|range| &line[range]);
        assert_eq!(value("a"), Some(r#"{"b": [1, "x}"]}"#));
        assert_eq!(value("b"), Some(r#""y\",""#));
        assert_eq!(value("c"), Some("8"));
        assert_eq!(value("d"), None);
        assert_eq!(&line[in_json(ProblemKind::MissingValue, line.as_bytes(), Some("d"))], "}");
    }

    #[test]
    fn a_key_that_is_nearly_another() {
        let line =
            r#"{"note":"delete_tim","createTime":"2020","deleteTme" : {"deletetime":1},"DeleteTime":2}"#;
        let slip = |key| &line[in_json(ProblemKind::SimilarColumn, line.as_bytes(), Some(key))];
        assert_eq!(slip("deleteTime"), "\"deleteTme\"");
        assert_eq!(slip("role"), line);
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert_eq!(in_csv(ProblemKind::NotUtf8, b"a,j\xfcrgen", b',', Some(1), 2), 3..4);
        assert_eq!(in_json(ProblemKind::NulByte, b"{\0}", None), 1..2);
        assert_eq!(in_json(ProblemKind::BrokenJson, b"{\"a\":x}", None), 5..6);
        assert_eq!(in_json(ProblemKind::BrokenJson, b"{\"a\":", None), 4..5);
    }

    proptest! {
        #[test]
        fn a_field_is_where_the_csv_crate_has_it(
            fields in prop::collection::vec("[a\",\n ]{0,5}", 1..6),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            writer.write_record(&fields).unwrap();
            let record = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let record = record.strip_suffix('\n').unwrap();
            for (place, expected) in fields.iter().enumerate() {
                let shown = field(record, place).unwrap();
                let bare = shown.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                prop_assert_eq!(&bare.unwrap_or(shown).replace("\"\"", "\""), expected);
            }
            prop_assert_eq!(field(record, fields.len()), None);
        }

        #[test]
        fn it_is_always_within(
            bytes in prop::collection::vec(prop_oneof!["[{}\\[\\]:,\"\\\\a]".prop_map(|s| s.as_bytes()[0]), any::<u8>()], 0..60),
            field in prop::option::of(0usize..5),
        ) {
            for kind in ProblemKind::ALL {
                let key = field.map(|_| "a");
                for range in [in_csv(*kind, &bytes, b',', field, 3), in_json(*kind, &bytes, key)] {
                    prop_assert!(range.start <= range.end && range.end <= bytes.len(), "{range:?}");
                }
            }
        }
    }
}
