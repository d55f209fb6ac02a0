//! One process at a time.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Journal, JournalError};

const PATIENCE_STEPS: u32 = 10;
const PATIENCE_STEP: Duration = Duration::from_millis(30);

/// How the last process on a journal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEnd {
    /// In order, as far as anybody knows.
    InOrder,
    /// Cut off: killed, or by a machine that went down.
    CutOff,
    /// However it was, the journal has fewer commits now than it had then.
    CommitsLost {
        /// How many fewer.
        commits: u64,
    },
}

/// Held while a process writes to a journal; the operating system gives it back when the process ends, however. Its file
/// says how the last process ended.
///
/// It lies beside the journal, in a file of its own: SQLite's own locks on the journal would be dropped if a second
/// descriptor of it were closed, and readers such as `status` must not be kept out.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// Where it lies, if this process has made it.
    made: Option<PathBuf>,
    /// Whether it says anything that the next process has to know.
    followed: AtomicBool,
    /// What the process before has left in it.
    left: Note,
    /// Whether an end from here on is one in order.
    settled: AtomicBool,
    /// The journal itself, in case somebody deletes the file beside it. Closed last: closing any descriptor of a file
    /// gives up the locks that SQLite holds on it.
    journal: Option<File>,
    /// How long it was at first: it only ever grows.
    length: u64,
}

impl Lock {
    /// Takes the lock of the journal at `path`.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another process holds it; an I/O error when the folder cannot be written to.
    pub fn take(path: &Path) -> Result<Lock, JournalError> {
        let lock_path = lock_path(path);
        let mut holder = None;
        // `status` holds it shared for a moment, to see whether somebody else does.
        for _ in 0..PATIENCE_STEPS {
            let (mut file, made) = open(&lock_path).map_err(|error| match path.exists() {
                true => JournalError::Barred(error),
                false => JournalError::Place { path: path.to_owned(), error },
            })?;
            match file.try_lock() {
                // Whoever held it has taken it away since it was opened.
                Ok(()) if !is_at(&file, &lock_path) => {}
                Ok(()) => {
                    let failed = |error| JournalError::file(&lock_path, error);
                    let left = Note::read(&mut file);
                    Note { pid: std::process::id(), ..left }.write(&file).map_err(failed)?;
                    // A power cut must not make it look as if nothing had been cut off.
                    file.sync_all().map_err(failed)?;
                    let settled = AtomicBool::new(left.pid == 0);
                    let made = made.then(|| lock_path.clone());
                    let followed = AtomicBool::new(false);
                    let mut lock = Lock { file, made, followed, left, settled, journal: None, length: 0 };
                    lock.hold(path)?;
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) => {
                    holder = Note::read(&mut file).holder();
                    std::thread::sleep(PATIENCE_STEP);
                }
                Err(TryLockError::Error(error)) => return Err(JournalError::file(&lock_path, error)),
            }
        }
        Err(JournalError::Locked { holder })
    }

