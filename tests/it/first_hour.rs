//! `docs/first-hour.md` and the migration in README, run as they are written.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::document;
use crate::support::{Emulator, Room};

const FIRST_HOUR: &str = include_str!("../../docs/first-hour.md");
const README: &str = include_str!("../../README.md");

/// Runs what stands in a document, in a folder that has the samples.
fn walk(text: &str, skipped: impl Fn(&str) -> bool) -> Room {
    let room = Room::new();
    symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"), room.file("samples")).unwrap();
    let emulator = Emulator::start_without_spaces(&room, &[]);
    for command in document::commands(text).iter().filter(|command| !skipped(&command.line)) {
        let run = document::run(document::shell(&room, &emulator.endpoint, text, &command.line));
        assert_eq!(run.code, Some(command.code), "{}\n{}{}", command.line, run.out, run.err);
    }
    room
}

/// Everybody of the Slack export has arrived, and the page about it is there.
fn is_finished(room: &Room) {
    let status = room.tenure(&["status", "memberships.jsonl.journal.db", "--json"]).expect(0);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["rows"]["done"], &status["rows"]["total"]), (&21.into(), &21.into()));
    assert_eq!((&status["spaces"]["completed"], &status["spaces"]["total"]), (&4.into(), &4.into()));
    assert!(room.read("report.html").contains("</html>"));
}

#[test]
fn the_first_hour_goes_as_it_is_told() {
    is_finished(&walk(FIRST_HOUR, |_| false));
}

#[test]
fn the_ten_lines_of_readme_do_what_they_say() {
    is_finished(&walk(README, |line| line.starts_with("cargo ") || line.starts_with("tenure emulator")));
}
