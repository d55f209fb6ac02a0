//! Other journals in the folder of one: what they know of its spaces. A migration has several, one for its channels and one
//! for each of its imports.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::journal::{Journal, JournalError};

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

/// The other journals of the folder, in the order of their names. Files of other programs are not opened as databases: that
/// can leave files beside them.
fn journals(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut others: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|other| other.file_name() != path.file_name() && Journal::is_at(other))
        .collect();
    others.sort();
    others.truncate(NEIGHBOURS_MAX);
    others
}
