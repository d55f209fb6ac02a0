//! Rejects that are tried again as they are.

use super::*;

fn note(http_status: Option<u16>, kind: &str) -> Note {
    Note { http_status, kind: kind.to_owned(), error: format!("{kind} it is") }
}

/// A journal with a reject of each of these kinds, in one space.
fn rejected(kinds: &[(Option<u16>, &str)]) -> Journal {
    let mut journal = scratch_with_rollback();
    let rows: Vec<Tenure> =
        (0..kinds.len()).map(|n| tenure("A", &format!("m{n}@b.cd"), Some(1), Some(2))).collect();
    read(&mut journal, &rows);
    for (job, (http_status, kind)) in jobs(&journal).iter().zip(kinds) {
        let (row, space, at) = (job.id, job.space, NOW);
        let reject = Change::Rejected { row, space, at, note: note(*http_status, kind) };
        journal.apply(&[Change::Mark { row, space, at }, reject]).unwrap();
    }
    journal
}

fn kinds(journal: &Journal) -> Vec<(String, u64)> {
    journal.rejects_by_kind().unwrap()
}

fn counted(kinds: &[(&str, u64)]) -> Vec<(String, u64)> {
    kinds.iter().map(|(kind, rows)| ((*kind).to_owned(), *rows)).collect()
}

