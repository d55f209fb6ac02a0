//! Which format an input has, and how its columns lie.

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::columns::Key;
use super::source::Peeked;

/// The formats that rows come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180 with a header, delimited by `,` `;` or tab.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// The name that `--format` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
        }
    }

    /// What a file name says, looking through `.gz` and `.zst`. `None` when it says nothing.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        }
    }

    /// What the first byte says that is no blank: `{` begins JSONL, anything else CSV.
    pub(super) fn of_first_byte(text: &mut Peeked) -> io::Result<Self> {
        let first = grow(text, |head| head.iter().copied().find(|b| !b.is_ascii_whitespace()))?;
        Ok(if first == Some(b'{') { Format::Jsonl } else { Format::Csv })
    }
    /// Whether the text is one JSON list, which is neither of the two: `[` before an object, or before nothing. As JSONL it is
    /// only if that goes on in another line, since else each line tells for itself.
    pub(super) fn is_list(text: &mut Peeked, format: Option<Self>) -> io::Result<bool> {
        let begin = grow(text, |head| {
            let mut bytes = head.iter().copied().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
            match (bytes.next()?, bytes.next()) {
                ((first, b'['), Some((second, b'{' | b']'))) => {
                    Some(Some(head[first..second].contains(&b'\n')))
                }
                ((_, b'['), None) => None,
                _ => Some(None),
            }
        })?;
        Ok(begin.flatten().is_some_and(|goes_on| goes_on || format != Some(Format::Jsonl)))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Format::Csv),
            "jsonl" => Ok(Format::Jsonl),
            _ => Err("it is neither csv nor jsonl".to_owned()),
        }
    }
}

/// How the rows of one source are written down: what `rejects` needs to write them the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The format.
    pub format: Format,
    /// What stands between the fields of a CSV line; `,` for JSONL.
    pub delimiter: char,
    /// The CSV header as it is in the input, in its order; empty for JSONL.
    pub columns: Vec<String>,
}

/// Bytes that are looked at, at most, to learn format and delimiter.
const SNIFFED_BYTES_MAX: usize = 64 * 1024;

/// Delimiters in order of preference.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Looks at more and more of the text until `found` has an answer. Little by little, for the sake of slow pipes.
fn grow<T>(text: &mut Peeked, found: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
    let mut count = 256;
    loop {
        let head = text.peek(count)?;
        let (answer, ended) = (found(head), head.len() < count);
        if answer.is_some() || ended || count >= SNIFFED_BYTES_MAX {
            return Ok(answer);
        }
        count *= 4;
    }
}

/// The delimiter of the header line: the one that yields most of the names we know, then the most frequent.
pub(super) fn sniff_delimiter(text: &mut Peeked) -> io::Result<u8> {
    let header = grow(text, |head| header_line(head).map(<[u8]>::to_vec))?;
    let header = match header {
        Some(header) => header,
        None => text.peek(SNIFFED_BYTES_MAX)?.to_vec(),
    };
    let score = |delimiter: u8| {
        let fields = split(&header, delimiter);
        let known = fields.iter().filter(|field| Key::of(&String::from_utf8_lossy(field)).is_some()).count();
        (known, fields.len())
    };
    let mut best = (DELIMITERS[0], score(DELIMITERS[0]));
    for delimiter in &DELIMITERS[1..] {
        let score = score(*delimiter);
        if score > best.1 {
            best = (*delimiter, score);
        }
    }
    Ok(best.0)
}

/// The first line that is not blank, up to its end outside quotes; `None` when the end is not in sight.
fn header_line(head: &[u8]) -> Option<&[u8]> {
    let start = head.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    let mut quoted = false;
    for (index, byte) in head.iter().enumerate().skip(start) {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => return Some(&head[start..index]),
            _ => {}
        }
    }
    None
}

/// The fields of a line, without their quotes. Good enough for a guess.
fn split(line: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut fields = vec![Vec::new()];
    let mut quoted = false;
    for byte in line {
        match byte {
            b'"' => quoted = !quoted,
            b if *b == delimiter && !quoted => fields.push(Vec::new()),
            b => fields.last_mut().into_iter().for_each(|field| field.push(*b)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peeked(text: &str) -> Peeked {
        Peeked::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())))
    }

    #[test]
    fn names_tell_the_format() {
        for (name, format) in [
            ("rows.csv", Some(Format::Csv)),
            ("a/b/Rows.CSV.GZ", Some(Format::Csv)),
            ("rows.tsv.zst", Some(Format::Csv)),
            ("rows.jsonl", Some(Format::Jsonl)),
            ("rows.ndjson.gz", Some(Format::Jsonl)),
            ("rows.txt", None),
            ("rows.gz", None),
            ("<stdin>", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }

    #[test]
    fn the_first_byte_tells_the_format() {
        for (text, format) in [
            (" \r\n\t{\"space\":1}", Format::Jsonl),
            ("space,member", Format::Csv),
            ("[1]", Format::Csv),
            ("   ", Format::Csv),
        ] {
            assert_eq!(Format::of_first_byte(&mut peeked(text)).unwrap(), format, "{text:?}");
        }
        let late = format!("{}{{", " ".repeat(5_000));
        assert_eq!(Format::of_first_byte(&mut peeked(&late)).unwrap(), Format::Jsonl);
    }

    #[test]
    fn the_header_tells_the_delimiter() {
        for (text, delimiter) in [
            ("space,member\n", b','),
            ("space;member\r\nspaces/A;a@b.c", b';'),
            ("space\tmember", b'\t'),
            ("\n\nspace;member;name, surname, title, town\n", b';'),
            ("\"a;b;c;d\",space,member\n", b','),
            ("\"a,b\nc,d\";space;member\n", b';'),
            ("space\n1;2;3", b','),
            ("x;y;z", b';'),
            ("", b','),
        ] {
            assert_eq!(sniff_delimiter(&mut peeked(text)).unwrap(), delimiter, "{text:?}");
        }
        let long = format!("{};space;member\n", "x".repeat(20_000));
        assert_eq!(sniff_delimiter(&mut peeked(&long)).unwrap(), b';');
    }
}
