//! Who looks on while a run goes: `status --watch`, `--log`, `--metrics`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Emulator, Room, Running, UNPACED, args, people, until};

/// An import under way that does not end by itself before long.
fn under_way(room: &Room, options: &[&str]) -> (Emulator, Running) {
    answered_within(room, "50ms", options)
}

/// The same with answers that take so long.
fn answered_within(room: &Room, latency: &str, options: &[&str]) -> (Emulator, Running) {
    room.write("rows.csv", people(40, 4));
    let emulator = Emulator::start(room, &["--latency", latency]);
    let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "1"];
    let running = room.start(&args(&[&import, &UNPACED, options], &emulator.connection()));
    until("some rows are done", || {
        room.file("j.db").exists() && room.status("j.db")["rows"]["done"].as_u64() > Some(1)
    });
    (emulator, running)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn status_is_shown_again_and_again_until_the_run_ends() {
    let room = Room::new();
    let (_emulator, running) = under_way(&room, &[]);
    let run = room.tenure(&["status", "j.db", "--watch", "0.1"]).expect(0);
    assert_eq!(run.err, "");
    let shown: Vec<&str> = run.out.lines().collect();
    assert!(shown.len() > 2, "{}", run.out);
    assert!(shown[0].contains("of 40 rows settled") && shown[0].contains("; running (pid "), "{}", run.out);
    let last = shown[shown.len() - 1];
    assert!(
        last.contains("100 %, 40 of 40 rows settled; not running; the last run ended ")
            && last.ends_with(": complete"),
        "{last}"
    );
    running.wait().expect(0);
    // Nothing runs any more: once is enough.
    let run = room.tenure(&["status", "j.db", "--watch", "--json"]).expect(0);
    assert_eq!(lines(&run.out).len(), 1);
}

#[test]
fn whoever_watches_leaves_quietly() {
    let room = Room::new();
    let (_emulator, running) = under_way(&room, &[]);
    let mut watching = room.start(&["status", "j.db", "--watch=60"]);
    watching.first_line();
    watching.signal("INT");
    let run = watching.wait().expect(130);
    assert_eq!(run.err, "");
    assert!(running.kill(), "the run goes on");
}

/// What a terminal shows since it was drawn on last.
fn last_screen(shown: &str) -> String {
    let last = shown.rsplit_once("\u{1b}[").and_then(|(_, moved)| moved.split_once(char::is_alphabetic));
    last.map_or(shown, |(_, drawn)| drawn).replace("\r\n", "\n")
}

#[test]
fn the_last_screen_stays_when_the_run_has_ended() {
    let room = Room::new();
    let (_emulator, running) = under_way(&room, &[]);
    let watch = ["status", "j.db", "--watch", "0.3"];
    let Some((watching, _keyboard)) = room.on_terminal(Some("xterm"), &watch) else { return };
    running.wait().expect(0);
    let shown = watching.wait().expect(0).out;
    assert_eq!(last_screen(&shown), room.tenure(&["status", "j.db"]).expect(0).out, "{shown:?}");
}

#[test]
fn the_last_screen_stays_when_whoever_watches_leaves() {
    let room = Room::new();
    let (_emulator, running) = answered_within(&room, "300ms", &[]);
    let watch = ["status", "j.db", "--watch", "0.3"];
    let Some((mut watching, mut keyboard)) = room.on_terminal(Some("xterm"), &watch) else { return };
    let mut shown = String::new();
    until("it is drawn a second time", || {
        shown += &watching.first_line();
        shown += "\n";
        shown.contains('\u{1b}')
    });
    keyboard.write_all(b"\x03").unwrap();
    let left = watching.wait().expect(130);
    let screen = last_screen(&(shown + &left.out));
    // Whatever comes next goes over what the terminal has written of the key.
    let screen = screen.strip_suffix("^C\r").unwrap();
    let begins: Vec<&str> = screen.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!((begins[0], begins[begins.len() - 1]), ("import", "spaces"), "{screen:?}");
    assert!(begins.contains(&"pending") && screen.ends_with('\n'), "{screen:?}");
    assert!(!screen.contains(['\r', '\u{1b}']), "{screen:?}");
    assert!(running.kill(), "the run goes on");
}

