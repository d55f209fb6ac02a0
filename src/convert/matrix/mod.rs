//! Matrix: Element's export of a room, Synapse's export of a person's data, and events as servers give them.
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod doubts;
mod event;
mod files;
mod people;
mod rooms;
mod tell;

use std::sync::Arc;

use serde::de::DeserializeSeed as _;

use self::files::{Piece, Place, Value, sources};
pub use self::rooms::Rooms;
use super::export::Export;
use super::{Seen, json};
use crate::input::{Problem, ProblemKind, Problems};

/// How exports of Matrix become facts.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Take direct messages between two people, too.
    pub dms: bool,
    /// Servers on which the ids of people are their addresses, `@eva:old.example` for `eva@old.example`.
    pub homes: Vec<String>,
}

/// Events between two calls that tell how far it is.
const EVENTS_BETWEEN: u64 = 4096;

/// Reads an export; what it says is told once all are read, since what one has of a room may end where another goes on.
/// What is wrong with one file is a problem, and the rest goes on.
///
/// # Errors
/// When it has no events of rooms.
pub fn read(
    export: &mut Export,
    rooms: &mut Rooms,
    watch: &mut dyn FnMut(Seen<'_>),
) -> Result<Problems, Problems> {
    let mut problems = export.problems();
    let name = Arc::clone(export.name());
    let bytes_total = export.bytes_total();
    let before = rooms.events();
    let sources = sources(&export.paths().collect::<Vec<_>>());
    for source in sources {
        let file = export.file_name(&source.path);
        let bytes = export.bytes_read();
        rooms.begin(source.room.as_deref(), source.snapshot);
        let mut take = |piece: Piece<'_>| {
            rooms.take(piece);
            let messages = rooms.events().0 - before.0;
            if messages.is_multiple_of(EVENTS_BETWEEN) {
                watch(Seen { export: &name, bytes, bytes_total, messages });
            }
        };
        let read = export.read(&source.path, |reader| {
            json::documents(reader, |parser| {
                Value { take: &mut take, room: None, place: Place::Any }.deserialize(parser)
            })
        });
        let doubts = rooms.end();
        problems.absorb(json::trouble(&file, read));
        problems.absorb(doubts.problems(&file));
        let messages = rooms.events().0 - before.0;
        watch(Seen { export: &name, bytes: export.bytes_read(), bytes_total, messages });
    }
    let (events, of_rooms) = rooms.events();
    if of_rooms > before.1 {
        return Ok(problems);
    }
    problems.push(no_rooms(&name, events > before.0));
    Err(problems)
}

fn no_rooms(export: &Arc<str>, has_events: bool) -> Problem {
    let (message, help) = if has_events {
        (
            "none of its events says of which room it is",
            "give Synapse's export as the folder it is (rooms/<room>/events), or events with their room_id",
        )
    } else {
        (
            "there are no events of Matrix in it",
            "give what Element exports as JSON, the folder of Synapse's export-data, or events as JSON",
        )
    };
    Problem::new(export, 0, ProblemKind::NoRows, message).help(help).fatal()
}

#[cfg(test)]
mod tests;
