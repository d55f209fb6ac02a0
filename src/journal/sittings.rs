//! One run of this program with a journal: what it was given, how it ended, and how it is gone on with.

use rusqlite::{OptionalExtension, params};

use super::course::Run;
use super::{Journal, JournalError};
use crate::model::{Pace, Timestamp};

/// The outcome of a run that came to its end.
pub const COMPLETE: &str = "complete";
/// The outcome of one that was to journal rows and to send none.
pub const JOURNALED: &str = "journaled";

/// The latest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended; `None` while it goes on or after it was killed.
    pub ended_at: Option<Timestamp>,
    /// How it ended, in words; `None` as above.
    pub outcome: Option<String>,
    /// What to do before it goes on, if that is known and the outcome does not say it.
    pub remedy: Option<String>,
    /// The command that goes on with it and its options, without the journal: `resume`, `complete --leave`.
    pub command: String,
}

impl LastRun {
    /// Whether it has done all that it was to do.
    pub fn is_over(&self) -> bool {
        matches!(self.outcome.as_deref(), Some(COMPLETE | JOURNALED))
    }
}

impl Journal {
    /// Notes that a run begins, with its settings as JSON (no secrets) and the command that goes on with it (see
    /// [`LastRun::command`]).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin_run(&mut self, settings: &str, command: &str, now: Timestamp) -> Result<(), JournalError> {
        self.conn.execute(
            "INSERT INTO runs (started_at, settings, command, version) VALUES (?1, ?2, ?3, ?4)",
            (now.as_micros(), settings, command, env!("CARGO_PKG_VERSION")),
        )?;
        self.run = Some(Run { id: self.conn.last_insert_rowid(), begun_at: now });
        Ok(())
    }

    /// Notes how the run ended, and what is to be done before it goes on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end_run(
        &mut self,
        outcome: &str,
        remedy: Option<&str>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        self.conn.execute(
            "UPDATE runs SET ended_at = ?2, outcome = ?3, remedy = ?4 WHERE id = ?1",
            params![self.run.map(|run| run.id), now.as_micros(), outcome, remedy],
        )?;
        self.conn.execute(
            "UPDATE journal SET lost = 0 WHERE NOT EXISTS (SELECT 1 FROM spaces WHERE in_flight > 0)",
            [],
        )?;
        Ok(())
    }

    /// Settings (JSON) of the latest run, if there was one.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn last_settings(&self) -> Result<Option<String>, JournalError> {
        Ok(self
            .conn
            .query_row("SELECT settings FROM runs ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?)
    }

    /// The latest run, if there was one.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn last_run(&self) -> Result<Option<LastRun>, JournalError> {
        Ok(self
            .conn
            .query_row(
                "SELECT started_at, ended_at, outcome, remedy, ifnull(command, 'resume')
                   FROM runs ORDER BY id DESC LIMIT 1",
                [],
                |row| {
                    Ok(LastRun {
                        begun_at: Timestamp::from_micros(row.get(0)?),
                        ended_at: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_micros),
                        outcome: row.get(2)?,
                        remedy: row.get(3)?,
                        command: row.get(4)?,
                    })
                },
            )
            .optional()?)
    }

    /// How fast the latest run went last, and why; `None` when it did not tell, or not in words that are known here.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn last_pace(&self) -> Result<Option<Pace>, JournalError> {
        let json: Option<Option<String>> = self
            .conn
            .query_row("SELECT pace FROM runs ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        Ok(json.flatten().and_then(|json| serde_json::from_str(&json).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_latest_ended_and_what_to_do() {
        let at = Timestamp::from_micros;
        let mut journal = Journal::scratch("emulator", at(0)).unwrap();
        assert_eq!(journal.last_run().unwrap(), None);
        journal.begin_run("{}", "resume", at(1)).unwrap();
        journal.end_run("Chat refuses every space", Some("look at them"), at(2)).unwrap();
        let last = journal.last_run().unwrap().unwrap();
        assert_eq!((last.begun_at, last.ended_at, last.is_over()), (at(1), Some(at(2)), false));
        assert_eq!(last.remedy.as_deref(), Some("look at them"));
        // The next one begins anew.
        journal.begin_run("{}", "complete --leave", at(3)).unwrap();
        let last = journal.last_run().unwrap().unwrap();
        let expected = LastRun {
            begun_at: at(3),
            ended_at: None,
            outcome: None,
            remedy: None,
            command: "complete --leave".to_owned(),
        };
        assert_eq!(last, expected);
        journal.end_run(COMPLETE, None, at(4)).unwrap();
        assert!(journal.last_run().unwrap().unwrap().is_over());
    }
}
