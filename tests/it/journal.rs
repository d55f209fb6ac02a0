//! The journal: what is in it, what is refused, and what one that exists lets a run do.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use crate::support::{Emulator, Room, SAMPLE, STORE, UNPACED, args, asked_for, people, until};

const REHEARSE: [&str; 3] = ["import", "rows.csv", "--emulator"];

#[test]
fn a_dry_run_writes_nothing() {
    let room = Room::new();
    room.write("rows.csv", people(9, 2));
    let run = room.tenure(&args(&[&REHEARSE, &["--dry-run"]], &[])).expect(0);
    assert!(run.out.contains("9 rows read: 9 to send; 2 spaces."), "{}", run.out);
    assert!(run.out.ends_with("This was a dry run: nothing was written, nothing was sent.\n"), "{}", run.out);
    assert_eq!(room.files(), ["rows.csv"]);
    // With a journal there, it tells what is left to do, and leaves the journal as it is.
    room.tenure(&args(&[&REHEARSE, &UNPACED], &[])).expect(0);
    let status = room.status("rows.csv.journal.db");
    room.write("rows.csv", people(11, 2));
    let run = room.tenure(&args(&[&REHEARSE, &["--dry-run"]], &[])).expect(0);
    assert!(run.out.contains("11 rows read: 2 to send"), "{}", run.out);
    assert_eq!(room.status("rows.csv.journal.db"), status);
    // What is wrong is found as well.
    room.write("bad.csv", "space,member\n#x,y\n");
    room.tenure(&["import", "bad.csv", "--emulator", "--dry-run"]).expect(4);
    room.tenure(&["import", "bad.csv", "--emulator", "--dry-run", "--skip-invalid"]).expect(3);
    assert!(!room.file("bad.csv.journal.db").exists());
}

#[test]
fn journaled_first_and_sent_later() {
    let room = Room::new();
    room.write("rows.csv", people(9, 2));
    let run = room.tenure(&args(&[&REHEARSE, &["--journal-only"]], &[])).expect(0);
    assert_eq!(
        run.out,
        "9 rows journaled in rows.csv.journal.db, 9 to send.\nSend them with: tenure resume rows.csv.journal.db\n"
    );
    assert!(!room.file("rows.csv.journal.db.emulator").exists());
    assert_eq!(room.status("rows.csv.journal.db")["rows"]["pending"], 9);
    let slip = room.tenure(&["status", "rows.csv"]).expect(1);
    assert_eq!(
        slip.err,
        "error: rows.csv: this is not a tenure journal; did you mean rows.csv.journal.db?\n"
    );
    std::fs::create_dir(room.file("folder")).unwrap();
    room.write("folder/rows.csv", "space,member\n");
    room.tenure(&["status", "folder/rows.csv"]).expect(1).says(&["did you mean rows.csv.journal.db?"]);
    room.write("other.csv", "space,member\nBüro,a@b.cd\n");
    room.tenure(&["status", "other.csv"])
        .expect(1)
        .says(&["other.csv: this is a text, and not a tenure journal;"]);
    std::fs::remove_file(room.file("rows.csv")).unwrap();
    room.tenure(&["resume", "rows.csv.journal.db"]).expect(0);
    assert_eq!(room.held("rows.csv.journal.db.emulator").len(), 9);
}

