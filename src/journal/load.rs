//! Rows coming in: in the order of the input to begin with, and then, sorted, into the journal.

mod compared;
mod outlook;
mod replacing;
mod settle;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::incoming::{Incoming, SOURCES_MAX};
use super::number::{Numbers, expect_room};
use super::runs::Runs;
use super::{Journal, JournalError, Refusal, reasons};
use crate::model::{MemberName, Names, Operation, Origin, Policy, Role, SpaceName, Span, Tenure, Timestamp};

pub use compared::Compared;
use outlook::SEVERAL_AT_MAX;
pub use outlook::{Outlook, SeveralAt};
pub use replacing::REPLACES;
use replacing::Replacing;
pub(super) use replacing::claim;
use settle::Settling;

/// Rows that are sorted at a time when they come in one by one.
const PIECE_ROWS: usize = 1 << 15;
/// SQLite's page cache while rows come in: enough for the indexes of the names, which come in any order.
const CACHE_KIB: i64 = 16 * 1024;
/// How many rows are taken in between two looks at whoever watches.
const ROWS_PER_LOOK: u64 = 16 * 1024;

/// What is wrong with rows that are in order by themselves.
#[derive(Debug)]
pub enum Finding<'a> {
    /// A membership that stands elsewhere with another role.
    OtherRole {
        /// The file, counted from 0 within the reading.
        source: usize,
        /// The line.
        line: u64,
        /// The row.
        tenure: Tenure,
        /// JSON of what its line said beyond that.
        given: Option<&'a str>,
        /// `file:line` of the first.
        origin: String,
        /// The role there.
        role: Option<&'static str>,
    },
    /// Two tenures of one member in one space that share time.
    Overlap(Overlap),
    /// Two tenures of one member in one space that are to be one membership, and have different roles.
    OtherRoles(Overlap),
    /// One that would change what was sent already, which is the other.
    Sent(Overlap),
}

/// Two tenures of one member in one space that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The space's name.
    pub space: String,
    /// The member's name.
    pub member: String,
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
    /// Its role.
    pub role: Option<Role>,
    /// The other one's role.
    pub other_role: Option<Role>,
}

/// What becomes of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stands: nothing will be journaled.
    Stands,
    /// It is passed over: stints may overlap, and the first role counts.
    PassedOver,
    /// The row is left out, as a reject; for one that is kept without its tenure, JSON of its line.
    LeftOut(Refusal, Option<String>),
}

/// How many rows of a reading were what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Not in the journal before.
    pub new: u64,
    /// In the journal from an earlier reading.
    pub known: u64,
    /// In the journal as a reject of another file: to be tried again.
    pub again: u64,
    /// Repeating another.
    pub duplicates: u64,
    /// Rejects whose place mended rows have taken.
    pub replaced: u64,
}

/// One file of the reading.
#[derive(Debug)]
struct Source {
    id: i64,
    path: String,
    layout: String,
    rows: u64,
    duplicates: u64,
}

/// One reading of input. Into a journal, all of it is one transaction: dropped without [`Loader::commit`] it never was.
#[derive(Debug)]
pub struct Loader<'j> {
    /// What is known already, if anything is.
    journal: Option<&'j Connection>,
    /// Whether it is written to.
    writes: bool,
    now: Timestamp,
    operation: Operation,
    policy: Policy,
    /// Spaces that take no history any more.
    completed: HashSet<i64>,
    /// Which reading of the journal it is, from 1.
    reading: i64,
    /// Spaces and members of earlier readings.
    earlier: (u32, u32),
    names: Names,
    sources: Vec<Source>,
    /// Paths of other files of the journal, as they were needed.
    paths: HashMap<i64, String>,
    piece: Vec<Incoming>,
    runs: Runs,
    /// Whether earlier readings and runs have left any.
    has_rejects: bool,
    replacing: Replacing,
    settled: bool,
    /// Whether something was found that forbids to journal anything.
    stands: bool,
    committed: bool,
    outlook: Outlook,
}

