//! Rows that are made of several lines, taken apart again; and how many lines that are.

use std::time::Duration;

use rusqlite::Connection;

use super::Outlook;
use crate::journal::JournalError;
use crate::journal::incoming::Times;
use crate::journal::judge::{Fate, Stint};
use crate::journal::number::Numbers;
use crate::journal::stints::Held;
use crate::model::{Origin, Policy, Role, RowId, State, Timestamp};

/// How long before the present the history of those who are still members ends: Chat takes no `deleteTime` to come, and
/// clocks differ. Other migrators do the same.
const BRIDGE_ENDS_BEFORE: Duration = Duration::from_secs(5);

/// Until when open rows get their history, if they do.
pub(super) fn bridges_until(policy: Policy, is_completed: bool, now: Timestamp) -> Option<i64> {
    // A space that is completed takes no history any more.
    (policy.bridges && !is_completed).then(|| bridges_end(now))
}

/// When such a history ends.
pub(super) fn bridges_end(now: Timestamp) -> i64 {
    let before = i64::try_from(BRIDGE_ENDS_BEFORE.as_micros()).unwrap_or_default();
    now.as_micros().saturating_sub(before)
}

/// The lines that a member's rows are made of in place of the rows; and the rows.
pub(super) fn apart(
    conn: &Connection,
    numbers: Numbers,
    mut rows: Vec<Stint>,
) -> Result<(Vec<Stint>, Vec<Held>), JournalError> {
    let mut statement = conn.prepare_cached(
        "SELECT row, create_time, delete_time, until, role, source, line, given FROM parts
          WHERE row BETWEEN ?1 AND ?2 ORDER BY row, part",
    )?;
    let mut parts = statement.query((numbers.first, numbers.last))?;
    let mut lines = Vec::new();
    while let Some(part) = parts.next()? {
        let time = |column| part.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
        let row = RowId(part.get(0)?);
        let state = rows.iter().find(|stint| stint.row == Some(row)).map(|stint| stint.state);
        let state = state.ok_or_else(|| JournalError::Content(format!("a part of no row ({row})")))?;
        let until = time(3)?;
        let role: Option<String> = part.get(4)?;
        lines.push(Stint {
            times: Times::of(time(1)?, until.or(time(2)?)),
            origin: Origin { source: part.get(5)?, line: part.get::<_, i64>(6)?.cast_unsigned() },
            role: role.and_then(|role| role.parse::<Role>().ok()),
            state,
            fate: Fate::Unmet,
            row: Some(row),
            given: part.get::<_, Option<String>>(7)?.map(String::into),
            refusal: None,
            arrival: (false, row.0.cast_unsigned()),
            bridge: until.is_some(),
            met: None,
            parts: Vec::new(),
        });
    }
    let has_parts = |row: &Stint| lines.iter().any(|line| line.row == row.row);
    let held = rows
        .iter()
        .filter_map(|stint| {
            let (times, state, role) = (stint.times, stint.state, stint.role);
            Some(Held { row: stint.row?, times, state, role, has_parts: has_parts(stint) })
        })
        .collect();
    rows.retain(|row| !has_parts(row));
    rows.append(&mut lines);
    Ok((rows, held))
}

/// How many of these lines went into another's row, and how many are bridges.
pub(super) fn count_apart(lines: &[Stint]) -> (i64, i64) {
    let mut rows: Vec<_> = lines.iter().map(|line| line.row).collect();
    rows.sort_unstable();
    rows.dedup();
    let bridges = lines.iter().filter(|line| line.bridge).count();
    (lines.len() as i64 - rows.len() as i64, bridges as i64)
}

/// Counts the lines of the rows that a member has now.
pub(super) fn count(rows: &[Stint], before: (i64, i64), outlook: &mut Outlook) {
    let rows = || rows.iter().filter(|row| row.fate != Fate::Superseded && !row.parts.is_empty());
    let merged: usize = rows().map(|row| row.parts.len() - 1).sum();
    let bridged = rows().flat_map(|row| &row.parts).filter(|part| part.bridge).count();
    outlook.merged_more += merged as i64 - before.0;
    outlook.bridged_more += bridged as i64 - before.1;
    outlook.merged_members +=
        u64::from(rows().any(|row| row.parts.len() > 1 && row.state != State::Rejected));
}
