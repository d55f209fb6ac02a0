//! `tenure convert zulip`.

use std::fs;

use crate::convert::rows;
use crate::support::{Room, Run};

const ORCHARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/zulip/orchard");

fn convert(room: &Room, export: &str, more: &[&str]) -> Run {
    room.tenure(&[&["convert", "zulip", export], more].concat())
}

#[test]
fn zulip_with_every_trap() {
    let room = Room::new();
    let run = convert(&room, ORCHARD, &["--domain", "orchard.example"]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!(rows(&room));
    insta::assert_snapshot!("zulip_channels", room.read("channels.csv"));
    insta::assert_snapshot!("zulip_report", run.out);
}

/// As other programs write it, to bring their data into Zulip.
#[test]
fn zulip_without_an_audit_log() {
    let room = Room::new();
    fs::create_dir(room.file("export")).unwrap();
    let realm = fs::read_to_string(format!("{ORCHARD}/realm.json")).unwrap();
    let mut realm: serde_json::Value = serde_json::from_str(&realm).unwrap();
    realm["zerver_realmauditlog"] = serde_json::json!([]);
    room.write("export/realm.json", realm.to_string());
    for name in ["messages-000001.json", "messages-000002.json"] {
        fs::copy(format!("{ORCHARD}/{name}"), room.file(&format!("export/{name}"))).unwrap();
    }
    let run = convert(&room, "export", &["--domain", "orchard.example"]).expect(3);
    run.says(&[
        "its audit log (zerver_realmauditlog) has nothing about subscriptions: nothing tells who joined",
    ]);
    insta::assert_snapshot!("zulip_without_an_audit_log", rows(&room));
}

#[test]
fn zulip_with_direct_messages() {
    let room = Room::new();
    convert(&room, ORCHARD, &["--dms"]).expect(3);
    let rows = rows(&room);
    let of_pairs: Vec<&str> =
        rows.lines().filter(|line| line.starts_with("dm-") || line.starts_with("group-202")).collect();
    insta::assert_snapshot!("zulip_dms", of_pairs.join("\n"));
    let unpaced = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
    room.tenure(&[&["spaces", "create", "channels.csv", "--emulator"], unpaced.as_slice()].concat())
        .expect(0);
    room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"])
        .expect(0)
        .says(&["No problems."]);
}

#[test]
fn one_broken_file_of_zulip_is_named_and_the_rest_goes_on() {
    let room = Room::new();
    fs::create_dir(room.file("export")).unwrap();
    for name in ["realm.json", "messages-000001.json"] {
        fs::copy(format!("{ORCHARD}/{name}"), room.file(&format!("export/{name}"))).unwrap();
    }
    room.write("export/messages-000002.json", "{\"zerver_message\": [{\"id\": 1,");
    convert(&room, "export", &[])
        .expect(3)
        .says(&["it ends in the middle of", "--> export/messages-000002.json:1"]);
    assert!(rows(&room).contains("general"));
    fs::remove_file(room.file("export/realm.json")).unwrap();
    convert(&room, "export", &["-o", "m.jsonl", "--channels", "c.csv"])
        .expect(4)
        .says(&["there is no realm.json in it", "Nothing was written."]);
}