#[test]
fn only_its_owner_reads_it() {
    let room = Room::new();
    room.write("rows.csv", people(9, 2));
    room.tenure(&args(&[&REHEARSE, &UNPACED], &[])).expect(0);
    for name in room.files().iter().filter(|name| *name != "rows.csv") {
        let mode = std::fs::metadata(room.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn nobody_else_while_it_is_written() {
    let room = Room::new();
    room.write("rows.csv", people(500, 2));
    let run = room.start(&args(&[&REHEARSE, &["--writes-per-minute", "600"]], &[]));
    until("rows are sent", || {
        room.files().iter().any(|name| name.ends_with("-wal"))
            && room.files().iter().any(|name| name.ends_with(".emulator"))
    });
    let files = room.files();
    for name in files.iter().filter(|name| *name != "rows.csv") {
        let mode = std::fs::metadata(room.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(files.iter().any(|name| name.ends_with("-shm")), "{files:?}");
    run.kill();
}

#[test]
fn it_tells_what_became_of_each_row() {
    let room = Room::new();
    let last = "spaces/AAQA1,Ünal@Example.com,,2021-05-05T00:00:00Z\nspaces/AAQA1,gone@example.invalid,,2021-01-01T00:00:00Z\n";
    room.write("rows.csv", people(1, 1) + last);
    room.tenure(&args(&[&REHEARSE, &UNPACED], &[])).expect(3);
    let journal = Connection::open(room.file("rows.csv.journal.db")).unwrap();
    let mut statement = journal
        .prepare("SELECT space, member, user, state, attempts, status, membership, origin FROM tenures")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut texts = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let field = |index| match row.get_ref(index).unwrap() {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            _ => "-".to_owned(),
        };
        texts.push((0..8).map(field).collect::<Vec<_>>());
    }
    let user = &texts[1][2];
    assert!(user.starts_with("users/1") && user.len() == 27, "the canonical id: {user}");
    let id = user.trim_start_matches("users/");
    let origin = |line| format!("{}:{line}", std::fs::canonicalize(room.file("rows.csv")).unwrap().display());
    assert_eq!(texts[1][..2], ["spaces/AAQA1", "users/ünal@example.com"]);
    assert_eq!(texts[1][3..6], ["done", "1", "200"]);
    assert_eq!(texts[1][6..], [format!("spaces/AAQA1/members/{id}"), origin(3)]);
    assert_eq!(texts[2][1..6], ["users/gone@example.invalid", "-", "rejected", "1", "400"]);
}

#[test]
fn new_rows_are_added_and_done_ones_left_alone() {
    let room = Room::new();
    room.write("rows.csv", people(9, 2));
    let import = args(&[&REHEARSE, &UNPACED], &[]);
    room.tenure(&import).expect(0);
    let run = room.tenure(&import).expect(0);
    assert!(run.out.starts_with("Nothing was left to send"), "{}", run.out);
    room.write("rows.csv", people(12, 2));
    let run = room.tenure(&import).expect(0);
    assert!(run.out.starts_with("Done: 3 rows settled"), "{}", run.out);
    assert_eq!(room.held("rows.csv.journal.db.emulator"), asked_for(&room.file("rows.csv")));
}

#[test]
fn one_process_at_a_time() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &["--latency", "100ms"]);
    let import =
        args(&[&["import", SAMPLE, "--journal", "j.db", "--max-in-flight", "1"]], &emulator.connection());
    let running = room.start(&import);
    until("it sends", || !room.held(STORE).is_empty());
    let refusal = format!(
        "error: j.db: another tenure process (pid {}) is working with this journal; wait for it, or stop it first\n",
        running.id()
    );
    for second in [import, args(&[&["resume", "j.db"]], &[])] {
        let run = room.tenure(&second).expect(1);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("", refusal.as_str()));
    }
    // Looking is allowed meanwhile.
    assert_eq!(room.status("j.db")["running"], true);
    room.tenure(&["rejects", "j.db"]).expect(0);
    assert!(running.kill());
    assert_eq!(room.status("j.db")["running"], false);
}

#[test]
fn the_lock_of_a_process_that_was_killed_is_free() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &["--latency", "50ms", "--writes-per-minute", "0"]);
    room.write("rows.csv", people(30, 2));
    let import =
        args(&[&["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "1"]], &emulator.connection());
    let mut running = room.start(&import);
    until("it sends", || !room.held(STORE).is_empty());
    // One that stands still holds it as well.
    running.signal("STOP");
    let refusal = format!("another tenure process (pid {}) is working with this journal", running.id());
    room.tenure(&["resume", "j.db"]).expect(1).says(&[&refusal]);
    assert!(running.kill());
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn of_several_that_begin_at_once_one_gets_it() {
    let room = Room::new();
    let options = ["--latency", "100ms", "--writes-per-minute", "0", "--double-repeated-creates"];
    let emulator = Emulator::start(&room, &options);
    room.write("rows.csv", people(30, 2));
    let import = args(&[&["import", "rows.csv", "--journal", "j.db"], &UNPACED], &emulator.connection());
    let all: Vec<_> = (0..4).map(|_| room.start(&import)).collect();
    let mut refused = 0;
    for run in all.into_iter().map(crate::support::Running::wait) {
        if run.code == Some(1) {
            refused += 1;
            run.says(&["is working with this journal; wait for it, or stop it first"]);
        } else {
            run.expect(0);
        }
    }
    assert!(refused > 0, "they came one after the other");
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    assert_eq!(room.status("j.db")["rows"]["total"], 30);
}

#[test]
fn a_journal_from_a_later_version_is_refused() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    room.tenure(&args(&[&REHEARSE, &UNPACED], &[])).expect(0);
    let journal = Connection::open(room.file("rows.csv.journal.db")).unwrap();
    journal.pragma_update(None, "user_version", 99).unwrap();
    drop(journal);
    let journal = "rows.csv.journal.db";
    for command in [&REHEARSE[..], &["resume", journal], &["status", journal], &["rejects", journal]] {
        let run = room.tenure(command).expect(1);
        assert!(run.err.contains("rows.csv.journal.db: this journal has schema version 99"), "{}", run.err);
        assert!(run.err.contains("use the tenure that wrote it, or a newer one"), "{}", run.err);
    }
}

#[test]
fn other_files_are_no_journals() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    let other = Connection::open(room.file("other.db")).unwrap();
    other.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1);").unwrap();
    drop(other);
    room.write(
        "text.db",
        "not SQLite at all, but long enough to look like a file with something in it\n".repeat(99),
    );
    room.write("rows.db", people(2, 1));
    let damaged =
        "this is not a tenure journal; if it was one, its beginning is damaged: put a copy of it back";
    let text = "this is a text, and not a tenure journal; name the journal (of an input FILE it is FILE.journal.db, where it \
                was not called otherwise), or for a new one another --journal FILE, one that is not there yet";
    for (file, what) in [("other.db", damaged), ("text.db", text), ("rows.db", text)] {
        let before = std::fs::read(room.file(file)).unwrap();
        for command in [
            &["import", "rows.csv", "--emulator", "--journal", file][..],
            &["resume", file],
            &["status", file],
            &["rejects", file],
        ] {
            let run = room.tenure(command).expect(1);
            assert_eq!(run.err.lines().last().unwrap(), format!("error: {file}: {what}"));
        }
        // No dump of the bytes.
        assert!(std::fs::read(room.file(file)).unwrap() == before, "{file} was changed");
    }
}

