//! Mended rows that take the place of rejects.

use super::*;

const MENDED: &str = "/mended.csv";

fn member(name: &str) -> Tenure {
    tenure("A", &format!("{name}@b.cd"), Some(1), Some(2))
}

fn from(place: &str) -> String {
    format!(r#"{{"replaces":"{place}"}}"#)
}

/// A line that is no row.
const BAD: (u64, &str) = (9, r#"{"space":"A","member":"c"}"#);
const REFUSAL: Refusal = Refusal { kind: "bad-member", error: String::new() };

fn bad(loader: &mut Loader<'_>) -> bool {
    loader.invalid(0, BAD.0, &REFUSAL, Some(BAD.1)).unwrap()
}

/// A journal of `/rows.csv` with a row that is done (line 2), two that Chat refused (3 and 4) and one that it may hold (5), for
/// these reasons, and a line that is no row (9).
fn refused() -> Journal {
    let mut journal = scratch_with_rollback();
    read_original(&mut journal, &["ok", "x", "y", "z"]);
    for (job, kind) in
        jobs(&journal).into_iter().zip([None, Some("NOT_FOUND"), Some("OTHER"), Some("UNDECIDED")])
    {
        settle(&mut journal, &job, kind);
    }
    assert_eq!(journal.recount().unwrap(), [0, 0, 1, 4, 0]);
    journal
}

fn settle(journal: &mut Journal, job: &Job, refused: Option<&str>) {
    let (row, space, at) = (job.id, job.space, NOW);
    let settled = match refused {
        Some(kind) => {
            let note = Note { http_status: Some(400), kind: kind.to_owned(), error: format!("{kind} it is") };
            Change::Rejected { row, space, at, note }
        }
        None => Change::Done {
            row,
            space,
            member: job.member,
            at,
            http_status: Some(200),
            membership: None,
            user: None,
            existed: false,
            then: None,
        },
    };
    journal.apply(&[Change::Mark { row, space, at }, settled]).unwrap();
}

fn read_original(journal: &mut Journal, names: &[&str]) -> (Taken, bool) {
    let rows: Vec<Tenure> = names.iter().map(|name| member(name)).collect();
    let mut loader = loader(journal, "/rows.csv", &rows);
    let is_reject = bad(&mut loader);
    let taken = loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
    loader.commit().unwrap();
    (taken, is_reject)
}

/// Feeds rows back from another file, each with what it says beyond its tenure; how many rejects they replace.
fn feed(journal: &mut Journal, path: &str, rows: &[(Tenure, String)]) -> u64 {
    let mut loader = journal.loader(NOW).unwrap();
    loader.begin_source(path, "{}").unwrap();
    for (line, (tenure, given)) in (2..).zip(rows) {
        loader.row(line, tenure, Some(given)).unwrap();
    }
    let taken = loader.settle(|_| left_out("overlap"), || true).unwrap().unwrap();
    loader.commit().unwrap();
    journal.examine().unwrap();
    taken.replaced
}

fn states(journal: &Journal) -> Vec<String> {
    let mut statement = journal
        .conn
        .prepare(
            "SELECT origin || ' ' || state FROM tenures WHERE state IN ('rejected', 'replaced') ORDER BY 1",
        )
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_was_mended_takes_the_place_of_what_was_refused() {
    let mut journal = refused();
    let mended = [(member("xx"), from("/rows.csv:3")), (member("c"), from("/rows.csv:9"))];
    assert_eq!(feed(&mut journal, MENDED, &mended), 2);
    let expected =
        ["/rows.csv:3 replaced", "/rows.csv:4 rejected", "/rows.csv:5 rejected", "/rows.csv:9 replaced"];
    assert_eq!(states(&journal), expected);
    let tally = journal.tally().unwrap();
    assert_eq!((tally.total, tally.done, tally.rejected, tally.pending), (5, 1, 2, 2));
    let kinds: Vec<_> = journal.reject_kinds().unwrap().into_iter().map(|reason| reason.kind).collect();
    assert_eq!(kinds, ["OTHER", "UNDECIDED"]);
    assert_eq!(journal.row_figures(&[], NOW).unwrap().states, [2, 0, 1, 2, 0]);
    assert_eq!(journal.holdings(crate::model::SpaceId(1)).unwrap().0.len(), 5);
    let mut given_back = Vec::new();
    journal
        .rejects(|row| -> Result<(), JournalError> {
            given_back.push(row.line);
            Ok(())
        })
        .unwrap();
    assert_eq!(given_back, [4, 5]);
    // Neither file changes anything when it is read once more.
    assert_eq!(feed(&mut journal, MENDED, &mended), 0);
    let (taken, is_reject) = read_original(&mut journal, &["ok", "x", "y", "z"]);
    assert_eq!((taken, is_reject), (Taken { known: 4, ..Taken::default() }, false));
    assert_eq!(
        (states(&journal).as_slice(), journal.tally().unwrap()),
        (expected.map(str::to_owned).as_slice(), tally)
    );
    // Fed back as it was, it is a row again.
    assert_eq!(feed(&mut journal, "/again.csv", &[(member("x"), "{}".to_owned())]), 0);
    assert_eq!(journal.recount().unwrap(), [3, 0, 1, 2, 0]);
}

#[test]
fn what_names_nothing_that_can_be_replaced_is_a_row_like_any_other() {
    let mut journal = refused();
    let claims = [
        "/rows.csv:2",  // done
        "/rows.csv:5",  // perhaps held
        "/rows.csv:77", // no row
        "/other.csv:3", // no file of this journal
        "yes",
    ];
    let rows: Vec<_> =
        claims.iter().enumerate().map(|(n, claim)| (member(&format!("m{n}")), from(claim))).collect();
    assert_eq!(feed(&mut journal, MENDED, &rows), 0);
    assert_eq!(journal.recount().unwrap(), [5, 0, 1, 4, 0]);
    for kind in ["DOUBLED", "PERHAPS_THERE"] {
        let mut journal = scratch_with_rollback();
        read(&mut journal, &[member("x")]);
        let job = jobs(&journal).remove(0);
        settle(&mut journal, &job, Some(kind));
        assert_eq!(feed(&mut journal, MENDED, &[(member("xx"), from("/rows.csv:2"))]), 0, "{kind}");
    }
}

#[test]
fn whoever_was_added_and_refused_a_role_is_a_member_still() {
    let mut journal = scratch_with_rollback();
    read(&mut journal, &[with_role(member("x"), Role::Manager)]);
    let Job { id: row, space, member: of, .. } = jobs(&journal).remove(0);
    let (at, then) = (NOW, Some(crate::model::Operation::Patch));
    let (membership, user, existed, http_status) = (None, None, false, Some(200));
    let added = Change::Done { row, space, member: of, at, http_status, membership, user, existed, then };
    journal.apply(&[Change::Mark { row, space, at }, added]).unwrap();
    let job = jobs(&journal).remove(0);
    settle(&mut journal, &job, Some("NOT_FOUND"));
    assert_eq!(feed(&mut journal, MENDED, &[(member("xx"), from("/rows.csv:2"))]), 0);
    assert_eq!(journal.recount().unwrap(), [1, 0, 0, 1, 0]);
}

#[test]
fn a_row_that_is_left_out_itself_replaces_nothing() {
    let mut journal = refused();
    let overlapping =
        Tenure { create_time: Some(Timestamp::from_micros(day(1).as_micros() + 1)), ..member("ok") };
    assert_eq!(feed(&mut journal, MENDED, &[(overlapping, from("/rows.csv:3"))]), 0);
    assert_eq!(states(&journal).len(), 5);
    // What is there already is what the row was to be: nothing is left of it.
    assert_eq!(feed(&mut journal, "/same.csv", &[(member("ok"), from("/rows.csv:4"))]), 1);
    assert_eq!(journal.recount().unwrap(), [0, 0, 1, 4, 0]);
}

#[test]
fn a_file_can_be_mended_again_and_again() {
    let mut journal = refused();
    // As it was, to begin with; then wrong in another way, twice; then right.
    assert_eq!(feed(&mut journal, MENDED, &[(member("x"), from("/rows.csv:3"))]), 0);
    for name in ["x", "xx", "xxx"] {
        assert_eq!(
            feed(&mut journal, MENDED, &[(member(name), from("/rows.csv:3"))]),
            u64::from(name != "x")
        );
        let job = jobs(&journal).remove(0);
        settle(&mut journal, &job, Some("NOT_FOUND"));
        assert_eq!(journal.recount().unwrap(), [0, 0, 1, 4, 0], "{name}");
    }
    assert_eq!(feed(&mut journal, MENDED, &[(member("xxxx"), from("/rows.csv:3"))]), 1);
    assert_eq!(journal.recount().unwrap(), [1, 0, 1, 3, 0]);
    // The file in which it stood first knows it still.
    assert_eq!(read_original(&mut journal, &["ok", "x", "y", "z"]).0.known, 4);
    assert_eq!(journal.recount().unwrap(), [1, 0, 1, 3, 0]);
}

#[test]
fn of_two_rows_that_were_made_of_one_none_hides_the_other() {
    let mut journal = refused();
    let rows = ["v", "w"].map(|name| (member(name), from("/rows.csv:3")));
    assert_eq!(feed(&mut journal, MENDED, &rows), 1);
    for job in jobs(&journal) {
        settle(&mut journal, &job, Some("NOT_FOUND"));
    }
    assert_eq!(
        feed(&mut journal, "/v.csv", &[(member("vv"), from("/rows.csv:3"))]),
        0,
        "which of the two is not told"
    );
    let rows = [(member("vv"), from("/rows.csv:3")), (member("w"), from("/rows.csv:3"))];
    assert_eq!(feed(&mut journal, MENDED, &rows), 1, "one of the two is met");
    assert_eq!(states(&journal).iter().filter(|state| state.contains("mended.csv:3 rejected")).count(), 1);
    assert_eq!(feed(&mut journal, "/w.csv", &[(member("ww"), from("/mended.csv:3"))]), 1);
}

#[test]
fn rows_that_are_merged_replace_nothing_and_are_not_replaced() {
    let mut journal = scratch_with_rollback();
    let merge = crate::model::Policy { stints: crate::model::Stints::Merge, bridges: false };
    let stints =
        [tenure("A", "x@b.cd", Some(1), Some(2)), tenure("A", "x@b.cd", Some(3), Some(4)), member("y")];
    let mut loader = journal.loader_by(merge, NOW).unwrap();
    loader.begin_source("/rows.csv", "{}").unwrap();
    for (line, tenure) in (2..).zip(&stints) {
        loader.row(line, tenure, None).unwrap();
    }
    loader.commit().unwrap();
    for job in jobs(&journal) {
        settle(&mut journal, &job, Some("NOT_FOUND"));
    }
    assert_eq!(feed(&mut journal, MENDED, &[(member("xx"), from("/rows.csv:2"))]), 0);
    // A row that is one line, even here, is.
    assert_eq!(feed(&mut journal, MENDED, &[(member("yy"), from("/rows.csv:4"))]), 1);
    assert_eq!(journal.recount().unwrap(), [2, 0, 0, 1, 0]);
    assert_eq!(read(&mut journal, &stints)[0], 0);
    assert_eq!(journal.recount().unwrap(), [2, 0, 0, 1, 0]);
    journal.examine().unwrap();
}

#[test]
fn a_reading_that_is_given_up_replaces_nothing() {
    let mut journal = refused();
    let before = (states(&journal), journal.tally().unwrap());
    let mut loader = journal.loader(NOW).unwrap();
    loader.begin_source(MENDED, "{}").unwrap();
    loader.row(2, &member("xx"), Some(&from("/rows.csv:3"))).unwrap();
    let taken = loader.settle(|_| Verdict::PassedOver, || true).unwrap().unwrap();
    assert_eq!(taken.replaced, 1);
    drop(loader);
    assert_eq!((states(&journal), journal.tally().unwrap()), before);
    journal.examine().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_line_is_counted_once_whatever_replaces_what(
        fed in proptest::collection::vec(
            (0usize..3, proptest::collection::vec((0usize..8, 0u64..12, 0usize..3, any::<bool>()), 1..5), 0usize..4), 1..8,
        )
    ) {
        let mut journal = refused();
        for (file, rows, refusals) in fed {
            let files = ["/rows.csv", MENDED, "/third.csv"];
            let mut loader = journal.loader(NOW).unwrap();
            loader.begin_source(files[file], "{}").unwrap();
            for (line, (name, at, of, is_row)) in (2..).zip(rows) {
                let claim = from(&format!("{}:{at}", files[of]));
                if is_row {
                    loader.row(line, &member(&format!("m{name}")), Some(&claim)).unwrap();
                } else {
                    loader.invalid(0, line, &REFUSAL, Some(&claim)).unwrap();
                }
            }
            loader.commit().unwrap();
            for (place, job) in jobs(&journal).into_iter().enumerate() {
                settle(&mut journal, &job, (place < refusals).then_some("NOT_FOUND"));
            }
            journal.examine().unwrap();
            let tally = journal.tally().unwrap();
            let counted = [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open];
            prop_assert_eq!(counted, journal.recount().unwrap());
            prop_assert_eq!(counted.iter().sum::<u64>(), tally.total);
            let kinds = journal.reject_kinds().unwrap();
            reasons::recount(&journal.conn).unwrap();
            prop_assert_eq!(kinds, journal.reject_kinds().unwrap());
        }
    }
}
