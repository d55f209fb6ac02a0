//! Watches the bytes on their way into the csv crate, which is lenient and keeps a record of any length.
//!
//! A small automaton after RFC 4180 follows the same records as the csv crate does, and notes for each the line it
//! begins on and what is wrong with it. What makes going on pointless ends the stream: the records before it are let
//! through first.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::fault::Fault;
use super::problem::{ProblemKind, printable};

/// Bytes of one CSV record or JSONL line, at most.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// What the guard knows of one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    pub(super) flaw: Option<Box<RecordFlaw>>,
}

/// What is wrong with one record, and its text as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordFlaw {
    pub(super) kind: ProblemKind,
    /// The index of the field.
    pub(super) field: usize,
    pub(super) message: String,
    pub(super) help: &'static str,
    /// The record without its line end. Bytes that are not UTF-8 are lost.
    pub(super) raw: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between records: line ends here are blank lines.
    Between,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first of a doubled quote.
    AfterQuote,
}

pub(super) struct Guard<R> {
    inner: R,
    delimiter: u8,
    state: State,
    /// The line that the next byte is on.
    line: u64,
    /// The last byte was CR: a LF now belongs to it.
    after_cr: bool,
    field: usize,
    /// Where the last quoted field began.
    quote_line: u64,
    flaw: Option<RecordFlaw>,
    /// Where in the present record the text after a closing quote begins, if that is its flaw.
    text_after_quote: usize,
    /// The beginning of the present record, from earlier reads.
    earlier: Vec<u8>,
    marks: VecDeque<Mark>,
    stop: Option<Fault>,
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        Guard {
            inner,
            delimiter,
            state: State::Between,
            line: 1,
            after_cr: false,
            field: 0,
            quote_line: 0,
            flaw: None,
            text_after_quote: 0,
            earlier: Vec::new(),
            marks: VecDeque::new(),
            stop: None,
        }
    }

    /// What is known of the record that the csv crate has just handed out.
    pub(super) fn next_mark(&mut self) -> Mark {
        self.marks.pop_front().unwrap_or_default()
    }

    /// Follows the automaton through a chunk. Returns how much of it may go on to the csv crate.
    fn follow(&mut self, chunk: &[u8]) -> usize {
        // Where in the chunk the present record begins; 0 also when it began in an earlier one.
        let mut start = 0;
        let mut at = 0;
        while at < chunk.len() {
            let byte = chunk[at];
            if byte == b'\n' || byte == b'\r' {
                if !(byte == b'\n' && self.after_cr) {
                    self.line += 1;
                }
                self.after_cr = byte == b'\r';
                if !matches!(self.state, State::Between | State::Quoted) {
                    self.end_record(&chunk[start..at]);
                    if self.stop.is_some() {
                        return if self.earlier.is_empty() { start } else { 0 };
                    }
                    self.earlier.clear();
                }
                at += 1;
                continue;
            }
            self.after_cr = false;
            if self.state == State::Between {
                start = at;
                self.field = 0;
                self.state = State::FieldStart;
                self.marks.push_back(Mark { line: self.line, flaw: None });
            }
            self.state = match (self.state, byte) {
                (_, 0) => {
                    self.note(ProblemKind::NulByte, "it contains a NUL byte".to_owned(), NUL_HELP);
                    if self.state == State::Quoted { State::Quoted } else { State::Plain }
                }
                (State::Quoted, b'"') => State::AfterQuote,
                (State::AfterQuote, b'"') => State::Quoted,
                (State::FieldStart, b'"') => {
                    self.quote_line = self.line;
                    State::Quoted
                }
                (State::Quoted, _) => State::Quoted,
                (_, b) if b == self.delimiter => {
                    self.field += 1;
                    State::FieldStart
                }
                (State::AfterQuote, _) => {
                    self.note_text_after_quote(self.earlier.len() + at - start);
                    State::Plain
                }
                _ => State::Plain,
            };
            at += 1;
            if matches!(self.state, State::Plain | State::Quoted) {
                let quoted = self.state == State::Quoted;
                at += chunk[at..].iter().take_while(|byte| self.is_ordinary(**byte, quoted)).count();
            }
        }
        if self.state != State::Between {
            let sound = if self.earlier.is_empty() { start } else { 0 };
            self.earlier.extend_from_slice(&chunk[start..]);
            if self.earlier.len() > RECORD_BYTES_MAX {
                self.stop = Some(self.too_long());
                return sound;
            }
        }
        chunk.len()
    }

    /// Bytes that change nothing inside a field. In a plain field a quote is text, as the csv crate has it.
    fn is_ordinary(&self, byte: u8, quoted: bool) -> bool {
        match byte {
            b'\n' | b'\r' | 0 => false,
            b'"' => !quoted,
            byte => quoted || byte != self.delimiter,
        }
    }

    fn end_record(&mut self, tail: &[u8]) {
        self.state = State::Between;
        if self.earlier.len() + tail.len() > RECORD_BYTES_MAX {
            self.stop = Some(self.too_long());
            return;
        }
        if let Some(mut flaw) = self.flaw.take() {
            let mut raw = self.earlier.clone();
            raw.extend_from_slice(tail);
            if flaw.kind == ProblemKind::TextAfterQuote {
                let rest = raw[self.text_after_quote..].split(|b| matches!(b, b'\n' | b'\r')).next();
                let rest = String::from_utf8_lossy(rest.unwrap_or_default());
                let shown: String = rest.chars().take(QUOTED_CHARS_MAX).collect();
                flaw.message += &format!(": \"{}\"", printable(&shown));
            }
            flaw.raw = String::from_utf8_lossy(&raw).into_owned();
            if let Some(mark) = self.marks.back_mut() {
                mark.flaw = Some(Box::new(flaw));
            }
        }
    }

    /// Keeps the first flaw of a record: the others mostly follow from it.
    fn note(&mut self, kind: ProblemKind, message: String, help: &'static str) {
        if self.flaw.is_none() {
            self.flaw = Some(RecordFlaw { kind, field: self.field, message, help, raw: String::new() });
        }
    }

    /// `place` is where in the record the text begins, which is quoted once all of it is there.
    fn note_text_after_quote(&mut self, place: usize) {
        if self.flaw.is_none() {
            self.text_after_quote = place;
        }
        let begun = self.marks.back().map_or(self.line, |mark| mark.line);
        let on_line = if begun < self.line { format!(" on line {}", self.line) } else { String::new() };
        let message = format!("text follows its closing quote{on_line}");
        self.note(ProblemKind::TextAfterQuote, message, "write a quote inside a quoted field twice: \"\"");
    }

    fn too_long(&self) -> Fault {
        if matches!(self.state, State::Quoted) {
            return self.unclosed(" within 1 MiB");
        }
        Fault {
            kind: ProblemKind::LineTooLong,
            line: self.marks.back().map_or(self.line, |mark| mark.line),
            field: None,
            message: "the row that begins here is longer than 1 MiB".to_owned(),
            help: "is it CSV with line ends? no row of memberships is that long",
        }
    }

    /// Gives a fault of the text its line.
    fn placed(&self, error: io::Error) -> io::Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => fault.clone().on_line(self.line).into_io(),
            None => error,
        }
    }

    fn unclosed(&self, within: &str) -> Fault {
        Fault {
            kind: ProblemKind::UnclosedQuote,
            line: self.quote_line,
            field: Some(self.field),
            message: format!("a quote opens here and is never closed{within}"),
            help: "close it, or delete it; the rows after it could not be read",
        }
    }

    fn end_of_input(&mut self) -> io::Result<usize> {
        if self.state == State::Quoted {
            return Err(self.unclosed("").into_io());
        }
        if self.state != State::Between {
            self.end_record(&[]);
            self.earlier.clear();
        }
        match &self.stop {
            Some(fault) => Err(fault.clone().into_io()),
            None => Ok(0),
        }
    }
}

/// Characters of the text after a closing quote that a message shows.
const QUOTED_CHARS_MAX: usize = 20;

const NUL_HELP: &str = "was it damaged, or is a part of it UTF-16? save it as UTF-8";

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(fault) = &self.stop {
                return Err(fault.clone().into_io());
            }
            let count = self.inner.read(buffer).map_err(|error| self.placed(error))?;
            if count == 0 {
                return self.end_of_input();
            }
            let sound = self.follow(&buffer[..count]);
            if sound > 0 {
                return Ok(sound);
            }
        }
    }
}
