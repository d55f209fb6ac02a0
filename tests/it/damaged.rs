//! Journals that are not what a run has left: cut short, overwritten, taken away. Chat is asked for nothing because of
//! them, and nothing is called complete.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::{Emulator, Room, Running, STORE, UNPACED, args, asked_for, people, until};

/// As many as make a journal of many pages.
const ROWS: usize = 300;
const PAGE: u64 = 4096;
/// A Chat that takes its time, but all that comes.
const CHAT: [&str; 4] = ["--writes-per-minute", "0", "--latency", "30ms"];

/// A run that is under way, and what it needs.
fn under_way(room: &Room) -> (Emulator, Running) {
    room.write("rows.csv", people(ROWS, 3));
    let emulator = Emulator::start(room, &CHAT);
    let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "4"];
    let running = room.start(&args(&[&import, &UNPACED], &emulator.connection()));
    until("some rows are in Chat", || room.held(STORE).len() > 20);
    (emulator, running)
}

/// A journal whose run was killed, all in one file. What the run had asked for last, Chat would still do: it begins anew,
/// so that from now on it does only what it is asked.
fn left(room: &Room) -> Emulator {
    let (emulator, running) = under_way(room);
    running.kill();
    let emulator = emulator.restart(room, &CHAT);
    let journal = Connection::open(room.file("j.db")).unwrap();
    journal.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    emulator
}

/// Every command on `j.db` refuses it, with this story; nobody has heard of it, and it is as it was.
#[track_caller]
fn is_refused(room: &Room, emulator: &Emulator, commands: &[&str], story: &str) {
    let (held, journal) = (room.held(STORE), fs::read(room.file("j.db")).unwrap());
    for command in commands {
        let run = match *command {
            "import" => room.tenure(&args(
                &[&["import", "rows.csv", "--journal", "j.db"], &UNPACED],
                &emulator.connection(),
            )),
            command => room.tenure(&[command, "j.db"]),
        };
        let run = run.expect(1).says(&[&format!("error: j.db: {story}")]);
        assert_eq!(run.out, "", "{command}");
        assert!(!run.err.contains("panicked"), "{command}: {}", run.err);
    }
    assert!(fs::read(room.file("j.db")).unwrap() == journal, "it was changed");
    assert_eq!(room.held(STORE), held);
}

const ALL: [&str; 4] = ["import", "resume", "status", "rejects"];
/// The others look at what they need, and may never meet the damage.
const RUNS: [&str; 2] = ["import", "resume"];

const NONE: &str =
    "this is not a tenure journal; if it was one, its beginning is damaged: put a copy of it back";
const EMPTY: &str = "the file is empty; if it was a journal, put a copy of it back, and else remove it";
const DAMAGED: &str = "the journal is damaged (";

