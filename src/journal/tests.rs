//! The journal by itself: rows in, changes, counters, refusals.

mod again;
mod figures;
mod reading;
mod replacing;
mod stints;
mod verified;

use proptest::prelude::*;

use super::*;
use crate::model::{Job, MemberName, Role, SpaceName, Span, Tenure};

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(1_500_000_000_000_000 + day * 86_400_000_000)
}

fn tenure(space: &str, member: &str, from: Option<i64>, to: Option<i64>) -> Tenure {
    Tenure {
        space: SpaceName::parse(space).unwrap(),
        member: MemberName::parse(member).unwrap(),
        create_time: from.map(day),
        delete_time: to.map(day),
        role: None,
    }
}

fn with_role(mut tenure: Tenure, role: Role) -> Tenure {
    tenure.role = Some(role);
    tenure
}

fn scratch() -> Journal {
    Journal::scratch("emulator", NOW).unwrap()
}

/// Reads tenures as one file; what became of them: new, known, to be tried again, repeating another.
fn read(journal: &mut Journal, tenures: &[Tenure]) -> [u64; 4] {
    read_as(journal, "/rows.csv", tenures)
}

fn read_as(journal: &mut Journal, path: &str, tenures: &[Tenure]) -> [u64; 4] {
    let mut loader = loader(journal, path, tenures);
    let taken = loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
    loader.commit().unwrap();
    [taken.new, taken.known, taken.again, taken.duplicates]
}

fn loader<'j>(journal: &'j mut Journal, path: &str, tenures: &[Tenure]) -> Loader<'j> {
    let mut loader = journal.loader(NOW).unwrap();
    loader.begin_source(path, "{}").unwrap();
    for (line, tenure) in (2..).zip(tenures) {
        loader.row(line, tenure, None).unwrap();
    }
    loader
}

fn left_out(kind: &'static str) -> Verdict {
    Verdict::LeftOut(Refusal { kind, error: "it is".to_owned() }, None)
}

/// Where each row lies, in the order of the numbers.
fn times(journal: &Journal) -> Vec<(i64, String, Option<i64>, Option<i64>)> {
    let sql = "SELECT rows.id, name, create_time, delete_time FROM rows JOIN members ON members.id = rows.id >> 16 & 67108863 ORDER BY 1";
    let mut statement = journal.conn.prepare(sql).unwrap();
    let days = |time: Option<i64>| time.map(|time| (time - day(0).as_micros()) / 86_400_000_000);
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, days(row.get(2)?), days(row.get(3)?))))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn overlaps(tenures: &[Tenure]) -> Vec<(u64, String)> {
    let mut journal = scratch();
    let mut found = Vec::new();
    let note = |finding: Finding<'_>| {
        let Finding::Overlap(overlap) = finding else { panic!("{finding:?}") };
        found.push((overlap.line, overlap.other_origin));
        Verdict::Stands
    };
    loader(&mut journal, "/rows.csv", tenures).settle(note, || true).unwrap();
    found
}

fn jobs(journal: &Journal) -> Vec<Job> {
    let spaces = journal.work().unwrap().spaces;
    spaces.iter().flat_map(|space| journal.pending(space.id, None, 1000).unwrap()).collect()
}

#[test]
fn a_row_seen_twice_is_one_row() {
    let mut journal = scratch();
    let rows = [
        tenure("A", "a@b.cd", Some(1), Some(2)),
        tenure("A", "A@B.cd", Some(1), Some(2)),
        tenure("A", "a@b.cd", Some(1), Some(3)),
        tenure("A", "a@b.cd", None, Some(2)),
        tenure("A", "a@b.cd", Some(1), None),
        tenure("A", "a@b.cd", Some(1), None),
    ];
    let first = read(&mut journal, &rows);
    assert_eq!(first, [4, 0, 0, 2]);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.total, tally.pending, tally.open, tally.duplicate), (4, 3, 1, 2));
    // The same file again: old acquaintances, and its duplicates are not counted once more.
    let again = read(&mut journal, &rows);
    assert_eq!(again, [0, 4, 0, 2]);
    assert_eq!(journal.tally().unwrap(), tally);
}

