//! Many rows into the journal at once, several to a statement, in the order of their numbers.

use std::ops::RangeInclusive;

use rusqlite::{CachedStatement, Connection};

use super::JournalError;
use super::again::FORGOTTEN;
use super::judge::{Fate, Part, Refusal, Stint};
use super::number::{Numbers, STINTS_MAX};
use crate::model::{Operation, RowId, SpaceId, Timestamp};

/// Rows to a statement.
const ROWS: usize = 32;
/// Values of a row.
const VALUES: usize = 8;

/// Writes what a reading has made of its rows.
pub(super) struct Bulk<'j> {
    conn: &'j Connection,
    now: Timestamp,
    operation: i64,
    rows: Vec<NewRow>,
    /// Rows to leave out, once they are there.
    refused: Vec<(RowId, Refusal)>,
    /// Whether rows may be made of more than a line each.
    makes_parts: bool,
    /// What rows are made of, once they are there.
    parts: Vec<(RowId, Vec<Part>)>,
    several: CachedStatement<'j>,
    one: CachedStatement<'j>,
}

struct NewRow {
    id: RowId,
    create: Option<i64>,
    delete: Option<i64>,
    role: Option<&'static str>,
    source: i64,
    line: i64,
    given: Option<Box<str>>,
    state: i64,
}

impl<'j> Bulk<'j> {
    pub(super) fn new(
        conn: &'j Connection,
        operation: Operation,
        makes_parts: bool,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let insert = |rows: usize| {
            let values: Vec<String> = (0..rows)
                .map(|row| {
                    let first = row * VALUES + 2;
                    let values: Vec<String> =
                        (first..first + VALUES).map(|value| format!("?{value}")).collect();
                    format!("(?1, {})", values.join(", "))
                })
                .collect();
            format!(
                "INSERT INTO rows (operation, id, create_time, delete_time, role, source, line, given, state) VALUES {}",
                values.join(", ")
            )
        };
        Ok(Bulk {
            conn,
            now,
            operation: operation.code(),
            rows: Vec::with_capacity(ROWS),
            refused: Vec::new(),
            makes_parts,
            parts: Vec::new(),
            several: conn.prepare_cached(&insert(ROWS))?,
            one: conn.prepare_cached(&insert(1))?,
        })
    }

    /// Writes names down under their numbers.
    pub(super) fn names(
        &self,
        table: &'static str,
        numbers: RangeInclusive<u32>,
        name: impl Fn(u32) -> String,
    ) -> Result<(), JournalError> {
        let mut insert =
            self.conn.prepare_cached(&format!("INSERT INTO {table} (id, name) VALUES (?1, ?2)"))?;
        for number in numbers {
            insert.execute((number, name(number)))?;
        }
        Ok(())
    }

    /// Adds to the counters of a space, by the code of the state.
    pub(super) fn space(
        &self,
        space: SpaceId,
        [pending, in_flight, done, rejected, open]: [i64; 5],
    ) -> Result<(), JournalError> {
        self.conn
            .prepare_cached(
                "UPDATE spaces SET pending = pending + ?2, in_flight = in_flight + ?3, done = done + ?4,
                        rejected = rejected + ?5, open = open + ?6 WHERE id = ?1",
            )?
            .execute((space.0, pending, in_flight, done, rejected, open))?;
        Ok(())
    }

    /// Writes down what the rows of one member in one space have become; they come in the order of their times.
    pub(super) fn member(&mut self, numbers: Numbers, stints: &mut Vec<Stint>) -> Result<(), JournalError> {
        if stints.iter().all(|stint| stint.row.is_none()) {
            for (number, stint) in (1..).zip(stints.drain(..)) {
                self.insert(numbers.stint(number), stint)?;
            }
            return Ok(());
        }
        self.flush()?;
        if self.makes_parts {
            // They are written anew, under the numbers that their rows have by then.
            self.conn
                .prepare_cached("DELETE FROM parts WHERE row BETWEEN ?1 AND ?2")?
                .execute((numbers.first, numbers.last))?;
        }
        for stint in stints.iter().filter(|stint| stint.fate == Fate::Superseded) {
            self.conn
                .prepare_cached("DELETE FROM rows WHERE id = ?1")?
                .execute([stint.row.map(|row| row.0)])?;
        }
        stints.retain(|stint| stint.fate != Fate::Superseded);
        let is_new = |stint: &Stint| stint.row.is_none();
        let last = stints.iter().filter_map(|stint| stint.row).max().map_or(numbers.first, |row| row.0);
        let first_new = stints.iter().position(is_new).unwrap_or(stints.len());
        let new = stints[first_new..].len();
        // What was made anew may lie elsewhere now.
        let is_remade = stints.iter().any(|stint| matches!(stint.fate, Fate::Remade { .. }));
        let mut next = if !is_remade
            && stints[first_new..].iter().all(is_new)
            && last + new as i64 <= numbers.first + STINTS_MAX as i64
        {
            (last - numbers.first) as usize + 1
        } else {
            self.renumber(numbers, stints)?;
            1
        };
        let renumbered = next == 1;
        for (place, stint) in (1..).zip(stints.drain(..)) {
            match stint.row {
                Some(row) => self.change(row, stint)?,
                None => {
                    let number = if renumbered { place } else { next };
                    next += 1;
                    self.insert(numbers.stint(number), stint)?;
                }
            }
        }
        Ok(())
    }

