//! Facts gathered as they come, in memory that grows with members and their joins, not with messages.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fact::{ChannelFact, Fact, Gone, PersonFact, What};
use super::reconstruct::{Act, Archiving, Life, Mark, RUN_MAX, compact, is_spare};
use crate::model::{EARLIEST, Timestamp};

/// Marks of one member from which on they are compacted now and then.
const MARKS_MANY: usize = 64;

/// Everything that the exports have said.
#[derive(Debug)]
pub struct Gathered {
    /// In the order in which they were met.
    pub channels: Vec<Channel>,
    /// In the order in which they were met.
    pub people: Vec<Person>,
    /// The marks by channel and person, as their places in these two.
    pub marks: HashMap<(u32, u32), Vec<Mark>>,
    /// What was passed over, and how often.
    pub ignored: BTreeMap<&'static str, u64>,
    /// The latest time in it.
    pub latest: Option<Timestamp>,
    /// Events taken.
    pub events: u64,
    channel_ids: HashMap<String, u32>,
    person_ids: HashMap<String, u32>,
    now: Timestamp,
    /// Which export is being read.
    export: u32,
}

/// A channel, and what was gathered of it.
#[derive(Debug)]
pub struct Channel {
    /// As the export describes it.
    pub fact: ChannelFact,
    /// Whether a list describes it: its id may only be known from events.
    pub listed: bool,
    /// Who is a member at the time of the export, as places; `None` when nobody knows.
    pub roster: Option<HashSet<u32>>,
    /// Each time that it was archived, and who was a member then (empty: not told).
    pub archivings: Vec<(Timestamp, HashSet<u32>)>,
    /// The last time it was taken out of the archive.
    pub unarchived: Option<Timestamp>,
    /// Its first event and its last.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The export that its roster is from.
    roster_of: u32,
}

/// A person, and what was gathered of them.
#[derive(Debug)]
pub struct Person {
    /// As the export describes them.
    pub fact: PersonFact,
    /// Whether a list describes them.
    pub listed: bool,
    /// Their last message in any channel, in threads or not.
    pub last_seen: Option<Timestamp>,
}

impl Channel {
    /// What the rosters at its archivings say of somebody.
    pub(super) fn rosters(&self, person: u32) -> impl Iterator<Item = Mark> {
        let told = self.archivings.iter().filter(|(_, roster)| !roster.is_empty());
        told.map(move |(time, roster)| {
            let act = if roster.contains(&person) { Act::Listed } else { Act::Unlisted };
            Mark { time: *time, act }
        })
    }

    /// When it began and ended. `fallback` is for a channel without a creation time and without events.
    pub fn life(&self, fallback: Timestamp) -> Life {
        let first = self.span.map(|(first, _)| first);
        let begun = match (self.fact.created, first) {
            // It is there when something happens in it, whatever its list says.
            (Some(created), first) => (first.map_or(created, |first| first.min(created)), true),
            (None, first) => (first.unwrap_or(fallback), false),
        };
        let last = self.archivings.iter().map(|(time, _)| *time).max();
        // One that was undone is not the one that counts.
        let last = last.filter(|time| self.unarchived.is_none_or(|back| back < *time));
        let archived = match last {
            Some(time) if self.fact.archived || !self.listed => Some((time, Archiving::Recorded)),
            _ if self.fact.archived => {
                let last = self.span.map_or(begun.0, |(_, last)| last);
                let known = self.fact.archived_by.map(|by| (by, Archiving::By));
                let (time, known) = known.unwrap_or((last, Archiving::NotBefore));
                Some((time.max(begun.0), known))
            }
            _ => None,
        };
        Life { begun, archived, fixed: self.fact.fixed }
    }
}

impl Gathered {
    /// Nothing yet; no time from `now` on is believed.
    pub fn new(now: Timestamp) -> Self {
        Gathered {
            channels: Vec::new(),
            people: Vec::new(),
            marks: HashMap::new(),
            ignored: BTreeMap::new(),
            latest: None,
            events: 0,
            channel_ids: HashMap::new(),
            person_ids: HashMap::new(),
            now,
            export: 0,
        }
    }

    /// Another export begins: the rosters in it replace those before it, while those within one export add up.
    pub fn next_export(&mut self) {
        self.export += 1;
    }

