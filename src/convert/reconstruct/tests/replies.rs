//! Answers in threads, which people outside a channel give, too.

use proptest::prelude::*;

use super::*;

#[test]
fn a_reply_of_a_member_is_a_message_and_one_from_outside_makes_no_member() {
    use Roster::{Off, On, Unknown};
    for (marks, roster, expected) in [
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
        ("J5 Y7 U8 R9 J10", On, "5(Recorded)-7+(LastMessage) 10(Recorded)-…(OpenRoster)"),
        // Whom a roster misses was outside, whatever they wrote before it.
        ("Y10 U20 L30", Off, "20(NotListed)-30(Recorded)"),
    ] {
        assert_eq!(stints(marks, roster), expected, "{marks} {roster:?}");
    }
    let generous = Guessing { start: InferredStart::ChannelCreated, end: InferredEnd::Latest, ..GUESSING };
    for (roster, expected) in [(Off, ""), (On, "0(ChannelCreated)-…(OpenRoster)")] {
        let marks = marks("Y10");
        assert_eq!(shown(&reconstruct(&known(&marks, roster), &generous)), expected);
    }
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
        ("Y10 U20 Y30", Off, 2),
        // Stamped a moment late.
        ("J10 L20 Y21", Off, 0),
    ] {
        let marks = marks(text);
        assert_eq!(reconstruct(&known(&marks, roster), &GUESSING).outside, expected, "{text}");
    }
}

#[test]
fn of_a_run_with_replies_the_first_of_both_and_the_last_are_kept() {
    for (text, kept) in [
        ("Y10 Y20 Y30 Y40", "Y10 Y20 Y40"),
        ("Y10 Y20 P30 Y40 P50", "Y10 Y20 P30 P50"),
        ("P10 Y20 Y30 P40 Y50", "P10 Y20 P40 Y50"),
        ("Y10 P11 Y12 Y20 P30 Y40 P50", "Y10 P11 Y20 P30 P50"),
    ] {
        let mut run = marks(text);
        compact(&mut run);
        assert_eq!(run, marks(kept), "{text}");
    }
}

/// In their order, and further from each other than what counts as one event.
fn marks_apart() -> impl Strategy<Value = Vec<Mark>> {
    any_marks().prop_map(|mut marks| {
        marks.sort_by_key(|mark| mark.time);
        for (place, mark) in (0..).zip(&mut marks) {
            mark.time = at(place * 3 - 3);
        }
        marks
    })
}

proptest! {
    #[test]
    fn replies_alone_make_no_stint_and_move_no_end_that_is_recorded(
        marks in any_marks(),
        life in any_life(),
        roster in any_roster(),
        gone in any_gone(),
        creator: bool,
    ) {
        // A roster that goes on listing whom it has lost is held against the last end, which may be a guess.
        let over = life.archived.is_some() || gone.is_some();
        let roster = if over && roster == Roster::On { Roster::Off } else { roster };
        // No two at one instant, which would be put apart.
        let mut marks = marks;
        marks.sort_by_key(|mark| mark.time);
        marks.dedup_by_key(|mark| mark.time);
        let silent: Vec<Mark> = marks.iter().copied().filter(|mark| mark.act != Act::Replied).collect();
        let known = Known { life, marks: &marks, roster, creator, gone, last_seen: None };
        let (told, _) = without_echoes(marks.clone());
        let with = walk(&known, (told.clone(), 0), &GUESSING);
        let without = walk(&known, without_echoes(silent), &GUESSING);
        prop_assert_eq!(with.stints.len(), without.stints.len(), "{} | {}", shown(&with), shown(&without));
        for (one, other) in with.stints.iter().zip(&without.stints) {
            let recorded = |stint: &Stint| {
                let start = Some(stint.start).filter(|_| stint.start_from == Start::Recorded);
                (start, stint.end.filter(|_| stint.end_from == End::Recorded))
            };
            prop_assert_eq!(recorded(one), recorded(other), "{} | {}", shown(&with), shown(&without));
        }
        // Each reply lies within a stint, or a moment before it, or is one of those from outside.
        let within = |reply: &Mark| with.stints.iter().any(|stint| {
            stint.start <= reply.time.after(SAME_EVENT) && stint.end.is_none_or(|end| reply.time <= end)
        });
        let outside = told.iter().any(|mark| mark.act == Act::Replied && !within(mark));
        prop_assert!(!outside || with.outside > 0, "{} of {:?}", shown(&with), marks);
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
        prop_assert_eq!(walk(&known, without_echoes(marks.clone()), &GUESSING), reconstruct(&known, &GUESSING));
    }
}
