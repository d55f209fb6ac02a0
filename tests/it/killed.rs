//! kill -9 at any moment, over and over: nothing is lost and nothing is doubled.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Emulator, Room, SAMPLE, STORE, args, asked_for};

/// More rounds than this, and it gets nowhere.
const ROUNDS_MAX: usize = 40;

/// Runs an import and kills it, at moments drawn from a seed, until one is through. Returns how many were killed
/// while rows were being sent.
fn killed_until_done(room: &Room, args: &[String], journal: &str, store: &str, seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut struck = 0;
    let asked = asked_for(SAMPLE.as_ref());
    for _ in 0..ROUNDS_MAX {
        let before = room.held(store);
        let mut running = room.start(args);
        // A run that finds rows in flight gives their requests two seconds to arrive before it looks for them.
        let moments = match before.is_empty() {
            true => 0..1500,
            false if random.random_bool(0.2) => 0..400,
            false => 2200..3400,
        };
        let patience = Duration::from_millis(random.random_range(moments));
        let step = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while waited < patience && running.is_running() {
            std::thread::sleep(step);
            waited += step;
        }
        if !running.is_running() {
            let run = running.wait().expect(0);
            // The one before may have been killed when all was done but saying so.
            let through = ["Done: ", "Nothing was left to send"];
            assert!(through.iter().any(|end| run.out.starts_with(end)), "{}", run.out);
            return struck;
        }
        running.kill();
        let held = room.held(store);
        assert!(held.windows(2).all(|pair| pair[0] != pair[1]), "a membership is there twice");
        assert!(held.iter().all(|held| asked.binary_search(held).is_ok()), "nobody asked for this");
        assert!(before.iter().all(|known| held.binary_search(known).is_ok()), "a membership is gone");
        if held.len() > before.len() && held.len() < asked.len() {
            struck += 1;
        }
        if room.file(journal).exists() {
            // What the journal calls done is in Chat; the other way round there may be rows in flight.
            let rows = &room.status(journal)["rows"];
            let [done, in_flight] = ["done", "in_flight"].map(|state| rows[state].as_u64().unwrap() as usize);
            assert!(done <= held.len() && held.len() <= done + in_flight, "{rows}, {} held", held.len());
        }
    }
    panic!("{ROUNDS_MAX} rounds, and it is not done");
}

/// All is done, and doing it again does nothing.
fn is_complete(room: &Room, args: &[String], journal: &str, store: &str) {
    assert_eq!(room.held(store), asked_for(SAMPLE.as_ref()));
    let status = room.status(journal);
    let rows = serde_json::json!({
        "total": 574, "done": 517, "rejected": 0, "pending": 0, "in_flight": 0, "open": 57, "duplicate": 5,
    });
    assert_eq!(status["rows"], rows);
    let log = room.read(store);
    room.tenure(args).expect(0);
    assert_eq!(room.read(store), log);
    assert_eq!(room.status(journal), status);
}

#[test]
fn a_rehearsal() {
    let room = Room::new();
    let args = args(
        &[&["import", SAMPLE, "--emulator"], &["--writes-per-minute", "3000", "--progress", "none"]],
        &[],
    );
    let (journal, store) = ("memberships.csv.journal.db", "memberships.csv.journal.db.emulator");
    let struck = killed_until_done(&room, &args, journal, store, 1);
    assert!(struck >= 4, "only {struck} runs were killed while they sent");
    is_complete(&room, &args, journal, store);
}

#[test]
fn a_run_on_a_day_on_which_everything_goes_wrong() {
    let room = Room::new();
    let faults = ["error-before", "error-after", "reset-before", "reset-after", "html", "throttle"]
        .map(|kind| format!("{kind}=0.01"));
    // A Chat that makes two of what it is told twice: nothing but care keeps a row from being doubled.
    let mut options =
        vec!["--writes-per-minute", "0", "--latency", "5ms", "--seed", "7", "--double-repeated-creates"];
    options.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let emulator = Emulator::start(&room, &options);
    let args = args(
        &[
            &["import", SAMPLE, "--journal", "j.db", "--progress", "none"],
            &["--writes-per-minute", "3000", "--writes-per-minute-per-space", "0"],
        ],
        &emulator.connection(),
    );
    let struck = killed_until_done(&room, &args, "j.db", STORE, 2);
    assert!(struck >= 4, "only {struck} runs were killed while they sent");
    is_complete(&room, &args, "j.db", STORE);
}
