//! From the tables to facts; and where a message belongs, with what it tells there.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::history::{self, Act, Entry, Window};
use super::realm::{Kind, ListedUser, Realm, Subscription};
use crate::convert::Gathered;
use crate::convert::fact::{ChannelFact, Fact, Gone, PersonFact, Standing, What};
use crate::model::Timestamp;

/// What is known once `realm.json` has been read.
#[derive(Debug, Default)]
pub(super) struct Routes {
    to: HashMap<i64, To>,
    /// Of whom the log does not tell everything: by channel and person.
    windows: HashMap<(i64, i64), Window>,
    /// Archived channels of which the log does not tell when that was: no earlier than their last message.
    undated: HashSet<i64>,
    programs: HashSet<i64>,
    /// Two people who write to each other, as far as they have been met.
    pairs: HashSet<(i64, i64)>,
    dms: bool,
}

/// Where a message goes.
#[derive(Debug, Clone)]
enum To {
    Stream(i64),
    Person(i64),
    /// A group of people; its channel's id.
    Group(String),
    /// What is left out.
    Nowhere(&'static str),
}

const DMS: &str = "direct messages (--dms takes them)";
const DMS_ALONE: &str = "direct messages with oneself or a program";

impl Routes {
    /// Says what the tables tell.
    pub(super) fn tell(mut realm: Realm, dms: bool, gathered: &mut Gathered) -> Self {
        let mut routes = Routes { dms, ..Routes::default() };
        realm.subscriptions.sort_unstable_by_key(|one| (one.recipient, one.user));
        history::sort(&mut realm.log);
        routes.people(&realm, gathered);
        routes.channels(&realm, gathered);
        routes.log(&realm, gathered);
        for _ in 0..realm.unclear {
            gathered.take(Fact::Ignored("entries of the audit log without a person or channel"));
        }
        routes
    }

    fn people(&mut self, realm: &Realm, gathered: &mut Gathered) {
        let ended: HashSet<i64> =
            realm.subscriptions.iter().filter(|one| !one.user_active).map(|one| one.user).collect();
        for ListedUser { id, ended: says_so, stand_in, fact } in &realm.users {
            // Stand-ins always say that they have ended; their subscriptions say whether that is so.
            let has_ended = if *stand_in { ended.contains(id) } else { *says_so };
            let gone = has_ended.then(|| realm.ends.get(id).map_or(Gone::Sometime, |time| Gone::At(*time)));
            if fact.standing == Standing::Bot {
                self.programs.insert(*id);
            }
            gathered.take(Fact::Person(PersonFact { gone, ..fact.clone() }));
        }
    }

    fn channels(&mut self, realm: &Realm, gathered: &mut Gathered) {
        let mut streams: HashMap<i64, i64> = HashMap::new();
        let listed: HashSet<i64> = realm.streams.iter().map(|stream| stream.id).collect();
        for recipient in &realm.recipients {
            let to = match recipient.kind {
                Kind::Person => To::Person(recipient.of),
                Kind::Stream if listed.contains(&recipient.of) => To::Stream(recipient.of),
                Kind::Stream => To::Nowhere("messages of channels that are not in the export"),
                Kind::Group => self.group(recipient.id, members(realm, recipient.id), gathered),
            };
            if let To::Stream(stream) = to {
                streams.insert(stream, recipient.id);
            }
            self.to.insert(recipient.id, to);
        }
        for stream in &realm.streams {
            let recipient = streams.get(&stream.id).copied().or(stream.recipient);
            if let Some(recipient) = recipient {
                self.to.insert(recipient, To::Stream(stream.id));
            }
            let subscribed = recipient.map(|recipient| members(realm, recipient)).unwrap_or_default();
            let active = subscribed.iter().filter(|one| one.active);
            let roster: Vec<String> = active.map(|one| one.user.to_string()).collect();
            // Old servers end all subscriptions of a channel with it.
            let untold = realm.subscriptions.is_empty() || (stream.fact.archived && roster.is_empty());
            gathered.take(Fact::Channel(ChannelFact {
                roster: (!untold).then_some(roster),
                ..stream.fact.clone()
            }));
            for one in subscribed {
                if of_member(&realm.log, stream.id, one.user).is_empty() {
                    self.windows.insert((stream.id, one.user), Window::ALWAYS);
                }
            }
        }
        let dated = |stream: i64| realm.archivings.iter().any(|(of, _, archived)| *archived && *of == stream);
        let archived = realm.streams.iter().filter(|stream| stream.fact.archived).map(|stream| stream.id);
        self.undated = archived.filter(|stream| !dated(*stream)).collect();
        for (stream, time, archived) in realm.archivings.iter().filter(|(stream, ..)| listed.contains(stream))
        {
            let what = if *archived { What::Archived(&[]) } else { What::Unarchived };
            gathered.take(Fact::Event { channel: &stream.to_string(), time: *time, what });
        }
    }

    /// A group of people who write to each other. Who is in it never changes.
    fn group(&self, recipient: i64, members: &[Subscription], gathered: &mut Gathered) -> To {
        let people: BTreeSet<i64> =
            members.iter().map(|one| one.user).filter(|user| !self.programs.contains(user)).collect();
        match people.len() {
            0 | 1 => return To::Nowhere(DMS_ALONE),
            2 if !self.dms => return To::Nowhere(DMS),
            _ => {}
        }
        let id = format!("group-{recipient}");
        gathered.take(Fact::Channel(fixed(&id, members.iter().map(|one| one.user))));
        To::Group(id)
    }

