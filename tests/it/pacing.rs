//! The whole engine at the pace of the emulator's quota, in virtual time: minutes cost a second.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tenure::chat::{Access, Call, read_answer};
use tenure::emulator::faults::Faults;
use tenure::emulator::quota::{Counting, Limits, Quota};
use tenure::emulator::service::{Delivery, Service};
use tenure::emulator::world::{Principal, Request, Rules, Scopes, World};
use tenure::engine::{Config, Engine, For, InFlight, Input, Now, Output, Rates};
use tenure::journal::Journal;
use tenure::model::{MemberName, PaceReason, SpaceName, Tenure, Timestamp};

const BEGIN: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const SPACES: usize = 20;

enum Coming {
    Arrives(For, Call),
    Answered(Input),
}

/// How many writes were let through and refused, second by second.
struct Seen {
    seconds: Vec<(u32, u32)>,
    engine: Engine,
    journal: Journal,
    now: Now,
}

impl Seen {
    /// Of a span of seconds: writes a minute, and the share of refusals.
    fn of(&self, from: usize, to: usize) -> (f64, f64) {
        let span = &self.seconds[from..to];
        let through: u32 = span.iter().map(|(through, _)| through).sum();
        let refused: u32 = span.iter().map(|(_, refused)| refused).sum();
        let minutes = (to - from) as f64 / 60.0;
        (f64::from(through) / minutes, f64::from(refused) / f64::from(through + refused).max(1.0))
    }
}

/// Runs so many seconds at 1200 a minute configured.
fn run(limits: Limits, later: &[(i64, u32)], latency: Duration, seconds: usize, rows: usize) -> Seen {
    let mut journal = Journal::scratch("emulator", BEGIN).unwrap();
    let day = |day: i64| Timestamp::from_micros(1_500_000_000_000_000 + day * 86_400_000_000);
    let mut loader = journal.loader(BEGIN).unwrap();
    loader.begin_source("rows.csv", "{}").unwrap();
    for row in 0..rows {
        let tenure = Tenure {
            space: SpaceName::parse(&format!("S{}", row % SPACES)).unwrap(),
            member: MemberName::parse(&format!("m{row}@example.com")).unwrap(),
            create_time: Some(day(row as i64 % 900)),
            delete_time: Some(day(row as i64 % 900 + 30)),
            role: None,
        };
        loader.row(row as u64 + 2, &tenure, None).unwrap();
    }
    loader.commit().unwrap();
    journal.begin_run("{}", "resume", BEGIN).unwrap();

    let mut quota = Quota::new(limits);
    quota.schedule(
        later.iter().map(|(at, limit)| (Timestamp::from_micros(BEGIN.as_micros() + at * 1_000_000), *limit)),
    );
    let mut world = World::new(Rules { any_space: true, ..Rules::default() });
    for space in 0..SPACES {
        world.ensure_space(&SpaceName::parse(&format!("S{space}")).unwrap(), BEGIN);
    }
    let mut service = Service { world, quota, faults: Faults::new(&[], 0).unwrap() };
    let principal = Principal::new(Scopes::IMPORT, Some("admin@example.com"));
    let config = Config {
        access: Access::Import,
        rates: Rates { writes_per_minute: 1200, ..Rates::default() },
        in_flight_max: InFlight::Auto.limit(1200),
        give_up_after: Duration::from_secs(600),
        cut_off: false,
        sets_roles: false,
        completion: None,
        suffixes: false,
        grace: Duration::from_secs(10),
    };
    let (work, tally) = (journal.work().unwrap(), journal.tally().unwrap());
    let mut engine = Engine::new(config, work, &tally, StdRng::seed_from_u64(1));

    let mut queue: BinaryHeap<Reverse<(Duration, u64)>> = BinaryHeap::new();
    let mut payload: BTreeMap<u64, Coming> = BTreeMap::new();
    let mut number = 0;
    let mut clock = Duration::ZERO;
    let mut seen = vec![(0, 0); seconds + 1];
    let at = |clock: Duration| Now {
        elapsed: clock,
        wall: Timestamp::from_micros(BEGIN.as_micros() + clock.as_micros() as i64),
    };
    while clock < Duration::from_secs(seconds as u64) {
        let mut put = |at: Duration, coming: Coming| {
            number += 1;
            queue.push(Reverse((at, number)));
            payload.insert(number, coming);
        };
        for output in engine.poll(at(clock)) {
            match output {
                Output::Journal(request) => {
                    let reply = journal.answer(request).unwrap();
                    // A commit takes its time.
                    put(clock + Duration::from_millis(8), Coming::Answered(Input::Journal(reply)));
                }
                Output::Call { whose, call, .. } => put(clock + latency / 2, Coming::Arrives(whose, call)),
            }
        }
        engine.take_events();
        let next = queue.peek().map(|Reverse((at, _))| *at);
        // Timers are late by half a millisecond.
        let wake = engine.next_deadline().map(|wake| wake + Duration::from_micros(500));
        let Some(until) = [next, wake].into_iter().flatten().min() else { break };
        clock = clock.max(until);
        while let Some(Reverse((due, key))) = queue.peek().copied()
            && due <= clock
        {
            queue.pop();
            match payload.remove(&key).unwrap() {
                Coming::Answered(input) => engine.handle(at(clock), input),
                Coming::Arrives(whose, call) => {
                    let request = call.request(Access::Import).unwrap();
                    let body = request.body.map(|body| body.to_string()).unwrap_or_default();
                    let wall = at(due).wall;
                    let outcome = service.call(
                        wall,
                        &Request {
                            method: request.method,
                            path: &format!("/{}", request.path),
                            query: "",
                            principal: Some(&principal),
                            body: body.as_bytes(),
                        },
                    );
                    let Delivery::Json { status, body } = outcome.delivery else { panic!("no faults") };
                    if let (For::Row(_), Some(second)) = (whose, seen.get_mut(due.as_secs() as usize)) {
                        match status {
                            429 => second.1 += 1,
                            _ => second.0 += 1,
                        }
                    }
                    let result = read_answer(&call, status, None, body.to_string().as_bytes(), wall);
                    let input = Input::Answered { whose, result };
                    number += 1;
                    queue.push(Reverse((due + latency / 2, number)));
                    payload.insert(number, Coming::Answered(input));
                }
            }
        }
    }
    Seen { seconds: seen, engine, journal, now: at(clock) }
}

