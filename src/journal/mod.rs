//! The journal: one SQLite file that holds every row of a run and what became of it.
//!
//! Two rules make a run resumable at any moment. A row is durably *in flight* before its request leaves, and an answer
//! is durable before anything is built on it. So after a crash every row is either known or in flight, and only those
//! in flight have to be looked up in Chat.

mod again;
mod bulk;
mod change;
mod channels;
mod completion;
mod course;
mod figures;
mod holdings;
mod incoming;
mod judge;
mod load;
mod lock;
mod number;
mod policy;
mod prior;
mod query;
mod reasons;
mod rejects;
mod request;
mod rollback;
mod runs;
mod schema;
mod sittings;
mod stints;
#[cfg(test)]
mod tests;
mod thread;
mod titles;
mod verified;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::model::{Operation, RowId, Timestamp, Undertaking};
use crate::wording::{quoted, trouble, trouble_making};
use course::Run;

pub use again::Retried;
pub use change::{Calls, Change, Note};
pub use channels::{AddedChannels, ChangedChannel, ChannelChange, MadeSpace, RejectedChannel, SpaceAge};
pub use completion::{CompletionPlan, SPACE_COMPLETED, Unfit};
pub use course::Stretch;
pub use figures::{
    ChannelFigures, RejectReason, RowFigures, RunFigures, Sample, SourceFigures, SpaceFigures, YearFigures,
};
pub use holdings::{FoundBefore, Holding, SpaceHeld};
pub use incoming::Incoming;
pub use judge::{ClashKind, Refusal};
pub use load::{Compared, Finding, Loader, Outlook, Overlap, REPLACES, SeveralAt, Taken, Verdict, claim};
pub use lock::{CommitMark, LastEnd, Lock, sibling};
pub use query::{Attribution, Held, SpaceWork, Tally, Work};
pub use reasons::RejectKind;
pub use rejects::RejectedRow;
pub use request::{Reply, Request};
pub use rollback::{RollbackPlan, RolledBack, Stays};
pub use sittings::{COMPLETE, JOURNALED, LastRun};
pub use thread::{JournalThread, Said};
pub use verified::{Shows, Stand, Verified};

