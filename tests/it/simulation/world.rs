//! Everything around the engine: the journal, the network, Chat, and what befalls them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenure::chat::{Access, Answer, Call, Failure, Refusal, read_answer};
use tenure::credentials::{TokenFailure, TokenRefusal};
use tenure::emulator::faults::Faults;
use tenure::emulator::quota::{Limits, Quota};
use tenure::emulator::service::{Delivery, Service};
use tenure::emulator::world::{Principal, Request, Scopes, SecondStint, World};
use tenure::engine::{Config, For, Input, Output, Rates};
use tenure::journal::{Change, Destination, Journal, Request as Question};
use tenure::model::{MemberName, Role, RowId, SpaceName, Span, Tenure, Timestamp, Undertaking};

use super::Seen;
use super::seed::{
    Troubles, a_span, some_faults, some_history, some_limits, some_members, some_rules, some_troubles,
};

pub(super) const BEGIN: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
/// A request that is on its way when the process dies arrives within this time, or never.
pub(super) const LATE: Duration = Duration::from_millis(1500);
/// Whoever acts.
pub(super) const ADMIN: &str = "admin@example.com";
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Something that will happen.
pub(super) enum Coming {
    /// To the engine of this life.
    Input(Input),
    /// A request reaches Chat.
    Request(For, Call),
    /// A request of an earlier life reaches Chat; nobody waits for its answer.
    Straggler(Call),
    /// The journal gets to a request of the engine.
    Journal(Question),
}

/// Something that was written to the journal.
pub(super) enum Written {
    /// Changes.
    Batch(Vec<Change>),
    /// A process was cut off; whether commits were lost with it.
    Doubt(bool),
}

/// Space, member, from, to; members of today have no times.
pub(super) type Membership = (String, String, Option<Timestamp>, Option<Timestamp>);

pub(super) struct Simulation {
    pub(super) rng: StdRng,
    pub(super) journal: Journal,
    pub(super) service: Service,
    pub(super) principal: Principal,
    /// Whether the app may look at a space for itself.
    pub(super) app_may_look: bool,
    pub(super) config: Config,
    /// Memberships that Chat held before the first life.
    pub(super) before: Vec<Membership>,
    /// Memberships that a space held when it was deleted.
    pub(super) gone: BTreeMap<Membership, u32>,
    pub(super) tenures: Vec<Tenure>,
    /// Which of them a row of the journal is.
    pub(super) rows: BTreeMap<RowId, usize>,
    /// Virtual time since the beginning of everything.
    pub(super) clock: Duration,
    /// How wrong this life's clock is, in microseconds.
    pub(super) skew: i64,
    pub(super) coming: BinaryHeap<Reverse<(Duration, u64)>>,
    pub(super) payload: BTreeMap<u64, Coming>,
    sequence: u64,
    pub(super) journal_free: Duration,
    writes: u64,
    /// The last write has failed for want of room.
    pub(super) disk_full: bool,
    pub(super) lives_left: u32,
    /// How often the journal is still going to lose something when a process is killed.
    pub(super) losses_left: u32,
    /// How often it has.
    pub(super) losses: u32,
    /// What was written to the journal, as long as it may still lose some of it.
    pub(super) log: Vec<Written>,
    /// How many memberships a page has.
    page_size: u32,
    pub(super) troubles: Troubles,
    /// By row, whether the engine found it there already.
    pub(super) existed: BTreeMap<RowId, (bool, Membership)>,
    pub(super) seen: Seen,
}

