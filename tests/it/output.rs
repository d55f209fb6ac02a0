//! Results on standard output, progress on standard error, in the form that was asked for.

use serde_json::Value;

use crate::support::{Emulator, Room, UNPACED, args, people};

fn room() -> Room {
    let room = Room::new();
    room.write("rows.csv", people(40, 4));
    room
}

fn rehearse(room: &Room, progress: &str) -> (String, String) {
    let import = ["import", "rows.csv", "--emulator", "--progress", progress];
    let run = room.tenure(&args(&[&import, &UNPACED], &[])).expect(0);
    (run.out, run.err)
}

/// Whether there is an escape sequence.
fn is_plain(text: &str) -> bool {
    !text.contains(['\u{1b}', '\r'])
}

#[test]
fn results_and_progress_do_not_mix() {
    let room = room();
    let (out, err) = rehearse(&room, "auto");
    assert!(out.starts_with("Done: 40 rows settled in "), "{out}");
    assert_eq!(err, "read 40 rows\n");
    let run = room.tenure(&["status", "rows.csv.journal.db"]).expect(0);
    assert!(run.out.starts_with("import to emulator: "), "{}", run.out);
    assert_eq!(run.err, "");
}

#[test]
fn plain_on_a_terminal_that_cannot_move_back() {
    for (kind, moves_back) in [(Some("dumb"), false), (None, false), (Some("xterm"), true)] {
        let room = room();
        let import = args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[]);
        let import: Vec<&str> = import.iter().map(AsRef::as_ref).collect();
        let Some((running, _keyboard)) = room.on_terminal(kind, &import) else { return };
        let shown = running.wait().expect(0).out;
        assert_eq!(shown.contains('\u{1b}'), moves_back, "{kind:?}: {shown:?}");
        assert_eq!(shown.contains("read 40 rows\r\n"), !moves_back, "{kind:?}: {shown:?}");
        assert!(shown.contains("Done: 40 rows settled in "), "{kind:?}: {shown:?}");
        let status = ["status", "rows.csv.journal.db", "--watch"];
        let (running, _keyboard) = room.on_terminal(kind, &status).unwrap();
        let shown = running.wait().expect(0).out;
        let on_one_line = "100 %, 40 of 40 rows settled; not running; the last run ended ";
        assert_eq!(shown.contains(on_one_line), !moves_back, "{kind:?}: {shown:?}");
        assert!(moves_back || !shown.contains('\u{1b}'), "{kind:?}: {shown:?}");
    }
}

#[test]
fn plain_where_there_is_no_terminal() {
    for progress in ["auto", "plain", "bar"] {
        let (out, err) = rehearse(&room(), progress);
        assert!(is_plain(&out) && is_plain(&err), "{progress}: {out:?} {err:?}");
    }
    let room = room();
    for color in [("NO_COLOR", "1"), ("CLICOLOR", "1"), ("TERM", "xterm-256color")] {
        let run = room.tenure_env(&["--help"], &[color]).expect(0);
        assert!(is_plain(&run.out), "{}", run.out);
        let run = room.tenure_env(&["import"], &[color]).expect(2);
        assert!(is_plain(&run.err), "{}", run.err);
    }
}

#[test]
fn none_is_silent() {
    let (out, err) = rehearse(&room(), "none");
    assert!(out.starts_with("Done: "), "{out}");
    assert_eq!(err, "");
}

#[test]
fn every_line_of_json_is_json() {
    let room = room();
    let emulator = Emulator::start(
        &room,
        &["--writes-per-minute", "1500", "--fault", "error-before=0.1", "--fault", "throttle=0.05"],
    );
    let import = args(&[&["import", "rows.csv", "--progress", "json"], &UNPACED], &emulator.connection());
    let run = room.tenure(&import).expect(0);
    let events: Vec<Value> = run.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    assert_eq!(of("read")[0]["rows"], 40);
    assert!(!of("throttled").is_empty() && !of("retry").is_empty(), "{}", run.err);
    let last = *of("progress").last().unwrap();
    assert_eq!((&last["total"], &last["done"]), (&40.into(), &40.into()));
    assert_eq!(*last, *events.last().unwrap());
    let status = room.status("rows.csv.journal.db");
    assert_eq!(last["requests"], status["requests"], "both count alike");
}

#[test]
fn whatever_goes_wrong_is_an_object_a_line() {
    let room = room();
    room.write("bad.csv", "space,member,createTime,deleteTime\nspaces/A,nobody,2020-01-01T00:00:00Z,\n");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["import", "bad.csv", "--emulator"], 4, "problem"),
        (&["import", "bad.csv", "--emulator", "--dry-run"], 4, "problem"),
        (&["check", "bad.csv"], 4, "problem"),
        (&["plan", "rows.csv", "--spaces", "nowhere.csv"], 4, "problem"),
        (&["resume", "nowhere.db"], 1, "error"),
        (&["import", "rows.csv", "--emulator", "--format", "xlsx"], 2, "error"),
    ];
    for (command, code, kind) in cases {
        let run = room.tenure(&[command, &["--progress", "json"]].concat()).expect(code);
        let events: Vec<Value> = run.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(events.iter().any(|event| event["event"] == kind), "{command:?}: {}", run.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let room = room();
    room.tenure(&["import", "rows.csv", "--journal-only", "--emulator"]).expect(0);
    for args in [&["completions", "bash"][..], &["--help"], &["rejects", "rows.csv.journal.db"]] {
        let mut command = room.command(args);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[test]
fn status_is_one_object() {
    let room = room();
    rehearse(&room, "none");
    let run = room.tenure(&["status", "--json", "rows.csv.journal.db"]).expect(0);
    assert_eq!(run.out.lines().count(), 1);
    let status: Value = serde_json::from_str(&run.out).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in ["operation", "journal", "rows", "requests", "spaces"] {
        assert!(keys(&status).contains(&key.to_owned()), "{status}");
    }
    let rows =
        ["total", "done", "rejected", "pending", "in_flight", "open", "duplicate", "merged", "bridged"];
    assert_eq!(keys(&status["rows"]), rows);
    assert_eq!(keys(&status["requests"]), ["sent", "ok", "throttled", "failed"]);
    assert_eq!(keys(&status["spaces"]), ["total", "settled", "completed"]);
}
