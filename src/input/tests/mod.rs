//! The room as a whole: bytes in, entries and messages out.

mod csv_files;
mod hostile_bytes;
mod jsonl_files;
mod line_numbers;
mod round_trip;

use std::fmt::Write as _;
use std::io::{self, Cursor};

use super::*;
use crate::model::Timestamp;

fn now() -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z", None).unwrap()
}

fn rules() -> Arc<Rules> {
    Arc::new(Rules::new(now()))
}

fn reader(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Reader, Problems> {
    let source = Source::from_reader(name, Cursor::new(bytes.into())).map_err(|problem| *problem)?;
    Reader::new(source, None, rules())
}

#[test]
fn a_reader_may_live_on_a_thread_of_its_own() {
    fn is_send<T: Send>() {}
    is_send::<Reader>();
}

/// A row in one line: where, whose, when, and what else was given.
fn shown(row: &Row) -> String {
    let Tenure { space, member, create_time, delete_time, role } = &row.tenure;
    let time = |time: Option<Timestamp>| time.map_or("-".to_owned(), |time| time.to_string());
    let role = role.map_or("-", |role| role.as_str());
    let given = row.given.to_json().unwrap_or_default();
    let line = format!(
        "{}: {space} {member} {} {} {role} {given}",
        row.line,
        time(*create_time),
        time(*delete_time)
    );
    line.trim_end().to_owned()
}

/// All that an input says, one line each.
fn read_as(name: &str, bytes: impl Into<Vec<u8>>, rules: Arc<Rules>) -> String {
    let mut text = String::new();
    let reader = Source::from_reader(name, Cursor::new(bytes.into()))
        .map_err(|problem| Problems::from(*problem))
        .and_then(|source| Reader::new(source, None, rules));
    let reader = match reader {
        Ok(reader) => reader,
        Err(problems) => return problems.to_string(),
    };
    for entry in reader {
        match entry {
            Ok(Entry::Row(row)) => writeln!(text, "{}", shown(&row)).unwrap(),
            Ok(Entry::Bad(bad)) => {
                assert!(!bad.problems.is_empty() && bad.problems.iter().all(|problem| !problem.fatal));
                for problem in &bad.problems {
                    writeln!(text, "{problem:#}").unwrap();
                }
                writeln!(text, "  given: {}", bad.given.to_json().unwrap()).unwrap();
            }
            Err(problem) => {
                assert!(problem.fatal);
                writeln!(text, "{problem:#}").unwrap();
            }
        }
    }
    text.trim_end().to_owned()
}

fn read(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    read_as(name, bytes, rules())
}

/// Compares, and shows both as they are.
#[track_caller]
fn assert_reads(name: &str, bytes: &[u8], expected: &str) {
    let said = read(name, bytes);
    assert_eq!(said, expected, "\n--- input\n{}\n--- said\n{said}\n", String::from_utf8_lossy(bytes));
}

/// Hands out its bytes in pieces of the given sizes, over and over.
struct Pieces {
    bytes: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    turn: usize,
}

impl Pieces {
    fn new(bytes: Vec<u8>, sizes: Vec<usize>) -> Self {
        Pieces { bytes: Cursor::new(bytes), sizes, turn: 0 }
    }
}

impl io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len());
        self.bytes.read(&mut buffer[..size])
    }
}
