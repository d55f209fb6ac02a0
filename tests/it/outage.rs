//! Bad days on which nobody kills anything: faults of every kind, and an API that goes away.

use std::time::Duration;

use crate::support::{Emulator, Room, SAMPLE, STORE, UNPACED, args, asked_for, people, until};

/// Imports the sample while these faults strike; it ends complete, with every row exactly once.
fn survives(faults: &[&str], options: &[&str]) -> serde_json::Value {
    let room = Room::new();
    let mut emulator = vec!["--writes-per-minute", "0", "--seed", "3"];
    emulator.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let emulator = Emulator::start(&room, &emulator);
    let args = args(&[&["import", SAMPLE, "--journal", "j.db"], &UNPACED, options], &emulator.connection());
    room.tenure(&args).expect(0);
    assert_eq!(room.held(STORE), asked_for(SAMPLE.as_ref()));
    let status = room.status("j.db");
    assert_eq!(status["rows"]["done"], 517);
    status["requests"].clone()
}

#[test]
fn answers_that_are_lost_after_the_write() {
    let requests = survives(&["error-after=0.06", "reset-after=0.06"], &[]);
    assert!(requests["failed"].as_u64() > Some(20), "{requests}");
}

#[test]
fn requests_that_fail_before_the_write() {
    let requests = survives(&["error-before=0.04", "reset-before=0.04", "html=0.04"], &[]);
    assert!(requests["failed"].as_u64() > Some(20), "{requests}");
}

#[test]
fn refusals_for_the_quota() {
    let requests = survives(&["throttle=0.01"], &[]);
    assert!(requests["throttled"].as_u64() > Some(0), "{requests}");
}

#[test]
fn answers_that_never_come() {
    let requests = survives(&["hang=0.01"], &["--request-timeout", "300ms"]);
    assert!(requests["failed"].as_u64() > Some(0), "{requests}");
}

#[test]
fn tokens_that_are_refused_now_and_then() {
    let room = Room::new();
    let emulator =
        Emulator::start(&room, &["--writes-per-minute", "0", "--fault", "unauthorized=0.02", "--seed", "3"]);
    let import = args(&[&["import", SAMPLE, "--journal", "j.db"], &UNPACED], &emulator.connection());
    let mut run = room.tenure(&import);
    // A fresh token that is refused as well stops the run, and now and then one is.
    for _ in 0..5 {
        if run.code == Some(5) {
            assert!(
                run.out.starts_with("Stopped: Chat refuses a token that was fetched just now"),
                "{}",
                run.out
            );
            run = room.tenure(&import);
        }
    }
    run.expect(0);
    assert_eq!(room.held(STORE), asked_for(SAMPLE.as_ref()));
}

#[test]
fn a_token_endpoint_in_trouble() {
    let room = Room::new();
    room.write("rows.csv", people(6, 1));
    let emulator = Emulator::start(&room, &["--fault", "token-error=0.5", "--seed", "1"]);
    let import = args(&[&["import", "rows.csv", "--max-in-flight", "1"]], &emulator.connection());
    room.tenure(&import).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn an_api_that_goes_away_and_comes_back_in_time() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "20ms"]);
    let port = emulator.port();
    let import = args(
        &[&["import", SAMPLE, "--journal", "j.db", "--max-in-flight", "4"], &UNPACED],
        &emulator.connection(),
    );
    let run = room.start(&import);
    until("some rows are in Chat", || room.held(STORE).len() > 40);
    emulator.kill();
    std::thread::sleep(Duration::from_millis(300));
    let _emulator = Emulator::start_on(&room, port, &["--writes-per-minute", "0"]);
    // It knows none of the old one's tokens, so new ones are fetched on the way.
    let run = run.wait().expect(0);
    assert!(run.err.contains("no connection: "), "{}", run.err);
    assert_eq!(room.held(STORE), asked_for(SAMPLE.as_ref()));
}

#[test]
fn a_wrong_endpoint_is_named_and_binds_nothing() {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let elsewhere: Vec<String> = emulator
        .connection()
        .into_iter()
        .map(|arg| if arg.starts_with("http://") { wrong.clone() } else { arg })
        .collect();
    let import = ["import", "rows.csv", "--give-up-after", "300ms"];
    let run = room.tenure(&args(&[&import], &elsewhere)).expect(5);
    let host = wrong.trim_start_matches("http://").trim_end_matches('/');
    assert!(run.err.contains(&format!("no connection: {host}: ")), "{}", run.err);
    run.says(&[&format!(
        "a Chat API is listening at {wrong}; then go on, with another --endpoint if that one is wrong"
    )]);
    // Nothing was sent there, so the rows may go elsewhere.
    room.tenure(&args(&[&import], &emulator.connection())).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    room.tenure(&args(&[&import], &elsewhere)).expect(1).says(&["this journal belongs to"]);
}

#[test]
fn nobody_answers_at_all() {
    let room = Room::new();
    room.write("rows.csv", people(20, 2));
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    let (port, connection) = (emulator.port(), emulator.connection());
    emulator.kill();
    let import = args(&[&["import", "rows.csv", "--give-up-after", "500ms"]], &connection);
    let run = room.tenure(&import).expect(5);
    assert!(run.out.contains("check the network"), "{}", run.out);
    assert!(run.out.contains(&format!("http://127.0.0.1:{port}/; then go on")), "{}", run.out);
    assert!(run.err.contains(&format!("127.0.0.1:{port}")), "{}", run.err);
    assert_eq!(room.status("rows.csv.journal.db")["rows"]["pending"], 20);
    let _emulator = Emulator::start_on(&room, port, &["--writes-per-minute", "0"]);
    room.tenure(&["resume", "rows.csv.journal.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn a_token_endpoint_that_nobody_reaches_is_told() {
    let room = Room::new();
    room.write("rows.csv", people(4, 2));
    let emulator = Emulator::start(&room, &[]);
    let mut key: serde_json::Value = serde_json::from_str(&room.read("key.json")).unwrap();
    key["token_uri"] = "http://127.0.0.1:9/token".into();
    room.write("key.json", key.to_string());
    let import = ["import", "rows.csv", "--journal", "j.db", "--progress", "json", "--give-up-after", "3s"];
    let run = room.tenure(&args(&[&import], &emulator.connection())).expect(5);
    let events = run.err.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: Vec<_> = events.skip_while(|event| event["event"] != "unreachable").collect();
    let progress: Vec<_> = told.iter().filter(|event| event["event"] == "progress").collect();
    assert!(!progress.is_empty(), "{}", run.err);
    for event in progress {
        assert_eq!(event["why"][0], "unreachable", "{event}");
        assert_eq!(event["pace"]["why"], "unreachable", "{event}");
    }
}