/// What can go wrong with a journal. Each message says which file when it is shown with [`JournalError::at`].
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process is running on it.
    #[error("another tenure process{} is working with this journal; wait for it, or stop it first", .holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Locked {
        /// Its process id, when it could be read.
        holder: Option<u32>,
    },
    /// Some other file.
    #[error("this is not a tenure journal; if it was one, its beginning is damaged: put a copy of it back")]
    NotAJournal,
    /// A file without anything in it.
    #[error("the file is empty; if it was a journal, put a copy of it back, and else remove it")]
    Empty,
    /// What it holds does not go together.
    #[error(
        "the journal is damaged ({0}); keep the file, and do not import again before `sqlite3 FILE .recover` was tried"
    )]
    Damaged(String),
    /// Made by a later version of this program.
    #[error(
        "this journal has schema version {found}, and this tenure knows versions up to {known}; use the tenure that wrote it, or a newer one"
    )]
    Newer {
        /// Version in the file.
        found: i64,
        /// Newest version known here.
        known: usize,
    },
    /// Made by an earlier version; only a run may bring it up to date.
    #[error("this journal was written by an earlier tenure")]
    Older,
    /// SQLite's side files without their journal.
    #[error("the journal is gone, but {left} is there: put the journal back beside it, or remove it to begin anew", left = .left.display())]
    Leftover {
        /// What was left.
        left: PathBuf,
    },
    /// Not there.
    #[error("there is no such journal; `tenure import` makes one")]
    Missing,
    /// A row was not in the state that it had to be in. Never expected; nothing was written.
    #[error(
        "row {row} of the journal is not {state}, as it should be; nothing was written. Was the file changed by another program?"
    )]
    NotInState {
        /// Which row.
        row: RowId,
        /// The state it should have had.
        state: &'static str,
    },
    /// The journal was made for another place.
    #[error(
        "this journal belongs to {journal}, and this run would go to {run}: what is done there is not done here. Leave --endpoint and --emulator away to go on where it belongs; for a run elsewhere, begin another journal with the input (tenure import INPUT --journal FILE)"
    )]
    OtherTarget {
        /// Where its rows went so far.
        journal: String,
        /// Where they would go now.
        run: String,
    },
    /// The journal was made for spaces of the other kind.
    #[error(
        "this journal is about {}: {}, or begin another journal with rows of the other kind (tenure import INPUT --journal FILE)",
        if *.standard { "spaces that are not in import mode" } else { "spaces in import mode" },
        if *.standard { "add --standard-spaces" } else { "leave --standard-spaces, --admin-access and --as-app away" }
    )]
    OtherSpaces {
        /// What the journal is about.
        standard: bool,
    },
    /// The journal was made for something else.
    #[error("{}", other_undertaking(*.journal, *.run))]
    OtherUndertaking {
        /// What its rows are for.
        journal: Undertaking,
        /// What they were to be used for.
        run: Undertaking,
    },
    /// What a column holds cannot be what this program wrote.
    #[error("the journal holds something unreadable: {0}")]
    Content(String),
    /// There can be no journal.
    #[error("no journal can be kept at {path}: {story}; choose another place with --journal FILE", path = .path.display(), story = trouble_making(.error))]
    Place {
        /// Where.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// There is a journal, and no writing beside it.
    #[error("{}", barred(.0))]
    Barred(io::Error),
    /// The disk or the folder.
    #[error("{path}: {story}", path = .path.display(), story = trouble(.error))]
    File {
        /// Which file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// The temporary file that a large input is sorted in.
    #[error("{}", spilled(.0))]
    Spilled(io::Error),
    /// More than a journal has room for.
    #[error(
        "the input has more than {most} {what}, which no journal has room for: import it in parts, each with a --journal FILE of its own"
    )]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: u64,
    },
    /// SQLite.
    #[error("{}", sqlite_story(.0))]
    Sqlite(#[from] rusqlite::Error),
}

impl JournalError {
    fn file(path: &Path, error: io::Error) -> Self {
        JournalError::File { path: path.to_owned(), error }
    }

    /// Whether it says that what the file holds does not go together.
    pub fn is_damage(&self) -> bool {
        match self {
            JournalError::Damaged(_) => true,
            JournalError::Sqlite(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
            }
            _ => false,
        }
    }

    /// Whether it is about a file that is no journal.
    fn is_other_file(&self) -> bool {
        match self {
            JournalError::NotAJournal => true,
            JournalError::Sqlite(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
            }
            _ => false,
        }
    }

    /// The error together with the journal that it is about.
    pub fn at(self, path: &Path) -> anyhow::Error {
        match self {
            JournalError::File { .. } | JournalError::Place { .. } => self.into(),
            JournalError::Older => anyhow::anyhow!(
                "{}: {self}; `tenure resume {}` brings it up to date",
                path.display(),
                quoted(&path.display().to_string())
            ),
            // The input was named in place of its journal.
            error if error.is_other_file() => match journal_of(path) {
                Some(own) => anyhow::anyhow!(
                    "{}: this is not a tenure journal; did you mean {}?",
                    path.display(),
                    own.display()
                ),
                None if is_text(path) => anyhow::anyhow!(
                    "{}: this is a text, and not a tenure journal; name the journal (of an input FILE it is \
                     FILE.journal.db, where it was not called otherwise), or for a new one another --journal FILE, one that \
                     is not there yet",
                    path.display()
                ),
                None => anyhow::anyhow!("{}: {error}", path.display()),
            },
            error => anyhow::anyhow!("{}: {error}", path.display()),
        }
    }
}

/// The journal that a run of this input makes, if it is not told otherwise: in the current folder, or beside it.
pub fn journal_of(input: &Path) -> Option<PathBuf> {
    let here = input.file_name().map(|name| sibling(Path::new(name), "journal.db"));
    here.into_iter().chain([sibling(input, "journal.db")]).find(|path| path.exists())
}

