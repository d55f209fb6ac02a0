//! The files of an export of Matrix: which to read, and how events lie in them. Nothing but one event is held at a time.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::event::{Content, Event};
use crate::convert::json::{Object, Text};

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) path: String,
    /// The room that its folder names: events of newer room versions do not all do it themselves.
    pub(super) room: Option<String>,
    /// Whether it has the state of a room at some time, and not what happened in it.
    pub(super) snapshot: bool,
}

/// The files to read among those of an export.
///
/// - Synapse: `rooms/<room>/events`, and `rooms/<room>/state/<event>` where its history has a gap. What is beside them is
///   of rooms that somebody was only invited to. `user_data/account_data/global` tells which rooms are direct messages.
/// - Element: `export.json`; whatever lies around it are attachments.
/// - Else everything that is JSON by its name, or a file alone, whatever its name.
pub(super) fn sources(paths: &[&str]) -> Vec<Source> {
    // The folders of Element's exports.
    let with_export: Vec<&str> = paths
        .iter()
        .filter_map(|path| match path.rsplit_once('/').unwrap_or(("", path)) {
            (folder, "export.json") => Some(folder),
            _ => None,
        })
        .collect();
    let alone = paths.len() == 1;
    let is_below = |path: &str, folder: &str| {
        folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    paths
        .iter()
        .filter_map(|&path| {
            let source = |room: Option<&str>, snapshot| {
                Some(Source { path: path.to_owned(), room: room.map(str::to_owned), snapshot })
            };
            if let Some((room, rest)) = in_room(path) {
                return match rest {
                    "events" => source(Some(room), false),
                    rest if rest.starts_with("state/") => source(Some(room), true),
                    _ => None,
                };
            }
            if with_export.iter().any(|folder| is_below(path, folder)) {
                return match path.rsplit('/').next() {
                    Some("export.json") => source(None, false),
                    _ => None,
                };
            }
            let is_json = path.ends_with("account_data/global")
                || [".json", ".jsonl", ".ndjson"].iter().any(|end| path.ends_with(end));
            if is_json || alone { source(None, false) } else { None }
        })
        .collect()
}

/// The room of a path `…/rooms/<room>/<rest>`, and that rest.
fn in_room(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("rooms/").or_else(|| path.split_once("/rooms/").map(|(_, rest)| rest))?;
    rest.split_once('/').filter(|(room, _)| room.starts_with('!'))
}

/// What is in a file, piece by piece.
pub(super) enum Piece<'p> {
    /// A list of events begins: they are in the order in which they happened, or in the opposite one.
    List,
    /// An event, and the room that what is around it names.
    Event(&'p mut Event, Option<&'p str>),
    /// What somebody is called: their id, and their name.
    Called(&'p str, &'p str),
    /// Rooms that somebody takes for direct messages.
    Direct(Vec<String>),
    /// What stands above the events.
    Heading(Heading, String),
    /// Something that is no event.
    Strange,
}

/// What Element writes above the events of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    /// What the room is called.
    Name,
    /// What its creator is called.
    Creator,
    /// What it is about.
    Topic,
}

/// The value of a file or a part of it.
pub(super) struct Value<'a> {
    pub(super) take: &'a mut dyn FnMut(Piece<'_>),
    pub(super) room: Option<&'a str>,
    pub(super) place: Place,
}

/// What a part of a file is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// An event, a list, or an answer of a server with lists in it.
    Any,
    /// Rooms by where one stands to them, in an answer of `/sync`.
    Standings,
    /// What there is of rooms, by their ids.
    Rooms,
    /// Profiles, by the ids of people, in an answer of `/joined_members`.
    People,
}

impl Value<'_> {
    /// A part of it.
    fn part(&mut self, place: Place) -> Value<'_> {
        Value { take: &mut *self.take, room: self.room, place }
    }
}

/// The names that matter, in events and around them.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    // Of events.
    Type,
    Sender,
    StateKey,
    RoomId,
    EventId,
    OriginServerTs,
    Depth,
    Content,
    Unsigned,
    PrevContent,
    Membership,
    // Of Element's exports.
    Messages,
    RoomName,
    RoomCreator,
    Topic,
    // Of answers: /messages, /context, /sync, /joined_members, and of servers to one another.
    Chunk,
    State,
    Events,
    EventsBefore,
    Event,
    EventsAfter,
    Timeline,
    AccountData,
    Rooms,
    Joined,
    Pdus,
    #[serde(rename = "m.direct")]
    Direct,
    #[serde(other)]
    Other,
}

