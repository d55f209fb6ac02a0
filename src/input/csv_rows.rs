//! CSV lines to entries.

use std::borrow::Cow;

use csv::ByteRecord;

use crate::model::Tenure;

use super::columns::{Columns, Key};
use super::csv::{Line, Table};
use super::given::{Given, GivenBuilder, is_canonical};
use super::problem::{Problem, ProblemKind, Problems};
use super::row::{Fields, Rules, check};
use super::source::Source;
use super::{BadRow, Entry, Row, problems_of};

/// A CSV file of rows whose header is in order.
pub(super) struct CsvRows {
    table: Table,
    pub(super) columns: Columns,
    any: bool,
}

impl CsvRows {
    pub(super) fn open(source: Source) -> Result<Self, Problems> {
        let table = Table::open(source)?;
        let columns = Columns::of_header(&table.file, table.header_line, &table.header)?;
        Ok(CsvRows { table, columns, any: false })
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.table.delimiter)
    }

    /// The next row.
    ///
    /// # Errors
    /// A fatal problem.
    pub(super) fn next(&mut self, rules: &Rules) -> Result<Option<Entry>, Box<Problem>> {
        let file = self.table.file.clone();
        let header_line = self.table.header_line;
        let columns = &self.columns;
        let Some(line) = self.table.next()? else {
            if self.any {
                return Ok(None);
            }
            let message = "it has a header, but no row below it";
            let problem = Problem::new(&file, header_line, ProblemKind::NoRows, message);
            return Err(Box::new(problem.help("check that the export finished").fatal()));
        };
        self.any = true;
        Ok(Some(match line {
            Line::Bad(problem, raw) => {
                Entry::Bad(BadRow { line: problem.line, problems: vec![problem], given: Given::raw(&raw) })
            }
            Line::Fields(line, record) => {
                let fields =
                    Fields(columns.places.map(|place| place.map_or("", |place| text(record, place))));
                match check(&fields, rules) {
                    Ok(tenure) => {
                        let given = given(columns, record, Some(&tenure));
                        Entry::Row(Row { line, tenure, given })
                    }
                    Err(flaws) => {
                        let spelling = |key: Key| -> Cow<'static, str> { columns.spelling(key) };
                        let problems = problems_of(&file, line, flaws, &fields, spelling);
                        Entry::Bad(BadRow { line, problems, given: given(columns, record, None) })
                    }
                }
            }
        }))
    }
}

/// The record is known to be UTF-8.
fn text(record: &ByteRecord, place: usize) -> &str {
    record.get(place).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

fn given(columns: &Columns, record: &ByteRecord, tenure: Option<&Tenure>) -> Given {
    let mut given = GivenBuilder::default();
    for (place, (name, key)) in columns.names.iter().zip(&columns.keys).enumerate() {
        let text = text(record, place);
        let said = match (tenure, key) {
            (Some(tenure), Some(key)) => is_canonical(*key, text, tenure),
            _ => false,
        };
        if !said {
            given.push(name, text);
        }
    }
    given.finish()
}
