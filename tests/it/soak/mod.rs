//! A run of days holds no more than one of hours: neither the engine and whoever looks on, nor the process around them.
//!
//! Days are virtual, in a process that does nothing else. What the engine and its onlookers hold is measured by writing all
//! of it out, the rest by the memory of the process. A real process against a real server is measured, too, for as many
//! calls as there is time for.
#![cfg(target_os = "linux")]

mod days;
mod world;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use days::{Days, Point, SOAK};

use crate::support::{Emulator, Room, STORE, UNPACED, args, people, until};

/// Bytes that an engine and its onlookers may fill when nothing is left to do, written out.
const HELD_AT_END_MAX: u64 = 40_000;
/// How much a process may have grown that has settled in, in KiB: what allocators round up, and no more.
const GROWTH_KIB_MAX: u64 = 2048;

/// Open files, and KiB of memory in use, of a process.
fn measured(process: &str) -> (usize, u64) {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (files, memory.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Runs a test of this module once more, in a process of its own, and returns what was measured there.
fn alone(test: &str, days: &str) -> Vec<Point> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(SOAK, days)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    said.lines().filter_map(Point::read).collect()
}

fn holds_no_more(test: &str, name: &str, days: Days) {
    if std::env::var(SOAK).is_ok_and(|soak| soak == name) {
        days.run();
        return;
    }
    let points = alone(test, name);
    let told: String = points.iter().map(|point| format!("{point}\n")).collect();
    let last = points.last().expect("something was measured");
    assert!(last.hours >= 24, "not even a day\n{told}");
    assert!(last.held < HELD_AT_END_MAX, "something stays when nothing is left to do\n{told}");
    // By the second it has settled in.
    let (early, late) = points[2..].split_at(points.len() / 3);
    let most = |points: &[Point], what: fn(&Point) -> u64| points.iter().map(what).max().unwrap();
    let (held_early, held_late) = (most(early, |point| point.held), most(late, |point| point.held));
    assert!(held_late <= held_early + held_early / 10, "the engine and its onlookers grow\n{told}");
    let (used_early, used_late) = (most(early, |point| point.memory), most(late, |point| point.memory));
    assert!(used_late <= used_early + GROWTH_KIB_MAX, "the process grows\n{told}");
    assert_eq!(points[0].files, last.files, "files stay open\n{told}");
    eprintln!("{told}");
}

#[test]
fn more_than_a_day_holds_no_more_than_hours() {
    let pace = Days { spaces: 600, rows_per_space: 40, writes_per_minute: 12, tick: Duration::from_secs(10) };
    holds_no_more("soak::more_than_a_day_holds_no_more_than_hours", "day", pace);
}

/// `cargo test --release --test it soak -- --ignored --nocapture` prints the figures.
#[test]
#[ignore = "minutes: 1.3 million calls"]
fn three_days_at_the_default_quota() {
    let pace =
        Days { spaces: 2000, rows_per_space: 650, writes_per_minute: 300, tick: Duration::from_secs(1) };
    holds_no_more("soak::three_days_at_the_default_quota", "three days", pace);
}

/// An import of so many rows, measured when a third of them is in Chat and when nearly all are, with metrics asked for all
/// the time.
fn a_process_holds_no_more(rows: usize) {
    let room = Room::new();
    room.write("rows.csv", people(rows, 30));
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "8"];
    let watched = ["--log", "/dev/null", "--metrics", "127.0.0.1:0", "--progress", "plain"];
    let mut running = room.start(&args(&[&import, &watched, &UNPACED], &emulator.connection()));
    let address = running.first_error_line("metrics at http://");
    let address = address.strip_prefix("metrics at http://").unwrap().strip_suffix("/metrics").unwrap();
    let ask = || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let held = || std::fs::read(room.file(STORE)).unwrap().iter().filter(|byte| **byte == b'\n').count();
    let process = running.id().to_string();
    let measure_at = |share: usize| {
        until("so many rows are in Chat", || {
            ask();
            std::thread::sleep(Duration::from_millis(20));
            held() > rows * share / 100
        });
        measured(&process)
    };
    let ((files_early, used_early), (files_late, used_late)) = (measure_at(33), measure_at(90));
    running.wait().expect(0);
    let told =
        format!("{rows} rows: {used_early} KiB, {files_early} files; {used_late} KiB, {files_late} files");
    // A connection for metrics may be on its way out.
    assert!(files_late <= files_early + 2, "files stay open: {told}");
    assert!(used_late <= used_early + GROWTH_KIB_MAX, "the process grows: {told}");
    eprintln!("{told}");
}

#[test]
fn a_process_holds_no_more_at_its_end() {
    a_process_holds_no_more(1500);
}

#[test]
#[ignore = "minutes: 100,000 calls"]
fn a_long_process_holds_no_more_at_its_end() {
    a_process_holds_no_more(100_000);
}
