//! What a journal makes of several stints and of open rows: what is kept of that, and what a refused stint is told by it.

use rusqlite::Connection;

use super::incoming::Times;
use super::number::Numbers;
use super::stints::merged_times;
use super::{Journal, JournalError, Note};
use crate::model::{Policy, RowId, Stints, Timestamp};

impl Journal {
    /// What it makes of the history in its input.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn policy(&self) -> Result<Policy, JournalError> {
        let (stints, bridges): (String, bool) =
            self.conn
                .query_row("SELECT stints, bridges FROM journal", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let unknown = |()| JournalError::Content(format!("stints that are {stints:?}"));
        Ok(Policy { stints: stints.parse().map_err(unknown)?, bridges })
    }
}

/// Refusals that a second stint meets.
const OF_SECOND_STINTS: [&str; 2] = ["ALREADY_EXISTS", "OTHER_TIMES"];

/// Why a row was refused, with what can be done about it where it is one of several stints.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn told(conn: &Connection, row: RowId, note: &Note) -> Result<String, JournalError> {
    if !OF_SECOND_STINTS.contains(&note.kind.as_str()) {
        return Ok(note.error.clone());
    }
    let (space, member) = Numbers::parts(row.0);
    let numbers = Numbers::of_member(space, member);
    let mut statement = conn.prepare_cached(
        "SELECT create_time, delete_time, rows.id <> ?4 AND rows.state IN (1, 2) FROM rows, journal
          WHERE rows.id BETWEEN ?1 AND ?2 AND rows.operation = 1 AND delete_time IS NOT NULL AND stints = ?3",
    )?;
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let stints: Vec<(Times, bool)> = statement
        .query_map((numbers.first, numbers.last, Stints::Each.as_str(), row.0), |row| {
            Ok((Times::of(time(row.get(0)?), time(row.get(1)?)), row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let count = stints.len();
    // Where none of the others is there, it is not one of these that Chat refuses it for, and merging them would not help.
    let is_second = stints.iter().any(|(_, is_there)| *is_there);
    Ok(match merged_times(stints.into_iter().map(|(times, _)| times)) {
        Some(times) if is_second => format!(
            "{}. This is one of {count} stints of this member in this space, and Chat refuses a second one beside the \
             first: --stints merge would send one membership for them all, {} (in a new journal, once those that Chat \
             holds are deleted: tenure rollback JOURNAL)",
            note.error,
            times.span()
        ),
        _ => note.error.clone(),
    })
}
