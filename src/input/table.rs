//! CSV of other programs: columns by the names in its header, whatever else stands there, and lines that may be ragged.

use std::io::Read;
use std::sync::Arc;

use super::problem::Problem;
use super::records::{Record, Records};

/// A table that another program has written.
pub struct ForeignTable<R> {
    file: Arc<str>,
    records: Records<R>,
    columns: Vec<String>,
}

impl<R> std::fmt::Debug for ForeignTable<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignTable").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A line of a [`ForeignTable`]: one record, which may span several lines of the file.
#[derive(Debug, Clone, Copy)]
pub struct ForeignLine<'a> {
    /// The line that it begins on, from 1.
    pub number: u64,
    record: Record<'a>,
}

impl<'a> ForeignLine<'a> {
    /// The text in a column; empty where there is none, or where it is not UTF-8.
    pub fn get(&self, column: Option<usize>) -> &'a str {
        column.map_or("", |column| self.record.get(column).trim())
    }
}

/// Names of columns are compared without case and without what parts their words: `Channel Id`, `channel_id` and
/// `channelid` are one.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The delimiter that a line parts its fields with: comma, semicolon or tab, whichever is there most often.
fn delimiter_of(line: &[u8]) -> u8 {
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// The names of the columns in the first line of a text, bare.
///
/// `head` need not be all of the text, but has to hold all of its first line.
pub fn foreign_columns(head: &[u8]) -> Vec<String> {
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let delimiter = delimiter_of(line);
    line.split(|byte| *byte == delimiter).map(|name| bare(&String::from_utf8_lossy(name))).collect()
}

impl<R: Read> ForeignTable<R> {
    /// Reads the header; `head` is the beginning of the text, from which the delimiter is known.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(file: &Arc<str>, reader: R, head: &[u8]) -> Result<Self, Box<Problem>> {
        let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let mut records = Records::new(reader, delimiter_of(line));
        match records.next() {
            Ok(_) => {
                let columns =
                    records.record().iter().map(|name| bare(&String::from_utf8_lossy(name))).collect();
                Ok(ForeignTable { file: Arc::clone(file), records, columns })
            }
            Err(fault) => Err(Box::new(fault.problem(file))),
        }
    }

    /// Where the first of these columns is that the table has; their names without anything but small letters.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.iter().position(|column| column == name))
    }

    /// The next line; `Some(Err(..))` is one that cannot be read, and the next is there all the same.
    ///
    /// # Errors
    /// What makes going on pointless.
    pub fn next_line(&mut self) -> Result<Option<Result<ForeignLine<'_>, Box<Problem>>>, Box<Problem>> {
        match self.records.next() {
            Ok(None) => Ok(None),
            Ok(Some(mark)) => Ok(Some(match mark.flaw {
                Some(flaw) => {
                    let column = self.columns.get(flaw.field).cloned().unwrap_or_default();
                    Err(Box::new(
                        Problem::new(&self.file, mark.line, flaw.kind, flaw.message)
                            .column(column)
                            .help(flaw.help),
                    ))
                }
                None => Ok(ForeignLine { number: mark.line, record: self.records.record() }),
            })),
            Err(fault) => Err(Box::new(fault.problem(&self.file))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, column: &str) -> Vec<Result<String, String>> {
        let file = Arc::from("t.csv");
        let mut table = ForeignTable::read(&file, text.as_bytes(), text.as_bytes()).unwrap();
        let column = table.column(&[column]);
        let mut cells = Vec::new();
        loop {
            match table.next_line() {
                Ok(None) => return cells,
                Ok(Some(Ok(line))) => cells.push(Ok(line.get(column).to_owned())),
                Ok(Some(Err(problem))) | Err(problem) if problem.fatal => {
                    cells.push(Err(problem.to_string()));
                    return cells;
                }
                Ok(Some(Err(problem))) | Err(problem) => cells.push(Err(problem.to_string())),
            }
        }
    }

    #[test]
    fn by_name_and_with_any_delimiter() {
        for text in [
            "Channel Id,x\nc1,1\nc2\n\n",
            "\"channel_id\"\tx\nc1\t1\nc2\n",
            "\u{feff}CHANNELID;x\r\nc1;1\r\nc2;;;",
        ] {
            assert_eq!(cells(text, "channelid"), [Ok("c1".to_owned()), Ok("c2".to_owned())], "{text}");
        }
        assert_eq!(foreign_columns(b"Post Id,\"User Id\"\nx"), ["postid", "userid"]);
    }

    #[test]
    fn a_bad_line_is_named_and_the_next_is_there() {
        let found = cells("id,x\na,\"1\"2\nb,\"1\n2\"\n", "id");
        assert!(found[0].as_ref().unwrap_err().starts_with("t.csv:2"), "{found:?}");
        assert_eq!(found[1..], [Ok("b".to_owned())]);
        let found = cells("id,x\na,\"1\nb,2\n", "id");
        assert!(found[0].as_ref().unwrap_err().contains("never closed"), "{found:?}");
    }
}
