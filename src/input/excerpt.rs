//! A line of an input around the value that is wrong: as much of it as anybody is shown, however long it is.

use std::ops::Range;

/// Characters that are kept on either side of the value, and of the value itself.
const KEPT_CHARS_MAX: usize = 240;

/// A value where it stands. The texts are as the input has them, and may hold anything: whoever shows them makes them
/// printable. Bytes that are not UTF-8 are U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line of the file that the value begins on, from 1. A record may have begun before it.
    pub line: u64,
    /// The character of that line that the value begins at, from 1, in the decoded text.
    pub column: u64,
    /// The character behind it, or behind its part on this line; the same as `column` for a value that is empty.
    pub end_column: u64,
    /// What stands before it on its line.
    pub before: String,
    /// The value as it is written, with its quotes.
    pub value: String,
    /// What stands behind it.
    pub after: String,
    /// Whether the line begins before `before`.
    pub cut_before: bool,
    /// Whether the line goes on behind `after`.
    pub cut_after: bool,
}

impl Excerpt {
    /// Cuts it out of a record whose first line has this number. `value` is where the value stands, in bytes.
    pub fn of(line: u64, record: &[u8], value: Range<usize>) -> Self {
        let begin = value.start.min(record.len());
        let (before, rest) = record.split_at(begin);
        let line_begin = before.iter().rposition(|byte| is_line_end(*byte)).map_or(0, |end| end + 1);
        let line_end = rest.iter().position(|byte| is_line_end(*byte)).unwrap_or(rest.len());
        let length = value.end.saturating_sub(begin).min(line_end);
        let (value, after) = rest[..line_end].split_at(length);
        let [before, value, after] =
            [&before[line_begin..], value, after].map(|bytes| String::from_utf8_lossy(bytes));
        let column = before.chars().count() as u64 + 1;
        let end_column = column + value.chars().count() as u64;
        let first = |text: &str, most: usize| {
            text.char_indices()
                .nth(most)
                .map_or((text.to_owned(), false), |(end, _)| (text[..end].to_owned(), true))
        };
        let (value, is_cut) = first(&value, KEPT_CHARS_MAX);
        let (after, cut_after) = if is_cut { (String::new(), true) } else { first(&after, KEPT_CHARS_MAX) };
        let from = before.char_indices().rev().nth(KEPT_CHARS_MAX - 1).map_or(0, |(begin, _)| begin);
        Excerpt {
            line: line + line_ends(&record[..line_begin]),
            column,
            end_column,
            before: before[from..].to_owned(),
            value,
            after,
            cut_before: from > 0,
            cut_after,
        }
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How many lines end in a text: at LF, at CR, and once at CR LF.
fn line_ends(text: &[u8]) -> u64 {
    let pairs = text.windows(2).filter(|pair| *pair == b"\r\n").count();
    (text.iter().filter(|byte| is_line_end(**byte)).count() - pairs) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_of_a_record_of_several_lines() {
        let record = "a,\"one\r\ntwo\nthree\",ü,x".as_bytes();
        let at = |text: &str| {
            let begin = String::from_utf8_lossy(record).find(text).unwrap();
            Excerpt::of(7, record, begin..begin + text.len())
        };
        let excerpt = at("two");
        assert_eq!((excerpt.line, excerpt.column, excerpt.end_column), (8, 1, 4));
        assert_eq!((excerpt.before.as_str(), excerpt.after.as_str()), ("", ""));
        let excerpt = at("x");
        assert_eq!((excerpt.line, excerpt.column, excerpt.before.as_str()), (9, 10, "three\",ü,"));
        // A value that goes on is shown as far as its line.
        let excerpt = at("\"one\r\ntwo\nthree\"");
        assert_eq!((excerpt.line, excerpt.value.as_str()), (7, "\"one"));
    }

    #[test]
    fn of_a_long_line_what_is_near() {
        let record = format!("{},x,{}", "ü".repeat(100_000), "y".repeat(100_000));
        let begin = 200_001;
        let excerpt = Excerpt::of(1, record.as_bytes(), begin..begin + 1);
        assert_eq!((excerpt.column, excerpt.value.as_str()), (100_002, "x"));
        assert_eq!((excerpt.before.chars().count(), excerpt.after.chars().count()), (240, 240));
        assert!(excerpt.cut_before && excerpt.cut_after);
        let excerpt = Excerpt::of(1, record.as_bytes(), 0..record.len());
        assert_eq!((excerpt.value.chars().count(), excerpt.cut_after), (240, true));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes(
            record in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
            begin in 0usize..500,
            length in 0usize..500,
        ) {
            let excerpt = Excerpt::of(1, &record, begin..begin + length);
            prop_assert!(excerpt.column >= 1 && excerpt.end_column >= excerpt.column);
            let text = [&excerpt.before, &excerpt.value, &excerpt.after].map(|text| text.as_str()).concat();
            prop_assert!(!text.contains(['\n', '\r']));
            prop_assert!(text.chars().count() <= 3 * KEPT_CHARS_MAX);
        }
    }
}
