//! Scripts read exit codes: one test for each.

use crate::support::{
    Emulator, Room, Running, SAMPLE, SAMPLES, STORE, UNPACED, args, asked_for, people, until,
};

#[test]
fn zero_when_all_is_done() {
    let room = Room::new();
    let run = room.tenure(&args(&[&["import", SAMPLE, "--emulator"], &UNPACED], &[])).expect(0);
    assert!(run.out.starts_with("Done: 517 rows settled in "), "{}", run.out);
    assert_eq!(room.held("memberships.csv.journal.db.emulator"), asked_for(SAMPLE.as_ref()));
    let status = room.status("memberships.csv.journal.db");
    assert_eq!(status["operation"], "import");
    assert_eq!(status["journal"], "memberships.csv.journal.db");
    let rows = serde_json::json!({
        "total": 574, "done": 517, "rejected": 0, "pending": 0, "in_flight": 0, "open": 57, "duplicate": 5,
        "merged": 0, "bridged": 0,
    });
    assert_eq!(status["rows"], rows);
    assert_eq!(status["spaces"], serde_json::json!({ "total": 12, "settled": 12, "completed": 0 }));
}

#[test]
fn one_when_it_failed() {
    let room = Room::new();
    let run = room.tenure(&["resume", "nowhere.db"]).expect(1);
    assert_eq!(run.out, "");
    assert_eq!(run.err, "error: nowhere.db: there is no such journal; `tenure import` makes one\n");
    room.tenure(&["status", "nowhere.db"]).expect(1);
    room.tenure(&["rejects", "nowhere.db"]).expect(1);
    assert_eq!(room.files(), [""; 0], "asking made nothing");
}

#[test]
fn two_when_it_was_used_wrongly() {
    let room = Room::new();
    room.write("rows.csv", people(1, 1));
    let wrong: &[&[&str]] = &[
        &[],
        &["imports", "rows.csv"],
        &["import"],
        &["import", "rows.csv", "--endpoint", "http://127.0.0.1:1/", "--emulator"],
        &["import", "rows.csv", "--emulator", "--dry-run", "--journal-only"],
        &["import", "rows.csv", "--emulator", "--writes-per-minute", "-1"],
        &["import", "rows.csv", "--emulator", "--writes-per-minute", "fast"],
        &["import", "rows.csv", "--emulator", "--give-up-after", "soon"],
        &["import", "rows.csv", "--emulator", "--max-in-flight", "some"],
        &["import", "rows.csv", "--emulator", "--timezone", "Mars/Olympus"],
        &["import", "rows.csv", "--emulator", "--format", "xlsx"],
        &["import", "rows.csv", "--endpoint", "http://example.com/"],
        &["import", "rows.csv", "rows.csv", "--emulator"],
        &["import", "-", "--emulator"],
        &["emulator", "--fault", "fire=0.1"],
        &["completions", "cobol"],
    ];
    for args in wrong {
        let run = room.tenure(args);
        assert_eq!(run.code, Some(2), "{args:?}\n{}{}", run.out, run.err);
        assert_eq!(run.out, "", "{args:?}");
        assert!(!run.err.is_empty(), "{args:?}");
    }
    assert_eq!(room.files(), ["rows.csv"], "nothing was begun");
}

#[test]
fn three_when_rows_were_rejected() {
    let room = Room::new();
    // The emulator knows nobody in .invalid.
    room.write("rows.csv", people(5, 2) + "spaces/A,gone@example.invalid,,2020-01-01T00:00:00Z\n");
    let run = room.tenure(&args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[])).expect(3);
    assert!(run.out.contains("see why   tenure rejects rows.csv.journal.db"), "{}", run.out);
    let status = room.status("rows.csv.journal.db");
    assert_eq!((&status["rows"]["done"], &status["rows"]["rejected"]), (&5.into(), &1.into()));
    // Asking again does not make it better.
    room.tenure(&["resume", "rows.csv.journal.db"]).expect(3);
    assert_eq!(room.status("rows.csv.journal.db")["requests"], status["requests"]);
}

#[test]
fn four_when_the_input_has_errors() {
    let room = Room::new();
    let broken = format!("{SAMPLES}/broken.csv");
    let spaces = format!("{SAMPLES}/spaces.csv");
    for command in [&["check", &broken][..], &["import", &broken, "--emulator"]] {
        let run = room.tenure(&[command, &["--spaces", &spaces]].concat()).expect(4);
        assert!(run.out.contains("14 problems"), "{}", run.out);
        assert!(run.err.contains("broken.csv:3:"), "{}", run.err);
    }
    assert_eq!(room.files(), [""; 0], "nothing was journaled, and nothing sent");
}

/// An import that goes on for a while, against an emulator of its own.
fn long_import(room: &Room, options: &[&str]) -> (Emulator, Running) {
    let emulator = Emulator::start(room, &["--writes-per-minute", "0", "--latency", "30ms"]);
    let running = room.start(&args(
        &[&["import", SAMPLE, "--journal", "j.db", "--max-in-flight", "4"], &UNPACED, options],
        &emulator.connection(),
    ));
    until("some rows are in Chat", || room.held(STORE).len() > 40);
    (emulator, running)
}

