//! The rooms of an export: which become spaces, and who is in them now. Pure.

use std::collections::{BTreeSet, HashMap};

use super::accounts::Accounts;
use super::collections::{Room, Status};
use crate::convert::fact::{ChannelFact, Fact, What};
use crate::model::Timestamp;

/// Rooms, and who is in them.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// In the order in which they were met.
    listed: Vec<(String, Room)>,
    /// Who is in each, or was before a ban, and since when, as subscriptions have it.
    subscribed: HashMap<String, Vec<Subscribed>>,
    /// Whether there are subscriptions at all.
    has_subscriptions: bool,
    /// Who is in each, as users' own lists have it.
    noted: HashMap<String, BTreeSet<String>>,
    /// Whether each becomes a space.
    taken: HashMap<String, bool>,
    /// What notices said last of everybody in a room, and when. Only kept where nothing else tells who is in it.
    noticed: HashMap<String, HashMap<String, (Timestamp, bool)>>,
}

#[derive(Debug)]
struct Subscribed {
    who: String,
    since: Option<Timestamp>,
    is_member: bool,
}

impl Rooms {
    pub(super) fn list(&mut self, id: &str, room: Room) {
        self.listed.push((id.to_owned(), room));
    }

    pub(super) fn subscribe(&mut self, room: &str, who: &str, since: Option<Timestamp>, status: Status) {
        self.has_subscriptions = true;
        let subscribed = Subscribed { who: who.to_owned(), since, is_member: status == Status::Member };
        self.subscribed.entry(room.to_owned()).or_default().push(subscribed);
    }

    /// Whether somebody has a subscription that was there before then.
    pub(super) fn was_subscribed(&self, room: &str, who: &str, then: Timestamp) -> bool {
        let mut subscribed = self.subscribed.get(room).into_iter().flatten();
        subscribed.any(|one| one.who == who && one.since.is_some_and(|since| since < then))
    }

    /// Who has a subscription that makes a member.
    fn members(&self, room: &str) -> impl Iterator<Item = String> {
        let subscribed = self.subscribed.get(room).into_iter().flatten();
        subscribed.filter(|one| one.is_member).map(|one| one.who.clone())
    }

    pub(super) fn note(&mut self, room: String, who: &str) {
        self.noted.entry(room).or_default().insert(who.to_owned());
    }

    /// Whether a room becomes a space; `None` when there is no such room.
    pub(super) fn is_taken(&self, room: &str) -> Option<bool> {
        self.taken.get(room).copied()
    }

    /// Takes what a notice says of somebody: that they joined, or that they left.
    pub(super) fn notice(&mut self, room: &str, who: &str, time: Timestamp, joined: bool) {
        if self.has_subscriptions {
            return;
        }
        let people = self.noticed.entry(room.to_owned()).or_default();
        let last = people.entry(who.to_owned()).or_insert((time, joined));
        if last.0 <= time {
            *last = (time, joined);
        }
    }

    /// How many rooms there are.
    pub(super) fn count(&self) -> usize {
        self.listed.len()
    }

