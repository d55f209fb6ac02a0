//! Which spaces of an import can be completed, and what is to be done in them then.

use std::collections::HashMap;

use rusqlite::params;

use super::change::open_up;
use super::query::HAS_ROWS;
use super::rollback::recount;
use super::{Journal, JournalError, SpaceWork, Work, reasons};
use crate::model::{Operation, SpaceId, SpaceName, Timestamp};

/// The reason of rows that came when their space was completed.
pub const SPACE_COMPLETED: &str = "SPACE_COMPLETED";

/// What completing would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompletionPlan {
    /// What there is to do.
    pub work: Work,
    /// Spaces to complete.
    pub to_complete: u64,
    /// Members of today to add.
    pub to_add: u64,
    /// Of these, and of those added already, so many are to get a role.
    pub to_promote: u64,
    /// Spaces that were completed before.
    pub completed: u64,
    /// Spaces of which rows are not settled yet.
    pub unsettled: Vec<Unfit>,
    /// Spaces that are not completed because the last `verify` did not find so many of their rows in Chat.
    pub missing: Vec<Unfit>,
    /// Spaces of the same kind that are completed all the same: somebody has said that rows may be missing.
    pub lacking: Vec<Unfit>,
    /// Of the spaces to complete, those that no `verify` has looked at.
    pub unverified: u64,
    /// Spaces of which rows were refused, and that are not completed for that.
    pub rejected: Vec<Unfit>,
    /// Rows that were left out when they were read (`--skip-invalid`), and are not replaced. Nothing tells for sure which
    /// space they belong to.
    pub left_out: u64,
    /// Spaces that are not completed because one of these may be theirs.
    pub doubtful: Vec<Unfit>,
    /// Whether the migrating account was to leave, and stays for these rows: nobody has said that they may be missing.
    pub stays: bool,
    /// Spaces that Chat deletes too soon, or has deleted already.
    pub expired: Vec<Unfit>,
}

/// A space that is not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Its name.
    pub space: SpaceName,
    /// How many rows stand against it.
    pub rows: u64,
}

