//! Histories as they truly were, what a messy export tells of them, and that conversion finds them again. For tests.
//!
//! At every moment a person truly is a member or is none. Of the joins and leaves an export has some, some twice, and each
//! with a time that is off by less than a second; so have the signs between them. Everything it tells is true.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::fact::{ChannelFact, Fact, Gone, PersonFact, What};
use super::sound::{NOW, holds};
use super::{Choices, Converted, End, Gathered, InferredEnd, InferredStart, People, Start, convert};
use crate::model::Timestamp;

/// Milliseconds between two changes of one person.
const APART: i64 = 10_000;

/// Milliseconds by which a time that is told differs from the true one, at most.
const OFF_MAX: i64 = 999;

/// Changes and signs lie before this.
const CHANGES_END: i64 = 60 * APART;

/// When the channel is archived, if it is.
const ARCHIVED: i64 = CHANGES_END + 5_000;

/// When accounts end, if they do.
const GONE: i64 = CHANGES_END + 15_000;

/// Up to when the end of an account, or of the channel, is known to have come, where no more is told.
const GONE_BY: i64 = CHANGES_END + 35_000;
const ARCHIVED_BY: i64 = CHANGES_END + 45_000;

/// The export's last event.
const LATEST: i64 = CHANGES_END + 60_000;

/// Before and after everything.
const NEVER: i64 = -1_000_000;
const FOREVER: i64 = 2_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_micros((1_577_836_800_000 + ms) * 1_000)
}

/// A join or a leave, in turn.
#[derive(Debug, Clone)]
struct Change {
    time: i64,
    kept: bool,
    off: i64,
    /// It is told twice, the second time that far off.
    again: Option<i64>,
}

/// Something that shows a member.
#[derive(Debug, Clone)]
struct Sign {
    time: i64,
    off: i64,
    /// Not as a message, but as "joined by then".
    by: bool,
}

/// How much is told of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    At,
    By,
    Sometime,
}

#[derive(Debug, Clone)]
struct Person {
    changes: Vec<Change>,
    signs: Vec<Sign>,
    /// Answers in threads, which members and others give.
    replies: Vec<i64>,
    gone: Option<Ending>,
}

#[derive(Debug, Clone)]
struct World {
    people: Vec<Person>,
    /// When the channel was archived for a moment, with a list of its members.
    rosters: Vec<i64>,
    archived: Option<Ending>,
    /// Whether the list of members lacks those whose account has ended, and all of an archived channel.
    emptied: bool,
    /// Whether the export says when the channel was created, and whether it has a list of members.
    created: bool,
    listed: bool,
    /// Whether what it tells comes in no order.
    jumbled: bool,
    choices: Choices,
}

impl World {
    /// Since when the person cannot have been a member any more.
    fn end(&self, person: &Person) -> Option<i64> {
        [self.archived.map(|_| ARCHIVED), person.gone.map(|_| GONE)].into_iter().flatten().min()
    }

    /// Whether that time itself is told; and a time by which the export says that it is over.
    fn end_told(&self, person: &Person) -> (bool, Option<i64>) {
        let archived = self.archived.map(|ending| match ending {
            Ending::At | Ending::Sometime => ARCHIVED,
            Ending::By => ARCHIVED_BY,
        });
        let gone = person.gone.map(|ending| match ending {
            Ending::At => GONE,
            Ending::By => GONE_BY,
            Ending::Sometime => LATEST,
        });
        let exact = match self.archived {
            Some(ending) => ending == Ending::At,
            None => person.gone == Some(Ending::At),
        };
        (exact, archived.into_iter().chain(gone).min())
    }

    /// Whether the person was in then.
    fn is_in(&self, person: &Person, time: i64) -> bool {
        let changes = person.changes.iter().filter(|change| change.time <= time).count();
        changes % 2 == 1 && self.end(person).is_none_or(|end| time < end)
    }

