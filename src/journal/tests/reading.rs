//! Reading again and again into one journal: what is known, what comes to lie between, what an earlier version has left.

use std::collections::BTreeSet;

use super::*;

/// A space, a member, from when and until when.
type Drawn = (usize, usize, Option<i64>, Option<i64>);

/// Several readings into one journal.
fn readings() -> impl Strategy<Value = Vec<Vec<Drawn>>> {
    let time = || proptest::option::weighted(0.8, 0i64..12);
    let row = (0usize..2, 0usize..3, time(), time())
        .prop_filter("begins before it ends", |(_, _, from, to)| {
            from.is_none_or(|from| to.is_none_or(|to| from < to))
        });
    proptest::collection::vec(proptest::collection::vec(row, 0..12), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn rows_lie_in_order_and_each_is_there_once(readings in readings()) {
        let mut journal = scratch_with_rollback();
        let mut expected = BTreeSet::new();
        for reading in &readings {
            let rows: Vec<Tenure> = reading
                .iter()
                .map(|(space, member, from, to)| tenure(["A", "B"][*space], &format!("m{member}@b.cd"), *from, *to))
                .collect();
            let key = |row: &Tenure| (row.space.clone(), row.member.clone(), row.create_time, row.delete_time);
            // An open row that has got its end is that row no more, unless this reading has it too.
            let before = expected.clone();
            for row in rows.iter().filter(|row| row.delete_time.is_some() && !before.contains(&key(row))) {
                expected.remove(&key(&Tenure { delete_time: None, ..row.clone() }));
            }
            expected.extend(rows.iter().map(key));
            let taken = read(&mut journal, &rows);
            prop_assert_eq!(taken.iter().sum::<u64>(), rows.len() as u64);
            let tally = journal.tally().unwrap();
            let counted = [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open];
            prop_assert_eq!(counted, journal.recount().unwrap());
            journal.examine().unwrap();
        }
        let tally = journal.tally().unwrap();
        prop_assert_eq!(tally.total, expected.len() as u64);
        let lie = times(&journal);
        for pair in lie.windows(2) {
            let start = |row: &(i64, String, Option<i64>, Option<i64>)| row.2.or(row.3).unwrap_or(i64::MAX);
            let same = number::Numbers::parts(pair[0].0) == number::Numbers::parts(pair[1].0);
            prop_assert!(!same || start(&pair[0]) <= start(&pair[1]), "{lie:?}");
        }
    }
}

/// A journal as it was before rows were numbered.
fn old_journal(path: &std::path::Path) {
    let conn = Connection::open(path).unwrap();
    for sql in [
        include_str!("../../../migrations/0001_journal.sql"),
        include_str!("../../../migrations/0002_standard_spaces.sql"),
    ] {
        conn.execute_batch(sql).unwrap();
    }
    let (day_1, day_2) = (day(1).as_micros(), day(2).as_micros());
    let (day_3, day_4) = (day(3).as_micros(), day(4).as_micros());
    conn.execute_batch(&format!(
        "PRAGMA application_id = {};
         PRAGMA user_version = 2;
         INSERT INTO journal (id, operation, target, created_at, readings) VALUES (1, 'import', 'emulator', 0, 1);
         INSERT INTO sources (id, path, layout, read_at, rows, duplicates) VALUES (1, '/rows.csv', '{{}}', 0, 7, 1);
         INSERT INTO spaces (id, name, pending, in_flight, done, rejected, open)
         VALUES (1, 'spaces/A', 2, 0, 1, 1, 0), (2, 'spaces/B', 0, 1, 0, 0, 1);
         INSERT INTO members (id, name, user) VALUES (1, 'users/a@b.cd', 'users/5'), (2, 'users/b@b.cd', NULL);
         INSERT INTO rows (id, operation, space, member, create_time, delete_time, source, line, seen, state, invalid, kind,
                           error, existed)
         VALUES (1, 1, 1, 1, {day_3}, {day_4}, 1, 2, 1, 0, 0, NULL, NULL, NULL),
                (2, 1, 1, 1, NULL, {day_2}, 1, 3, 1, 0, 0, NULL, NULL, NULL),
                (3, 1, NULL, NULL, NULL, NULL, 1, 4, 1, 3, 1, 'bad-time', 'createTime', NULL),
                (4, 1, 1, 2, {day_1}, {day_2}, 1, 5, 1, 2, 0, NULL, NULL, 1),
                (5, 1, 1, 2, {day_3}, {day_4}, 1, 6, 1, 3, 0, 'OTHER_TIMES', 'no', NULL),
                (6, 1, 2, 1, {day_1}, {day_2}, 1, 7, 1, 1, 0, NULL, NULL, NULL),
                (7, 1, 2, 1, {day_3}, NULL, 1, 8, 1, 4, 0, NULL, NULL, NULL);
         INSERT INTO runs (started_at, ended_at, outcome, settings, version) VALUES (5, 6, 'interrupted', '{{}}', '0.0.1');",
        0x746e_7265
    ))
    .unwrap();
}

#[test]
fn a_journal_of_an_earlier_version_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j.db");
    old_journal(&path);
    assert!(matches!(Journal::open_read_only(&path), Err(JournalError::Older)));
    let mut journal = Journal::open(&path).unwrap();
    let tally = journal.tally().unwrap();
    assert_eq!((tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open), (2, 1, 1, 2, 1));
    assert_eq!((tally.existed, tally.duplicate, tally.total), (1, 1, 7));
    let last = journal.last_run().unwrap().unwrap();
    assert_eq!(
        (last.outcome.as_deref(), last.remedy, last.command.as_str()),
        (Some("interrupted"), None, "resume")
    );
    let spaces = journal.work().unwrap().spaces;
    let (b, a) = (&spaces[0], &spaces[1]);
    assert_eq!((a.name.as_str(), b.name.as_str()), ("spaces/A", "spaces/B"));
    let pending = journal.pending(a.id, None, 9).unwrap();
    let ends: Vec<_> = pending.iter().map(|job| job.span.delete_time).collect();
    assert_eq!(ends, [Some(day(2)), Some(day(4))], "in the order of their times");
    assert_eq!(pending[0].user.as_deref(), Some("users/5"));
    assert_eq!(journal.in_flight(b.id).unwrap()[0].member_name.as_str(), "users/a@b.cd");
    let mut lines = Vec::new();
    let rejects = journal.rejects(|row| -> Result<(), JournalError> {
        lines.push((row.line, row.space));
        Ok(())
    });
    rejects.unwrap();
    assert_eq!(lines, [(4, None), (6, Some("spaces/A".to_owned()))]);
    // What is read again is known; what comes from another file is tried again.
    let rows = [
        tenure("A", "a@b.cd", None, Some(2)),
        tenure("A", "b@b.cd", Some(3), Some(4)),
        tenure("B", "a@b.cd", Some(3), None),
    ];
    assert_eq!(read(&mut journal, &rows), [0, 3, 0, 0]);
    assert_eq!(journal.tally().unwrap().rejected, 1, "the invalid line is not there any more");
    assert_eq!(read_as(&mut journal, "/rejects.csv", &rows[1..2]), [0, 0, 1, 0]);
    journal.examine().unwrap();
}