fn cut(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Bytes that mean nothing, the same each time.
fn overwrite(path: &Path, at: u64, length: u64) {
    let bytes: Vec<u8> = (0..length).map(|number| (number * 167 + 13) as u8).collect();
    fs::File::options().write(true).open(path).unwrap().write_all_at(&bytes, at).unwrap();
}

#[test]
fn cut_short_between_two_runs() {
    let room = Room::new();
    let emulator = left(&room);
    let whole = fs::read(room.file("j.db")).unwrap();
    let length = whole.len() as u64;
    cut(&room.file("j.db"), 0);
    is_refused(&room, &emulator, &ALL, EMPTY);
    for (length, commands) in [(length / 2, &ALL[..]), (length - PAGE / 2, &RUNS), (length - PAGE, &RUNS)] {
        fs::write(room.file("j.db"), &whole).unwrap();
        cut(&room.file("j.db"), length);
        is_refused(&room, &emulator, commands, DAMAGED);
    }
    fs::write(room.file("j.db"), &whole).unwrap();
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn overwritten_between_two_runs() {
    let room = Room::new();
    let emulator = left(&room);
    let whole = fs::read(room.file("j.db")).unwrap();
    overwrite(&room.file("j.db"), 0, 100);
    is_refused(&room, &emulator, &ALL, NONE);
    // The content of each page in turn.
    let mut pages = 0;
    for (number, page) in (0..).zip(whole.chunks(PAGE as usize)) {
        if let Some(begin) = content(page, if number == 0 { 100 } else { 0 }) {
            fs::write(room.file("j.db"), &whole).unwrap();
            overwrite(&room.file("j.db"), number * PAGE + begin, PAGE - begin);
            is_refused(&room, &emulator, &["resume"], DAMAGED);
            pages += 1;
        }
    }
    assert!(pages > 20, "only {pages} pages");
}

/// Where the content of a page of SQLite's begins, if it has any; its header is at `at`.
fn content(page: &[u8], at: usize) -> Option<u64> {
    let number = |at: usize| u64::from(u16::from_be_bytes([page[at], page[at + 1]]));
    let is_tree = [2, 5, 10, 13].contains(&page[at]);
    (is_tree && number(at + 3) > 0).then(|| number(at + 5))
}

#[test]
fn edited_between_two_runs() {
    let room = Room::new();
    let emulator = left(&room);
    let journal = Connection::open(room.file("j.db")).unwrap();
    journal.execute("UPDATE rows SET state = 0 WHERE state = 2", []).unwrap();
    drop(journal);
    is_refused(&room, &emulator, &RUNS, "the journal is damaged (its rows and their counts disagree)");
}

#[test]
fn another_programs_file_in_its_place() {
    let room = Room::new();
    let emulator = left(&room);
    fs::remove_file(room.file("j.db")).unwrap();
    Connection::open(room.file("j.db")).unwrap().execute_batch("CREATE TABLE rows (id)").unwrap();
    is_refused(&room, &emulator, &ALL, NONE);
}

#[test]
fn deleted_between_two_runs() {
    let room = Room::new();
    let emulator = left(&room);
    fs::remove_file(room.file("j.db")).unwrap();
    let missing = "error: j.db: there is no such journal; `tenure import` makes one";
    for command in ["resume", "status", "rejects"] {
        room.tenure(&[command, "j.db"]).expect(1).says(&[missing]);
    }
    // Begun anew, it finds in Chat what is done.
    let import = ["import", "rows.csv", "--journal", "j.db"];
    room.tenure(&args(&[&import, &UNPACED], &emulator.connection())).expect(0).says(&["were there already"]);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

/// What SQLite had not moved into the journal yet is gone or unreadable: the journal is then what it was some commits
/// before. Nothing tells that there were more, but Chat does: it refuses what it holds.
#[test]
fn what_was_written_last_is_lost_between_two_runs() {
    let damages: [fn(&PathBuf); 4] = [
        |wal| fs::remove_file(wal).unwrap(),
        |wal| cut(wal, 0),
        |wal| cut(wal, wal.metadata().unwrap().len() / 2),
        |wal| overwrite(wal, wal.metadata().unwrap().len() / 2, 5000),
    ];
    for damage in damages {
        let room = Room::new();
        let (emulator, running) = under_way(&room);
        running.kill();
        damage(&room.file("j.db-wal"));
        room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"], &UNPACED], &emulator.connection()))
            .expect(0);
        assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
        assert_eq!(room.status("j.db")["rows"]["done"], ROWS);
    }
}

/// On a Chat that makes two of a repeated create, what a journal has lost is doubled once at most, and never silently.
#[track_caller]
fn is_told(lose: impl FnOnce(&Room)) {
    let room = Room::new();
    room.write("rows.csv", people(ROWS, 3));
    let emulator = Emulator::start(
        &room,
        &["--writes-per-minute", "0", "--latency", "30ms", "--double-repeated-creates"],
    );
    let import = ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "4"];
    let import = args(&[&import, &UNPACED], &emulator.connection());
    let running = room.start(&import);
    until("some rows are in Chat", || room.held(STORE).len() > 20);
    running.kill();
    lose(&room);
    room.tenure(&import).expect(3).says(&["DOUBLED", "PERHAPS_THERE", "tenure rejects"]);
    let mut held = room.held(STORE);
    let asked = asked_for(&room.file("rows.csv"));
    assert_eq!(held.len(), ROWS + 1, "one was made twice to find that out");
    held.dedup();
    assert_eq!(held, asked, "each is there");
    let rejects = room.tenure(&["rejects", "j.db"]).expect(0).out;
    assert_eq!(rejects.matches("DOUBLED: Chat held before and has made once more").count(), 1, "{rejects}");
    assert!(rejects.contains("PERHAPS_THERE: not sent: "), "{rejects}");
    // What is known about this Chat stays known, also for rejects that are fed back.
    room.write("rejects.csv", rejects);
    let again = args(&[&["import", "rejects.csv", "--journal", "j.db"], &UNPACED], &emulator.connection());
    room.tenure(&again).expect(3);
    assert_eq!(room.held(STORE).len(), ROWS + 1, "and nothing more is sent that may be there");
}

#[test]
fn deleted_where_chat_makes_two() {
    is_told(|room| {
        for file in ["j.db", "j.db-wal", "j.db-shm"] {
            fs::remove_file(room.file(file)).unwrap();
        }
    });
}

#[test]
fn what_was_written_last_is_lost_where_chat_makes_two() {
    is_told(|room| fs::remove_file(room.file("j.db-wal")).unwrap());
}

/// The run ends with exit code 1, and this story.
#[track_caller]
fn ends_with(damage: impl FnOnce(&Room), story: &str) {
    let room = Room::new();
    let (_emulator, running) = under_way(&room);
    damage(&room);
    let run = running.wait().expect(1).says(&[&format!("error: j.db: {story}")]);
    assert!(!run.said().contains("panicked") && !run.out.contains("Done"), "{}", run.said());
}

const GONE: &str =
    "the journal or its -wal file was deleted, cut short or replaced while the run was going on. If";

#[test]
fn cut_short_while_a_run_goes_on() {
    ends_with(|room| cut(&room.file("j.db"), 0), GONE);
    ends_with(|room| cut(&room.file("j.db"), PAGE * 5 + 100), GONE);
}

#[test]
fn replaced_while_a_run_goes_on() {
    let other = |room: &Room| {
        room.write("other.csv", people(9, 1));
        room.tenure(&["import", "other.csv", "--emulator", "--journal", "o.db", "--journal-only"]).expect(0);
        fs::rename(room.file("o.db"), room.file("j.db")).unwrap();
    };
    ends_with(other, GONE);
    let anothers = |room: &Room| {
        Connection::open(room.file("o.db")).unwrap().execute_batch("CREATE TABLE rows (id)").unwrap();
        fs::rename(room.file("o.db"), room.file("j.db")).unwrap();
    };
    ends_with(anothers, GONE);
    // Into the very file.
    let copied = |room: &Room| {
        room.write("other.csv", people(900, 1));
        room.tenure(&["import", "other.csv", "--emulator", "--journal", "o.db", "--journal-only"]).expect(0);
        fs::copy(room.file("o.db"), room.file("j.db")).unwrap();
    };
    ends_with(copied, "the journal is damaged (");
}

#[test]
fn overwritten_while_a_run_goes_on() {
    // Pages of all kinds; of those that the run has in memory it hears only in the end.
    let damage = |room: &Room| {
        for page in 1..10 {
            overwrite(&room.file("j.db"), page * PAGE, 512);
        }
    };
    ends_with(damage, "the journal is damaged (");
}

#[test]
fn what_was_written_last_is_taken_away_while_a_run_goes_on() {
    let room = Room::new();
    let (_emulator, running) = under_way(&room);
    fs::remove_file(room.file("j.db-wal")).unwrap();
    running.wait().expect(1).says(&[&format!("error: j.db: {GONE}")]);
    // It has stopped in time to put all of it into the journal.
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

/// What is written last may be written once more, and what was there is not needed then: either it is found out, or the
/// journal is whole.
#[test]
fn what_was_written_last_is_spoiled_while_a_run_goes_on() {
    let damages: [fn(&Path); 2] =
        [|wal| cut(wal, 0), |wal| overwrite(wal, 32 + 24, wal.metadata().unwrap().len() - 100)];
    for damage in damages {
        let room = Room::new();
        let (_emulator, running) = under_way(&room);
        damage(&room.file("j.db-wal"));
        let run = running.wait();
        if run.code == Some(0) {
            room.tenure(&["resume", "j.db"]).expect(0).says(&["Nothing was left to send"]);
            assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
        } else {
            run.expect(1).says(&["error: j.db: the journal is damaged ("]);
        }
    }
}
