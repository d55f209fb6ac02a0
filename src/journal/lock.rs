//! One process at a time.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::JournalError;

const PATIENCE_STEPS: u32 = 10;
const PATIENCE_STEP: Duration = Duration::from_millis(30);

/// Held while a process writes to a journal; the operating system gives it back when the process ends, however.
///
/// It lies beside the journal, in a file of its own: SQLite's own locks on the journal would be dropped if a second
/// descriptor of it were closed, and readers such as `status` must not be kept out.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&lock_path).map_err(|error| match path.exists() {
            true => JournalError::Barred(error),
            false => JournalError::Place { path: path.to_owned(), error },
        })?;
        // `status` holds it shared for a moment, to see whether somebody else does.
        for _ in 0..PATIENCE_STEPS {
            match file.try_lock() {
                Ok(()) => {
                    // The number only helps whoever is refused; failing to note it changes nothing.
                    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    let mut lock = Lock { _file: file, journal: None, length: 0 };
                    lock.hold(path)?;
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE_STEP),
                Err(TryLockError::Error(error)) => return Err(JournalError::file(&lock_path, error)),
            }
        }
        let mut holder = String::new();
        let _ = file.take(20).read_to_string(&mut holder);
        Err(JournalError::Locked { holder: holder.trim().parse().ok() })
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
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                Some(holder.trim().parse().ok())
            }
            _ => None,
        }
    }
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