/// Whatever stopped it: resuming ends it, with every row exactly once.
fn resumes_to_the_end(room: &Room) {
    let before = room.status("j.db");
    assert!(before["rows"]["pending"].as_u64() > Some(0), "it was over before it was stopped: {before}");
    assert_eq!(before["running"], false);
    room.tenure(&["resume", "j.db", "--max-in-flight", "auto"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(SAMPLE.as_ref()));
    let after = room.status("j.db");
    assert_eq!((&after["rows"]["done"], &after["rows"]["open"]), (&517.into(), &57.into()));
}

#[test]
fn five_when_it_gave_up() {
    let room = Room::new();
    let (emulator, running) = long_import(&room, &["--give-up-after", "1s"]);
    let port = emulator.port();
    emulator.kill();
    let run = running.wait().expect(5);
    assert!(run.out.starts_with("Stopped: nothing has succeeded for "), "{}", run.out);
    assert!(run.out.contains("go on     tenure resume j.db\n"), "{}", run.out);
    let _emulator = Emulator::start_on(&room, port, &["--writes-per-minute", "0"]);
    resumes_to_the_end(&room);
}

#[test]
fn a_hundred_and_thirty_after_ctrl_c() {
    let room = Room::new();
    let (_emulator, mut running) = long_import(&room, &["--log", "calls.jsonl"]);
    running.signal("INT");
    let run = running.wait().expect(130);
    assert!(run.out.starts_with("Stopped: interrupted."), "{}", run.out);
    assert!(run.out.contains("go on     tenure resume j.db\n"), "{}", run.out);
    // As a value it is a word, without the sentence's full stop.
    assert!(room.read("calls.jsonl").contains("\"outcome\":\"interrupted\""));
    let status = room.tenure(&["status", "j.db"]).expect(0).out;
    assert!(status.contains("the last run ended ") && status.contains(": interrupted\n"), "{status}");
    assert_eq!(room.status("j.db")["rows"]["in_flight"], 0, "what was under way got its time to finish");
    resumes_to_the_end(&room);
}

#[test]
fn a_hundred_and_forty_three_after_sigterm() {
    let room = Room::new();
    let (_emulator, mut running) = long_import(&room, &[]);
    running.signal("TERM");
    running.wait().expect(143);
    resumes_to_the_end(&room);
}

#[test]
fn the_second_ctrl_c_leaves_at_once() {
    let room = Room::new();
    // Answers that take this long would keep the first one waiting.
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "1s"]);
    room.write("rows.csv", people(8, 1));
    let mut running =
        room.start(&args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection()));
    until("rows are under way", || {
        room.file("j.db").exists() && room.status("j.db")["rows"]["in_flight"].as_u64() > Some(0)
    });
    running.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(running.is_running(), "it waits for what is under way");
    running.signal("INT");
    running.wait().expect(130);
    assert_eq!(room.status("j.db")["rows"]["total"], 8);
}

#[test]
fn five_from_each_command_that_could_go_on_with_another_key() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    room.write("rows.csv", people(3, 1));
    room.write("channels.csv", "name,displayName\nhall,Hall\n");
    let connection = emulator.connection();
    room.tenure(&args(&[&["import", "rows.csv", "--journal-only"]], &connection)).expect(0);
    room.tenure(&args(&[&["spaces", "create", "channels.csv"]], &connection)).expect(0);
    room.write("broken.json", "{}");
    for key in ["nowhere.json", "broken.json"] {
        let commands: &[&[&str]] = &[
            &["import", "rows.csv", "--impersonate", "a@example.com"],
            &["spaces", "create", "channels.csv", "--impersonate", "a@example.com"],
            &["resume", "rows.csv.journal.db"],
            &["verify", "rows.csv.journal.db"],
        ];
        for command in commands {
            let run = room.tenure(&[command, &["--credentials", key][..]].concat()).expect(5);
            assert!(run.err.contains(key) && run.err.contains("--credentials KEY.json"), "{}", run.err);
        }
        let new = ["import", "rows.csv", "--journal", "new.db", "--impersonate", "a@example.com"];
        room.tenure(&[&new[..], &["--credentials", key]].concat()).expect(1);
    }
    assert!(!room.file("new.db").exists());
}

#[test]
fn four_when_the_input_or_a_map_is_not_there() {
    let room = Room::new();
    room.write("rows.csv", people(1, 1));
    for command in [&["check"][..], &["plan"], &["import", "--emulator", "--journal", "j.db"]] {
        for rest in [&["nowhere.csv"][..], &["rows.csv", "--spaces", "nowhere.csv"]] {
            room.tenure(&[command, rest].concat()).expect(4);
        }
    }
    assert_eq!(room.files(), ["rows.csv"], "nothing was begun");
}