impl Journal {
    /// What completing would do. `leaves` says whether the migrating account is to leave, `last_call` until when a space
    /// must not expire.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn completion_plan(
        &self,
        accepts_rejects: bool,
        leaves: bool,
        last_call: Timestamp,
    ) -> Result<CompletionPlan, JournalError> {
        let left_out: i64 =
            self.conn.query_row("SELECT ifnull(sum(invalid), 0) FROM sources", [], |row| row.get(0))?;
        let stays = leaves && left_out > 0 && !accepts_rejects;
        let leaves = leaves && !stays;
        let mut plan =
            CompletionPlan { left_out: left_out.cast_unsigned(), stays, ..CompletionPlan::default() };
        let expired = format!("completed_at IS NULL AND expires_at < {} ORDER BY id", last_call.as_micros());
        let expired = self.spaces(&expired)?;
        let missing = self.missing()?;
        for space in self.spaces(&format!("{HAS_ROWS} ORDER BY open DESC, id"))? {
            let unsettled = space.pending + space.in_flight;
            let unfit = |rows| Unfit { space: space.name.clone(), rows };
            if space.completed {
                plan.completed += 1;
                let accepted = accepts_rejects || space.rejected == 0;
                if unsettled + space.open == 0 && !(leaves && !space.left && accepted) {
                    continue;
                }
            } else if expired.iter().any(|other| other.id == space.id) {
                plan.expired.push(unfit(space.open));
                continue;
            } else if unsettled > 0 {
                plan.unsettled.push(unfit(unsettled));
                continue;
            } else if let Some(rows @ 1..) = missing.get(&space.id).filter(|_| !accepts_rejects) {
                plan.missing.push(unfit(*rows));
                continue;
            } else if space.rejected > 0 && !accepts_rejects {
                plan.rejected.push(unfit(space.rejected));
                continue;
            } else if left_out > 0 && !accepts_rejects {
                plan.doubtful.push(unfit(0));
                continue;
            } else {
                plan.to_complete += 1;
                match missing.get(&space.id) {
                    None => plan.unverified += 1,
                    Some(0) => {}
                    Some(rows) => plan.lacking.push(unfit(*rows)),
                }
            }
            plan.to_add += space.open;
            plan.to_promote += self.roles_due(space.id)?;
            plan.work.spaces.push(space);
        }
        Ok(plan)
    }

    /// How many rows the last `verify` did not find, by the spaces that it has looked at.
    fn missing(&self) -> Result<HashMap<SpaceId, u64>, JournalError> {
        let mut statement = self.conn.prepare("SELECT id, missing FROM spaces WHERE missing IS NOT NULL")?;
        let rows = statement
            .query_map([], |row| Ok((SpaceId(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many rows of a space are to get a role that nobody has by being added.
    fn roles_due(&self, space: SpaceId) -> Result<u64, JournalError> {
        let numbers = super::number::Numbers::of_space(space);
        Ok(self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM rows
                  WHERE id BETWEEN ?1 AND ?2 AND role <> 'ROLE_MEMBER' AND (state = 4 OR state IN (0, 1) AND operation IN (2, 4))",
            )?
            .query_row(params![numbers.first, numbers.last], |row| row.get::<_, i64>(0))?
            .cast_unsigned())
    }

    /// Lets rows be sent that came into the journal after their space was completed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open_completed(&mut self, spaces: &mut [SpaceWork]) -> Result<(), JournalError> {
        let tx = self.conn.transaction()?;
        for space in spaces.iter_mut().filter(|space| space.completed && space.open > 0) {
            open_up(&tx, space.id)?;
            space.pending += std::mem::take(&mut space.open);
        }
        tx.commit()?;
        Ok(())
    }

    /// Rejects history that is still to be sent to spaces which are completed: Chat takes none there. Returns how many rows
    /// that were, all in one transaction.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is.
    pub fn refuse_late_history(&mut self, now: Timestamp) -> Result<u64, JournalError> {
        let spaces = self.spaces("completed_at IS NOT NULL AND pending > 0")?;
        let tx = self.conn.transaction()?;
        let mut refused = 0;
        for space in &spaces {
            let numbers = super::number::Numbers::of_space(space.id);
            let name = space.name.as_str();
            let error =
                format!("{name} is completed, and Chat takes history only while a space is in import mode");
            refused += tx.execute(
                "UPDATE rows SET state = 3, settled_at = ?3, http_status = NULL, kind = ?4, error = ?5
                  WHERE id BETWEEN ?1 AND ?2 AND state = 0 AND operation = ?6",
                params![
                    numbers.first,
                    numbers.last,
                    now.as_micros(),
                    SPACE_COMPLETED,
                    error,
                    Operation::Create.code()
                ],
            )? as u64;
        }
        if refused > 0 {
            recount(&tx)?;
            reasons::recount(&tx)?;
        }
        tx.commit()?;
        Ok(refused)
    }

    /// Whether a space of the journal is known to be completed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn completed(&self, space: &str) -> Result<bool, JournalError> {
        let mut statement =
            self.conn.prepare_cached("SELECT 1 FROM spaces WHERE name = ?1 AND completed_at IS NOT NULL")?;
        Ok(statement.exists([space])?)
    }

    /// The spaces (`spaces/AAAA`) that are not completed and have rows to send, or rows whose answer is unknown.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn unsettled_spaces(&self) -> Result<Vec<String>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT name FROM spaces WHERE completed_at IS NULL AND (pending > 0 OR in_flight > 0) ORDER BY id",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Spaces that Chat has refused to complete, and what it said.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn not_completed(&self) -> Result<Vec<(String, String)>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT name, complete_error FROM spaces WHERE complete_error IS NOT NULL AND completed_at IS NULL ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
