//! Who and what is the same where files name them differently: the bulk export has names alone, the history table has
//! ids, Actiance has addresses, and the compliance CSV has all of them.
//!
//! It outlives one export: what an earlier one has said of an id holds for the later ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::convert::Gathered;
use crate::convert::fact::{ChannelFact, Fact, Gone, PersonFact, Standing, What};
use crate::model::Timestamp;

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    /// Public or private.
    #[default]
    Channel,
    /// A group message.
    Group,
    /// A direct message.
    Direct,
}

impl Sort {
    /// As the exports have it: a letter in the tables, a word in the compliance formats.
    pub(super) fn of(text: &str) -> Sort {
        match text.trim() {
            "D" | "direct" => Sort::Direct,
            "G" | "group" => Sort::Group,
            _ => Sort::Channel,
        }
    }
}

/// What a file says of somebody; empty or `None` is what it does not say. One of the first three is there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Someone<'a> {
    pub(super) id: &'a str,
    pub(super) username: &'a str,
    pub(super) address: &'a str,
    pub(super) name: &'a str,
    pub(super) standing: Option<Standing>,
    /// When the account ended, or that it has not.
    pub(super) gone: Option<Option<Timestamp>>,
}

/// What a file says of a channel; empty or `None` is what it does not say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Somewhere<'a> {
    pub(super) id: &'a str,
    pub(super) team: &'a str,
    /// The name in links, the only one of its team.
    pub(super) name: &'a str,
    /// The name that people see.
    pub(super) title: &'a str,
    pub(super) about: &'a str,
    pub(super) sort: Sort,
    pub(super) created: Option<Timestamp>,
    /// When it was archived, or that it is not.
    pub(super) archived: Option<Option<Timestamp>>,
    pub(super) creator: Option<u32>,
}

/// Everybody and every channel so far; both are meant by their places in it.
#[derive(Debug, Default)]
pub(super) struct Directory {
    people: Vec<Person>,
    person_ids: HashMap<String, u32>,
    usernames: HashMap<String, u32>,
    addresses: HashMap<String, u32>,
    channels: Vec<Channel>,
    channel_ids: HashMap<String, u32>,
    channel_names: HashMap<String, u32>,
    /// Whether direct messages are taken.
    dms: bool,
}

#[derive(Debug)]
struct Person {
    fact: PersonFact,
    id: String,
    username: String,
    /// Whether there is more to tell than was told.
    news: bool,
}

#[derive(Debug)]
struct Channel {
    fact: ChannelFact,
    sort: Sort,
    id: String,
    /// By which it was last found.
    path: String,
    archived: Option<Timestamp>,
    /// Whether anything was said of what happened in it.
    lived: bool,
    news: bool,
}

impl Directory {
    /// Nobody and nothing yet.
    pub(super) fn new(dms: bool) -> Self {
        Directory { dms, ..Directory::default() }
    }

    /// Somebody, whom the file may call by any of the three names; what it says of them is kept. `None` without a name.
    pub(super) fn person(&mut self, said: &Someone<'_>) -> Option<u32> {
        let key = [said.id, said.username, said.address].into_iter().find(|name| !name.is_empty())?;
        let place = self.known(said).unwrap_or_else(|| {
            let place = place_of(self.people.len());
            let fact = PersonFact { id: key.to_owned(), ..PersonFact::default() };
            self.people.push(Person { fact, id: String::new(), username: String::new(), news: true });
            place
        });
        let person = &mut self.people[place as usize];
        if person.id.is_empty() && !said.id.is_empty() {
            said.id.clone_into(&mut person.id);
            self.person_ids.insert(said.id.to_owned(), place);
        }
        if !said.username.is_empty() && person.username != said.username {
            said.username.clone_into(&mut person.username);
            self.usernames.insert(said.username.to_owned(), place);
            person.news = true;
        }
        let fact = &mut person.fact;
        if !said.address.is_empty() && fact.address.as_deref() != Some(said.address) {
            fact.address = Some(said.address.to_owned());
            self.addresses.insert(said.address.to_owned(), place);
            person.news = true;
        }
        let name = [said.name, said.username].into_iter().find(|name| !name.is_empty());
        if let Some(name) = name
            && (!said.name.is_empty() || fact.name.is_empty())
            && fact.name != name
        {
            name.clone_into(&mut fact.name);
            person.news = true;
        }
        if let Some(standing) = said.standing
            && fact.standing != standing
        {
            fact.standing = standing;
            person.news = true;
        }
        if let Some(gone) = said.gone
            && fact.gone != gone.map(Gone::At)
        {
            fact.gone = gone.map(Gone::At);
            person.news = true;
        }
        Some(place)
    }

