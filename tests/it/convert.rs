//! `tenure convert`: exports as they are, from the command line to what `check` takes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::support::{Room, Run, UNPACED};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/slack");

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

/// Converts and returns the rows, shortened: who, where, since when, until when, and why.
pub(crate) fn rows(room: &Room) -> String {
    let mut text = String::new();
    for line in room.read("memberships.jsonl").lines() {
        let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
        let cell = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("…");
        text += &format!(
            "{} | {} {} | {} ({}) | {} ({})\n",
            cell("space"),
            cell("member"),
            if cell("memberKind") == "member" { "" } else { cell("memberKind") },
            cell("createTime"),
            cell("createEvidence"),
            cell("deleteTime"),
            cell("deleteEvidence"),
        );
    }
    text.replace(" |  ", " | ")
}

fn convert(room: &Room, export: &str, more: &[&str]) -> Run {
    room.tenure(&[&["convert", "slack", export], more].concat())
}

/// Every file of a folder, as Slack packs them: without the flag that names are UTF-8.
pub(crate) fn zipped(folder: &Path, below: &str) -> Vec<u8> {
    fn add(zip: &mut ZipWriter<std::io::Cursor<Vec<u8>>>, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                zip.add_directory(name.clone(), SimpleFileOptions::default()).unwrap();
                add(zip, &entry.path(), &format!("{name}/"));
            } else {
                zip.start_file(name, SimpleFileOptions::default()).unwrap();
                zip.write_all(&fs::read(entry.path()).unwrap()).unwrap();
            }
        }
    }
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    add(&mut zip, folder, below);
    let mut bytes = zip.finish().unwrap().into_inner();
    let places: Vec<usize> = (0..bytes.len() - 10)
        .filter_map(|at| match &bytes[at..at + 4] {
            b"PK\x03\x04" => Some(at + 7),
            b"PK\x01\x02" => Some(at + 9),
            _ => None,
        })
        .collect();
    for place in places {
        bytes[place] &= !0x08;
    }
    bytes
}

#[test]
fn slack_with_every_trap() {
    let room = Room::new();
    let run = convert(&room, &fixture("harbor"), &["--domain", "harbor.example", "--missing", "missing.csv"])
        .expect(3);
    insta::assert_snapshot!(rows(&room));
    insta::assert_snapshot!("slack_channels", room.read("channels.csv"));
    insta::assert_snapshot!("slack_report", run.out);
    insta::assert_snapshot!("slack_missing", room.read("missing.csv"));
    assert_eq!(run.err, "");
}

#[test]
fn a_zip_says_what_its_folder_says() {
    let room = Room::new();
    convert(&room, &fixture("harbor"), &[]).expect(3);
    for below in ["", "Harbor export/"] {
        room.write("export.zip", zipped(Path::new(&fixture("harbor")), below));
        let run = convert(&room, "export.zip", &["-o", "z.jsonl", "--channels", "z.csv"]).expect(3);
        assert_eq!(run.err, "");
        assert_eq!(room.read("z.jsonl"), room.read("memberships.jsonl"));
        assert_eq!(room.read("z.csv"), room.read("channels.csv"));
        for file in ["z.jsonl", "z.csv"] {
            fs::remove_file(room.file(file)).unwrap();
        }
    }
    // Twice the same export says nothing new.
    convert(&room, "export.zip", &[&fixture("harbor"), "-o", "z.jsonl", "--channels", "z.csv"]).expect(3);
    assert_eq!(room.read("z.jsonl"), room.read("memberships.jsonl"));
}