#[test]
fn a_rehearsal_is_not_continued_elsewhere() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    room.tenure(&args(&[&REHEARSE, &UNPACED], &[])).expect(0);
    let emulator = Emulator::start(&room, &[]);
    let journal = "rows.csv.journal.db";
    for command in [&["import", "rows.csv"][..], &["resume", journal]] {
        let run = room.tenure(&args(&[command], &emulator.connection())).expect(1);
        assert!(
            run.err.contains(
                "this journal belongs to a rehearsal (--emulator), and this run would go to http://127"
            ),
            "{}",
            run.err
        );
    }
    assert_eq!(room.held(STORE), []);
    // Nor the other way round.
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "real.db"]], &emulator.connection())).expect(0);
    room.tenure(&["import", "rows.csv", "--journal", "real.db", "--emulator"]).expect(1);
    room.tenure(&["resume", "real.db", "--emulator"]).expect(1);
}

#[test]
fn a_run_remembers_its_settings() {
    let room = Room::new();
    room.write("rows.csv", people(4, 1));
    let emulator = Emulator::start(&room, &[]);
    let import = &["import", "rows.csv", "--journal-only", "--writes-per-minute", "0"];
    room.tenure(&args(&[import], &emulator.connection())).expect(0);
    // From another folder, with nothing but the journal: the key is found where it was.
    std::fs::create_dir(room.file("elsewhere")).unwrap();
    let journal = room.file("rows.csv.journal.db");
    let mut command = room.command(&["resume", journal.to_str().unwrap()]);
    command.current_dir(room.file("elsewhere"));
    assert!(assert_cmd::Command::from_std(command).output().unwrap().status.success());
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}
