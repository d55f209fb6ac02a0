//! `tenure convert mattermost`: its four formats, from the command line to what `check` takes.

use std::fs;
use std::io::Write as _;

use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::convert::rows;
use crate::support::{Room, Run};

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/mattermost/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn convert(room: &Room, exports: &[&str], more: &[&str]) -> Run {
    room.tenure(&[&["convert", "mattermost"], exports, more].concat())
}

/// Converts fixtures; what they become.
fn converted(exports: &[&str], more: &[&str]) -> String {
    let room = Room::new();
    let exports: Vec<String> = exports.iter().map(|name| fixture(name)).collect();
    let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
    let run = convert(&room, &exports, more);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    rows(&room)
}

/// A ZIP as Mattermost's servers write them: its times are the month 0 of the year 1980.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    for at in 0..bytes.len() - 16 {
        let date = match &bytes[at..at + 4] {
            b"PK\x03\x04" => at + 12,
            b"PK\x01\x02" => at + 14,
            _ => continue,
        };
        bytes[date..date + 2].fill(0);
    }
    bytes
}

#[test]
fn the_bulk_export() {
    let room = Room::new();
    let exports = [fixture("bulk")];
    let run = convert(&room, &[exports[0].as_str()], &["--domain", "yard.example"]).expect(0);
    insta::assert_snapshot!("mattermost_bulk", rows(&room));
    insta::assert_snapshot!("mattermost_bulk_channels", room.read("channels.csv"));
    insta::assert_snapshot!("mattermost_bulk_report", run.out);
    assert_eq!(run.err, "");
}

#[test]
fn notices_of_all_kinds() {
    insta::assert_snapshot!("mattermost_notices", converted(&["notices.jsonl"], &[]));
}

#[test]
fn the_bulk_export_with_direct_messages() {
    insta::assert_snapshot!("mattermost_dms", converted(&["bulk"], &["--dms"]));
}

#[test]
fn a_bulk_export_of_an_old_server() {
    insta::assert_snapshot!("mattermost_old_bulk", converted(&["old-bulk.jsonl"], &[]));
}

#[test]
fn the_table_of_members() {
    insta::assert_snapshot!("mattermost_history", converted(&["history.csv"], &["--dms"]));
}

#[test]
fn compliance_as_csv() {
    insta::assert_snapshot!("mattermost_compliance", converted(&["compliance"], &["--dms"]));
    // One by one they say the same.
    let days = ["compliance/2021-03-01", "compliance/2021-03-02"];
    assert_eq!(converted(&days, &["--dms"]), converted(&["compliance"], &["--dms"]));
}

#[test]
fn compliance_of_2018() {
    // Sixteen columns, and nothing beside them that tells of the period.
    insta::assert_snapshot!("mattermost_compliance_2018", converted(&["compliance-2018.csv"], &[]));
}

#[test]
fn what_a_bulk_export_has_no_line_for() {
    let room = Room::new();
    let run = convert(&room, &[fixture("gaps.jsonl").as_str()], &["--dms", "--missing", "m.csv"]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("mattermost_gaps", rows(&room));
    insta::assert_snapshot!("mattermost_gaps_missing", room.read("m.csv"));
}

#[test]
fn compliance_as_xml() {
    insta::assert_snapshot!("mattermost_actiance", converted(&["actiance"], &["--dms"]));
}

#[test]
fn all_of_them_together_are_one_server() {
    let all = ["compliance", "actiance", "history.csv", "bulk"];
    insta::assert_snapshot!("mattermost_together", converted(&all, &["--dms"]));
}

#[test]
fn what_is_written_can_be_imported() {
    for export in ["bulk", "old-bulk.jsonl", "history.csv", "compliance", "actiance"] {
        let room = Room::new();
        convert(&room, &[fixture(export).as_str()], &["--dms"]).expect(0);
        let unpaced = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
        room.tenure(&[&["spaces", "create", "channels.csv", "--emulator"], unpaced.as_slice()].concat())
            .expect(0);
        let check = room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"]).expect(0);
        check.says(&["No problems."]);
    }
}

#[test]
fn plain_or_in_a_zip_it_says_the_same() {
    let room = Room::new();
    let bulk = fs::read(fixture("bulk/import.jsonl")).unwrap();
    let history = fs::read(fixture("history.csv")).unwrap();
    // What people have uploaded is no part of it.
    let files: [(&str, &[u8]); 3] = [
        ("export/import.jsonl", &bulk),
        ("data/history.csv", &history),
        ("export/data/history.csv", &history),
    ];
    room.write("export.zip", zipped(&files));
    convert(&room, &["export.zip"], &[]).expect(0);
    assert_eq!(rows(&room), converted(&["bulk"], &[]));
    assert_eq!(rows(&room), converted(&["bulk/import.jsonl"], &[]));
}

#[test]
fn members_of_all_channels_on_one_id_are_refused() {
    let room = Room::new();
    let run = convert(&room, &[fixture("one-channel.csv").as_str()], &[]).expect(4);
    run.says(&["it puts the members of all its channels into a single one", "Nothing was written."]);
    assert_eq!(room.files(), Vec::<String>::new());
}

#[test]
fn broken_lines_are_named_and_the_rest_goes_on() {
    let room = Room::new();
    let bulk = fs::read_to_string(fixture("bulk/import.jsonl")).unwrap();
    let ghost = r#"{"type":"post","post":{"team":"yard","channel":"ghost","user":"nadia","create_at":1614589200000}}"#;
    room.write("bulk.jsonl", format!("{bulk}{ghost}\n{{\"type\":\"post\",\"po\n"));
    let mut history = fs::read_to_string(fixture("history.csv")).unwrap();
    history += "s,n,yesterday,\ns,n,1614589200000,1614589100000\n,n,1614589200000,\n";
    room.write("history.csv", history);
    let actiance = fs::read(fixture("actiance/2021-03-01/actiance_export.xml")).unwrap();
    room.write("actiance.xml", &actiance[..actiance.len() - 200]);
    let run = convert(&room, &["history.csv", "actiance.xml", "bulk.jsonl"], &["--json"]).expect(3);
    insta::assert_snapshot!("mattermost_broken", run.err);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["system"], "mattermost");
    assert!(rows(&room).contains("Slipway"));
}

#[test]
fn what_is_no_export_says_what_would_be_one() {
    let room = Room::new();
    for (name, says) in [
        ("batch.zip/001.zip", "archives within an export are not opened"),
        ("mails.zip/a.eml", "in the format of Global Relay"),
        ("dump.zip/dump.sql", "none of Mattermost's formats is in it"),
    ] {
        let (archive, file) = name.split_once('/').unwrap();
        room.write(archive, zipped(&[(file, b"x")]));
        convert(&room, &[archive], &[]).expect(4).says(&[says, "Nothing was written."]);
    }
}
