//! Mended rows in the place of rejects: a row that is fed back says which line it was mended from.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde_json::Value;

use crate::journal::JournalError;
use crate::journal::again::PERHAPS_HELD;
use crate::journal::incoming::Times;
use crate::journal::judge::{Fate, Stint};
use crate::journal::number::Numbers;
use crate::model::{Origin, State};

/// The column in which `tenure rejects` says where a row stood, as `path:line`: the row that comes back with it is another one
/// if it was mended, and takes the place of that one.
pub const REPLACES: &str = "replaces";

/// What a row says that it replaces.
#[derive(Debug)]
pub(super) struct Claim {
    /// The row's times.
    pub(super) times: Times,
    pub(super) claim: Box<str>,
    /// Where the row stands, if the journal did not have it before.
    pub(super) fresh: Option<Origin>,
}

/// What the rows of a reading say that they replace.
#[derive(Debug, Default)]
pub(super) struct Replacing {
    /// How many rows of the reading say that they replace what is named so: rows in order, and those that are rejects again
    /// and take the place of what they were.
    claims: HashMap<Box<str>, usize>,
    /// The rows among these that the journal did not have before.
    fresh: Vec<(Box<str>, Origin)>,
    /// Where the rejects stand that this reading has met or made: they are no other row's.
    own: HashSet<(i64, u64)>,
    /// Lines of its files that are no rows, and were replaced in an earlier reading.
    settled: HashSet<(i64, u64, Option<String>)>,
    /// Lines of its files that are no rows and stand in the place of others, as an earlier reading has left them: by file,
    /// line and what it said, their rows.
    left: HashMap<(i64, u64, Option<String>), i64>,
    /// From here on, lines that are no rows are of this reading.
    first_invalid: i64,
    next_invalid: i64,
}

impl Replacing {
    /// What replaces what in a reading into this journal.
    pub(super) fn begin(conn: &Connection) -> Result<Self, JournalError> {
        let last = "SELECT ifnull(max(id), 0) FROM rows WHERE id <= ?1";
        let last: i64 = conn.query_row(last, [Numbers::INVALID.last], |row| row.get(0))?;
        Ok(Replacing { first_invalid: last + 1, next_invalid: last + 1, ..Replacing::default() })
    }

    /// The number of the next line that is no row.
    pub(super) fn next_invalid(&mut self) -> i64 {
        self.next_invalid += 1;
        self.next_invalid - 1
    }

