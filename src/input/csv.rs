//! CSV lines: a table with a header, read line by line through the guard.

use std::sync::Arc;

use super::columns::{Key, header_problems};
use super::excerpt::Excerpt;
use super::fault::Fault;
use super::format::sniff_delimiter;
use super::formula::armed;
use super::locate::in_csv;
use super::problem::{Problem, ProblemKind, printable};
use super::problems::Problems;
use super::records::{Mark, Record, Records};
use super::source::{Peeked, Source};

/// A CSV file whose header has been read.
pub(super) struct Table {
    pub(super) file: Arc<str>,
    pub(super) delimiter: u8,
    pub(super) header: Vec<String>,
    /// The line that the header begins on.
    pub(super) header_line: u64,
    records: Records<Peeked>,
}

/// One line below the header. It may span several lines of the file.
pub(super) enum Line<'a> {
    /// As many fields as the header has, all UTF-8.
    Fields(u64, Record<'a>),
    /// No fields to rely on: what is wrong, and the text as it came.
    Bad(Problem, String),
}

impl Table {
    /// Reads the header. Everything wrong with it is fatal.
    pub(super) fn open(mut source: Source) -> Result<Self, Problems> {
        let file = source.file;
        let failed = |error| Problems::from(Fault::of(error).problem(&file));
        let delimiter = sniff_delimiter(&mut source.text).map_err(failed)?;
        let mut records = Records::new(source.text, delimiter);
        let Some(mark) = records.next().map_err(|fault| fault.problem(&file))? else {
            let problem = Problem::new(&file, 0, ProblemKind::EmptyFile, "it has nothing but blank lines");
            return Err(problem.help("check that the export finished").fatal().into());
        };
        let line = mark.line;
        if let Some((mut problem, _)) = flaw_of(&file, &mark, &mut records.record(), None, delimiter) {
            quote(&mut problem, &records, &[]);
            return Err(problem.fatal().into());
        }
        arm(&mut records);
        let header: Vec<String> =
            records.record().iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        Ok(Table { file, delimiter, header, header_line: line, records })
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// A fatal problem: there is no next line to be had.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Box<Problem>> {
        let mark = loop {
            let mark = match self.records.next() {
                Ok(Some(mark)) => mark,
                Ok(None) => return Ok(None),
                Err(fault) => {
                    let column = fault.field.and_then(|field| self.header.get(field)).cloned();
                    return Err(Box::new(fault.problem(&self.file).in_column(column)));
                }
            };
            let record = self.records.record();
            let blank = record.len() == 1 && record.bytes(0).trim_ascii().is_empty();
            if !(blank && self.header.len() > 1 && mark.flaw.is_none()) {
                break mark;
            }
        };
        let is_armed = needs_arming(self.records.record());
        if is_armed
            && flaw_of(&self.file, &mark, &mut self.records.record(), Some(&self.header), self.delimiter)
                .is_none()
        {
            arm(&mut self.records);
        }
        let mut record = self.records.record();
        if let Some((problem, raw)) =
            flaw_of(&self.file, &mark, &mut record, Some(&self.header), self.delimiter)
        {
            return Ok(Some(Line::Bad(problem, raw)));
        }
        Ok(Some(Line::Fields(mark.line, record)))
    }

    /// Passes over a record; the line that it begins on.
    pub(super) fn pass(&mut self) -> Option<u64> {
        self.records.next().ok().flatten().map(|mark| mark.line)
    }

    /// Puts the line to a problem of the record that was read last, which is the header to begin with.
    pub(super) fn quote(&self, problem: &mut Problem) {
        quote(problem, &self.records, &self.header);
    }

    /// Problems that a table's header may have whatever its columns mean.
    pub(super) fn header_problems(&self) -> Problems {
        let mut problems = header_problems(&self.file, self.header_line, &self.header);
        problems.each_kept(|problem| self.quote(problem));
        problems
    }
}

fn quote(problem: &mut Problem, records: &Records<Peeked>, header: &[String]) {
    if problem.line == 0 || problem.kind == ProblemKind::EndlessText {
        return;
    }
    let named = |column: &str| header.iter().position(|name| name == column || printable(name) == column);
    let field = match (&problem.column, problem.kind) {
        // The second of the two.
        (Some(column), ProblemKind::DoubledColumn) => header.iter().rposition(|name| name == column),
        (None, ProblemKind::UnnamedColumn) => header.iter().position(|name| name.trim().is_empty()),
        // The one that was most likely meant.
        (None, ProblemKind::MissingColumn) => problem.value.as_deref().and_then(named),
        (Some(column), _) => named(column),
        (None, kind) => {
            kind.about().and_then(|key| header.iter().position(|name| Key::of(name) == Some(key)))
        }
    };
    let (line, record) = records.raw();
    if record.is_empty() {
        return;
    }
    let value = in_csv(problem.kind, record, records.delimiter(), field, header.len());
    problem.excerpt = Some(Box::new(Excerpt::of(line, record, value)));
}

/// Nearly no record has an apostrophe.
fn needs_arming(record: Record<'_>) -> bool {
    record.contains(b'\'')
}

/// Takes off what keeps a spreadsheet from computing: of fields that are UTF-8.
fn arm(records: &mut Records<Peeked>) {
    let record = records.record();
    if needs_arming(record) {
        let fields: Vec<Vec<u8>> =
            record.iter().map(|field| armed(&String::from_utf8_lossy(field)).into_bytes()).collect();
        records.replace(&fields);
    }
}

/// What makes a record's fields unreliable, and its text. `header` is `None` for the header itself.
fn flaw_of(
    file: &Arc<str>,
    mark: &Mark,
    record: &mut Record<'_>,
    header: Option<&[String]>,
    delimiter: u8,
) -> Option<(Problem, String)> {
    let name = |field: usize| header.and_then(|names| names.get(field)).cloned();
    if let Some(flaw) = &mark.flaw {
        let problem = Problem::new(file, mark.line, flaw.kind, flaw.message.as_str()).help(flaw.help);
        return Some((problem.in_column(name(flaw.field)), flaw.raw.clone()));
    }
    if let Some(field) = record.not_utf_8() {
        let problem = Problem::new(file, mark.line, ProblemKind::NotUtf8, "it is not UTF-8")
            .value(&String::from_utf8_lossy(record.bytes(field)))
            .help("was it saved as Windows-1252 or Latin-1? save it as UTF-8");
        return Some((problem.in_column(name(field)), written(*record, delimiter)));
    }
    let header = header?;
    if record.len() == header.len() {
        return None;
    }
    let message = format!("it has {}, but the header has {}", fields(record.len()), header.len());
    let help = if record.len() > header.len() {
        "is a delimiter inside a value? put that value in quotes"
    } else {
        "are delimiters missing, or is the line cut off? an empty value needs its delimiter too"
    };
    Some((
        Problem::new(file, mark.line, ProblemKind::RaggedLine, message).help(help),
        written(*record, delimiter),
    ))
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

/// The record as a line of CSV again, without line end.
fn written(record: Record<'_>, delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(record.iter());
    let line = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned()
}
