//! What Chat may have held before this journal's first call to a space, seen from the rows that are to be sent there.

use rusqlite::{OptionalExtension, params};

use super::number::Numbers;
use super::{Journal, JournalError};
use crate::model::{Job, Prior, RowId, SpaceId, Span, Timestamp};

impl Journal {
    /// Whether Chat may hold a row's membership since before the first call to its space.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn prior(&self, job: &Job) -> Result<Prior, JournalError> {
        if let Some(holder) = job.holder() {
            return self.prior_of(job.space, holder, job.span);
        }
        let (create, delete) = times(job.span);
        let somebodys = self
            .conn
            .prepare_cached(
                "SELECT 1 FROM found
                  WHERE space = ?1 AND create_time IN (0, ?2) AND delete_time IN (0, ?3)
                    AND NOT EXISTS (SELECT 1 FROM members WHERE members.user = found.user OR members.name = found.user)
                  LIMIT 1",
            )?
            .exists(params![job.space.0, create, delete])?;
        Ok(if somebodys { Prior::Perhaps } else { Prior::No })
    }

    /// The same of a membership of somebody whose canonical `users/{id}` is known.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn prior_of(&self, space: SpaceId, user: &str, span: Span) -> Result<Prior, JournalError> {
        let (create, delete) = times(span);
        // Times that are not told come last.
        let found: Option<(i64, i64, i64)> = self
            .conn
            .prepare_cached(
                "SELECT create_time, delete_time, copies FROM found
                  WHERE space = ?1 AND user = ?2 AND create_time IN (0, ?3) AND delete_time IN (0, ?4)
                  ORDER BY create_time = 0 OR delete_time = 0 LIMIT 1",
            )?
            .query_row(params![space.0, user, create, delete], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        Ok(match found {
            None => Prior::No,
            Some((0, ..) | (_, 0, _)) => Prior::Perhaps,
            Some((_, _, 1)) => Prior::Held,
            Some(_) => Prior::HeldTwice,
        })
    }

    /// Whether this Chat was seen to make two of a create that is repeated.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn doubles(&self) -> Result<bool, JournalError> {
        Ok(self.conn.query_row("SELECT doubles FROM journal", [], |row| row.get(0))?)
    }

    /// Lets every space be listed anew before anything more is sent to it: what the journal knows of them may be old.
    /// `lost` says whether it is known to be.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is.
    pub fn doubt(&mut self, lost: bool) -> Result<(), JournalError> {
        let tx = self.conn.transaction()?;
        tx.execute("UPDATE spaces SET surveyed_at = NULL WHERE surveyed_at IS NOT NULL", [])?;
        tx.execute("UPDATE journal SET lost = max(lost, ?1)", [lost])?;
        tx.commit()?;
        Ok(())
    }

    /// Whether commits of this journal were lost, and rows have been in flight ever since.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn has_lost(&self) -> Result<bool, JournalError> {
        Ok(self.conn.query_row("SELECT lost FROM journal", [], |row| row.get(0))?)
    }

    /// Rows of a space whose answer is unknown and which share their times with another that is not settled.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn alike(&self, space: SpaceId) -> Result<Vec<RowId>, JournalError> {
        let numbers = Numbers::of_space(space);
        let mut statement = self.conn.prepare(
            "SELECT DISTINCT one.id FROM rows AS one JOIN rows AS other
                 ON other.id BETWEEN ?1 AND ?2 AND other.state IN (0, 1) AND other.id <> one.id
                AND other.delete_time = one.delete_time
                AND ifnull(other.create_time, other.delete_time - 1) = ifnull(one.create_time, one.delete_time - 1)
              WHERE one.id BETWEEN ?1 AND ?2 AND one.state = 1",
        )?;
        let rows = statement
            .query_map([numbers.first, numbers.last], |row| row.get(0).map(RowId))?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }
}

/// The times as Chat lists them, in microseconds; those that it need not be asked for are 0, as what is not told.
fn times(span: Span) -> (i64, i64) {
    let micros = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_micros);
    (micros(span.start()), micros(span.delete_time))
}
