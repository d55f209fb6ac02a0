//! The refused rows, as they were and why.

use rusqlite::Row;

use super::{Journal, JournalError};
use crate::model::{Span, Timestamp};

/// A row that was refused for good, or never valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The file it came from.
    pub path: String,
    /// JSON of that file's layout.
    pub layout: String,
    /// Its line there.
    pub line: u64,
    /// `spaces/{id}`; `None` for an invalid line.
    pub space: Option<String>,
    /// The member's name; `None` for an invalid line.
    pub member: Option<String>,
    /// Its times.
    pub span: Span,
    /// Its role.
    pub role: Option<String>,
    /// JSON of what the line said beyond these.
    pub given: Option<String>,
    /// A short stable word for the reason.
    pub kind: String,
    /// The reason in full.
    pub error: String,
    /// HTTP status of the refusal, if there was a call.
    pub http_status: Option<u16>,
    /// How often it was sent.
    pub attempts: u32,
}

impl Journal {
    /// Every refused row in the order of the input.
    ///
    /// # Errors
    /// When the journal cannot be read, or `each` fails.
    pub fn rejects<E: From<JournalError>>(
        &self,
        mut each: impl FnMut(RejectedRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .conn
            .prepare(
                // A row that is made of several is given back as these came.
                "SELECT path, layout, ifnull(parts.line, rows.line), spaces.name, members.name,
                        iif(parts.row IS NULL, rows.create_time, parts.create_time),
                        iif(parts.row IS NULL, rows.delete_time, parts.delete_time),
                        iif(parts.row IS NULL, rows.role, parts.role),
                        iif(parts.row IS NULL, rows.given, parts.given), kind, error, http_status, attempts
                   FROM rows
                   LEFT JOIN parts ON parts.row = rows.id
                   JOIN sources ON sources.id = ifnull(parts.source, rows.source)
                   LEFT JOIN spaces ON spaces.id = rows.id >> 42
                   LEFT JOIN members ON members.id = rows.id >> 16 & 67108863 AND rows.id >> 42 > 0
                  WHERE rows.state = 3 ORDER BY sources.id, 3, rows.id",
            )
            .map_err(JournalError::from)?;
        let mut rows = statement.query([]).map_err(JournalError::from)?;
        while let Some(row) = rows.next().map_err(JournalError::from)? {
            each(rejected(row).map_err(JournalError::from)?)?;
        }
        Ok(())
    }

    /// The layouts (JSON) of all files that were read, in the order in which they were.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn layouts(&self) -> Result<Vec<(String, String)>, JournalError> {
        let mut statement = self.conn.prepare("SELECT path, layout FROM sources ORDER BY id")?;
        let layouts =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(layouts)
    }

    /// With which options input was read last, as [`Journal::note_read_with`] was told.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn read_with(&self) -> Result<Option<String>, JournalError> {
        Ok(self.conn.query_row("SELECT read_with FROM journal", [], |row| row.get(0))?)
    }

    /// Keeps the options (JSON) that input was read with.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn note_read_with(&mut self, options: &str) -> Result<(), JournalError> {
        self.conn.execute("UPDATE journal SET read_with = ?1", [options])?;
        Ok(())
    }
}

fn rejected(row: &Row<'_>) -> rusqlite::Result<RejectedRow> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
    Ok(RejectedRow {
        path: row.get(0)?,
        layout: row.get(1)?,
        line: row.get::<_, i64>(2)?.cast_unsigned(),
        space: row.get(3)?,
        member: row.get(4)?,
        span: Span { create_time: time(5)?, delete_time: time(6)? },
        role: row.get(7)?,
        given: row.get(8)?,
        kind: row.get::<_, Option<String>>(9)?.unwrap_or_else(|| "unknown".to_owned()),
        error: row.get::<_, Option<String>>(10)?.unwrap_or_default(),
        http_status: row.get(11)?,
        attempts: row.get(12)?,
    })
}
