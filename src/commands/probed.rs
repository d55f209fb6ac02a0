//! What a probe has found out, where rows are about to be sent or checked.

use std::path::Path;

use crate::doctor::{FINDINGS_FILE, Findings};
use crate::journal::JournalError;

/// What the operator should know of rows, by what a probe of their target (of any, where none is named)
/// has found out; `several` counts members with several stints and those behind the first. `None` where no probe was made or nothing is in doubt.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn doubts(
    target: Option<&str>,
    several: impl FnOnce() -> Result<(u64, u64), JournalError>,
) -> Result<Option<String>, JournalError> {
    let findings = match Findings::read(Path::new(FINDINGS_FILE)) {
        Ok(Some(findings)) if target.is_none_or(|target| findings.endpoint == target) => findings,
        Ok(_) => return Ok(None),
        // Nothing depends on it.
        Err(error) => return Ok(Some(error.to_string())),
    };
    if findings.on_stints(1, 1).is_none() {
        return Ok(None);
    }
    let (members, rows) = several()?;
    Ok(findings.on_stints(members, rows))
}