/// Whether a file begins as no SQLite file does, but as a table or another text.
fn is_text(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    let whole = match std::str::from_utf8(&head) {
        Ok(_) => true,
        // A character that goes on behind the 512 bytes.
        Err(error) => error.error_len().is_none(),
    };
    read.is_ok() && whole && !head.iter().any(|byte| byte.is_ascii_control() && !b"\t\r\n".contains(byte))
}

/// SQLite's errors, with what to do about those that an operator meets.
fn sqlite_story(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly, SystemIoFailure,
    };
    match error.sqlite_error_code() {
        Some(DiskFull) => DISK_FULL.to_owned(),
        Some(ReadOnly) => barred(error),
        Some(CannotOpen) => {
            format!("the journal cannot be opened; may this user read and write its folder? ({error})")
        }
        Some(NotADatabase) => JournalError::NotAJournal.to_string(),
        Some(DatabaseCorrupt) => JournalError::Damaged(error.to_string()).to_string(),
        // A quota and a limit on file sizes come as this, too.
        Some(SystemIoFailure) => format!(
            "the disk failed or took no more ({error}): look for its health, a quota, and a limit on file sizes (ulimit -f). \
             Nothing that was settled is lost; run the same command again when that is mended"
        ),
        _ => format!("the journal cannot be used: {error}"),
    }
}

const DISK_FULL: &str = "the disk is full; make room and run the same command again, nothing is lost";

fn spilled(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => DISK_FULL.to_owned(),
        _ => format!(
            "rows cannot be sorted in a temporary file ({error}): look for the disk's health, a quota, and a limit on file \
             sizes (ulimit -f)"
        ),
    }
}

fn barred(error: &dyn std::error::Error) -> String {
    format!(
        "the journal or its folder cannot be written to ({error}); run this as their owner, or move the journal to where \
         you may write"
    )
}

fn other_undertaking(journal: Undertaking, run: Undertaking) -> String {
    match (journal, run) {
        (Undertaking::Rollback, Undertaking::Import) => {
            "this import was rolled back; begin a new one with another journal: tenure import INPUT --journal FILE".to_owned()
        }
        (_, Undertaking::Rollback) => format!(
            "this journal is of `tenure {journal}`, which cannot be rolled back: only what an import has created can be"
        ),
        _ => format!(
            "this journal is of `tenure {journal}`, and not of `tenure {run}`: name one that is, or begin one with \
             `tenure {run}`"
        ),
    }
}

/// Where the rows of a journal go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination<'a> {
    /// `emulator`, or the endpoint's URL.
    pub target: &'a str,
    /// Whether its spaces are not in import mode.
    pub standard: bool,
    /// What is done with them.
    pub undertaking: Undertaking,
}

impl Destination<'_> {
    /// What is to be done with a row that is read.
    pub fn operation(&self) -> Operation {
        self.undertaking.operation(self.standard)
    }
}

impl<'a> From<&'a str> for Destination<'a> {
    /// An import into spaces in import mode.
    fn from(target: &'a str) -> Self {
        Destination { target, standard: false, undertaking: Undertaking::Import }
    }
}

/// What is read whole before a run: a fraction of a second. A larger journal is read while its run goes on.
const EXAMINED_BYTES_MAX: i64 = 32 * 1024 * 1024;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    conn: Connection,
    run: Option<Run>,
    /// Where each commit is counted, too.
    mark: Option<CommitMark>,
    /// Whether what is in it is known to go together.
    examined: bool,
}

