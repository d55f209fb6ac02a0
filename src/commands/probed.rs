//! What a probe has found out, where rows are about to be sent or checked.

use std::path::Path;

use super::stints;
use crate::doctor::{FINDINGS_FILE, Findings};
use crate::intake::Intake;
use crate::journal::{JournalError, Outlook};
use crate::model::{Policy, Stints};

/// What the operator should know of rows, by what a probe of their target (of any, where none is named)
/// has found out; `several` counts members with several stints and those behind the first. `None` where no probe was made
/// or nothing is in doubt.
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

/// What the operator should know before anything is journaled: how many members are concerned, and what a probe has found
/// out, if one was made.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn beforehand(
    target: Option<&str>,
    policy: Policy,
    intake: &Intake,
    outlook: &Outlook,
    several: impl FnOnce() -> Result<(u64, u64), JournalError>,
) -> Result<Option<String>, JournalError> {
    let (members, rows) = several()?;
    if policy.stints == Stints::Merge {
        let merged = (outlook.merged_members, outlook.merged_more.max(0).cast_unsigned());
        return Ok(stints::merged(merged.0, merged.1));
    }
    if let Some(doubts) = doubts(target, || Ok((members, rows)))? {
        return Ok(Some(doubts));
    }
    if !intake.problems.is_empty() {
        // They come first.
        return Ok(None);
    }
    // Nothing is in doubt, or nobody has looked.
    let findings = Findings::read(Path::new(FINDINGS_FILE)).ok().flatten();
    let probed = findings.filter(|findings| target.is_none_or(|target| findings.endpoint == target));
    Ok(stints::undoubted(members, rows, probed.as_ref()))
}
