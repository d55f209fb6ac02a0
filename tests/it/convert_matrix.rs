//! `tenure convert matrix`: Element's exports, Synapse's, and events as servers give them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::convert::{rows, zipped};
use crate::support::{Room, Run};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/matrix");

/// People of the fixtures' server have their addresses by their ids.
const HOME: [&str; 2] = ["--domain", "harbor.example"];

fn convert(room: &Room, export: &str, more: &[&str]) -> Run {
    room.tenure(&[&["convert", "matrix", export], HOME.as_slice(), more].concat())
}

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

/// Copies a folder, with `:` in names, which not every disk takes.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap().replace("%3A", ":");
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(name)),
            false => drop(fs::copy(entry.path(), to.join(name)).unwrap()),
        }
    }
}

#[test]
fn element_from_the_beginning() {
    let room = Room::new();
    let run = convert(&room, &fixture("element"), &[]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("element", rows(&room));
    insta::assert_snapshot!("element_report", run.out);
    // The file alone says the same, but for the room's attachments.
    let alone = format!("{}/export.json", fixture("element"));
    convert(&room, &alone, &["-o", "m.jsonl", "--channels", "c.csv"]).expect(3);
    assert_eq!(room.read("m.jsonl"), room.read("memberships.jsonl"));
    room.write("export.zip", zipped(Path::new(&fixture("element")), "matrix-export/"));
    let run = convert(&room, "export.zip", &["-o", "z.jsonl", "--channels", "z.csv"]).expect(3);
    assert_eq!((run.err.as_str(), room.read("z.jsonl")), ("", room.read("memberships.jsonl")));
}

#[test]
fn element_of_somebody_who_came_late() {
    let room = Room::new();
    let run = convert(&room, &fixture("late"), &[]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("late", rows(&room));
}

#[test]
fn synapse() {
    let room = Room::new();
    copy(Path::new(&fixture("synapse")), &room.file("export"));
    let run = convert(&room, "export", &["--users", "users.csv", "--missing", "missing.csv"]);
    run.expect(4).says(&["users.csv"]);
    room.write("users.csv", "id,member\n@stan:other.example,stan@other.example\n");
    let run = convert(&room, "export", &["--users", "users.csv"]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("synapse", rows(&room));
    insta::assert_snapshot!("synapse_channels", room.read("channels.csv"));
    insta::assert_snapshot!("synapse_report", run.out);
    let files = ["-o", "d.jsonl", "--channels", "d.csv", "--users", "users.csv", "--dms"];
    convert(&room, "export", &files).expect(0);
    let (more, less) = (room.read("d.jsonl"), room.read("memberships.jsonl"));
    let dms: Vec<&str> = more.lines().filter(|line| !less.contains(line)).collect();
    insta::assert_snapshot!("synapse_dms", dms.join("\n"));
}

#[test]
fn what_ends_in_one_export_may_go_on_in_another() {
    let room = Room::new();
    copy(Path::new(&fixture("synapse")), &room.file("export"));
    // Somebody who left early does not see what comes then.
    let quay = "rooms/!quay:harbor.example/events";
    let whole = fs::read_to_string(room.file("export").join(quay)).unwrap();
    let begins: Vec<usize> = whole.match_indices("}{").map(|(at, _)| at + 1).collect();
    fs::create_dir_all(room.file("early/rooms/!quay:harbor.example")).unwrap();
    fs::write(room.file("early").join(quay), &whole[..begins[4]]).unwrap();
    convert(&room, "export", &[]).expect(3);
    let run = convert(&room, "export", &["early", "-o", "m.jsonl", "--channels", "c.csv"]).expect(3);
    assert_eq!((run.err.as_str(), room.read("m.jsonl")), ("", room.read("memberships.jsonl")));
    convert(&room, "early", &["export", "-o", "n.jsonl", "--channels", "d.csv"]).expect(3);
    let sorted = |file: &str| {
        let text = room.read(file);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert_eq!(sorted("n.jsonl"), sorted("m.jsonl"));
}

#[test]
fn events_as_servers_give_them() {
    let room = Room::new();
    let run = convert(&room, &fixture("raw"), &[]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("raw", rows(&room));
    insta::assert_snapshot!("raw_report", run.out);
}

#[test]
fn joins_that_only_the_state_has_and_one_that_it_has_not() {
    let room = Room::new();
    let run = convert(&room, &fixture("resolved"), &[]).expect(0);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("resolved", rows(&room));
}

#[test]
fn clocks_that_were_wrong_and_content_that_was_deleted() {
    let room = Room::new();
    let run = convert(&room, &fixture("clocks"), &[]).expect(3);
    insta::assert_snapshot!("clocks", rows(&room));
    insta::assert_snapshot!("clocks_problems", run.err.replace(FIXTURES, "…"));
}

#[test]
fn an_id_is_no_address_by_itself() {
    let room = Room::new();
    let run = room.tenure(&["convert", "matrix", &fixture("element")]).expect(3);
    run.says(&["0 stints of 0 people", "5 people without an address", "@maria:harbor.example"]);
    let exchanged = ["convert", "matrix", &fixture("element"), "--domain", "harbor.example=sea.example"];
    room.tenure(&[&exchanged[..], &["-o", "m.jsonl", "--channels", "c.csv"]].concat()).expect(3);
    assert!(room.read("m.jsonl").contains("users/maria@sea.example"));
}

#[test]
fn what_is_written_can_be_imported() {
    for export in ["element", "late", "raw"] {
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
fn rooms_with_long_names_become_spaces_all_the_same() {
    let room = Room::new();
    let long = "Everybody who works on the north quay, ".repeat(4);
    let events =
        [("hold", format!("{long}by day")), ("deck", format!("{long}by night"))].map(|(id, name)| {
            let event = |kind: &str, key: &str, content: Value| {
                let event = json!({
                    "type": kind, "room_id": format!("!{id}:harbor.example"), "sender": "@eva:harbor.example",
                    "state_key": key, "origin_server_ts": 1_610_000_000_000_u64, "content": content,
                });
                format!("{event}\n")
            };
            event("m.room.create", "", json!({ "creator": "@eva:harbor.example" }))
                + &event("m.room.member", "@eva:harbor.example", json!({ "membership": "join" }))
                + &event("m.room.name", "", json!({ "name": name }))
        });
    room.write("events.jsonl", events.concat());
    convert(&room, "events.jsonl", &["--domain", "harbor.example"]).expect(0).says(&[
        "2 channels have names that are longer than the 128 characters that Chat takes",
        "Everybody who works on the north quay, … has 162 characters",
    ]);
    room.tenure(&["spaces", "create", "channels.csv", "--emulator"]).expect(0);
    let map = room.read("channels.spaces.csv");
    assert!(map.contains("by day") && map.contains("by night") && map.contains("…"), "{map}");
    let check = room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"]).expect(0);
    check.says(&["No problems."]);
}

#[test]
fn what_is_no_export_of_matrix() {
    let room = Room::new();
    room.write("notes.txt", "not JSON");
    convert(&room, "notes.txt", &[]).expect(4).says(&[
        "it is no JSON any more (expected ident)",
        "--> notes.txt:1",
        "no events of Matrix",
    ]);
    fs::create_dir(room.file("empty")).unwrap();
    convert(&room, "empty", &[])
        .expect(4)
        .says(&["there are no events of Matrix in it", "Synapse's export-data"]);
    room.write("state.json", r#"[{"type":"m.room.name","sender":"@a:b","origin_server_ts":1600000000000}]"#);
    convert(&room, "state.json", &[]).expect(4).says(&["none of its events says of which room it is"]);
    assert_eq!(room.files(), ["empty", "notes.txt", "state.json"]);
}
