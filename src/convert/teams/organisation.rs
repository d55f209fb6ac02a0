//! What was read of teams, channels, chats and people, until all of it has been read: what a channel's members are, and
//! what a message means for other channels, is known only then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ids::{self, Place};
use super::standard::{Act, Life};
use crate::convert::Gathered;
use crate::convert::fact::{ChannelFact, Fact, Gone, PersonFact, Standing, What};
use crate::model::Timestamp;
use crate::wording::shorten;

/// People whose names make up the name of a chat without one.
const NAMED_MAX: usize = 3;

/// Characters of the name of one of them.
const NAME_CHARS_MAX: usize = 30;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Organisation {
    people: Vec<PersonFact>,
    person_ids: HashMap<String, u32>,
    pub(super) teams: BTreeMap<String, Team>,
    /// Channels and chats.
    pub(super) conversations: BTreeMap<String, Conversation>,
}

/// The last name that an event gave, and when: it counts where no list has one.
#[derive(Debug, Default)]
pub(super) struct Renamed(Option<(Timestamp, String)>);

/// A team.
#[derive(Debug, Default)]
pub(super) struct Team {
    pub(super) name: Option<String>,
    pub(super) renamed: Renamed,
    /// What lists say.
    pub(super) archived: Option<bool>,
    pub(super) roster: Option<BTreeSet<u32>>,
    /// When it was archived (true) or brought back.
    pub(super) archivings: Vec<(Timestamp, bool)>,
}

/// A channel or a chat.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) team: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) name: Option<String>,
    pub(super) renamed: Renamed,
    pub(super) description: Option<String>,
    pub(super) created: Option<Timestamp>,
    /// What lists say.
    pub(super) archived: Option<bool>,
    pub(super) deleted: Option<Timestamp>,
    pub(super) roster: Option<BTreeSet<u32>>,
    /// The first thing that happened in it.
    pub(super) first: Option<Timestamp>,
    /// Of a channel: who joined (true) or left.
    events: Vec<(u32, Timestamp, bool)>,
    /// Of a channel: the first message of somebody, and the last.
    seen: HashMap<u32, (Timestamp, Timestamp)>,
}

/// The kinds of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its members are its team's.
    Standard,
    /// It has members of its own: private, or shared with other teams.
    Own,
}

