//! Zulip's exports of an organisation (a "realm"): the archive that a server makes, or the folder it unpacks to.
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod history;
mod realm;
mod routes;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use self::realm::{LOG, Realm, seconds};
use self::routes::Routes;
use super::export::Export;
use super::fact::Fact;
use super::gather::Gathered;
use super::json::{self, Number, Tables, Text};
use super::meter::{Meter, Seen};
use crate::input::{Problem, ProblemKind, Problems};

/// How a Zulip export is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take direct messages between two people, too.
    pub dms: bool,
}

/// Reads an export into what was gathered. What is wrong with one file is a problem, and the rest goes on.
///
/// # Errors
/// When it is no Zulip export.
pub fn read(
    export: &mut Export,
    reading: Reading,
    gathered: &mut Gathered,
    watch: &mut dyn FnMut(Seen<'_>),
) -> Result<Problems, Problems> {
    gathered.next_export();
    let mut problems = export.problems();
    let prefix = match root(export) {
        Ok(prefix) => prefix,
        Err(refused) => {
            problems.absorb(refused);
            return Err(problems);
        }
    };
    let path = format!("{prefix}realm.json");
    let mut realm = Realm::default();
    let trouble = json::file(export, &path, |reader| json::tables(reader, &mut realm));
    // What a file that was cut off has not told may be in the rest of it.
    let is_whole = trouble.is_empty();
    problems.absorb(trouble);
    let file = export.file_name(&path);
    if realm.streams.is_empty() {
        let message = match is_whole {
            true => "it has no channel (no rows in zerver_stream)",
            false => "what can be read of it has no channel (no rows in zerver_stream)",
        };
        let problem = Problem::new(&file, 0, ProblemKind::NoRows, message);
        problems
            .push(problem.help("is it the realm.json that a Zulip server exported, and all of it?").fatal());
        return Err(problems);
    }
    if realm.log.is_empty() && is_whole {
        let lacks = match realm.tables.contains(LOG) {
            true => format!("its audit log ({LOG}) has nothing about subscriptions"),
            false => format!("it has no audit log ({LOG})"),
        };
        let message = format!("{lacks}: nothing tells who joined or left, and when; all stints are guesses");
        let help = "export the organisation from a Zulip server; what other programs write in Zulip's form has no log";
        problems.push(Problem::new(&file, 0, ProblemKind::MissingValue, message).help(help));
    }
    let mut routes = Routes::tell(realm, reading.dms, gathered);
    let (paths, unfinished) = batches(export, &prefix);
    for path in unfinished {
        let message = "the export was interrupted before this file was done; its messages are left out";
        let problem = Problem::new(&export.file_name(&path), 0, ProblemKind::UnreadableFile, message);
        problems.push(problem.help("let the server export once more"));
    }
    let mut meter = Meter::new(export, watch);
    for path in paths {
        let mut batch = Batch { routes: &mut routes, gathered, meter: &mut meter };
        problems.absorb(json::file(export, &path, |reader| json::tables(reader, &mut batch)));
        meter.file(export);
    }
    Ok(problems)
}

/// The folder that the export is in: whoever unpacks and packs archives puts it deeper.
fn root(export: &Export) -> Result<String, Problems> {
    let depth = |prefix: &str| prefix.matches('/').count();
    let mut prefixes: Vec<&str> = export
        .paths()
        .filter_map(|path| path.strip_suffix("realm.json"))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('/'))
        .collect();
    prefixes.sort_by_key(|prefix| depth(prefix));
    let refused = |message: &str, help: &str| {
        let problem = Problem::new(export.name(), 0, ProblemKind::MissingFile, message);
        Problems::from(problem.help(help).fatal())
    };
    match prefixes.as_slice() {
        [] => Err(refused(
            "there is no realm.json in it, as in every export of Zulip",
            "give the export as Zulip made it, the .tar.gz or the unpacked folder",
        )),
        // What lies deeper was uploaded.
        [first, second, ..] if depth(first) == depth(second) => Err(refused(
            "it has several realm.json: the numbers of one organisation mean something else in another",
            "convert each organisation by itself",
        )),
        [first, ..] => Ok((*first).to_owned()),
    }
}

/// The files of messages; and those that an export has left unfinished.
fn batches(export: &Export, prefix: &str) -> (Vec<String>, Vec<String>) {
    let of_messages = |path: &String| {
        path.strip_prefix(prefix)
            .and_then(|name| name.strip_prefix("messages-"))
            .and_then(|name| name.strip_suffix(".json").or_else(|| name.strip_suffix(".json.partial")))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    export.paths_as_stored().into_iter().filter(of_messages).partition(|path| path.ends_with(".json"))
}

/// A file of messages.
struct Batch<'a, 'm> {
    routes: &'a mut Routes,
    gathered: &'a mut Gathered,
    meter: &'a mut Meter<'m>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageRow {
    sender: Number,
    recipient: Number,
    date_sent: Text,
}

impl Tables for Batch<'_, '_> {
    fn table<'de, D: Deserializer<'de>>(&mut self, name: &str, rows: D) -> Result<(), D::Error> {
        if name != "zerver_message" {
            return IgnoredAny::deserialize(rows).map(|_| ());
        }
        json::elements(rows, &mut |row: MessageRow| {
            self.meter.message();
            match (row.sender.0, row.recipient.0, seconds(&row.date_sent)) {
                (Some(sender), Some(recipient), Some(time)) => {
                    self.routes.message(sender, recipient, time, self.gathered);
                }
                _ => self.gathered.take(Fact::Ignored("messages without an author, a recipient or a time")),
            }
        })
    }
}

#[cfg(test)]
mod tests;