#[test]
fn options_that_swallow_what_follows_say_so() {
    let room = Room::new();
    room.tenure(&["status", "--watch", "j.db"]).expect(2).says(&["the journal comes before --watch"]);
    let import = ["import", "--emulator", "--retry-rejected", "rows.csv"];
    room.tenure(&import).expect(2).says(&["files come before --retry-rejected"]);
}

#[test]
fn every_call_is_logged() {
    let room = Room::new();
    let mut rows = people(40, 4);
    rows += "spaces/AAQA1,anna@example.invalid,,2020-01-01T00:00:00Z\n";
    room.write("rows.csv", rows);
    let faults = ["--fault", "error-before=0.1", "--fault", "throttle=0.05", "--fault", "reset-after=0.05"];
    let emulator = Emulator::start(&room, &faults);
    let import = ["import", "rows.csv", "--journal", "j.db", "--log", "calls.jsonl"];
    let import = args(&[&import, &UNPACED], &emulator.connection());
    room.tenure(&import).expect(3);
    // What was there stays, and what follows comes behind it.
    room.tenure(&args(&[&["resume", "j.db", "--retry-rejected", "--log", "calls.jsonl"]], &[])).expect(3);
    let text = room.read("calls.jsonl");
    let logged = lines(&text);
    let of = |event: &str| logged.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!((of("begin").len(), of("end").len()), (2, 2));
    assert_eq!(of("end")[0]["outcome"], "complete");
    let calls = of("call");
    let sent =
        calls.iter().filter(|call| call["outcome"] != "not_applied" || !call["status"].is_null()).count();
    assert_eq!(sent as u64, room.status("j.db")["requests"]["sent"].as_u64().unwrap(), "{text}");
    let refused: Vec<_> = calls.iter().filter(|call| call["outcome"] == "refused").collect();
    assert_eq!(refused.len(), 2, "once in each run: {text}");
    assert!(refused[0]["line"].as_str().unwrap().ends_with("/rows.csv:42"), "{}", refused[0]);
    assert_eq!(
        (&refused[0]["member"], &refused[0]["status"], &refused[0]["kind"]),
        (&"users/anna@example.invalid".into(), &400.into(), &"INVALID_ARGUMENT".into())
    );
    assert!(refused[1]["attempt"].as_u64() > refused[0]["attempt"].as_u64());
    let listed = calls.iter().find(|call| call["method"] == "spaces.members.list").unwrap();
    assert!(listed["member"].is_null() && listed["line"].is_null(), "{listed}");
    // Nothing secret is in it, and nobody else reads it.
    for secret in ["Bearer", "PRIVATE KEY", "assertion", "access_token"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let mode = std::fs::metadata(room.file("calls.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_log_that_cannot_be_opened_is_told_before_anything_begins() {
    let room = Room::new();
    room.write("rows.csv", people(3, 1));
    std::fs::create_dir(room.file("folder")).unwrap();
    for (log, why) in [
        ("nowhere/calls.jsonl", "the folder that it was to lie in is not there; make that first"),
        ("folder", "it is a folder, not a file"),
        ("rows.csv/calls.jsonl", "a part of its path is a file, not a folder"),
    ] {
        let run = room.tenure(&["import", "rows.csv", "--emulator", "--log", log]).expect(1);
        let head = format!("--log {log}: no log of calls can be kept there: {why}");
        let run = run.says(&[&head, "nothing was sent", "name another file"]);
        assert!(!run.err.contains("os error"), "{}", run.err);
    }
    assert!(!room.file("rows.csv.journal.db").exists());
}

#[test]
fn a_log_takes_no_file_that_is_something_else() {
    let room = Room::new();
    let rows = people(3, 1);
    room.write("rows.csv", &rows);
    room.write("people.csv", "id,member\n");
    room.write("notes.txt", "mine\n");
    std::os::unix::fs::symlink("rows.csv", room.file("other.csv")).unwrap();
    let import = ["import", "rows.csv", "--users", "people.csv", "--emulator", "--log"];
    for (log, code, why) in [
        ("rows.csv", 2, "--log rows.csv: that is an input of this run, and a log would spoil it"),
        ("other.csv", 2, "--log other.csv: that is an input of this run"),
        ("people.csv", 2, "that is the map of users of this run"),
        ("./rows.csv.journal.db", 2, "that is the journal of this run"),
        ("notes.txt", 1, "that file is there already, and it is no log of calls, so nothing was added to it"),
    ] {
        let mode = || Some(std::fs::metadata(room.file(log)).ok()?.permissions().mode());
        let before = mode();
        let run = room.tenure(&[&import[..], &[log]].concat()).expect(code);
        run.says(&[why, "nothing was sent", "give the log a file of its own, e.g. --log calls.jsonl"]);
        assert_eq!(mode(), before, "{log}");
    }
    assert_eq!((room.read("rows.csv"), room.read("notes.txt").as_str()), (rows, "mine\n"));
    assert!(!room.file("rows.csv.journal.db").exists());
    // One that was made and never written to is as good as none.
    room.write("calls.jsonl", "");
    room.tenure(&[&import[..], &["calls.jsonl"]].concat()).expect(0);
    room.tenure(&["resume", "rows.csv.journal.db", "--log", "rows.csv.journal.db"])
        .expect(2)
        .says(&["that is the journal of this run"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_on_a_full_disk_does_not_stop_the_run() {
    let room = Room::new();
    room.write("rows.csv", people(3, 1));
    let import = ["import", "rows.csv", "--emulator", "--log", "/dev/full"];
    let run = room.tenure(&import).expect(0);
    assert_eq!(run.err.matches("the log cannot be written").count(), 1, "{}", run.err);
}

/// What is served at a path.
fn get(port: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn figures_are_served_while_it_runs() {
    let room = Room::new();
    let (_emulator, mut running) = under_way(&room, &["--metrics", "0", "--progress", "plain"]);
    let line = running.first_error_line("metrics at ");
    let port = line.trim_end_matches("/metrics").rsplit(':').next().unwrap().to_owned();
    let value = |text: &str, sample: &str| -> Option<f64> {
        text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
    };
    until("rows are told", || {
        let (status, text) = get(&port, "/metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        let done = value(&text, "tenure_rows{state=\"done\"}");
        let ok = value(&text, "tenure_requests_total{method=\"spaces.members.create\",outcome=\"ok\"}");
        done > Some(3.0) && ok > Some(3.0) && value(&text, "tenure_journal_commit_seconds_count") > Some(3.0)
    });
    let (_, text) = get(&port, "/metrics");
    assert!(!text.contains("example.com") && !text.contains("AAQA"), "{text}");
    assert_eq!(get(&port, "/").0, "HTTP/1.1 404 Not Found");
    running.wait().expect(0);
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_err(), "it ends with the run");
}

#[test]
fn figures_are_for_this_machine_alone() {
    let room = Room::new();
    room.write("rows.csv", people(3, 1));
    let import = ["import", "rows.csv", "--emulator", "--metrics", "0.0.0.0:9464"];
    room.tenure(&import).expect(2).says(&["anybody could read it there", "ssh -L 9464:127.0.0.1:9464 HOST"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let import = ["import", "rows.csv", "--emulator", "--metrics", &address];
    let run = room.tenure(&import).expect(1);
    let run = run.says(&[
        "no figures can be served there: another program listens there already",
        "let --metrics 0 take a free",
    ]);
    assert!(!run.err.contains("os error"), "{}", run.err);
    let port = taken.local_addr().unwrap().port().to_string();
    let run = room.tenure(&["emulator", "--port", &port]).expect(1);
    let run = run.says(&["another program listens there already; choose another with --port", "--port 0"]);
    assert!(!run.err.contains("os error"), "{}", run.err);
}
