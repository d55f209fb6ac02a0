//! Seeded simulation of whole migrations: the engine against the emulator's state machine, one thread, virtual time.
//!
//! A seed decides the rows, what Chat holds beforehand, how Chat behaves where nobody knows, every delay, every fault,
//! and when the process dies. `TENURE_SEEDS=N` runs N seeds, `TENURE_SEED=S` one of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenure::chat::{Access, Answer, Call, Failure, Refusal, read_answer};
use tenure::credentials::TokenFailure;
use tenure::emulator::faults::{Fault, Faults};
use tenure::emulator::quota::{Limits, Quota};
use tenure::emulator::service::{Delivery, Service};
use tenure::emulator::world::{Principal, RepeatedCreate, Request, Rules, Scopes, SecondStint, World};
use tenure::engine::{Config, Engine, Event, Finish, For, Input, Now, Output, Rates, Stop};
use tenure::journal::{Journal, Request as Question};
use tenure::model::{MemberName, RowId, SpaceName, Tenure, Timestamp};

const BEGIN: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const SEEDS: u64 = 300;
/// A request that is on its way when the process dies arrives within this time, or never.
const LATE: Duration = Duration::from_millis(1500);

#[test]
fn no_seed_loses_or_doubles_a_row() {
    let seeds = match std::env::var("TENURE_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("TENURE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let result = std::panic::catch_unwind(|| Simulation::new(seed).run());
        match result {
            Ok(one) => seen.add(&one),
            Err(_) => {
                panic!("seed {seed} fails: TENURE_SEED={seed} cargo test --test it no_seed_loses")
            }
        }
    }
    // A simulation in which nothing happens proves nothing.
    if seeds.end - seeds.start >= SEEDS {
        assert!(seen.crashes > 50 && seen.lost > 500 && seen.existed > 50 && seen.rejected > 100, "{seen:?}");
    }
}

/// What happened, over all seeds.
#[derive(Debug, Default)]
struct Seen {
    crashes: u64,
    lost: u64,
    existed: u64,
    rejected: u64,
    done: u64,
}

impl Seen {
    fn add(&mut self, other: &Seen) {
        self.crashes += other.crashes;
        self.lost += other.lost;
        self.existed += other.existed;
        self.rejected += other.rejected;
        self.done += other.done;
    }
}

/// Something that will happen.
enum Coming {
    /// To the engine of this life.
    Input(Input),
    /// A request reaches Chat.
    Request(For, Call),
    /// A request of an earlier life reaches Chat; nobody waits for its answer.
    Straggler(Call),
    /// The journal gets to a request of the engine.
    Journal(Question),
}

/// Space, member, from, to.
type Membership = (String, String, Timestamp, Timestamp);

