//! Rows that may be there already: what Chat does with them is found out with one.

use super::*;

/// Three rows of which Chat may hold each, and one that it cannot.
fn suspects() -> Bench {
    let rows = [("A", "a@b.cd", 1), ("A", "b@b.cd", 2), ("A", "c@b.cd", 3), ("A", "d@b.cd", 4)];
    let mut bench = Bench::new(&rows);
    bench.settle();
    bench.list_with(&[("users/11", 1), ("users/12", 2), ("users/13", 3)]);
    bench
}

/// The process is killed, and another goes on.
fn killed(bench: &mut Bench) {
    let (work, tally) = (bench.journal.work().unwrap(), bench.journal.tally().unwrap());
    bench.engine = Engine::new(bench.engine.config.clone(), work, &tally, StdRng::seed_from_u64(2));
    bench.creates.clear();
    bench.now.elapsed = Duration::ZERO;
    bench.settle();
}

#[test]
fn what_may_be_there_is_sent_one_at_a_time() {
    let bench = suspects();
    let rows: Vec<i64> = bench.creates.iter().map(|(row, _)| member_of(*row)).collect();
    assert_eq!(rows, [1, 4], "the first, and the one that is not there for certain");
}

#[test]
fn a_chat_that_makes_two_is_found_out_with_one_row() {
    let mut bench = suspects();
    // The bench's Chat answers with `users/1` and the member's number.
    bench.slow = |request| matches!(request, Request::Prior { .. });
    bench.answer(Ok(()));
    assert_eq!(bench.counts(), [2, 2, 0, 0], "in flight until the journal has said what was there");
    bench.slow = |_| false;
    bench.catch_up();
    bench.answer(Ok(()));
    assert_eq!(bench.rejects(), ["DOUBLED", "PERHAPS_THERE", "PERHAPS_THERE"]);
    assert_eq!(bench.counts(), [0, 0, 1, 3]);
    assert_eq!(bench.finish(), Some(Finish::Complete));
    assert!(bench.journal.work().unwrap().doubles, "the next run knows it");
}

#[test]
fn a_chat_that_refuses_what_it_holds_gets_the_rest_at_once() {
    let mut bench = suspects();
    bench.answer(Err(refused(409, None)));
    bench.answer(Ok(()));
    bench.list_with(&[("users/11", 1), ("users/12", 2), ("users/13", 3), ("users/14", 4)]);
    assert_eq!(bench.creates.len(), 2, "both that are left");
    assert_eq!(bench.counts(), [0, 2, 2, 0]);
}

#[test]
fn a_membership_that_is_somebody_elses_tells_nothing_about_chat() {
    let rows = [("A", "a@b.cd", 1), ("A", "b@b.cd", 2)];
    let mut bench = Bench::new(&rows);
    bench.settle();
    bench.list_with(&[("users/77", 1), ("users/78", 2)]);
    bench.answer(Ok(()));
    assert_eq!(bench.counts(), [0, 1, 1, 0]);
    assert_eq!(bench.creates.len(), 1, "the next is alone again");
    bench.answer(Ok(()));
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn what_is_there_for_certain_is_not_sent() {
    let mut bench = Bench::new(&[("A", "users/123", 1)]);
    bench.settle();
    bench.list_with(&[("users/123", 1)]);
    assert!(bench.creates.is_empty());
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
    assert_eq!(bench.journal.tally().unwrap().existed, 1);
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn a_member_of_today_who_is_there_is_done() {
    let mut bench = Bench::of(&[("A", "a@b.cd", 1)], Access::User);
    bench.settle();
    assert!(bench.lists.is_empty(), "a repeated call tells");
    bench.answer(Err(refused(409, None)));
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn a_member_of_today_whose_answer_was_lost_is_asked_for_again() {
    let mut bench = Bench::of(&[("A", "a@b.cd", 1)], Access::User);
    bench.settle();
    bench.answer(Err(Failure::Lost("timed out".to_owned())));
    assert_eq!(bench.counts(), [0, 1, 0, 0], "it may be there, so it stays in flight");
    bench.at(70);
    assert!(bench.lists.is_empty());
    bench.answer(Err(refused(409, None)));
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
}

#[test]
fn what_an_earlier_run_has_left_in_flight_is_looked_up_first() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("B", "b@b.cd", 1)]);
    bench.settle();
    bench.list_with(&[("users/11", 1)]);
    assert_eq!(bench.creates.len(), 1, "one of the two");
    killed(&mut bench);
    assert!(bench.creates.is_empty(), "the row that was left may tell already");
    bench.at(3);
    bench.list_with(&[("users/11", 1), ("users/11", 1)]);
    assert_eq!(bench.rejects(), ["DOUBLED", "PERHAPS_THERE"]);
    assert!(bench.creates.is_empty());
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn times_tell_nothing_from_a_loss_of_commits_until_the_space_is_listed_anew() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("A", "b@b.cd", 1)]);
    bench.settle();
    bench.list_with(&[]);
    bench.journal.doubt(true).unwrap();
    killed(&mut bench);
    bench.at(3);
    bench.list_with(&[("users/50", 1)]);
    assert_eq!(bench.rejects(), ["UNDECIDED"], "the other may have been sent in what was lost");
    assert_eq!(bench.creates.len(), 1, "which is sent now that the space was listed anew");
    killed(&mut bench);
    bench.at(3);
    bench.list_with(&[("users/50", 1), ("users/51", 1)]);
    assert_eq!(bench.counts(), [0, 0, 1, 1], "it is the one that was not there then");
}