    /// Gives rows of earlier readings the numbers of their new places, so that new ones come to lie between them. Nothing
    /// else knows a row by its number between two runs.
    fn renumber(&self, numbers: Numbers, stints: &mut [Stint]) -> Result<(), JournalError> {
        self.conn
            .prepare_cached("UPDATE rows SET id = -id WHERE id BETWEEN ?1 AND ?2")?
            .execute((numbers.first, numbers.last))?;
        let mut place = self.conn.prepare_cached("UPDATE rows SET id = ?2 WHERE id = -?1")?;
        for (number, stint) in (1..).zip(stints) {
            if let Some(row) = &mut stint.row {
                let to = numbers.stint(number);
                place.execute((row.0, to.0))?;
                *row = to;
            }
        }
        Ok(())
    }

    fn insert(&mut self, id: RowId, stint: Stint) -> Result<(), JournalError> {
        let span = stint.times.span();
        self.rows.push(NewRow {
            id,
            create: span.create_time.map(Timestamp::as_micros),
            delete: span.delete_time.map(Timestamp::as_micros),
            role: stint.role.map(|role| role.as_str()),
            source: stint.origin.source,
            line: stint.origin.line as i64,
            given: stint.given,
            state: stint.state.code(),
        });
        self.refused.extend(stint.refusal.map(|refusal| (id, refusal)));
        if !stint.parts.is_empty() {
            self.parts.push((id, stint.parts));
        }
        if self.rows.len() == ROWS {
            bind(&mut self.several, self.operation, &self.rows)?;
            self.several.raw_execute()?;
            self.rows.clear();
            self.refuse()?;
        }
        Ok(())
    }

    /// Writes down what is left.
    pub(super) fn flush(&mut self) -> Result<(), JournalError> {
        for row in std::mem::take(&mut self.rows) {
            bind(&mut self.one, self.operation, std::slice::from_ref(&row))?;
            self.one.raw_execute()?;
        }
        self.refuse()
    }

    /// Writes down what is known of rows beyond themselves.
    fn refuse(&mut self) -> Result<(), JournalError> {
        for (row, parts) in self.parts.drain(..) {
            for (number, part) in (1_i64..).zip(parts) {
                // Of a bridge, the row as it came, and its end apart.
                let span = part.times.span();
                let end = span.delete_time.map(Timestamp::as_micros);
                let (delete, until) = if part.bridge { (None, end) } else { (end, None) };
                self.conn
                    .prepare_cached(
                        "INSERT INTO parts (row, part, create_time, delete_time, until, role, source, line, given)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    )?
                    .execute((
                        row.0,
                        number,
                        span.create_time.map(Timestamp::as_micros),
                        delete,
                        until,
                        part.role.map(|role| role.as_str()),
                        part.origin.source,
                        part.origin.line as i64,
                        part.given,
                    ))?;
            }
        }
        for (row, refusal) in self.refused.drain(..) {
            self.conn
                .prepare_cached(
                    "UPDATE rows SET state = 3, settled_at = ?2, kind = ?3, error = ?4 WHERE id = ?1",
                )?
                .execute((row.0, self.now.as_micros(), refusal.kind, refusal.error))?;
        }
        Ok(())
    }

    /// A row of an earlier reading that this one has met.
    fn change(&mut self, row: RowId, stint: Stint) -> Result<(), JournalError> {
        let role = stint.role.map(|role| role.as_str());
        match stint.fate {
            Fate::Again { .. } => {
                self.conn
                    .prepare_cached(
                        &format!("UPDATE rows SET role = ?2, source = ?3, line = ?4, given = ?5, state = ?6, {FORGOTTEN} WHERE id = ?1"),
                    )?
                    .execute((
                        row.0,
                        role,
                        stint.origin.source,
                        stint.origin.line as i64,
                        stint.given,
                        stint.state.code(),
                    ))?;
            }
            Fate::Remade { again } => {
                let span = stint.times.span();
                self.conn
                    .prepare_cached(
                        "UPDATE rows SET create_time = ?2, delete_time = ?3, role = ?4, source = ?5, line = ?6, given = ?7
                          WHERE id = ?1",
                    )?
                    .execute((
                        row.0,
                        span.create_time.map(Timestamp::as_micros),
                        span.delete_time.map(Timestamp::as_micros),
                        role,
                        stint.origin.source,
                        stint.origin.line as i64,
                        stint.given,
                    ))?;
                if again {
                    self.conn
                        .prepare_cached(&format!("UPDATE rows SET state = ?2, {FORGOTTEN} WHERE id = ?1"))?
                        .execute((row.0, stint.state.code()))?;
                }
            }
            Fate::Known { corrected: true } => {
                self.conn
                    .prepare_cached("UPDATE rows SET role = ?2 WHERE id = ?1")?
                    .execute((row.0, role))?;
            }
            _ => {}
        }
        self.refused.extend(stint.refusal.map(|refusal| (row, refusal)));
        if !stint.parts.is_empty() {
            self.parts.push((row, stint.parts));
        }
        Ok(())
    }
}

fn bind(statement: &mut CachedStatement<'_>, operation: i64, rows: &[NewRow]) -> Result<(), JournalError> {
    statement.raw_bind_parameter(1, operation)?;
    for (place, row) in rows.iter().enumerate() {
        let first = place * VALUES + 2;
        statement.raw_bind_parameter(first, row.id.0)?;
        statement.raw_bind_parameter(first + 1, row.create)?;
        statement.raw_bind_parameter(first + 2, row.delete)?;
        statement.raw_bind_parameter(first + 3, row.role)?;
        statement.raw_bind_parameter(first + 4, row.source)?;
        statement.raw_bind_parameter(first + 5, row.line)?;
        statement.raw_bind_parameter(first + 6, row.given.as_deref())?;
        statement.raw_bind_parameter(first + 7, row.state)?;
    }
    Ok(())
}
