//! The engine step by step: a real journal in memory, and a Chat that says what the test tells it to.

mod completed;
mod prior;

use std::collections::VecDeque;

use rand::SeedableRng;

use super::super::Rates;
use super::*;
use crate::chat::{Access, Answer, Failure, Membership, Page, Refusal};
use crate::credentials::{TokenFailure, TokenRefusal};
use crate::journal::{Destination, Journal, JournalError};
use crate::model::{MemberName, SpaceName, Tenure, Timestamp, Undertaking};

const BEGIN: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

struct Bench {
    journal: Journal,
    engine: Engine,
    now: Now,
    /// Calls that wait for an answer.
    creates: VecDeque<(RowId, Call)>,
    lists: VecDeque<SpaceId>,
    /// What the journal takes its time for.
    slow: fn(&Request) -> bool,
    waiting: Vec<Request>,
}

/// The member whose row it is, counted from 1 in the order in which they came (journal::number).
fn member_of(row: RowId) -> i64 {
    row.0 >> 16 & ((1 << 26) - 1)
}

impl Bench {
    /// `rows` are (space, member, day).
    fn new(rows: &[(&str, &str, i64)]) -> Self {
        Bench::of(rows, Access::Import)
    }

    fn of(rows: &[(&str, &str, i64)], access: Access) -> Self {
        let standard = access != Access::Import;
        let destination = Destination { target: "emulator", standard, undertaking: Undertaking::Import };
        let mut journal = Journal::scratch(destination, BEGIN).unwrap();
        let day = |day: i64| Timestamp::from_micros(1_500_000_000_000_000 + day * 86_400_000_000);
        let mut loader = journal.loader(BEGIN).unwrap();
        loader.begin_source("rows.csv", "{}").unwrap();
        for (line, (space, member, from)) in (2..).zip(rows) {
            let tenure = Tenure {
                space: SpaceName::parse(space).unwrap(),
                member: MemberName::parse(member).unwrap(),
                create_time: Some(day(*from)),
                delete_time: Some(day(from + 1)).filter(|_| !standard),
                role: None,
            };
            loader.row(line, &tenure, None).unwrap();
        }
        loader.commit().unwrap();
        let config = Config {
            access,
            rates: Rates { writes_per_minute: 0, reads_per_minute: 0, ..Rates::default() },
            in_flight_max: 8,
            give_up_after: Duration::from_secs(600),
            cut_off: false,
            sets_roles: false,
            completion: None,
            suffixes: false,
            grace: Duration::from_secs(10),
        };
        let tally = journal.tally().unwrap();
        let engine = Engine::new(config, journal.work().unwrap(), &tally, StdRng::seed_from_u64(1));
        Bench {
            journal,
            engine,
            now: Now { elapsed: Duration::ZERO, wall: BEGIN },
            creates: VecDeque::new(),
            lists: VecDeque::new(),
            slow: |_| false,
            waiting: Vec::new(),
        }
    }