impl Journal {
    /// Begins to read input into the journal.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn loader(&mut self, now: Timestamp) -> Result<Loader<'_>, JournalError> {
        let policy = self.policy()?;
        self.loader_by(policy, now)
    }

    /// The same, by another policy, which the journal keeps to from then on.
    ///
    /// # Errors
    /// As [`Journal::loader`].
    pub fn loader_by(&mut self, policy: Policy, now: Timestamp) -> Result<Loader<'_>, JournalError> {
        let folder = self.folder();
        let mut loader = Loader::with(Some(&self.conn), self.operation()?, folder, now)?;
        loader.policy = policy;
        self.conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        loader.writes = true;
        loader.replacing = Replacing::begin(&self.conn)?;
        loader.has_rejects =
            self.conn
                .query_row("SELECT EXISTS (SELECT 1 FROM rows WHERE state = 3)", [], |row| row.get(0))?;
        self.conn.execute(
            "UPDATE journal SET readings = readings + 1, stints = ?1, bridges = ?2",
            (policy.stints.as_str(), policy.bridges),
        )?;
        Ok(loader)
    }

    /// Begins to read input against the journal, which stays as it is.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn rehearsal(&self, now: Timestamp) -> Result<Loader<'_>, JournalError> {
        self.rehearsal_by(self.policy()?, now)
    }

    /// The same, by another policy.
    ///
    /// # Errors
    /// As [`Journal::rehearsal`].
    pub fn rehearsal_by(&self, policy: Policy, now: Timestamp) -> Result<Loader<'_>, JournalError> {
        let mut loader = Loader::with(Some(&self.conn), self.operation()?, std::env::temp_dir(), now)?;
        loader.policy = policy;
        Ok(loader)
    }

    fn operation(&self) -> Result<Operation, JournalError> {
        Ok(self.undertaking()?.operation(self.is_standard()?))
    }

    fn folder(&self) -> PathBuf {
        let folder = self.conn.path().map(Path::new).and_then(Path::parent);
        match folder.filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder.to_owned(),
            None => std::env::temp_dir(),
        }
    }
}

impl Loader<'static> {
    /// Begins to read input that goes nowhere.
    pub fn nowhere(operation: Operation, now: Timestamp) -> Self {
        Loader::of(None, operation, std::env::temp_dir(), now)
    }

    /// The same, by another policy.
    #[must_use]
    pub fn by(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The same; it also counts what there would be to send by each policy.
    #[must_use]
    pub fn comparing(mut self) -> Self {
        self.outlook.compared = Some(Compared::default());
        self
    }
}

impl<'j> Loader<'j> {
    fn of(journal: Option<&'j Connection>, operation: Operation, folder: PathBuf, now: Timestamp) -> Self {
        Loader {
            journal,
            writes: false,
            now,
            operation,
            policy: Policy::default(),
            completed: HashSet::new(),
            reading: 1,
            earlier: (0, 0),
            names: Names::new(),
            sources: Vec::new(),
            paths: HashMap::new(),
            piece: Vec::new(),
            runs: Runs::new(folder),
            has_rejects: false,
            replacing: Replacing::default(),
            settled: false,
            stands: false,
            committed: false,
            outlook: Outlook::default(),
        }
    }

    fn with(
        journal: Option<&'j Connection>,
        operation: Operation,
        folder: PathBuf,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let mut loader = Loader::of(journal, operation, folder, now);
        let Some(conn) = journal else { return Ok(loader) };
        loader.reading += conn.query_row("SELECT readings FROM journal", [], |row| row.get::<_, i64>(0))?;
        each_name(conn, "spaces", |text| {
            SpaceName::parse(text).map(|name| loader.names.space_number(&name)).ok()
        })?;
        each_name(conn, "members", |text| {
            MemberName::parse(text).map(|name| loader.names.member_number(&name)).ok()
        })?;
        loader.earlier = (loader.names.spaces(), loader.names.members());
        loader.outlook.spaces = loader.names.spaces().into();
        let mut statement =
            conn.prepare("SELECT pending, open, id, completed_at IS NOT NULL FROM spaces ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            loader.outlook.pending.push(row.get::<_, i64>(0)?.cast_unsigned());
            loader.outlook.open += row.get::<_, i64>(1)?.cast_unsigned();
            if row.get(3)? {
                loader.completed.insert(row.get(2)?);
            }
        }
        Ok(loader)
    }

    /// The names of all rows so far. Whoever numbers rows takes them, and puts them back before [`Loader::settle`].
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// What a file of this reading is called in the journal.
    pub fn source_path(&self, path: &str) -> String {
        // What came through one pipe has nothing to do with what comes through the next.
        if path == "-" { format!("- (reading {})", self.reading) } else { path.to_owned() }
    }

