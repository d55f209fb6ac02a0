use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A day of January 2020, in seconds of which the tests count.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_577_836_800 + seconds) * 1_000_000)
}

fn marks(text: &str) -> Vec<Mark> {
    text.split_whitespace()
        .map(|word| {
            let act = match &word[..1] {
                "J" => Act::Joined,
                "B" => Act::JoinedBy,
                "L" => Act::Left,
                "P" => Act::Present,
                "Y" => Act::Replied,
                "R" => Act::Listed,
                "U" => Act::Unlisted,
                other => panic!("{other}"),
            };
            Mark { time: at(word[1..].parse().unwrap()), act }
        })
        .collect()
}

const LIVE: Life =
    Life { begun: (Timestamp::from_micros(1_577_836_800_000_000), true), archived: None, fixed: false };
const GUESSING: Guessing = Guessing {
    start: InferredStart::FirstMessage,
    end: InferredEnd::LastMessage,
    latest: Timestamp::from_micros((1_577_836_800 + 10_000) * 1_000_000),
};

fn known(marks: &[Mark], roster: Roster) -> Known<'_> {
    Known { life: LIVE, marks, roster, creator: false, gone: None, last_seen: None }
}

/// Stints as `begin(why)-end(why)`, in seconds since the channel's creation; a microsecond more is a `+`.
fn shown(outcome: &Outcome) -> String {
    let number = |time: Timestamp| {
        let micros = time.as_micros() - at(0).as_micros();
        let more = if micros % 1_000_000 == 0 { "" } else { "+" };
        format!("{}{more}", micros.div_euclid(1_000_000))
    };
    let stints: Vec<String> = outcome
        .stints
        .iter()
        .map(|stint| {
            let end = stint.end.map_or("…".to_owned(), number);
            format!("{}({:?})-{end}({:?})", number(stint.start), stint.start_from, stint.end_from)
        })
        .collect();
    stints.join(" ")
}

fn stints(text: &str, roster: Roster) -> String {
    let marks = marks(text);
    shown(&reconstruct(&known(&marks, roster), &GUESSING))
}

