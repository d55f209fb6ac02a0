//! Keeping in the journal how it came out, for `report` and `status`, and which spaces lack rows, for `complete`.

use std::path::Path;

use crate::journal::{Journal, JournalError, Lock, Verified};
use crate::model::SpaceName;

/// Writes down which of the spaces that were seen lack how many rows, and how a look at all of them came out.
///
/// # Errors
/// When a run works with the journal, or when it cannot be written.
pub(super) fn keep(
    path: &Path,
    missing: &[(SpaceName, u64)],
    found: Option<&Verified>,
) -> Result<(), JournalError> {
    let lock = Lock::take(path)?;
    let mut journal = Journal::open(path)?;
    journal.keep_missing(missing)?;
    if let Some(found) = found {
        journal.keep_verified(found)?;
    }
    journal.close()?;
    drop(lock);
    Ok(())
}

/// What to say when it could not be written down, which changes nothing of what was found.
pub(super) fn not_kept(error: &JournalError) -> String {
    let why = match error {
        JournalError::Locked { .. } => {
            "a run is working with the journal; verify again when it has ended".to_owned()
        }
        error => error.to_string(),
    };
    format!("how this came out is not kept for `tenure report`, `tenure status` and `tenure complete`: {why}")
}