#[test]
fn one_membership_has_one_role() {
    let mut journal = scratch();
    let open = tenure("A", "a@b.cd", Some(1), None);
    let rows = [with_role(open.clone(), Role::Manager), open.clone()];
    let mut reading = loader(&mut journal, "/rows.csv", &rows);
    let taken = reading
        .settle(
            |finding| {
                let Finding::OtherRole { line, tenure, origin, role, .. } = finding else {
                    panic!("{finding:?}")
                };
                assert_eq!((line, origin.as_str(), role), (3, "/rows.csv:2", Some("ROLE_MANAGER")));
                assert_eq!(tenure, open);
                left_out("duplicate-with-other-role")
            },
            || true,
        )
        .unwrap()
        .unwrap();
    assert_eq!(taken, Taken { new: 1, ..Taken::default() });
    reading.commit().unwrap();
    assert_eq!(journal.recount().unwrap(), [0, 0, 0, 1, 1]);
    assert_eq!(journal.tally().unwrap().rejected, 1);
    // In a later reading it is a correction.
    assert_eq!(read(&mut journal, &[with_role(open, Role::Member)]), [0, 1, 0, 0]);
    let role: String =
        journal.conn.query_row("SELECT role FROM rows WHERE state = 4", [], |row| row.get(0)).unwrap();
    assert_eq!(role, "ROLE_MEMBER");
}

#[test]
fn what_stands_is_not_journaled() {
    let mut journal = scratch_with_rollback();
    let rows = [(1, 9), (2, 20)].map(|(from, to)| tenure("A", "a@b.cd", Some(from), Some(to)));
    let mut loader = loader(&mut journal, "/rows.csv", &rows);
    loader.settle(|_| Verdict::Stands, || true).unwrap();
    loader.commit().unwrap_err();
    assert_eq!(journal.tally().unwrap().total, 0);
}

#[test]
fn what_overlaps_only_a_row_that_is_left_out_stays() {
    let mut journal = scratch();
    let rows = [(1, 9), (2, 20), (10, 12)].map(|(from, to)| tenure("A", "a@b.cd", Some(from), Some(to)));
    let mut loader = loader(&mut journal, "/rows.csv", &rows);
    let mut lines = Vec::new();
    let note = |finding: Finding<'_>| {
        let Finding::Overlap(overlap) = finding else { panic!("{finding:?}") };
        lines.push(overlap.line);
        left_out("overlap")
    };
    loader.settle(note, || true).unwrap();
    assert_eq!(lines, [3]);
    loader.commit().unwrap();
    let tally = journal.tally().unwrap();
    assert_eq!((tally.pending, tally.rejected), (2, 1));
    assert_eq!(journal.recount().unwrap(), [2, 0, 0, 1, 0]);
}

#[test]
fn a_reading_that_is_dropped_never_was() {
    let mut journal = scratch_with_rollback();
    {
        let rows = [tenure("A", "a@b.cd", Some(1), Some(2))];
        let mut loader = loader(&mut journal, "/rows.csv", &rows);
        loader.settle(|_| Verdict::Stands, || true).unwrap();
    }
    assert_eq!(journal.tally().unwrap().total, 0);
    assert_eq!(journal.layouts().unwrap(), []);
}

/// A scratch journal cannot roll back; a real one can.
fn scratch_with_rollback() -> Journal {
    let mut journal = Journal::prepare(Connection::open_in_memory().unwrap()).unwrap();
    journal.begin("emulator".into(), NOW).unwrap();
    journal
}

#[test]
fn invalid_lines_belong_to_the_last_reading_of_their_file() {
    let mut journal = scratch();
    for count in [3, 1] {
        let mut loader = journal.loader(NOW).unwrap();
        loader.begin_source("/rows.csv", "{}").unwrap();
        for line in 0..count {
            let refusal = Refusal { kind: "bad-time", error: "createTime \"x\"".to_owned() };
            loader.invalid(0, line + 2, &refusal, Some("{}")).unwrap();
        }
        loader.commit().unwrap();
        let tally = journal.tally().unwrap();
        assert_eq!((tally.total, tally.rejected, tally.spaces), (count, count, 0));
    }
}

