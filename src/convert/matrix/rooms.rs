//! The rooms of exports, gathered from their events in memory that grows with people and their changes, not with messages.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::doubts::Doubts;
use super::event::{Content, Event, Membership};
use super::files::{Heading, Piece};
use crate::convert::gather::is_believable;
use crate::model::{EARLIEST, Timestamp};

/// Everything that the events of exports say.
#[derive(Debug)]
pub struct Rooms {
    /// In the order in which they were met.
    pub(super) rooms: Vec<Room>,
    /// In the order in which they were met.
    pub(super) people: Vec<Person>,
    /// Rooms that somebody takes for direct messages.
    pub(super) direct: HashSet<String>,
    /// What was passed over, and how often.
    pub(super) ignored: BTreeMap<&'static str, u64>,
    /// Events that were read, and those of them that are of a room.
    events: (u64, u64),
    pub(super) lists: Vec<List>,
    /// The room that the folder of the file names.
    file_room: Option<String>,
    /// Whether the file has the state of a room at some time.
    snapshot: bool,
    headings: Vec<(Heading, String)>,
    /// The first room of the file: what stands above the events is about it.
    first_room: Option<usize>,
    room_places: HashMap<String, usize>,
    person_places: HashMap<String, u32>,
    /// What is doubtful in the file.
    doubts: Doubts,
    now: Timestamp,
}

/// Somebody.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: String,
    /// What they are called, and since when.
    pub(super) name: (Option<Timestamp>, String),
}

/// The first and the last time in a list of events.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct List {
    span: Option<(Timestamp, Timestamp)>,
}

impl List {
    /// Whether the newest comes first.
    pub(super) fn is_backwards(&self) -> bool {
        self.span.is_some_and(|(first, last)| first > last)
    }
}

/// A room.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) id: String,
    name: Latest,
    alias: Latest,
    topic: Latest,
    /// What Element calls it, and its creator.
    heading: [Option<String>; 3],
    /// Its creation: when, and by whom.
    pub(super) created: Option<(Timestamp, u32)>,
    /// Whether anything is known of it but changes of membership.
    pub(super) is_seen: bool,
    /// Whether it is a folder of rooms.
    pub(super) is_folder: bool,
    /// Whether somebody was invited to it for direct messages.
    pub(super) direct: bool,
    /// When another took its place.
    pub(super) replaced: Option<Timestamp>,
    pub(super) changes: Vec<Change>,
    /// Who was there, and when.
    pub(super) present: HashMap<u32, Presence>,
}

/// The newest of several values.
#[derive(Debug, Default)]
struct Latest(Option<(Timestamp, String)>);

impl Latest {
    fn put(&mut self, time: Timestamp, text: &str) {
        if self.0.as_ref().is_none_or(|(before, _)| *before <= time) {
            self.0 = Some((time, text.to_owned()));
        }
    }

    fn get(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, text)| text.as_str()).filter(|text| !text.trim().is_empty())
    }
}

/// The times at which somebody did what only members can do: of those between two changes the first and the last.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) runs: Vec<(Timestamp, Timestamp)>,
    broken: bool,
}

/// Where somebody stands from some time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) who: u32,
    pub(super) time: Timestamp,
    /// Whether it can have been then. If not, it only tells what was before the next one.
    pub(super) dated: bool,
    pub(super) to: Membership,
    /// What was before, where the event tells it.
    pub(super) before: Option<Membership>,
    /// Whether something was before.
    pub(super) replaces: bool,
    pub(super) depth: Option<i64>,
    /// The list that it is from.
    pub(super) list: usize,
}

impl Room {
    /// What it is called.
    pub(super) fn name(&self) -> Option<&str> {
        let alias = self.alias.get().map(|alias| {
            let local = alias.strip_prefix('#').unwrap_or(alias);
            local.split_once(':').map_or(local, |(local, _)| local)
        });
        self.name.get().or(alias).or(self.headed(Heading::Name))
    }

