//! CSV lines to entries.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::Tenure;

use super::columns::{Columns, Key};
use super::csv::{Line, Table};
use super::given::{Given, GivenBuilder, is_canonical};
use super::names::Naming;
use super::problem::{Problem, ProblemKind};
use super::problems::Problems;
use super::records::Record;
use super::row::{Fields, Found, Rules, admit, check};
use super::source::Source;
use super::{BadRow, Entry, Next, Row, problems_of};

/// A CSV file of rows whose header is in order.
pub(super) struct CsvRows {
    file: Arc<str>,
    pub(super) table: Table,
    pub(super) columns: Columns,
    any: bool,
}

impl CsvRows {
    pub(super) fn open(source: Source) -> Result<Self, Problems> {
        let table = Table::open(source)?;
        let columns =
            Columns::of_header(&table.file, table.header_line, &table.header).map_err(|mut problems| {
                problems.each_kept(|problem| table.quote(problem));
                problems
            })?;
        Ok(CsvRows { file: Arc::clone(&table.file), table, columns, any: false })
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.table.delimiter)
    }

    /// The next row.
    ///
    /// # Errors
    /// A fatal problem.
    pub(super) fn next<N: Naming>(&mut self, rules: &Rules, names: &mut N) -> Next<N> {
        let header_line = self.table.header_line;
        let (file, columns) = (&self.file, &self.columns);
        let Some(line) = self.table.next()? else {
            if self.any {
                return Ok(None);
            }
            let message = "it has a header, but no row below it";
            let problem = Problem::new(file, header_line, ProblemKind::NoRows, message);
            return Err(Box::new(problem.help("check that the export finished").fatal()));
        };
        self.any = true;
        Ok(Some(match line {
            Line::Bad(problem, raw) => {
                Entry::Bad(BadRow { line: problem.line, problems: vec![problem], given: Given::raw(&raw) })
            }
            Line::Fields(line, record) => {
                let fields = Fields(columns.places.map(|place| place.map_or("", |place| record.get(place))));
                match check(&fields, rules, names) {
                    Ok(checked) => {
                        let found = Found::in_row::<N>(&checked);
                        let tenure = admit(checked, names);
                        let given = given(columns, &record, Some(&tenure), found, names);
                        Entry::Row(Row { line, tenure, given })
                    }
                    Err(flaws) => {
                        let spelling = |key: Key| -> Cow<'static, str> { columns.spelling(key) };
                        let problems = problems_of(file, line, flaws, &fields, spelling);
                        Entry::Bad(BadRow {
                            line,
                            problems,
                            given: given(columns, &record, None, Found::default(), names),
                        })
                    }
                }
            }
        }))
    }
}

fn given<N: Naming>(
    columns: &Columns,
    record: &Record<'_>,
    tenure: Option<&Tenure<N::Space, N::Member>>,
    found: Found,
    names: &N,
) -> Given {
    let mut given = GivenBuilder::default();
    for (place, (name, key)) in columns.names.iter().zip(&columns.keys).enumerate() {
        let text = record.get(place);
        let said = match (tenure, key) {
            (Some(_), Some(Key::Space)) if found.space => N::is_whole_space(text),
            (Some(_), Some(Key::Member)) if found.member => N::is_whole_member(text),
            (Some(tenure), Some(key)) => is_canonical(*key, text, tenure, names),
            _ => false,
        };
        if !said {
            given.push_text(name, text);
        }
    }
    given.finish()
}
