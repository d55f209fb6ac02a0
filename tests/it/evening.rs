//! What an operator does on an evening that nobody planned: files overwritten, deleted and edited in between.

use std::time::Duration;

use crate::support::{Emulator, Room, STORE, args, asked_for, people, until};

/// An import that takes a while, with some of its rows in Chat already.
fn under_way(room: &Room, options: &[&str]) -> (Emulator, crate::support::Running) {
    room.write("rows.csv", people(400, 4));
    let emulator = Emulator::start(room, options);
    let import = ["import", "rows.csv", "--journal", "j.db", "--writes-per-minute", "3000"];
    let running = room.start(&args(&[&import], &emulator.connection()));
    until("some rows are in Chat", || room.held(STORE).len() > 3);
    (emulator, running)
}

#[test]
fn a_file_without_an_end_says_what_that_means() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,createTime,left_at\nspaces/A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n",
    );
    let run = room.tenure(&["check", "rows.csv"]).expect(0);
    for said in [
        "warning[unread-column]: left_at: it is not read, and there is no deleteTime: every row counts as a member to this day",
        " --> rows.csv:1:25\n",
        "1 | space,member,createTime,left_at\n  |                         ^^^^^^^\n",
        "= help: if it says until when somebody was a member, rename it to deleteTime\n",
    ] {
        assert!(run.err.contains(said), "{}", run.err);
    }
    // So do those that do not show warnings otherwise.
    for command in [&["plan", "rows.csv"][..], &["import", "rows.csv", "--emulator", "--progress", "plain"]] {
        let run = room.tenure(command).expect(0);
        assert!(run.err.contains("left_at"), "{}", run.err);
        assert!(run.err.contains("rename it to deleteTime"), "{}", run.err);
    }
}

#[test]
fn rejects_overwrite_nothing() {
    let room = Room::new();
    room.write("rows.csv", people(3, 1));
    room.tenure(&["import", "rows.csv", "--emulator", "--writes-per-minute", "0"]).expect(0);
    for file in ["rows.csv", "rows.csv.journal.db"] {
        let before = std::fs::read(room.file(file)).unwrap();
        let run = room.tenure(&["rejects", "rows.csv.journal.db", "-o", file]).expect(1);
        assert!(run.err.contains(&format!("{file} is there already")), "{}", run.err);
        assert!(std::fs::read(room.file(file)).unwrap() == before, "{file} was changed");
    }
    room.tenure(&["rejects", "rows.csv.journal.db", "-o", "new.csv"]).expect(0);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(room.file("new.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds addresses");
}

#[test]
fn a_reject_whose_cause_is_gone_is_sent_when_it_is_fed_back() {
    let room = Room::new();
    let rows = "space,member,createTime,deleteTime\n\
        spaces/OLD,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n\
        spaces/NEW,b@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n";
    room.write("rows.csv", rows);
    // Only one of the two spaces is there.
    let space = |name: &str| {
        serde_json::json!({ "space": {
            "name": name, "displayName": name, "spaceType": "SPACE", "importMode": true,
            "createTime": "2000-01-01T00:00:00Z", "created": jiff::Timestamp::now().to_string(),
            "externalUserAllowed": false,
        }})
        .to_string()
    };
    room.write(STORE, format!("{}\n", space("spaces/OLD")));
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let port = emulator.port();
    let connection = emulator.connection();
    let import = |file: &str| args(&[&["import", file, "--journal", "j.db"]], &connection);
    let run = room.tenure(&import("rows.csv")).expect(3);
    assert!(run.out.contains("SPACE_REFUSED"), "{}", run.out);
    drop(emulator);
    let _emulator = Emulator::start_on(&room, port, &[]);
    room.tenure(&import("rows.csv")).expect(3);
    room.tenure(&["rejects", "j.db", "-o", "rejects.csv"]).expect(0);
    room.tenure(&import("rejects.csv")).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    let rows = room.status("j.db")["rows"].clone();
    assert_eq!((&rows["done"], &rows["rejected"], &rows["total"]), (&2.into(), &0.into(), &2.into()));
}

#[test]
fn somebody_has_left_since() {
    let room = Room::new();
    let open = "space,member,createTime,deleteTime\nspaces/A,a@example.com,2020-01-01T00:00:00Z,\n";
    room.write("rows.csv", open);
    let import = ["import", "rows.csv", "--emulator", "--writes-per-minute", "0"];
    room.tenure(&import).expect(0);
    room.write("rows.csv", open.replace(":00Z,\n", ":00Z,2021-01-01T00:00:00Z\n"));
    room.tenure(&import).expect(0);
    let rows = room.status("rows.csv.journal.db")["rows"].clone();
    assert_eq!((&rows["done"], &rows["open"], &rows["total"]), (&1.into(), &0.into(), &1.into()));
}

#[test]
fn a_journal_that_is_deleted_stops_the_run() {
    let room = Room::new();
    let (_emulator, running) = under_way(&room, &["--writes-per-minute", "0"]);
    for file in ["j.db", "j.db-wal", "j.db-shm"] {
        std::fs::remove_file(room.file(file)).unwrap();
    }
    let run = running.wait().expect(1);
    assert!(
        run.err.contains("j.db: the journal or its -wal file was deleted, cut short or replaced"),
        "{}",
        run.err
    );
}

#[test]
fn what_a_deleted_journal_left_is_not_taken_for_the_next_ones() {
    let room = Room::new();
    let (emulator, running) = under_way(&room, &["--writes-per-minute", "0"]);
    running.kill();
    std::fs::remove_file(room.file("j.db")).unwrap();
    assert!(room.file("j.db-wal").exists());
    let import = args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection());
    let run = room.tenure(&import).expect(1);
    assert!(run.err.contains("the journal is gone, but j.db-wal is there"), "{}", run.err);
    assert!(!room.file("j.db").exists(), "nothing was begun");
}

#[test]
fn a_lock_file_that_is_deleted_lets_nobody_in() {
    let room = Room::new();
    let (emulator, running) = under_way(&room, &["--writes-per-minute", "0"]);
    std::fs::remove_file(room.file("j.db.lock")).unwrap();
    let import = args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection());
    let run = room.tenure(&import).expect(1);
    assert!(run.err.contains("another tenure process is working with this journal"), "{}", run.err);
    running.wait().expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn the_second_ctrl_c_says_how_to_go_on() {
    let room = Room::new();
    let (_emulator, mut running) = under_way(&room, &["--writes-per-minute", "0", "--latency", "4s"]);
    running.signal("INT");
    // What comes together is one signal.
    std::thread::sleep(Duration::from_millis(700));
    running.signal("INT");
    let run = running.wait().expect(130);
    assert!(run.err.contains("left at once; go on with: tenure resume j.db"), "{}", run.err);
}
