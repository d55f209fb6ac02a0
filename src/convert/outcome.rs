//! From everything gathered to rows and channels. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fact::{ChannelFact, Standing};
use super::gather::Gathered;
use super::people::People;
use super::reconstruct::{
    End, Guessing, InferredEnd, InferredStart, Known, Roster, Start, Stint, reconstruct,
};
use crate::model::{DISPLAY_NAME_CHARS_MAX, MemberName, Timestamp, suffixed};
use crate::wording::shorten;

/// How facts become rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices {
    /// Leave out stints of which one end is a guess.
    pub only_recorded: bool,
    /// Where missing joins are put.
    pub start: InferredStart,
    /// Where missing leaves are put.
    pub end: InferredEnd,
}

impl Choices {
    /// Whether a stint is to become a row, whoever's it is.
    fn take(&self, stint: &Stint) -> bool {
        !(self.only_recorded && stint.is_guess())
    }
}

/// A channel that becomes a space.
#[derive(Debug, Clone)]
pub struct Space {
    /// Its name in the rows and in the list of channels: unique.
    pub name: String,
    /// What people will see: the same, but no longer than Chat takes, and unique as well. A group chat shows none.
    pub title: String,
    /// The channel as its export describes it; its roster is not kept.
    pub fact: ChannelFact,
    /// When it begins: no later than anything in it.
    pub begun: Timestamp,
    /// Whether somebody from outside was ever in it.
    pub external: bool,
    /// Its rows, by member and time.
    pub rows: Vec<Row>,
    /// Stints left out because an end of them is a guess, whoever's they are.
    pub dropped: u64,
}

impl Space {
    /// Whether its name is too long to be shown as it is.
    pub fn is_shortened(&self) -> bool {
        !self.fact.fixed && is_too_long(&self.name)
    }
}

/// A stint of a member.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who, to Google.
    pub member: MemberName,
    /// Who, in the legacy system: the place among its people.
    pub person: u32,
    /// What they are.
    pub standing: Standing,
    /// Since when, until when, and why.
    pub stint: Stint,
}

/// Somebody whose address nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nameless {
    /// The legacy id.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// How many stints are left out for it.
    pub stints: u64,
}

/// What came of a conversion.
#[derive(Debug, Default)]
pub struct Converted {
    /// In the order of their names.
    pub spaces: Vec<Space>,
    /// Those without an address, who hold most first.
    pub nameless: Vec<Nameless>,
    /// Stints of programs, left out: of all of them, or of those without an address.
    pub of_bots: u64,
    /// Joins and leaves that repeat another.
    pub repeated: u64,
    /// Times that somebody answered in threads of a channel without being a member.
    pub outside: u64,
    /// Stints of two accounts of one person that overlap, and became one.
    pub merged: u64,
}

