//! How `verify` came out stays in the journal: `report` and `status` tell it, and say so when something was changed since.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::tz::TimeZone;
use rusqlite::Connection;
use serde_json::Value;

use crate::report::report;
use crate::support::{Emulator, Room, Run, UNPACED, args, people};

const J: &str = "rows.csv.journal.db";

/// A room with an import whose spaces are not completed.
fn imported() -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", people(12, 2) + "spaces/AAQA1,still@example.com,2020-01-01T00:00:00Z,\n");
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    tenure(&room, &emulator, &[&["import", "rows.csv"], &UNPACED[..]].concat()).expect(0);
    (room, emulator)
}

fn tenure(room: &Room, emulator: &Emulator, command: &[&str]) -> Run {
    room.tenure(&args(&[command], &emulator.connection()))
}

fn verified(room: &Room) -> Value {
    room.status(J)["verified"].take()
}

#[test]
fn from_not_yet_to_completed() {
    let (room, emulator) = imported();
    let status = || room.tenure(&["status", J]).expect(0);
    status().says(&[&format!("verified not yet next tenure verify {J} then tenure complete {J}")]);
    assert!(verified(&room).is_null());
    assert!(report(&room, J).contains("Nobody has verified it yet."));

    tenure(&room, &emulator, &["verify", J]).expect(0);
    let told = verified(&room);
    let at: jiff::Timestamp = told["at"].as_str().unwrap().parse().unwrap();
    // People read it on their own clocks, programs as RFC 3339.
    let at = at.to_zoned(TimeZone::get("Asia/Tokyo").unwrap()).strftime("%a %Y-%m-%d %H:%M");
    room.tenure_env(&["status", J], &[("TZ", "Asia/Tokyo")])
        .expect(0)
        .says(&[&format!("verified history on {at}: 12 of 12 rows are listed as they should be")]);
    assert_eq!((&told["complete"], &told["changed_since"]), (&true.into(), &false.into()));
    assert_eq!((&told["rows_matching"], &told["rows_expected"]), (&12.into(), &12.into()));
    let page = report(&room, J);
    assert!(
        page.contains("12 of 12 rows are listed as they should be.") && !page.contains("changed since"),
        "{page}"
    );

    // A run that finds nothing to do changes nothing; one that does something makes it old.
    tenure(&room, &emulator, &["resume", J]).expect(0);
    assert_eq!(verified(&room)["changed_since"], false);
    tenure(&room, &emulator, &["complete", J, "--yes"]).expect(0);
    assert_eq!(verified(&room)["changed_since"], true);
    status().says(&["the journal has changed since"]);
    let page = report(&room, J);
    assert!(
        page.contains("The history was verified on") && page.contains("The journal has changed since then"),
        "{page}"
    );

    // What was seen before completion, which Chat lists no more, stays beside what is seen now.
    tenure(&room, &emulator, &["verify", J]).expect(0);
    let run = status();
    assert!(run.words().contains("members on ") && run.words().contains("history on "), "{}", run.out);
    let told = verified(&room);
    assert_eq!((&told["shows"], &told["changed_since"]), (&"members".into(), &false.into()));
    let page = report(&room, J);
    assert!(
        page.contains("12 of 12 rows")
            && page.contains("1 of 1 row is listed as it should be; 12 are of the past"),
        "{page}"
    );
}

/// Every line names the next command, and each of them runs as it stands.
#[test]
fn one_command_leads_to_the_next() {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let mut run = room.tenure(&[&["import", "rows.csv", "--emulator"], &UNPACED[..]].concat()).expect(0);
    let named = |run: &Run| {
        let next = run.out.lines().find_map(|line| line.strip_prefix("next      tenure "));
        next.unwrap_or_else(|| panic!("{}", run.out)).to_owned()
    };
    let mut course = Vec::new();
    let mut follow = |run: &mut Run, times: usize| {
        for _ in 0..times {
            let next = named(run);
            let status = room.tenure(&["status", J]).expect(0);
            assert_eq!(named(&status), next);
            let words: Vec<&str> = next.split(' ').collect();
            course.push(words[0].to_owned());
            let yes: &[&str] = if words[0] == "complete" { &["--yes"] } else { &[] };
            *run = room.tenure(&[&words[..], yes].concat()).expect(0);
        }
    };
    follow(&mut run, 4);
    // Of three spaces two are completed, and rows of the third wait.
    room.write("more.csv", people(3, 3).replace("AAQA0", "AAQA2").replace("AAQA1", "AAQA2"));
    let more = ["import", "more.csv", "--emulator", "--journal", J, "--journal-only"];
    room.tenure(&more).expect(0);
    run = room.tenure(&["complete", J, "--yes"]).expect(3);
    assert_eq!(named(&run), format!("resume {J}"));
    run = room.tenure(&[&["resume", J], &UNPACED[..]].concat()).expect(0);
    follow(&mut run, 4);
    assert_eq!(course, [["verify", "complete", "verify", "report"]; 2].concat());
    assert!(room.file("report.html").exists());
    room.tenure(&["complete", J])
        .expect(0)
        .says(&[&format!("Nothing is left to be done. next tenure verify {J}")]);
}

