//! Stints that are merged, and open rows that get their history: what is read in which order does not matter, nothing is
//! lost, nothing counted twice.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{Operation, Policy, Stints};

const MERGE: Policy = Policy { stints: Stints::Merge, bridges: false };
const BRIDGE: Policy = Policy { stints: Stints::Each, bridges: true };
const BOTH: Policy = Policy { stints: Stints::Merge, bridges: true };

/// A member, from when and until when.
type Drawn = (usize, Option<i64>, Option<i64>);

fn readings() -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    let time = || proptest::option::weighted(0.8, 0i64..12);
    let row = (0usize..3, time(), time()).prop_filter("begins before it ends", |(_, from, to)| {
        from.is_none_or(|from| to.is_none_or(|to| from < to))
    });
    proptest::collection::vec(proptest::collection::vec(row, 0..10), 1..5)
}

fn tenures(reading: &[Drawn]) -> Vec<Tenure> {
    reading.iter().map(|(member, from, to)| tenure("A", &format!("m{member}@b.cd"), *from, *to)).collect()
}

fn read_by(journal: &mut Journal, policy: Policy, now: Timestamp, path: &str, tenures: &[Tenure]) {
    let mut loader = journal.loader_by(policy, now).unwrap();
    loader.begin_source(path, "{}").unwrap();
    for (line, tenure) in (2..).zip(tenures) {
        loader.row(line, tenure, Some(&format!("{{\"note\":\"{line}\"}}"))).unwrap();
    }
    loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
    loader.commit().unwrap();
}

/// All that a journal says of its rows and of what they are made of.
fn dump(journal: &Journal) -> Vec<String> {
    let mut lines = Vec::new();
    for sql in [
        "SELECT id || ' ' || ifnull(create_time, '-') || ' ' || ifnull(delete_time, '-') || ' ' || state FROM rows ORDER BY id",
        "SELECT row || ' ' || part || ' ' || ifnull(create_time, '-') || ' ' || ifnull(delete_time, '-') || ' '
                || ifnull(until, '-') || ' ' || line || ' ' || ifnull(given, '-') FROM parts ORDER BY row, part",
    ] {
        let mut statement = journal.conn.prepare(sql).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        lines.extend(found.map(Result::unwrap));
    }
    lines
}

/// The distinct rows that readings leave, where an open row that has got its end is that row no more.
fn distinct(readings: &[Vec<Drawn>]) -> BTreeSet<Drawn> {
    let mut expected: BTreeSet<Drawn> = BTreeSet::new();
    for reading in readings {
        let before = expected.clone();
        for (member, from, to) in reading.iter().filter(|row| row.2.is_some() && !before.contains(row)) {
            if !reading.contains(&(*member, *from, None)) {
                expected.remove(&(*member, *from, None));
            }
            let _ = to;
        }
        expected.extend(reading.iter().copied());
    }
    expected
}

/// By member: from the earliest start to the latest end of those that have ended, in microseconds.
fn merged_ends(rows: &BTreeSet<Drawn>) -> BTreeMap<usize, (i64, i64)> {
    let mut spans = BTreeMap::new();
    for (member, from, to) in rows {
        let Some(to) = to else { continue };
        let to = day(*to).as_micros();
        let from = from.map_or(to - 1, |from| day(from).as_micros());
        let span = spans.entry(*member).or_insert((from, to));
        *span = (span.0.min(from), span.1.max(to));
    }
    spans
}