    /// Who made the channel: whoever was there first.
    fn creator(&self) -> Option<usize> {
        self.people.iter().position(|person| person.changes.first().is_some_and(|change| change.time == 0))
    }

    /// What the export tells, as it comes.
    fn told(&self) -> Gathered {
        let name = |place: usize| format!("p{place}");
        let mut events: Vec<(i64, Option<usize>, &str)> = Vec::new();
        // Somebody is always there, so that no list of members is empty, and writes the last message.
        let keeper = self.people.len();
        let last = if self.archived.is_some() { ARCHIVED - 1 } else { LATEST };
        events.extend([(0, Some(keeper), "joined"), (last, Some(keeper), "present")]);
        for (place, person) in self.people.iter().enumerate() {
            for (turn, change) in person.changes.iter().enumerate().filter(|(_, change)| change.kept) {
                let what = if turn % 2 == 0 { "joined" } else { "left" };
                let times = [Some(change.off), change.again].into_iter().flatten();
                events.extend(times.map(|off| (change.time + off, Some(place), what)));
            }
            events.extend(person.replies.iter().map(|time| (*time, Some(place), "replied")));
            let signs = person.signs.iter();
            events.extend(signs.map(|sign| {
                (sign.time + sign.off, Some(place), if sign.by { "joined by" } else { "present" })
            }));
        }
        for roster in &self.rosters {
            events.extend([(*roster, None, "archived"), (*roster + 1_000, None, "back")]);
        }
        if self.archived == Some(Ending::At) {
            events.push((ARCHIVED, None, "archived for good"));
        }
        events.sort_by_key(|(time, ..)| if self.jumbled { time.rem_euclid(1_009) } else { *time });
        let members = |time: i64| -> Vec<String> {
            let people = self.people.iter().enumerate().filter(|(_, person)| self.is_in(person, time));
            people.map(|(place, _)| place).chain([keeper]).map(name).collect()
        };
        let mut gathered = Gathered::new(NOW);
        gathered.next_export();
        // Some lists go on naming accounts that have ended, and members of archived channels; some are emptied of them.
        let roster = match (self.emptied, self.archived) {
            (false, _) => members(ARCHIVED - 1),
            (true, None) => members(LATEST),
            (true, Some(_)) => Vec::new(),
        };
        gathered.take(Fact::Channel(ChannelFact {
            id: "C".to_owned(),
            name: "C".to_owned(),
            created: Some(at(0)).filter(|_| self.created),
            creator: Some(name(self.creator().unwrap_or(keeper))),
            archived: self.archived.is_some(),
            archived_by: Some(at(ARCHIVED_BY)).filter(|_| self.archived == Some(Ending::By)),
            roster: Some(roster).filter(|_| self.listed),
            ..ChannelFact::default()
        }));
        for place in 0..=keeper {
            let gone = self.people.get(place).and_then(|person| person.gone).map(|ending| match ending {
                Ending::At => Gone::At(at(GONE)),
                Ending::By => Gone::By(at(GONE_BY)),
                Ending::Sometime => Gone::Sometime,
            });
            let address = Some(format!("p{place}@a.example"));
            gathered.take(Fact::Person(PersonFact {
                id: name(place),
                address,
                gone,
                ..PersonFact::default()
            }));
        }
        for (time, place, what) in events {
            let who = place.map(name).unwrap_or_default();
            let roster = members(time);
            let what = match what {
                "joined" => What::Joined(&who),
                "joined by" => What::JoinedBy(&who),
                "left" => What::Left(&who),
                "replied" => What::Replied(&who),
                "archived" => What::Archived(&roster),
                "archived for good" => What::Archived(&[]),
                "back" => What::Unarchived,
                _ => What::Present(&who),
            };
            gathered.take(Fact::Event { channel: "C", time: at(time), what });
        }
        gathered
    }

