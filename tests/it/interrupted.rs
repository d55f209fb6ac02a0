//! Asked to stop, whatever it is at: it stops, says how to go on, and goes on.

use std::process::Command;
use std::time::Duration;

use crate::support::{Emulator, Room, Running, STORE, UNPACED, args, asked_for, people, until};

/// Both signals, with their exit codes.
const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];
const ROWS: usize = 6;

/// A run of a few rows.
fn run(room: &Room, emulator: &Emulator, writes_per_minute: &str) -> Running {
    room.write("rows.csv", people(ROWS, 2));
    let import = ["import", "rows.csv", "--journal", "j.db", "--writes-per-minute", writes_per_minute];
    room.start(&args(&[&import], &emulator.connection()))
}

/// Something that `status` counts, as far as there is a journal yet.
fn counted(room: &Room, group: &str, what: &str) -> u64 {
    if room.file("j.db").exists() { room.status("j.db")[group][what].as_u64().unwrap() } else { 0 }
}

/// Stops it, with one signal that is enough; then all is as it should be, and on a good day the rest is done.
#[track_caller]
fn stops_and_goes_on(room: &Room, emulator: Emulator, mut running: Running, (signal, code): (&str, i32)) {
    until("it listens", || handles(running.id(), signal));
    running.signal(signal);
    running.wait().expect(code).says(&["Stopped: interrupted.", "go on tenure resume j.db"]);
    assert_eq!(room.status("j.db")["running"], false);
    let _emulator = emulator.restart(room, &["--writes-per-minute", "0"]);
    room.tenure(&args(&[&["resume", "j.db"], &UNPACED], &[])).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn while_it_reads_from_a_pipe_that_says_nothing() {
    for (signal, code) in SIGNALS {
        let room = Room::new();
        let rows = people(ROWS, 2);
        for command in [&["import", "-", "--journal", "j.db", "--emulator"][..], &["check", "-"]] {
            let (mut running, pipe) = room.start_fed(command, &rows);
            // Its handlers are there before it reads.
            until("it has begun", || handles(running.id(), signal));
            running.signal(signal);
            running.wait().expect(code).says(&["nothing was sent. Run the same command again"]);
            drop(pipe);
        }
        assert!(!room.file("j.db").exists());
        room.tenure_fed(&["import", "-", "--journal", "j.db", "--emulator"], rows).expect(0);
        assert_eq!(room.status("j.db")["rows"]["done"], ROWS);
        assert!(!room.file("j.db.new").exists(), "what the others left is gone");
    }
}

#[test]
fn while_it_converts() {
    let room = Room::new();
    // An export that nobody writes.
    assert!(Command::new("mkfifo").arg(room.file("export")).status().unwrap().success());
    let convert = ["convert", "matrix", "export"];
    let mut both = SIGNALS.map(|(signal, code)| (room.start(&convert), signal, code));
    for (running, signal, _) in &mut both {
        until("it listens", || handles(running.id(), signal));
        running.signal(signal);
    }
    for (running, _, code) in both {
        running.wait().expect(code).says(&[
            "Interrupted; nothing was written. Run the same command again for memberships.jsonl, channels.csv.",
        ]);
    }
    assert_eq!(room.files(), ["export"]);
}

/// An export of more rows than a pipe holds.
fn long_export(room: &Room) {
    let mut events = String::new();
    for number in 0..800 {
        let id = format!("@sailor{number}:harbor.example");
        events += &format!(
            "{{\"type\": \"m.room.member\", \"room_id\": \"!quay:harbor.example\", \"sender\": \"{id}\", \"state_key\": \"{id}\", \
             \"event_id\": \"${number}\", \"origin_server_ts\": {}, \"content\": {{\"membership\": \"join\"}}}}\n",
            1_609_491_600_000_i64 + number
        );
    }
    room.write("export.jsonl", events);
}

#[test]
fn while_it_writes_what_it_has_converted() {
    let room = Room::new();
    long_export(&room);
    let convert = ["convert", "matrix", "export.jsonl", "--domain", "harbor.example", "-o", "-"];
    let drafts = |room: &Room| room.files().iter().filter(|name| name.ends_with(".tenure")).count();
    for (signal, code) in SIGNALS {
        // Nobody reads more of it than this.
        let mut running = room.start(&convert);
        assert!(running.first_line().contains("sailor"));
        assert_eq!(drafts(&room), 1, "it is in the middle of it: {:?}", room.files());
        running.signal(signal);
        running.wait().expect(code).says(&[
            "Interrupted; no file was written, and standard output may hold a part.",
            "Run the same command again for all rows, and channels.csv.",
        ]);
        assert_eq!(room.files(), ["export.jsonl"]);
    }
    // What kill -9 leaves, the next run clears away.
    let mut running = room.start(&convert);
    running.first_line();
    assert!(running.kill());
    assert_eq!(drafts(&room), 1);
    room.tenure(&convert[..5]).expect(0);
    assert_eq!(room.files(), ["channels.csv", "export.jsonl", "memberships.jsonl"]);
}

#[test]
fn while_whoever_writes_to_its_pipe_is_interrupted_too() {
    let room = Room::new();
    // Half a row, which looks like a whole one: somebody who is still a member.
    let torn = "space,member,createTime,deleteTime\nA,a@example.com,2020-01-01T00:00:00Z,";
    let (mut running, pipe) = room.start_fed(&["import", "-", "--journal", "j.db", "--emulator"], torn);
    until("it has begun", || handles(running.id(), "INT"));
    running.signal("INT");
    std::thread::sleep(Duration::from_millis(300));
    drop(pipe);
    running.wait().expect(130).says(&["nothing of it was journaled"]);
    assert!(!room.file("j.db").exists());
}

#[test]
fn while_it_looks_what_is_there() {
    for signal in SIGNALS {
        let room = Room::new();
        let emulator = Emulator::start(&room, &["--fault", "hang=1"]);
        let running = run(&room, &emulator, "0");
        until("it has begun", || begun(&room));
        stops_and_goes_on(&room, emulator, running, signal);
    }
}

#[test]
fn while_it_waits_before_it_looks_for_what_was_lost() {
    for signal in SIGNALS {
        let room = Room::new();
        let emulator = Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "300ms"]);
        let killed = run(&room, &emulator, "0");
        until("rows are in flight", || counted(&room, "rows", "in_flight") > 0);
        killed.kill();
        let running = room.start(&["resume", "j.db"]);
        until("it has begun", || room.status("j.db")["running"] == true);
        stops_and_goes_on(&room, emulator, running, signal);
    }
}