    /// Somebody who is known, by what the file calls them. A name that goes with an id is of nobody else.
    fn known(&self, said: &Someone<'_>) -> Option<u32> {
        if let Some(place) = self.person_ids.get(said.id) {
            return Some(*place);
        }
        let names = [(&self.usernames, said.username), (&self.addresses, said.address)];
        names.into_iter().find_map(|(places, name)| {
            let place = *places.get(name)?;
            (said.id.is_empty() || self.people[place as usize].id.is_empty()).then_some(place)
        })
    }

    /// Whoever has this id, or else had this name the last time that somebody was told to have it.
    pub(super) fn find_person(&self, id: &str, username: &str) -> Option<u32> {
        self.person_ids.get(id).or_else(|| self.usernames.get(username)).copied()
    }

    /// Somebody known by name turns out to have this id, if neither has another.
    pub(super) fn learn_id(&mut self, person: u32, id: &str) {
        let known = &mut self.people[person as usize];
        if known.id.is_empty() && known.fact.standing != Standing::Bot && !self.person_ids.contains_key(id) {
            id.clone_into(&mut known.id);
            self.person_ids.insert(id.to_owned(), person);
        }
    }

    /// What facts call somebody.
    pub(super) fn person_key(&self, person: u32) -> &str {
        &self.people[person as usize].fact.id
    }

    /// A channel; what the file says of it is kept. `None` without id and name.
    pub(super) fn channel(&mut self, said: &Somewhere<'_>) -> Option<u32> {
        if let Some(place) = self.channel_ids.get(said.id) {
            let place = *place;
            self.describe(place, said);
            return Some(place);
        }
        // A name alone, without its team, may be of many.
        let path = parts_of(said).map(|(team, name)| format!("{team}/{name}"));
        let free = |place: &u32| said.id.is_empty() || self.channels[*place as usize].id.is_empty();
        let known = path.as_ref().and_then(|path| self.channel_names.get(path)).copied().filter(free);
        let place = match (known, said.id, &path) {
            (Some(place), _, _) => place,
            (None, "", None) => return None,
            (None, id, path) => {
                let place = place_of(self.channels.len());
                let id = if id.is_empty() { path.clone().unwrap_or_default() } else { id.to_owned() };
                self.channels.push(Channel {
                    fact: ChannelFact { id, fixed: said.sort != Sort::Channel, ..ChannelFact::default() },
                    sort: said.sort,
                    id: String::new(),
                    path: String::new(),
                    archived: None,
                    lived: false,
                    news: true,
                });
                place
            }
        };
        self.describe(place, said);
        Some(place)
    }

    fn describe(&mut self, place: u32, said: &Somewhere<'_>) {
        let channel = &mut self.channels[place as usize];
        if channel.id.is_empty() && !said.id.is_empty() {
            said.id.clone_into(&mut channel.id);
            self.channel_ids.insert(said.id.to_owned(), place);
        }
        let fact = &mut channel.fact;
        let name = [said.title, said.name].into_iter().find(|name| !name.trim().is_empty());
        // A name for links is one for want of a better.
        let name = name.filter(|_| !said.title.is_empty() || fact.name.is_empty()).unwrap_or_default();
        let texts =
            [(&mut fact.team, said.team), (&mut fact.name, name), (&mut fact.description, said.about)];
        for (held, text) in texts {
            if !text.is_empty() && held != text {
                text.clone_into(held);
                channel.news = true;
            }
        }
        if fact.created.is_none() && said.created.is_some() {
            fact.created = said.created;
            channel.news = true;
        }
        if let Some(archived) = said.archived
            && channel.archived != archived
        {
            channel.archived = archived;
            fact.archived = archived.is_some();
            channel.news = true;
        }
        if let Some(creator) = said.creator {
            fact.creator = Some(self.people[creator as usize].fact.id.clone());
        }
        if let Some((team, name)) = parts_of(said)
            && channel.path.strip_prefix(team).and_then(|rest| rest.strip_prefix('/')) != Some(name)
        {
            channel.path = format!("{team}/{name}");
            self.channel_names.insert(channel.path.clone(), place);
        }
    }

    /// The channel of this name.
    pub(super) fn find_channel(&self, team: &str, name: &str) -> Option<u32> {
        self.channel_names.get(&format!("{team}/{name}")).copied()
    }

