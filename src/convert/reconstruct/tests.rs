use proptest::prelude::*;

use super::*;

mod replies;

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
        // Before the channel's creation.
        ("J-1 L20", Off, "-1(Recorded)-20(Recorded)"),
        ("L-5", Off, "-6+(ItsEnd)--5(Recorded)"),
        // Written twice, or a second apart.
        ("J10 J10 L20 L20", Off, "10(Recorded)-20(Recorded)"),
        ("J10 J11 L20 L21", Off, "10(Recorded)-20(Recorded)"),
        ("P9 J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("R9 J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L10 J10 L10", Off, "10(Recorded)-10+(Recorded)"),
        ("J10 P11 J12 J13 L20", Off, "10(Recorded)-11+(LastMessage) 13(Recorded)-20(Recorded)"),
        ("R9 J10 L20", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L20 P21 L22", Off, "10(Recorded)-20(Recorded)"),
        ("J10 L20 P21 B22 P30", On, "10(Recorded)-20(Recorded) 30(FirstMessage)-…(OpenRoster)"),
        ("J10 L11 J12", On, "10(Recorded)-11(Recorded) 12(Recorded)-…(OpenRoster)"),
        // A roster between says that it is another one.
        ("J10 U11 J12", On, "10(Recorded)-11(NotOnRoster) 12(Recorded)-…(OpenRoster)"),
        // Nobody is a member before a roster without them.
        ("J10 P12 U20 L30", Off, "10(Recorded)-12+(LastMessage) 20(NotListed)-30(Recorded)"),
        ("U20 L30", Off, "20(NotListed)-30(Recorded)"),
        ("U20", On, "20(NotListed)-…(OpenRoster)"),
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
fn of_signs_in_a_row_three_tell_everything() {
    let mut signs = marks("P10 R20 P30 R40 L50 R60 P70 R80 P90");
    let outcome = reconstruct(&known(&signs, Roster::Off), &GUESSING);
    compact(&mut signs);
    assert_eq!(signs, marks("P10 R20 R40 L50 R60 P70 P90"));
    assert_eq!(reconstruct(&known(&signs, Roster::Off), &GUESSING), outcome);
    // What came a moment late with a leave does not hide the first that came later.
    let mut late = marks("L20 P21 P22 P23 P24 P30 P40");
    compact(&mut late);
    assert_eq!(late, marks("L20 P21 P24 P40"));
}

#[test]
fn the_other_rules_of_guessing() {
    let generous = Guessing { start: InferredStart::ChannelCreated, end: InferredEnd::Latest, ..GUESSING };
    for (text, roster, expected) in [
        ("P15", Roster::Off, "0(ChannelCreated)-10000(NotOnRoster)"),
        ("J10 P15 J30 L40", Roster::Off, "10(Recorded)-30(NextJoin) 30(Recorded)-40(Recorded)"),
        ("J10 L20 P30", Roster::On, "10(Recorded)-20(Recorded) 20(PreviousLeave)-…(OpenRoster)"),
        ("P9 J10 L20", Roster::Off, "10(Recorded)-20(Recorded)"),
        ("J10 P12 U20 P30", Roster::On, "10(Recorded)-20(NotOnRoster) 20(NotListed)-…(OpenRoster)"),
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
    // In halves of a second, so that some lie just within what counts as one event, and some at one time.
    let mark = (-4i64..44, act).prop_map(|(half, act)| Mark {
        time: Timestamp::from_micros(at(0).as_micros() + half * 500_000),
        act,
    });
    prop::collection::vec(mark, 0..24)
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

prop_compose! {
    fn any_guessing()(generous: bool) -> Guessing {
        match generous {
            true => Guessing { start: InferredStart::ChannelCreated, end: InferredEnd::Latest, ..GUESSING },
            false => GUESSING,
        }
    }
}

/// Whether the stints have the member in at that time.
fn is_in(outcome: &Outcome, time: Timestamp) -> bool {
    outcome.stints.iter().any(|stint| stint.start <= time && stint.end.is_none_or(|end| time < end))
}

/// Whether the member is in just before a mark, as far as it tells; and just after it.
fn told_by(act: Act) -> (Option<bool>, bool) {
    match act {
        Act::Joined | Act::Unlisted => (Some(false), act == Act::Joined),
        Act::Left => (Some(true), false),
        Act::Present | Act::Listed => (Some(true), true),
        Act::JoinedBy => (None, true),
        // Nothing.
        Act::Replied => (None, false),
    }
}

proptest! {
    #[test]
    fn stints_lie_apart_and_end_with_the_channel_and_the_account(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
        guessing in any_guessing(),
    ) {
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let outcome = reconstruct(&known, &guessing);
        let stints = &outcome.stints;
        for stint in stints {
            prop_assert!(stint.end.is_none_or(|end| stint.start < end), "{}", shown(&outcome));
        }
        for pair in stints.windows(2) {
            prop_assert!(pair[0].end.is_some_and(|end| end <= pair[1].start), "{}", shown(&outcome));
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
    fn every_join_begins_a_stint_and_every_leave_ends_one_but_for_echoes(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
        guessing in any_guessing(),
    ) {
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let outcome = reconstruct(&known, &guessing);
        let (told, repeated) = telling(&marks);
        prop_assert_eq!(outcome.repeated, repeated);
        let times = |act| told.iter().filter(|mark| mark.act == act).map(|mark| mark.time).collect::<Vec<_>>();
        let recorded = |stint: &&Stint| stint.start_from == Start::Recorded;
        let begun: Vec<Timestamp> = outcome.stints.iter().filter(recorded).map(|stint| stint.start).collect();
        prop_assert_eq!(begun, times(Act::Joined), "{}", shown(&outcome));
        let recorded = |stint: &&Stint| stint.end_from == End::Recorded;
        let ended: Vec<Timestamp> = outcome.stints.iter().filter(recorded).filter_map(|stint| stint.end).collect();
        prop_assert_eq!(ended, times(Act::Left), "{}", shown(&outcome));
        // What is missing among those follows the same act, and not the opposite one.
        let near = |one: Timestamp, other: Timestamp| (one.as_micros() - other.as_micros()).abs() <= 100;
        for (act, opposite) in [(Act::Joined, Act::Left), (Act::Left, Act::Joined)] {
            let told = times(act);
            for echo in marks.iter().filter(|mark| mark.act == act && !told.iter().any(|time| near(*time, mark.time))) {
                let parts = |mark: &Mark| {
                    mark.act == opposite || (act == Act::Joined && mark.act == Act::Unlisted)
                };
                let between = |other: &Mark| {
                    marks.iter().any(|mark| parts(mark) && other.time < mark.time && mark.time < echo.time)
                };
                let follows = |other: &Mark| other.act == act && other.time < echo.time
                    && echo.time <= other.time.after(SAME_EVENT).after(STEP * 100) && !between(other);
                prop_assert!(marks.iter().any(follows), "{echo:?}: {}", shown(&outcome));
            }
        }
    }

    #[test]
    fn every_sign_lies_in_a_stint_or_belongs_to_the_join_that_follows(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        guessing in any_guessing(),
    ) {
        let known = Known { life, marks: &marks, roster, creator: false, gone, last_seen: None };
        let outcome = reconstruct(&known, &guessing);
        let (told, _) = telling(&marks);
        for sign in told.iter().filter(|mark| mark.act.is_sign()) {
            let joins = |mark: &Mark| {
                mark.act == Act::Joined && sign.time < mark.time && mark.time <= sign.time.after(SAME_EVENT)
            };
            // A stint may end at the roster that shows it last.
            let time = if sign.act == Act::Listed { sign.time.just_before() } else { sign.time };
            let lies = is_in(&outcome, sign.time) || is_in(&outcome, time);
            prop_assert!(lies || told.iter().any(joins), "{sign:?}: {}", shown(&outcome));
        }
    }

    #[test]
    fn between_two_marks_that_agree_the_stints_agree_with_them(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
        guessing in any_guessing(),
    ) {
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let outcome = reconstruct(&known, &guessing);
        let (told, _) = telling(&marks);
        let end = [life.archived.map(|(time, _)| time), match gone {
            Some(Gone::At(time) | Gone::By(time)) => Some(time),
            Some(Gone::Sometime) => Some(GUESSING.latest),
            None => None,
        }].into_iter().flatten().min();
        let (first, last) = (at(-1000), at(20_000));
        // Before everything nobody is in.
        let mut stations = vec![(first, None, false)];
        let telling = told.iter().filter(|mark| mark.act != Act::Replied);
        stations.extend(telling.map(|mark| (mark.time, told_by(mark.act).0, told_by(mark.act).1)));
        let after_all = stations.last().unwrap().2;
        let latest = told.last().map_or(first, |mark| mark.time);
        match end {
            Some(end) => {
                if end > latest {
                    // When an account ended at some time, its last message tells when.
                    stations.push((end, Some(true).filter(|_| gone != Some(Gone::Sometime)), false));
                    stations.push((last, Some(false), false));
                }
                prop_assert!(!is_in(&outcome, last), "{end:?}: {}", shown(&outcome));
            }
            None if roster == Roster::Unknown => stations.push((last, Some(after_all), false)),
            None => stations.push((last, Some(roster == Roster::On), false)),
        }
        for pair in stations.windows(2) {
            let ((from, _, after), (to, before, _)) = (pair[0], pair[1]);
            let middle = Timestamp::from_micros(from.as_micros().midpoint(to.as_micros()));
            for time in [from, middle, to.just_before()] {
                let joins = |mark: &Mark| {
                    mark.act == Act::Joined && time < mark.time && mark.time <= time.after(SAME_EVENT)
                };
                if before != Some(after) || (after && told.iter().any(joins)) {
                    continue;
                }
                prop_assert_eq!(is_in(&outcome, time), after, "at {:?}: {}", time, shown(&outcome));
            }
        }
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