    /// Lets the engine and the journal do all they can without Chat.
    fn settle(&mut self) {
        loop {
            let outputs = self.engine.poll(self.now);
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Output::Call { whose: For::Row(row), call, .. } => self.creates.push_back((row, call)),
                    Output::Call { whose: For::Space(space), .. } => self.lists.push_back(space),
                    Output::Journal(request) if (self.slow)(&request) => self.waiting.push(request),
                    Output::Journal(request) => self.journal(request),
                }
            }
        }
    }

    fn journal(&mut self, request: Request) {
        let reply = self.journal.answer(request).unwrap();
        self.engine.handle(self.now, Input::Journal(reply));
    }

    /// The journal does what it took its time for.
    fn catch_up(&mut self) {
        for request in std::mem::take(&mut self.waiting) {
            self.journal(request);
        }
        self.settle();
    }

    fn at(&mut self, seconds: u64) {
        self.now.elapsed = Duration::from_secs(seconds);
        self.settle();
    }

    /// Answers every listing: an empty space.
    fn list_all(&mut self) {
        while let Some(space) = self.lists.pop_front() {
            self.engine.handle(
                self.now,
                Input::Answered { whose: For::Space(space), result: Ok(Answer::Members(Page::default())) },
            );
            self.settle();
        }
    }

    fn answer(&mut self, result: Result<(), Failure>) {
        let (row, call) = self.creates.pop_front().expect("nothing was sent");
        let Call::CreateMember { space, member, span } = call else { panic!() };
        let user = format!("users/1{}", member_of(row));
        let membership = Membership {
            name: format!("{space}/members/{member}"),
            user: Some(user),
            span,
            ..Membership::default()
        };
        self.engine.handle(
            self.now,
            Input::Answered { whose: For::Row(row), result: result.map(|()| Answer::Member(membership)) },
        );
        self.settle();
    }

    /// Answers every listing: these people were there for a day, from `day` on.
    fn list_with(&mut self, people: &[(&str, i64)]) {
        while let Some(space) = self.lists.pop_front() {
            let memberships = people.iter().map(|(user, from)| Membership {
                name: format!("spaces/A/members/{user}"),
                user: Some((*user).to_owned()),
                span: Span { create_time: Some(day(*from)), delete_time: Some(day(from + 1)) },
                ..Membership::default()
            });
            let page = Page { memberships: memberships.collect(), next_page_token: None };
            let result = Ok(Answer::Members(page));
            self.engine.handle(self.now, Input::Answered { whose: For::Space(space), result });
            self.settle();
        }
    }

    /// Kinds of the rejects, in the order of the rows.
    fn rejects(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        self.journal
            .rejects(|row| -> Result<(), JournalError> {
                kinds.push(row.kind);
                Ok(())
            })
            .unwrap();
        kinds
    }

    fn refuse_list(&mut self, failure: Failure) {
        let space = self.lists.pop_front().expect("nothing is listed");
        self.engine.handle(self.now, Input::Answered { whose: For::Space(space), result: Err(failure) });
        self.settle();
    }

    fn finish(&self) -> Option<Finish> {
        self.engine.finished(self.now)
    }

    /// pending, in flight, done, rejected
    fn counts(&self) -> [u64; 4] {
        let [pending, in_flight, done, rejected, _] = self.journal.recount().unwrap();
        [pending, in_flight, done, rejected]
    }
}

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(1_500_000_000_000_000 + day * 86_400_000_000)
}

fn refused(http_status: u16, retry_after: Option<u64>) -> Failure {
    Failure::Refused(Box::new(Refusal {
        http_status,
        status: if http_status == 409 { "ALREADY_EXISTS" } else { "SOME_STATUS" }.to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
        ..Refusal::default()
    }))
}

#[test]
fn nothing_leaves_before_it_is_durably_in_flight() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1)]);
    bench.slow = |request| match request {
        Request::Write { changes, .. } => changes.iter().any(|change| matches!(change, Change::Mark { .. })),
        _ => false,
    };
    bench.settle();
    bench.list_all();
    assert!(bench.creates.is_empty());
    bench.catch_up();
    assert_eq!(bench.creates.len(), 1);
    assert_eq!(bench.counts(), [0, 1, 0, 0]);
}

#[test]
fn spaces_take_turns() {
    let rows: Vec<(&str, String, i64)> =
        ["A", "B", "C"].iter().flat_map(|space| (0..9).map(|n| (*space, format!("m{n}@b.cd"), n))).collect();
    let rows: Vec<(&str, &str, i64)> = rows.iter().map(|(s, m, d)| (*s, m.as_str(), *d)).collect();
    let mut bench = Bench::new(&rows);
    // All spaces have rows before the first may leave.
    bench.slow = |request| matches!(request, Request::Pending { .. });
    bench.settle();
    bench.list_all();
    bench.catch_up();
    let spaces: Vec<String> = bench
        .creates
        .iter()
        .map(|(_, call)| match call {
            Call::CreateMember { space, .. } => space.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(spaces.len(), 8);
    for space in ["spaces/A", "spaces/B", "spaces/C"] {
        let share = spaces.iter().filter(|other| *other == space).count();
        assert!((2..=3).contains(&share), "{spaces:?}");
    }
}

#[test]
fn a_429_lets_everything_wait_as_long_as_it_says() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("B", "b@b.cd", 1), ("B", "c@b.cd", 2)]);
    bench.settle();
    bench.list_all();
    assert_eq!(bench.creates.len(), 3);
    bench.answer(Err(refused(429, Some(40))));
    bench.answer(Ok(()));
    bench.answer(Err(refused(429, None)));
    assert_eq!(bench.counts(), [2, 0, 1, 0], "nothing was applied, so they are pending again");
    assert_eq!(bench.engine.snapshot(bench.now).failures_in_a_row, 0, "what is sent again has not failed");
    bench.at(39);
    assert!(bench.creates.is_empty());
    bench.at(41);
    assert_eq!(bench.creates.len(), 1, "one goes ahead alone");
    bench.answer(Ok(()));
    assert_eq!(bench.creates.len(), 1);
    bench.answer(Ok(()));
    assert_eq!(bench.finish(), Some(Finish::Complete));
    assert_eq!(bench.engine.snapshot(bench.now).calls.throttled, 2);
}