    /// The direct message between two people, where a table has it: its name there is made of their ids.
    pub(super) fn find_direct(&self, one: u32, other: u32) -> Option<u32> {
        let id = |person: u32| self.people[person as usize].id.as_str();
        let between = |one: &str, other: &str| self.find_channel("", &format!("{one}__{other}"));
        between(id(one), id(other)).or_else(|| between(id(other), id(one)))
    }

    /// Why a channel is left out, if it is.
    pub(super) fn left_out(&self, channel: u32) -> Option<&'static str> {
        let channel = &self.channels[channel as usize];
        let oneself = |(one, other): (&str, &str)| one == other;
        if channel.sort != Sort::Direct {
            None
        } else if !self.dms {
            Some("direct messages (--dms takes them)")
        } else if channel.fact.name.split_once("__").is_some_and(oneself) {
            Some("direct messages with oneself")
        } else {
            None
        }
    }

    /// What people see of a direct message that a table names after the ids of its members.
    fn title_of_direct(&self, name: &str) -> Option<String> {
        let (one, other) = name.split_once("__")?;
        let username = |id: &str| {
            let person = &self.people[*self.person_ids.get(id)? as usize];
            Some(person.username.as_str()).filter(|name| !name.is_empty())
        };
        let mut names = [username(one)?, username(other)?];
        names.sort_unstable();
        Some(names.join(NAMES_GAP))
    }

    /// The channels of these teams, by what facts call them, each with its team.
    pub(super) fn channels_of_teams(&self, teams: HashSet<&str>) -> HashMap<String, (u32, String)> {
        (0..)
            .zip(&self.channels)
            .filter_map(|(place, Channel { fact, path, .. })| {
                let (team, _) = path.split_once('/')?;
                teams.contains(team).then(|| (fact.id.clone(), (place, team.to_owned())))
            })
            .collect()
    }

    /// What facts call a channel.
    pub(super) fn channel_key(&self, channel: u32) -> &str {
        &self.channels[channel as usize].fact.id
    }

    /// Something happened in a channel.
    pub(super) fn lives(&mut self, channel: u32) {
        self.channels[channel as usize].lived = true;
    }

    /// How many of these channels have no name but their id.
    pub(super) fn nameless_channels(&self, channels: &BTreeSet<u32>) -> usize {
        channels.iter().filter(|place| self.channels[**place as usize].fact.name.is_empty()).count()
    }

    /// Tells what is new, and who is a member of which channels now (of the others, nobody knows). Direct messages that are
    /// left out are counted.
    pub(super) fn tell(&mut self, rosters: &HashMap<u32, BTreeSet<u32>>, gathered: &mut Gathered) {
        for person in self.people.iter_mut().filter(|person| person.news) {
            person.news = false;
            gathered.take(Fact::Person(person.fact.clone()));
        }
        for place in 0..place_of(self.channels.len()) {
            let roster = rosters.get(&place);
            let news = std::mem::take(&mut self.channels[place as usize].news);
            if !news && roster.is_none() {
                continue;
            }
            if let Some(why) = self.left_out(place) {
                if news {
                    gathered.take(Fact::Ignored(why));
                }
                continue;
            }
            let channel = &self.channels[place as usize];
            if channel.sort != Sort::Channel && !channel.lived {
                gathered.take(Fact::Ignored("group and direct messages in which nothing was written"));
                continue;
            }
            let roster =
                roster.map(|people| people.iter().map(|place| self.person_key(*place).to_owned()).collect());
            let mut fact = ChannelFact { roster, ..channel.fact.clone() };
            if channel.sort == Sort::Direct
                && let Some(title) = self.title_of_direct(&fact.name)
            {
                fact.name = title;
            }
            gathered.take(Fact::Channel(fact));
            if let Some(time) = channel.archived {
                let what = What::Archived(&[]);
                gathered.take(Fact::Event { channel: &channel.fact.id, time, what });
            }
        }
    }
}

/// Between the names of who is in a group message, as Mattermost's tables have it.
pub(super) const NAMES_GAP: &str = ", ";

/// The team and the name by which a channel is found: names are the only ones of their team, and group and direct messages
/// are in none.
fn parts_of<'a>(said: &Somewhere<'a>) -> Option<(&'a str, &'a str)> {
    let name = match said.sort {
        // In tables the name of a group message is a digest, and its title lists its members.
        Sort::Group if !said.title.is_empty() => said.title,
        _ => said.name,
    };
    let told = !name.is_empty() && (said.sort != Sort::Channel || !said.team.is_empty());
    told.then_some((said.team, name))
}

/// Memory ends long before these numbers do.
fn place_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
