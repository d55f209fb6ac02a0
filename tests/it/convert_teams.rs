//! `tenure convert teams`.

use std::fs;

use crate::convert::rows;
use crate::support::{Room, Run};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/teams");

fn convert(room: &Room, export: &str, more: &[&str]) -> Run {
    room.tenure(&[&["convert", "teams", export], more].concat())
}

fn fixture(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

#[test]
fn teams_with_every_trap() {
    let room = Room::new();
    let run = convert(&room, &fixture("shipyard"), &["--domain", "shipyard.example"]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!(rows(&room));
    insta::assert_snapshot!("teams_channels", room.read("channels.csv"));
    insta::assert_snapshot!("teams_report", run.out);
}

#[test]
fn teams_with_chats_of_two_and_of_meetings() {
    let room = Room::new();
    convert(&room, &fixture("shipyard"), &["--dms", "--meetings"]).expect(3);
    let rows = rows(&room);
    let more: Vec<&str> =
        rows.lines().filter(|line| line.starts_with("19:") || line.starts_with("Stand-up")).collect();
    insta::assert_snapshot!("teams_dms", more.join("\n"));
    let unpaced = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
    room.tenure(&[&["spaces", "create", "channels.csv", "--emulator"], unpaced.as_slice()].concat())
        .expect(0);
    room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"])
        .expect(0)
        .says(&["No problems."]);
}

#[test]
fn teams_that_are_renamed_and_archived_and_brought_back() {
    let room = Room::new();
    let run = convert(&room, &fixture("wharf"), &["--domain", "wharf.example"]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("teams_archived", rows(&room));
    insta::assert_snapshot!("teams_archived_report", run.out);
}

#[test]
fn what_the_export_tool_of_teams_leaves_out_is_said() {
    let room = Room::new();
    let run = convert(&room, &fixture("package"), &[]).expect(3);
    run.says(&[
        "2 of its system messages do not say what happened or to whom",
        "Prefer: include-unknown-enum-members",
    ]);
    insta::assert_snapshot!("teams_package", rows(&room));
    assert!(!rows(&room).contains("(recorded)"));
}

#[test]
fn messages_alone_say_what_they_lack() {
    let room = Room::new();
    let messages = "000000a1-5a1b-4c3d-8e5f-1020304050a1/messages-general.json";
    fs::copy(fixture("shipyard") + "/" + messages, room.file("messages.json")).unwrap();
    let run = convert(&room, "messages.json", &["--missing", "m.csv"]).expect(3);
    run.says(&[
        "of 2 of its channels nothing says whether they are standard",
        "--> messages.json",
        "GET /teams/{id}/allChannels",
    ]);
    room.write("broken.jsonl", "{\"id\": \"1\", \"chatId\"\n");
    convert(&room, "broken.jsonl", &["-o", "m.jsonl", "--channels", "c.csv"])
        .expect(4)
        .says(&["broken.jsonl:", "there is no message, channel or chat of Teams in it"]);
}