impl Simulation {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let standard = rng.random_bool(0.15);
        let rules = some_rules(&mut rng);
        let accepts_stints = rules.second_stint == SecondStint::Accept;
        let mut world = World::new(rules);
        let mut tenures = if standard { some_members(&mut rng) } else { some_history(&mut rng) };
        for tenure in tenures.iter_mut().filter(|tenure| !standard && tenure.delete_time.is_none()) {
            tenure.role = some_role(tenure);
        }
        let spaces: BTreeSet<SpaceName> = tenures.iter().map(|tenure| tenure.space.clone()).collect();
        for space in &spaces {
            // Now and then a space of the input is not there.
            if spaces.len() > 1 && rng.random_bool(0.05) {
                continue;
            }
            if standard {
                world.ensure_standard_space(space, ADMIN, BEGIN);
            } else {
                world.ensure_space(space, BEGIN);
            }
        }
        let access = if standard { Access::User } else { Access::Import };
        let scopes = if standard { Scopes::MEMBERSHIPS } else { Scopes::IMPORT };
        let limits = some_limits(&mut rng);
        let troubles = some_troubles(&mut rng, &spaces);
        let mut simulation = Simulation {
            config: Config {
                access,
                rates: Rates {
                    writes_per_minute: if rng.random_bool(0.5) { 6000 } else { 0 },
                    ..Rates::default()
                },
                in_flight_max: rng.random_range(1..20),
                give_up_after: Duration::from_secs(3600),
                cut_off: false,
                sets_roles: false,
                completion: None,
                suffixes: false,
                grace: Duration::from_secs(10),
            },
            journal: empty(standard),
            service: Service { world, quota: Quota::new(unlimited()), faults: Faults::new(&[], 0).unwrap() },
            principal: Principal::new(scopes, Some(ADMIN)),
            app_may_look: true,
            before: Vec::new(),
            gone: BTreeMap::new(),
            clock: Duration::ZERO,
            skew: 0,
            coming: BinaryHeap::new(),
            payload: BTreeMap::new(),
            sequence: 0,
            journal_free: Duration::ZERO,
            writes: 0,
            disk_full: false,
            lives_left: rng.random_range(0..5),
            // After a loss the journal's own rows are what was there beforehand: see `fill_chat`.
            losses_left: if !standard && accepts_stints && rng.random_bool(0.4) {
                rng.random_range(1..3)
            } else {
                0
            },
            losses: 0,
            log: Vec::new(),
            page_size: if rng.random_bool(0.5) { rng.random_range(1..5) } else { 1000 },
            // Troubles are for the migration, not for what was before it.
            troubles: Troubles::none(),
            existed: BTreeMap::new(),
            rows: BTreeMap::new(),
            seen: Seen { standard: u64::from(standard), ..Seen::default() },
            tenures,
            rng,
        };
        simulation.fill_journal();
        simulation.fill_chat(&spaces);
        simulation.service.quota = Quota::new(limits);
        simulation.service.faults = some_faults(&mut simulation.rng, seed);
        simulation.troubles = troubles;
        simulation
    }

    pub(super) fn is_standard(&self) -> bool {
        self.config.access != Access::Import
    }

    /// The journal is what it was after so many writes, or is begun anew.
    pub(super) fn set_back(&mut self, writes: Option<usize>) {
        self.journal = empty(self.is_standard());
        self.fill_journal();
        self.log.truncate(writes.unwrap_or(0));
        for written in &self.log {
            match written {
                Written::Batch(changes) => self.journal.apply(changes).unwrap(),
                Written::Doubt(lost) => self.journal.doubt(*lost).unwrap(),
            }
        }
        // Whose rows they are has to be found out again.
        self.existed.clear();
        self.losses += 1;
    }

    fn fill_journal(&mut self) {
        let mut loader = self.journal.loader(BEGIN).unwrap();
        loader.begin_source("rows.csv", "{}").unwrap();
        for (place, tenure) in self.tenures.iter().enumerate() {
            loader.row(place as u64 + 2, tenure, None).unwrap();
        }
        loader.commit().unwrap();
        for space in self.journal.work().unwrap().spaces {
            for job in self.journal.pending(space.id, None, usize::MAX >> 1).unwrap() {
                let is_it = |tenure: &Tenure| {
                    (&tenure.space, &tenure.member, tenure.create_time, tenure.delete_time)
                        == (&job.space_name, &job.member_name, job.span.create_time, job.span.delete_time)
                };
                self.rows.insert(job.id, self.tenures.iter().position(is_it).unwrap());
            }
        }
    }

    /// Somebody was there before: strangers, with the very times of our rows where there are any, and some of our own
    /// rows.
    fn fill_chat(&mut self, spaces: &BTreeSet<SpaceName>) {
        let mut early: Vec<Tenure> = Vec::new();
        for space in spaces {
            for stranger in 0..self.rng.random_range(0..3) {
                let (create, delete) = a_span(&mut self.rng);
                let history = !self.is_standard();
                early.push(Tenure {
                    space: space.clone(),
                    member: MemberName::parse(&format!("stranger{stranger}@example.com")).unwrap(),
                    create_time: Some(create).filter(|_| history),
                    delete_time: Some(delete).filter(|_| history),
                    role: None,
                });
            }
        }
        // A Chat that refuses second stints answers 409 to a row whether it holds that very row or another: among others
        // with the same times nobody could tell which, before the member's id is known.
        let rules = self.service.world.rules();
        let told_apart = self.is_standard() || rules.second_stint == SecondStint::Accept;
        for tenure in &self.tenures {
            if told_apart && self.rng.random_bool(0.04) {
                early.push(tenure.clone());
            }
        }
        for tenure in early {
            if !self.is_standard() && tenure.delete_time.is_none() {
                continue;
            }
            if self.deliver(&self.create(&tenure)).0 == Some(200) {
                self.before.push(self.key(&tenure));
            }
        }
    }

    /// The call that a row is.
    pub(super) fn create(&self, tenure: &Tenure) -> Call {
        let (_, _, create_time, delete_time) = self.key(tenure);
        Call::CreateMember {
            space: tenure.space.clone(),
            member: tenure.member.clone(),
            span: Span { create_time, delete_time },
        }
    }

    /// The membership that a row becomes.
    pub(super) fn key(&self, tenure: &Tenure) -> Membership {
        let span = Span { create_time: tenure.create_time, delete_time: tenure.delete_time };
        self.key_of(tenure.space.as_str(), tenure.member.as_str(), span)
    }

    pub(super) fn key_of(&self, space: &str, member: &str, span: Span) -> Membership {
        let span =
            if self.is_standard() { Span::default() } else { Span { create_time: span.start(), ..span } };
        (space.to_owned(), member.to_owned(), span.create_time, span.delete_time)
    }

    /// Chat's clock, which is right.
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(BEGIN.as_micros() + self.clock.as_micros() as i64)
    }

    /// This life's clock.
    pub(super) fn own_wall(&self) -> Timestamp {
        Timestamp::from_micros(self.wall().as_micros() + self.skew)
    }

    /// Chat gets a request; what it answers, if anything. A token that is refused is fetched anew once.
    pub(super) fn deliver(&mut self, call: &Call) -> (Option<u16>, Option<Result<Answer, Failure>>) {
        match self.deliver_once(call) {
            (Some(401), _) => match self.deliver_once(call) {
                (Some(401), Some(Err(Failure::Refused(refusal)))) => {
                    (Some(401), Some(Err(Failure::Unauthorized(refusal))))
                }
                answer => answer,
            },
            answer => answer,
        }
    }

    /// In what capacity a call has to be made: once a space is completed, chat.import is known to serve creating alone.
    fn access_for(&self, call: &Call) -> Access {
        let space = match call {
            // As a member, to look whether it is completed.
            Call::ListMembers { listing, .. }
                if listing.page_size == 1 && self.config.completion.is_some() =>
            {
                return Access::User;
            }
            Call::ListMembers { space, .. } => space,
            Call::DeleteMember(name) | Call::PatchMember(name, _) => name.space(),
            _ => return self.config.access,
        };
        let completed = self.config.completion.is_some()
            && self.journal.completed(space.as_str()).unwrap()
            && self.config.access == Access::Import;
        if completed { Access::User } else { self.config.access }
    }

    fn deliver_once(&mut self, call: &Call) -> (Option<u16>, Option<Result<Answer, Failure>>) {
        let now = self.wall();
        self.trace(|| format!("chat gets {call:?}"));
        self.befall(now);
        if self.troubles.denied.contains(&self.clock) {
            let refusal =
                Refusal { http_status: 403, status: "PERMISSION_DENIED".to_owned(), ..Refusal::default() };
            return (Some(403), Some(Err(Failure::Refused(Box::new(refusal)))));
        }
        let mut small = call.clone();
        if let Call::ListMembers { listing, .. } = &mut small {
            // Chat may give fewer than it is asked for, and then there are pages.
            listing.page_size = self.page_size;
        }
        let app = Principal::new(Scopes::BOT, None);
        let request = small.request(self.access_for(call)).expect("a run asks for nothing else");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
        let body = request.body.map(|body| body.to_string()).unwrap_or_default();
        let outcome = self.service.call(
            now,
            &Request {
                method: request.method,
                path: &format!("/{}", request.path),
                query: &query,
                principal: Some(if matches!(call, Call::GetSpace(_)) && self.app_may_look {
                    &app
                } else {
                    &self.principal
                }),
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

    /// What befalls Chat by now.
    fn befall(&mut self, now: Timestamp) {
        if let Some((_, limits)) = self.troubles.quota.take_if(|(at, _)| *at <= self.clock) {
            self.service.quota = Quota::new(limits);
            self.seen.quota_cuts += 1;
        }
        if let Some((_, space)) = self.troubles.deleted.take_if(|(at, _)| *at <= self.clock) {
            let held = self.held();
            let principal = Principal::new(Scopes::IMPORT.and(Scopes::DELETE), Some(ADMIN));
            let path = format!("/v1/{space}");
            let request =
                Request { method: "DELETE", path: &path, query: "", principal: Some(&principal), body: b"" };
            if self.service.world.handle(now, &request).status == 200 {
                self.gone.extend(held.into_iter().filter(|(key, _)| key.0 == space.as_str()));
                self.seen.deleted_spaces += 1;
            }
        }
    }

    /// With `TENURE_TRACE` set, a seed tells its story.
    pub(super) fn trace(&self, story: impl FnOnce() -> String) {
        if std::env::var_os("TENURE_TRACE").is_some() {
            eprintln!("{:>10.3} {}", self.clock.as_secs_f64(), story());
        }
    }

    pub(super) fn after(&mut self, wait: Duration, coming: Coming) {
        self.sequence += 1;
        self.coming.push(Reverse((self.clock + wait, self.sequence)));
        self.payload.insert(self.sequence, coming);
    }

    pub(super) fn some_ms(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    /// How long something is on its way.
    fn way(&mut self) -> Duration {
        let way = self.some_ms(1..200);
        if self.troubles.slow.contains(&self.clock) { way * 30 } else { way }
    }

    pub(super) fn late(&mut self) -> Duration {
        LATE.mul_f64(self.rng.random::<f64>())
    }

    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Call { whose, call, access } => {
                assert_eq!(access, self.access_for(&call), "{call:?}");
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
        let at_once = |failure| (Duration::ZERO, answered(Err(failure)));
        let (wait, coming) = if self.troubles.revoked.contains(&self.clock) {
            let refusal = TokenRefusal { code: "invalid_grant".to_owned(), ..TokenRefusal::default() };
            at_once(Failure::Token(TokenFailure::Refused(Box::new(refusal))))
        } else if self.troubles.no_tokens.contains(&self.clock) || self.service.faults.draw_token_error() {
            at_once(Failure::Token(TokenFailure::Passing("503".to_owned())))
        } else if self.rng.random_bool(0.01) {
            at_once(Failure::NotSent("connection refused".to_owned()))
        } else if self.rng.random_bool(0.02) {
            // The connection breaks while the request is on its way, and it arrives all the same.
            let way = self.way();
            self.seen.lost += 1;
            let late = way + self.late();
            self.after(late, Coming::Straggler(call));
            (way, answered(Err(Failure::Lost("connection reset".to_owned()))))
        } else {
            (self.way(), Coming::Request(whose, call))
        };
        self.after(wait, coming);
    }

    pub(super) fn happen(&mut self, coming: Coming) -> Option<Input> {
        match coming {
            Coming::Input(input) => {
                self.trace(|| format!("engine gets {input:?}"));
                Some(input)
            }
            Coming::Request(whose, call) => {
                let (way, result) = match self.deliver(&call).1 {
                    Some(answer) => (self.way(), answer),
                    None => (TIMEOUT, Err(Failure::Lost("timed out".to_owned()))),
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
                if let Question::Write { changes, .. } = &request {
                    self.writes += 1;
                    if self.troubles.full_at.contains(&self.writes) {
                        self.disk_full = true;
                        return None;
                    }
                    if self.config.completion.is_none() {
                        self.check_changes(changes);
                    }
                    if self.losses_left > 0 {
                        self.log.push(Written::Batch(changes.clone()));
                    }
                }
                Some(Input::Journal(self.journal.answer(request).unwrap()))
            }
        }
    }
}

fn empty(standard: bool) -> Journal {
    let destination = Destination { target: "emulator", standard, undertaking: Undertaking::Import };
    let mut journal = Journal::scratch(destination, BEGIN).unwrap();
    journal.begin_run("{}", "resume", BEGIN).unwrap();
    journal
}

/// The same for the same row, and no draw: what seeds are known for they stay known for.
fn some_role(tenure: &Tenure) -> Option<Role> {
    let sum: usize =
        tenure.member.as_str().bytes().chain(tenure.space.as_str().bytes()).map(usize::from).sum();
    [Some(Role::Manager), Some(Role::AssistantManager), Some(Role::Member), None][sum % 4]
}

impl Troubles {
    /// A good day.
    pub(super) fn none() -> Troubles {
        let never = || Duration::ZERO..Duration::ZERO;
        Troubles {
            denied: never(),
            no_tokens: never(),
            revoked: never(),
            slow: never(),
            quota: None,
            deleted: None,
            full_at: BTreeSet::new(),
            skew_max: 0,
        }
    }
}

fn unlimited() -> Limits {
    Limits {
        writes_per_minute: 0,
        reads_per_minute: 0,
        space_writes_per_minute: 0,
        space_reads_per_minute: 0,
        reads_per_space_second: 0,
        ..Limits::default()
    }
}
