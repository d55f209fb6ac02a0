//! CSV records out of a stream of bytes.
//!
//! Nearly every record is a line without quotes, which is found and split by looking for bytes. Any other goes through the
//! guard, which knows where it ends and what is wrong with it, and through the csv crate's core.

use std::io::{self, Read};
use std::ops::Range;

use csv_core::ReadRecordResult;
use memchr::{memchr_iter, memchr2};

use super::fault::Fault;
use super::guard::{Guard, RECORD_BYTES_MAX, RecordFlaw};
use super::source::BUFFER_BYTES;

/// What is known of one record beside its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    pub(super) flaw: Option<Box<RecordFlaw>>,
}

/// The fields of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    text: &'a [u8],
    /// Where each field ends.
    ends: &'a [usize],
    /// Bytes between two fields.
    gap: usize,
    /// The text, where all of it is known to be UTF-8.
    valid: Option<&'a str>,
}

impl<'a> Record<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, field: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(field)?;
        let begin = field.checked_sub(1).map_or(0, |before| self.ends[before] + self.gap);
        Some(begin..end)
    }

    /// A field's bytes; none where there is no field.
    pub(super) fn bytes(&self, field: usize) -> &'a [u8] {
        self.range(field).and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// A field's text; empty where it is none.
    pub(super) fn get(&self, field: usize) -> &'a str {
        match self.valid {
            Some(text) => self.range(field).and_then(|range| text.get(range)).unwrap_or_default(),
            None => std::str::from_utf8(self.bytes(field)).unwrap_or_default(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        (0..self.len()).map(|field| self.bytes(field))
    }

    /// The first field that is not UTF-8.
    pub(super) fn not_utf_8(&mut self) -> Option<usize> {
        // The delimiter is ASCII: where it stands between the fields, one look tells of all of them.
        self.valid = std::str::from_utf8(self.text).ok().filter(|_| self.gap > 0);
        if self.valid.is_some() {
            return None;
        }
        self.iter().position(|field| std::str::from_utf8(field).is_err())
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        memchr::memchr(byte, self.text).is_some()
    }
}

/// Reads records.
pub(super) struct Records<R> {
    inner: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// What is in the buffer and not read yet: from here,
    at: usize,
    /// to here.
    filled: usize,
    ended: bool,
    /// The line that the next byte is on.
    line: u64,
    /// The line that the present record begins on, and where it stands in the buffer, as it came.
    begun: u64,
    raw: (usize, usize),
    /// The last byte was CR: a LF now belongs to it.
    after_cr: bool,
    splitter: csv_core::Reader,
    /// The present record in the buffer, if it is as it stands there.
    plain: Option<(usize, usize)>,
    /// The present record without its quotes, if not.
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        let mut splitter = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        // It passes over a byte order mark before its first record; the source has taken those off that are no text.
        let _ = splitter.read_record(b"x\n", &mut [0; 4], &mut [0; 4]);
        Records {
            inner,
            delimiter,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            ended: false,
            line: 1,
            begun: 1,
            raw: (0, 0),
            after_cr: false,
            splitter,
            plain: None,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The record that was read last.
    pub(super) fn record(&self) -> Record<'_> {
        match self.plain {
            Some((begin, end)) => {
                Record { text: &self.buffer[begin..end], ends: &self.ends, gap: 1, valid: None }
            }
            None => Record { text: &self.text, ends: &self.ends, gap: 0, valid: None },
        }
    }