    /// Takes one thing that an export says.
    pub fn take(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Channel(fact) => self.take_channel(fact),
            Fact::Person(mut fact) => {
                if let Some(Gone::At(time) | Gone::By(time)) = fact.gone
                    && !self.is_believable(time)
                {
                    fact.gone = Some(Gone::Sometime);
                }
                let place = self.person(&fact.id);
                let person = &mut self.people[place as usize];
                // A list that comes later is newer, but may have been thinned out.
                let before = std::mem::replace(&mut person.fact, fact);
                let fact = &mut person.fact;
                fact.address = fact.address.take().or(before.address);
                if fact.name.is_empty() {
                    fact.name = before.name;
                }
                person.listed = true;
            }
            Fact::Event { channel, time, what } => self.take_event(channel, time, &what),
            Fact::Ignored(why) => *self.ignored.entry(why).or_default() += 1,
        }
    }

    fn is_believable(&self, time: Timestamp) -> bool {
        is_believable(time, self.now)
    }

    fn take_channel(&mut self, mut fact: ChannelFact) {
        fact.created = fact.created.filter(|time| self.is_believable(*time));
        fact.archived_by = fact.archived_by.filter(|time| self.is_believable(*time));
        let roster: Option<HashSet<u32>> =
            fact.roster.as_ref().map(|ids| ids.iter().map(|id| self.person(id)).collect());
        if let Some(creator) = &fact.creator {
            self.person(creator);
        }
        let place = self.channel(&fact.id);
        let export = self.export;
        let channel = &mut self.channels[place as usize];
        let mut fact = ChannelFact { roster: None, ..fact };
        let before = &channel.fact;
        if channel.listed {
            fact.created = [fact.created, before.created].into_iter().flatten().min();
            fact.creator = fact.creator.or_else(|| before.creator.clone());
            fact.archived_by = fact.archived_by.or(before.archived_by);
            if channel.roster_of == export {
                fact.team.clone_from(&before.team);
            }
        }
        channel.fact = fact;
        channel.listed = true;
        match (roster, &mut channel.roster) {
            (Some(more), Some(roster)) if channel.roster_of == export => roster.extend(more),
            (Some(newer), roster) => *roster = Some(newer),
            (None, _) => {}
        }
        channel.roster_of = export;
    }

    fn take_event(&mut self, channel: &str, time: Timestamp, what: &What<'_>) {
        if !self.is_believable(time) {
            *self.ignored.entry("events before the year 2000 or in the future").or_default() += 1;
            return;
        }
        self.events += 1;
        self.latest = self.latest.max(Some(time));
        let place = self.channel(channel);
        let span = &mut self.channels[place as usize].span;
        *span = Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        let (who, act) = match what {
            What::Joined(who) => (who, Act::Joined),
            What::JoinedBy(who) => (who, Act::JoinedBy),
            What::Left(who) => (who, Act::Left),
            What::Present(who) => (who, Act::Present),
            What::Replied(who) => (who, Act::Replied),
            What::Listed(who) => (who, Act::Listed),
            What::Archived(roster) => {
                let roster: HashSet<u32> = roster.iter().map(|id| self.person(id)).collect();
                self.channels[place as usize].archivings.push((time, roster));
                return;
            }
            What::Unarchived => {
                let back = &mut self.channels[place as usize].unarchived;
                *back = (*back).max(Some(time));
                return;
            }
            What::InUse => return,
        };
        let person = self.person(who);
        if matches!(act, Act::Present | Act::Replied) {
            let seen = &mut self.people[person as usize].last_seen;
            *seen = (*seen).max(Some(time));
        }
        let marks = self.marks.entry((place, person)).or_default();
        // A roster between two signs parts them.
        let rosters = self.channels[place as usize].rosters(person);
        if let Some(last) = marks.last().map(|mark| mark.time) {
            marks.extend(rosters.filter(|roster| last < roster.time && roster.time < time));
        }
        let mark = Mark { time, act };
        let tail = &marks[marks.len().saturating_sub(RUN_MAX)..];
        let in_order = tail.iter().chain([&mark]).is_sorted_by_key(|mark| mark.time);
        let spare = in_order && is_spare(tail, act);
        match marks.last_mut().filter(|_| spare) {
            Some(last) => *last = mark,
            None => marks.push(mark),
        }
        if marks.len() >= MARKS_MANY && marks.len().is_power_of_two() {
            compact(marks);
        }
    }

    fn channel(&mut self, id: &str) -> u32 {
        if let Some(place) = self.channel_ids.get(id) {
            return *place;
        }
        let place = place_of(self.channels.len());
        self.channel_ids.insert(id.to_owned(), place);
        self.channels.push(Channel {
            fact: ChannelFact { id: id.to_owned(), name: id.to_owned(), ..ChannelFact::default() },
            listed: false,
            roster: None,
            archivings: Vec::new(),
            unarchived: None,
            span: None,
            roster_of: 0,
        });
        place
    }

    fn person(&mut self, id: &str) -> u32 {
        if let Some(place) = self.person_ids.get(id) {
            return *place;
        }
        let place = place_of(self.people.len());
        self.person_ids.insert(id.to_owned(), place);
        self.people.push(Person {
            fact: PersonFact { id: id.to_owned(), ..PersonFact::default() },
            listed: false,
            last_seen: None,
        });
        place
    }
}