struct Simulation {
    rng: StdRng,
    journal: Journal,
    service: Service,
    principal: Principal,
    config: Config,
    /// Memberships that Chat held before the first life.
    before: Vec<Membership>,
    tenures: Vec<Tenure>,
    /// Virtual time since the beginning of everything.
    clock: Duration,
    coming: BinaryHeap<Reverse<(Duration, u64)>>,
    payload: BTreeMap<u64, Coming>,
    sequence: u64,
    journal_free: Duration,
    lives_left: u32,
    /// When the permission for everything is missing.
    denied: Range<Duration>,
    /// By row, whether the engine found it there already.
    existed: BTreeMap<RowId, (bool, Membership)>,
    seen: Seen,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let second_stint = if rng.random_bool(0.7) { SecondStint::Accept } else { SecondStint::Refuse };
        let rules = Rules {
            second_stint,
            // Where second stints are refused, a list without times could not tell what a 409 is about.
            times_echoed: second_stint == SecondStint::Refuse || rng.random_bool(0.9),
            repeated_create: if rng.random_bool(0.5) {
                RepeatedCreate::Refuse
            } else {
                RepeatedCreate::Double
            },
            ..Rules::default()
        };
        let mut world = World::new(rules);
        let tenures = some_tenures(&mut rng);
        let spaces: BTreeSet<SpaceName> = tenures.iter().map(|tenure| tenure.space.clone()).collect();
        for space in &spaces {
            // Now and then a space of the input is not there.
            if spaces.len() == 1 || rng.random_bool(0.95) {
                world.ensure_space(space, BEGIN);
            }
        }
        let limits = Limits {
            writes_per_minute: if rng.random_bool(0.3) { 60 } else { 0 },
            reads_per_minute: 0,
            reads_per_space_second: 15,
            retry_info: rng.random_bool(0.5),
            ..Limits::default()
        };
        let calm = Faults::new(&[], 0).unwrap();
        let mut simulation = Simulation {
            config: Config {
                access: Access::Import,
                rates: Rates {
                    writes_per_minute: if rng.random_bool(0.5) { 6000 } else { 0 },
                    ..Rates::default()
                },
                in_flight_max: rng.random_range(1..20),
                give_up_after: Duration::from_secs(3600),
                grace: Duration::from_secs(10),
            },
            journal: Journal::scratch(None, "emulator", BEGIN).unwrap(),
            service: Service { world, quota: Quota::new(Limits::default()), faults: calm },
            principal: Principal::new(Scopes::IMPORT, Some("admin@example.com")),
            before: Vec::new(),
            clock: Duration::ZERO,
            coming: BinaryHeap::new(),
            payload: BTreeMap::new(),
            sequence: 0,
            journal_free: Duration::ZERO,
            lives_left: rng.random_range(0..5),
            denied: Duration::ZERO..Duration::ZERO,
            existed: BTreeMap::new(),
            seen: Seen::default(),
            tenures,
            rng,
        };
        simulation.fill_journal();
        simulation.fill_chat(&spaces);
        if simulation.rng.random_bool(0.1) {
            let from = simulation.some_ms(0..3000);
            simulation.denied = from..from + simulation.some_ms(1..3000);
        }
        simulation.service.quota = Quota::new(limits);
        simulation.service.faults = some_faults(&mut simulation.rng, seed);
        simulation
    }

    fn fill_journal(&mut self) {
        let mut loader = self.journal.loader(BEGIN).unwrap();
        loader.begin_source("rows.csv", "{}").unwrap();
        for (place, tenure) in self.tenures.iter().enumerate() {
            loader.row(place as u64 + 2, tenure, None).unwrap();
        }
        loader.end_source().unwrap();
        loader.commit().unwrap();
    }

    /// Somebody was there before: strangers with the very times of our rows, and some of our own rows.
    fn fill_chat(&mut self, spaces: &BTreeSet<SpaceName>) {
        let mut early: Vec<Tenure> = Vec::new();
        for space in spaces {
            for stranger in 0..self.rng.random_range(0..3) {
                let (create, delete) = a_span(&mut self.rng);
                early.push(Tenure {
                    space: space.clone(),
                    member: MemberName::parse(&format!("stranger{stranger}@example.com")).unwrap(),
                    create_time: Some(create),
                    delete_time: Some(delete),
                    role: None,
                });
            }
        }
        // A Chat that doubles what it is told twice cannot be helped with what others told it once. And one that refuses
        // second stints answers 409 to a row whether it holds that very row or another: among others with the same times
        // nobody could tell which, before the member's id is known.
        let rules = self.service.world.rules();
        let refuses =
            rules.repeated_create == RepeatedCreate::Refuse && rules.second_stint == SecondStint::Accept;
        for tenure in &self.tenures {
            if refuses && self.rng.random_bool(0.04) {
                early.push(tenure.clone());
            }
        }
        for tenure in early {
            let Some(delete_time) = tenure.delete_time else { continue };
            let call = create(&tenure);
            let (status, _) = self.deliver(&call);
            if status == Some(200) {
                let create_time = tenure.create_time.unwrap_or(delete_time.just_before());
                let (space, member) = (tenure.space.to_string(), tenure.member.to_string());
                self.before.push((space, member, create_time, delete_time));
            }
        }
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(BEGIN.as_micros() + self.clock.as_micros() as i64)
    }

    /// Chat gets a request; what it answers, if anything.
    fn deliver(&mut self, call: &Call) -> (Option<u16>, Option<Result<Answer, Failure>>) {
        let now = self.wall();
        self.trace(|| format!("chat gets {call:?}"));
        if self.denied.contains(&self.clock) {
            let refusal =
                Refusal { http_status: 403, status: "PERMISSION_DENIED".to_owned(), ..Refusal::default() };
            return (Some(403), Some(Err(Failure::Refused(Box::new(refusal)))));
        }
        let request = call.request(Access::Import).expect("an import asks for nothing else");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
        let body = request.body.map(|body| body.to_string()).unwrap_or_default();
        let outcome = self.service.call(
            now,
            &Request {
                method: request.method,
                path: &format!("/{}", request.path),
                query: &query,
                principal: Some(&self.principal),
                body: body.as_bytes(),
            },
        );
        let retry_after = Some("2").filter(|_| self.rng.random_bool(0.1));
        match outcome.delivery {
            Delivery::Json { status, body } => {
                (Some(status), Some(read_answer(call, status, retry_after, body.to_string().as_bytes(), now)))
            }
            Delivery::Html { status, body } => {
                (Some(status), Some(read_answer(call, status, None, body.as_bytes(), now)))
            }
            Delivery::Reset => (None, Some(Err(Failure::Lost("connection reset".to_owned())))),
            Delivery::Hang => (None, None),
        }
    }

    /// With `TENURE_TRACE` set, a failing seed tells its story.
    fn trace(&self, story: impl FnOnce() -> String) {
        if std::env::var_os("TENURE_TRACE").is_some() {
            eprintln!("{:>10.3} {}", self.clock.as_secs_f64(), story());
        }
    }

    fn after(&mut self, wait: Duration, coming: Coming) {
        self.sequence += 1;
        self.coming.push(Reverse((self.clock + wait, self.sequence)));
        self.payload.insert(self.sequence, coming);
    }

    fn some_ms(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    fn run(mut self) -> Seen {
        for life in 0.. {
            assert!(life < 50, "it never ends");
            if self.live() {
                break;
            }
        }
        self.check_end();
        self.seen
    }

    /// One process, from its start to its end; true when everything is settled.
    fn live(&mut self) -> bool {
        let born = self.clock;
        let tally = self.journal.tally().unwrap();
        let rng = StdRng::seed_from_u64(self.rng.random());
        let mut engine = Engine::new(self.config.clone(), self.journal.work().unwrap(), &tally, rng);
        let mut death = None;
        let mut stop = None;
        if self.lives_left > 0 {
            self.lives_left -= 1;
            let at = Some(self.clock + self.some_ms(0..4000));
            if self.rng.random_bool(0.8) { death = at } else { stop = at }
        }
        self.journal_free = self.clock;
        loop {
            let now = Now { elapsed: self.clock - born, wall: self.wall() };
            for output in engine.poll(now) {
                self.carry_out(output);
            }
            for event in engine.take_events() {
                if let Event::Done { job, existed } = event {
                    let start = job.span.start().expect("only history is sent");
                    let end = job.span.delete_time.expect("only history is sent");
                    let held = (job.space_name.to_string(), job.member_name.to_string(), start, end);
                    self.existed.insert(job.id, (existed, held));
                }
            }
            if let Some(finish) = engine.finished(now) {
                self.forget_inputs();
                let tally = self.journal.tally().unwrap();
                return match finish {
                    Finish::Complete => {
                        let snapshot = engine.snapshot(now);
                        assert_eq!((snapshot.done, snapshot.rejected), (tally.done, tally.rejected));
                        true
                    }
                    Finish::Stopped(Stop::Asked) => false,
                    Finish::Stopped(Stop::EverySpaceRefused { .. }) => {
                        if self.denied.end > Duration::ZERO {
                            // The operator mends the permission and goes on.
                            self.denied = Duration::ZERO..Duration::ZERO;
                            return false;
                        }
                        // Nothing to be done about it from here.
                        assert_eq!(tally.in_flight, 0);
                        true
                    }
                    Finish::Stopped(stop) => panic!("stopped: {stop:?}"),
                };
            }
            let deadline = engine.next_deadline().map(|elapsed| born + elapsed);
            let next = self.coming.peek().map(|Reverse((at, _))| *at);
            let wake =
                [deadline, next, death, stop].into_iter().flatten().min().expect("it waits for nothing");
            self.clock = self.clock.max(wake);
            if death.is_some_and(|death| self.clock >= death) {
                self.die();
                return false;
            }
            let now = Now { elapsed: self.clock - born, wall: self.wall() };
            if stop.is_some_and(|stop| self.clock >= stop) {
                stop = None;
                engine.handle(now, Input::Stop(Stop::Asked));
            }
            while self.coming.peek().is_some_and(|Reverse((at, _))| *at <= self.clock) {
                let Some(Reverse((_, number))) = self.coming.pop() else { break };
                let Some(coming) = self.payload.remove(&number) else { continue };
                if let Some(input) = self.happen(coming) {
                    engine.handle(now, input);
                }
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Call { whose, call, .. } => {
                if let For::Row(row) = whose {
                    self.check_in_flight(row, &call);
                }
                self.ask(whose, call);
            }
            Output::Journal(request) => {
                // One after the other, as a thread does it.
                self.journal_free = self.journal_free.max(self.clock) + self.some_ms(0..15);
                let wait = self.journal_free - self.clock;
                self.after(wait, Coming::Journal(request));
            }
        }
    }

    fn ask(&mut self, whose: For, call: Call) {
        let answered = |result| Coming::Input(Input::Answered { whose, result });
        if self.service.faults.draw_token_error() {
            let failure = Failure::Token(TokenFailure::Passing("503".to_owned()));
            self.after(Duration::ZERO, answered(Err(failure)));
        } else if self.rng.random_bool(0.01) {
            let failure = Failure::NotSent("connection refused".to_owned());
            self.after(Duration::ZERO, answered(Err(failure)));
        } else if self.rng.random_bool(0.02) {
            // The connection breaks while the request is on its way, and it arrives all the same.
            let way = self.some_ms(1..200);
            self.seen.lost += 1;
            self.after(way, answered(Err(Failure::Lost("connection reset".to_owned()))));
            let late = way + self.rng_duration(LATE);
            self.after(late, Coming::Straggler(call));
        } else {
            let way = self.some_ms(1..200);
            self.after(way, Coming::Request(whose, call));
        }
    }

    fn happen(&mut self, coming: Coming) -> Option<Input> {
        match coming {
            Coming::Input(input) => {
                self.trace(|| format!("engine gets {input:?}"));
                Some(input)
            }
            Coming::Request(whose, call) => {
                let (way, result) = match self.deliver(&call).1 {
                    Some(answer) => (self.some_ms(1..200), answer),
                    None => (Duration::from_secs(60), Err(Failure::Lost("timed out".to_owned()))),
                };
                self.seen.lost += u64::from(matches!(result, Err(Failure::Lost(_))));
                self.after(way, Coming::Input(Input::Answered { whose, result }));
                None
            }
            Coming::Straggler(call) => {
                self.deliver(&call);
                None
            }
            Coming::Journal(request) => {
                self.trace(|| format!("journal {request:?}"));
                Some(Input::Journal(self.journal.answer(request).unwrap()))
            }
        }
    }

    /// kill -9: what was not committed never was. Requests on their way may still arrive, now or in the next life.
    fn die(&mut self) {
        self.trace(|| "kill -9".to_owned());
        self.seen.crashes += 1;
        let mut late: Vec<(Duration, Call)> = Vec::new();
        for Reverse((at, number)) in std::mem::take(&mut self.coming).into_sorted_vec() {
            match self.payload.remove(&number) {
                Some(Coming::Request(For::Row(_), call)) if self.rng.random_bool(0.7) => {
                    let way = self.rng_duration(LATE);
                    late.push((self.clock + way, call));
                }
                Some(Coming::Straggler(call)) => late.push((at, call)),
                _ => {}
            }
        }
        late.sort_by_key(|(at, _)| *at);
        let end = self.clock + self.some_ms(0..5000);
        for (at, call) in late {
            if at <= end {
                self.clock = self.clock.max(at);
                self.deliver(&call);
            } else {
                let wait = at - self.clock;
                self.after(wait, Coming::Straggler(call));
            }
        }
        self.clock = end;
    }

    fn rng_duration(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.rng.random::<f64>())
    }

    /// A process ends in order: nothing comes to it any more.
    fn forget_inputs(&mut self) {
        self.coming.clear();
        for coming in std::mem::take(&mut self.payload).into_values() {
            // What has left arrives all the same.
            if let Coming::Request(_, call) | Coming::Straggler(call) = coming {
                self.deliver(&call);
            }
        }
    }

    /// No request leaves before its row is durably in flight.
    fn check_in_flight(&self, row: RowId, call: &Call) {
        let work = self.journal.work().unwrap();
        let Call::CreateMember { space, .. } = call else { panic!("{call:?}") };
        let lane = work.spaces.iter().find(|lane| lane.name == *space).expect("a space with work");
        let in_flight = self.journal.in_flight(lane.id).unwrap();
        let job =
            in_flight.iter().find(|job| job.id == row).expect("a request left before its row was in flight");
        let same = in_flight.iter().filter(|other| other.member == job.member).count();
        assert_eq!(same, 1, "two rows of one member are out at once");
    }

    fn check_end(&mut self) {
        let tally = self.journal.tally().unwrap();
        let [pending, in_flight, done, rejected, open] = self.journal.recount().unwrap();
        assert_eq!(
            [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open],
            [pending, in_flight, done, rejected, open]
        );
        assert_eq!(tally.total as usize, self.tenures.len());
        assert_eq!(in_flight, 0);
        self.seen.done += done;
        self.seen.rejected += rejected;
        let mut held: BTreeMap<Membership, u32> = BTreeMap::new();
        for membership in self.service.world.memberships() {
            let delete = membership.delete_time.expect("only history was sent");
            let member = match membership.address {
                Some(address) => format!("users/{address}"),
                None => membership.member.to_owned(),
            };
            *held
                .entry((membership.space.to_owned(), member, membership.create_time, delete))
                .or_default() += 1;
        }
        let mut kinds: BTreeMap<Membership, String> = BTreeMap::new();
        self.journal
            .rejects(|row| -> Result<(), tenure::journal::JournalError> {
                let delete = row.span.delete_time.expect("no open row is rejected");
                let key = (row.space.unwrap(), row.member.unwrap(), row.span.start().unwrap(), delete);
                kinds.insert(key, row.kind);
                Ok(())
            })
            .unwrap();
        let mut accounted: BTreeSet<_> = self.before.iter().cloned().collect();
        for tenure in &self.tenures {
            let Some(delete) = tenure.delete_time else { continue };
            let create = tenure.create_time.unwrap_or(delete.just_before());
            let key = (tenure.space.to_string(), tenure.member.to_string(), create, delete);
            let copies = held.get(&key).copied().unwrap_or(0);
            match kinds.get(&key).map(String::as_str) {
                None if pending > 0 => {
                    assert_eq!(done + rejected, 0, "only when every space is refused something is left");
                }
                None => assert_eq!(copies, 1, "a row that is done is held once: {key:?}"),
                Some(
                    "INVALID_ARGUMENT" | "OTHER_TIMES" | "ALREADY_EXISTS" | "SPACE_REFUSED"
                    | "PERMISSION_DENIED",
                ) => {
                    let before = u32::from(self.before.contains(&key));
                    assert!(copies <= before, "a row that is rejected is not held: {key:?} {kinds:?}");
                }
                // Only a list without times leaves that open.
                Some("UNDECIDED") if !self.service.world.rules().times_echoed => {}
                Some(kind) => panic!("rejected as {kind}: {key:?}"),
            }
            accounted.insert(key);
        }
        for (key, copies) in held {
            assert_eq!(copies, 1, "held twice: {key:?}");
            assert!(accounted.contains(&key), "nobody asked for {key:?}");
        }
        for (existed, held) in self.existed.values() {
            // A list without times leaves it open; then it counts as there before, and no rollback will touch it.
            let certain = self.service.world.rules().times_echoed;
            let before = self.before.contains(held);
            assert!(*existed == before || (*existed && !certain), "whether it was there before: {held:?}");
            self.seen.existed += u64::from(*existed);
        }
    }
}

