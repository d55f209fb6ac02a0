//! An event of Matrix, as far as it matters: as clients get it, or as servers keep it (a PDU, which has a depth, and in newer
//! room versions no id of its own).

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};

use crate::convert::json::{Flag, Object, Text, Texts};
use crate::model::Timestamp;

/// An event.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) kind: Text,
    pub(super) sender: Text,
    /// Of state events; empty is something else than none.
    pub(super) state_key: Text,
    pub(super) room: Text,
    pub(super) id: Text,
    /// Milliseconds, by the clock of the sender's server.
    pub(super) time: Text,
    pub(super) depth: Text,
    pub(super) content: Content,
    pub(super) unsigned: Unsigned,
    /// Where older servers put these two.
    pub(super) prev_content: Option<Content>,
    pub(super) membership: Text,
}

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) membership: Text,
    pub(super) is_direct: Flag,
    pub(super) displayname: Text,
    pub(super) name: Text,
    pub(super) alias: Text,
    pub(super) topic: Text,
    /// What kind of room it is, on creation.
    pub(super) room_type: Text,
    /// The rooms that are listed under people: those of `m.direct`.
    pub(super) direct: Vec<String>,
}

/// What a server has added to an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unsigned {
    prev_content: Option<Object<Content>>,
    replaces_state: Text,
}

impl Event {
    /// When it was sent, by the clock of its sender's server.
    pub(super) fn time(&self) -> Option<Timestamp> {
        Timestamp::parse_epoch_ms(self.time.get()?).ok()
    }

    /// How far from the room's creation it is.
    pub(super) fn depth(&self) -> Option<i64> {
        self.depth.get()?.parse().ok()
    }

    /// The membership that it replaces, where that is told. `unsigned.membership` is none of it: that is of whoever asked
    /// for the event.
    pub(super) fn membership_before(&self) -> Option<Membership> {
        let content =
            self.unsigned.prev_content.as_ref().map(|content| &content.0).or(self.prev_content.as_ref())?;
        Membership::of(content.membership.get()?)
    }

    /// Whether it is told that it replaces something.
    pub(super) fn replaces(&self) -> bool {
        self.unsigned.replaces_state.get().is_some()
    }
}

/// Where somebody stands to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Membership {
    Join,
    Invite,
    Knock,
    Leave,
    Ban,
}

impl Membership {
    pub(super) fn of(text: &str) -> Option<Self> {
        match text {
            "join" => Some(Membership::Join),
            "invite" => Some(Membership::Invite),
            "knock" => Some(Membership::Knock),
            "leave" => Some(Membership::Leave),
            "ban" => Some(Membership::Ban),
            _ => None,
        }
    }
}

/// The names in an event's content that matter.
enum Field {
    Membership,
    IsDirect,
    Displayname,
    Name,
    Alias,
    Topic,
    Type,
    Person,
    Other,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl Visitor<'_> for Fields {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "membership" => Field::Membership,
                    "is_direct" => Field::IsDirect,
                    "displayname" => Field::Displayname,
                    "name" => Field::Name,
                    "alias" => Field::Alias,
                    "topic" => Field::Topic,
                    "type" => Field::Type,
                    name if name.starts_with('@') => Field::Person,
                    _ => Field::Other,
                })
            }
        }
        from.deserialize_identifier(Fields)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
                let mut content = Content::default();
                while let Some(name) = entries.next_key()? {
                    match name {
                        Field::Membership => content.membership = entries.next_value()?,
                        Field::IsDirect => content.is_direct = entries.next_value()?,
                        Field::Displayname => content.displayname = entries.next_value()?,
                        Field::Name => content.name = entries.next_value()?,
                        Field::Alias => content.alias = entries.next_value()?,
                        Field::Topic => content.topic = entries.next_value()?,
                        Field::Type => content.room_type = entries.next_value()?,
                        Field::Person => {
                            let rooms: Texts = entries.next_value()?;
                            content.direct.extend(rooms.0.unwrap_or_default());
                        }
                        Field::Other => {
                            entries.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(content)
            }
        }
        from.deserialize_map(Entries)
    }
}
