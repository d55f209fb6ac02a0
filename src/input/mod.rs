//! From bytes to checked rows.
//!
//! [`Reader`] is the face: it opens an input (`source`), learns its format (`format`), and yields its rows one by one,
//! each as a tenure or as all that is wrong with it. Everything is streamed: memory does not grow with the file.
//!
//! CSV goes through `records` (with `guard`: bounds, line numbers, broken quotes; and the csv crate's core), `formula`,
//! `columns` and `row`; JSONL through `jsonl`, `json_object` and `row`.

mod again;
mod bounds;
mod channels;
mod columns;
mod csv;
mod csv_rows;
mod excerpt;
mod fault;
mod format;
mod formula;
mod given;
mod guard;
mod json_object;
mod jsonl;
mod locate;
mod maps;
mod names;
mod problem;
mod problems;
mod records;
mod row;
mod secret;
mod source;
pub(crate) mod suggest;
mod table;
mod utf16;
mod zstd;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::model::{MemberName, Names, SpaceName, Tenure};
use crate::wording::quoted;

pub use again::quote_again;
pub use channels::{CHANNEL_COLUMNS, read_channels, read_channels_from};
pub use columns::{COLUMNS_MAX, Key, is_title_column, lookalike};
pub use excerpt::Excerpt;
pub(crate) use fault::Fault;
pub use format::{Format, Layout};
pub use formula::disarmed;
pub use given::{Given, RAW, Restored};
pub use guard::RECORD_BYTES_MAX;
pub use maps::{Age, NameMap, SpaceMap, UserMap};
pub use problem::{Problem, ProblemKind, SHOWN_CHARS_MAX, printable};
pub use problems::{Fold, Place, Problems};
pub use row::{Becoming, CannotJoin, Rules, TimeFormat, TimeReader};
pub use source::{Progress, STDIN, Source};
pub(crate) use suggest::{is_near, nearest};
pub use table::{ForeignLine, ForeignTable, foreign_columns};
pub(crate) use utf16::Utf16Reader;

use csv_rows::CsvRows;
use jsonl::JsonlRows;
use names::{Naming, Owned};
use row::{Fields, Flaw};

/// A row in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<S = SpaceName, M = MemberName> {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What it says.
    pub tenure: Tenure<S, M>,
    /// What else it looked like.
    pub given: Given,
}

/// A row with problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// All that is wrong with it, at least one; none is fatal.
    pub problems: Vec<Problem>,
    /// The row as it came.
    pub given: Given,
}

/// One row of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<S = SpaceName, M = MemberName> {
    /// In order.
    Row(Row<S, M>),
    /// With problems.
    Bad(BadRow),
}

/// The next row, if there is one, or what is fatal.
type Next<N> = Result<Option<Entry<<N as Naming>::Space, <N as Naming>::Member>>, Box<Problem>>;

/// Reads the rows of one input, in its order.
///
/// An `Err` is a fatal problem, and the last item: the rest of the input cannot be read. An input without any row
/// ends so too.
pub struct Reader {
    rules: Arc<Rules>,
    layout: Layout,
    file: Arc<str>,
    progress: Progress,
    rows: Rows,
    ended: bool,
}

enum Rows {
    Csv(Box<CsvRows>),
    Jsonl(JsonlRows),
}

impl Rows {
    /// Puts the line to a problem of the record that was read last.
    fn quote(&self, problem: &mut Problem) {
        match self {
            Rows::Csv(rows) => rows.table.quote(problem),
            Rows::Jsonl(rows) => rows.quote(problem),
        }
    }
}

impl Reader {
    /// Opens a file, or standard input for `-`, and reads its header if it has one. Without `format` the file's name
    /// tells it, else its first byte.
    ///
    /// # Errors
    /// All that is wrong with the file or its header; these problems are fatal.
    pub fn open(path: &Path, format: Option<Format>, rules: Arc<Rules>) -> Result<Self, Problems> {
        Reader::new(Source::open(path).map_err(|problem| *problem)?, format, rules)
    }