    /// The same as it came, and the line that it begins on; of one that cannot be read, as much as there is of it.
    pub(super) fn raw(&self) -> (u64, &[u8]) {
        (self.begun, self.buffer.get(self.raw.0..self.raw.1).unwrap_or_default())
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Puts other fields in the place of those of the record that was read last.
    pub(super) fn replace(&mut self, fields: &[Vec<u8>]) {
        self.plain = None;
        self.text.clear();
        self.ends.clear();
        for field in fields {
            self.text.extend_from_slice(field);
            self.ends.push(self.text.len());
        }
    }

    /// Reads the next record, passing over empty lines; `None` at the end.
    ///
    /// # Errors
    /// What makes going on pointless.
    pub(super) fn next(&mut self) -> Result<Option<Mark>, Fault> {
        if !self.pass_line_ends()? {
            return Ok(None);
        }
        let line = self.line;
        (self.begun, self.raw) = (line, (0, 0));
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.at..self.filled];
            let end = memchr2(b'\n', b'\r', &unread[searched..]).map(|end| searched + end);
            let record = &unread[..end.unwrap_or(unread.len())];
            if record.len() > RECORD_BYTES_MAX || memchr2(b'"', 0, &record[searched..]).is_some() {
                let flaw = self.next_guarded().inspect_err(|_| self.raw = (self.at, self.filled))?;
                return Ok(Some(Mark { line, flaw }));
            }
            if end.is_some() || self.ended {
                self.ends.clear();
                self.ends.extend(memchr_iter(self.delimiter, record));
                self.ends.push(record.len());
                let end = self.at + record.len();
                self.plain = Some((self.at, end));
                self.raw = (self.at, end);
                self.at = end;
                self.pass_line_end();
                return Ok(Some(Mark { line, flaw: None }));
            }
            searched = record.len();
            self.fill(self.line)?;
        }
    }

    /// The next record, whatever is in it.
    fn next_guarded(&mut self) -> Result<Option<Box<RecordFlaw>>, Fault> {
        let mut guard = Guard::new(self.delimiter, self.line);
        let mut followed = 0;
        let length = loop {
            let bytes = &self.buffer[self.at + followed..self.filled];
            if let Some(end) = guard.follow(bytes)? {
                break followed + end;
            }
            followed += bytes.len();
            if !self.fill(guard.line)? {
                guard.end_of_input()?;
                break followed;
            }
        };
        self.line = guard.line;
        let record = &self.buffer[self.at..self.at + length];
        self.plain = None;
        // It wants room even for what yields nothing.
        self.text.resize(record.len() + 1, 0);
        self.ends.resize(memchr_iter(self.delimiter, record).count() + 2, 0);
        let (mut count, mut fields) = (0, 0);
        for input in [record, b"\n"] {
            let (result, _, bytes, ends) =
                self.splitter.read_record(input, &mut self.text[count..], &mut self.ends[fields..]);
            (count, fields) = (count + bytes, fields + ends);
            debug_assert!(
                matches!(result, ReadRecordResult::InputEmpty | ReadRecordResult::Record),
                "{result:?}"
            );
        }
        self.text.truncate(count);
        self.ends.truncate(fields);
        let flaw = guard.flaw(record);
        self.raw = (self.at, self.at + length);
        self.at += length;
        self.pass_line_end();
        Ok(flaw)
    }

    /// Whether there is anything behind them.
    fn pass_line_ends(&mut self) -> Result<bool, Fault> {
        loop {
            while self.at < self.filled {
                if !matches!(self.buffer[self.at], b'\n' | b'\r') {
                    self.after_cr = false;
                    return Ok(true);
                }
                self.pass_line_end();
            }
            if !self.fill(self.line)? {
                return Ok(false);
            }
        }
    }

    /// Passes over one byte of a line end, if one is in sight.
    fn pass_line_end(&mut self) {
        let Some(&byte) = self.buffer[..self.filled].get(self.at) else { return };
        if !(byte == b'\n' && self.after_cr) {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
        self.at += 1;
    }

    /// Reads more behind what is not read yet; false at the end of the input.
    fn fill(&mut self, line: u64) -> Result<bool, Fault> {
        if self.filled == self.buffer.len() {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
            if self.filled + BUFFER_BYTES / 2 > self.buffer.len() {
                self.buffer.resize(self.buffer.len() + BUFFER_BYTES, 0);
            }
        }
        while !self.ended {
            match self.inner.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.filled += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::of(error).on_line(line)),
            }
        }
        Ok(false)
    }
}