#[test]
fn a_members_stints_come_in_the_order_of_their_times() {
    let mut journal = scratch();
    let rows: Vec<Tenure> = [(7, 8), (1, 2), (5, 6), (3, 4)]
        .into_iter()
        .flat_map(|(from, to)| ["a@b.cd", "b@b.cd"].map(|member| tenure("A", member, Some(from), Some(to))))
        .chain([tenure("A", "a@b.cd", None, Some(10))])
        .collect();
    read(&mut journal, &rows);
    let space = journal.work().unwrap().spaces[0].id;
    let mut fed: Vec<Job> = Vec::new();
    loop {
        let batch = journal.pending(space, fed.last(), 2).unwrap();
        if batch.is_empty() {
            break;
        }
        fed.extend(batch);
    }
    assert_eq!(fed.len(), 9);
    for pair in fed.windows(2) {
        assert!(pair[0].member != pair[1].member || pair[0].span.start() < pair[1].span.start(), "{pair:?}");
    }
}

#[test]
fn a_change_needs_the_state_that_it_starts_from() {
    let mut journal = scratch_with_rollback();
    read(&mut journal, &[tenure("A", "a@b.cd", Some(1), Some(2))]);
    let job = jobs(&journal).remove(0);
    let mark = Change::Mark { row: job.id, space: job.space, at: NOW };
    journal.apply(std::slice::from_ref(&mark)).unwrap();
    let twice = journal.apply(std::slice::from_ref(&mark)).unwrap_err();
    assert!(matches!(twice, JournalError::NotInState { state: "pending", .. }), "{twice}");
    let release = Change::Release { row: job.id, space: job.space, sent: false, note: None };
    // All of a batch or nothing.
    journal.apply(&[release.clone(), release.clone()]).unwrap_err();
    assert_eq!(journal.in_flight(job.space).unwrap().len(), 1);
    journal.apply(&[release]).unwrap();
    assert_eq!(jobs(&journal)[0].attempts, 0, "it was never sent");
}

#[test]
fn other_files_and_newer_journals_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    assert!(matches!(Journal::open(&path), Err(JournalError::Missing)));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Empty)));
    std::fs::write(&path, "space,member\n".repeat(200)).unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.starts_with("this is not a tenure journal"), "{error}");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::NotAJournal)));
    std::fs::remove_file(&path).unwrap();
    Journal::create(&path, "emulator", NOW).unwrap();
    let mut journal = Journal::open(&path).unwrap();
    journal.expect_destination("emulator").unwrap();
    // What has sent nothing can go anywhere; a run that reached nobody has sent nothing.
    journal.begin_run("{}", "resume", NOW).unwrap();
    journal.end_run("nobody answered", None, NOW).unwrap();
    journal.set_out_for("https://chat.example/").unwrap();
    assert_eq!(journal.target().unwrap(), "https://chat.example/");
    journal.begin_run("{}", "resume", NOW).unwrap();
    let calls = Calls { sent: 1, failed: 1, ..Calls::default() };
    journal.apply(&[Change::Calls { at: NOW, calls }]).unwrap();
    journal.end_run("interrupted", None, NOW).unwrap();
    drop(journal);
    let other = Journal::open(&path).unwrap().expect_destination("https://chat.googleapis.com/").unwrap_err();
    assert!(matches!(other, JournalError::OtherTarget { .. }));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = Journal::open(&path).unwrap_err();
    assert!(matches!(newer, JournalError::Newer { found: 99, .. }), "{newer}");
}

#[test]
fn a_lock_has_one_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let lock = Lock::take(&path).unwrap();
    let refused = Lock::take(&path).unwrap_err();
    assert!(matches!(refused, JournalError::Locked { holder: Some(pid) } if pid == std::process::id()));
    assert_eq!(Lock::holder(&path), Some(Some(std::process::id())));
    drop(lock);
    assert_eq!(Lock::holder(&path), None);
    assert!(!sibling(&path, "lock").exists(), "nothing has begun, so nothing is left");
    let lock = Lock::take(&path).unwrap();
    let mut journal = Journal::create(&path, "emulator", NOW).unwrap();
    lock.follow(&mut journal).unwrap();
    drop((journal, lock));
    assert!(sibling(&path, "lock").exists(), "it says how the run ended");
    drop(Lock::take(&path).unwrap());
    assert!(sibling(&path, "lock").exists());
}