#[test]
fn what_is_left_out_among_rows_of_an_earlier_reading_says_why() {
    let mut journal = scratch_with_rollback();
    let stint = |from, to| tenure("A", "a@b.cd", Some(from), Some(to));
    read(&mut journal, &[stint(1, 3), stint(10, 12), stint(20, 22)]);
    let more = [stint(2, 4), stint(11, 13), stint(30, 40)];
    let mut loader = loader(&mut journal, "/more.csv", &more);
    loader.settle(|_| left_out("overlap"), || true).unwrap();
    loader.commit().unwrap();
    let mut kinds = Vec::new();
    let rejects = journal.rejects(|row| -> Result<(), JournalError> {
        kinds.push((row.line, row.kind, row.error));
        Ok(())
    });
    rejects.unwrap();
    let left_out = |line| (line, "overlap".to_owned(), "it is".to_owned());
    assert_eq!(kinds, [left_out(2), left_out(3)]);
    assert_eq!(journal.recount().unwrap(), [4, 0, 0, 2, 0]);
    journal.examine().unwrap();
}

#[test]
fn rows_of_a_later_reading_come_to_lie_between() {
    let mut journal = scratch_with_rollback();
    let stint = |member, from, to| tenure("A", member, Some(from), Some(to));
    read(&mut journal, &[stint("a@b.cd", 5, 6), stint("b@b.cd", 5, 6), stint("a@b.cd", 9, 10)]);
    let job = jobs(&journal).remove(0);
    journal.apply(&[Change::Mark { row: job.id, space: job.space, at: NOW }]).unwrap();
    let later = [stint("a@b.cd", 7, 8), stint("b@b.cd", 7, 8), stint("c@b.cd", 1, 2), stint("a@b.cd", 1, 2)];
    assert_eq!(read_as(&mut journal, "/later.csv", &later), [4, 0, 0, 0]);
    let lie: Vec<_> =
        times(&journal).into_iter().map(|(_, member, from, _)| (member, from.unwrap())).collect();
    let expected = [("a", 1), ("a", 5), ("a", 7), ("a", 9), ("b", 5), ("b", 7), ("c", 1)];
    assert_eq!(lie, expected.map(|(member, from)| (format!("users/{member}@b.cd"), from)));
    assert_eq!(journal.recount().unwrap(), [6, 1, 0, 0, 0]);
    let in_flight = journal.in_flight(job.space).unwrap();
    assert_eq!((in_flight.len(), in_flight[0].span), (1, job.span), "it is the same row still");
    assert_eq!(journal.several_stints().unwrap(), (2, 4));
    journal.examine().unwrap();
}

