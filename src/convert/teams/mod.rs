//! Microsoft Teams: answers of Microsoft Graph in files, and what the tool TeamsDataExport makes.
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod answers;
mod ids;
mod organisation;
mod reader;
mod standard;
mod thing;

use self::reader::Reader;
use super::export::Export;
use super::gather::Gathered;
use super::json;
use super::meter::{Meter, Seen};
use crate::input::{Problem, ProblemKind, Problems};

/// How Teams' messages are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take chats of two people, too.
    pub dms: bool,
    /// Take the chats of meetings, too.
    pub meetings: bool,
}

/// Reads an export into what was gathered. What is wrong with one file is a problem, and the rest goes on.
///
/// # Errors
/// When there is nothing of Teams in it.
pub fn read(
    export: &mut Export,
    reading: Reading,
    gathered: &mut Gathered,
    watch: &mut dyn FnMut(Seen<'_>),
) -> Result<Problems, Problems> {
    gathered.next_export();
    let mut problems = export.problems();
    let mut meter = Meter::new(export, watch);
    let mut reader = Reader::new(reading);
    for path in export.paths_as_stored() {
        if !ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            continue;
        }
        let team = ids::team_of_path(&path);
        let trouble = json::file(export, &path, |file| {
            answers::each(file, &mut |context, thing| {
                meter.message();
                reader.thing(context, team.as_deref(), thing, gathered);
            })
        });
        problems.absorb(trouble);
        meter.file(export);
    }
    if reader.organisation.is_empty() {
        let message = "there is no message, channel or chat of Teams in it";
        let problem = Problem::new(export.name(), 0, ProblemKind::NoRows, message);
        let help = "give a folder of Microsoft Graph's answers, as they came, in files that end in .json or .jsonl; \
                    docs/converting.md says which";
        problems.push(problem.help(help).fatal());
        return Err(problems);
    }
    problems.absorb(reader.complaints(export.name()));
    reader.organisation.tell(gathered);
    Ok(problems)
}

/// What the names of files of answers end in.
const ENDINGS: [&str; 3] = [".json", ".jsonl", ".ndjson"];

#[cfg(test)]
mod tests;
