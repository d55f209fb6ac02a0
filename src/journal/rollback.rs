//! Taking back what an import has created: which rows that are, and their turn from created to be deleted.
//!
//! Chat deletes by name, and a name holds the member's id alone: where a member had a membership in a space before this
//! journal's first call there, deleting would take that one as well, so nothing of theirs is deleted.

use rusqlite::{Connection, named_params};

use super::{Journal, JournalError, reasons};
use crate::model::{Timestamp, Undertaking};

/// What a rollback would do with the rows of a journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollbackPlan {
    /// Memberships to delete, those included of which it is not known whether Chat has made them,
    pub to_delete: u64,
    /// and in how many spaces.
    pub spaces: u64,
    /// Of those to delete, the ones of which it is not known.
    pub in_flight: u64,
    /// Rows that were not sent, and will not be.
    pub unsent: u64,
    /// Memberships that a rollback which was begun before has still to delete.
    pub begun: u64,
    /// What stays in Chat.
    pub stays: Stays,
    /// Rows that are taken back already.
    pub taken_back: u64,
}

/// Memberships of a journal that no rollback deletes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stays {
    /// Those that Chat held before.
    pub existed: u64,
    /// Those held under one name with what was there before.
    pub shared: u64,
    /// History in spaces that were completed: nobody can delete it any more.
    pub completed: u64,
}

impl Stays {
    /// How many they are.
    pub const fn count(&self) -> u64 {
        self.existed + self.shared + self.completed
    }
}

/// What a rollback has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RolledBack {
    /// Memberships that it has deleted.
    pub deleted: u64,
    /// Memberships that were gone when it came to them.
    pub gone: u64,
    /// Rows that were not sent before it, and will not be.
    pub unsent: u64,
    /// What stays in Chat.
    pub stays: Stays,
    /// Rows that it could not take back, or of which it is not known whether Chat holds them. What Chat had refused to create
    /// is nothing to take back.
    pub refused: u64,
}

/// Whether the row's member had something in its space beforehand; whoever is not known for certain counts.
const SHARED: &str = "EXISTS (SELECT 1 FROM found JOIN members ON members.id = rows.id >> 16 & 67108863
     WHERE found.space = rows.id >> 42 AND (found.user IN (members.user, members.name)
        OR members.user IS NULL AND NOT EXISTS (SELECT 1 FROM members AS other WHERE other.user = found.user)))";
/// Whether its space is in import mode no more.
const COMPLETED: &str =
    "EXISTS (SELECT 1 FROM spaces WHERE spaces.id = rows.id >> 42 AND completed_at IS NOT NULL)";
/// A historical membership.
const HISTORY: &str = "rows.operation = 1";

/// What is made by this journal, or may be.
const MADE: &str = "rows.operation <> 3 AND (rows.state = 2 AND rows.existed = 0 OR rows.state = 1)";

/// Rows that were not sent, those included that wait for their space's completion. Who waits for a role is there already.
const UNSENT: &str =
    "(rows.operation NOT IN (3, 4) AND rows.state = 0 OR rows.operation <> 3 AND rows.state = 4)";
/// Rows whose membership is not in Chat any more, or never was: then nothing was tried.
const TAKEN_BACK: &str = "rows.operation = 3 AND rows.state = 2";

/// Somebody who was a member before, and waits for a role or was refused it.
const ROLE_OF_ANOTHER: &str = "rows.operation = 4 AND rows.existed = 1";

/// Rows to delete: what is made and was not there before, what may be made, and members who wait for a role or were refused it.
fn to_delete() -> String {
    format!(
        "rows.id >= 1 << 42 AND rows.operation <> 3
         AND (rows.state = 2 AND rows.existed = 0 OR rows.state IN (0, 1, 3) AND rows.operation = 4 OR rows.state = 1)
         AND NOT ({ROLE_OF_ANOTHER})
         AND NOT ({HISTORY} AND {COMPLETED}) AND NOT ({HISTORY} AND {SHARED})"
    )
}

impl Journal {
    /// What a rollback would do.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rollback_plan(&self) -> Result<RollbackPlan, JournalError> {
        let count = |condition: &str| -> Result<u64, JournalError> {
            let sql = format!("SELECT count(*) FROM rows WHERE rows.id >= 1 << 42 AND {condition}");
            Ok(self.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
        };
        let to_delete = to_delete();
        let sql = format!("SELECT count(DISTINCT rows.id >> 42) FROM rows WHERE {to_delete}");
        Ok(RollbackPlan {
            to_delete: count(&to_delete)?,
            spaces: self.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned(),
            in_flight: count(&format!("rows.state = 1 AND {to_delete}"))?,
            unsent: count(UNSENT)?,
            begun: count("rows.operation = 3 AND rows.state IN (0, 1)")?,
            stays: self.rolled_back()?.stays,
            taken_back: count(&format!("{TAKEN_BACK} AND rows.attempts > 0"))?,
        })
    }