/// Whether Chat would take a time (import-data guide), with room for the microsecond that parts two.
pub(super) fn is_believable(time: Timestamp, now: Timestamp) -> bool {
    time > EARLIEST && time < now
}

/// Memory ends long before these numbers do.
fn place_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros((1_577_836_800 + second) * 1_000_000)
    }

    fn gathered(events: &[(i64, What<'_>)]) -> Gathered {
        let mut gathered = Gathered::new(at(1_000_000));
        for (second, what) in events {
            gathered.take(Fact::Event { channel: "C", time: at(*second), what: what.clone() });
        }
        gathered
    }

    #[test]
    fn memory_does_not_grow_with_messages() {
        let mut gathered = Gathered::new(at(1_000_000));
        // In their order, and in none.
        for second in (0..50_000).chain((0..50_000).map(|second| second * 7919 % 50_000)) {
            let what = match second % 7 {
                0 => What::Listed("U"),
                1..=3 => What::Replied("U"),
                _ => What::Present("U"),
            };
            gathered.take(Fact::Event { channel: "C", time: at(second), what });
        }
        assert!(gathered.marks[&(0, 0)].len() < 2 * MARKS_MANY);
        assert_eq!((gathered.events, gathered.latest), (100_000, Some(at(49_999))));
    }

    #[test]
    fn signs_that_come_late_take_nothing_from_the_others() {
        let gathered = gathered(&[5, 50, 90, 20, 30, 40].map(|second| (second, What::Present("U"))));
        let times = |second| gathered.marks[&(0, 0)].iter().any(|mark| mark.time == at(second));
        assert!(times(5) && times(50) && times(90) && gathered.people[0].last_seen == Some(at(90)));
    }

    #[test]
    fn what_no_chat_can_have_seen_is_not_believed() {
        let gathered = gathered(&[(2_000_000, What::Joined("U")), (-1_000_000_000, What::Left("U"))]);
        assert_eq!(gathered.marks.len(), 0);
        assert_eq!(gathered.ignored.values().sum::<u64>(), 2);
    }

    #[test]
    fn an_archiving_counts_until_it_is_undone() {
        let archived_by = |listed: bool, events: &[(i64, What<'_>)]| {
            let mut gathered = gathered(events);
            if listed {
                gathered.take(Fact::Channel(ChannelFact {
                    id: "C".to_owned(),
                    created: Some(at(5)),
                    archived: true,
                    archived_by: Some(at(90)),
                    ..ChannelFact::default()
                }));
            }
            let life = gathered.channels[0].life(at(0));
            (life.begun, life.archived)
        };
        let once = [(10, What::Archived(&[]))];
        let undone = [(10, What::Archived(&[])), (20, What::Unarchived)];
        assert_eq!(archived_by(true, &once), ((at(5), true), Some((at(10), Archiving::Recorded))));
        assert_eq!(archived_by(true, &undone), ((at(5), true), Some((at(90), Archiving::By))));
        assert_eq!(archived_by(false, &once), ((at(10), false), Some((at(10), Archiving::Recorded))));
        assert_eq!(archived_by(false, &undone), ((at(10), false), None));
    }

    #[test]
    fn rosters_add_up_within_an_export_and_are_replaced_by_the_next() {
        let mut gathered = Gathered::new(at(0));
        let mut roster = |next: bool, ids: &[&str]| {
            if next {
                gathered.next_export();
            }
            let roster = Some(ids.iter().map(|id| (*id).to_owned()).collect());
            gathered.take(Fact::Channel(ChannelFact {
                id: "C".to_owned(),
                roster,
                ..ChannelFact::default()
            }));
            gathered.channels[0].roster.as_ref().map(HashSet::len)
        };
        assert_eq!(roster(true, &["U1"]), Some(1));
        assert_eq!(roster(false, &["U2", "U1"]), Some(2));
        assert_eq!(roster(true, &["U3"]), Some(1));
    }
}
