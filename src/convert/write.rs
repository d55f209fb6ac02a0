//! What a conversion writes: memberships as JSON lines, channels and people without an address as CSV.

use std::io::{self, Write};

use serde::Serialize;

use super::gather::Gathered;
use super::outcome::{Converted, Space};
use crate::input::{CHANNEL_COLUMNS, disarmed};

/// Characters of a space's description, at most (API reference, `spaceDetails.description`).
const DESCRIPTION_CHARS_MAX: usize = 150;

/// The columns of the list of people without an address: `--users` reads it once `member` is filled in.
const MISSING_COLUMNS: [&str; 4] = ["id", "member", "name", "stints"];

/// A line of memberships: the columns of the contract, and those that tell where it comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    space: &'a str,
    member: &'a str,
    create_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_time: Option<String>,
    create_evidence: &'static str,
    delete_evidence: &'static str,
    member_kind: &'static str,
    legacy_member: &'a str,
    legacy_space: &'a str,
}

/// Writes all rows, as JSON lines.
///
/// # Errors
/// When they cannot be written.
pub fn write_memberships(out: &mut dyn Write, converted: &Converted, gathered: &Gathered) -> io::Result<()> {
    for space in &converted.spaces {
        for row in &space.rows {
            let line = Line {
                space: &space.name,
                member: row.member.as_str(),
                create_time: row.stint.start.to_string(),
                delete_time: row.stint.end.map(|end| end.to_string()),
                create_evidence: row.stint.start_from.as_str(),
                delete_evidence: row.stint.end_from.as_str(),
                member_kind: row.standing.as_str(),
                legacy_member: &gathered.people[row.person as usize].fact.id,
                legacy_space: &space.fact.id,
            };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}

/// Writes the list of channels that `spaces create` reads.
///
/// # Errors
/// When it cannot be written.
pub fn write_channels(out: &mut dyn Write, converted: &Converted) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(CHANNEL_COLUMNS)?;
    for space in &converted.spaces {
        csv.write_record(channel(space).map(|cell| disarmed(&cell)))?;
    }
    csv.flush()
}

fn channel(space: &Space) -> [String; 6] {
    let short: String = space.fact.description.chars().take(DESCRIPTION_CHARS_MAX).collect();
    [
        space.name.clone(),
        space.title.clone(),
        if space.fact.fixed { "GROUP_CHAT" } else { "SPACE" }.to_owned(),
        space.begun.to_string(),
        if space.fact.fixed { String::new() } else { short },
        space.external.to_string(),
    ]
}

/// Writes who has no address, with an empty column for it.
///
/// # Errors
/// When it cannot be written.
pub fn write_missing(out: &mut dyn Write, converted: &Converted) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(MISSING_COLUMNS)?;
    for person in &converted.nameless {
        let stints = person.stints.to_string();
        csv.write_record([&*disarmed(&person.id), "", &*disarmed(&person.name), &stints])?;
    }
    csv.flush()
}