#[test]
fn nothing_but_failures_ends_the_run() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1)]);
    bench.settle();
    bench.list_all();
    let mut tries = 0;
    for second in 0..700 {
        bench.at(second);
        while !bench.creates.is_empty() {
            tries += 1;
            bench.answer(Err(Failure::NotSent("connection refused".to_owned())));
        }
    }
    let Some(Finish::Stopped(Stop::GaveUp { last, throttled: false, .. })) = bench.finish() else { panic!() };
    assert_eq!(last, "no connection: connection refused");
    assert!((10..60).contains(&tries), "{tries} tries in ten minutes");
    assert_eq!(bench.counts(), [1, 0, 0, 0]);
}

#[test]
fn a_stop_sends_nothing_more_and_waits_for_what_is_under_way() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("A", "b@b.cd", 2), ("A", "c@b.cd", 3)]);
    bench.settle();
    bench.list_all();
    assert_eq!(bench.creates.len(), 3);
    bench.engine.handle(bench.now, Input::Stop(Stop::Asked));
    bench.settle();
    assert_eq!(bench.finish(), None);
    bench.answer(Ok(()));
    bench.answer(Err(refused(503, None)));
    assert_eq!(bench.finish(), None);
    bench.at(9);
    assert_eq!(bench.finish(), None);
    bench.at(11);
    assert_eq!(bench.finish(), Some(Finish::Stopped(Stop::Asked)), "ten seconds are enough");
    assert_eq!(bench.counts(), [0, 2, 1, 0], "what has no clear answer stays in flight");
}

#[test]
fn a_token_that_is_refused_stops_the_run() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1)]);
    bench.settle();
    let refusal = TokenRefusal { code: "invalid_grant".to_owned(), ..TokenRefusal::default() };
    let code = TokenFailure::Refused(Box::new(refusal));
    bench.refuse_list(Failure::Token(code));
    assert!(matches!(bench.finish(), Some(Finish::Stopped(Stop::NoToken(_)))));
    assert_eq!(bench.counts(), [1, 0, 0, 0]);
}

#[test]
fn a_space_that_is_refused_is_given_up_once_another_works() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("A", "b@b.cd", 2), ("B", "c@b.cd", 1)]);
    bench.settle();
    bench.refuse_list(refused(403, None));
    assert_eq!(bench.counts(), [3, 0, 0, 0], "perhaps nothing works");
    bench.at(1);
    bench.list_all();
    assert_eq!(bench.counts(), [2, 1, 0, 0], "the other space was asked at the same time");
    bench.answer(Ok(()));
    assert_eq!(bench.counts(), [2, 0, 1, 0]);
    bench.refuse_list(refused(403, None));
    assert_eq!(bench.counts(), [0, 0, 1, 2], "refused again, after something else went well");
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn when_every_space_is_refused_nothing_is_rejected() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("B", "c@b.cd", 1)]);
    bench.settle();
    bench.refuse_list(refused(403, None));
    bench.refuse_list(refused(404, None));
    let finish = bench.finish();
    assert!(matches!(finish, Some(Finish::Stopped(Stop::EverySpaceRefused { spaces: 2, .. }))), "{finish:?}");
    assert_eq!(bench.counts(), [2, 0, 0, 0]);
}