/// Somebody in an answer of `/joined_members`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Profile {
    display_name: Text,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, or a list of events")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        (self.take)(Piece::Strange);
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        (self.take)(Piece::Strange);
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        (self.take)(Piece::Strange);
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        (self.take)(Piece::Strange);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        (self.take)(Piece::Strange);
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        (self.take)(Piece::List);
        while elements.next_element_seed(self.part(Place::Any))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        match self.place {
            Place::Any => self.object(entries),
            Place::Standings => {
                while let Some(standing) = entries.next_key::<String>()? {
                    match standing.as_str() {
                        "join" | "leave" => entries.next_value_seed(self.part(Place::Rooms))?,
                        // Of rooms that one is invited to, a server shows only what there is to see from outside.
                        _ => {
                            entries.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(())
            }
            Place::Rooms => {
                while let Some(id) = entries.next_key::<String>()? {
                    let take = &mut *self.take;
                    entries.next_value_seed(Value { take, room: Some(&id), place: Place::Any })?;
                }
                Ok(())
            }
            Place::People => {
                while let Some(id) = entries.next_key::<String>()? {
                    let Object(profile) = entries.next_value::<Object<Profile>>()?;
                    if let Some(name) = profile.display_name.get() {
                        (self.take)(Piece::Called(&id, name));
                    }
                }
                Ok(())
            }
        }
    }
}

impl Value<'_> {
    fn object<'de, A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let mut event = Event::default();
        let mut is_event = false;
        while let Some(name) = entries.next_key()? {
            match name {
                Field::Type => {
                    event.kind = entries.next_value()?;
                    is_event = true;
                }
                Field::Sender => event.sender = entries.next_value()?,
                Field::StateKey => event.state_key = entries.next_value()?,
                Field::RoomId => event.room = entries.next_value()?,
                Field::EventId => event.id = entries.next_value()?,
                Field::OriginServerTs => event.time = entries.next_value()?,
                Field::Depth => event.depth = entries.next_value()?,
                Field::Content => event.content = entries.next_value::<Object<_>>()?.0,
                Field::Unsigned => event.unsigned = entries.next_value::<Object<_>>()?.0,
                Field::PrevContent => event.prev_content = Some(entries.next_value::<Object<_>>()?.0),
                Field::Membership => event.membership = entries.next_value()?,
                Field::RoomName => self.head(Heading::Name, entries.next_value()?),
                Field::RoomCreator => self.head(Heading::Creator, entries.next_value()?),
                Field::Topic => self.head(Heading::Topic, entries.next_value()?),
                Field::Messages
                | Field::Chunk
                | Field::State
                | Field::Events
                | Field::EventsBefore
                | Field::Event
                | Field::EventsAfter
                | Field::Timeline
                | Field::AccountData
                | Field::Pdus => entries.next_value_seed(self.part(Place::Any))?,
                Field::Rooms => entries.next_value_seed(self.part(Place::Standings))?,
                Field::Joined => entries.next_value_seed(self.part(Place::People))?,
                Field::Direct => {
                    let Object(content) = entries.next_value::<Object<Content>>()?;
                    (self.take)(Piece::Direct(content.direct));
                }
                Field::Other => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_event {
            (self.take)(Piece::Event(&mut event, self.room));
        }
        Ok(())
    }

    fn head(&mut self, heading: Heading, mut text: Text) {
        if let Some(text) = text.take() {
            (self.take)(Piece::Heading(heading, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&str]) -> Vec<String> {
        sources(paths).into_iter().map(|source| source.path).collect()
    }

    #[test]
    fn which_files_are_read() {
        assert_eq!(read(&["whatever"]), ["whatever"]);
        assert_eq!(read(&["a.json", "b.jsonl", "c.txt"]), ["a.json", "b.jsonl"]);
        assert_eq!(read(&["export.json", "files/list.json"]), ["export.json"]);
        assert_eq!(
            read(&["x/export.json", "x/list.json", "xy/list.json"]),
            ["x/export.json", "xy/list.json"]
        );
        let room = "rooms/!a:b/";
        let of_room = [format!("{room}events"), format!("{room}invite_state"), format!("{room}state/$1")];
        let paths: Vec<&str> = of_room.iter().map(String::as_str).collect();
        let found = sources(&paths);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].room.as_deref(), found[0].snapshot), (Some("!a:b"), false));
        assert_eq!((found[1].room.as_deref(), found[1].snapshot), (Some("!a:b"), true));
        assert_eq!(in_room("export/rooms/!a:b/events"), Some(("!a:b", "events")));
        assert_eq!(in_room("rooms/a/events"), None);
    }
}