impl Organisation {
    /// Somebody, and what is told of them along the way. Whatever is told first and last adds up.
    pub(super) fn person(&mut self, told: PersonFact) -> u32 {
        let place = match self.person_ids.get(&told.id) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
                self.person_ids.insert(told.id.clone(), place);
                self.people.push(PersonFact { id: told.id.clone(), ..PersonFact::default() });
                place
            }
        };
        let person = &mut self.people[place as usize];
        if person.name.is_empty() {
            person.name = told.name;
        }
        person.address = person.address.take().or(told.address);
        person.standing = person.standing.max(told.standing);
        person.gone = person.gone.or(told.gone);
        place
    }

    pub(super) fn team(&mut self, id: &str) -> &mut Team {
        if !self.teams.contains_key(id) {
            self.teams.insert(id.to_owned(), Team::default());
        }
        self.teams.entry(id.to_owned()).or_default()
    }

    pub(super) fn conversation(&mut self, id: &str) -> &mut Conversation {
        if !self.conversations.contains_key(id) {
            self.conversations.insert(id.to_owned(), Conversation::default());
        }
        self.conversations.entry(id.to_owned()).or_default()
    }

    /// Whether there is anything in it.
    pub(super) fn is_empty(&self) -> bool {
        self.conversations.is_empty()
    }

    /// Channels of which nothing tells whether they are standard ones. No list has those that are deleted.
    pub(super) fn untold(&self) -> usize {
        let channels = self.conversations.iter().filter(|(id, _)| ids::place(id) == Place::Channel);
        channels.filter(|(_, channel)| channel.kind.is_none() && channel.deleted.is_none()).count()
    }

    /// Says what was told of people and conversations, and what the life of teams means for their standard channels.
    pub(super) fn tell(mut self, gathered: &mut Gathered) {
        for person in &self.people {
            gathered.take(Fact::Person(person.clone()));
        }
        let mut standard: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, channel) in &self.conversations {
            if let (Some(team), Some(Kind::Standard)) = (&channel.team, channel.kind) {
                standard.entry(team).or_default().push(id);
            }
        }
        for channels in standard.values() {
            self.lives(channels, gathered);
        }
        for (id, channel) in &mut self.conversations {
            let team = channel.team.as_ref().and_then(|team| self.teams.get(team));
            let of_team = team.filter(|_| channel.kind == Some(Kind::Standard));
            let roster = channel.roster.take().or_else(|| of_team.and_then(|team| team.roster.clone()));
            let event = |time, what| Fact::Event { channel: id, time, what };
            for (time, archived) in team.iter().flat_map(|team| &team.archivings) {
                gathered.take(event(*time, if *archived { What::Archived(&[]) } else { What::Unarchived }));
            }
            if let Some(time) = channel.deleted {
                gathered.take(event(time, What::Archived(&[])));
            }
            let names = |roster: &BTreeSet<u32>| of_people(roster, &self.people);
            let name = channel.name.take().or_else(|| Some(channel.renamed.name()?.to_owned()));
            gathered.take(Fact::Channel(ChannelFact {
                id: id.clone(),
                name: name.or_else(|| names(roster.as_ref()?)).unwrap_or_default(),
                team: match team.and_then(|team| team.name.as_deref().or(team.renamed.name())) {
                    Some(name) => name.to_owned(),
                    None => channel.team.clone().unwrap_or_default(),
                },
                fixed: ids::place(id) == Place::OneOnOne,
                created: channel.created,
                description: channel.description.take().unwrap_or_default(),
                archived: channel.deleted.is_some()
                    || match channel.archived.max(team.and_then(|team| team.archived)) {
                        Some(archived) => archived,
                        None => team.is_some_and(Team::is_archived_at_last),
                    },
                roster: roster.map(|roster| {
                    roster.iter().map(|person| self.people[*person as usize].id.clone()).collect()
                }),
                ..ChannelFact::default()
            }));
        }
    }

    /// Says what was told in the standard channels of a team and means something for each other of them, too.
    fn lives(&self, channels: &[&str], gathered: &mut Gathered) {
        let mut lives: BTreeMap<u32, Life<'_>> = BTreeMap::new();
        for id in channels {
            let channel = &self.conversations[*id];
            for (person, time, joined) in &channel.events {
                lives.entry(*person).or_default().events.push((*time, *joined, id));
            }
            for (person, (first, last)) in &channel.seen {
                let seen = &mut lives.entry(*person).or_default().seen;
                *seen = Some(seen.map_or((*first, *last), |(a, b)| (a.min(*first), b.max(*last))));
            }
        }
        lives.values_mut().for_each(|life| life.events.sort_by_key(|(time, ..)| *time));
        for id in channels {
            let channel = &self.conversations[*id];
            for (person, life) in &lives {
                let person = self.people[*person as usize].id.as_str();
                for (time, act) in life.within(id, channel.created.or(channel.first)) {
                    let what = match act {
                        Act::Joined => What::Joined(person),
                        Act::JoinedBy => What::JoinedBy(person),
                        Act::Left => What::Left(person),
                        Act::Present => What::Present(person),
                    };
                    gathered.take(Fact::Event { channel: id, time, what });
                }
            }
        }
    }
}

impl Conversation {
    /// Something happened in it.
    pub(super) fn at(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
    }

    /// Somebody came or went.
    pub(super) fn changed(&mut self, person: u32, time: Timestamp, joined: bool) {
        self.events.push((person, time, joined));
    }

    /// Somebody wrote something.
    pub(super) fn wrote(&mut self, person: u32, time: Timestamp) {
        let (first, last) = self.seen.entry(person).or_insert((time, time));
        (*first, *last) = (time.min(*first), time.max(*last));
    }
}

impl Team {
    /// Whether its last event of that kind archived it.
    fn is_archived_at_last(&self) -> bool {
        self.archivings.iter().max_by_key(|(time, _)| *time).is_some_and(|(_, archived)| *archived)
    }
}

impl Renamed {
    pub(super) fn at(&mut self, time: Timestamp, name: &str) {
        if self.0.as_ref().is_none_or(|(before, _)| *before <= time) {
            self.0 = Some((time, name.to_owned()));
        }
    }

    fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|(_, name)| name.as_str())
    }
}

/// A name for a chat without one.
fn of_people(roster: &BTreeSet<u32>, people: &[PersonFact]) -> Option<String> {
    let mut names: Vec<&str> = roster.iter().map(|person| people[*person as usize].name.as_str()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    let more = match roster.len() - names.len().min(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(NAMED_MAX);
    let names: Vec<String> = names.into_iter().map(|name| shorten(name, NAME_CHARS_MAX)).collect();
    (!names.is_empty()).then(|| names.join(", ") + &more)
}

/// What somebody is whose account is told to be over.
pub(super) fn ended(person: PersonFact) -> PersonFact {
    PersonFact { gone: Some(Gone::Sometime), ..person }
}

/// Somebody of whom only this is known.
pub(super) fn somebody(id: &str, name: Option<&str>, standing: Standing) -> PersonFact {
    PersonFact {
        id: id.to_owned(),
        name: name.unwrap_or_default().to_owned(),
        standing,
        ..PersonFact::default()
    }
}