    /// Begins a file; returns its number, from 0.
    ///
    /// # Errors
    /// When the journal cannot be read, or when there are too many files.
    pub fn begin_source(&mut self, path: &str, layout: &str) -> Result<usize, JournalError> {
        if self.sources.len() >= SOURCES_MAX {
            return Err(JournalError::TooMany { what: "files", most: SOURCES_MAX as u64 });
        }
        let path = self.source_path(path);
        let same = self.sources.iter().find(|source| source.path == path).map(|source| source.id);
        let id = match (same, self.journal) {
            (Some(id), _) => id,
            (None, None) => self.sources.len() as i64 + 1,
            (None, Some(conn)) if self.writes => {
                let id = conn.query_row(
                    "INSERT INTO sources (path, layout, read_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (path) DO UPDATE SET layout = excluded.layout, read_at = excluded.read_at
                     RETURNING id",
                    (&path, layout, self.now.as_micros()),
                    |row| row.get(0),
                )?;
                // What an earlier reading of it left as invalid is forgotten: this reading says it anew.
                self.replacing.forget(conn, id)?;
                id
            }
            (None, Some(conn)) => {
                let known = "SELECT id FROM sources WHERE path = ?1";
                let next = "SELECT ifnull(max(id), 0) + ?1 FROM sources";
                match conn.query_row(known, [&path], |row| row.get(0)).optional()? {
                    Some(id) => id,
                    None => conn.query_row(next, [self.sources.len() as i64 + 1], |row| row.get(0))?,
                }
            }
        };
        if let Some(conn) = self.journal {
            self.replacing.begin_source(conn, id)?;
        }
        self.sources.push(Source { id, path, layout: layout.to_owned(), rows: 0, duplicates: 0 });
        Ok(self.sources.len() - 1)
    }

