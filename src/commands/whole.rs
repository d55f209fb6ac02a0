//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Usage;
use crate::wording::{trouble, trouble_making};

/// Puts a file in the place of what is there, readable by its owner alone. Whoever reads it meets the one or the other.
///
/// # Errors
/// Then what was there is there still.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays, and leads to the new file.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut file = NamedTempFile::new_in(folder(&path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A new file on its way, readable by its owner alone; dropped before it is put in its place, it is gone.
pub(super) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// An empty one, beside the place where it will be.
    ///
    /// # Errors
    /// When something is in that place, or nothing can be written there.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Draft> {
        if path.symlink_metadata().is_ok() {
            return Err(not_made(path, &ErrorKind::AlreadyExists.into()));
        }
        let file = NamedTempFile::new_in(folder(path)).map_err(|error| not_made(path, &error))?;
        // Without a `/` at the end, which no file's name has.
        Ok(Draft { file, path: path.components().collect() })
    }

    /// Writes what is to be in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn fill(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = BufWriter::new(self.file.as_file());
        write(&mut out)
            .and_then(|()| out.flush())
            .and_then(|()| self.file.as_file().sync_all())
            .map_err(|error| anyhow::anyhow!("{}: {}", self.path.display(), trouble(&error)))
    }

    fn place(self) -> anyhow::Result<PathBuf> {
        let Draft { file, path } = self;
        let placed = file.persist_noclobber(&path).or_else(|refused| {
            // Some disks cannot do both in one step.
            let is_free =
                refused.error.kind() != ErrorKind::AlreadyExists && path.symlink_metadata().is_err();
            if is_free { refused.file.persist(&path) } else { Err(refused) }
        });
        placed.map_err(|refused| not_made(&path, &refused.error))?;
        Ok(path)
    }
}

/// Makes sure that such new files can be made, and that each is another.
///
/// # Errors
/// When one of them is there already, nothing can be written there, or two are one.
pub(super) fn expect_new<'a>(paths: impl Iterator<Item = &'a Path>) -> anyhow::Result<()> {
    let mut places: Vec<PathBuf> = Vec::new();
    for path in paths {
        Draft::begin(path)?;
        let place = folder(path).canonicalize().map_err(|error| not_made(path, &error))?;
        let place = place.join(path.file_name().unwrap_or_default());
        if places.contains(&place) {
            let twice = format!("{} is named for two outputs: each is a file of its own", path.display());
            return Err(Usage(twice).into());
        }
        places.push(place);
    }
    Ok(())
}

/// Puts all of them in their places, or none.
///
/// # Errors
/// When somebody has put something there meanwhile, or the disk refuses; those that were placed are removed again.
pub(super) fn place_all(drafts: Vec<Draft>) -> anyhow::Result<()> {
    let mut placed = Vec::new();
    for draft in drafts {
        match draft.place() {
            Ok(path) => placed.push(path),
            Err(refused) => {
                for path in placed {
                    let _ = fs::remove_file(path);
                }
                return Err(refused);
            }
        }
    }
    Ok(())
}

/// Why a new file could not be made.
pub(super) fn not_made(path: &Path, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{} is there already; name another file, or remove it first", path.display())
        }
        _ => anyhow::anyhow!("{}: {}", path.display(), trouble_making(error)),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_appear_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
        let drafts = || names.iter().map(|path| Draft::begin(path).unwrap()).collect::<Vec<_>>();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let mut begun = drafts();
        begun[0].fill(|out| out.write_all(b"a")).unwrap();
        fs::write(&names[1], "somebody's").unwrap();
        let refused = place_all(begun).unwrap_err().to_string();
        assert!(refused.contains("b.csv is there already"), "{refused}");
        assert_eq!((files(), fs::read_to_string(&names[1]).unwrap().as_str()), (1, "somebody's"));
        fs::remove_file(&names[1]).unwrap();
        let mut begun = drafts();
        let failed = begun[1].fill(|out| out.write_all(b"half").and(Err(ErrorKind::StorageFull.into())));
        assert!(failed.unwrap_err().to_string().contains("there is no room left"));
        drop(begun);
        assert_eq!(files(), 0);
        place_all(drafts()).unwrap();
        assert_eq!(files(), 2);
    }
}