/// Turns facts into rows.
pub fn convert(gathered: &Gathered, people: &People, choices: &Choices, now: Timestamp) -> Converted {
    let latest = gathered.latest.unwrap_or(now);
    let guessing = Guessing { start: choices.start, end: choices.end, latest };
    let mut converted = Converted::default();
    let mut nameless: HashMap<u32, u64> = HashMap::new();
    let resolved: Vec<Option<(MemberName, Standing)>> = gathered
        .people
        .iter()
        .map(|person| {
            let member = people.member(&person.fact)?;
            let standing = people.standing(&person.fact, &member);
            Some((member, standing))
        })
        .collect();
    let mut by_channel: Vec<Vec<u32>> = vec![Vec::new(); gathered.channels.len()];
    for (channel, person) in gathered.marks.keys() {
        by_channel[*channel as usize].push(*person);
    }
    let names = names(gathered);
    let titles = titles(&names);
    for ((place, channel), mut members) in (0..).zip(&gathered.channels).zip(by_channel) {
        let life = channel.life(latest);
        members.extend(channel.roster.iter().flatten());
        members.extend(channel.archivings.iter().flat_map(|(_, roster)| roster));
        members.sort_unstable();
        members.dedup();
        let mut space = Space {
            name: names[place as usize].clone(),
            title: if channel.fact.fixed { String::new() } else { titles[place as usize].clone() },
            fact: channel.fact.clone(),
            begun: life.begun.0,
            external: channel.fact.shared,
            rows: Vec::new(),
            dropped: 0,
        };
        for person in members {
            let known_of = &gathered.people[person as usize];
            let mut marks = gathered.marks.get(&(place, person)).cloned().unwrap_or_default();
            marks.extend(channel.rosters(person));
            let roster = match &channel.roster {
                None => Roster::Unknown,
                Some(roster) if roster.contains(&person) => Roster::On,
                Some(_) => Roster::Off,
            };
            let known = Known {
                life,
                marks: &marks,
                roster,
                creator: channel.fact.creator.as_ref() == Some(&known_of.fact.id),
                gone: known_of.fact.gone,
                last_seen: known_of.last_seen,
            };
            let outcome = reconstruct(&known, &guessing);
            converted.repeated += outcome.repeated;
            converted.outside += outcome.outside;
            let is_bot = known_of.fact.standing == Standing::Bot;
            let whose = resolved[person as usize].as_ref().filter(|_| people.bots || !is_bot);
            let Some((member, standing)) = whose else {
                // Those alone that are left out for whose they are.
                let count = outcome.stints.iter().filter(|stint| choices.take(stint)).count() as u64;
                space.dropped += outcome.stints.len() as u64 - count;
                if is_bot {
                    converted.of_bots += count;
                } else if count > 0 {
                    *nameless.entry(person).or_default() += count;
                }
                continue;
            };
            space.external |=
                !outcome.stints.is_empty() && matches!(standing, Standing::Guest | Standing::External);
            space.rows.extend(outcome.stints.into_iter().map(|stint| Row {
                member: member.clone(),
                person,
                standing: *standing,
                stint,
            }));
        }
        converted.merged += merge(&mut space.rows);
        let all = space.rows.len();
        space.rows.retain(|row| choices.take(&row.stint));
        space.dropped += (all - space.rows.len()) as u64;
        space.begun = space
            .rows
            .iter()
            .map(|row| row.stint.start)
            .min()
            .map_or(space.begun, |first| first.min(space.begun));
        converted.spaces.push(space);
    }
    converted.spaces.sort_by(|a, b| a.name.cmp(&b.name));
    converted.nameless = nameless
        .into_iter()
        .map(|(person, stints)| {
            let fact = &gathered.people[person as usize].fact;
            Nameless { id: fact.id.clone(), name: fact.name.clone(), stints }
        })
        .collect();
    converted.nameless.sort_unstable_by(|a, b| b.stints.cmp(&a.stints).then_with(|| a.cmp(b)));
    converted
}

/// Names that are told apart: by the team where that helps, else by the id.
fn names(gathered: &Gathered) -> Vec<String> {
    let plain: Vec<String> = gathered
        .channels
        .iter()
        .map(|channel| {
            if channel.fact.name.trim().is_empty() {
                channel.fact.id.clone()
            } else {
                channel.fact.name.clone()
            }
        })
        .collect();
    let with_team: Vec<String> = plain
        .iter()
        .zip(&gathered.channels)
        .map(|(name, channel)| match channel.fact.team.as_str() {
            "" => name.clone(),
            team => format!("{team}/{name}"),
        })
        .collect();
    let count = |names: &[String]| {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        names.iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
        counts
    };
    let (of_plain, of_team) = (count(&plain), count(&with_team));
    let mut names: Vec<String> = (0..plain.len())
        .map(|place| match (of_plain[&plain[place]], of_team[&with_team[place]]) {
            (1, _) => plain[place].clone(),
            _ => with_team[place].clone(),
        })
        .collect();
    let counts = count(&names);
    for (name, channel) in names.iter_mut().zip(&gathered.channels) {
        if counts[name] > 1 {
            *name = format!("{name} ({})", channel.fact.id);
        }
    }
    names
}

/// As `spaces create` counts.
fn is_too_long(name: &str) -> bool {
    name.trim().chars().count() > DISPLAY_NAME_CHARS_MAX
}

/// What people see of names that are told apart: what is too long for Chat is shortened, and told apart by a number where
/// that has made it like another.
fn titles(names: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = names.iter().filter(|name| !is_too_long(name)).cloned().collect();
    let mut title = |name: &String| {
        if !is_too_long(name) {
            return name.clone();
        }
        let short = shorten(name.trim(), DISPLAY_NAME_CHARS_MAX);
        let numbered = (2..).map(|number| suffixed(&short, number));
        let title = std::iter::once(short.clone()).chain(numbered).find(|title| !taken.contains(title));
        let title = title.unwrap_or(short);
        taken.insert(title.clone());
        title
    };
    names.iter().map(&mut title).collect()
}

