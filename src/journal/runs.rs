//! Rows put in order, however many there are: sorted piece by piece as they come, merged when all are there.
//!
//! The first pieces stay in memory. What comes beyond a bound goes to a temporary file without a name, which the system
//! removes with the process, however that ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::vec;

use super::incoming::Incoming;

/// What is held in memory, at most.
const HELD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of a piece is read at a time when pieces are merged.
const STEP_BYTES: usize = 32 * 1024;

/// Pieces, each in order by itself.
#[derive(Debug)]
pub(super) struct Runs {
    /// Where the temporary file goes, if one is needed.
    folder: PathBuf,
    held: Vec<Vec<Incoming>>,
    held_bytes: usize,
    held_bytes_max: usize,
    file: Option<BufWriter<File>>,
    /// Where each piece in the file ends.
    ends: Vec<u64>,
}

impl Runs {
    pub(super) fn new(folder: PathBuf) -> Self {
        Runs {
            folder,
            held: Vec::new(),
            held_bytes: 0,
            held_bytes_max: HELD_BYTES_MAX,
            file: None,
            ends: Vec::new(),
        }
    }

    /// The same with less in memory, so that few rows show what becomes of many.
    #[cfg(test)]
    pub(super) fn holding(folder: PathBuf, held_bytes_max: usize) -> Self {
        Runs { held_bytes_max, ..Runs::new(folder) }
    }

    /// Takes a piece in.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub(super) fn add(&mut self, mut rows: Vec<Incoming>) -> io::Result<()> {
        rows.sort_unstable_by_key(Incoming::order);
        let bytes: usize = rows.iter().map(Incoming::bytes).sum();
        if self.held_bytes + bytes <= self.held_bytes_max {
            self.held_bytes += bytes;
            rows.shrink_to_fit();
            self.held.push(rows);
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(&self.folder)?)),
        };
        for row in &rows {
            row.write(file)?;
        }
        self.ends.push(file.stream_position()?);
        Ok(())
    }

    /// All rows in order.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub(super) fn merge(mut self) -> io::Result<Merged> {
        let file = match self.file.take() {
            Some(file) => Some(file.into_inner().map_err(io::IntoInnerError::into_error)?),
            None => None,
        };
        let mut pieces: Vec<Piece> =
            self.held.into_iter().map(|rows| Piece::Held(rows.into_iter())).collect();
        let mut at = 0;
        for end in self.ends {
            pieces.push(Piece::Filed { at, end, read: Cursor::default() });
            at = end;
        }
        let mut merged = Merged { file, pieces, next: BinaryHeap::new() };
        for piece in 0..merged.pieces.len() {
            if let Some(row) = merged.read(piece)? {
                merged.next.push(Reverse(Head { row, piece }));
            }
        }
        Ok(merged)
    }
}

/// Rows of many pieces as one.
pub(super) struct Merged {
    file: Option<File>,
    pieces: Vec<Piece>,
    /// The next row of each piece.
    next: BinaryHeap<Reverse<Head>>,
}

enum Piece {
    Held(vec::IntoIter<Incoming>),
    /// From where to where in the file, and what was read ahead of it.
    Filed {
        at: u64,
        end: u64,
        read: Cursor<Vec<u8>>,
    },
}

struct Head {
    row: Incoming,
    piece: usize,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.row.order().cmp(&other.row.order())
    }
}

impl Merged {
    /// The next row.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Incoming>> {
        let Some(Reverse(head)) = self.next.peek() else { return Ok(None) };
        let following = self.read(head.piece)?;
        let Some(mut head) = self.next.peek_mut() else { return Ok(None) };
        Ok(Some(match following {
            Some(row) => std::mem::replace(&mut head.0.row, row),
            None => PeekMut::pop(head).0.row,
        }))
    }

    fn read(&mut self, piece: usize) -> io::Result<Option<Incoming>> {
        let (at, end, read) = match &mut self.pieces[piece] {
            Piece::Held(rows) => return Ok(rows.next()),
            Piece::Filed { at, end, read } => (at, *end, read),
        };
        let Some(file) = &mut self.file else { return Ok(None) };
        if *at == end && read.position() == read.get_ref().len() as u64 {
            return Ok(None);
        }
        let mut source = Ahead { file, at, end, read };
        Incoming::read(&mut source).map(Some)
    }
}

/// Reads a piece in steps, so that the file is not asked for every row.
struct Ahead<'a> {
    file: &'a mut File,
    at: &'a mut u64,
    end: u64,
    read: &'a mut Cursor<Vec<u8>>,
}

impl Read for Ahead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read.read(buffer)?;
        if count > 0 || *self.at == self.end || buffer.is_empty() {
            return Ok(count);
        }
        let step = (self.end - *self.at).min(STEP_BYTES as u64);
        self.file.seek(SeekFrom::Start(*self.at))?;
        self.read.get_mut().resize(step as usize, 0);
        self.file.read_exact(self.read.get_mut())?;
        self.read.set_position(0);
        *self.at += step;
        self.read.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Role, Tenure, Timestamp};

    fn any_row() -> impl Strategy<Value = Incoming> {
        let time = || prop::option::of((0i64..50).prop_map(Timestamp::from_micros));
        let given = prop::option::of(prop_oneof!["[a-z]{0,9}", Just("x".repeat(40_000))]);
        (1u32..9, 1u32..9, time(), time(), 0u64..99, given).prop_map(
            |(space, member, create_time, delete_time, line, given)| {
                let role = (line % 3 == 0).then_some(Role::Manager);
                let tenure = Tenure { space, member, create_time, delete_time, role };
                let row = Incoming::new(line as usize % 7, line, &tenure, given.as_deref());
                assert_eq!((row.source(), row.line(), row.role()), (line as usize % 7, line, role));
                let span = row.times().span();
                assert_eq!((span.create_time, span.delete_time), (create_time, delete_time));
                row
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn all_come_back_in_order(
            pieces in prop::collection::vec(prop::collection::vec(any_row(), 0..40), 0..9),
            held_bytes_max in prop_oneof![Just(0), 500usize..9000, Just(usize::MAX)],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut runs = Runs::holding(folder.path().to_owned(), held_bytes_max);
            for piece in &pieces {
                runs.add(piece.clone()).unwrap();
            }
            let mut merged = runs.merge().unwrap();
            let rows: Vec<Incoming> = std::iter::from_fn(|| merged.next().unwrap()).collect();
            let mut expected = pieces.concat();
            expected.sort_by_key(Incoming::order);
            let orders = |rows: &[Incoming]| rows.iter().map(Incoming::order).collect::<Vec<_>>();
            prop_assert_eq!(orders(&rows), orders(&expected));
            let mut texts: Vec<_> = rows.into_iter().map(|row| row.given).collect();
            let mut expected: Vec<_> = expected.into_iter().map(|row| row.given).collect();
            texts.sort();
            expected.sort();
            prop_assert_eq!(texts, expected);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
