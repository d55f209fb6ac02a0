//! `tenure report`: one page about a journal of any kind, which names what it cannot know, holds no secret and replaces
//! nothing but its like.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use crate::secrets::Secrets;
use crate::support::{Emulator, Room, SAMPLE, UNPACED, args, people, until};

/// A page's text, without its style and script.
fn text(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        text.push('\n');
        let (tag, after) = after.split_once('>').unwrap();
        rest = match tag {
            "style" | "script" => after.split_once(&format!("</{tag}>")).unwrap().1,
            _ => after,
        };
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Writes a page of a journal, and gives its text.
#[track_caller]
pub(crate) fn report(room: &Room, journal: &str) -> String {
    room.tenure(&["report", journal, "-o", "page.html"]).expect(0);
    text(&room.read("page.html"))
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "it does not say {part:?}:\n{text}");
    }
}

#[test]
fn a_page_of_an_import() {
    let room = Room::new();
    room.tenure(&args(&[&["import", SAMPLE, "--emulator"], &UNPACED], &[])).expect(0);
    let run = room.tenure(&["report", "memberships.csv.journal.db"]).expect(0);
    assert_eq!(run.out, "memberships.csv.report.html\n");
    let file = room.file("memberships.csv.report.html");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let page = room.read("memberships.csv.report.html");
    let status = room.status("memberships.csv.journal.db");
    let rows = &status["rows"];
    says(
        &text(&page),
        &[
            "A rehearsal.",
            &format!("{} of {} memberships were rehearsed.", rows["done"], rows["total"]),
            "Nothing was refused.",
            "Memberships by year",
            &format!("{} rows were counted one by one", rows["total"]),
            "Does Google Chat hold what the journal says?\nNot yet\n. This was a rehearsal",
        ],
    );
    // It needs nothing beside itself.
    for reference in ["http://", "https://", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(reference), "{reference}");
    }
    // Its own earlier page is replaced, nothing else, and the journal least of all.
    fs::write(&file, &page[..page.len() / 2]).unwrap();
    room.tenure(&["report", "memberships.csv.journal.db"]).expect(0);
    assert_eq!(room.read("memberships.csv.report.html").len(), page.len());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mine = "<!doctype html>\n<html lang=\"en\"><head><title>tenure report</title></head></html>";
    room.write("mine.html", mine);
    let onto = ["report", "memberships.csv.journal.db", "-o", "mine.html"];
    room.tenure(&onto).expect(1).says(&["mine.html is there already"]);
    assert_eq!(room.read("mine.html"), mine);
    let over = ["report", "memberships.csv.journal.db", "-o", "memberships.csv.journal.db"];
    room.tenure(&over).expect(1).says(&["is there already"]);
    let piped = room.tenure(&["report", "memberships.csv.journal.db", "-o", "-"]).expect(0);
    assert!(piped.out.starts_with("<!doctype html>") && piped.err.is_empty());
}

#[test]
fn refused_rows_with_and_without_addresses() {
    let room = Room::new();
    let mut rows = people(6, 2);
    rows += "spaces/AAQA1,anna@example.invalid,,2020-01-01T00:00:00Z\n";
    rows += "spaces/AAQA1,bob@example.com,2020-01-01T00:00:00Z,\n";
    rows += "#<b>general</b>,carla@example.com,2020-01-01T00:00:00Z,\n";
    room.write("rows.csv", rows);
    let emulator = Emulator::start(&room, &[]);
    let import = ["import", "rows.csv", "--journal", "j.db", "--skip-invalid"];
    let run = room.tenure(&args(&[&import], &emulator.connection())).expect(3);
    let shown = report(&room, "j.db");
    says(
        &shown,
        &[
            "anna@example.invalid",
            "admin@example.com",
            "names people by their e-mail addresses",
            "rows.csv:8",
        ],
    );
    let page = room.read("page.html");
    assert!(!page.contains("<b>"), "{page}");
    let without = ["report", "j.db", "-o", "everybody.html", "--no-addresses"];
    let made = room.tenure(&without).expect(0);
    let left = room.read("everybody.html");
    assert!(!left.contains("@example"), "{left}");
    says(&text(&left), &["[address]", "addresses were left out", "rows.csv:8"]);
    Secrets::of(&room, &["key.json"]).are_not_shown(&room, &[&run, &made]);
}

