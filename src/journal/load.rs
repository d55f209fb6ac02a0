//! Rows coming in: names interned, duplicates told from old acquaintances, overlaps found.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Journal, JournalError};
use crate::model::{Operation, RowId, Span, State, Tenure, Timestamp};

/// SQLite's page cache while rows come in.
const CACHE_KIB: i64 = 48 * 1024;
/// How many names are kept in memory; beyond that SQLite is asked again.
const NAMES_CACHED_MAX: usize = 200_000;

/// What a row turned out to be when it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// Not in the journal before.
    New,
    /// In the journal from an earlier reading.
    Known,
    /// In the journal as a reject of another file: it is to be tried again.
    Again,
    /// Already met in this reading.
    Duplicate,
    /// Already met in this reading, with another role.
    OtherRole {
        /// `file:line` of the first.
        origin: String,
        /// The role there.
        role: Option<String>,
    },
}

/// Two tenures of one member in one space that share time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The space's name.
    pub space: String,
    /// The member's name.
    pub member: String,
    /// The one to leave out: the later, unless only the earlier is still to be sent.
    pub victim: RowId,
    /// Path of the file with the row that is complained of: of this reading, the later one if both are.
    pub path: String,
    /// Its line.
    pub line: u64,
    /// Its times.
    pub span: Span,
    /// `file:line` of the other one.
    pub other_origin: String,
    /// The other one's times.
    pub other_span: Span,
}

/// One reading of input into a journal. All of it is one transaction: dropped without [`Loader::commit`] it never was.
#[derive(Debug)]
pub struct Loader<'j> {
    conn: &'j Connection,
    now: Timestamp,
    /// What is to be done with the rows.
    operation: Operation,
    reading: i64,
    source: i64,
    rows: u64,
    duplicates: u64,
    spaces: HashMap<String, i64>,
    members: HashMap<String, i64>,
    /// New rows per space: pending, open.
    fresh: HashMap<i64, (i64, i64)>,
    committed: bool,
}

impl Journal {
    /// Begins to read input.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn loader(&mut self, now: Timestamp) -> Result<Loader<'_>, JournalError> {
        let operation = if self.is_standard()? { Operation::Add } else { Operation::Create };
        let conn = &self.conn;
        // Rows come in any order, so the indexes are written all over: what is cached need not be written twice.
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        conn.execute("UPDATE journal SET readings = readings + 1", [])?;
        let reading = conn.query_row("SELECT readings FROM journal", [], |row| row.get(0))?;
        Ok(Loader {
            conn,
            now,
            operation,
            reading,
            source: 0,
            rows: 0,
            duplicates: 0,
            spaces: HashMap::new(),
            members: HashMap::new(),
            fresh: HashMap::new(),
            committed: false,
        })
    }
}

/// A row that may overlap another.
struct Stint {
    id: RowId,
    space: String,
    member: String,
    path: String,
    line: u64,
    span: Span,
    seen: i64,
    unsent: bool,
}

/// What the journal has of a row that comes in.
struct Known {
    id: i64,
    seen: i64,
    role: Option<String>,
    origin: String,
    rejected_elsewhere: bool,
}

