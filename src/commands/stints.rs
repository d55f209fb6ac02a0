//! What is typed about stints and bridges, held against what the journal keeps to.

use std::path::Path;

use super::Usage;
use crate::chat::Access;
use crate::cli::{StintArgs, StintsMode};
use crate::doctor::Findings;
use crate::journal::{Journal, JournalError};
use crate::model::{Policy, Stints};
use crate::settings::Settings;
use crate::wording::{many, quoted};

/// What a new journal is to make of its history.
///
/// # Errors
/// Outside import mode, where there is no history.
pub(super) fn policy(args: StintArgs, settings: &Settings) -> Result<Policy, Usage> {
    let policy =
        Policy { stints: args.stints.map(Stints::from).unwrap_or_default(), bridges: args.bridge_current };
    if settings.access != Access::Import && policy.makes_parts() {
        let option = if policy.bridges { "--bridge-current" } else { "--stints merge" };
        return Err(Usage(format!(
            "{option} is about history, and spaces that are not in import mode take none: leave it away, or leave \
             --standard-spaces, --admin-access and --as-app away"
        )));
    }
    Ok(policy)
}

/// What a journal that is there makes of it: stints as ever, and bridges from when they are first asked for.
///
/// # Errors
/// When it was begun otherwise.
pub(super) fn kept(journal: &Journal, args: StintArgs, path: &Path) -> anyhow::Result<Policy> {
    let policy = journal.policy().map_err(|error: JournalError| error.at(path))?;
    expect(policy, args.stints, path)?;
    Ok(Policy { bridges: policy.bridges || args.bridge_current, ..policy })
}

/// Refuses what is typed about stints when the journal keeps to something else.
///
/// # Errors
/// Then.
pub(super) fn expect(policy: Policy, typed: Option<StintsMode>, path: &Path) -> Result<(), Usage> {
    match typed.map(Stints::from) {
        Some(typed) if typed != policy.stints => Err(Usage(format!(
            "{}: its rows were journaled with --stints {}, and a journal keeps to that: leave --stints {typed} away to go \
             on with it, or begin anew with another --journal FILE{}",
            path.display(),
            policy.stints,
            if policy.stints == Stints::Merge {
                String::new()
            } else {
                format!(
                    " (what this one has created is deleted by: tenure rollback {})",
                    quoted(&path.display().to_string())
                )
            }
        ))),
        _ => Ok(()),
    }
}

/// What becomes of members with several stints, where nothing is in doubt for what was `probed`, or nothing was; `rows` are
/// behind the first.
pub(super) fn undoubted(members: u64, rows: u64, probed: Option<&Findings>) -> Option<String> {
    if members == 0 {
        return None;
    }
    let who = if members == 1 { "member has" } else { "members have" };
    let becomes = match probed {
        Some(findings) => format!("{} keeps them (probed {})", findings.endpoint, findings.probed_at),
        None => "Google does not say whether Chat keeps them: `tenure doctor --probe` finds out, and --stints merge sends \
                 one membership for them all"
            .to_owned(),
    };
    Some(format!(
        "{members} {who} several stints in one space ({} behind the first). {becomes}",
        many(rows, "row")
    ))
}

/// What becomes of members with several stints when these are merged; so many `rows` into others.
pub(super) fn merged(members: u64, rows: u64) -> Option<String> {
    if members == 0 {
        return None;
    }
    let who = if members == 1 { "member has" } else { "members have" };
    Some(format!(
        "{members} {who} several stints in one space: one membership is sent for them all, from the earliest start to the \
         latest end ({} merged into others)",
        many(rows, "row")
    ))
}
