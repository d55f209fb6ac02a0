//! Lines are numbered as an editor does, in every encoding and with every line end, and records are those of
//! the csv crate.

use ::csv::ReaderBuilder;
use proptest::prelude::*;

use super::*;
use crate::input::records::Records;

fn utf_16(text: &str, big: bool) -> Vec<u8> {
    let units = format!("\u{feff}{text}").encode_utf16().collect::<Vec<_>>();
    units.into_iter().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn the_same_whatever_the_encoding_and_the_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let lines =
            ["", "space;member;ü", "spaces/A;users/1;\"one", "two", "\"", "", "spaces/A;users/2;", "x"];
        let text = lines.join(end);
        let expected = format!(
            "3: spaces/A users/1 - - - {{\"ü\":{}}}
7: spaces/A users/2 - - - {{\"ü\":\"\"}}
rows.csv:8: it has 1 field, but the header has 3
  help: are delimiters missing, or is the line cut off? an empty value needs its delimiter too
  given: {{\"raw\":\"x\"}}",
            serde_json::to_string(&format!("one{end}two{end}")).unwrap()
        );
        let utf_8 = text.as_bytes().to_vec();
        let with_bom = format!("\u{feff}{text}").into_bytes();
        for bytes in [utf_8, with_bom, utf_16(&text, false), utf_16(&text, true)] {
            assert_eq!(read("rows.csv", bytes), expected, "{end:?}");
        }
    }
    let jsonl = "{\"x\":\"ü\",\r\n\r\n{\"space\":\"spaces/A\",\"member\":\"users/1\"}";
    assert!(read("rows.jsonl", utf_16(jsonl, true)).ends_with("\n3: spaces/A users/1 - - -"));
}

/// The numbering, written as plainly as it can be: for each record its line, by a first look at all bytes.
fn lines_of(bytes: &[u8], delimiter: u8) -> Vec<u64> {
    let (mut lines, mut line) = (Vec::new(), 1);
    let (mut in_record, mut quoted, mut at_start) = (false, false, true);
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        let end = byte == b'\n' || byte == b'\r';
        if !in_record && !end {
            lines.push(line);
            (in_record, at_start) = (true, true);
        }
        if quoted {
            if byte == b'"' && bytes.get(index + 1) == Some(&b'"') {
                index += 1;
            } else if byte == b'"' {
                quoted = false;
            }
        } else if end {
            in_record = false;
        } else {
            quoted = byte == b'"' && at_start;
        }
        at_start = byte == delimiter && !quoted;
        if byte == b'\n' && (index == 0 || bytes[index - 1] != b'\r') || byte == b'\r' {
            line += 1;
        }
        index += 1;
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn records_are_those_of_the_csv_crate(
        text in "[ab,;\"\"\"\n\n\r\0 ]{0,60}",
        sizes in prop::collection::vec(1usize..9, 1..4),
    ) {
        let bytes = text.into_bytes();
        let mut lenient = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
        let expected: Vec<::csv::ByteRecord> = lenient.byte_records().map(Result::unwrap).collect();
        let lines = lines_of(&bytes, b',');

        let mut records = Records::new(Pieces::new(bytes, sizes), b',');
        let mut seen = 0;
        loop {
            match records.next() {
                Ok(Some(mark)) => {
                    let fields: Vec<&[u8]> = records.record().iter().collect();
                    prop_assert_eq!(fields, expected[seen].iter().collect::<Vec<_>>());
                    prop_assert_eq!(mark.line, lines[seen]);
                    seen += 1;
                }
                Ok(None) => {
                    prop_assert_eq!(seen, expected.len());
                    break;
                }
                // An open quote swallows the rest, which to the csv crate is one last record.
                Err(_) => {
                    prop_assert_eq!(seen + 1, expected.len());
                    break;
                }
            }
        }
    }
}