    /// What it is about.
    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.get().or(self.headed(Heading::Topic))
    }

    /// What stands above its events.
    pub(super) fn headed(&self, heading: Heading) -> Option<&str> {
        self.heading[heading as usize].as_deref()
    }

    /// Takes note that somebody was there, at some time or at this one.
    fn was_present(&mut self, who: u32, time: Option<Timestamp>) {
        let presence = self.present.entry(who).or_default();
        let Some(time) = time else { return };
        match presence.runs.last_mut() {
            Some((first, last)) if !presence.broken => {
                *first = (*first).min(time);
                *last = (*last).max(time);
            }
            _ => presence.runs.push((time, time)),
        }
        presence.broken = false;
    }
}

impl Rooms {
    /// Nothing yet; no time from `now` on is believed.
    pub fn new(now: Timestamp) -> Self {
        Rooms {
            rooms: Vec::new(),
            people: Vec::new(),
            direct: HashSet::new(),
            ignored: BTreeMap::new(),
            events: (0, 0),
            lists: Vec::new(),
            file_room: None,
            snapshot: false,
            headings: Vec::new(),
            first_room: None,
            room_places: HashMap::new(),
            person_places: HashMap::new(),
            doubts: Doubts::default(),
            now,
        }
    }

    /// How many events were read, and how many of them are of a room.
    pub(super) fn events(&self) -> (u64, u64) {
        self.events
    }

    /// A file begins.
    pub(super) fn begin(&mut self, room: Option<&str>, snapshot: bool) {
        self.file_room = room.map(str::to_owned);
        self.snapshot = snapshot;
        self.headings.clear();
        self.first_room = None;
        self.lists.push(List::default());
    }

    /// A file ends, in whatever way. What is doubtful in it.
    pub(super) fn end(&mut self) -> Doubts {
        if let Some(room) = self.first_room.and_then(|place| self.rooms.get_mut(place)) {
            for (heading, text) in self.headings.drain(..) {
                room.heading[heading as usize] = Some(text);
            }
        }
        std::mem::take(&mut self.doubts)
    }

