//! kill -9 at any moment, over and over: nothing is lost and nothing is doubled.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::migration::{Kind, Migration};
use crate::support::{Room, SAMPLE, args, asked_for, until};

/// How often a rehearsal is killed before it may end.
const KILLS: usize = 5;

/// A rehearsal, killed at moments drawn from a seed while it sends; its emulator dies with it.
#[test]
fn a_rehearsal() {
    let room = Room::new();
    let args = args(
        &[&["import", SAMPLE, "--emulator"], &["--writes-per-minute", "6000", "--progress", "none"]],
        &[],
    );
    let (journal, store) = ("memberships.csv.journal.db", "memberships.csv.journal.db.emulator");
    let asked = asked_for(SAMPLE.as_ref());
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..KILLS {
        let before = room.held(store);
        let mut running = room.start(&args);
        until("something is sent", || room.held(store).len() > before.len());
        running.ends_within(Duration::from_millis(random.random_range(0..250)));
        assert!(running.kill(), "it was over before it was killed");
        let held = room.held(store);
        assert!(held.windows(2).all(|pair| pair[0] != pair[1]), "a membership is there twice");
        assert!(held.iter().all(|held| asked.binary_search(held).is_ok()), "nobody asked for this");
        assert!(before.iter().all(|known| held.binary_search(known).is_ok()), "a membership is gone");
        // What the journal calls done is in Chat; the other way round there may be rows in flight.
        let rows = &room.status(journal)["rows"];
        let [done, in_flight] = ["done", "in_flight"].map(|state| rows[state].as_u64().unwrap() as usize);
        assert!(done <= held.len() && held.len() <= done + in_flight, "{rows}, {} held", held.len());
    }
    room.tenure(&args).expect(0).says(&["Done: "]);
    assert_eq!(room.held(store), asked);
    let status = room.standing(journal);
    let rows = serde_json::json!({
        "total": 574, "done": 517, "rejected": 0, "pending": 0, "in_flight": 0, "open": 57, "duplicate": 5,
        "merged": 0, "bridged": 0,
    });
    assert_eq!(status["rows"], rows);
    // Doing it again does nothing.
    let log = room.read(store);
    room.tenure(&args).expect(0);
    assert_eq!((room.read(store), room.standing(journal)), (log, status));
}

/// So many small migrations at a time (they wait more than they compute), each killed five times while everything goes
/// wrong that can.
const MIGRATIONS: u64 = 7;

fn killed_while_all_goes_wrong(kind: Kind) {
    let kills: usize = std::thread::scope(|scope| {
        let begin = |seed| scope.spawn(move || Migration::begin(kind, seed).killed_until_done());
        let migrations: Vec<_> = (0..MIGRATIONS).map(begin).collect();
        migrations.into_iter().map(|migration| migration.join().unwrap()).sum()
    });
    // Now and then one is over before it has been killed often enough.
    assert!(kills >= 30, "only {kills} runs were killed");
}

#[test]
fn on_a_chat_that_makes_two_of_what_it_is_told_twice() {
    killed_while_all_goes_wrong(Kind::Doubling);
}

#[test]
fn on_a_chat_that_takes_nobody_twice() {
    killed_while_all_goes_wrong(Kind::OneStint);
}

#[test]
fn in_spaces_that_are_not_in_import_mode() {
    killed_while_all_goes_wrong(Kind::Standard);
}
