//! Rejects that are tried again as they are: what was in their way is gone.

use std::collections::BTreeMap;

use rusqlite::params;

use super::number::Numbers;
use super::rollback::recount;
use super::{Journal, JournalError, reasons};
use crate::model::{Operation, Undertaking};

/// What a row forgets that is to be tried again: how it was refused.
pub(super) const FORGOTTEN: &str = "settled_at = NULL, http_status = NULL, kind = NULL, error = NULL";

/// Kinds of which nobody knows whether Chat holds the membership.
pub(super) const PERHAPS_HELD: &str = "ifnull(kind, '') IN ('UNDECIDED', 'DOUBLED', 'PERHAPS_THERE')";
/// What is wrong with the line itself, by the kinds' spelling: only another line mends that.
const OF_THE_LINE: &str = "(rows.id < 1 << 42 OR kind IS NULL OR kind NOT GLOB '[A-Z]*')";
/// A rollback sends nothing that it does not delete.
const NOT_TAKEN_BACK: &str = "rows.operation <> ?1 AND (SELECT operation FROM journal) = ?2";

/// What became of rejects that were to be tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retried {
    /// Rows that are pending again.
    pub rows: u64,
    /// Rows that stay: what is wrong with them is in their lines.
    pub of_the_line: u64,
    /// Rows that stay: Chat may hold them.
    pub open_questions: u64,
    /// Rows that stay for another reason: an import that was rolled back does not send them any more.
    pub not_taken_back: u64,
}

impl Journal {
    /// The kinds of the rejects, each with how many there are, the commonest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rejects_by_kind(&self) -> Result<Vec<(String, u64)>, JournalError> {
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for reason in self.reject_kinds()? {
            // Whatever the status was that it came with.
            *kinds.entry(reason.kind).or_default() += reason.count;
        }
        let mut kinds: Vec<(String, u64)> = kinds.into_iter().collect();
        kinds.sort_unstable_by(|(one, more), (other, most)| most.cmp(more).then_with(|| one.cmp(other)));
        Ok(kinds)
    }

    /// Whether lines that can never be sent were ever taken in as rejects, be they mended by now.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn left_out(&self) -> Result<bool, JournalError> {
        let any = "SELECT EXISTS (SELECT 1 FROM rows WHERE id <= ?1)";
        Ok(self.conn.query_row(any, [Numbers::INVALID.last], |row| row.get(0))?)
    }

    /// Puts rejects back to pending, all or those of one kind, in one transaction, as a reading does with those that are fed
    /// back; but only where nothing can be doubled by that.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is.
    pub fn retry_rejected(&mut self, kind: Option<&str>) -> Result<Retried, JournalError> {
        let undertaking = self.undertaking()?;
        let tx = self.conn.transaction()?;
        if undertaking == Undertaking::Spaces {
            // The same request id makes the same space only once.
            let rows = tx.execute(
                &format!(
                    "UPDATE channels SET state = 0, {FORGOTTEN} WHERE state = 3 AND kind = ifnull(?1, kind)"
                ),
                [kind],
            )?;
            tx.commit()?;
            return Ok(Retried { rows: rows as u64, ..Retried::default() });
        }
        // Sending one of these again could make a second membership. Of all but one of the past the same call again tells.
        let open_questions = format!("rows.operation = 1 AND {PERHAPS_HELD}");
        let (delete, rollback) = (Operation::Delete.code(), Undertaking::Rollback.as_str());
        let of_kind = "rows.state = 3 AND ifnull(kind, 'unknown') = ifnull(?3, ifnull(kind, 'unknown'))";
        let count = |condition: &str| -> Result<u64, JournalError> {
            // Each parameter has to be there.
            let sql = format!("SELECT count(*) FROM rows WHERE {of_kind} AND ({condition}) AND ?1 IS NOT ?2");
            Ok(tx
                .query_row(&sql, params![delete, rollback, kind], |row| row.get::<_, i64>(0))?
                .cast_unsigned())
        };
        let retried = Retried {
            of_the_line: count(OF_THE_LINE)?,
            open_questions: count(&format!("{open_questions} AND NOT ({NOT_TAKEN_BACK})"))?,
            not_taken_back: count(&format!("NOT {OF_THE_LINE} AND {NOT_TAKEN_BACK}"))?,
            rows: tx.execute(
                &format!(
                    "UPDATE rows SET state = 0, {FORGOTTEN}
                      WHERE {of_kind} AND NOT {OF_THE_LINE} AND NOT ({open_questions}) AND NOT ({NOT_TAKEN_BACK})"
                ),
                params![delete, rollback, kind],
            )? as u64,
        };
        if retried.rows > 0 {
            recount(&tx)?;
            reasons::recount(&tx)?;
        }
        tx.commit()?;
        Ok(retried)
    }
}
