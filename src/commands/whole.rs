//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{Usage, note};
use crate::signals::{Parting, Signals};
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

/// Characters of a file's name that its draft shows, at most: names on disks are no longer than 255 bytes.
const STEM_CHARS_MAX: usize = 40;
/// Characters of a draft's name that chance chooses.
const CHANCE_CHARS: usize = 6;
/// How the names of drafts end.
const DRAFT_END: &str = ".tenure";

/// A new file on its way, readable by its owner alone; dropped before it is put in its place, it is gone. Who writes it holds
/// a lock on it, which ends with the process: a draft without one is a leftover.
pub(super) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// An empty one, beside the place where it will be. Leftovers of drafts for that place go.
    ///
    /// # Errors
    /// When something is in that place, or nothing can be written there.
    pub(super) fn begin(path: &Path, parting: &Parting) -> anyhow::Result<Draft> {
        if path.symlink_metadata().is_ok() {
            return Err(not_made(path, &ErrorKind::AlreadyExists.into()));
        }
        let begin = draft_begin(path);
        sweep(folder(path), &begin);
        let file = parting
            .put_off(|last| {
                let named = tempfile::Builder::new()
                    .prefix(&begin)
                    .suffix(DRAFT_END)
                    .rand_bytes(CHANCE_CHARS)
                    .tempfile_in(folder(path))?;
                last.unfinished.push(named.path().to_owned());
                Ok(named)
            })
            .map_err(|error| not_made(path, &error))?;
        // Some disks know no locks, and there nobody sweeps.
        let _ = file.as_file().try_lock();
        // Without a `/` at the end, which no file's name has.
        Ok(Draft { file, path: path.components().collect() })
    }

    /// Writes what is to be in it, as long as nobody asks to stop.
    ///
    /// # Errors
    /// When it cannot be written, or somebody has asked.
    pub(super) fn fill(
        &mut self,
        is_stopped: &dyn Fn() -> bool,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = BufWriter::new(Heeding { out: self.file.as_file(), is_stopped });
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

/// Writes on, as long as nobody asks to stop.
pub(super) struct Heeding<'a, W> {
    pub(super) out: W,
    pub(super) is_stopped: &'a dyn Fn() -> bool,
}

impl<W> Heeding<'_, W> {
    fn heed(&self) -> io::Result<()> {
        // Not `ErrorKind::Interrupted`: whoever meets that tries again.
        if (self.is_stopped)() { Err(io::Error::other("somebody has asked to stop")) } else { Ok(()) }
    }
}

impl<W: Write> Write for Heeding<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heed()?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.heed()?;
        self.out.flush()
    }
}

/// How the names of drafts for a place begin.
fn draft_begin(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{}.", name.chars().take(STEM_CHARS_MAX).collect::<String>())
}

