//! How the last looks at Chat's lists came out: what `tenure verify` leaves in the journal, for `report` and `status`.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{Journal, JournalError};
use crate::model::{SpaceName, Timestamp};

/// What the lists of a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shows {
    /// Memberships that have ended: all spaces were in import mode.
    History,
    /// In some spaces, who is a member today.
    Members,
}

impl Shows {
    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Shows::History => "history",
            Shows::Members => "members",
        }
    }
}

/// How far a journal has come: it is another stand after every change of a run, and after every reading of input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stand {
    /// Batches of changes.
    pub commits: u64,
    /// Readings of input.
    pub readings: u64,
}

/// How a look at the lists of all spaces came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What they showed.
    pub shows: Shows,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it did not come to its end, if it did not.
    pub stopped: Option<String>,
    /// Spaces to be looked at.
    pub spaces: u64,
    /// Of these, spaces whose list was seen.
    pub checked: u64,
    /// Of these, spaces that Chat does not show, with rows that the journal says are there.
    pub hidden: u64,
    /// Rows that Chat should list.
    pub expected: u64,
    /// Of these, rows that it lists just as they should be.
    pub matching: u64,
    /// Of these, rows of which its lists do not tell.
    pub untold: u64,
    /// Rows that were not settled yet.
    pub unsettled: u64,
    /// Rows that had ended before their space was completed: those Chat lists no more.
    pub past: u64,
    /// How many differences of each kind there are, by the kinds' words.
    pub differences: BTreeMap<String, u64>,
    /// Where the journal stood when it began.
    pub stand: Stand,
}

impl Verified {
    /// Whether every space was seen.
    pub fn is_whole(&self) -> bool {
        self.stopped.is_none() && self.checked == self.spaces
    }

    /// How many differences there are; a space that Chat does not show is one.
    pub fn differences(&self) -> u64 {
        self.differences.values().sum::<u64>() + self.hidden
    }
}

impl Journal {
    /// How far it has come.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn stand(&self) -> Result<Stand, JournalError> {
        Ok(self.conn.query_row("SELECT commits, readings FROM journal", [], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Stand { commits: count(0)?, readings: count(1)? })
        })?)
    }

    /// Keeps how a look came out, in the place of the last one that has seen the same. One that was cut short and has found
    /// nothing wrong says less than a whole one of the same state, and does not take its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_verified(&mut self, found: &Verified) -> Result<(), JournalError> {
        let says_more =
            |kept: &Verified| kept.shows == found.shows && kept.stand == found.stand && kept.is_whole();
        if !found.is_whole() && found.differences() == 0 && self.verified()?.iter().any(says_more) {
            return Ok(());
        }
        let differences = serde_json::to_string(&found.differences)
            .map_err(|error| JournalError::Content(error.to_string()))?;
        self.conn.execute(
            "REPLACE INTO verified (shows, begun_at, ended_at, stopped, spaces, checked, hidden, expected, matching, untold,
                                    unsettled, past, differences, commits, readings)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                found.shows.as_str(),
                found.begun_at.as_micros(),
                found.ended_at.as_micros(),
                found.stopped,
                found.spaces.cast_signed(),
                found.checked.cast_signed(),
                found.hidden.cast_signed(),
                found.expected.cast_signed(),
                found.matching.cast_signed(),
                found.untold.cast_signed(),
                found.unsettled.cast_signed(),
                found.past.cast_signed(),
                differences,
                found.stand.commits.cast_signed(),
                found.stand.readings.cast_signed(),
            ],
        )?;
        Ok(())
    }

    /// Keeps how many rows of each space that was looked at were not found in its history as they are here, all or none of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_missing(&mut self, seen: &[(SpaceName, u64)]) -> Result<(), JournalError> {
        let tx = self.conn.transaction()?;
        for (space, rows) in seen {
            tx.prepare_cached("UPDATE spaces SET missing = ?2 WHERE name = ?1")?
                .execute(params![space.as_str(), rows.cast_signed()])?;
        }
        tx.commit()?;
        Ok(())
    }

    /// How the last looks came out, the latest last.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn verified(&self) -> Result<Vec<Verified>, JournalError> {
        let mut statement = self.conn.prepare(
            "SELECT shows = 'history', begun_at, ended_at, stopped, spaces, checked, hidden, expected, matching, untold,
                    unsettled, past, differences, commits, readings
               FROM verified ORDER BY ended_at, shows",
        )?;
        let mut rows = statement.query([])?;
        let mut verified = Vec::new();
        while let Some(row) = rows.next()? {
            let time = |column| row.get(column).map(Timestamp::from_micros);
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            let differences: String = row.get(12)?;
            verified.push(Verified {
                shows: if row.get(0)? { Shows::History } else { Shows::Members },
                begun_at: time(1)?,
                ended_at: time(2)?,
                stopped: row.get(3)?,
                spaces: count(4)?,
                checked: count(5)?,
                hidden: count(6)?,
                expected: count(7)?,
                matching: count(8)?,
                untold: count(9)?,
                unsettled: count(10)?,
                past: count(11)?,
                differences: serde_json::from_str(&differences).map_err(|error| {
                    JournalError::Content(format!("differences {differences:?}: {error}"))
                })?,
                stand: Stand { commits: count(13)?, readings: count(14)? },
            });
        }
        Ok(verified)
    }
}