#[test]
fn what_would_be_to_do_is_what_there_is() {
    let mut journal = scratch_with_rollback();
    let stint = |space, member, from, to| tenure(space, member, Some(from), to);
    read(&mut journal, &[stint("A", "a@b.cd", 1, Some(2)), stint("A", "b@b.cd", 1, None)]);
    let more =
        [stint("A", "a@b.cd", 3, Some(4)), stint("A", "b@b.cd", 1, Some(3)), stint("B", "b@b.cd", 1, None)];
    let mut rehearsal = journal.rehearsal(NOW).unwrap();
    rehearsal.begin_source("/rows.csv", "{}").unwrap();
    for (line, tenure) in (2..).zip(&more) {
        rehearsal.row(line, tenure, None).unwrap();
    }
    rehearsal.settle(|_| Verdict::PassedOver, || true).unwrap();
    let outlook = rehearsal.outlook().clone();
    drop(rehearsal);
    assert_eq!(journal.tally().unwrap().total, 2, "nothing was written");
    assert_eq!((&outlook.pending[..], outlook.open, outlook.spaces), (&[3, 0][..], 1, 2));
    assert_eq!(outlook.several(0, 0), (1, 1));
    read(&mut journal, &more);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.pending, tally.open, tally.spaces), (3, 1, 2));
    assert_eq!(journal.several_stints().unwrap(), (1, 1));
}

#[test]
fn an_open_row_that_has_got_its_end_is_one_row() {
    let mut journal = scratch_with_rollback();
    read(&mut journal, &[tenure("A", "a@b.cd", Some(1), None), tenure("A", "b@b.cd", Some(1), None)]);
    let later = [tenure("A", "a@b.cd", Some(1), Some(5)), tenure("A", "b@b.cd", Some(1), None)];
    assert_eq!(read(&mut journal, &later), [1, 1, 0, 0]);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.pending, tally.open, tally.total), (1, 1, 2));
    assert_eq!(journal.recount().unwrap(), [1, 0, 0, 0, 1]);
    let mut found = Vec::new();
    let note = |finding: Finding<'_>| {
        let Finding::Overlap(overlap) = finding else { panic!("{finding:?}") };
        found.push((overlap.path, overlap.line, overlap.other_origin));
        Verdict::Stands
    };
    let other = [tenure("A", "a@b.cd", Some(3), Some(9))];
    loader(&mut journal, "/other.csv", &other).settle(note, || true).unwrap();
    assert_eq!(found, [("/other.csv".to_owned(), 2, "/rows.csv:2, read before".to_owned())]);
}

#[test]
fn a_reject_that_is_fed_back_is_tried_again() {
    let mut journal = scratch_with_rollback();
    let rows = [tenure("A", "a@b.cd", Some(1), Some(2)), tenure("A", "b@b.cd", Some(1), Some(2))];
    read(&mut journal, &rows);
    let job = jobs(&journal).remove(0);
    let note = Note { http_status: Some(403), kind: "PERMISSION_DENIED".to_owned(), error: "no".to_owned() };
    journal
        .apply(&[
            Change::Mark { row: job.id, space: job.space, at: NOW },
            Change::Rejected { row: job.id, space: job.space, at: NOW, note },
        ])
        .unwrap();
    assert_eq!(read(&mut journal, &rows), [0, 2, 0, 0], "the same file again changes nothing");
    assert_eq!(read_as(&mut journal, "/rejects.csv", &rows[..1]), [0, 0, 1, 0]);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.pending, tally.rejected, tally.total), (2, 0, 2));
    assert_eq!(journal.recount().unwrap(), [2, 0, 0, 0, 0]);
}

#[test]
fn stints_may_touch_but_not_overlap() {
    let stint = |from, to| tenure("A", "a@b.cd", from, to);
    assert_eq!(overlaps(&[stint(Some(1), Some(2)), stint(Some(2), Some(3))]), []);
    assert_eq!(
        overlaps(&[stint(Some(5), Some(9)), stint(Some(1), Some(6))]),
        [(2, "/rows.csv:3".to_owned())],
        "the later one is named, with the earlier beside it"
    );
    assert_eq!(overlaps(&[stint(Some(1), Some(9)), stint(None, Some(4))]).len(), 1);
    assert_eq!(overlaps(&[stint(Some(1), None), stint(Some(4), Some(5))]).len(), 1);
    assert_eq!(overlaps(&[stint(None, None), stint(Some(4), Some(5))]), []);
    assert_eq!(overlaps(&[stint(None, None), stint(Some(4), None)]).len(), 1);
    let long = [stint(Some(1), Some(9)), stint(Some(2), Some(3)), stint(Some(4), Some(5))];
    assert_eq!(overlaps(&long).len(), 2, "both lie within the first");
    let elsewhere = [
        stint(Some(1), Some(9)),
        tenure("B", "a@b.cd", Some(2), Some(3)),
        tenure("A", "b@b.cd", Some(2), Some(3)),
    ];
    assert_eq!(overlaps(&elsewhere), []);
}