/// Removes what a process has left that was killed: drafts with such a name on which nobody holds a lock.
fn sweep(folder: &Path, begin: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let chance = name.to_str().and_then(|name| name.strip_prefix(begin)?.strip_suffix(DRAFT_END));
        let is_draft = chance.is_some_and(|chance| {
            chance.len() == CHANCE_CHARS && chance.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }) && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_draft && let Ok(file) = File::options().write(true).open(entry.path()) {
            // Held until it is gone.
            if file.try_lock().is_ok() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Makes sure that such new files can be made, and that each is another.
///
/// # Errors
/// When one of them is there already, nothing can be written there, or two are one.
pub(super) fn expect_new<'a>(paths: impl Iterator<Item = &'a Path>, parting: &Parting) -> anyhow::Result<()> {
    let mut places: Vec<PathBuf> = Vec::new();
    for path in paths {
        Draft::begin(path, parting)?;
        let place = place(path).map_err(|error| not_made(path, &error))?;
        if places.contains(&place) {
            let twice = format!("{} is named for two outputs: each is a file of its own", path.display());
            return Err(Usage(twice).into());
        }
        places.push(place);
    }
    Ok(())
}

/// Where a file is, or would be made: the same for all names of one file.
///
/// # Errors
/// When there is no folder to make it in.
pub(super) fn place(path: &Path) -> io::Result<PathBuf> {
    let would_be = |_| Ok(folder(path).canonicalize()?.join(path.file_name().unwrap_or_default()));
    path.canonicalize().or_else(would_be)
}

/// Puts all of them in their places, or none. `farewell` is what whoever leaves at once says from then on.
///
/// # Errors
/// When somebody has put something there meanwhile, or the disk refuses; those that were placed are removed again.
pub(super) fn place_all(drafts: Vec<Draft>, parting: &Parting, farewell: String) -> anyhow::Result<()> {
    parting.put_off(|last| {
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
        last.unfinished.clear();
        last.farewell = farewell;
        Ok(())
    })
}

/// Writes one new file by itself, whole or not at all. The signal that came meanwhile, if one did: then there is none.
///
/// # Errors
/// When something is in its place, or it cannot be written; or what `write` says.
pub(super) fn write_new(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<Option<u8>> {
    let (signals, _stops) = Signals::listen()?;
    let interrupted = format!("Interrupted; {} was not written.", path.display());
    signals.set_farewell(interrupted.clone());
    let waiting = signals.leave_if_stuck();
    let mut draft = Draft::begin(path, signals.parting())?;
    let filled = draft.fill(&|| signals.received().is_some(), |out| write(out).map_err(as_io));
    // From here on it is a matter of a moment.
    drop(waiting);
    if let Some(signal) = signals.received() {
        note(&interrupted);
        return Ok(Some(signal));
    }
    filled?;
    place_all(vec![draft], signals.parting(), format!("{} is written.", path.display()))?;
    Ok(None)
}

/// What the disk said, wherever it was heard.
fn as_io(error: anyhow::Error) -> io::Error {
    let error = match error.downcast::<io::Error>() {
        Ok(error) => return error,
        Err(error) => error,
    };
    let error = match error.downcast::<csv::Error>() {
        Ok(error) => error,
        Err(error) => return io::Error::other(error),
    };
    let story = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other(story),
    }
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
    use std::cell::Cell;

    use super::*;

    /// Nobody asks to stop.
    const ON: &dyn Fn() -> bool = &|| false;

    #[test]
    fn all_of_them_appear_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let parting = Parting::default();
        let names = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
        let drafts = || names.iter().map(|path| Draft::begin(path, &parting).unwrap()).collect::<Vec<_>>();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let place = |drafts| place_all(drafts, &parting, "all is there".to_owned());
        let mut begun = drafts();
        begun[0].fill(ON, |out| out.write_all(b"a")).unwrap();
        fs::write(&names[1], "somebody's").unwrap();
        let refused = place(begun).unwrap_err().to_string();
        assert!(refused.contains("b.csv is there already"), "{refused}");
        assert_eq!((files(), fs::read_to_string(&names[1]).unwrap().as_str()), (1, "somebody's"));
        fs::remove_file(&names[1]).unwrap();
        let mut begun = drafts();
        let failed = begun[1].fill(ON, |out| out.write_all(b"half").and(Err(ErrorKind::StorageFull.into())));
        assert!(failed.unwrap_err().to_string().contains("there is no room left"));
        drop(begun);
        assert_eq!(files(), 0);
        let begun = drafts();
        parting.put_off(|last| assert!(last.unfinished.iter().filter(|path| path.exists()).count() == 2));
        place(begun).unwrap();
        assert_eq!(files(), 2);
        parting.put_off(|last| {
            assert_eq!((last.unfinished.len(), last.farewell.as_str()), (0, "all is there"));
        });
    }

    #[test]
    fn whoever_is_asked_to_stop_writes_no_more_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut draft = Draft::begin(&path, &Parting::default()).unwrap();
        let (lines, is_stopped) = (Cell::new(0), Cell::new(false));
        let filled = draft.fill(&|| is_stopped.get(), |out| {
            for line in 0..100_000 {
                is_stopped.set(line >= 10);
                lines.set(line);
                out.write_all(&[b'x'; 100])?;
            }
            Ok(())
        });
        assert!(filled.unwrap_err().to_string().contains("asked to stop"));
        assert!(lines.get() < 1000, "it stops soon: {}", lines.get());
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // Also when all that is left to do is the end of it.
        let mut draft = Draft::begin(&path, &Parting::default()).unwrap();
        assert!(draft.fill(&|| true, |out| out.write_all(b"x")).is_err());
    }

    #[test]
    fn leftovers_go_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let underway = Draft::begin(&path, &Parting::default()).unwrap();
        let left = [".a.csv.aB3dE6.tenure", ".a.csv.abcdef.tenure"];
        let others = [
            ".a.csv.abcdefg.tenure",
            ".b.csv.abcdef.tenure",
            ".a.csv.abc-ef.tenure",
            ".tmpAbCdEf",
            "a.csv.tenure",
        ];
        for name in left.iter().chain(&others) {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        fs::create_dir(folder.path().join(".a.csv.folder.tenure")).unwrap();
        let next = Draft::begin(&path, &Parting::default()).unwrap();
        assert!(underway.file.path().exists() && next.file.path().exists());
        let is_there = |name: &&str| folder.path().join(name).exists();
        assert!(!left.iter().any(is_there) && others.iter().all(is_there));
        assert!(is_there(&".a.csv.folder.tenure"));
    }
}