#[test]
fn slack_grid() {
    let room = Room::new();
    let run = convert(&room, &fixture("grid"), &[]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!(rows(&room));
    insta::assert_snapshot!("grid_channels", room.read("channels.csv"));
}

#[test]
fn slack_threads_that_people_from_outside_answer_in() {
    let room = Room::new();
    // On a test system, addresses may end in a name without a dot.
    let domains = ["--domain", "harbor.example", "--domain", "localhost=harbor.example"];
    let run = convert(&room, &fixture("threads"), &domains).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("slack_threads", rows(&room));
    insta::assert_snapshot!("slack_threads_report", run.out);
}

#[test]
fn slack_private_channels_and_messages() {
    let room = Room::new();
    let run = convert(&room, &fixture("locks"), &["--dms"]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("slack_private", rows(&room));
    insta::assert_snapshot!("slack_private_channels", room.read("channels.csv"));
    insta::assert_snapshot!("slack_private_report", run.out);
}

#[test]
fn slack_from_slackdump() {
    let room = Room::new();
    let run = convert(&room, &fixture("dump"), &[]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("slackdump", rows(&room));
}

#[test]
fn what_is_written_can_be_imported() {
    for export in ["harbor", "grid", "dump", "locks"] {
        let room = Room::new();
        assert!(convert(&room, &fixture(export), &["--dms"]).code.is_some_and(|code| code == 0 || code == 3));
        let unpaced = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
        room.tenure(&[&["spaces", "create", "channels.csv", "--emulator"], unpaced.as_slice()].concat())
            .expect(0);
        let check = room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"]).expect(0);
        check.says(&["No problems."]);
    }
}

#[test]
fn who_has_no_address_is_named_and_then_known() {
    let room = Room::new();
    let before = convert(&room, &fixture("harbor"), &["--missing", "missing.csv"]).expect(3);
    before.says(&["2 people without an address", "U07NOADDR Tomasz Nowy (1 stint)", "--users"]);
    room.write(
        "users.csv",
        "id,member\nU07NOADDR,tomasz@harbor.example\nU99STRANGE,stan@other.example\nU01MARIA,users/123\n",
    );
    let files = ["-o", "m.jsonl", "--channels", "c.csv", "--users", "users.csv", "--json"];
    let run = convert(&room, &fixture("harbor"), &files).expect(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["withoutAddress"], serde_json::json!([]));
    assert_eq!((&report["guests"], &report["externals"]), (&Value::from(1), &Value::from(1)));
    let rows = room.read("m.jsonl");
    assert!(rows.contains("users/tomasz@harbor.example") && rows.contains("\"users/123\""));
    assert!(!rows.contains("maria@harbor.example"));
    // Most have an account with Google, some have none.
    let table = room.read("missing.csv").replace("U07NOADDR,", "U07NOADDR,tomasz@harbor.example");
    room.write("missing.csv", &table);
    let files = ["-o", "n.jsonl", "--channels", "n.csv", "--users", "missing.csv"];
    let run = convert(&room, &fixture("harbor"), &files).expect(3);
    run.says(&["1 person without an address", "U99STRANGE", "stays without a member there"]);
    assert!(room.read("n.jsonl").contains("users/tomasz@harbor.example"));
}

#[test]
fn when_nobody_is_missing_the_table_can_be_given_back_all_the_same() {
    let room = Room::new();
    convert(&room, &fixture("dump"), &["--missing", "missing.csv"])
        .expect(0)
        .says(&["no address missing.csv (nobody: it has a header alone)"]);
    assert_eq!(room.read("missing.csv"), "id,member,name,stints\n");
    let files = ["-o", "m.jsonl", "--channels", "c.csv", "--users", "missing.csv"];
    convert(&room, &fixture("dump"), &files).expect(0);
    assert_eq!(room.read("m.jsonl"), room.read("memberships.jsonl"));
    // So can it be to the others that read such a table.
    room.write("rows.csv", "space,member,createTime\nspaces/A,eva@harbor.example,2020-01-01T00:00:00Z\n");
    room.tenure(&["check", "rows.csv", "--users", "missing.csv"]).expect(0);
}

#[test]
fn guesses_are_left_out_or_made_otherwise() {
    let room = Room::new();
    convert(&room, &fixture("harbor"), &["--only-recorded"]).expect(3).says(&["left out (--only-recorded)"]);
    assert!(!room.read("memberships.jsonl").contains("inferred"));
    let room = Room::new();
    let rules = ["--inferred-start", "channel-created", "--inferred-end", "latest"];
    convert(&room, &fixture("harbor"), &rules).expect(3);
    let rows = rows(&room);
    assert!(!rows.contains("first message") && !rows.contains("last message)"), "{rows}");
}

#[test]
fn one_broken_file_is_named_and_the_rest_goes_on() {
    let room = Room::new();
    room.write("export.zip", zipped(Path::new(&fixture("harbor")), ""));
    let mut copy = zip::ZipArchive::new(fs::File::open(room.file("export.zip")).unwrap()).unwrap();
    copy.extract(room.file("export")).unwrap();
    fs::write(room.file("export/deck/2020-02-01.json"), "[{\"type\": \"message\", \"ts\"").unwrap();
    fs::create_dir(room.file("export/no-such-channel")).unwrap();
    fs::write(room.file("export/no-such-channel/2020-02-01.json"), "[]").unwrap();
    let run = convert(&room, "export", &[]).expect(3);
    run.says(&[
        "it is broken: at character 25 it ends in the middle of an object; what stands before that is taken",
        "reading goes on with the next file",
        "= help: it was cut off: is the export complete",
        "--> export/deck/2020-02-01.json:1",
        "its messages are left out --> export/no-such-channel",
        "2 problems, named on standard error",
    ]);
    assert!(rows(&room).contains("pier-7"));
}

#[test]
fn a_damaged_entry_of_an_archive_is_named_and_the_rest_goes_on() {
    let room = Room::new();
    let mut bytes = zipped(Path::new(&fixture("harbor")), "");
    let name = b"deck/2020-02-01.json";
    let place = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 40;
    bytes[place] ^= 0xff;
    room.write("export.zip", &bytes);
    convert(&room, "export.zip", &[]).expect(3).says(&["export.zip/deck/2020-02-01.json"]);
    assert!(rows(&room).contains("pier-7"));
    // Cut off, it has no list of what is in it.
    room.write("cut.zip", &bytes[..bytes.len() / 2]);
    let run = convert(&room, "cut.zip", &["-o", "m.jsonl", "--channels", "c.csv"]).expect(4);
    run.says(&[
        "it is neither a folder nor a ZIP archive that can be read",
        "--> cut.zip",
        "is it complete?",
    ]);
}

#[test]
fn what_is_no_export_and_what_is_there_already() {
    let room = Room::new();
    room.write("memberships.csv", "space,member\n");
    convert(&room, "memberships.csv", &[])
        .expect(4)
        .says(&["there is no channels.json", "Nothing was written."]);
    fs::create_dir(room.file("empty")).unwrap();
    convert(&room, "empty", &[]).expect(4).says(&["there is no channels.json"]);
    convert(&room, "missing", &[]).expect(4).says(&["there is no such file or folder"]);
    assert_eq!(room.files(), ["empty", "memberships.csv"]);
    room.write("channels.csv", "x");
    convert(&room, &fixture("dump"), &[]).expect(1).says(&["channels.csv is there already"]);
    assert_eq!(room.files(), ["channels.csv", "empty", "memberships.csv"]);
    let run = convert(&room, &fixture("dump"), &["-o", "-", "--channels", "c.csv"]).expect(0);
    assert_eq!(run.out.lines().count(), 2);
    assert!(run.err.contains("2 stints"), "{}", run.err);
    convert(&room, &fixture("dump"), &["-o", "-", "--json", "--channels", "d.csv"]).expect(2);
}

#[test]
fn outputs_are_written_whole_or_not_at_all() {
    let room = Room::new();
    // Nothing is read before it is clear that there is a place for each.
    convert(&room, "missing", &["-o", "no/m.jsonl"])
        .expect(1)
        .says(&["no/m.jsonl: the folder that it was to lie in is not there"]);
    convert(&room, "missing", &["--channels", "a.csv", "--missing", "./a.csv"])
        .expect(2)
        .says(&["a.csv is named for two outputs"]);
    // The first is too long for what files may be.
    let export = fixture("harbor");
    room.tenure_after("ulimit -f 1", &["convert", "slack", &export])
        .expect(1)
        .says(&["error: nothing was written: memberships.jsonl: "]);
    assert!(room.files().is_empty(), "{:?}", room.files());
    convert(&room, &export, &[]).expect(3);
    assert_eq!(room.files(), ["channels.csv", "memberships.jsonl"]);
}

#[test]
fn rejects_keep_where_the_ends_of_a_stint_come_from() {
    let room = Room::new();
    room.write("users.csv", "id,member\nU13ROSA,rosa@harbor.invalid\n");
    let people =
        ["--users", "users.csv", "--domain", "harbor.example", "--domain", "localhost=harbor.example"];
    convert(&room, &fixture("threads"), &people).expect(0);
    room.write("spaces.csv", "name,space\nberths,AAQA\n");
    let import = ["import", "memberships.jsonl", "--spaces", "spaces.csv", "--emulator"];
    room.tenure(&[&import[..], &UNPACED].concat()).expect(3);
    let rejects = room.tenure(&["rejects", "memberships.jsonl.journal.db"]).expect(0).out;
    let refused: Value = serde_json::from_str(&rejects).unwrap();
    let converted = room.read("memberships.jsonl");
    let row = converted.lines().find(|line| line.contains("rosa@harbor.invalid")).unwrap();
    // All that conversion has written, and what became of it.
    for (column, said) in serde_json::from_str::<BTreeMap<String, Value>>(row).unwrap() {
        assert_eq!(refused[&column], said, "{column}");
    }
    assert_eq!(refused["createEvidence"], "inferred: first message");
    assert_eq!(refused["status"], 400);
}