    /// What a rollback has done so far, in one pass through all rows.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rolled_back(&self) -> Result<RolledBack, JournalError> {
        let sql = format!(
            "SELECT total({TAKEN_BACK} AND rows.attempts > 0 AND rows.existed IS NOT 1),
                    total({TAKEN_BACK} AND rows.attempts > 0 AND rows.existed = 1),
                    total({TAKEN_BACK} AND rows.attempts = 0),
                    total(rows.operation <> 3 AND rows.existed = 1 AND (rows.state = 2 OR rows.operation = 4)),
                    total({MADE} AND {HISTORY} AND NOT {COMPLETED} AND {SHARED}),
                    total({MADE} AND {HISTORY} AND {COMPLETED}),
                    total(rows.state = 3 AND (rows.operation = 3 OR rows.kind = 'UNDECIDED'))
               FROM rows WHERE rows.id >= 1 << 42"
        );
        Ok(self.conn.query_row(&sql, [], |row| {
            let count = |column| row.get::<_, f64>(column).map(|count| count as u64);
            let stays = Stays { existed: count(3)?, shared: count(4)?, completed: count(5)? };
            let (deleted, gone, unsent, refused) = (count(0)?, count(1)?, count(2)?, count(6)?);
            Ok(RolledBack { deleted, gone, unsent, stays, refused })
        })?)
    }

    /// Makes a journal of an import one of its rollback: from here on what it has created is to be deleted, and nothing of
    /// it will be created any more. All or nothing; once more changes nothing.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is.
    pub fn begin_rollback(&mut self, now: Timestamp) -> Result<(), JournalError> {
        let tx = self.conn.transaction()?;
        tx.execute(
            &format!(
                "UPDATE rows SET operation = 3, state = 0, attempts = 0, kind = NULL, error = NULL, http_status = NULL
                  WHERE {}",
                to_delete()
            ),
            [],
        )?;
        tx.execute(
            &format!(
                "UPDATE rows SET state = 2, settled_at = :now, kind = NULL, error = NULL, http_status = NULL
                  WHERE rows.id >= 1 << 42 AND rows.state IN (0, 1, 3) AND {ROLE_OF_ANOTHER}"
            ),
            named_params! { ":now": now.as_micros() },
        )?;
        // Chat never had these, so they are as they are to be.
        tx.execute(
            &format!(
                "UPDATE rows SET operation = 3, state = 2, settled_at = :now, attempts = 0, existed = 0, kind = NULL,
                                 error = NULL, http_status = NULL
                  WHERE rows.id >= 1 << 42 AND {UNSENT}"
            ),
            named_params! { ":now": now.as_micros() },
        )?;
        tx.execute(
            "UPDATE rows SET state = 3, settled_at = :now, http_status = NULL, kind = 'UNDECIDED', error = :error
              WHERE rows.id >= 1 << 42 AND rows.operation <> 3 AND rows.state = 1",
            named_params! {
                ":now": now.as_micros(),
                ":error": "the import was rolled back while it was not known whether Chat had made it, and deleting it by \
                           name could take what was there before: look for it in the space (tenure members list \
                           SPACE)",
            },
        )?;
        recount(&tx)?;
        reasons::recount(&tx)?;
        tx.execute("UPDATE journal SET operation = ?1", [Undertaking::Rollback.as_str()])?;
        tx.commit()?;
        Ok(())
    }
}

/// Counts the rows of every space anew.
pub(super) fn recount(conn: &Connection) -> Result<(), JournalError> {
    conn.execute_batch(
        "CREATE TEMP TABLE counted AS
             SELECT id >> 42 AS space, total(state = 0) AS pending, total(state = 1) AS in_flight, total(state = 2) AS done,
                    total(state = 3) AS rejected, total(state = 4) AS open
               FROM rows WHERE id >= 1 << 42 GROUP BY 1;
         UPDATE spaces SET pending = counted.pending, in_flight = counted.in_flight, done = counted.done,
                           rejected = counted.rejected, open = counted.open
           FROM counted WHERE counted.space = spaces.id;
         DROP TABLE counted;",
    )?;
    Ok(())
}