#[test]
fn all_that_cannot_double_anything() {
    let mut journal = rejected(&[
        (Some(404), "NOT_FOUND"),
        (Some(403), "NOT_FOUND"),
        (Some(400), "INVALID_ARGUMENT"),
        (None, "UNDECIDED"),
        (Some(200), "DOUBLED"),
        (None, "PERHAPS_THERE"),
        (None, "overlap"),
    ]);
    let expected = [
        ("NOT_FOUND", 2),
        ("DOUBLED", 1),
        ("INVALID_ARGUMENT", 1),
        ("PERHAPS_THERE", 1),
        ("UNDECIDED", 1),
        ("overlap", 1),
    ];
    assert_eq!(kinds(&journal), counted(&expected));
    let retried = journal.retry_rejected(Some("NOT_FOUND")).unwrap();
    assert_eq!(retried, Retried { rows: 2, ..Retried::default() });
    let retried = journal.retry_rejected(None).unwrap();
    assert_eq!(retried, Retried { rows: 1, of_the_line: 1, open_questions: 3, not_taken_back: 0 });
    assert_eq!(kinds(&journal).len(), 4);
    assert_eq!(journal.recount().unwrap(), [3, 0, 0, 4, 0]);
    journal.examine().unwrap();
    assert_eq!(jobs(&journal).iter().map(|job| job.attempts).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_line_that_is_no_row_is_not_tried_again() {
    let mut journal = scratch_with_rollback();
    let mut loader = journal.loader(NOW).unwrap();
    let source = loader.begin_source("/rows.csv", "{}").unwrap();
    let refusal = Refusal { kind: "bad-time", error: "no time".to_owned() };
    loader.invalid(source, 2, &refusal, None).unwrap();
    loader.commit().unwrap();
    assert_eq!(kinds(&journal), counted(&[("bad-time", 1)]));
    let retried = journal.retry_rejected(Some("bad-time")).unwrap();
    assert_eq!(retried, Retried { of_the_line: 1, ..Retried::default() });
    journal.examine().unwrap();
}

#[test]
fn of_a_space_that_is_refused_what_may_be_held_is_an_open_question() {
    let mut journal = scratch_with_rollback();
    let rows: Vec<Tenure> = (0..4).map(|n| tenure("A", &format!("m{n}@b.cd"), Some(1), Some(2))).collect();
    read(&mut journal, &rows);
    let jobs = jobs(&journal);
    let (space, at) = (jobs[0].space, NOW);
    let mark = |place: usize| Change::Mark { row: jobs[place].id, space, at };
    // One was denied, of one the answer was lost, one was throttled, one has never left.
    journal
        .apply(&[
            mark(0),
            Change::Unclear { row: jobs[0].id, note: note(Some(403), "PERMISSION_DENIED") },
            mark(1),
            mark(2),
            Change::Release { row: jobs[2].id, space, sent: true, note: Some(note(Some(429), "QUOTA")) },
            Change::SpaceRejected { space, at, note: note(Some(403), "SPACE_REFUSED") },
        ])
        .unwrap();
    assert_eq!(kinds(&journal), counted(&[("SPACE_REFUSED", 3), ("UNDECIDED", 1)]));
    let retried = journal.retry_rejected(None).unwrap();
    assert_eq!(retried, Retried { rows: 3, open_questions: 1, ..Retried::default() });
    journal.examine().unwrap();
}

#[test]
fn what_was_taken_back_is_not_sent_again() {
    let mut journal = rejected(&[(Some(404), "NOT_FOUND")]);
    read_as(&mut journal, "/more.csv", &[tenure("A", "more@b.cd", Some(1), Some(2))]);
    journal.begin_rollback(NOW).unwrap();
    assert_eq!(kinds(&journal), counted(&[("NOT_FOUND", 1)]));
    let retried = journal.retry_rejected(None).unwrap();
    assert_eq!(retried, Retried { not_taken_back: 1, ..Retried::default() });
    journal.examine().unwrap();
}

#[test]
fn messages_that_differ_are_told_apart() {
    let mut journal = rejected(&[(Some(400), "INVALID_ARGUMENT")]);
    let space = journal.spaces_held().unwrap()[0].id;
    let rows: Vec<Tenure> = (0..30).map(|n| tenure("B", &format!("n{n}@b.cd"), Some(1), Some(2))).collect();
    read_as(&mut journal, "/more.csv", &rows);
    for (n, job) in jobs(&journal).iter().enumerate() {
        let error = match n {
            0..5 => format!("no such user: n{n}@b.cd"),
            5..8 => "createTime is before the space\u{2019}s".to_owned(),
            // As many as nobody reads.
            n => format!("odd {}", "very ".repeat(n)),
        };
        let note = Note { error, ..note(Some(400), "INVALID_ARGUMENT") };
        let (row, space, at) = (job.id, job.space, NOW);
        journal.apply(&[Change::Mark { row, space, at }, Change::Rejected { row, space, at, note }]).unwrap();
    }
    let told = journal.reject_messages().unwrap();
    assert_eq!(told.iter().map(|reason| reason.count).sum::<u64>(), 31);
    assert_eq!(told.len(), 9, "and those of all others together");
    let of = |part: &str| {
        let reason = told.iter().find(|reason| reason.example.contains(part)).unwrap();
        (reason.count, reason.alike)
    };
    assert_eq!((of("no such user"), of("before the space")), ((5, false), (3, true)));
    assert!(told.iter().all(|reason| !reason.too_late));
    // What stands in a completed space is history that nobody can add.
    journal.apply(&[Change::Completed { space, at: NOW }]).unwrap();
    let told = journal.reject_messages().unwrap();
    assert_eq!(told.iter().filter(|reason| reason.too_late).map(|reason| reason.count).sum::<u64>(), 1);
    // Nor is more of it sent there.
    read_as(&mut journal, "/late.csv", &[tenure("A", "late@b.cd", Some(1), Some(2))]);
    assert_eq!(journal.refuse_late_history(NOW).unwrap(), 1);
    assert_eq!(journal.refuse_late_history(NOW).unwrap(), 0);
    assert_eq!(kinds(&journal), counted(&[("INVALID_ARGUMENT", 31), ("SPACE_COMPLETED", 1)]));
    journal.examine().unwrap();
}

#[test]
fn who_was_a_member_before_stays_whatever_became_of_the_role() {
    let mut journal = scratch_with_rollback();
    let rows: Vec<Tenure> = (0..6).map(|n| tenure("A", &format!("m{n}@b.cd"), Some(1), None)).collect();
    read(&mut journal, &rows);
    let (space, at) = (journal.spaces_held().unwrap()[0].id, NOW);
    journal.apply(&[Change::Completed { space, at }]).unwrap();
    // Every second was there before; all wait for a role: two in vain, and of two no answer has come.
    let jobs = jobs(&journal);
    for (n, job) in jobs.iter().enumerate() {
        let (row, member, existed) = (job.id, job.member, n % 2 == 0);
        let (http_status, membership, user) = (Some(200), None, None);
        let then = Some(Operation::Patch);
        let done = Change::Done { row, space, member, at, http_status, membership, user, existed, then };
        journal.apply(&[Change::Mark { row, space, at }, done]).unwrap();
        if n >= 2 {
            journal.apply(&[Change::Mark { row, space, at }]).unwrap();
        }
        if n >= 4 {
            let note = note(Some(403), "PERMISSION_DENIED");
            journal.apply(&[Change::Rejected { row, space, at, note }]).unwrap();
        }
    }
    let plan = journal.rollback_plan().unwrap();
    assert_eq!((plan.to_delete, plan.stays.existed, plan.unsent), (3, 3, 0));
    journal.begin_rollback(NOW).unwrap();
    let rolled_back = journal.rolled_back().unwrap();
    assert_eq!((rolled_back.stays.existed, rolled_back.refused), (3, 0));
    assert_eq!(journal.recount().unwrap(), [3, 0, 3, 0, 0]);
    journal.examine().unwrap();
}
