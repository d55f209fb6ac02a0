//! What holds of everything that comes out, whatever went in: for the tests of readers.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::{Choices, Converted, Gathered, People, convert};
use crate::model::{EARLIEST, Timestamp};

/// 2027-01-15T08:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// The same of what a reader has gathered, with an address for everybody.
pub(super) fn sound(mut gathered: Gathered) -> TestCaseResult {
    for person in &mut gathered.people {
        let local = person.fact.id.replace(|c: char| !c.is_ascii_alphanumeric(), "x");
        person.fact.address = Some(format!("{local}@a.example"));
    }
    let people = People { bots: true, ..People::default() };
    holds(&convert(&gathered, &people, &Choices::default(), NOW), NOW)
}

/// Rows lie in the life of their space and before now, and those of one member lie apart.
pub(super) fn holds(converted: &Converted, now: Timestamp) -> TestCaseResult {
    for space in &converted.spaces {
        prop_assert!(space.begun > EARLIEST && space.begun <= now);
        for row in &space.rows {
            let stint = &row.stint;
            prop_assert!(space.begun <= stint.start);
            prop_assert!(stint.end.is_none_or(|end| stint.start < end && end <= now), "{stint:?}");
        }
        for pair in space.rows.windows(2).filter(|pair| pair[0].member == pair[1].member) {
            prop_assert!(pair[0].stint.end.is_some_and(|end| end <= pair[1].stint.start));
        }
    }
    Ok(())
}

/// A text that something has happened to: digits became others, which leaves it readable; or bytes changed or went.
pub(super) fn damaged(text: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let digits = prop::collection::vec((any::<prop::sample::Index>(), b'0'..=b'9'), 0..24);
    let bytes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let cut = (any::<prop::sample::Index>(), 0usize..400);
    let rarely = |cut| prop::option::weighted(0.2, cut);
    (digits, prop::option::weighted(0.3, bytes), rarely(cut)).prop_map(move |(digits, bytes, cut)| {
        let mut text = text.to_vec();
        let places: Vec<usize> = (0..text.len()).filter(|place| text[*place].is_ascii_digit()).collect();
        for (place, digit) in digits.iter().filter(|_| !places.is_empty()) {
            text[places[place.index(places.len())]] = *digit;
        }
        for (place, byte) in bytes.into_iter().flatten() {
            let place = place.index(text.len());
            text[place] = byte;
        }
        if let Some((place, length)) = cut {
            let from = place.index(text.len());
            text.drain(from..(from + length).min(text.len()));
        }
        text
    })
}