    /// Of each stretch between two changes: whether the person was in, and from when to when the export tells so. That is
    /// from the first thing in it that is told to the last, be it a change at one of its ends, a sign, or a list of members.
    fn known(&self, place: usize) -> Vec<(bool, i64, i64)> {
        let person = &self.people[place];
        let end = self.end(person);
        let (end_exact, end_by) = self.end_told(person);
        let mut bounds: Vec<(i64, bool)> = vec![(NEVER, false)];
        bounds.extend(person.changes.iter().map(|change| (change.time, change.kept)));
        if let Some(end) = end.filter(|end| self.is_in(person, *end - 1)) {
            bounds.push((end, end_exact));
        }
        bounds.push((FOREVER, false));
        let stretches = bounds.windows(2).enumerate().map(|(turn, pair)| {
            let ((begin, begin_told), (end, end_told)) = (pair[0], pair[1]);
            let is_in = turn % 2 == 1;
            let within = |time: i64| begin <= time && time < end;
            // What tells of the whole moment, and what tells only of the time from then on.
            let mut points: Vec<i64> = Vec::new();
            let mut from: Vec<i64> = Vec::new();
            points.extend(Some(begin).filter(|_| begin_told));
            points.extend(Some(end).filter(|_| end_told));
            points.extend(self.rosters.iter().filter(|time| within(**time)));
            if is_in {
                points.extend(
                    person.signs.iter().filter(|sign| !sign.by && within(sign.time)).map(|sign| sign.time),
                );
                from.extend(
                    person.signs.iter().filter(|sign| sign.by && within(sign.time)).map(|sign| sign.time),
                );
                from.extend(Some(0).filter(|_| begin == 0 && self.created && self.creator() == Some(place)));
            }
            match end_by {
                Some(by) => points.extend(Some(by).filter(|by| within(*by) && !is_in)),
                None => points.extend(Some(LATEST).filter(|latest| self.listed && within(*latest))),
            }
            let told = !points.is_empty() || !from.is_empty();
            let first = points.iter().chain(&from).min().copied().filter(|_| begin != NEVER).unwrap_or(NEVER);
            let last =
                if end == FOREVER && told { FOREVER } else { points.iter().max().copied().unwrap_or(NEVER) };
            (is_in, first, if told { last } else { NEVER - 1 })
        });
        stretches.collect()
    }

    fn converted(&self) -> Converted {
        convert(&self.told(), &People::default(), &self.choices, NOW)
    }
}

/// Whether the rows have somebody in at that time.
fn is_in(converted: &Converted, place: usize, time: i64) -> bool {
    let member = format!("users/p{place}@a.example");
    let rows = converted.spaces.iter().flat_map(|space| &space.rows);
    rows.filter(|row| row.member.as_str() == member)
        .any(|row| row.stint.start <= at(time) && row.stint.end.is_none_or(|end| at(time) < end))
}

/// Wherever the export tells whether somebody was in, the rows say the same; times may be off as much as they are told.
fn agrees(world: &World, converted: &Converted) -> TestCaseResult {
    for place in 0..world.people.len() {
        for (inside, first, last) in world.known(place) {
            let (first, last) = (first + OFF_MAX + 1, last - OFF_MAX - 1);
            let spots = [first, first.midpoint(last), last, first + 1_234, first + APART];
            for time in spots.into_iter().filter(|time| first <= *time && *time <= last) {
                let rows = converted.spaces.iter().flat_map(|space| &space.rows);
                let stints: Vec<_> = rows.map(|row| (row.member.as_str(), row.stint)).collect();
                prop_assert_eq!(
                    is_in(converted, place, time),
                    inside,
                    "p{} at {}: {:#?}",
                    place,
                    at(time),
                    stints
                );
            }
        }
    }
    Ok(())
}

fn any_off() -> impl Strategy<Value = i64> {
    -OFF_MAX..=OFF_MAX
}

fn any_ending() -> impl Strategy<Value = Option<Ending>> {
    prop::option::weighted(0.3, prop::sample::select(vec![Ending::At, Ending::By, Ending::Sometime]))
}

