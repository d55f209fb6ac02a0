//! A clock that is set while nothing runs. What is waited for within a run goes by a clock that nobody sets.

use rusqlite::Connection;

use crate::support::{Emulator, Room, STORE, UNPACED, args, asked_for, people, until};

/// Moves every time at which the journal says that something happened, in microseconds.
fn shift(room: &Room, by: i64) {
    let journal = Connection::open(room.file("j.db")).unwrap();
    for (table, columns) in [
        ("journal", &["created_at"][..]),
        ("sources", &["read_at"]),
        ("spaces", &["surveyed_at"]),
        ("rows", &["marked_at", "settled_at"]),
        ("runs", &["started_at", "ended_at"]),
    ] {
        for column in columns {
            journal.execute(&format!("UPDATE {table} SET {column} = {column} + ?1"), [by]).unwrap();
        }
    }
}

/// What the journal tells about times is for people to read; nothing is decided by it.
#[test]
fn set_between_two_runs() {
    const YEAR: i64 = 365 * 86_400 * 1_000_000;
    for by in [YEAR, -YEAR] {
        let room = Room::new();
        let options = ["--writes-per-minute", "0", "--latency", "30ms", "--double-repeated-creates"];
        let emulator = Emulator::start(&room, &options);
        room.write("rows.csv", people(60, 2));
        let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "4"];
        let import = args(&[&import, &UNPACED], &emulator.connection());
        let running = room.start(&import);
        until("some rows are in Chat", || room.held(STORE).len() > 20);
        running.kill();
        // As if the clock had gone the other way since.
        shift(&room, by);
        room.tenure(&["status", "j.db"]).expect(0).says(&["was cut off"]);
        room.tenure(&import).expect(0);
        assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
        // The latest run is the one that began last, whatever the clock said.
        room.tenure(&["status", "j.db"]).expect(0).says(&["the last run ended ", ": complete"]);
        assert_eq!(room.status("j.db")["rows"]["done"], 60);
    }
}
