use std::sync::LazyLock;

use jiff::Zoned;
use proptest::prelude::*;

use super::*;
use crate::model::{SpaceName, Stints};
use crate::wording::COLUMNS;

const EACH: Policy = Policy { stints: Stints::Each, bridges: false };
const MERGE: Policy = Policy { stints: Stints::Merge, bridges: false };

fn friday() -> Zoned {
    "2026-11-20T18:00:00+01:00[Europe/Berlin]".parse().unwrap()
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("spaces/S{number}")).collect()
}

/// Most of the spaces have a title.
static TITLES: LazyLock<SpaceTitles> = LazyLock::new(|| {
    let mut titles = SpaceTitles::default();
    for number in [1, 3, 4] {
        titles.insert(&SpaceName::parse(&format!("S{number}")).unwrap(), &format!("#team-{number}"));
    }
    titles
});

fn facts<'a>(pending: &'a [u64], staying: &'a [u64], spaces: &'a [String], now: &'a Zoned) -> Facts<'a> {
    Facts {
        history: true,
        read: pending.iter().chain(staying).sum::<u64>() + 12,
        duplicate: 12,
        pending,
        staying,
        staying_with_role: 310,
        open: staying.iter().sum(),
        several: (40, 55),
        merged: 0,
        bridged: 0,
        people: 12_301,
        spaces,
        titles: &TITLES,
        expires: None,
        policy: EACH,
        policies: Vec::new(),
        rates: Rates::default(),
        now,
    }
}

#[test]
fn an_evenings_migration() {
    let (now, spaces) = (friday(), names(5));
    let (pending, staying) = ([41_200, 80_000, 100_000, 120_000, 30_000], [5000, 4000, 3000, 0, 15_886]);
    let merged = [41_000, 79_990, 100_000, 120_000, 30_000];
    let facts = Facts {
        policies: vec![(EACH, &pending), (MERGE, &merged)],
        ..facts(&pending, &staying, &spaces, &now)
    };
    let plan = Plan::of(facts);
    insta::assert_snapshot!(plan.text(COLUMNS));
    assert!(!plan.text(COLUMNS).ends_with("\n\n"));
    insta::assert_snapshot!("an_evenings_migration_at_60_columns", plan.text(58));
    insta::assert_snapshot!("an_evenings_migration_for_a_script", format!("{:#}", plan.json()));
}

#[test]
fn too_much_for_what_is_left_of_import_mode() {
    let (now, spaces) = (friday(), names(1));
    let expires = Timestamp::parse("2026-11-21T12:00:00Z", None).unwrap();
    let facts = Facts {
        expires: Some(expires),
        several: (0, 0),
        duplicate: 0,
        staying_with_role: 0,
        ..facts(&[400_000], &[0], &spaces, &now)
    };
    insta::assert_snapshot!(Plan::of(facts.clone()).text(COLUMNS));
    let later = Timestamp::parse("2027-01-01T00:00:00Z", None).unwrap();
    assert!(
        Plan::of(Facts { expires: Some(later), ..facts.clone() })
            .text(COLUMNS)
            .contains("It fits: the first space is deleted")
    );
    let past = Timestamp::parse("2026-11-01T12:00:00Z", None).unwrap();
    let limitless = Rates { writes_per_minute: 0, ..Rates::default() };
    for rates in [Rates::default(), limitless] {
        let plan = Plan::of(Facts { expires: Some(past), rates, ..facts.clone() });
        let text = plan.text(COLUMNS);
        assert!(text.contains("It is too late: the first space was deleted on"), "{text}");
        assert!(!text.contains("larger quota"), "{text}");
        assert_eq!(plan.json()["import_mode"]["fits"], false);
    }
    let text = Plan::of(Facts { expires: Some(later), rates: limitless, ..facts.clone() }).text(COLUMNS);
    assert!(text.contains("90 days   The first space is deleted on"), "{text}");
}

#[test]
fn members_of_today() {
    let (now, spaces) = (friday(), names(2));
    let facts = Facts {
        history: false,
        open: 0,
        several: (0, 0),
        duplicate: 0,
        ..facts(&[9, 3], &[9, 3], &spaces, &now)
    };
    insta::assert_snapshot!(Plan::of(facts).text(COLUMNS));
}

#[test]
fn nothing_to_do_and_no_limit() {
    let (now, spaces) = (friday(), names(1));
    let none = Facts { several: (0, 0), ..facts(&[0], &[0], &spaces, &now) };
    assert!(!Plan::of(none).text(COLUMNS).contains("\ntime"));
    let limitless = Rates { writes_per_minute: 0, ..Rates::default() };
    let plan = Plan::of(Facts { rates: limitless, ..facts(&[7], &[0], &spaces, &now) });
    assert!(plan.text(COLUMNS).contains("there is no limit to go by"));
    assert_eq!(
        (plan.json()["import_mode"]["fits"].is_null(), plan.json()["quotas"].as_array().unwrap().len()),
        (true, 0)
    );
}

proptest! {
    #[test]
    fn it_fits_and_adds_up(
        pending in prop::collection::vec(0u64..3_000_000, 1..6),
        staying in prop::collection::vec(0u64..3_000_000, 6),
        each in 0u32..2000,
        quota in 0u32..100_000,
    ) {
        let (now, spaces) = (friday(), names(pending.len()));
        let staying = &staying[..pending.len()];
        let rates = Rates { writes_per_minute: quota, writes_per_minute_per_space: each, ..Rates::default() };
        let merged: Vec<u64> = pending.iter().map(|rows| rows / 2).collect();
        let policies = vec![(EACH, pending.as_slice()), (MERGE, merged.as_slice())];
        let plan = Plan::of(Facts { rates, policies, ..facts(&pending, staying, &spaces, &now) });
        for columns in [58, COLUMNS] {
            for line in plan.text(columns).lines() {
                prop_assert!(line.chars().count() <= columns + 2, "{line}");
            }
        }
        let json = plan.json();
        let created: u64 = json["calls"].as_array().unwrap().iter()
            .filter(|calls| calls["method"] == "members.create")
            .map(|calls| calls["calls"].as_u64().unwrap())
            .sum();
        prop_assert_eq!(created, pending.iter().chain(staying).sum::<u64>());
        let biggest = json["spaces"]["biggest"]["to_send"].as_u64().unwrap_or(0);
        prop_assert_eq!(biggest, *pending.iter().max().unwrap());
    }
}
