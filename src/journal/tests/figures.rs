//! What a report is made of, against what the journal holds otherwise.

use std::collections::BTreeMap;

use super::*;
use crate::model::Policy;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text, None).unwrap()
}

fn held(space: &str, member: &str, from: Option<&str>, to: Option<&str>) -> Tenure {
    Tenure {
        create_time: from.map(|year| at(&format!("{year}-06-01T00:00:00Z"))),
        delete_time: to.map(|year| at(&format!("{year}-06-01T00:00:00Z"))),
        ..tenure(space, member, None, None)
    }
}

#[test]
fn a_membership_counts_in_each_year_in_which_it_was_held() {
    let mut journal = scratch();
    let rows = [
        held("A", "a@b.cd", Some("2018"), Some("2020")),
        held("A", "b@b.cd", None, Some("2019")),
        held("B", "a@b.cd", Some("2021"), None),
        held("B", "b@b.cd", None, None),
    ];
    read(&mut journal, &rows);
    let first = jobs(&journal).remove(0);
    let (row, space) = (first.id, first.space);
    let done = Change::Done {
        row,
        space,
        at: NOW,
        member: first.member,
        http_status: Some(200),
        membership: None,
        user: None,
        existed: false,
        then: None,
    };
    journal.apply(&[Change::Mark { row, space, at: NOW }, done]).unwrap();
    // NOW is in November 2023.
    let figures = journal.row_figures(&[space], NOW).unwrap();
    let year = |done, others| YearFigures { done, others };
    assert_eq!(
        figures.years,
        BTreeMap::from([
            (2018, year(1, 0)),
            (2019, year(1, 1)),
            (2020, year(1, 0)),
            (2021, year(0, 1)),
            (2022, year(0, 1)),
            (2023, year(0, 1)),
        ])
    );
    assert_eq!(figures.spaces[&space], BTreeMap::from([(2018, 1), (2019, 2), (2020, 1)]));
    assert_eq!((figures.states, figures.timeless), (journal.recount().unwrap(), 1));
    assert_eq!(figures.span, Some((at("2018-06-01T00:00:00Z"), at("2021-06-01T00:00:00Z"))));
    let spaces = journal.space_figures().unwrap();
    let rows: Vec<(&str, u64)> = spaces.iter().map(|space| (space.name.as_str(), space.rows())).collect();
    assert_eq!(rows, [("spaces/A", 2), ("spaces/B", 2)]);
}

#[test]
fn whoever_stays_is_counted_once_a_year_with_their_history() {
    let mut journal = scratch();
    let policy = Policy { bridges: true, ..Policy::default() };
    let mut loader = journal.loader_by(policy, NOW).unwrap();
    loader.begin_source("/rows.csv", "{}").unwrap();
    for (line, member) in (2..).zip(["a@b.cd", "b@b.cd"]) {
        loader.row(line, &held("A", member, Some("2022"), None), None).unwrap();
    }
    loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
    loader.commit().unwrap();
    let space = jobs(&journal).remove(0).space;
    // A year and some months after their history ends.
    let figures = journal.row_figures(&[space], at("2025-02-01T00:00:00Z")).unwrap();
    let year = YearFigures { done: 0, others: 2 };
    assert_eq!(figures.years, (2022..=2025).map(|of| (of, year)).collect());
    assert_eq!(figures.spaces[&space], (2022..=2025).map(|of| (of, 2)).collect());
    assert_eq!(figures.states.iter().sum::<u64>(), 4);
}

#[test]
fn some_of_each_reason() {
    let mut journal = scratch();
    let rows: Vec<Tenure> = (0..6).map(|n| tenure("A", &format!("m{n}@b.cd"), Some(1), Some(2))).collect();
    read(&mut journal, &rows);
    for (place, job) in jobs(&journal).into_iter().enumerate() {
        let (row, space, at) = (job.id, job.space, NOW);
        let kind = if place == 0 { "ONE" } else { "MANY" };
        let note = Note { http_status: Some(400), kind: kind.to_owned(), error: format!("no {place}") };
        journal.apply(&[Change::Mark { row, space, at }, Change::Rejected { row, space, at, note }]).unwrap();
    }
    let samples = journal.reject_samples(3).unwrap();
    let of = |kind: &str| {
        let samples = &samples[&(kind.to_owned(), Some(400))];
        samples.iter().map(|sample| (sample.member.clone().unwrap(), sample.origin.1)).collect::<Vec<_>>()
    };
    let row = |n: u64| (format!("users/m{n}@b.cd"), n + 2);
    assert_eq!((of("ONE"), of("MANY")), (vec![row(0)], vec![row(1), row(2), row(3)]));
}
