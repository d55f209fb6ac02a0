//! Events that cannot be taken as they stand: how many a file has, and the first of them. Pure.

use std::sync::Arc;

use super::event::Event;
use crate::input::{Problem, ProblemKind, Problems, printable};
use crate::wording::many;

/// What is doubtful in one file.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Without a time, or with one that Chat would not take.
    undated: Found,
    /// Changes of membership that do not say what they changed to.
    unsaid: Found,
}

#[derive(Debug, Default)]
struct Found {
    events: u64,
    /// Those of them that are changes of membership.
    changes: u64,
    /// The first, as it is told.
    first: String,
}

impl Found {
    fn take(&mut self, room: &str, sender: &str, event: &Event) {
        if self.events == 0 {
            let [kind, id, time] =
                [&event.kind, &event.id, &event.time].map(|text| text.get().unwrap_or_default());
            let time = match event.time() {
                Some(time) => time.to_string(),
                None if time.is_empty() => "no time".to_owned(),
                None => format!("\"{}\"", printable(time)),
            };
            let id = if id.is_empty() { String::new() } else { format!("{}, ", printable(id)) };
            let [kind, sender, room] = [kind, sender, room].map(printable);
            self.first = format!("{id}{kind} by {sender} in {room}, {time}");
        }
        self.events += 1;
        self.changes += u64::from(event.kind.get() == Some("m.room.member"));
    }
}

impl Doubts {
    /// Takes an event without a time that can be.
    pub(super) fn undated(&mut self, room: &str, sender: &str, event: &Event) {
        self.undated.take(room, sender, event);
    }

    /// Takes a change of membership that does not say what it changed to.
    pub(super) fn unsaid(&mut self, room: &str, sender: &str, event: &Event) {
        self.unsaid.take(room, sender, event);
    }

    /// What there is to say of them.
    pub(super) fn problems(&self, file: &Arc<str>) -> Problems {
        let mut problems = Problems::new();
        let Found { events, changes, first } = &self.undated;
        if *events > 0 {
            let changes = match changes {
                0 => "no membership change".to_owned(),
                changes => many(*changes, "membership change"),
            };
            let message = format!(
                "left out for times before 2000, in the future or missing, of which Chat takes none: {}, {changes} among \
                 them; the first is {first}",
                many(*events, "event")
            );
            problems.push(Problem::new(file, 0, ProblemKind::BadTime, message).help(
                "the clock of the sender's server was wrong: where you know the true time, set origin_server_ts in a copy \
                 of the file and convert that; otherwise look at these members' rows, whose missing ends are inferred",
            ));
        }
        let Found { events, first, .. } = &self.unsaid;
        if *events > 0 {
            let message = format!(
                "left out for not saying what changed, because their content was deleted: {}; the first is {first}",
                many(*events, "membership change")
            );
            problems.push(Problem::new(file, 0, ProblemKind::MissingValue, message).help(
                "a server that deletes what an event says keeps its membership: take the export from the room's own \
                 server, or look at these members' rows, whose missing ends are inferred",
            ));
        }
        problems
    }
}