fn ended(journal: &Journal) -> Vec<(i64, i64)> {
    let sql = "SELECT ifnull(create_time, delete_time - 1), delete_time FROM rows WHERE delete_time IS NOT NULL ORDER BY 1, 2";
    let mut statement = journal.conn.prepare(sql).unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

fn send_all(journal: &mut Journal) {
    let space = crate::model::SpaceId(1);
    for job in journal.pending(space, None, 100).unwrap() {
        let row = job.id;
        journal.apply(&[Change::Mark { row, space, at: NOW }]).unwrap();
        let done = Change::Done {
            row,
            space,
            member: job.member,
            at: NOW,
            http_status: Some(200),
            membership: None,
            user: None,
            existed: false,
            then: None,
        };
        journal.apply(&[done]).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_each_policy_sends_is_foretold(reading in readings().prop_map(|readings| readings.concat())) {
        for policy in Compared::POLICIES {
            let mut loader = Loader::nowhere(Operation::Create, NOW).by(policy).comparing();
            loader.begin_source("/rows.csv", "{}").unwrap();
            for (line, tenure) in (2..).zip(tenures(&reading)) {
                loader.row(line, &tenure, None).unwrap();
            }
            loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
            let outlook = loader.outlook();
            let compared = outlook.compared.as_ref().unwrap();
            let foretold = compared.each().find(|(other, _)| *other == policy).map(|(_, pending)| pending.to_vec());
            prop_assert_eq!(Some(outlook.pending.clone()), foretold);
            let staying: BTreeSet<usize> =
                reading.iter().filter(|row| row.2.is_none()).map(|row| row.0).collect();
            prop_assert_eq!(outlook.staying.iter().sum::<u64>(), staying.len() as u64);
        }
    }

    #[test]
    fn merged_rows_reach_from_the_earliest_start_to_the_latest_end(readings in readings()) {
        let mut journal = scratch();
        for reading in &readings {
            read_by(&mut journal, MERGE, NOW, "/rows.csv", &tenures(reading));
            journal.examine().unwrap();
        }
        let expected = distinct(&readings);
        let mut spans: Vec<_> = merged_ends(&expected).into_values().collect();
        spans.sort_unstable();
        prop_assert_eq!(ended(&journal), spans);
        let tally = journal.tally().unwrap();
        prop_assert_eq!(tally.total + tally.merged, expected.len() as u64);
        let open: BTreeSet<usize> = expected.iter().filter(|row| row.2.is_none()).map(|row| row.0).collect();
        prop_assert_eq!(tally.open, open.len() as u64);
        // The same once more is nothing new.
        let before = dump(&journal);
        let again: Vec<Drawn> = expected.into_iter().collect();
        read_by(&mut journal, MERGE, NOW, "/rows.csv", &tenures(&again));
        prop_assert_eq!(dump(&journal), before);
    }

    #[test]
    fn what_was_sent_stays_as_it_was(readings in readings(), more in readings()) {
        let mut journal = scratch();
        for reading in &readings {
            read_by(&mut journal, BOTH, NOW, "/rows.csv", &tenures(reading));
        }
        send_all(&mut journal);
        let sent = ended(&journal);
        let known = journal.tally().unwrap().total;
        for reading in &more {
            // Rows that do not go together are left out.
            let mut loader = journal.loader_by(BOTH, NOW.after(Duration::from_secs(3600))).unwrap();
            loader.begin_source("/more.csv", "{}").unwrap();
            for (line, tenure) in (2..).zip(tenures(reading)) {
                loader.row(line, &tenure, None).unwrap();
            }
            loader.settle(|_| left_out("history-sent"), || true).unwrap().unwrap();
            loader.commit().unwrap();
            journal.examine().unwrap();
        }
        let mut left = ended(&journal);
        for span in &sent {
            let place = left.iter().position(|other| other == span);
            prop_assert!(place.is_some(), "{sent:?} {left:?}");
            left.remove(place.unwrap());
        }
        prop_assert!(known <= journal.tally().unwrap().total + journal.tally().unwrap().merged);
        let wrong = "SELECT count(*) FROM parts WHERE row NOT IN (SELECT id FROM rows)";
        prop_assert_eq!(journal.conn.query_row(wrong, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }

    #[test]
    fn counts_of_parts_are_those_of_the_table(readings in readings()) {
        let mut journal = scratch();
        for (hour, reading) in (0..).zip(&readings) {
            let now = NOW.after(Duration::from_secs(3600 * hour));
            read_by(&mut journal, BOTH, now, &format!("/{}.csv", hour % 2), &tenures(reading));
            journal.examine().unwrap();
            let counted = "SELECT count(*) - count(DISTINCT row), total(until IS NOT NULL) FROM parts";
            let (merged, bridged): (i64, f64) =
                journal.conn.query_row(counted, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let tally = journal.tally().unwrap();
            prop_assert_eq!((tally.merged as i64, tally.bridged as f64), (merged, bridged));
        }
    }
}

#[test]
fn the_end_of_a_bridge_is_made_up_once() {
    for policy in [BRIDGE, BOTH] {
        let mut journal = scratch();
        let rows = [tenure("A", "a@b.cd", Some(1), None), tenure("A", "b@b.cd", None, None)];
        let ends: Vec<_> = (0..3)
            .map(|hour| {
                read_by(
                    &mut journal,
                    policy,
                    NOW.after(Duration::from_secs(hour * 3600)),
                    "/rows.csv",
                    &rows,
                );
                ended(&journal)
            })
            .collect();
        let until = NOW.as_micros() - 5_000_000;
        assert_eq!(ends, vec![vec![(day(1).as_micros(), until)]; 3]);
        // Whoever says so has ended then.
        let mut end = tenure("A", "a@b.cd", Some(1), None);
        end.delete_time = Some(Timestamp::from_micros(until));
        send_all(&mut journal);
        read_by(&mut journal, policy, NOW, "/ended.csv", &[end]);
        let tally = journal.tally().unwrap();
        assert_eq!((tally.total, tally.done, tally.open, tally.bridged), (2, 1, 1, 0));
        journal.examine().unwrap();
    }
}

#[test]
fn bridges_may_be_asked_for_later() {
    let mut journal = scratch();
    let rows = [tenure("A", "a@b.cd", Some(1), None)];
    read_by(&mut journal, Policy::default(), NOW, "/rows.csv", &rows);
    read_by(&mut journal, BRIDGE, NOW, "/rows.csv", &rows);
    assert_eq!(journal.policy().unwrap(), BRIDGE);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.total, tally.open, tally.pending, tally.bridged), (2, 1, 1, 1));
    assert!(dump(&journal).last().unwrap().ends_with("2 {\"note\":\"2\"}"), "{:?}", dump(&journal));
}

#[test]
fn a_completed_space_takes_no_history() {
    let mut journal = scratch();
    read_by(&mut journal, BRIDGE, NOW, "/rows.csv", &[tenure("A", "a@b.cd", Some(1), None)]);
    send_all(&mut journal);
    journal.apply(&[Change::Completed { space: crate::model::SpaceId(1), at: NOW }]).unwrap();
    read_by(&mut journal, BRIDGE, NOW, "/rows.csv", &[tenure("A", "b@b.cd", Some(1), None)]);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.done, tally.pending, tally.open, tally.bridged), (1, 1, 1, 1));
}

#[test]
fn who_is_to_be_added_stays_so_whatever_is_read_then() {
    let mut journal = scratch();
    read_by(&mut journal, MERGE, NOW, "/rows.csv", &[tenure("A", "a@b.cd", Some(2), None)]);
    journal.apply(&[Change::Completed { space: crate::model::SpaceId(1), at: NOW }]).unwrap();
    for from in [1, 3] {
        read_by(&mut journal, MERGE, NOW, "/rows.csv", &[tenure("A", "a@b.cd", Some(from), None)]);
        journal.examine().unwrap();
    }
    let tally = journal.tally().unwrap();
    assert_eq!((tally.total, tally.pending, tally.open, tally.merged), (1, 1, 0, 2));
}
