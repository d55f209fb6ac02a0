//! `docs/first-hour.md` and the migration in README, run as they are written, and held against the screens in them.
//!
//! After a change of what is shown, this draws the screens anew: `INSTA_UPDATE=always cargo test --test it first_hour`.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::document::{self, Typed};
use crate::masks::show_the_same;
use crate::support::{Emulator, Room};

/// Where the document lies, below the clone.
const FIRST_HOUR: &str = "docs/first-hour.md";
const README: &str = include_str!("../../README.md");

/// A folder that has the samples.
fn clone() -> Room {
    let room = Room::new();
    symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"), room.file("samples")).unwrap();
    room
}

/// Everybody of the Slack export has arrived, and the page about it is there.
fn is_finished(room: &Room) {
    let status = room.tenure(&["status", "memberships.jsonl.journal.db", "--json"]).expect(0);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["rows"]["done"], &status["rows"]["total"]), (&54.into(), &54.into()));
    assert_eq!((&status["spaces"]["completed"], &status["spaces"]["total"]), (&6.into(), &6.into()));
    assert!(room.read("report.html").contains("</html>"));
}

#[test]
fn the_first_hour_goes_as_it_is_told() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIRST_HOUR);
    let text = std::fs::read_to_string(&file).unwrap();
    let room = clone();
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let (mut drawn, mut stale) = (text.clone(), Vec::new());
    // How much longer than the document what is drawn is by then.
    let mut longer = 0;
    for Typed { line, code, screen } in document::commands(&text) {
        let shown = screen.as_ref().and_then(|_| document::run_on_terminal(&room, &emulator, &text, &line));
        let (ended, shown) = match shown {
            Some((ended, shown)) => (Some(ended), Some(shown)),
            None => (document::run(document::shell(&room, &emulator, &text, &line)).code, None),
        };
        assert_eq!(ended, Some(code), "{line}\n{}", shown.unwrap_or_default());
        let (Some(screen), Some(shown)) = (screen, shown) else { continue };
        let (told, shown) = (&text[screen.place.clone()], screen.of(&shown));
        if !show_the_same(told, &shown) {
            stale.push(format!("$ {line}\n{FIRST_HOUR} shows:\n{told}\nThe terminal shows:\n{shown}"));
            let begin = screen.place.start.checked_add_signed(longer).unwrap();
            drawn.replace_range(begin..begin + told.len(), &shown);
            longer += shown.len() as isize - told.len() as isize;
        }
    }
    is_finished(&room);
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        std::fs::write(&file, drawn).unwrap();
        return;
    }
    assert!(
        stale.is_empty(),
        "{}\nINSTA_UPDATE=always cargo test --test it first_hour draws them anew",
        stale.join("\n")
    );
}

#[test]
fn the_ten_lines_of_readme_do_what_they_say() {
    let room = clone();
    let emulator = Emulator::start_without_spaces(&room, &["--writes-per-minute", "0"]);
    let elsewhere = |line: &str| line.starts_with("cargo ") || line.starts_with("tenure emulator");
    for Typed { line, code, .. } in document::commands(README).iter().filter(|typed| !elsewhere(&typed.line))
    {
        let run = document::run(document::unpaced_shell(&room, &emulator, README, line));
        assert_eq!(run.code, Some(*code), "{line}\n{}{}", run.out, run.err);
    }
    is_finished(&room);
}