#[test]
fn listed_memberships_are_attributed() {
    let mut journal = scratch();
    read(&mut journal, &[tenure("A", "a@b.cd", Some(1), Some(2)), tenure("A", "users/77", Some(1), Some(2))]);
    let [first, second] = jobs(&journal).try_into().unwrap();
    let span = Span { create_time: Some(day(1)), delete_time: Some(day(2)) };
    let done = Change::Done {
        row: first.id,
        space: first.space,
        member: first.member,
        at: NOW,
        http_status: Some(200),
        membership: Some("spaces/A/members/5".to_owned()),
        user: Some("users/5".to_owned()),
        existed: false,
        then: None,
    };
    journal
        .apply(&[
            Change::Found { space: first.space, user: "users/9".to_owned(), span },
            Change::Mark { row: first.id, space: first.space, at: NOW },
            done,
        ])
        .unwrap();
    let listed = ["users/5", "users/77", "users/9", "users/8"].map(|user| Held {
        membership: String::new(),
        user: user.to_owned(),
        span,
    });
    let attributed = journal.attribute(first.space, listed.to_vec()).unwrap();
    let owners: Vec<_> = attributed.iter().map(|entry| entry.owners.clone()).collect();
    assert_eq!(owners, [vec![first.member], vec![second.member], vec![], vec![]]);
    let before: Vec<_> = attributed.iter().map(|entry| entry.found_beforehand).collect();
    assert_eq!(before, [false, false, true, false]);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Mark,
    Release,
    Done,
    Reject,
    RejectSpace,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn counters_say_what_the_rows_say(
        steps in proptest::collection::vec(
            (0usize..12, prop_oneof![
                6 => Just(Step::Mark), 2 => Just(Step::Release), 4 => Just(Step::Done), 2 => Just(Step::Reject),
                1 => Just(Step::RejectSpace),
            ]),
            0..60,
        )
    ) {
        let mut journal = scratch_with_rollback();
        let rows: Vec<Tenure> = (0..12)
            .map(|n| tenure(["A", "B", "C"][n % 3], &format!("m{n}@b.cd"), Some(1), (n != 5).then_some(2)))
            .collect();
        read(&mut journal, &rows);
        journal.begin_run("{}", "resume", NOW).unwrap();
        let jobs = jobs(&journal);
        for (row, step) in steps {
            let Some(job) = jobs.get(row) else { continue };
            let error = format!("no {}", row % 2);
            let note = Note { http_status: Some(400), kind: "INVALID_ARGUMENT".to_owned(), error };
            let (row, space, at) = (job.id, job.space, NOW);
            let change = match step {
                Step::Mark => Change::Mark { row, space, at },
                Step::Release => Change::Release { row, space, sent: true, note: Some(note.clone()) },
                Step::Done => Change::Done {
                    row, space, at, member: job.member, http_status: Some(200), membership: None, user: None, existed: false,
                    then: None,
                },
                Step::Reject => Change::Rejected { row, space, at, note: note.clone() },
                Step::RejectSpace => Change::SpaceRejected { space, at, note: note.clone() },
            };
            // A change from the wrong state is refused and leaves everything as it was.
            let _ = journal.apply(&[change]);
            let tally = journal.tally().unwrap();
            let counted = [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open];
            prop_assert_eq!(counted, journal.recount().unwrap());
            prop_assert_eq!(counted.iter().sum::<u64>(), tally.total);
            let kinds = journal.reject_kinds().unwrap();
            prop_assert_eq!(kinds.iter().map(|kind| kind.count).sum::<u64>(), tally.rejected);
            reasons::recount(&journal.conn).unwrap();
            prop_assert_eq!(kinds, journal.reject_kinds().unwrap());
            let course = journal.stretches().unwrap();
            let of_course = |of: fn(&Stretch) -> u64| course.iter().map(of).sum::<u64>();
            prop_assert_eq!(of_course(|stretch| stretch.done), tally.done);
            prop_assert_eq!(of_course(|stretch| stretch.rejected), tally.rejected);
        }
    }
}
