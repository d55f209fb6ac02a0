//! From the rooms of exports to facts. Pure.
//!
//! Which change of membership is a join and which a leave is told by what was before it (specification, `m.room.member`):
//!
//! | before → after | |
//! |---|---|
//! | anything but `join`, `ban` → `join` | a join |
//! | `ban` → `join` | void (room versions, authorisation rules), unless something later shows a member |
//! | `join` → `join` | a new name or picture: no join |
//! | `join` → `leave`, `ban` | a leave, by oneself or not |
//! | `invite`, `knock` → `leave`, `ban` | an invitation refused or revoked: never a member |
//! | `ban` → `leave` | a ban lifted: no leave |
//! | anything → `invite`, `knock` | no membership |

use std::collections::{HashMap, HashSet};

use super::Reading;
use super::event::Membership;
use super::files::Heading;
use super::people::{self, is_bridged};
use super::rooms::{Change, List, Person, Room, Rooms};
use crate::convert::fact::{ChannelFact, Fact, What};
use crate::convert::gather::Gathered;
use crate::model::{EARLIEST, Timestamp};

/// What was before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// This.
    Known(Membership),
    /// Nothing.
    Nothing,
    /// Something that is not told.
    Unknown,
}

/// What a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Joined,
    Left,
    /// A member already.
    Member,
    Ignored(&'static str),
}

/// What a change means; `wrote`: whether anything shows that somebody was once a member; of a join, after it.
pub(super) fn meaning(before: Before, to: Membership, wrote: bool) -> Meaning {
    let was_member = match before {
        Before::Known(before) => before == Membership::Join,
        Before::Nothing | Before::Unknown => wrote,
    };
    match to {
        Membership::Join => match before {
            Before::Known(Membership::Ban) if !wrote => {
                Meaning::Ignored("joins of people who are banned, which a room's rules void")
            }
            Before::Known(Membership::Join) | Before::Unknown => Meaning::Member,
            Before::Known(_) | Before::Nothing => Meaning::Joined,
        },
        Membership::Leave | Membership::Ban if was_member => Meaning::Left,
        Membership::Leave | Membership::Ban => Meaning::Ignored(match before {
            Before::Known(_) => "invitations that came to nothing, and bans that were lifted",
            _ => "leaves and bans of people of whom nothing shows that they were members",
        }),
        Membership::Invite | Membership::Knock => Meaning::Ignored("invitations and requests to join"),
    }
}

/// The changes of a room in the order in which they came to be, each once.
///
/// The times are of the clocks of many servers. Lists tell the order of one member's changes better, and so does how deep
/// an event lies in the room's history; what is out of that order by its time, or whose time cannot be, is put just behind
/// what it follows.
pub(super) fn in_order(changes: &[Change], lists: &[List]) -> Vec<Change> {
    let mut once: Vec<Change> = Vec::with_capacity(changes.len());
    let mut places: HashMap<(u32, Timestamp, Membership), usize> = HashMap::new();
    for change in changes {
        let place = *places.entry((change.who, change.time, change.to)).or_insert(once.len());
        match once.get_mut(place) {
            // The same event in another list may tell more.
            Some(known) => {
                known.before = known.before.or(change.before);
                if change.depth.is_some() && known.depth.is_none() {
                    (known.depth, known.list) = (change.depth, change.list);
                }
                known.replaces &= change.replaces;
            }
            None => once.push(*change),
        }
    }
    let backwards = |change: &Change| lists.get(change.list).is_some_and(List::is_backwards);
    let mut ordered: Vec<(Option<i64>, usize, i64, Change)> = (0i64..)
        .zip(once)
        .map(|(place, change)| match change.depth {
            // How deep it lies is told apart from where it stands.
            Some(depth) => (Some(depth), 0, place, change),
            None => (None, change.list, if backwards(&change) { -place } else { place }, change),
        })
        .collect();
    ordered.sort_by_key(|(depth, list, place, _)| (*depth, *list, *place));
    let mut latest: HashMap<(bool, usize, u32), Timestamp> = HashMap::new();
    for (depth, list, _, change) in &mut ordered {
        let key = (depth.is_some(), *list, change.who);
        match latest.get(&key) {
            Some(before) if !change.dated || change.time < *before => {
                change.time = before.after(std::time::Duration::from_micros(1));
            }
            None if !change.dated => change.time = EARLIEST,
            _ => {}
        }
        latest.insert(key, change.time);
    }
    ordered.sort_by_key(|(.., change)| change.time);
    ordered.into_iter().map(|(.., change)| change).collect()
}

/// A room whose changes are understood.
struct Story<'a> {
    room: &'a Room,
    /// Who, when if that can be, and what it means.
    steps: Vec<(u32, Option<Timestamp>, Meaning)>,
    /// Where everybody stands in the end.
    standing: HashMap<u32, Membership>,
    /// Whether the export has the room from its creation on.
    is_whole: bool,
}

