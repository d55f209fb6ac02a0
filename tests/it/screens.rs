//! What a person reads at the end of a run, and when asking where it stands: pinned, but for what differs each time.

use crate::support::{Emulator, Room, SAMPLE, SAMPLES, UNPACED, args, people};

/// Checks a text with everything that differs from run to run replaced.
macro_rules! assert_screen {
    ($name:literal, $text:expr) => {
        insta::with_settings!({filters => vec![
            (r"settled in (under )?\d+ \w+( \d+ \w+)?", "settled in TIME"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"succeeded for \d+ \w+( \d+ \w+)?;", "succeeded for TIME;"),
            (r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d", "DAY TIME"),
            (r"the file \S+/key\.json", "the file FOLDER/key.json"),
            (r"it is \d{4}-\d\d-\d\dT[0-9:.]+Z now", "it is TIME now"),
        ]}, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

#[test]
fn a_run_that_is_complete() {
    let room = Room::new();
    let run = room.tenure(&args(&[&["import", SAMPLE, "--emulator"], &UNPACED], &[])).expect(0);
    assert_screen!("complete", run.out);
    let again = room.tenure(&["resume", "memberships.csv.journal.db"]).expect(0);
    insta::assert_snapshot!("nothing_left", again.out);
    let status = room.tenure(&["status", "memberships.csv.journal.db"]).expect(0);
    assert_screen!("status_complete", status.out);
}

#[test]
fn a_run_with_rejects() {
    let room = Room::new();
    let mut rows = people(6, 2);
    rows += "spaces/AAQA1,anna@example.invalid,,2020-01-01T00:00:00Z\n";
    rows += "spaces/AAQA1,groups/01abc,,2020-01-01T00:00:00Z\n";
    rows += "spaces/AAQA1,bob@example.com,2020-01-01T00:00:00Z,\n";
    rows += "#general,carla@example.com,2020-01-01T00:00:00Z,\n";
    room.write("my rows.csv", rows);
    let import = ["import", "my rows.csv", "--emulator", "--skip-invalid"];
    let run = room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    assert_screen!("rejects", run.out);
    let status = room.tenure(&["status", "my rows.csv.journal.db"]).expect(0);
    assert_screen!("status_rejects", status.out);
}

#[test]
fn a_run_that_gave_up() {
    let room = Room::new();
    room.write("rows.csv", people(12, 2));
    let emulator = Emulator::start(&room, &["--fault", "error-before=1"]);
    let import = ["import", "rows.csv", "--give-up-after", "1s"];
    let run = room.tenure(&args(&[&import], &emulator.connection())).expect(5);
    assert_screen!("gave_up", run.out);
    let status = room.tenure(&["status", "rows.csv.journal.db"]).expect(0);
    assert_screen!("status_gave_up", status.out);
}

#[test]
fn a_run_that_was_killed() {
    let room = Room::new();
    room.write("rows.csv", people(40, 4));
    let emulator = Emulator::start(&room, &["--latency", "1s"]);
    let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "5"];
    let running = room.start(&args(&[&import], &emulator.connection()));
    crate::support::until("five rows are under way", || {
        room.file("j.db").exists() && room.status("j.db")["rows"]["in_flight"] == 5
    });
    assert!(running.kill());
    let status = room.tenure(&["status", "j.db"]).expect(0);
    assert_screen!("status_killed", status.out);
}

#[test]
fn broken_input() {
    let room = Room::new();
    for file in ["broken.csv", "spaces.csv"] {
        std::fs::copy(format!("{SAMPLES}/{file}"), room.file(file)).unwrap();
    }
    let broken = ["--progress", "none", "broken.csv", "--spaces", "spaces.csv"];
    let run = room.tenure(&[&["check"], &broken[..]].concat()).expect(4);
    assert_screen!("broken_input", run.err);
    insta::assert_snapshot!("broken_input_verdict", run.out);
    let run = room.tenure(&[&["import", "--emulator"], &broken[..]].concat()).expect(4);
    insta::assert_snapshot!("broken_input_import", run.out);
}