    /// Forgets the lines of a file that are no rows: it is read again, and says them anew. Those that stand in the place of
    /// others stay until they are said anew or replaced: where those stood, nothing says them any more.
    pub(super) fn forget(&mut self, conn: &Connection, source: i64) -> Result<(), JournalError> {
        let mut forgotten = Vec::new();
        let mut statement = conn.prepare_cached(
            "SELECT id, line, given FROM rows WHERE id <= ?1 AND source = ?2 AND state = 3",
        )?;
        let mut rows = statement.query((Numbers::INVALID.last, source))?;
        while let Some(row) = rows.next()? {
            let (id, line, given): (i64, i64, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match given.as_deref().and_then(claim) {
                Some(_) => {
                    self.left.insert((source, line.cast_unsigned(), given), id);
                }
                None => forgotten.push(id),
            }
        }
        for id in forgotten {
            conn.prepare_cached("DELETE FROM rows WHERE id = ?1")?.execute([id])?;
        }
        Ok(())
    }

    /// A line that is no row: what an earlier reading has left of it goes, or else the reject that it was mended from is to go.
    pub(super) fn said_anew(
        &mut self,
        conn: &Connection,
        source: i64,
        line: u64,
        given: Option<&str>,
    ) -> Result<(), JournalError> {
        let Some(claim) = given.and_then(claim) else { return Ok(()) };
        match self.left.remove(&(source, line, given.map(str::to_owned))) {
            Some(id) => {
                conn.prepare_cached("DELETE FROM rows WHERE id = ?1")?.execute([id])?;
            }
            None => *self.claims.entry(claim).or_default() += 1,
        }
        Ok(())
    }

    /// A file begins: those of its lines that were replaced are.
    pub(super) fn begin_source(&mut self, conn: &Connection, source: i64) -> Result<(), JournalError> {
        let mut statement = conn
            .prepare_cached("SELECT line, given FROM rows WHERE id <= ?1 AND source = ?2 AND state = ?3")?;
        let mut rows = statement.query((Numbers::INVALID.last, source, State::Replaced.code()))?;
        while let Some(row) = rows.next()? {
            self.settled.insert((source, row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
        }
        Ok(())
    }

    /// Whether a line that is no row was replaced before.
    pub(super) fn is_settled(&self, source: i64, line: u64, given: Option<&str>) -> bool {
        !self.settled.is_empty() && self.settled.contains(&(source, line, given.map(str::to_owned)))
    }

    /// What the rows of a member have come to, and what those of these times say that they replace. Only a row that may be
    /// sent, or was, replaces another, and none that was merged with others.
    pub(super) fn member(&mut self, claims: &mut Vec<Claim>, stints: &[Stint]) {
        for Claim { times, claim, fresh } in claims.drain(..) {
            let is_it = |stint: &&Stint| {
                stint.times == times && stint.parts.is_empty() && stint.fate != Fate::Superseded
            };
            let mut stands = stints.iter().filter(is_it).peekable();
            if stands.peek().is_some() && stands.all(|stint| !stint.state.is_refused()) {
                self.fresh.extend(fresh.map(|origin| (claim.clone(), origin)));
                *self.claims.entry(claim).or_default() += 1;
            }
        }
        let met = stints.iter().filter(|stint| stint.is_met() || stint.met.is_some());
        let refused = met.filter(|stint| stint.state == State::Rejected);
        self.own.extend(refused.map(|stint| (stint.origin.source, stint.origin.line)));
    }

    /// Replaces the rejects, and returns how many. A reject answers to its own line; failing that, to the one that it was
    /// itself mended from, so that a file can be mended and fed back again and again. Where more rejects answer than rows ask,
    /// nobody can tell which is meant, and they stay.
    ///
    /// Those that Chat holds perhaps stay in any case, as do those that are made of several lines, and rows that were done
    /// before and refused a role. `unplaced` gets the new rows that have replaced nothing.
    pub(super) fn finish(&self, conn: &Connection, unplaced: &mut Vec<Origin>) -> Result<u64, JournalError> {
        if self.claims.is_empty() {
            return Ok(0);
        }
        let (mut by_line, mut by_claim) = (HashMap::<_, Vec<i64>>::new(), HashMap::<_, Vec<i64>>::new());
        let mut statement = conn.prepare(&format!(
            "SELECT rows.id, source, line, path, given FROM rows JOIN sources ON sources.id = rows.source
              WHERE state = 3 AND existed IS NULL AND NOT {PERHAPS_HELD}
                AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.row = rows.id)"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, source, line): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let is_own = match id <= Numbers::INVALID.last {
                true => id >= self.first_invalid,
                false => self.own.contains(&(source, line.cast_unsigned())),
            };
            if is_own {
                continue;
            }
            let at = format!("{}:{line}", row.get::<_, String>(3)?);
            if let Some((claim, _)) = self.claims.get_key_value(at.as_str()) {
                by_line.entry(claim).or_default().push(id);
            }
            if let Some(claim) = row.get_ref(4)?.as_str_or_null().ok().flatten().and_then(claim)
                && let Some((claim, _)) = self.claims.get_key_value(&claim)
            {
                by_claim.entry(claim).or_default().push(id);
            }
        }
        let mut replaced = 0;
        let mut placed: HashSet<&str> = HashSet::new();
        for (claim, count) in &self.claims {
            let rejects = by_line.get(claim).or_else(|| by_claim.get(claim));
            for row in rejects.filter(|rejects| rejects.len() <= *count).into_iter().flatten() {
                replaced += replace(conn, *row)?;
                placed.insert(claim);
            }
        }
        let left = self.fresh.iter().filter(|(claim, _)| !placed.contains(claim.as_ref()));
        unplaced.extend(left.map(|(_, origin)| *origin));
        Ok(replaced)
    }
}

/// One reject is one no more, and is counted as one no more.
fn replace(conn: &Connection, row: i64) -> Result<u64, JournalError> {
    let changed = conn
        .prepare_cached("UPDATE rows SET state = ?2 WHERE id = ?1 AND state = 3")?
        .execute((row, State::Replaced.code()))?;
    let counter = if row <= Numbers::INVALID.last {
        "UPDATE sources SET invalid = invalid - ?2 WHERE id = (SELECT source FROM rows WHERE id = ?1)"
    } else {
        "UPDATE spaces SET rejected = rejected - ?2 WHERE id = ?1 >> 42"
    };
    conn.prepare_cached(counter)?.execute((row, changed as i64))?;
    Ok(changed as u64)
}

/// What a line says that it replaces, in JSON of what it said beyond its tenure; whatever does not look like a place in a file
/// says nothing.
pub fn claim(given: &str) -> Option<Box<str>> {
    if !given.contains(REPLACES) {
        return None;
    }
    let given: Value = serde_json::from_str(given).ok()?;
    let place = given.get(REPLACES)?.as_str()?;
    let (path, line) = place.rsplit_once(':')?;
    (!path.is_empty() && line.parse::<u64>().is_ok()).then(|| place.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_in_a_file_is_a_claim() {
        for (given, expected) in [
            (r#"{"replaces":"/data/rows.csv:12"}"#, Some("/data/rows.csv:12")),
            (r#"{"x":"1","replaces":"- (reading 2):3"}"#, Some("- (reading 2):3")),
            (r#"{"replaces":"C:\\rows.csv:3"}"#, Some(r"C:\rows.csv:3")),
            (r#"{"replaces":"yes"}"#, None),
            (r#"{"replaces":"rows.csv:x"}"#, None),
            (r#"{"replaces":":4"}"#, None),
            (r#"{"replaces":12}"#, None),
            (r#"{"replaces":null}"#, None),
            (r#"{"note":"replaces /rows.csv:2"}"#, None),
            ("{", None),
        ] {
            assert_eq!(claim(given).as_deref(), expected, "{given}");
        }
    }
}