#[test]
fn the_rules_one_by_one() {
    use Roster::{Off, On, Unknown};
    for (marks, roster, expected) in [
        ("", Off, ""),
        ("", Unknown, ""),
        ("", On, "0(ChannelCreated)-…(OpenRoster)"),
        ("J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("L20 J10", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L20 J30", On, "10(Recorded)-20(Recorded) 30(Recorded)-…(OpenRoster)"),
        ("J10", Unknown, "10(Recorded)-…(OpenUnknown)"),
        // A leave is missing.
        ("J10 P15 P20", Off, "10(Recorded)-20+(LastMessage)"),
        ("J10", Off, "10(Recorded)-10000(NotOnRoster)"),
        ("J10 P15 J30", On, "10(Recorded)-15+(LastMessage) 30(Recorded)-…(OpenRoster)"),
        ("J10 J30", On, "10(Recorded)-30(NextJoin) 30(Recorded)-…(OpenRoster)"),
        ("J10 R20 J30", On, "10(Recorded)-20(LastRoster) 30(Recorded)-…(OpenRoster)"),
        ("J10 P12 U20", Off, "10(Recorded)-12+(LastMessage)"),
        ("J10 U20", Off, "10(Recorded)-20(NotOnRoster)"),
        // A join is missing.
        ("P15 P20", On, "15(FirstMessage)-…(OpenRoster)"),
        ("P15 L20", Off, "15(FirstMessage)-20(Recorded)"),
        ("L20", Off, "0(ChannelCreated)-20(Recorded)"),
        ("R20", On, "0(ChannelCreated)-…(OpenRoster)"),
        ("R0 L20", Off, "0(ChannelCreated)-20(Recorded)"),
        ("L0", Off, "-1+(ItsEnd)-0(Recorded)"),
        ("B20", On, "20(JoinedBy)-…(OpenRoster)"),
        ("P15 B20 L30", Off, "15(FirstMessage)-30(Recorded)"),
        ("J10 B20 L30 B40", On, "10(Recorded)-30(Recorded) 40(JoinedBy)-…(OpenRoster)"),
        ("J5 L10 L20", Off, "5(Recorded)-10(Recorded) 10(PreviousLeave)-20(Recorded)"),
        ("J5 L10 P15 L20", Off, "5(Recorded)-10(Recorded) 15(FirstMessage)-20(Recorded)"),
        ("J5 L10", On, "5(Recorded)-10(Recorded) 10(PreviousLeave)-…(OpenRoster)"),
        // A reply of a member is a message.
        ("J10 Y15", Off, "10(Recorded)-15+(LastMessage)"),
        ("J10 P12 Y15 J30", On, "10(Recorded)-15+(LastMessage) 30(Recorded)-…(OpenRoster)"),
        ("P10 Y15", Off, "10(FirstMessage)-15+(LastMessage)"),
        // One from outside makes nobody a member,
        ("Y10 Y20", Off, ""),
        ("Y10 Y20", Unknown, ""),
        ("Y10 U20", Unknown, ""),
        ("Y10 J20", On, "20(Recorded)-…(OpenRoster)"),
        ("Y10 P20", On, "20(FirstMessage)-…(OpenRoster)"),
        ("Y10 B20", On, "20(JoinedBy)-…(OpenRoster)"),
        ("J10 L20 Y30", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L20 Y21 L21", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L20 Y30 J40", On, "10(Recorded)-20(Recorded) 40(Recorded)-…(OpenRoster)"),
        // but tells since when somebody is one of whom nothing else tells it.
        ("Y10 Y20", On, "10(FirstReply)-…(OpenRoster)"),
        ("Y10 L20", Off, "10(FirstReply)-20(Recorded)"),
        ("Y10 R20", On, "10(FirstReply)-…(OpenRoster)"),
        ("Y10 Y15 R20 P30", Off, "10(FirstReply)-30+(LastMessage)"),
        ("J5 L10 Y15", On, "5(Recorded)-10(Recorded) 15(FirstReply)-…(OpenRoster)"),
        // Before the channel's creation.
        ("J-1 L20", Off, "-1(Recorded)-20(Recorded)"),
        ("L-5", Off, "-6+(ItsEnd)--5(Recorded)"),
        // Written twice, or a second apart.
        ("J10 J10 L20 L20", Off, "10(Recorded)-20(Recorded)"),
        ("J10 J11 L20 L21", Off, "10(Recorded)-20(Recorded)"),
        ("P9 J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("R9 J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("J5 Y7 U8 R9 J10", On, "5(Recorded)-7+(LastMessage) 10(Recorded)-…(OpenRoster)"),
        ("J10 L10 J10 L10", Off, "10(Recorded)-10+(Recorded)"),
    ] {
        assert_eq!(stints(marks, roster), expected, "{marks} {roster:?}");
    }
}

#[test]
fn a_roster_alone_tells_of_a_member_and_of_nothing_else() {
    let mut silent = known(&[], Roster::On);
    silent.life.begun = (GUESSING.latest, false);
    let said = shown(&reconstruct(&silent, &GUESSING));
    assert!(said.ends_with("(OnlyRoster)-…(OpenRoster)"), "{said}");
}

#[test]
fn archives_and_accounts_end_stints() {
    let some = marks("J10 P30");
    let shown_with = |change: fn(&mut Known<'_>)| {
        let mut known = known(&some, Roster::On);
        change(&mut known);
        shown(&reconstruct(&known, &GUESSING))
    };
    for (change, expected) in [
        (
            (|known| known.life.archived = Some((at(50), Archiving::Recorded))) as fn(&mut Known<'_>),
            "10(Recorded)-50(Archived)",
        ),
        (|known| known.life.archived = Some((at(50), Archiving::By)), "10(Recorded)-50(ArchivedBy)"),
        (|known| known.life.archived = Some((at(50), Archiving::NotBefore)), "10(Recorded)-50(LastEvent)"),
        // Whoever wrote later was there later.
        (|known| known.life.archived = Some((at(20), Archiving::By)), "10(Recorded)-30+(ArchivedBy)"),
        (|known| known.gone = Some(Gone::At(at(40))), "10(Recorded)-40(Deactivated)"),
        (|known| known.gone = Some(Gone::Sometime), "10(Recorded)-30+(LastMessage)"),
        (
            |known| {
                known.gone = Some(Gone::By(at(40)));
                known.life.archived = Some((at(50), Archiving::Recorded));
            },
            "10(Recorded)-40(DeactivatedBy)",
        ),
    ] {
        assert_eq!(shown_with(change), expected);
    }
    let joined = marks("J10");
    let silent = Known { gone: Some(Gone::Sometime), last_seen: Some(at(77)), ..known(&joined, Roster::On) };
    assert_eq!(shown(&reconstruct(&silent, &GUESSING)), "10(Recorded)-77+(LastSeen)");
    // A roster that goes on listing whom it has lost.
    let left = marks("J10 L60");
    let known = Known { gone: Some(Gone::By(at(40))), ..known(&left, Roster::On) };
    assert_eq!(shown(&reconstruct(&known, &GUESSING)), "10(Recorded)-60(Recorded)");
}

#[test]
fn who_cannot_leave_was_there_from_the_beginning() {
    let wrote = marks("P30");
    let mut known = known(&wrote, Roster::On);
    known.creator = true;
    assert_eq!(shown(&reconstruct(&known, &GUESSING)), "0(Creator)-…(OpenRoster)");
    known.life.fixed = true;
    assert_eq!(shown(&reconstruct(&known, &GUESSING)), "0(Founding)-…(OpenRoster)");
    // Also who wrote the very first message.
    let wrote = marks("P0");
    known.marks = &wrote;
    assert_eq!(shown(&reconstruct(&known, &GUESSING)), "0(Founding)-…(OpenRoster)");
}

#[test]
fn of_signs_in_a_row_the_first_and_the_last_tell_everything() {
    let mut signs = marks("P10 R20 P30 R40 L50 R60 P70 R80 P90");
    let outcome = reconstruct(&known(&signs, Roster::Off), &GUESSING);
    compact(&mut signs);
    assert_eq!(signs, marks("P10 R40 L50 R60 P90"));
    assert_eq!(reconstruct(&known(&signs, Roster::Off), &GUESSING), outcome);
}

#[test]
fn stretches_of_replies_from_outside_are_counted() {
    use Roster::{Off, On};
    for (text, roster, expected) in [
        ("J10 Y15 L20", Off, 0),
        ("Y10 Y11 Y12", Off, 1),
        ("Y10 Y12", On, 0),
        ("Y10 J20 Y25 L30 Y40 Y50", Off, 2),
        ("J10 L20 Y30 P40", Off, 1),
        ("Y10 L20", Off, 0),
        // A join is told a moment after what it was for.
        ("Y10 J11", On, 0),
        ("L0 Y4 B6 J8", On, 1),
    ] {
        let marks = marks(text);
        assert_eq!(reconstruct(&known(&marks, roster), &GUESSING).outside, expected, "{text}");
    }
}

#[test]
fn the_other_rules_of_guessing() {
    let generous = Guessing { start: InferredStart::ChannelCreated, end: InferredEnd::Latest, ..GUESSING };
    for (text, roster, expected) in [
        ("P15", Roster::Off, "0(ChannelCreated)-10000(NotOnRoster)"),
        ("J10 P15 J30 L40", Roster::Off, "10(Recorded)-30(NextJoin) 30(Recorded)-40(Recorded)"),
        ("J10 L20 P30", Roster::On, "10(Recorded)-20(Recorded) 20(PreviousLeave)-…(OpenRoster)"),
        ("Y10", Roster::Off, ""),
        ("Y10", Roster::On, "0(ChannelCreated)-…(OpenRoster)"),
    ] {
        let marks = marks(text);
        assert_eq!(shown(&reconstruct(&known(&marks, roster), &generous)), expected, "{text}");
    }
}

fn any_marks() -> impl Strategy<Value = Vec<Mark>> {
    let act = prop_oneof![
        Just(Act::Joined),
        Just(Act::JoinedBy),
        Just(Act::Left),
        Just(Act::Present),
        Just(Act::Replied),
        Just(Act::Listed),
        Just(Act::Unlisted)
    ];
    let mark = (-3i64..40, act).prop_map(|(second, act)| Mark { time: at(second), act });
    prop::collection::vec(mark, 0..24)
}

/// In their order; no two of one instant, which would be put apart.
fn marks_apart() -> impl Strategy<Value = Vec<Mark>> {
    any_marks().prop_map(|mut marks| {
        marks.sort_by_key(|mark| mark.time);
        marks.dedup_by_key(|mark| mark.time);
        marks
    })
}

fn any_gone() -> impl Strategy<Value = Option<Gone>> {
    prop_oneof![
        Just(None),
        Just(Some(Gone::Sometime)),
        (0i64..60).prop_map(|second| Some(Gone::At(at(second)))),
        (0i64..60).prop_map(|second| Some(Gone::By(at(second)))),
    ]
}

prop_compose! {
    fn any_life()(archived in prop::option::of((0i64..60, 0usize..3)), told: bool, fixed: bool) -> Life {
        let known = |which| [Archiving::Recorded, Archiving::By, Archiving::NotBefore][which];
        Life { begun: (at(0), told), archived: archived.map(|(second, which)| (at(second), known(which))), fixed }
    }
}

fn any_roster() -> impl Strategy<Value = Roster> {
    prop_oneof![Just(Roster::Unknown), Just(Roster::On), Just(Roster::Off)]
}

/// The finest distance that putting marks apart may make, for as many as there are.
fn near(one: Timestamp, other: Timestamp) -> bool {
    (one.as_micros() - other.as_micros()).abs() <= 100
}

proptest! {
    #[test]
    fn stints_never_overlap_and_lose_nothing_recorded(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
        generous: bool,
    ) {
        let mut guessing = GUESSING;
        if generous {
            guessing.start = InferredStart::ChannelCreated;
            guessing.end = InferredEnd::Latest;
        }
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let outcome = reconstruct(&known, &guessing);
        let stints = &outcome.stints;
        for stint in stints {
            prop_assert!(stint.end.is_none_or(|end| stint.start < end), "{}", shown(&outcome));
        }
        for pair in stints.windows(2) {
            prop_assert!(pair[0].end.is_some_and(|end| end <= pair[1].start), "{}", shown(&outcome));
        }
        // Every join begins a stint, every leave ends one, unless it repeats another.
        for mark in &marks {
            let repeats = |other: &Mark| {
                let early = mark.time.as_micros() - other.time.as_micros();
                other.act == mark.act && other != mark && (0..=2_000_100).contains(&early)
            };
            let appears = match mark.act {
                Act::Joined => stints.iter().any(|s| s.start_from == Start::Recorded && near(s.start, mark.time)),
                Act::Left => stints.iter().any(|s| s.end_from == End::Recorded && s.end.is_some_and(|end| near(end, mark.time))),
                Act::Present | Act::Listed => {
                    let from = |s: &Stint| s.start.as_micros() - 2_000_100;
                    stints.iter().any(|s| {
                        from(s) <= mark.time.as_micros() && s.end.is_none_or(|end| mark.time <= end || near(end, mark.time))
                    })
                }
                Act::JoinedBy => stints.iter().any(|s| s.start.as_micros() - 2_000_100 <= mark.time.as_micros()),
                Act::Unlisted | Act::Replied => true,
            };
            prop_assert!(appears || marks.iter().any(repeats), "{mark:?}: {}", shown(&outcome));
        }
        // Nobody is in an archived channel, or without an account; whoever is on the roster of a live one is in it.
        let open = stints.last().is_some_and(|stint| stint.end.is_none());
        if life.archived.is_some() || gone.is_some() {
            prop_assert!(!open);
        } else if roster != Roster::Unknown {
            prop_assert_eq!(open, roster == Roster::On);
        }
    }

    #[test]
    fn replies_alone_make_no_stint_and_move_no_end_that_is_recorded(
        marks in marks_apart(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
    ) {
        // A roster that goes on listing whom it has lost is held against the last end, which may be a guess.
        let over = life.archived.is_some() || gone.is_some();
        let roster = if over && roster == Roster::On { Roster::Off } else { roster };
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let silent: Vec<Mark> = marks.iter().copied().filter(|mark| mark.act != Act::Replied).collect();
        let (with, without) = (reconstruct(&known, &GUESSING), reconstruct(&Known { marks: &silent, ..known }, &GUESSING));
        prop_assert!(with.stints.len() <= without.stints.len(), "{} | {}", shown(&with), shown(&without));
        let recorded = |outcome: &Outcome| {
            let starts = outcome.stints.iter().filter(|s| s.start_from == Start::Recorded).map(|s| s.start);
            let ends = outcome.stints.iter().filter(|s| s.end_from == End::Recorded).filter_map(|s| s.end);
            starts.chain(ends).collect::<Vec<_>>()
        };
        for (one, other) in recorded(&with).into_iter().zip(recorded(&without)) {
            prop_assert!(near(one, other), "{} | {}", shown(&with), shown(&without));
        }
        // Each reply lies within a stint, or is one of those from outside.
        let within = |time: Timestamp| with.stints.iter().any(|stint| {
            stint.start.as_micros() - 2_000_100 <= time.as_micros()
                && stint.end.is_none_or(|end| time <= end || near(time, end))
        });
        let outside = marks.iter().any(|mark| mark.act == Act::Replied && !within(mark.time));
        prop_assert!(!outside || with.outside > 0, "{} of {marks:?}", shown(&with));
    }

    #[test]
    fn compacting_loses_nothing(
        marks in marks_apart(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
    ) {
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        prop_assert_eq!(walk(&known, &marks, &GUESSING), reconstruct(&known, &GUESSING));
    }

    #[test]
    fn replaying_what_was_recorded_reproduces_the_roster_at_any_time(
        changes in prop::collection::btree_set(0i64..400, 0..12),
        messages in prop::collection::btree_set(0i64..400, 0..40),
    ) {
        // Each change, 5 s apart at least, is a join or a leave in turn.
        let changes: Vec<i64> = changes.iter().map(|second| second * 5).collect();
        let inside = |second: i64| changes.iter().filter(|change| **change <= second).count() % 2 == 1;
        let mut marks: Vec<Mark> = changes
            .iter()
            .enumerate()
            .map(|(turn, second)| {
                let act = if turn % 2 == 0 { Act::Joined } else { Act::Left };
                Mark { time: at(*second), act }
            })
            .collect();
        let wrote: BTreeSet<i64> = messages.iter().map(|second| second * 5 + 1).filter(|second| inside(*second)).collect();
        marks.extend(wrote.iter().map(|second| Mark { time: at(*second), act: Act::Present }));
        let roster = if changes.len() % 2 == 1 { Roster::On } else { Roster::Off };
        let outcome = reconstruct(&known(&marks, roster), &GUESSING);
        for second in 0..2100 {
            let replayed = outcome
                .stints
                .iter()
                .any(|stint| stint.start <= at(second) && stint.end.is_none_or(|end| at(second) < end));
            prop_assert_eq!(replayed, inside(second), "at {}: {}", second, shown(&outcome));
        }
        prop_assert!(outcome.stints.iter().all(|stint| !stint.is_guess()));
    }

    #[test]
    fn in_which_order_marks_come_does_not_matter(marks in any_marks().prop_shuffle(), roster in any_roster()) {
        let mut distinct: Vec<Mark> = Vec::new();
        for mark in &marks {
            if distinct.iter().all(|other| other.time != mark.time) {
                distinct.push(*mark);
            }
        }
        let one = reconstruct(&known(&distinct, roster), &GUESSING);
        distinct.reverse();
        prop_assert_eq!(&one, &reconstruct(&known(&distinct, roster), &GUESSING));
        compact(&mut distinct);
        prop_assert_eq!(&one, &reconstruct(&known(&distinct, roster), &GUESSING));
    }
}