/// Puts rows in order, and makes one of those of one member that overlap: two accounts of one person. Says how many went.
fn merge(rows: &mut Vec<Row>) -> u64 {
    rows.sort_by(|a, b| a.member.cmp(&b.member).then(a.stint.start.cmp(&b.stint.start)));
    let before = rows.len();
    let mut kept: Vec<Row> = Vec::with_capacity(before);
    for row in rows.drain(..) {
        match kept.last_mut() {
            Some(last)
                if last.member == row.member && last.stint.end.is_none_or(|end| row.stint.start < end) =>
            {
                let later = match (last.stint.end, row.stint.end) {
                    (None, _) => false,
                    (Some(_), None) => true,
                    (Some(one), Some(other)) => other > one,
                };
                if later {
                    (last.stint.end, last.stint.end_from) = (row.stint.end, row.stint.end_from);
                }
            }
            _ => kept.push(row),
        }
    }
    *rows = kept;
    (before - rows.len()) as u64
}

/// How many ends of stints come from where: beginnings and ends.
pub(super) fn evidence<'a>(
    rows: impl Iterator<Item = &'a Row>,
) -> (BTreeMap<Start, u64>, BTreeMap<End, u64>) {
    let (mut starts, mut ends) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        *starts.entry(row.stint.start_from).or_default() += 1;
        *ends.entry(row.stint.end_from).or_default() += 1;
    }
    (starts, ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::fact::{Fact, PersonFact, What};

    #[test]
    fn long_names_are_shortened_and_stay_apart() {
        let fits = "ü".repeat(DISPLAY_NAME_CHARS_MAX);
        let long = |end: &str| format!("{fits}{end}");
        let shortened = format!("{}…", "ü".repeat(DISPLAY_NAME_CHARS_MAX - 1));
        let names = [long(" one"), fits.clone(), long(" two"), long("  ").repeat(2), long("  ")];
        let titles = titles(&names);
        let numbered = |number: u32| suffixed(&fits, number);
        assert_eq!(titles, [shortened.clone(), fits.clone(), numbered(2), numbered(3), long("  ")]);
        // Somebody's real name is left alone, even if it looks like a shortened one.
        assert_eq!(super::titles(&[long(" one"), shortened.clone()]), [numbered(2), shortened]);
        assert!(titles.iter().all(|title| !is_too_long(title)));
    }

    /// In one channel: a person with a recorded stint and one with a guess, and a program of each kind; none has an
    /// address but the second program.
    fn gathered() -> Gathered {
        let at = |second: i64| Timestamp::from_micros((1_577_836_800 + second) * 1_000_000);
        let mut gathered = Gathered::new(at(1_000));
        let people = [
            ("recorded", Standing::Member, None),
            ("guessed", Standing::Member, None),
            ("bot", Standing::Bot, None),
            ("mailbot", Standing::Bot, Some("mailbot@harbor.example")),
        ];
        for (id, standing, address) in people {
            let address = address.map(str::to_owned);
            gathered.take(Fact::Person(PersonFact {
                id: id.to_owned(),
                standing,
                address,
                ..PersonFact::default()
            }));
        }
        for (second, what) in [
            (10, What::Joined("recorded")),
            (20, What::Left("recorded")),
            (30, What::Present("guessed")),
            (40, What::Joined("bot")),
            (50, What::Left("bot")),
            (60, What::Present("mailbot")),
        ] {
            gathered.take(Fact::Event { channel: "quay", time: at(second), what });
        }
        gathered
    }

    #[test]
    fn what_is_left_out_counts_under_the_reason_that_leaves_it_out() {
        let gathered = gathered();
        let counts = |bots: bool, only_recorded: bool| {
            let people = People { bots, ..People::default() };
            let choices = Choices { only_recorded, ..Choices::default() };
            let converted = convert(&gathered, &people, &choices, Timestamp::now());
            let nameless: Vec<String> = converted.nameless.into_iter().map(|person| person.id).collect();
            let space = &converted.spaces[0];
            (nameless.join(" "), converted.of_bots, space.dropped, space.rows.len())
        };
        assert_eq!(counts(false, false), ("guessed recorded".to_owned(), 2, 0, 0));
        assert_eq!(counts(false, true), ("recorded".to_owned(), 1, 2, 0));
        // A program without an address is no person without one.
        assert_eq!(counts(true, false), ("guessed recorded".to_owned(), 1, 0, 1));
        assert_eq!(counts(true, true), ("recorded".to_owned(), 1, 2, 0));
    }
}