prop_compose! {
    fn any_person(kept: f64)(
        slots in prop::collection::btree_set(0..CHANGES_END / APART, 0..8),
        told in prop::collection::vec((prop::bool::weighted(kept), any_off(), prop::option::weighted(0.3, any_off())), 8),
        // Most signs anywhere, some close to a change.
        signs in prop::collection::vec(
            (0..CHANGES_END / APART, prop_oneof![0..APART, 0..300i64, APART - 300..APART], any_off(), prop::bool::weighted(0.2)),
            0..30,
        ),
        replies in prop::collection::vec(0..CHANGES_END, 0..12),
        gone in any_ending(),
    ) -> Person {
        let changes: Vec<Change> = slots
            .into_iter()
            .zip(told)
            .map(|(slot, (kept, off, again))| Change { time: slot * APART, kept, off, again })
            .collect();
        let is_in = |time: i64| changes.iter().filter(|change| change.time <= time).count() % 2 == 1;
        let signs = signs
            .into_iter()
            .map(|(slot, ms, off, by)| Sign { time: slot * APART + ms, off, by })
            .filter(|sign| is_in(sign.time))
            .collect();
        Person { changes, signs, replies, gone }
    }
}

prop_compose! {
    fn any_world(kept: f64, in_order: bool)(
        people in prop::collection::vec(any_person(kept), 1..4),
        rosters in prop::collection::btree_set(0..CHANGES_END / APART, 0..4),
        archived in any_ending(),
        (emptied, created, listed) in any::<(bool, bool, bool)>(),
        (generous, jumbled) in any::<(bool, bool)>(),
    ) -> World {
        let choices = match generous {
            true => Choices { start: InferredStart::ChannelCreated, end: InferredEnd::Latest, ..Choices::default() },
            false => Choices::default(),
        };
        // Halfway between changes, so that what a list says of them is plain.
        let rosters = rosters.into_iter().map(|slot| slot * APART + APART / 2).collect();
        World { people, rosters, archived, emptied, created, listed, jumbled: jumbled && !in_order, choices }
    }
}

proptest! {
    #[test]
    fn where_every_change_is_told_in_any_order_the_rows_are_the_truth(world in any_world(1.0, false)) {
        let converted = world.converted();
        holds(&converted, NOW)?;
        agrees(&world, &converted)?;
        for (place, person) in world.people.iter().enumerate() {
            // Then everything is known, but for what was after an end that is not told.
            let known = world.known(place);
            let all = known.iter().all(|(_, first, last)| first <= last);
            prop_assert!(all || person.changes.is_empty(), "{known:?}");
            let member = format!("users/p{place}@a.example");
            let rows = converted.spaces.iter().flat_map(|space| &space.rows);
            for row in rows.filter(|row| row.member.as_str() == member) {
                prop_assert_eq!(row.stint.start_from, Start::Recorded);
                let exact = matches!(row.stint.end_from, End::Recorded | End::Archived | End::Deactivated | End::OpenRoster);
                let told = world.end(person).map_or(world.listed, |_| world.end_told(person).0);
                prop_assert!(exact || !told, "{:?}", row.stint);
            }
        }
    }

    #[test]
    fn where_some_are_not_told_the_rows_agree_with_all_that_is(world in any_world(0.6, true)) {
        let converted = world.converted();
        holds(&converted, NOW)?;
        agrees(&world, &converted)?;
    }

    #[test]
    fn an_export_that_comes_twice_says_the_same(world in any_world(0.6, true)) {
        let once = world.told();
        let mut twice = world.told();
        for (place, marks) in &once.marks {
            twice.marks.entry(*place).or_default().extend(marks);
        }
        let rows = |gathered: &Gathered| {
            let converted = convert(gathered, &People::default(), &world.choices, NOW);
            converted.spaces.iter().flat_map(|space| &space.rows).map(|row| (row.member.clone(), row.stint)).collect::<Vec<_>>()
        };
        prop_assert_eq!(rows(&once), rows(&twice));
    }
}