    /// Takes in a valid row of the file begun last. `given` is JSON of what the line said beyond the tenure.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn row(&mut self, line: u64, tenure: &Tenure, given: Option<&str>) -> Result<(), JournalError> {
        let numbered = Tenure {
            space: self.names.space_number(&tenure.space),
            member: self.names.member_number(&tenure.member),
            create_time: tenure.create_time,
            delete_time: tenure.delete_time,
            role: tenure.role,
        };
        let source = self.sources.len().saturating_sub(1);
        self.piece.push(Incoming::new(source, line, &numbered, given));
        if self.piece.len() >= PIECE_ROWS {
            let piece = std::mem::take(&mut self.piece);
            self.rows(piece)?;
        }
        Ok(())
    }

    /// Takes in many valid rows at once, numbered with [`Loader::names`].
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn rows(&mut self, rows: Vec<Incoming>) -> Result<(), JournalError> {
        self.runs.add(rows).map_err(JournalError::Spilled)
    }

    /// Takes in a line that can never be sent, as a reject; whether it is one, and was not replaced before.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn invalid(
        &mut self,
        source: usize,
        line: u64,
        refusal: &Refusal,
        given: Option<&str>,
    ) -> Result<bool, JournalError> {
        let Some(source) = self.sources.get_mut(source) else { return Ok(false) };
        source.rows += 1;
        if self.replacing.is_settled(source.id, line, given) {
            return Ok(false);
        }
        let Some(conn) = self.journal.filter(|_| self.writes) else { return Ok(true) };
        if self.has_rejects {
            self.replacing.said_anew(conn, source.id, line, given)?;
        }
        let id = self.replacing.next_invalid();
        conn.prepare_cached(
            "INSERT INTO rows (id, operation, source, line, given, state, settled_at, kind, error)
             VALUES (?1, ?2, ?3, ?4, ?5, 3, ?6, ?7, ?8)",
        )?
        .execute(params![
            id,
            self.operation.code(),
            source.id,
            line as i64,
            given,
            self.now.as_micros(),
            refusal.kind,
            refusal.error
        ])?;
        Ok(true)
    }

    /// Holds all rows against each other and against those of earlier readings, and writes down what they are. `judge` is
    /// asked about what is found; once a finding stands, nothing more is written. `watch` is asked now and then whether to
    /// go on.
    ///
    /// # Errors
    /// When the journal cannot be read or written; `None` when `watch` has said no.
    pub fn settle(
        &mut self,
        mut judge: impl FnMut(Finding<'_>) -> Verdict,
        mut watch: impl FnMut() -> bool,
    ) -> Result<Option<Taken>, JournalError> {
        let piece = std::mem::take(&mut self.piece);
        self.runs.add(piece).map_err(JournalError::Spilled)?;
        expect_room(self.names.spaces().into(), self.names.members().into())?;
        self.settled = true;
        let mut settling = Settling::begin(self)?;
        let mut rows = std::mem::replace(&mut self.runs, Runs::new(PathBuf::new()))
            .merge()
            .map_err(JournalError::Spilled)?;
        let mut count: u64 = 0;
        while let Some(row) = rows.next().map_err(JournalError::Spilled)? {
            count += 1;
            if count.is_multiple_of(ROWS_PER_LOOK) && !watch() {
                return Ok(None);
            }
            settling.row(self, row, &mut judge)?;
        }
        settling.end(self, &mut judge).map(Some)
    }

    /// What there would be to do, once all is settled.
    pub fn outlook(&self) -> &Outlook {
        &self.outlook
    }

    /// The spaces of all rows, also those of earlier readings.
    ///
    /// # Errors
    /// Never for names that were read.
    pub fn spaces(&self) -> Result<Vec<SpaceName>, JournalError> {
        let name = |number| SpaceName::parse(&self.names.space_name(number));
        let names = (1..=self.names.spaces()).map(name).collect::<Result<_, _>>();
        names.map_err(|error| JournalError::Content(error.to_string()))
    }

    fn origin(&mut self, origin: Origin) -> Result<String, JournalError> {
        Ok(format!("{}:{}", self.path(origin.source)?, origin.line))
    }

    fn path(&mut self, id: i64) -> Result<Cow<'_, str>, JournalError> {
        if let Some(source) = self.sources.iter().find(|source| source.id == id) {
            return Ok(source.path.as_str().into());
        }
        if let (false, Some(conn)) = (self.paths.contains_key(&id), self.journal) {
            let path = conn.query_row("SELECT path FROM sources WHERE id = ?1", [id], |row| row.get(0))?;
            self.paths.insert(id, path);
        }
        Ok(self.paths.get(&id).map_or("".into(), |path| path.as_str().into()))
    }

    /// Makes the whole reading durable, as far as the journal is. What was not settled before is, whatever there is to be
    /// found.
    ///
    /// # Errors
    /// Then nothing of it is in the journal.
    pub fn commit(mut self) -> Result<(), JournalError> {
        if !self.settled {
            self.settle(|_| Verdict::PassedOver, || true)?;
        }
        if self.stands {
            return Err(JournalError::Content("rows that do not go together".to_owned()));
        }
        let Some(conn) = self.journal.filter(|_| self.writes) else { return Ok(()) };
        for source in &self.sources {
            conn.execute(
                "UPDATE sources SET layout = ?2, rows = ?3, duplicates = ?4, invalid = 0 WHERE id = ?1",
                params![source.id, source.layout, source.rows as i64, source.duplicates as i64],
            )?;
        }
        // Also what earlier readings of these files have left, and this one has not said anew.
        conn.execute(
            "UPDATE sources SET invalid = left_out.count
               FROM (SELECT source, count(*) AS count FROM rows WHERE id <= ?1 AND state = 3 GROUP BY source) AS left_out
              WHERE sources.id = left_out.source",
            [Numbers::INVALID.last],
        )?;
        let Outlook { merged_more, bridged_more, .. } = self.outlook;
        if (merged_more, bridged_more) != (0, 0) {
            conn.execute(
                "UPDATE journal SET merged = merged + ?1, bridged = bridged + ?2",
                (merged_more, bridged_more),
            )?;
        }
        if self.operation == Operation::Delete {
            // Whoever is to get a role is not to go.
            conn.execute(
                "UPDATE rows SET operation = ?1 WHERE operation = ?2 AND role IS NOT NULL AND state = 0",
                (Operation::Patch.code(), Operation::Delete.code()),
            )?;
        }
        if conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM rows WHERE state = 3) OR EXISTS (SELECT 1 FROM reasons)",
            [],
            |row| row.get(0),
        )? {
            reasons::recount(conn)?;
        }
        conn.execute_batch("COMMIT")?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Loader<'_> {
    fn drop(&mut self) {
        if let (true, false, Some(conn)) = (self.writes, self.committed, self.journal) {
            // SQLite has rolled back by itself if this fails.
            let _ = conn.execute_batch("ROLLBACK");
        }
    }
}

/// Names of earlier readings keep their numbers.
fn each_name(
    conn: &Connection,
    table: &'static str,
    mut number: impl FnMut(&str) -> Option<u32>,
) -> Result<(), JournalError> {
    let mut statement = conn.prepare(&format!("SELECT id, name FROM {table} ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        if number(&name).map(i64::from) != Some(id) {
            return Err(JournalError::Content(format!("{name:?} has number {id} among the {table}")));
        }
    }
    Ok(())
}
