//! Whatever comes in: no panic, an end, and no more memory than the limits say.

use std::io::{Read, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// One piece of text, then another again and again, a gigabyte of it. Counts what is taken.
struct Endless {
    head: Cursor<Vec<u8>>,
    again: Vec<u8>,
    at: usize,
    left: usize,
    taken: Arc<AtomicU64>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.head.read(buffer)?;
        while count < buffer.len() && self.left > 0 {
            buffer[count] = self.again[self.at % self.again.len()];
            (count, self.at, self.left) = (count + 1, self.at + 1, self.left - 1);
        }
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

fn endless(name: &str, head: &str, again: &str) -> (String, u64) {
    let taken = Arc::new(AtomicU64::new(0));
    let head = Cursor::new(head.as_bytes().to_vec());
    let again = again.as_bytes().to_vec();
    let source = Endless { head, again, at: 0, left: 1 << 30, taken: Arc::clone(&taken) };
    let source = Source::from_reader(name, source).map_err(|problem| Problems::from(*problem));
    let said = match source.and_then(|source| Reader::new(source, None, rules())) {
        Err(problems) => problems.to_string(),
        Ok(reader) => reader
            .filter_map(|entry| entry.err().map(|problem| format!("{problem:#}")))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    (said, taken.load(Ordering::Relaxed))
}

#[test]
fn a_line_of_a_gigabyte_is_not_read_to_its_end() {
    let csv_help = "is it CSV with line ends? no row of memberships is that long";
    for (name, head, again, expected) in [
        ("a.csv", "space,member\n\nspaces/A,", "x", format!("a.csv:3: the row that begins here is longer than 1 MiB\n  help: {csv_help}")),
        ("a.csv", "space,member\nspaces/A,", ",", format!("a.csv:2: the row that begins here is longer than 1 MiB\n  help: {csv_help}")),
        ("a.csv", "", "space,member,", format!("a.csv:1: the row that begins here is longer than 1 MiB\n  help: {csv_help}")),
        (
            "a.csv",
            "space,member\nspaces/A,\"",
            "x\n",
            "a.csv:2: member: a quote opens here and is never closed within 1 MiB\n  help: close it, or delete it; the rows after it could not be read".to_owned(),
        ),
        (
            "a.jsonl",
            "{\"space\":\"spaces/A\",\"member\":\"users/1\"}\n{\"x\":\"",
            "x",
            "a.jsonl:2: the line is longer than 1 MiB\n  help: is it JSONL with one object a line? jq -c . writes it so".to_owned(),
        ),
    ] {
        let (said, taken) = endless(name, head, again);
        assert_eq!(said, expected);
        assert!(taken < 2 * RECORD_BYTES_MAX as u64, "{name}: {taken} bytes were read");
    }
}

#[test]
fn blank_lines_without_end_are_not_read_to_their_end() {
    let help = "did the export finish? delete the blank lines";
    for (name, head, again, line) in [
        ("a.csv", "", "\n", ":1"),
        ("a.csv", "space,member\nspaces/A,users/1\n", "\n", ""),
        ("a.csv", "space,member\nspaces/A,users/1\n", "  \t\r\n", ""),
        ("a.jsonl", "{\"space\":\"spaces/A\",\"member\":\"users/1\"}\n", " \n", ""),
        ("a.jsonl", "", "\r", ""),
    ] {
        let (said, taken) = endless(name, head, again);
        let (place, rest) = said.split_once(": it has nothing but blanks and blank lines for 1 MiB").unwrap();
        assert!(place.starts_with(&format!("{name}{line}")), "{said}");
        assert_eq!(rest, format!("\n  help: {help}"), "{name} {again:?}");
        assert!(taken < 2 * RECORD_BYTES_MAX as u64, "{name}: {taken} bytes were read");
    }
}

#[test]
fn byte_order_marks_without_end_are_not_read_to_their_end() {
    let (said, taken) = endless("a.csv", "", "\u{feff}");
    assert!(said.starts_with("a.csv: it begins with more than 16 byte order marks\n  help: "), "{said}");
    assert!(taken < RECORD_BYTES_MAX as u64);
}

/// 64 MiB of a text, packed into a few KiB.
fn bomb(head: &str, again: &str) -> Vec<u8> {
    let packed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    [packed(head), packed(&again.repeat((1 << 20) / again.len())).repeat(64)].concat()
}

#[test]
fn an_archive_that_unpacks_without_end_is_left() {
    let (row, object) =
        (format!("spaces/A,users/1{}\n", " ".repeat(500)), format!("{{}}{}\n", " ".repeat(500)));
    let swollen = "the archive unpacks to more than 200 times its size, which no table of rows does";
    for (name, again, expected) in [
        ("a.csv", row.as_str(), swollen),
        ("a.jsonl", &object, swollen),
        ("a.csv", "\n", "it has nothing but blanks and blank lines for 1 MiB"),
        ("a.csv", "x", "the row that begins here is longer than 1 MiB"),
        ("a.jsonl", "x", "the line is longer than 1 MiB"),
    ] {
        let packed = bomb(if name == "a.csv" { "space,member\n" } else { "" }, again);
        let entries: Vec<_> = reader(name, packed.clone()).unwrap().collect();
        let problem = entries.last().unwrap().as_ref().unwrap_err();
        assert_eq!((&*problem.message, problem.line > 0, problem.fatal), (expected, true, true));
        let text_max = (16 << 20) + 200 * packed.len();
        assert!(entries.len() <= text_max / again.len(), "{} rows of {} bytes", entries.len(), packed.len());
    }
}

#[test]
fn no_table_has_so_many_columns() {
    let header = |columns: usize| {
        let more: String = (2..columns).map(|column| format!(",{column}")).collect();
        format!("space,member{more}\nspaces/A,users/1{}\n", ",".repeat(columns - 2))
    };
    assert!(read("a.csv", header(COLUMNS_MAX)).starts_with("2: spaces/A users/1"));
    let expected = "a.csv:1: it names 1001 columns, and 1000 is the most
  help: delete the columns that do not belong to a row of memberships";
    assert_reads("a.csv", header(COLUMNS_MAX + 1).as_bytes(), expected);
    assert_reads("a.csv", ",".repeat(COLUMNS_MAX).as_bytes(), expected);
}

#[test]
fn a_row_of_just_the_limit_is_read() {
    for (name, head, row) in [
        ("a.csv", "space,member,x\n", "spaces/A,users/1,"),
        ("a.jsonl", "", "{\"space\":\"spaces/A\",\"member\":\"users/1\",\"x\":\""),
    ] {
        let tail = if name == "a.jsonl" { "\"}" } else { "" };
        for (more, rows) in [(0, 1), (1, 0)] {
            let fill = "x".repeat(RECORD_BYTES_MAX - row.len() - tail.len() + more);
            let text = format!("{head}{row}{fill}{tail}\r\n");
            let read = reader(name, text).unwrap().filter(|entry| matches!(entry, Ok(Entry::Row(_)))).count();
            assert_eq!(read, rows, "{name} {more}");
        }
    }
}

fn drain(name: &str, bytes: Vec<u8>, sizes: Vec<usize>) -> (usize, String) {
    let source = match Source::from_reader(name, Pieces::new(bytes, sizes)) {
        Ok(source) => source,
        Err(problem) => return (0, Problems::from(*problem).to_string()),
    };
    match Reader::new(source, None, rules()) {
        Ok(reader) => {
            let entries: Vec<_> = reader.collect();
            let fatal = entries.iter().filter(|entry| entry.is_err()).count();
            assert!(fatal == 0 || (fatal == 1 && entries.last().unwrap().is_err()));
            (entries.len(), format!("{entries:?}"))
        }
        Err(problems) => (0, problems.to_string()),
    }
}

/// Bytes that have something of an input about them.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "space,member,createTime\n",
            "spaces/A,users/1,2021-03-05T09:30:00Z\n",
            "\"",
            "\"\"",
            ",",
            ";",
            "\n",
            "\r\n",
            "\0",
            "\u{feff}",
            "\u{fffd}",
            "{\"space\":\"A\",",
            "\"member\":",
            "\"a@b.cd\"}",
            "{}",
            "[",
            "]",
            "null",
            "1e999",
            "\\u0000",
            "\"name\":\"spaces/A/members/1\"",
            "\"member\":{\"name\":",
            "}\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    // Beyond what is looked at beforehand, the pieces come through as they are.
    let long = [&b"space,member,x\n"[..], &[b'\n'; 1200]].concat();
    let long: &'static [u8] = long.leak();
    let start = prop::sample::select(vec![
        long,
        &b""[..],
        b"space,member,createTime,x\n",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\x1f\x8b\x08\x00",
        b"\x28\xb5\x2f\xfd",
        b"\x50\x2a\x4d\x18",
        b"{\"space\":\"A\",\"member\":\"users/1\"}\n",
    ]);
    (start, prop::collection::vec(piece, 0..24))
        .prop_map(|(start, pieces)| [start.to_vec(), pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_bytes_make_it_panic_and_pieces_do_not_matter(
        bytes in bytes(),
        sizes in prop::collection::vec(1usize..40, 1..4),
    ) {
        for name in ["a.csv", "a.jsonl", "a"] {
            let whole = drain(name, bytes.clone(), vec![usize::MAX]);
            let in_pieces = drain(name, bytes.clone(), sizes.clone());
            // How much a broken archive yields before it breaks is its decoder's business, and may be more than it has bytes.
            if !matches!(bytes.as_slice(), [0x1f, 0x8b, ..] | [0x28, 0xb5, ..] | [0x50, 0x2a, ..]) {
                prop_assert_eq!(&whole, &in_pieces);
                prop_assert!(whole.0 <= bytes.len() + 1);
            }
        }
        for map in ["name,space\n", "id,member\n"] {
            let text = [map.as_bytes(), &bytes].concat();
            if let Ok(source) = Source::from_reader("map.csv", Cursor::new(text.clone())) {
                let _ = SpaceMap::read(source);
            }
            if let Ok(source) = Source::from_reader("map.csv", Cursor::new(text)) {
                let _ = UserMap::read(source);
            }
        }
    }
}