impl Journal {
    /// Makes a new journal at `path`, readable by its owner alone: it holds addresses.
    ///
    /// # Errors
    /// When the file exists or cannot be made.
    pub fn create<'a>(
        path: &Path,
        destination: impl Into<Destination<'a>>,
        now: Timestamp,
    ) -> Result<Journal, JournalError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|error| JournalError::file(path, error))?;
        let mut conn = Connection::open(path)?;
        // Nothing depends on it before it is closed, and what is left of one that never was is removed.
        conn.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
             PRAGMA locking_mode = EXCLUSIVE;",
        )?;
        schema::migrate(&mut conn)?;
        conn.set_prepared_statement_cache_capacity(64);
        let mut journal = Journal { conn, run: None, mark: None, examined: true };
        journal.begin(destination.into(), now)?;
        Ok(journal)
    }

    /// Opens a journal that this process has just written, as [`Journal::open`] does, without reading it whole.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn reopen(path: &Path) -> Result<Journal, JournalError> {
        Ok(Journal { examined: true, ..Journal::open_unexamined(path)? })
    }

    /// Opens an existing journal for writing. Whoever calls holds its [`Lock`].
    ///
    /// # Errors
    /// When it is missing, damaged (it is read whole, unless it is large), from a newer version, or no journal.
    pub fn open(path: &Path) -> Result<Journal, JournalError> {
        let mut journal = Journal::open_unexamined(path)?;
        let bytes: i64 = journal.conn.query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?;
        if bytes <= EXAMINED_BYTES_MAX {
            journal.examine()?;
            journal.examined = true;
        }
        Ok(journal)
    }

    /// Whether it was read whole when it was opened; if not, whoever goes on has it done beside.
    pub fn is_examined(&self) -> bool {
        self.examined
    }

    /// Whether a file begins as journals do. It is not opened as one for that.
    pub fn is_at(path: &Path) -> bool {
        let mut head = [0; schema::HEAD_BYTES];
        path.is_file()
            && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
            && schema::is_head(&head)
    }

    fn open_unexamined(path: &Path) -> Result<Journal, JournalError> {
        if !path.exists() {
            return Err(JournalError::Missing);
        }
        if path.is_dir() {
            return Err(JournalError::file(path, io::ErrorKind::IsADirectory.into()));
        }
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // An empty file is an empty database to SQLite, but nothing that was ever begun.
        if schema::check(&conn)? == 0 {
            return Err(JournalError::Empty);
        }
        Journal::prepare(conn)
    }

    /// Opens an existing journal for reading, also while another process writes to it.
    ///
    /// # Errors
    /// As [`Journal::open`], and when its schema is older than this program's.
    pub fn open_read_only(path: &Path) -> Result<Journal, JournalError> {
        if !path.exists() {
            return Err(JournalError::Missing);
        }
        if path.is_dir() {
            return Err(JournalError::file(path, io::ErrorKind::IsADirectory.into()));
        }
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        match schema::check(&conn)? {
            0 => return Err(JournalError::Empty),
            version if !schema::is_current(version) => return Err(JournalError::Older),
            _ => {}
        }
        Ok(Journal { conn, run: None, mark: None, examined: false })
    }

    /// A journal that leaves nothing behind: in a private temporary file, for rehearsals and tests of what uses one.
    ///
    /// # Errors
    /// When there is no room.
    pub fn scratch<'a>(
        destination: impl Into<Destination<'a>>,
        now: Timestamp,
    ) -> Result<Journal, JournalError> {
        let mut conn = Connection::open("")?;
        conn.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;",
        )?;
        schema::migrate(&mut conn)?;
        conn.set_prepared_statement_cache_capacity(64);
        let mut journal = Journal { conn, run: None, mark: None, examined: true };
        journal.begin(destination.into(), now)?;
        Ok(journal)
    }

    fn prepare(mut conn: Connection) -> Result<Journal, JournalError> {
        conn.busy_timeout(Duration::from_secs(10))?;
        // FULL: a commit is on the disk when it returns, whatever happens to the machine then. The larger the `-wal` file
        // may become, the fewer pages are written twice.
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = {WAL_PAGES}; PRAGMA cache_size = -{CACHE_KIB};"
        ))?;
        schema::migrate(&mut conn)?;
        conn.set_prepared_statement_cache_capacity(64);
        // A statement is planned once, and not anew for each value that it is given.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Journal { conn, run: None, mark: None, examined: false })
    }

    /// Holds all that is in it against each other: pages, indexes, and the counters of each space against its rows.
    ///
    /// # Errors
    /// [`JournalError::Damaged`].
    pub fn examine(&self) -> Result<(), JournalError> {
        // As of one moment, while another connection may write.
        let _moment = self.conn.unchecked_transaction()?;
        let found: String = self.conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(JournalError::Damaged(found));
        }
        let Tally { pending, in_flight, done, rejected, open, .. } = self.tally()?;
        if self.recount()? != [pending, in_flight, done, rejected, open] {
            return Err(JournalError::Damaged("its rows and their counts disagree".to_owned()));
        }
        if self.reasoned()? != rejected {
            return Err(JournalError::Damaged("its rejects and their reasons disagree".to_owned()));
        }
        Ok(())
    }

    fn begin(&mut self, destination: Destination<'_>, now: Timestamp) -> Result<(), JournalError> {
        self.conn.execute(
            "INSERT INTO journal (id, operation, target, standard, created_at) VALUES (1, ?1, ?2, ?3, ?4)",
            (destination.undertaking.as_str(), destination.target, destination.standard, now.as_micros()),
        )?;
        Ok(())
    }

    /// Closes it with everything in the one file and on the disk, so that it can be moved.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn close(self) -> Result<(), JournalError> {
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let path = self.conn.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        self.conn.close().map_err(|(_, error)| JournalError::from(error))?;
        let Some(path) = path else { return Ok(()) };
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| JournalError::file(&path, error))
    }

    /// Refuses a journal whose rows went elsewhere. One that has sent nothing yet can go anywhere.
    ///
    /// # Errors
    /// [`JournalError::OtherTarget`], [`JournalError::OtherSpaces`], [`JournalError::OtherUndertaking`].
    pub fn expect_destination<'a>(
        &self,
        destination: impl Into<Destination<'a>>,
    ) -> Result<(), JournalError> {
        let Destination { target, standard, undertaking } = destination.into();
        let own = self.undertaking()?;
        if own != undertaking {
            return Err(JournalError::OtherUndertaking { journal: own, run: undertaking });
        }
        let journal = self.target()?;
        if journal != target && self.has_sent()? {
            return Err(JournalError::OtherTarget { journal: place(&journal), run: place(target) });
        }
        if self.is_standard()? != standard {
            return Err(JournalError::OtherSpaces { standard: !standard });
        }
        Ok(())
    }

    /// The same; its rows go there from now on.
    ///
    /// # Errors
    /// As [`Journal::expect_destination`], and when it cannot be written.
    pub fn set_out_for<'a>(&mut self, destination: impl Into<Destination<'a>>) -> Result<(), JournalError> {
        let destination = destination.into();
        self.expect_destination(destination)?;
        if self.target()? != destination.target {
            self.conn.execute("UPDATE journal SET target = ?1", [destination.target])?;
        }
        Ok(())
    }

    /// Whether a call of it may have reached anybody. Calls without a connection are not counted; of a run that was cut off
    /// nobody knows.
    fn has_sent(&self) -> Result<bool, JournalError> {
        Ok(self.conn.query_row(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE sent > 0 OR ended_at IS NULL)
                 OR EXISTS (SELECT 1 FROM spaces WHERE in_flight > 0)",
            [],
            |row| row.get(0),
        )?)
    }

    /// When it was begun, in microseconds since 1970, and how many batches of changes it holds.
    fn commits(&self) -> Result<(i64, u64), JournalError> {
        Ok(self.conn.query_row("SELECT created_at, commits FROM journal", [], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?)
    }

    fn count_commits_in(&mut self, mark: CommitMark) {
        self.mark = Some(mark);
    }

    /// Writes a batch of changes in one durable transaction.
    ///
    /// # Errors
    /// Then none of them is written.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), JournalError> {
        let commits = change::apply(&mut self.conn, self.run, changes)?;
        if let Some(mark) = &mut self.mark {
            mark.set(commits);
        }
        Ok(())
    }
}

/// How long the `-wal` file grows before it is moved into the journal: 16 MiB.
const WAL_PAGES: u32 = 4096;
/// SQLite's page cache during a run.
const CACHE_KIB: u32 = 16 * 1024;

fn place(target: &str) -> String {
    match target {
        "emulator" => "a rehearsal (--emulator)".to_owned(),
        url => url.to_owned(),
    }
}