    /// How the last process on this journal ended.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn last_end(&self, journal: &Journal) -> Result<LastEnd, JournalError> {
        let (begun_at, commits) = journal.commits()?;
        Ok(match self.left {
            Note { journal, commits: noted, .. } if journal == begun_at && noted > commits => {
                LastEnd::CommitsLost { commits: noted - commits }
            }
            Note { pid: 0, .. } => LastEnd::InOrder,
            _ => LastEnd::CutOff,
        })
    }

    /// What the last end means is written to the journal; from here on each of the journal's commits is counted here too.
    ///
    /// # Errors
    /// When the journal cannot be read, or the file cannot be written.
    pub fn follow(&self, journal: &mut Journal) -> Result<(), JournalError> {
        let (begun_at, commits) = journal.commits()?;
        let failed = |error| JournalError::file(Path::new("the lock beside the journal"), error);
        Note { pid: std::process::id(), journal: begun_at, commits }.write(&self.file).map_err(failed)?;
        self.followed.store(true, Ordering::Relaxed);
        journal.count_commits_in(CommitMark(self.file.try_clone().map_err(failed)?));
        self.settle(true);
        Ok(())
    }

    /// Says whether an end from here on is one in order: not while requests may be under way.
    pub fn settle(&self, settled: bool) {
        self.settled.store(settled, Ordering::Relaxed);
    }

    /// Locks the journal itself too, once it is there.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn hold(&mut self, path: &Path) -> Result<(), JournalError> {
        if self.journal.is_some() {
            return Ok(());
        }
        let Ok(journal) = File::open(path) else { return Ok(()) };
        #[cfg(unix)]
        match journal.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked { holder: None }),
            Err(TryLockError::Error(error)) => return Err(JournalError::file(path, error)),
        }
        self.length = journal.metadata().map_err(|error| JournalError::file(path, error))?.len();
        self.journal = Some(journal);
        Ok(())
    }

    /// Whether the journal that is held, and open, is still the file at `path`, not shorter than it was, with what SQLite
    /// has not moved into it yet beside it: what is written to files that were deleted is lost when the process ends.
    pub fn is_in_place(&self, path: &Path) -> bool {
        let held = self.journal.as_ref().and_then(|file| file.metadata().ok());
        let there = std::fs::metadata(path).ok();
        wal(path).exists()
            && matches!((held, there), (Some(held), Some(there)) if is_same(&held, &there) && there.len() >= self.length)
    }

    /// Whether some process holds the lock of the journal at `path`, and which.
    pub fn holder(path: &Path) -> Option<Option<u32>> {
        let mut file = File::open(lock_path(path)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(Note::read(&mut file).holder()),
            _ => None,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let (Some(path), false) = (&self.made, self.followed.load(Ordering::Relaxed)) {
            // Nothing has begun: nothing is to be left, and the next process needs no file to know that.
            if is_at(&self.file, path) {
                let _ = std::fs::remove_file(path);
            }
            return;
        }
        if self.settled.load(Ordering::Relaxed) {
            // Failing to note it costs the next run a list of each space.
            let _ = Note { pid: 0, ..Note::read(&mut &self.file) }.write(&self.file);
        }
    }
}

/// What the lock's file says: three numbers in columns of a fixed width.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Note {
    /// Of the process that works with the journal; 0 once it has ended in order.
    pid: u32,
    /// When the journal was begun, in microseconds since 1970: its commits are no other's.
    journal: i64,
    /// How many commits the journal has got, at least.
    commits: u64,
}

impl Note {
    const PID_WIDTH: usize = 10;
    const JOURNAL_WIDTH: usize = 20;
    /// Where the commits are.
    const COMMITS_AT: u64 = (Note::PID_WIDTH + 1 + Note::JOURNAL_WIDTH + 1) as u64;

    /// What cannot be read says nothing.
    fn read(file: &mut (impl Read + Seek)) -> Note {
        let mut text = String::new();
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(200).read_to_string(&mut text));
        let mut words = text.split_whitespace();
        let mut word = || words.next().unwrap_or_default();
        Note {
            pid: word().parse().unwrap_or_default(),
            journal: word().parse().unwrap_or_default(),
            commits: word().parse().unwrap_or_default(),
        }
    }

    fn write(&self, mut file: &File) -> io::Result<()> {
        let Note { pid, journal, commits } = self;
        let (pids, journals) = (Note::PID_WIDTH, Note::JOURNAL_WIDTH);
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format!("{pid:pids$} {journal:journals$} {commits:20}\n").as_bytes())
    }

    fn holder(&self) -> Option<u32> {
        (self.pid != 0).then_some(self.pid)
    }
}

/// Where a journal's commits are counted outside of it, so that it is known when some of them are lost.
#[derive(Debug)]
pub struct CommitMark(File);

impl CommitMark {
    /// Notes how many there are. Failing to may leave the loss of the last ones unnoticed.
    pub(super) fn set(&mut self, commits: u64) {
        let _ = self
            .0
            .seek(SeekFrom::Start(Note::COMMITS_AT))
            .and_then(|_| self.0.write_all(format!("{commits:20}").as_bytes()));
    }
}

/// Opens the file of a lock, readable by its owner alone; says whether it was not there.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((options.create(true).truncate(false).open(path)?, false))
        }
        Err(error) => Err(error),
    }
}

/// Whether an open file is the one that lies at a path.
fn is_at(file: &File, path: &Path) -> bool {
    matches!((file.metadata(), std::fs::metadata(path)), (Ok(held), Ok(there)) if is_same(&held, &there))
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

/// Beside the journal itself, wherever a link to it may lie: a journal has one lock.
fn lock_path(path: &Path) -> PathBuf {
    sibling(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), "lock")
}

/// Where SQLite keeps what it has not moved into the journal yet.
fn wal(path: &Path) -> PathBuf {
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push("-wal");
    PathBuf::from(name)
}

/// The file `<path>.<suffix>` beside a journal.
pub fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
