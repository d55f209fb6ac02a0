//! A journal that appears only when it is whole: whoever is killed before that leaves none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::journal::{Destination, Journal, JournalError, sibling};
use crate::model::Timestamp;

/// Makes one beside its place, lets it be filled, and puts it there.
///
/// # Errors
/// When it cannot be made or filled; then there is none.
pub(super) fn create<T, E: From<JournalError>>(
    path: &Path,
    destination: Destination<'_>,
    now: Timestamp,
    fill: impl FnOnce(&mut Journal) -> Result<T, E>,
) -> Result<(Journal, T), E> {
    // SQLite would take what another journal left for this one's. Of one that was looked at last, empty files are left.
    let left = dashed(path, "-wal");
    if fs::metadata(&left).is_ok_and(|file| file.len() > 0) {
        return Err(JournalError::Leftover { left }.into());
    }
    remove_beside(path);
    let unfinished = sibling(path, "new");
    // Left by one that was killed.
    remove(&unfinished);
    let filled = Journal::create(&unfinished, destination, now).map_err(E::from).and_then(|mut journal| {
        let filled = fill(&mut journal)?;
        journal.close()?;
        fs::rename(&unfinished, path)
            .and_then(|()| keep_name(path))
            .map_err(|error| JournalError::File { path: path.to_owned(), error })?;
        Ok(filled)
    });
    match filled {
        Ok(filled) => Ok((Journal::reopen(path)?, filled)),
        Err(refused) => {
            remove(&unfinished);
            Err(refused)
        }
    }
}

/// A journal that never was, with what SQLite keeps beside it. Whatever cannot be removed is found and removed by the
/// next one.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    remove_beside(path);
}

fn remove_beside(path: &Path) {
    for name in ["-wal", "-shm"].map(|suffix| dashed(path, suffix)) {
        let _ = fs::remove_file(name);
    }
}

/// Makes the name of a file as durable as what is in it.
fn keep_name(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn dashed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