impl Loader<'_> {
    /// Begins a file. What an earlier reading of it left as invalid is forgotten: this reading says it anew.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn begin_source(&mut self, path: &str, layout: &str) -> Result<(), JournalError> {
        // What came through one pipe has nothing to do with what comes through the next.
        let path = if path == "-" { format!("- (reading {})", self.reading) } else { path.to_owned() };
        self.source = self.conn.query_row(
            "INSERT INTO sources (path, layout, read_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (path) DO UPDATE SET layout = excluded.layout, read_at = excluded.read_at
             RETURNING id",
            (path, layout, self.now.as_micros()),
            |row| row.get(0),
        )?;
        self.conn.execute(
            "DELETE FROM rows WHERE invalid = 1 AND source = ?1 AND seen < ?2",
            (self.source, self.reading),
        )?;
        self.rows = 0;
        self.duplicates = 0;
        Ok(())
    }

    /// Ends the file begun last.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn end_source(&mut self) -> Result<(), JournalError> {
        self.conn.execute(
            "UPDATE sources SET rows = ?2, duplicates = ?3 WHERE id = ?1",
            params![self.source, self.rows as i64, self.duplicates as i64],
        )?;
        Ok(())
    }

    /// Takes in a valid row. `given` is JSON of what the line said beyond the tenure.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn row(&mut self, line: u64, tenure: &Tenure, given: Option<&str>) -> Result<Added, JournalError> {
        self.rows += 1;
        let space = intern(self.conn, &mut self.spaces, "spaces", tenure.space.as_str())?;
        let member = intern(self.conn, &mut self.members, "members", tenure.member.as_str())?;
        let create = tenure.create_time.map(Timestamp::as_micros);
        let delete = tenure.delete_time.map(Timestamp::as_micros);
        let role = tenure.role.map(|role| role.as_str());
        // Somebody who is still a member waits for the completion of a space in import mode.
        let waits = self.operation == Operation::Create && delete.is_none();
        let state = if waits { State::Open } else { State::Pending };
        let operation = self.operation.code();
        let inserted = self
            .conn
            .prepare_cached(
                "INSERT INTO rows (operation, space, member, create_time, delete_time, role, source, line, given, seen, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                operation,
                space,
                member,
                create,
                delete,
                role,
                self.source,
                line as i64,
                given,
                self.reading,
                state.code()
            ])?;
        if inserted == 1 {
            if state == State::Pending {
                self.supersede_open_row(space, member, create)?;
            }
            let (pending, open) = self.fresh.entry(space).or_default();
            *(if state == State::Open { open } else { pending }) += 1;
            return Ok(Added::New);
        }
        let known = self
            .conn
            .prepare_cached(
                "SELECT rows.id, seen, role, path || ':' || line, state = 3 AND source <> ?6
                   FROM rows JOIN sources ON sources.id = source
                  WHERE space = ?1 AND member = ?2 AND operation = ?3
                    AND ifnull(create_time, 0) = ifnull(?4, 0) AND ifnull(delete_time, 0) = ifnull(?5, 0)",
            )?
            .query_row(params![space, member, operation, create, delete, self.source], |row| {
                Ok(Known {
                    id: row.get(0)?,
                    seen: row.get(1)?,
                    role: row.get(2)?,
                    origin: row.get(3)?,
                    rejected_elsewhere: row.get(4)?,
                })
            })?;
        if known.seen == self.reading {
            if known.role.as_deref() != role {
                self.rows -= 1;
                return Ok(Added::OtherRole { origin: known.origin, role: known.role });
            }
            self.duplicates += 1;
            return Ok(Added::Duplicate);
        }
        if known.rejected_elsewhere {
            self.conn
                .prepare_cached(
                    "UPDATE rows SET seen = ?2, role = ?3, source = ?4, line = ?5, given = ?6, state = ?7,
                            settled_at = NULL, http_status = NULL, kind = NULL, error = NULL WHERE id = ?1",
                )?
                .execute(params![
                    known.id,
                    self.reading,
                    role,
                    self.source,
                    line as i64,
                    given,
                    state.code()
                ])?;
            self.moved(space, State::Rejected, state)?;
            return Ok(Added::Again);
        }
        self.conn.prepare_cached("UPDATE rows SET seen = ?2, role = ?3 WHERE id = ?1")?.execute(params![
            known.id,
            self.reading,
            role
        ])?;
        Ok(Added::Known)
    }

    /// Somebody has left since an earlier reading: the open row has got its end, and is this row now.
    fn supersede_open_row(&self, space: i64, member: i64, create: Option<i64>) -> Result<(), JournalError> {
        if self.reading == 1 {
            return Ok(());
        }
        let gone = self
            .conn
            .prepare_cached(
                "DELETE FROM rows WHERE space = ?1 AND member = ?2 AND operation = ?3
                    AND ifnull(create_time, 0) = ifnull(?4, 0) AND ifnull(delete_time, 0) = 0 AND state = 4 AND seen < ?5",
            )?
            .execute(params![space, member, self.operation.code(), create, self.reading])?;
        self.conn
            .prepare_cached("UPDATE spaces SET open = open - ?2 WHERE id = ?1")?
            .execute((space, gone as i64))?;
        Ok(())
    }

    /// Keeps the counters of a space in step with a row that was there before this reading.
    fn moved(&self, space: i64, from: State, to: State) -> Result<(), JournalError> {
        let (from, to) = (from.counter(), to.counter());
        self.conn
            .prepare_cached(&format!("UPDATE spaces SET {from} = {from} - 1, {to} = {to} + 1 WHERE id = ?1"))?
            .execute([space])?;
        Ok(())
    }

    /// Takes in a line that can never be sent, as a reject.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn invalid(
        &mut self,
        line: u64,
        kind: &str,
        error: &str,
        given: Option<&str>,
    ) -> Result<(), JournalError> {
        self.rows += 1;
        self.conn
            .prepare_cached(
                "INSERT INTO rows (operation, source, line, given, seen, state, settled_at, kind, error, invalid)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
            )?
            .execute(params![
                self.operation.code(),
                self.source,
                line as i64,
                given,
                self.reading,
                State::Rejected.code(),
                self.now.as_micros(),
                kind,
                error
            ])?;
        Ok(())
    }

    /// Finds tenures of this reading that share time with another of the same member in the same space. Tenures that
    /// merely touch do not; refused ones do not count. `report` says whether the victim is going to be left out.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn overlaps(&self, mut report: impl FnMut(Overlap) -> bool) -> Result<(), JournalError> {
        // Only columns of the identity index, so that the scan never leaves it; its order keeps a member's stints together.
        let mut scan = self.conn.prepare(
            "SELECT space, member, ifnull(create_time, 0), ifnull(delete_time, 0), id
               FROM rows INDEXED BY rows_identity WHERE space IS NOT NULL ORDER BY space, member",
        )?;
        let mut cursor = scan.query([])?;
        let mut stints: Vec<(i64, i64, i64)> = Vec::new();
        let mut of = (0, 0);
        while let Some(row) = cursor.next()? {
            let key: (i64, i64) = (row.get(0)?, row.get(1)?);
            if key != of {
                self.overlaps_among(&mut stints, &mut report)?;
                stints.clear();
                of = key;
            }
            let (create, delete): (i64, i64) = (row.get(2)?, row.get(3)?);
            let end = if delete == 0 { i64::MAX } else { delete };
            // An open row without a beginning begins after everything that has an end.
            let start = if create == 0 { end - 1 } else { create };
            stints.push((start, end, row.get(4)?));
        }
        self.overlaps_among(&mut stints, &mut report)
    }

    fn overlaps_among(
        &self,
        stints: &mut [(i64, i64, i64)],
        report: &mut impl FnMut(Overlap) -> bool,
    ) -> Result<(), JournalError> {
        if stints.len() < 2 {
            return Ok(());
        }
        stints.sort_unstable();
        let (_, mut reach, mut holder) = stints[0];
        for &(start, end, id) in &stints[1..] {
            if start < reach
                && let Some(overlap) = self.overlap(holder, id)?
            {
                // A row that is left out overlaps nothing any more.
                let stays = overlap.victim != RowId(id);
                if !report(overlap) || stays {
                    (reach, holder) = (end.max(reach), if end > reach { id } else { holder });
                }
            } else if end > reach {
                (reach, holder) = (end, id);
            }
        }
        Ok(())
    }

    /// The two rows in full, unless one of them was refused or both are from earlier readings.
    fn overlap(&self, earlier: i64, later: i64) -> Result<Option<Overlap>, JournalError> {
        let (Some(one), Some(two)) = (self.stint(earlier)?, self.stint(later)?) else { return Ok(None) };
        // What is said is said of a row of this reading, of the later one if both are.
        let (here, other) = match (one.seen == self.reading, two.seen == self.reading) {
            (_, true) => (&two, &one),
            (true, false) => (&one, &two),
            (false, false) => return Ok(None),
        };
        let before = if other.seen == self.reading { "" } else { ", read before" };
        Ok(Some(Overlap {
            victim: if two.unsent { two.id } else { one.id },
            space: here.space.clone(),
            member: here.member.clone(),
            path: here.path.clone(),
            line: here.line,
            span: here.span,
            other_origin: format!("{}:{}{before}", other.path, other.line),
            other_span: other.span,
        }))
    }

    /// A row that may overlap another; `None` for one that was refused.
    fn stint(&self, id: i64) -> Result<Option<Stint>, JournalError> {
        let micros = |time: Option<i64>| time.map(Timestamp::from_micros);
        let stint = self
            .conn
            .prepare_cached(
                "SELECT spaces.name, members.name, path, line, create_time, delete_time, seen, state IN (0, 4)
                   FROM rows
                   JOIN sources ON sources.id = source
                   JOIN spaces ON spaces.id = space
                   JOIN members ON members.id = member
                  WHERE rows.id = ?1 AND state <> 3",
            )?
            .query_row([id], |row| {
                Ok(Stint {
                    id: RowId(id),
                    space: row.get(0)?,
                    member: row.get(1)?,
                    path: row.get(2)?,
                    line: row.get::<_, i64>(3)?.cast_unsigned(),
                    span: Span { create_time: micros(row.get(4)?), delete_time: micros(row.get(5)?) },
                    seen: row.get(6)?,
                    unsent: row.get(7)?,
                })
            })
            .optional()?;
        Ok(stint)
    }

    /// Rejects a row that has come in valid by itself. One that was sent already is left alone.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn reject(&mut self, row: RowId, kind: &str, error: &str) -> Result<(), JournalError> {
        let was: Option<(i64, i64)> = self
            .conn
            .query_row("SELECT state, space FROM rows WHERE id = ?1 AND state IN (0, 4)", [row.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((state, space)) = was else { return Ok(()) };
        self.conn.execute(
            "UPDATE rows SET state = 3, settled_at = ?2, kind = ?3, error = ?4 WHERE id = ?1",
            (row.0, self.now.as_micros(), kind, error),
        )?;
        let state = if state == State::Open.code() { State::Open } else { State::Pending };
        self.moved(space, state, State::Rejected)
    }

    /// Makes the whole reading durable.
    ///
    /// # Errors
    /// Then nothing of it is in the journal.
    pub fn commit(mut self) -> Result<(), JournalError> {
        for (space, (pending, open)) in &self.fresh {
            self.conn
                .prepare_cached("UPDATE spaces SET pending = pending + ?2, open = open + ?3 WHERE id = ?1")?
                .execute((space, pending, open))?;
        }
        self.conn.execute_batch("COMMIT")?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Loader<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // SQLite has rolled back by itself if this fails.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }
}

fn intern(
    conn: &Connection,
    cache: &mut HashMap<String, i64>,
    table: &str,
    name: &str,
) -> Result<i64, JournalError> {
    if let Some(id) = cache.get(name) {
        return Ok(*id);
    }
    let known = conn
        .prepare_cached(&format!("SELECT id FROM {table} WHERE name = ?1"))?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => {
            conn.prepare_cached(&format!("INSERT INTO {table} (name) VALUES (?1)"))?.execute([name])?;
            conn.last_insert_rowid()
        }
    };
    if cache.len() >= NAMES_CACHED_MAX {
        cache.clear();
    }
    cache.insert(name.to_owned(), id);
    Ok(id)
}