#[test]
fn verified_with_rejects_that_can_be_mended() {
    let room = Room::new();
    room.write("rows.csv", people(4, 2) + "spaces/AAQA1,gone@example.invalid,,2020-01-01T00:00:00Z\n");
    room.tenure(&[&["import", "rows.csv", "--emulator"], &UNPACED[..]].concat()).expect(3);
    let rejects = format!("tenure rejects {J} --reasons");
    room.tenure(&["verify", J]).expect(0).says(&[&format!("next {rejects}")]);
    room.tenure(&["status", J]).expect(0).says(&[&format!("see why {rejects}")]);
    let run = room.tenure(&["complete", J, "--yes"]).expect(3).says(&[&format!("see why {rejects}")]);
    assert!(!run.out.contains("next "), "{}", run.out);
}

#[test]
fn differences_and_looks_at_some_spaces_only() {
    let (room, emulator) = imported();
    // Of one space of two nothing is kept.
    tenure(&room, &emulator, &["verify", J, "--space", "AAQA0"]).expect(0);
    assert!(verified(&room).is_null());
    let journal = Connection::open(room.file(J)).unwrap();
    journal.execute_batch("UPDATE rows SET create_time = create_time + 1000000 WHERE line = 3").unwrap();
    drop(journal);
    tenure(&room, &emulator, &["verify", J]).expect(3);
    let told = verified(&room);
    assert_eq!(
        (&told["differences"]["different"], &told["differences_total"]),
        (&1.into(), &1.into()),
        "{told}"
    );
    room.tenure(&["status", J])
        .expect(0)
        .says(&["11 of 12 rows are listed as they should be; 1 difference: 1 different"]);
    assert!(report(&room, J).contains("1 difference: 1 different"));
}

#[test]
fn no_space_is_completed_while_its_rows_are_missing() {
    let (room, emulator) = imported();
    let complete = |more: &[&str]| tenure(&room, &emulator, &[&["complete", J], more].concat());
    let unverified = "2 spaces to complete that nobody has verified";
    complete(&["--dry-run"]).expect(0).says(&[unverified]);
    let shift = |seconds: i64| {
        let journal = Connection::open(room.file(J)).unwrap();
        let shift = format!("UPDATE rows SET create_time = create_time + {seconds}000000 WHERE line = 3");
        journal.execute_batch(&shift).unwrap();
    };
    shift(1);
    tenure(&room, &emulator, &["verify", J, "--space", "AAQA1"]).expect(3);
    let kept_back = "1 space not completed, with rows that the last verify did not find in Chat";
    complete(&["--dry-run"]).expect(0).says(&[kept_back, "--accept-rejects): spaces/AAQA1 (1)"]);
    complete(&["--dry-run", "--accept-rejects"]).expect(0).says(&[
        "2 spaces to complete.",
        "1 space to complete without rows that the last verify did not find",
    ]);
    complete(&["--yes"]).expect(3).says(&["1 space to complete.", kept_back]);
    complete(&["--yes"]).expect(3).says(&[kept_back]);
    assert_eq!(room.status(J)["spaces"]["completed"], 1);
    // What is found when it is looked for again stands against nothing.
    shift(-1);
    tenure(&room, &emulator, &["verify", J, "--space", "AAQA1"]).expect(0);
    let run = complete(&["--yes"]).expect(0);
    let said = run.said();
    assert!(!said.contains("nobody has verified") && !said.contains("last verify"), "{said}");
    assert_eq!(room.status(J)["spaces"]["completed"], 2);
}

#[test]
fn where_the_journal_cannot_be_written() {
    let (room, emulator) = imported();
    // Somebody works with it.
    let lock = fs::File::open(room.file(&format!("{J}.lock"))).unwrap();
    lock.lock().unwrap();
    let run = tenure(&room, &emulator, &["verify", J]).expect(0);
    run.says(&[
        "12 rows",
        "is not kept for `tenure report`, `tenure status` and `tenure complete`: a run is working with the journal",
    ]);
    drop(lock);
    assert!(verified(&room).is_null());
    // It may only be read; the superuser may write everywhere.
    let read_only = |mode| fs::set_permissions(room.file(J), fs::Permissions::from_mode(mode)).unwrap();
    read_only(0o400);
    let may_write = fs::OpenOptions::new().write(true).open(room.file(J)).is_ok();
    let run = tenure(&room, &emulator, &["verify", J, "--json"]).expect(0);
    assert!(run.out.ends_with("}\n"), "{}", run.out);
    assert_eq!(run.err.contains("is not kept"), !may_write, "{}", run.err);
    read_only(0o600);
    assert_eq!(verified(&room).is_null(), !may_write);
}
