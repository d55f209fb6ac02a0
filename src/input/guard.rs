//! Follows one CSV record byte by byte, after RFC 4180: where it ends, and what is wrong with it. Pure.
//!
//! The csv crate is lenient and keeps a record of any length. This small automaton follows the same records as it does.

use super::fault::Fault;
use super::problem::{ProblemKind, printable};

/// Bytes of one CSV record or JSONL line, at most.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

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
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first of a doubled quote.
    AfterQuote,
}

pub(super) struct Guard {
    delimiter: u8,
    state: State,
    /// The line that the record begins on.
    begun: u64,
    /// The line that the next byte is on.
    pub(super) line: u64,
    /// The last byte was CR: a LF now belongs to it.
    after_cr: bool,
    /// How many bytes of the record were followed.
    length: usize,
    field: usize,
    /// Where the last quoted field began.
    quote_line: u64,
    flaw: Option<RecordFlaw>,
    /// Where in the record the text after a closing quote begins, if that is its flaw.
    text_after_quote: usize,
}

impl Guard {
    /// Before a record that begins on a line.
    pub(super) fn new(delimiter: u8, line: u64) -> Self {
        Guard {
            delimiter,
            state: State::FieldStart,
            begun: line,
            line,
            after_cr: false,
            length: 0,
            field: 0,
            quote_line: 0,
            flaw: None,
            text_after_quote: 0,
        }
    }

    /// Follows the record through its next bytes. Where in them it ends, if it does: at a line end.
    ///
    /// # Errors
    /// When it is longer than any row.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        let before = self.length;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte == b'\n' || byte == b'\r' {
                if self.state != State::Quoted {
                    self.length = before + at;
                    return if self.length > RECORD_BYTES_MAX { Err(self.too_long()) } else { Ok(Some(at)) };
                }
                if !(byte == b'\n' && self.after_cr) {
                    self.line += 1;
                }
                self.after_cr = byte == b'\r';
                at += 1;
                continue;
            }
            self.after_cr = false;
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
                    self.note_text_after_quote(before + at);
                    State::Plain
                }
                _ => State::Plain,
            };
            at += 1;
            if matches!(self.state, State::Plain | State::Quoted) {
                let quoted = self.state == State::Quoted;
                at += bytes[at..].iter().take_while(|byte| self.is_ordinary(**byte, quoted)).count();
            }
        }
        self.length = before + bytes.len();
        if self.length > RECORD_BYTES_MAX { Err(self.too_long()) } else { Ok(None) }
    }

    /// Bytes that change nothing inside a field. In a plain field a quote is text, as the csv crate has it.
    fn is_ordinary(&self, byte: u8, quoted: bool) -> bool {
        match byte {
            b'\n' | b'\r' | 0 => false,
            b'"' => !quoted,
            byte => quoted || byte != self.delimiter,
        }
    }

    /// What is wrong with the record, now that all of it is there.
    pub(super) fn flaw(&mut self, record: &[u8]) -> Option<Box<RecordFlaw>> {
        let mut flaw = self.flaw.take()?;
        if flaw.kind == ProblemKind::TextAfterQuote {
            let rest = record[self.text_after_quote..].split(|b| matches!(b, b'\n' | b'\r')).next();
            let rest = String::from_utf8_lossy(rest.unwrap_or_default());
            let shown: String = rest.chars().take(QUOTED_CHARS_MAX).collect();
            flaw.message += &format!(": \"{}\"", printable(&shown));
        }
        flaw.raw = String::from_utf8_lossy(record).into_owned();
        Some(Box::new(flaw))
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
        let on_line = if self.begun < self.line { format!(" on line {}", self.line) } else { String::new() };
        let message = format!("text follows its closing quote{on_line}");
        self.note(ProblemKind::TextAfterQuote, message, "write a quote inside a quoted field twice: \"\"");
    }

    fn too_long(&self) -> Fault {
        if self.state == State::Quoted {
            return self.unclosed(" within 1 MiB");
        }
        Fault {
            kind: ProblemKind::LineTooLong,
            line: self.begun,
            field: None,
            message: "the row that begins here is longer than 1 MiB".to_owned(),
            help: "is it CSV with line ends? no row of memberships is that long",
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

    /// The input ends here, and with it the record.
    ///
    /// # Errors
    /// When a quote is open.
    pub(super) fn end_of_input(&self) -> Result<(), Fault> {
        if self.state == State::Quoted { Err(self.unclosed("")) } else { Ok(()) }
    }
}

/// Characters of the text after a closing quote that a message shows.
const QUOTED_CHARS_MAX: usize = 20;

const NUL_HELP: &str = "was it damaged, or is a part of it UTF-16? save it as UTF-8";