    /// Takes what is in the file.
    pub(super) fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::List => self.lists.push(List::default()),
            Piece::Event(event, around) => self.event(event, around),
            Piece::Called(id, name) => {
                let who = self.person(id);
                let known = &mut self.people[who as usize].name.1;
                if known.is_empty() {
                    name.clone_into(known);
                }
            }
            Piece::Direct(rooms) => self.direct.extend(rooms),
            Piece::Heading(heading, text) => self.headings.push((heading, text)),
            Piece::Strange => self.ignore("values that are no events"),
        }
    }

    fn ignore(&mut self, why: &'static str) {
        *self.ignored.entry(why).or_default() += 1;
    }

    fn room(&mut self, id: &str) -> usize {
        if let Some(place) = self.room_places.get(id) {
            return *place;
        }
        self.room_places.insert(id.to_owned(), self.rooms.len());
        self.rooms.push(Room { id: id.to_owned(), ..Room::default() });
        self.rooms.len() - 1
    }

    fn person(&mut self, id: &str) -> u32 {
        if let Some(place) = self.person_places.get(id) {
            return *place;
        }
        // Memory ends long before this number does.
        let place = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.person_places.insert(id.to_owned(), place);
        self.people.push(Person { id: id.to_owned(), name: (None, String::new()) });
        place
    }

    /// The room of an event: what it says itself, else what is around it; and in the newest room versions the event that
    /// creates a room has its name (`$x` creates `!x`).
    fn room_of(&self, event: &Event, around: Option<&str>) -> Option<String> {
        let own = event.room.get().or(around).or(self.file_room.as_deref()).map(str::to_owned);
        own.or_else(|| {
            let id = event.id.get().filter(|_| event.kind.get() == Some("m.room.create"))?;
            Some(format!("!{}", id.strip_prefix('$')?))
        })
    }

    /// Takes a change of membership; `time`: when, if it can have been then.
    fn change(&mut self, room: usize, sender: &str, time: Option<Timestamp>, event: &Event) {
        let Some(key) = event.state_key.get().filter(|key| key.starts_with('@')) else {
            return self.ignore("memberships of nobody");
        };
        // Of an event whose content was deleted, servers keep this word (specification of room versions, redactions).
        let Some(said) = event.content.membership.get().or(event.membership.get()) else {
            return self.doubts.unsaid(&self.rooms[room].id, sender, event);
        };
        let Some(to) = Membership::of(said) else {
            return self.ignore("memberships of an unknown kind");
        };
        let who = self.person(key);
        if to == Membership::Join
            && let Some(name) = event.content.displayname.get()
        {
            let (person, since) = (&mut self.people[who as usize], time.unwrap_or(EARLIEST));
            if person.name.0.is_none_or(|before| before <= since) {
                person.name = (Some(since), name.to_owned());
            }
        }
        // Whoever invites or bans is a member.
        let actor = (sender != key).then(|| self.person(sender));
        let list = self.lists.len() - 1;
        let snapshot = self.snapshot;
        let room = &mut self.rooms[room];
        room.direct |= event.content.is_direct.0;
        room.changes.push(Change {
            who,
            time: time.or(event.time()).unwrap_or(EARLIEST),
            dated: time.is_some(),
            to,
            before: event.membership_before(),
            replaces: event.replaces() || snapshot,
            depth: event.depth(),
            list,
        });
        if let Some(presence) = room.present.get_mut(&who) {
            presence.broken = true;
        }
        if let Some(actor) = actor {
            room.was_present(actor, time);
        }
    }

    fn event(&mut self, event: &mut Event, around: Option<&str>) {
        self.events.0 += 1;
        if event.kind.get() == Some("m.direct") {
            return self.direct.extend(event.content.direct.drain(..));
        }
        let Some(sender) = event.sender.take() else {
            return self.ignore("settings and other events without a sender");
        };
        let Some(id) = self.room_of(event, around) else {
            return self.ignore("events that do not say of which room they are");
        };
        let believed = event.time().filter(|time| is_believable(*time, self.now));
        if let (Some(time), Some(list)) = (believed, self.lists.last_mut()) {
            list.span = Some(list.span.map_or((time, time), |(first, _)| (first, time)));
        }
        self.events.1 += 1;
        let place = self.room(&id);
        self.first_room = self.first_room.or(Some(place));
        if believed.is_none() {
            self.doubts.undated(&id, &sender, event);
        }
        let kind = event.kind.get().unwrap_or_default();
        if kind == "m.room.member" {
            return self.change(place, &sender, believed, event);
        }
        // Whatever it says besides, anything with a time says better.
        let time = believed.unwrap_or(EARLIEST);
        let who = self.person(&sender);
        let room = &mut self.rooms[place];
        room.is_seen = true;
        let Content { name, alias, topic, room_type, .. } = &event.content;
        match (kind, event.state_key.0.is_some()) {
            ("m.room.create", _) => {
                if room.created.is_none_or(|(before, _)| time < before) {
                    room.created = Some((time, who));
                }
                room.is_folder |= room_type.get() == Some("m.space");
                return;
            }
            // Servers send these for their own sake.
            ("m.room.aliases", _) => return,
            ("m.room.name", true) => room.name.put(time, name.get().unwrap_or_default()),
            ("m.room.canonical_alias", true) => room.alias.put(time, alias.get().unwrap_or_default()),
            ("m.room.topic", true) => room.topic.put(time, topic.get().unwrap_or_default()),
            ("m.room.tombstone", true) => room.replaced = room.replaced.max(Some(time)),
            _ => {}
        }
        // A server takes events only from members (specification of room versions, authorisation rules).
        room.was_present(who, believed);
    }
}