#[test]
fn a_permission_that_is_lost_midway_rejects_nothing() {
    let rows: Vec<(&str, String, i64)> =
        ["A", "B"].iter().flat_map(|space| (0..20).map(|n| (*space, format!("m{n}@b.cd"), n))).collect();
    let rows: Vec<(&str, &str, i64)> = rows.iter().map(|(s, m, d)| (*s, m.as_str(), *d)).collect();
    let mut bench = Bench::new(&rows);
    bench.settle();
    bench.list_all();
    bench.answer(Ok(()));
    bench.at(1);
    while !bench.creates.is_empty() {
        bench.answer(Err(refused(403, None)));
    }
    bench.at(2);
    assert_eq!(bench.lists.len(), 2, "both spaces are looked at");
    while !bench.lists.is_empty() {
        bench.refuse_list(refused(403, None));
    }
    bench.at(3);
    assert!(matches!(bench.finish(), Some(Finish::Stopped(Stop::EverySpaceRefused { spaces: 2, .. }))));
    let [pending, in_flight, done, rejected] = bench.counts();
    assert_eq!((done, rejected), (1, 0));
    assert_eq!(pending + in_flight, 39);
}

#[test]
fn a_row_that_is_denied_in_a_space_that_is_there_is_rejected() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("A", "b@b.cd", 2)]);
    bench.settle();
    bench.list_all();
    bench.answer(Err(refused(403, None)));
    bench.answer(Ok(()));
    assert_eq!(bench.counts(), [0, 1, 1, 0], "not before the space is looked at");
    bench.list_all();
    assert_eq!(bench.counts(), [0, 0, 1, 1]);
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn a_space_that_is_lost_midway_is_given_up_when_a_witness_is_still_there() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1), ("B", "b@b.cd", 1), ("B", "c@b.cd", 2)]);
    bench.settle();
    bench.list_all();
    let place = bench.creates.iter().position(|(_, call)| format!("{call:?}").contains("spaces/A")).unwrap();
    bench.creates.swap(0, place);
    bench.answer(Ok(()));
    bench.at(1);
    bench.answer(Err(refused(404, None)));
    bench.answer(Err(refused(404, None)));
    bench.at(2);
    bench.refuse_list(refused(404, None));
    assert_eq!(bench.counts(), [0, 2, 1, 0]);
    bench.at(3);
    bench.list_all();
    assert_eq!(bench.counts(), [0, 0, 1, 2], "the other space can be reached, so it is this one's fault");
    assert_eq!(bench.finish(), Some(Finish::Complete));
}

#[test]
fn what_waits_durably_does_not_leave_during_a_pause() {
    let rows: Vec<(&str, String, i64)> = (0..30).map(|n| ("A", format!("m{n}@b.cd"), n)).collect();
    let rows: Vec<(&str, &str, i64)> = rows.iter().map(|(s, m, d)| (*s, m.as_str(), *d)).collect();
    let mut bench = Bench::new(&rows);
    bench.settle();
    bench.list_all();
    assert_eq!(bench.creates.len(), 8);
    bench.answer(Err(refused(429, Some(30))));
    while bench.creates.len() > 1 {
        bench.answer(Ok(()));
    }
    bench.at(29);
    assert_eq!(bench.creates.len(), 1, "nothing new has left");
    bench.at(31);
    assert_eq!(bench.creates.len(), 2, "one goes ahead alone");
    bench.answer(Ok(()));
    bench.answer(Ok(()));
    assert_eq!(bench.creates.len(), 8);
}

#[test]
fn a_write_that_was_applied_although_its_answer_was_lost_is_not_sent_again() {
    let mut bench = Bench::new(&[("A", "a@b.cd", 1)]);
    bench.settle();
    bench.list_all();
    let (_, call) = bench.creates.front().cloned().unwrap();
    let Call::CreateMember { span, .. } = call else { panic!() };
    bench.answer(Err(Failure::Lost("timed out".to_owned())));
    bench.at(70);
    let space = bench.lists.pop_front().expect("the space is listed");
    let held = Membership {
        name: "spaces/A/members/5".to_owned(),
        user: Some("users/5".to_owned()),
        span,
        ..Membership::default()
    };
    let page = Page { memberships: vec![held], next_page_token: None };
    bench
        .engine
        .handle(bench.now, Input::Answered { whose: For::Space(space), result: Ok(Answer::Members(page)) });
    bench.settle();
    assert!(bench.creates.is_empty());
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
    assert_eq!(bench.finish(), Some(Finish::Complete));
}