    /// Tells of all rooms, and since when their members of today are in them.
    pub(super) fn tell(&mut self, dms: bool, accounts: &Accounts, take: &mut dyn FnMut(Fact<'_>)) {
        let titles: HashMap<&str, &str> =
            self.listed.iter().filter_map(|(id, room)| Some((id.as_str(), room.title()?))).collect();
        let teams: HashMap<&str, &str> = self
            .listed
            .iter()
            .filter(|(_, room)| room.is_team.0)
            .filter_map(|(_, room)| Some((room.team.get()?, room.title()?)))
            .collect();
        let mut taken = HashMap::new();
        for (id, room) in &self.listed {
            let left_out = match room.kind.get() {
                Some("c" | "p") => None,
                Some("d") => self.left_out(id, room, dms, accounts),
                Some("l" | "v") => Some("rooms of live chat and calls"),
                _ => Some("rooms of an unknown kind"),
            };
            taken.insert(id.clone(), left_out.is_none());
            if let Some(why) = left_out {
                take(Fact::Ignored(why));
                continue;
            }
            let parent = room.prid.get().and_then(|parent| titles.get(parent));
            let team = parent
                .or_else(|| room.team.get().filter(|_| !room.is_team.0).and_then(|team| teams.get(team)));
            take(Fact::Channel(self.channel(id, room, team.copied(), accounts)));
            // A direct message has one when it is opened first, whenever that is.
            let since = self.subscribed.get(id).filter(|_| room.kind.get() != Some("d"));
            for Subscribed { who, since, .. } in since.into_iter().flatten() {
                if let Some(time) = *since {
                    take(Fact::Event { channel: id, time, what: What::Joined(who) });
                }
            }
        }
        self.taken = taken;
    }

    /// Why a room for direct messages is left out.
    fn left_out(&self, id: &str, room: &Room, dms: bool, accounts: &Accounts) -> Option<&'static str> {
        let people = self.of_direct(id, room, accounts);
        match people.iter().filter(|who| !accounts.is_bot(who)).count() {
            0 | 1 => Some("direct messages with oneself or a program"),
            2 if !dms => Some("direct messages (--dms takes them)"),
            _ => None,
        }
    }

    /// Who is in a room for direct messages. Old ones only have usernames.
    fn of_direct(&self, id: &str, room: &Room, accounts: &Accounts) -> BTreeSet<String> {
        let mut people: BTreeSet<String> = room.uids.0.iter().flatten().cloned().collect();
        if people.is_empty() {
            let names = room.usernames.0.iter().flatten();
            people.extend(names.map(|name| accounts.holder(name).unwrap_or(name).to_owned()));
        }
        if people.is_empty() {
            people.extend(self.members(id));
        }
        people
    }

    /// Who is in a room now, as far as lists tell.
    fn roster(&self, id: &str, room: &Room, accounts: &Accounts) -> Option<BTreeSet<String>> {
        if room.kind.get() == Some("d") {
            return Some(self.of_direct(id, room, accounts));
        }
        self.has_subscriptions.then(|| self.members(id).collect())
    }

    /// Tells, after all notices, who is in the rooms of which no subscriptions tell it: those whose own lists have the
    /// room, its creator, and who joined and did not leave. None of that is complete; where the room counts as many
    /// people, it is.
    pub(super) fn tell_rosters(&self, accounts: &Accounts, take: &mut dyn FnMut(Fact<'_>)) {
        if self.has_subscriptions {
            return;
        }
        for (id, room) in self.listed.iter().filter(|(id, _)| self.is_taken(id) == Some(true)) {
            let mut fact = self.channel(id, room, None, accounts);
            let mut people = self.noted.get(id).cloned().unwrap_or_default();
            people.extend(fact.creator.clone());
            for (who, (_, joined)) in self.noticed.get(id).into_iter().flatten() {
                match joined {
                    true => people.insert(who.clone()),
                    false => people.remove(who),
                };
            }
            if fact.roster.is_none() && room.members.count() == Some(people.len()) {
                fact.roster = Some(people.into_iter().collect());
                take(Fact::Channel(fact));
            }
        }
    }

    fn channel(&self, id: &str, room: &Room, team: Option<&str>, accounts: &Accounts) -> ChannelFact {
        let is_direct = room.kind.get() == Some("d");
        let said = room.description.get().or(room.topic.get()).or(room.announcement.get());
        ChannelFact {
            id: id.to_owned(),
            name: room.title().filter(|_| !is_direct).unwrap_or(id).to_owned(),
            team: team.unwrap_or_default().to_owned(),
            fixed: is_direct,
            created: room.created.time(),
            description: said.unwrap_or_default().to_owned(),
            creator: room.creator.0.id.get().map(str::to_owned),
            archived: room.archived.0,
            archived_by: room.updated.time(),
            roster: self.roster(id, room, accounts).map(|people| people.into_iter().collect()),
            shared: room.federated.0,
        }
    }
}