    /// The same from an opened source.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn new(mut source: Source, format: Option<Format>, rules: Arc<Rules>) -> Result<Self, Problems> {
        let file = Arc::clone(source.file());
        let progress = source.progress().clone();
        let failed = |error| Problems::from(Fault::of(error).problem(&file));
        let named = format.or_else(|| Format::of_name(&file));
        if Format::is_list(&mut source.text, named).map_err(failed)? {
            return Err(list(&file).into());
        }
        let format = match named {
            Some(format) => format,
            None => Format::of_first_byte(&mut source.text).map_err(failed)?,
        };
        let (rows, delimiter, columns) = match format {
            Format::Csv => {
                if Format::of_first_byte(&mut source.text).is_ok_and(|first| first == Format::Jsonl) {
                    let message = "it is JSON, not CSV";
                    let problem = Problem::new(&file, 1, ProblemKind::NotText, message).fatal();
                    return Err(problem.help("if it is JSONL, give --format jsonl").into());
                }
                let rows = CsvRows::open(source)?;
                let (delimiter, columns) = (rows.delimiter(), rows.columns.names.clone());
                (Rows::Csv(Box::new(rows)), delimiter, columns)
            }
            Format::Jsonl => (Rows::Jsonl(JsonlRows::open(source)), ',', Vec::new()),
        };
        Ok(Reader {
            rules,
            layout: Layout { format, delimiter, columns },
            file,
            progress,
            rows,
            ended: false,
        })
    }

    /// How the rows are written down.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What problems call the input: its path as given, or `<stdin>`.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The line of the header, from 1; 0 where there is none.
    pub fn header_line(&self) -> u64 {
        match &self.rows {
            Rows::Csv(rows) => rows.table.header_line,
            Rows::Jsonl(_) => 0,
        }
    }

    /// Keys of objects of which nothing is made, by letters, of all rows up to here; a header says it of columns.
    pub fn unused_keys(&self) -> impl Iterator<Item = &str> {
        let keys = match &self.rows {
            Rows::Csv(_) => None,
            Rows::Jsonl(rows) => Some(rows.unused()),
        };
        keys.into_iter().flatten().map(String::as_str)
    }

    /// The next row, its names by their numbers in `names`: where there are millions.
    ///
    /// # Errors
    /// As the iterator's.
    pub fn next_numbered(&mut self, names: &mut Names) -> Option<Result<Entry<u32, u32>, Box<Problem>>> {
        self.advance(names).transpose()
    }

    fn advance<N: Naming>(&mut self, names: &mut N) -> Next<N> {
        if self.ended {
            return Ok(None);
        }
        let mut next = match &mut self.rows {
            Rows::Csv(rows) => rows.next(&self.rules, names),
            Rows::Jsonl(rows) => rows.next(&self.rules, names),
        };
        match &mut next {
            Ok(Some(Entry::Row(_)) | None) => {}
            Ok(Some(Entry::Bad(bad))) => bad.problems.iter_mut().for_each(|problem| self.rows.quote(problem)),
            Err(problem) => self.rows.quote(problem),
        }
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }

    /// The problem with the line that was read last put to it, in the column of that key.
    #[must_use]
    pub fn quoted(&self, problem: Problem, key: Key) -> Problem {
        self.quoted_as_it_is(match self.layout.columns.iter().find(|name| Key::of(name) == Some(key)) {
            Some(name) => problem.column(name.clone()),
            None => problem.column(key.as_str()),
        })
    }

    /// The problem with the line that was read last put to it, in the column that it names itself.
    #[must_use]
    pub fn quoted_as_it_is(&self, mut problem: Problem) -> Problem {
        self.rows.quote(&mut problem);
        problem
    }

    /// How far the reading is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, Box<Problem>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(&mut Owned).transpose()
    }
}

/// What to say of one JSON list.
fn list(file: &Arc<str>) -> Problem {
    let help = match file.strip_suffix(".json") {
        _ if **file == *STDIN => "put jq -c '.[]' before this command to make JSONL of it".to_owned(),
        Some(stem) => {
            let (list, lines) = (quoted(file), format!("{stem}.jsonl"));
            format!("make JSONL of it, one object a line: jq -c '.[]' {list} > {}", quoted(&lines))
        }
        None => "make JSONL of it, one object a line: jq -c '.[]' LIST.json > ROWS.jsonl".to_owned(),
    };
    Problem::new(file, 0, ProblemKind::NotText, "it is one JSON list, and neither CSV nor JSONL")
        .help(help)
        .fatal()
}

/// Gives flaws their place.
fn problems_of(
    file: &Arc<str>,
    line: u64,
    flaws: Vec<Flaw>,
    fields: &Fields<'_>,
    spelling: impl Fn(Key) -> Cow<'static, str>,
) -> Vec<Problem> {
    let place = |flaw: Flaw| {
        let mut problem = Problem::new(file, line, flaw.kind, flaw.message);
        problem.help = flaw.help;
        if let Some(key) = flaw.key {
            problem.column = Some(spelling(key));
            problem.value = Some(fields.get(key)).filter(|text| !text.is_empty()).map(printable);
        }
        problem
    };
    flaws.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests;