#[test]
fn while_it_waits_out_a_backoff() {
    for signal in SIGNALS {
        let room = Room::new();
        let emulator = Emulator::start(&room, &["--fault", "error-before=1"]);
        let running = run(&room, &emulator, "0");
        until("it has failed several times", || counted(&room, "requests", "failed") > 3);
        stops_and_goes_on(&room, emulator, running, signal);
    }
}

#[test]
fn while_it_waits_for_the_quota() {
    for signal in SIGNALS {
        let room = Room::new();
        // Its own, of one write a minute.
        let emulator = Emulator::start(&room, &[]);
        let running = run(&room, &emulator, "1");
        until("the one is done", || counted(&room, "rows", "done") == 1);
        stops_and_goes_on(&room, emulator, running, signal);
        // Chat's.
        let room = Room::new();
        let emulator = Emulator::start(&room, &["--writes-per-minute", "1"]);
        let running = run(&room, &emulator, "0");
        until("it was refused", || counted(&room, "requests", "throttled") > 0);
        stops_and_goes_on(&room, emulator, running, signal);
    }
}

#[test]
fn twice_while_it_sends() {
    for [first, second] in [["TERM", "TERM"], ["INT", "TERM"]] {
        let room = Room::new();
        let emulator = Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "2s"]);
        let mut running = run(&room, &emulator, "0");
        until("rows are under way", || counted(&room, "rows", "in_flight") > 0);
        running.signal(first);
        // What comes together is one signal.
        std::thread::sleep(Duration::from_millis(700));
        running.signal(second);
        running.wait().expect(143).says(&["left at once; go on with: tenure resume j.db"]);
        let _emulator = emulator.restart(&room, &["--writes-per-minute", "0"]);
        room.tenure(&["resume", "j.db"]).expect(0);
        assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    }
}

/// A laptop that is closed in the middle of it, and opened when every token has ended and no answer is waited for.
#[test]
fn stopped_for_longer_than_a_token_lives() {
    let room = Room::new();
    let emulator =
        Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "20ms", "--token-life", "1s"]);
    room.write("rows.csv", people(60, 2));
    let import =
        ["import", "rows.csv", "--journal", "j.db", "--request-timeout", "1s", "--max-in-flight", "2"];
    let mut running = room.start(&args(&[&import, &UNPACED], &emulator.connection()));
    until("some rows are in Chat", || room.held(STORE).len() > 10);
    running.signal("STOP");
    std::thread::sleep(Duration::from_millis(2500));
    assert!(running.is_running() && room.status("j.db")["running"] == true);
    assert!(room.held(STORE).len() < 60, "it was over before it was stopped");
    running.signal("CONT");
    running.wait().expect(0).says(&["Done: 60 rows settled"]);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

/// Whether a process has a handler for a signal, as far as the system tells.
fn handles(id: u32, signal: &str) -> bool {
    let number = if signal == "INT" { 2 } else { 15 };
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) else { return true };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & 1 << (number - 1) != 0)
}

/// Whether a run has begun to send.
fn begun(room: &Room) -> bool {
    room.file("j.db").exists() && room.tenure(&["status", "j.db"]).out.contains("running")
}
