//! What is written is what is read, and what was read can be given back as it came.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// The texts of a good row: space, member, createTime, deleteTime, role, and two columns of any text.
type Texts = [String; 7];

fn texts() -> impl Strategy<Value = Texts> {
    let space = prop::sample::select(vec!["spaces/AAA", "AAA", "spaces/b-_9"]);
    let member =
        prop::sample::select(vec!["users/1", "Maria@Example.com", "users/jürgen@exämple.de", "+a@b.cd"]);
    let create = prop::sample::select(vec![
        "",
        "2021-03-05T09:30:00Z",
        "2021-03-05 10:30:00.25+01:00",
        " 2021-03-05t09:30:00z",
    ]);
    let delete = prop::sample::select(vec![
        "",
        "2022-03-05T09:30:59Z",
        "2022-03-05T09:30:60Z",
        "2022-03-05T09:30:00.000Z",
    ]);
    let role = prop::sample::select(vec!["", "ROLE_MEMBER", "ROLE_ASSISTANT_MANAGER"]);
    let any_text = "[a-c,;\t\"\r\n üß𝄞{}\u{feff}'=+@-]{0,12}";
    (space, member, create, delete, role, any_text, any_text)
        .prop_map(|(a, b, c, d, e, x, y)| {
            [a, b, c, d, e].map(str::to_owned).into_iter().chain([x, y]).collect::<Vec<_>>()
        })
        .prop_map(|texts| texts.try_into().unwrap())
}

/// A way to store a text.
fn stored(text: &str, way: usize) -> Vec<u8> {
    match way {
        0 => text.as_bytes().to_vec(),
        1 => format!("\u{feff}{text}").into_bytes(),
        2 => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        3 => {
            // Two members, cut anywhere.
            let bytes =
                format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
            let (first, second) = bytes.split_at(bytes.len() / 2);
            [first, second].map(gz).concat()
        }
        _ => {
            let (first, second) = text.as_bytes().split_at(text.len() / 3);
            [first, second]
                .map(|part| {
                    ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest)
                })
                .concat()
        }
    }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every row must be good, so that it is restored from its canonical form.
fn restored(name: &str, bytes: Vec<u8>) -> Vec<Restored> {
    let reader = reader(name, bytes).unwrap();
    let layout = reader.layout().clone();
    reader
        .map(|entry| match entry.unwrap() {
            Entry::Row(row) => {
                let given = Given::from_json(row.given.to_json().as_deref()).unwrap();
                given.restore(&layout, Some(&row.tenure))
            }
            Entry::Bad(bad) => panic!("{bad:?}"),
        })
        .collect()
}

const HEADER: [&str; 7] = ["space", "member", "createTime", "delete_time", "role", "x\"y;z", "'=ü"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn csv(
        rows in prop::collection::vec(texts(), 1..6),
        delimiter in prop::sample::select(b",;\t".to_vec()),
        crlf in any::<bool>(),
        way in 0usize..5,
        order in Just((0..7).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let end = if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
        let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).terminator(end).from_writer(Vec::new());
        writer.write_record(order.iter().map(|column| disarmed(HEADER[*column]))).unwrap();
        for row in &rows {
            writer.write_record(order.iter().map(|column| disarmed(&row[*column]))).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let expected: Vec<Restored> = rows
            .iter()
            .map(|row| Restored::Csv(order.iter().map(|column| row[*column].clone()).collect()))
            .collect();
        prop_assert_eq!(restored("rows.csv", stored(&text, way)), expected);
    }

    #[test]
    fn jsonl(rows in prop::collection::vec(texts(), 1..6), way in 0usize..5, resource in any::<bool>()) {
        let rows: Vec<Map<String, Value>> = rows
            .iter()
            .map(|row| {
                let mut object: Map<String, Value> = HEADER
                    .iter()
                    .zip(row)
                    .filter(|(name, text)| !text.is_empty() || **name == "role")
                    .map(|(name, text)| ((*name).to_owned(), Value::String(text.clone())))
                    .collect();
                if resource {
                    object.shift_remove("space");
                    object.insert("name".to_owned(), "spaces/AAA/members/1".into());
                    object.insert("state".to_owned(), Value::Null);
                }
                object
            })
            .collect();
        let text: String = rows.iter().map(|row| format!("{}\r\n", Value::Object(row.clone()))).collect();
        let expected: Vec<Restored> = rows.into_iter().map(Restored::Jsonl).collect();
        prop_assert_eq!(restored("rows.jsonl", stored(&text, way)), expected);
    }

    /// Whatever a bad row was, putting it into a file of its own again brings the same problems.
    #[test]
    fn bad_rows(fields in prop::collection::vec("[a-c,\"\n ü/@'=]{0,6}", 3)) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["space", "member", "role"]).unwrap();
        writer.write_record(fields.iter().map(|field| disarmed(field))).unwrap();
        let mut reader = reader("rows.csv", writer.into_inner().unwrap()).unwrap();
        let layout = reader.layout().clone();
        if let Some(Ok(Entry::Bad(bad))) = reader.next() {
            prop_assert_eq!(bad.given.restore(&layout, None), Restored::Csv(fields));
        }
    }
}
