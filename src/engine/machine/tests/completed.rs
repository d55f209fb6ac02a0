//! Spaces that are completed.

use super::*;

/// Answers everything that spaces are asked: whoever asks may not look.
fn deny_all(bench: &mut Bench) {
    while let Some(space) = bench.lists.pop_front() {
        let refusal =
            Refusal { http_status: 403, status: "PERMISSION_DENIED".to_owned(), ..Refusal::default() };
        let result = Err(Failure::Refused(Box::new(refusal)));
        bench.engine.handle(bench.now, Input::Answered { whose: For::Space(space), result });
        bench.settle();
    }
}

#[test]
fn after_a_crash_nobody_looks_into_a_space_that_was_left() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1)]);
    bench.settle();
    let space = bench.lists[0];
    bench.list_all();
    bench.answer(Ok(()));
    bench.journal.apply(&[Change::Completed { space, at: BEGIN }]).unwrap();
    // The process was killed when Chat had let it leave, and the journal did not know it yet.
    bench.journal.doubt(false).unwrap();
    let leaves = Some(MemberName::parse("admin@example.com").unwrap());
    let completion = Some(Completion { leaves, accepts_rejects: false });
    let config = Config { completion, cut_off: true, ..bench.engine.config.clone() };
    let plan = bench.journal.completion_plan(false, true, BEGIN).unwrap();
    assert_eq!(plan.work.spaces.len(), 1);
    let tally = bench.journal.tally().unwrap();
    bench.engine = Engine::new(config, plan.work, &tally, StdRng::seed_from_u64(1));
    for second in 0..10 {
        bench.at(second);
        deny_all(&mut bench);
    }
    assert_eq!(bench.engine.finished(bench.now), Some(Finish::Complete));
    let left = bench.journal.completion_plan(false, true, BEGIN).unwrap().work;
    assert_eq!(left.spaces, [], "the journal knows that it has left");
}