    fn log(&mut self, realm: &Realm, gathered: &mut Gathered) {
        let archived: HashMap<i64, bool> =
            realm.streams.iter().map(|stream| (stream.id, stream.fact.archived)).collect();
        let recipients: HashMap<i64, i64> = self
            .to
            .iter()
            .filter_map(
                |(recipient, to)| {
                    if let To::Stream(stream) = to { Some((*stream, *recipient)) } else { None }
                },
            )
            .collect();
        let mut archivings: HashMap<i64, Vec<Timestamp>> = HashMap::new();
        for (stream, time, _) in realm.archivings.iter().filter(|(.., archived)| *archived) {
            archivings.entry(*stream).or_default().push(*time);
        }
        archivings.values_mut().for_each(|times| times.sort_unstable());
        for entries in realm.log.chunk_by(|one, other| (one.stream, one.user) == (other.stream, other.user)) {
            let Entry { stream, user, .. } = entries[0];
            let Some(archived) = archived.get(&stream) else {
                for _ in entries {
                    gathered.take(Fact::Ignored(
                        "entries of the audit log about channels that are not in the export",
                    ));
                }
                continue;
            };
            let subscription =
                recipients.get(&stream).and_then(|recipient| subscription(realm, *recipient, user));
            let ended = subscription.is_some_and(|one| !one.active) && !archived;
            let times = archivings.get(&stream).map(Vec::as_slice).unwrap_or_default();
            let by_archiving = history::leaves_by_archiving(entries, times, ended);
            let (channel, person) = (stream.to_string(), user.to_string());
            let mut event = |time, what| gathered.take(Fact::Event { channel: &channel, time, what });
            for entry in entries {
                event(
                    entry.time,
                    match entry.act {
                        Act::Joined => What::Joined(&person),
                        Act::JoinedBy => What::JoinedBy(&person),
                        Act::Left => What::Left(&person),
                    },
                );
            }
            let end_unknown = (ended && by_archiving.is_empty())
                || (subscription.is_some_and(|one| !one.user_active) && !realm.ends.contains_key(&user));
            by_archiving.into_iter().for_each(|time| event(time, What::Left(&person)));
            if let Some(window) = Window::beside(entries, end_unknown) {
                self.windows.insert((stream, user), window);
            }
        }
    }

    /// Says what a message tells.
    pub(super) fn message(&mut self, sender: i64, recipient: i64, time: Timestamp, gathered: &mut Gathered) {
        let (channel, person) = match self.to.get(&recipient) {
            Some(To::Stream(stream)) => {
                if !self.windows.get(&(*stream, sender)).is_some_and(|window| window.has(time)) {
                    if self.undated.contains(stream) {
                        let channel = &stream.to_string();
                        gathered.take(Fact::Event { channel, time, what: What::InUse });
                    }
                    gathered.take(Fact::Ignored("messages that tell no more than the audit log"));
                    return;
                }
                (stream.to_string(), sender)
            }
            Some(To::Group(id)) => (id.clone(), sender),
            Some(To::Person(other)) => {
                let other = *other;
                if !self.dms {
                    gathered.take(Fact::Ignored(DMS));
                    return;
                }
                if other == sender || [other, sender].iter().any(|user| self.programs.contains(user)) {
                    gathered.take(Fact::Ignored(DMS_ALONE));
                    return;
                }
                let pair = (sender.min(other), sender.max(other));
                let id = format!("dm-{}-{}", pair.0, pair.1);
                if self.pairs.insert(pair) {
                    gathered.take(Fact::Channel(fixed(&id, [pair.0, pair.1].into_iter())));
                }
                (id, sender)
            }
            Some(To::Nowhere(why)) => {
                gathered.take(Fact::Ignored(why));
                return;
            }
            None => {
                gathered.take(Fact::Ignored("messages to nobody that is in the export"));
                return;
            }
        };
        gathered.take(Fact::Event { channel: &channel, time, what: What::Present(&person.to_string()) });
    }
}

fn fixed(id: &str, members: impl Iterator<Item = i64>) -> ChannelFact {
    ChannelFact {
        id: id.to_owned(),
        name: id.to_owned(),
        fixed: true,
        roster: Some(members.map(|user| user.to_string()).collect()),
        ..ChannelFact::default()
    }
}

/// The subscriptions of a recipient: they are in that order.
fn members(realm: &Realm, recipient: i64) -> &[Subscription] {
    let all = &realm.subscriptions;
    let from = all.partition_point(|one| one.recipient < recipient);
    let to = all.partition_point(|one| one.recipient <= recipient);
    &all[from..to]
}

fn subscription(realm: &Realm, recipient: i64, user: i64) -> Option<Subscription> {
    let members = members(realm, recipient);
    members.binary_search_by_key(&user, |one| one.user).ok().map(|place| members[place])
}

/// What the log tells of a member: it is in that order.
fn of_member(log: &[Entry], stream: i64, user: i64) -> &[Entry] {
    let from = log.partition_point(|entry| (entry.stream, entry.user) < (stream, user));
    let to = log.partition_point(|entry| (entry.stream, entry.user) <= (stream, user));
    &log[from..to]
}
