//! Other journals in the folder of one: what they know of its spaces. A migration has several, one for its channels and one
//! for each of its imports.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::journal::{Journal, JournalError};
use crate::model::Undertaking;
use crate::settings::TARGET_EMULATOR;

/// Journals that are looked at, at most.
const NEIGHBOURS_MAX: usize = 64;

/// The spaces (`spaces/AAAA`) that journals beside this one have completed, or know to be, in the same place.
pub(super) fn completed(path: &Path, target: &str) -> HashSet<String> {
    let of_one = |path: &PathBuf| -> Result<Vec<String>, JournalError> {
        let journal = Journal::open_read_only(path)?;
        if journal.target()? != target {
            return Ok(Vec::new());
        }
        let ages = journal.space_ages()?.into_iter().filter(|age| age.completed);
        Ok(ages.map(|age| age.space.to_string()).collect())
    };
    // What cannot be read says nothing; its own commands say why it cannot.
    journals(path).iter().filter_map(|path| of_one(path).ok()).flatten().collect()
}

/// The journals beside this one that still have rows to settle in some of these spaces (`spaces/AAAA`), each with how many
/// such spaces there are.
pub(super) fn waiting<'a>(
    path: &Path,
    target: &str,
    spaces: impl Iterator<Item = &'a str>,
) -> Vec<(PathBuf, u64)> {
    // Each rehearsal has a Chat of its own.
    if target == TARGET_EMULATOR {
        return Vec::new();
    }
    let spaces: HashSet<&str> = spaces.collect();
    let of_one = |path: &PathBuf| -> Result<u64, JournalError> {
        let journal = Journal::open_read_only(path)?;
        if journal.target()? != target || journal.undertaking()? != Undertaking::Import {
            return Ok(0);
        }
        let waiting = journal.unsettled_spaces()?;
        Ok(waiting.iter().filter(|space| spaces.contains(space.as_str())).count() as u64)
    };
    let found = journals(path).into_iter().map(|path| (of_one(&path).unwrap_or(0), path));
    found.filter(|(count, _)| *count > 0).map(|(count, path)| (path, count)).collect()
}

/// The other journals of the folder, in the order of their names. Files of other programs are not opened as databases: that
/// can leave files beside them.
fn journals(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut others: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        // As somebody would type it.
        .map(|other| other.strip_prefix("./").map(Path::to_owned).unwrap_or(other))
        .filter(|other| other.file_name() != path.file_name() && Journal::is_at(other))
        .collect();
    others.sort_unstable();
    others.truncate(NEIGHBOURS_MAX);
    others
}