#[test]
fn a_page_while_a_run_goes_on() {
    let room = Room::new();
    room.write("rows.csv", people(400, 4));
    let emulator = Emulator::start(&room, &[]);
    let import = ["import", "rows.csv", "--journal", "j.db", "--writes-per-minute", "3000"];
    let running = room.start(&args(&[&import], &emulator.connection()));
    until("some are there", || {
        room.file("j.db").exists() && room.status("j.db")["rows"]["done"].as_u64() > Some(20)
    });
    says(
        &report(&room, "j.db"),
        &["Going on.", "still to be sent", "goes on", "is in exactly one of the figures"],
    );
    assert!(running.kill());
    says(&report(&room, "j.db"), &["It was cut off."]);
}

#[test]
fn a_page_of_every_kind_of_journal() {
    let room = Room::new();
    room.write("channels.csv", "name,displayName\n#lab,Lab\n#<i>odd</i>,Odd & even\n");
    room.write("rows.csv", "space,member,createTime,deleteTime,role\nA,ada@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,\nA,cem@example.com,2020-01-01T00:00:00Z,,ROLE_MANAGER\n");
    room.write("people.csv", "space,member,role\nA,cem@example.com,ROLE_MEMBER\n");
    let emulator = Emulator::start(&room, &[]);
    let run = |command: &[&str]| room.tenure(&args(&[command], &emulator.connection()));
    run(&["spaces", "create", "channels.csv", "--journal", "spaces.db"]).expect(0);
    says(
        &report(&room, "spaces.db"),
        &[
            "All 2 channels were rehearsed.",
            "#&lt;i&gt;odd&lt;/i&gt;",
            "Odd &amp; even",
            "To be completed by",
        ],
    );
    run(&["import", "rows.csv", "--journal", "j.db", "--journal-only"]).expect(0);
    says(&report(&room, "j.db"), &["Nothing was sent yet to", "No call was made yet."]);
    run(&["import", "rows.csv", "--journal", "j.db"]).expect(0);
    says(
        &report(&room, "j.db"),
        &["1 of 2 memberships was rehearsed. 1 waits until the space is completed."],
    );
    run(&["complete", "j.db", "--yes"]).expect(0);
    says(
        &report(&room, "j.db"),
        &["All 2 memberships were rehearsed.", "The one space is.", "a Chat API on the same machine"],
    );
    room.write("others.csv", people(3, 1));
    run(&["import", "others.csv", "--journal", "back.db"]).expect(0);
    run(&["rollback", "back.db", "--yes"]).expect(0);
    says(
        &report(&room, "back.db"),
        &["An import into Google Chat, taken back", "All 3 memberships were rehearsed."],
    );
    let update = ["update", "people.csv", "--standard-spaces", "--journal", "roles.db"];
    run(&update);
    says(&report(&room, "roles.db"), &["Roles changed in Google Chat"]);
    let remove = ["remove", "people.csv", "--standard-spaces", "--yes", "--journal", "gone.db"];
    run(&remove);
    says(&report(&room, "gone.db"), &["Memberships removed from Google Chat"]);
}

#[test]
fn a_journal_from_before_there_was_a_course() {
    let room = Room::new();
    room.write("rows.csv", people(8, 2));
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db", "--emulator"], &UNPACED], &[]))
        .expect(0);
    let before = Connection::open(room.file("j.db")).unwrap();
    before
        .execute_batch(
            "DROP TABLE stretches; DROP TABLE reasons; ALTER TABLE spaces DROP COLUMN title; DROP TABLE verified;
             ALTER TABLE spaces DROP COLUMN missing; ALTER TABLE journal DROP COLUMN read_with;
             ALTER TABLE runs DROP COLUMN remedy; ALTER TABLE runs DROP COLUMN command;
             PRAGMA user_version = 8",
        )
        .unwrap();
    drop(before);
    room.tenure(&["report", "j.db"]).expect(1).says(&["`tenure resume j.db` brings it up to date"]);
    room.tenure(&["resume", "j.db"]).expect(0);
    says(
        &report(&room, "j.db"),
        &["All 8 memberships were rehearsed.", "The journal does not hold how 1 run went over time"],
    );
}

#[test]
fn what_is_no_journal_has_no_page() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    room.tenure(&["report", "rows.csv", "-o", "page.html"]).expect(1).says(&["not a tenure journal"]);
    room.tenure(&["report", "missing.db", "-o", "page.html"]).expect(1).says(&["no such journal"]);
    assert!(!room.file("page.html").exists());
}