fn create(tenure: &Tenure) -> Call {
    Call::CreateMember {
        space: tenure.space.clone(),
        member: tenure.member.clone(),
        span: tenure::model::Span { create_time: tenure.create_time, delete_time: tenure.delete_time },
    }
}

fn at_day(day: u64) -> Timestamp {
    Timestamp::from_micros(1_600_000_000_000_000 + day as i64 * 86_400_000_000)
}

/// Out of few, so that many rows share their times: that is what a closed channel looks like.
fn a_span(rng: &mut StdRng) -> (Timestamp, Timestamp) {
    let begin = rng.random_range(0..3) * 10;
    (at_day(begin), at_day(begin + 5))
}

fn some_tenures(rng: &mut StdRng) -> Vec<Tenure> {
    let mut tenures = Vec::new();
    for space in 0..rng.random_range(1..5u32) {
        let space = SpaceName::parse(&format!("S{space}")).unwrap();
        for member in 0..rng.random_range(1..14u32) {
            let name = match rng.random_range(0..20) {
                0 => format!("nobody{member}@nowhere.invalid"),
                1..4 => format!("users/10{member}"),
                _ => format!("member{member}@example.com"),
            };
            let member = MemberName::parse(&name).unwrap();
            let mut taken = BTreeSet::new();
            for _ in 0..rng.random_range(1..4) {
                let (create, delete) = a_span(rng);
                if taken.insert(create) {
                    tenures.push(Tenure {
                        space: space.clone(),
                        member: member.clone(),
                        create_time: Some(create).filter(|_| rng.random_bool(0.9)),
                        delete_time: Some(delete).filter(|_| rng.random_bool(0.95)),
                        role: None,
                    });
                }
            }
        }
    }
    // An absent createTime and a given one may make the same row twice; that is another test's matter.
    let mut seen = BTreeSet::new();
    tenures.retain(|tenure| {
        seen.insert((tenure.space.clone(), tenure.member.clone(), tenure.create_time, tenure.delete_time))
    });
    tenures
}

fn some_faults(rng: &mut StdRng, seed: u64) -> Faults {
    let kinds = [
        "error-before",
        "error-after",
        "reset-before",
        "reset-after",
        "throttle",
        "html",
        "hang",
        "token-error",
    ];
    let mut faults: Vec<Fault> = Vec::new();
    for kind in kinds {
        if rng.random_bool(0.5) {
            let share = rng.random_range(1..12u32);
            faults.push(format!("{kind}=0.{share:02}").parse().unwrap());
        }
    }
    Faults::new(&faults, seed).unwrap()
}