impl<'a> Story<'a> {
    fn of(room: &'a Room, lists: &[List], people: &[Person]) -> Self {
        let changes = in_order(&room.changes, lists);
        let first = changes.first().map(|change| {
            let person = &people[change.who as usize];
            let creator = room.headed(Heading::Creator);
            change.to == Membership::Join
                && change.before.is_none()
                && !change.replaces
                && creator.is_some_and(|creator| creator == person.id || creator == person.name.1)
        });
        let mut standing: HashMap<u32, Membership> = HashMap::new();
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            let before = match (change.before, standing.insert(change.who, change.to)) {
                (Some(told), _) => Before::Known(told),
                (None, Some(seen)) => Before::Known(seen),
                (None, None) if change.replaces => Before::Unknown,
                (None, None) => Before::Nothing,
            };
            let wrote = room.present.get(&change.who).is_some_and(|presence| {
                change.to != Membership::Join || presence.runs.iter().any(|(_, last)| *last > change.time)
            });
            let time = Some(change.time).filter(|_| change.dated);
            let meaning = meaning(before, change.to, wrote);
            if let (Before::Known(before), Meaning::Ignored(_), Membership::Join) =
                (before, meaning, change.to)
            {
                standing.insert(change.who, before);
            }
            steps.push((change.who, time, meaning));
        }
        // Element leaves the creation out; its creator's join is what comes first then.
        let is_whole = (room.created.is_some() || first == Some(true))
            && room.present.keys().all(|who| standing.contains_key(who));
        Story { room, steps, standing, is_whole }
    }

    /// Everybody who is known to have been in it, without bridges and whom they show.
    fn members(&self, people: &[Person]) -> HashSet<u32> {
        let joined =
            self.steps.iter().filter(|(.., meaning)| matches!(meaning, Meaning::Joined | Meaning::Member));
        let all = joined.map(|(who, ..)| *who).chain(self.room.present.keys().copied());
        all.filter(|who| !is_bridged(&people[*who as usize].id)).collect()
    }

    fn channel(&self, is_dm: bool, people: &[Person]) -> ChannelFact {
        let room = self.room;
        let id = |who: u32| people[who as usize].id.clone();
        let roster = self.is_whole.then(|| {
            let mut members: Vec<String> = self
                .standing
                .iter()
                .filter(|(_, membership)| **membership == Membership::Join)
                .map(|(who, _)| id(*who))
                .collect();
            members.sort_unstable();
            members
        });
        ChannelFact {
            id: room.id.clone(),
            name: room.name().filter(|_| !is_dm).unwrap_or(&room.id).to_owned(),
            fixed: is_dm,
            created: room.created.map(|(time, _)| time),
            description: room.topic().unwrap_or_default().to_owned(),
            creator: room.created.map(|(_, who)| id(who)),
            archived: room.replaced.is_some(),
            archived_by: room.replaced,
            roster,
            ..ChannelFact::default()
        }
    }
}

impl Rooms {
    /// Tells everything.
    pub fn tell(&self, reading: &Reading, gathered: &mut Gathered) {
        gathered.next_export();
        self.tell_to(reading, &mut |fact| gathered.take(fact));
    }

    fn tell_to(&self, reading: &Reading, take: &mut dyn FnMut(Fact<'_>)) {
        for (why, count) in &self.ignored {
            (0..*count).for_each(|_| take(Fact::Ignored(why)));
        }
        for person in &self.people {
            take(Fact::Person(people::fact(&person.id, &person.name.1, &reading.homes)));
        }
        for room in &self.rooms {
            let story = Story::of(room, &self.lists, &self.people);
            if room.is_folder {
                take(Fact::Ignored("spaces, which are folders of rooms"));
                continue;
            }
            let invited_only = story.steps.iter().all(|(.., meaning)| matches!(meaning, Meaning::Ignored(_)));
            if invited_only && !room.is_seen {
                take(Fact::Ignored("rooms of which only invitations are known"));
                continue;
            }
            let is_direct = room.direct || self.direct.contains(&room.id);
            let others = story.members(&self.people).len();
            let is_dm = is_direct && others <= 2;
            if is_dm && (!reading.dms || others < 2) {
                take(Fact::Ignored(match reading.dms {
                    true => "direct messages with a program, or that nobody answered",
                    false => "direct messages (--dms takes them)",
                }));
                continue;
            }
            self.tell_room(&story, is_dm, take);
        }
    }

    fn tell_room(&self, story: &Story<'_>, is_dm: bool, take: &mut dyn FnMut(Fact<'_>)) {
        let room = story.room;
        take(Fact::Channel(story.channel(is_dm, &self.people)));
        let id = |who: u32| self.people[who as usize].id.as_str();
        let channel = room.id.as_str();
        let mut joined: HashSet<u32> = HashSet::new();
        for (who, time, meaning) in &story.steps {
            let what = match meaning {
                Meaning::Joined => What::Joined(id(*who)),
                Meaning::Left => What::Left(id(*who)),
                // It shows a member whose join is missing, and tells nothing of others.
                Meaning::Member if !joined.contains(who) => What::JoinedBy(id(*who)),
                Meaning::Member => {
                    take(Fact::Ignored("changes of members' names and pictures"));
                    continue;
                }
                Meaning::Ignored(why) => {
                    take(Fact::Ignored(why));
                    continue;
                }
            };
            // The reader has named those without.
            let Some(time) = *time else {
                joined.remove(who);
                continue;
            };
            match meaning {
                Meaning::Left => joined.remove(who),
                _ => joined.insert(*who),
            };
            take(Fact::Event { channel, time, what });
        }
        let mut present: Vec<_> = room.present.iter().collect();
        present.sort_unstable_by_key(|(who, _)| **who);
        for (who, presence) in present {
            for (first, last) in &presence.runs {
                take(Fact::Event { channel, time: *first, what: What::Present(id(*who)) });
                if last > first {
                    take(Fact::Event { channel, time: *last, what: What::Present(id(*who)) });
                }
            }
        }
        if let Some(time) = room.replaced.filter(|time| *time > EARLIEST) {
            take(Fact::Event { channel, time, what: What::Archived(&[]) });
        }
    }
}