fn limits(writes_per_minute: u32, counting: Counting) -> Limits {
    Limits { writes_per_minute, counting, ..Limits::default() }
}

#[test]
fn five_minutes_at_the_configured_rate() {
    for counting in [Counting::Sliding, Counting::Fixed, Counting::Bucket] {
        let seen = run(limits(1200, counting), &[], Duration::from_millis(300), 302, 6500);
        let (per_minute, refused) = seen.of(2, 302);
        assert!(per_minute >= 0.99 * 1200.0 && refused < 0.005, "{counting:?}: {per_minute} {refused}");
        let pace = seen.engine.snapshot(seen.now).pace;
        assert_eq!((pace.why, pace.writes_per_minute), (PaceReason::Configured, 1200));
    }
}

#[test]
fn a_quota_that_is_cut_and_raised_is_followed_and_told() {
    for counting in [Counting::Sliding, Counting::Fixed, Counting::Bucket] {
        let later = [(120, 300), (360, 1200)];
        let seen = run(limits(1200, counting), &later, Duration::from_millis(300), 600, 9000);
        let (cut, refused) = seen.of(200, 360);
        assert!(cut >= 0.95 * 300.0 && refused < 0.03, "{counting:?}: {cut} {refused}");
        let (raised, refused) = seen.of(480, 600);
        assert!(raised >= 0.97 * 1200.0 && refused < 0.03, "{counting:?}: {raised} {refused}");
    }
    let seen = run(limits(600, Counting::Sliding), &[], Duration::from_millis(300), 100, 2000);
    let pace = seen.engine.snapshot(seen.now).pace;
    assert_eq!((pace.why, pace.configured), (PaceReason::ProjectQuota, 1200));
    assert!((550..=600).contains(&pace.writes_per_minute), "{pace:?}");
    let written = seen.journal.last_pace().unwrap().unwrap();
    assert_eq!(written.why, PaceReason::ProjectQuota, "status can tell it");
}

#[test]
fn a_hidden_limit_of_every_space_is_kept_to() {
    // One a second in each of twenty spaces is all that is configured, if nobody is in haste; no refusal names it.
    let hidden = Limits { hidden_writes_per_space_second: 1, ..limits(1200, Counting::Sliding) };
    let seen = run(hidden, &[], Duration::from_millis(100), 300, 6500);
    let (per_minute, refused) = seen.of(120, 300);
    assert!(per_minute >= 0.7 * 1200.0 && refused < 0.1, "{per_minute} {refused}");
}
