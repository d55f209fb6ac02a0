//! The engine's state, and what each input does to it. No I/O: inputs come in, outputs go out, time is handed in.
//!
//! ```text
//! journal ─Pending─▶ lane queue ─permit─▶ Mark ─Written─▶ call ─Answered─▶ Done / Rejected
//!                        ▲                                   │
//!                        ├──── wait ◀── Release ◀────────────┤ not applied
//!                        └── not held ◀── list the space ◀───┘ unclear
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;

use super::event::{Event, Snapshot, Stop};
use super::lane::{Lane, Look, Purpose, Step};
use super::pacer::{Kind, Pacer, Rates};
use super::reconcile::{Finding, Unclear, reconcile, relevant};
use super::retry::{Verdict, asked_to_wait, backoff, decide};
use crate::chat::{Call, Failure, Membership, Page};
use crate::journal::{self, Attribution, Calls, Change, Held, Note, Tally};
use crate::model::{Job, MemberId, Operation, RowId, SpaceId, Timestamp};

/// How many spaces are worked on at once: enough to spread the load, few enough to hold in memory.
const LANES_OPEN_MAX: usize = 256;
/// A lane asks the journal for more rows below this many.
const QUEUE_LOW: usize = 8;
/// How many rows it asks for.
const FEED: usize = 32;
/// How long requests of a run that was killed may still be on their way when the next one begins. Nobody documents how
/// soon a write is listed; a row that is sent again too early meets a 409 and is looked up once more.
const LATE_WRITE: Duration = Duration::from_secs(2);
/// A row that has failed this often by itself, while others succeeded, is rejected.
const FAILURES_PER_ROW_MAX: u32 = 12;

/// What does not change during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Quotas.
    pub rates: Rates,
    /// The most requests under way at once.
    pub in_flight_max: usize,
    /// How long nothing but failures are borne.
    pub give_up_after: Duration,
    /// How long requests under way may take to finish once the run is stopping.
    pub grace: Duration,
}

/// The time: since the run began, for waiting, and on the wall, for writing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the run began; never goes back.
    pub elapsed: Duration,
    /// The system's clock.
    pub wall: Timestamp,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// The journal's answer to [`Output::Pending`].
    Pending {
        /// The space.
        space: SpaceId,
        /// The rows; fewer than asked for when there are no more.
        jobs: Vec<Job>,
    },
    /// The journal's answer to [`Output::InFlight`].
    InFlight {
        /// The space.
        space: SpaceId,
        /// The rows.
        jobs: Vec<Job>,
    },
    /// Every batch up to this one is durable.
    Written {
        /// Its number.
        batch: u64,
    },
    /// The journal's answer to [`Output::Attribute`].
    Attributed {
        /// The space.
        space: SpaceId,
        /// What it knows of each.
        attributions: Vec<Attribution>,
    },
    /// Chat's answer to [`Output::Create`].
    Created {
        /// The row.
        row: RowId,
        /// The answer.
        result: Result<Membership, Failure>,
    },
    /// Chat's answer to [`Output::List`].
    Listed {
        /// The space.
        space: SpaceId,
        /// The answer.
        result: Result<Page, Failure>,
    },
    /// The run is to stop.
    Stop(Stop),
}

/// What goes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Make these changes durable; answered by [`Input::Written`].
    Write {
        /// Number of the batch: one more than the one before.
        batch: u64,
        /// The changes, in order.
        changes: Vec<Change>,
    },
    /// Give rows to send.
    Pending {
        /// The space.
        space: SpaceId,
        /// The row behind which they begin.
        after: Option<Box<Job>>,
        /// How many at most.
        limit: usize,
    },
    /// Give the rows whose answers are unknown.
    InFlight {
        /// The space.
        space: SpaceId,
    },
    /// Say whose these memberships are.
    Attribute {
        /// The space.
        space: SpaceId,
        /// As listed.
        listed: Vec<Held>,
    },
    /// Make this call for a row, which is durably in flight.
    Create {
        /// The row.
        row: RowId,
        /// The call.
        call: Call,
    },
    /// Make this call for a space.
    List {
        /// The space.
        space: SpaceId,
        /// The call.
        call: Call,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// Every row that could be settled is.
    Complete,
    /// Before its end; it can be resumed.
    Stopped(Stop),
}

#[derive(Debug)]
struct Active {
    job: Job,
    /// How often its answers were unclear.
    failures: u32,
    /// When the first of them was.
    failed_first: Option<Duration>,
    /// Chat's 409, if that is why it is unclear.
    exists: Option<Note>,
}

#[derive(Debug)]
struct Stopping {
    stop: Stop,
    deadline: Duration,
}

/// The engine.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    rng: StdRng,
    pacer: Pacer,
    backlog: VecDeque<journal::Lane>,
    lanes: BTreeMap<SpaceId, Lane>,
    /// The order in which lanes are asked for a row.
    ring: VecDeque<SpaceId>,
    rows: HashMap<RowId, Active>,
    /// The rows in memory by member: what one answer tells of somebody's id holds for all of them.
    members: HashMap<MemberId, Vec<RowId>>,
    /// Ids of members that were learned in a batch which is not durable yet, so that the journal may not tell them.
    learned: HashMap<MemberId, (u64, String)>,
    delayed: BinaryHeap<Reverse<(Duration, RowId)>>,
    /// Rows being marked in flight, with the batch that does it.
    marking: VecDeque<(u64, RowId)>,
    /// Rows durably in flight that have not left.
    ready: VecDeque<RowId>,
    sent: usize,
    batch: u64,
    written: u64,
    changes: Vec<Change>,
    calls: Calls,
    outputs: Vec<Output>,
    events: Vec<Event>,
    succeeded: bool,
    /// Failures since the last definite answer: of writes, of reads.
    failing: [Option<Failing>; 2],
    stopping: Option<Stopping>,
    counts: Snapshot,
    wake: Option<Duration>,
}

#[derive(Debug)]
struct Failing {
    since: Duration,
    in_a_row: u32,
    last: String,
    throttled: bool,
}

impl Engine {
    /// An engine for the spaces that have work in them. `tally` is where the journal stands.
    pub fn new(config: Config, lanes: journal::Lanes, tally: &Tally, rng: StdRng) -> Self {
        Engine {
            pacer: Pacer::new(config.rates),
            config,
            rng,
            backlog: lanes.into(),
            lanes: BTreeMap::new(),
            ring: VecDeque::new(),
            rows: HashMap::new(),
            members: HashMap::new(),
            learned: HashMap::new(),
            delayed: BinaryHeap::new(),
            marking: VecDeque::new(),
            ready: VecDeque::new(),
            sent: 0,
            batch: 0,
            written: 0,
            changes: Vec::new(),
            calls: Calls::default(),
            outputs: Vec::new(),
            events: Vec::new(),
            succeeded: false,
            failing: [None, None],
            stopping: None,
            counts: Snapshot {
                total: tally.total,
                done: tally.done,
                rejected: tally.rejected,
                open: tally.open,
                ..Snapshot::default()
            },
            wake: None,
        }
    }

    /// Takes in what has happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Pending { space, jobs } => self.on_pending(space, jobs),
            Input::InFlight { space, jobs } => self.on_in_flight(now, space, jobs),
            Input::Written { batch } => self.on_written(batch),
            Input::Attributed { space, attributions } => self.on_attributed(now, space, &attributions),
            Input::Created { row, result } => self.on_created(now, row, result),
            Input::Listed { space, result } => self.on_listed(now, space, result),
            Input::Stop(stop) => self.begin_stop(now, stop),
        }
    }

    /// Does everything that can be done now, and returns what is to be carried out.
    pub fn poll(&mut self, now: Now) -> Vec<Output> {
        self.wake = None;
        self.pacer.tell(now.elapsed);
        self.give_up_if_hopeless(now);
        if self.stopping.is_none() {
            self.wake_delayed(now);
            self.open_lanes();
            self.tend_lanes(now);
            self.pick(now);
            self.send();
        } else {
            self.wind_down();
        }
        self.flush();
        std::mem::take(&mut self.outputs)
    }

    /// What is worth telling since the last time.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// When to poll again if nothing happens before. Valid after [`Engine::poll`].
    pub fn next_deadline(&self) -> Option<Duration> {
        self.wake
    }

    /// Whether the run is over, and how. Valid after [`Engine::poll`].
    pub fn finished(&self, now: Now) -> Option<Finish> {
        if self.written < self.batch {
            return None;
        }
        if let Some(stopping) = &self.stopping {
            let quiet = self.sent == 0 && self.marking.is_empty() && self.ready.is_empty();
            return (quiet || now.elapsed >= stopping.deadline)
                .then(|| Finish::Stopped(stopping.stop.clone()));
        }
        (self.lanes.is_empty() && self.backlog.is_empty()).then_some(Finish::Complete)
    }

    /// Where it stands.
    pub fn snapshot(&self, now: Now) -> Snapshot {
        Snapshot {
            under_way: self.sent,
            waiting: self.delayed.len(),
            paused: self.pacer.paused(now.elapsed),
            failures_in_a_row: self
                .failing
                .iter()
                .flatten()
                .map(|failing| failing.in_a_row)
                .max()
                .unwrap_or(0),
            ..self.counts
        }
    }

    fn wake_at(&mut self, at: Duration) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    // ---- doing ----

    fn give_up_if_hopeless(&mut self, now: Now) {
        let Some(failing) = self.failing.iter().flatten().min_by_key(|failing| failing.since) else { return };
        let until = failing.since + self.config.give_up_after;
        if now.elapsed < until {
            return self.wake_at(until);
        }
        let (last, throttled) = (failing.last.clone(), failing.throttled);
        self.begin_stop(now, Stop::GaveUp { after: self.config.give_up_after, last, throttled });
    }

    fn wake_delayed(&mut self, now: Now) {
        while let Some(Reverse((due, row))) = self.delayed.peek().copied() {
            if due > now.elapsed {
                self.wake_at(due);
                return;
            }
            self.delayed.pop();
            // Its space may have been refused meanwhile, and all its rows with it.
            let Some(active) = self.rows.get(&row) else { continue };
            if let Some(lane) = self.lanes.get_mut(&active.job.space) {
                lane.delayed -= 1;
                lane.queue.push_front(row);
            }
        }
    }

    fn open_lanes(&mut self) {
        while self.lanes.len() < LANES_OPEN_MAX {
            let Some(next) = self.backlog.pop_front() else { return };
            let step = if next.in_flight > 0 {
                self.outputs.push(Output::InFlight { space: next.id });
                Step::Recovering
            } else if next.surveyed {
                Step::Sending
            } else {
                Step::Looking(Look::new(Purpose::Baseline, Duration::ZERO))
            };
            let left = next.pending + next.in_flight;
            let lane = Lane::new(next.id, next.name, left, self.pacer.space(), step);
            self.lanes.insert(next.id, lane);
            self.ring.push_back(next.id);
        }
    }

    fn tend_lanes(&mut self, now: Now) {
        let mut wake = None;
        let mut sooner = |at: Duration| wake = Some(wake.map_or(at, |wake: Duration| wake.min(at)));
        let mut finished = Vec::new();
        for lane in self.lanes.values_mut() {
            if let Some(purpose) = lane.wants_look() {
                if purpose == Purpose::Unclear {
                    let rows = lane.unclear.len();
                    self.events.push(Event::Looking { space: lane.name.clone(), rows });
                }
                lane.step = Step::Looking(Look::new(purpose, lane.look_not_before));
            }
            if let Step::Looking(look) = &mut lane.step {
                if look.waiting {
                    continue;
                }
                if look.not_before > now.elapsed {
                    sooner(look.not_before);
                    continue;
                }
                let permit = self
                    .pacer
                    .ready(Kind::Read, now.elapsed)
                    .and_then(|()| self.pacer.spend(Kind::Read, &mut lane.buckets));
                match permit {
                    Ok(()) => {
                        look.waiting = true;
                        let call = Call::ListMembers {
                            space: lane.name.clone(),
                            page_token: look.page_token.clone(),
                        };
                        self.outputs.push(Output::List { space: lane.id, call });
                    }
                    Err(until) => sooner(until),
                }
                continue;
            }
            if matches!(lane.step, Step::Sending)
                && lane.queue.len() < QUEUE_LOW
                && !lane.drained
                && !lane.feeding
            {
                lane.feeding = true;
                let after = lane.fed.clone().map(Box::new);
                self.outputs.push(Output::Pending { space: lane.id, after, limit: FEED });
            }
            if lane.is_finished() {
                finished.push(lane.id);
            }
        }
        if let Some(at) = wake {
            self.wake_at(at);
        }
        for space in finished {
            self.close_lane(space);
        }
        self.stop_if_every_space_is_refused(now);
    }

    fn close_lane(&mut self, space: SpaceId) {
        self.lanes.remove(&space);
        self.ring.retain(|id| *id != space);
    }

    /// Takes rows, one from each space in turn, as long as the quota and the number of requests allow.
    fn pick(&mut self, now: Now) {
        while self.marking.len() + self.ready.len() < self.config.in_flight_max
            && self.sent + self.marking.len() + self.ready.len() < 2 * self.config.in_flight_max
        {
            if let Err(until) = self.pacer.ready(Kind::Write, now.elapsed) {
                // Nobody is waiting for the permit when there is nothing to send.
                if self.lanes.values().any(Lane::may_send) {
                    self.wake_at(until);
                }
                return;
            }
            if !self.pick_one(now) {
                return;
            }
        }
    }

    fn pick_one(&mut self, now: Now) -> bool {
        for _ in 0..self.ring.len() {
            let Some(space) = self.ring.pop_front() else { return false };
            self.ring.push_back(space);
            let Some(lane) = self.lanes.get_mut(&space) else { continue };
            if !lane.may_send() {
                continue;
            }
            let rows = &self.rows;
            let Some(place) = lane.next(|row| rows.get(&row).map(|active| &active.job)) else { continue };
            if let Err(until) = self.pacer.spend(Kind::Write, &mut lane.buckets) {
                self.wake_at(until);
                continue;
            }
            let Some(row) = lane.queue.remove(place) else { continue };
            let Some(active) = self.rows.get_mut(&row) else { continue };
            active.job.attempts += 1;
            lane.claim(&active.job);
            lane.out += 1;
            self.changes.push(Change::Mark { row, space, at: now.wall });
            // The batch that is being gathered.
            self.marking.push_back((self.batch + 1, row));
            return true;
        }
        false
    }

    /// Lets rows leave that are durably in flight.
    fn send(&mut self) {
        while self.sent < self.config.in_flight_max {
            let Some(row) = self.ready.pop_front() else { return };
            let Some(active) = self.rows.get(&row) else { continue };
            let job = &active.job;
            let call = match job.operation {
                Operation::Create => Call::CreateMember {
                    space: job.space_name.clone(),
                    member: job.member_name.clone(),
                    span: job.span,
                },
            };
            self.sent += 1;
            self.outputs.push(Output::Create { row, call });
        }
    }

    /// While stopping: what has not left goes back.
    fn wind_down(&mut self) {
        while let Some(row) = self.ready.pop_front() {
            if let Some(active) = self.forget(row) {
                let space = active.job.space;
                self.changes.push(Change::Release { row, space, sent: false, note: None });
            }
        }
        if let Some(stopping) = &self.stopping {
            let deadline = stopping.deadline;
            self.wake_at(deadline);
        }
    }

    fn flush(&mut self) {
        if self.calls != Calls::default() {
            self.changes.push(Change::Calls(std::mem::take(&mut self.calls)));
        }
        if !self.changes.is_empty() {
            self.batch += 1;
            let changes = std::mem::take(&mut self.changes);
            self.outputs.push(Output::Write { batch: self.batch, changes });
        }
    }

    fn begin_stop(&mut self, now: Now, stop: Stop) {
        if self.stopping.is_none() {
            self.events.push(Event::Stopping { stop: stop.clone(), under_way: self.sent });
            self.stopping = Some(Stopping { stop, deadline: now.elapsed + self.config.grace });
        }
    }

    // ---- the journal's answers ----

    fn on_pending(&mut self, space: SpaceId, jobs: Vec<Job>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.feeding = false;
        lane.drained = jobs.len() < FEED;
        if let Some(last) = jobs.last() {
            lane.fed = Some(last.clone());
        }
        lane.queue.extend(jobs.iter().map(|job| job.id));
        for job in jobs {
            self.hold(job);
        }
    }

    fn on_in_flight(&mut self, now: Now, space: SpaceId, jobs: Vec<Job>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.step = Step::Sending;
        lane.look_not_before = now.elapsed + LATE_WRITE;
        for job in &jobs {
            lane.claim(job);
            lane.unclear.push(job.id);
        }
        for job in jobs {
            self.hold(job);
        }
    }

    fn on_written(&mut self, batch: u64) {
        self.written = self.written.max(batch);
        self.learned.retain(|_, (of, _)| *of > batch);
        while let Some((of, row)) = self.marking.front().copied() {
            if of > batch {
                break;
            }
            self.marking.pop_front();
            self.ready.push_back(row);
        }
    }

    fn on_attributed(&mut self, now: Now, space: SpaceId, listed: &[Attribution]) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.step = Step::Sending;
        let failing_since = self.failing[Kind::Write as usize].as_ref().map(|failing| failing.since);
        for row in std::mem::take(&mut lane.unclear) {
            let Some(active) = self.rows.get_mut(&row) else { continue };
            let exists = active.exists.take();
            let unclear = Unclear { job: &active.job, exists: exists.is_some() };
            let http_status = exists.as_ref().and_then(|note| note.http_status);
            let refuse = |kind: &str, error: String| Note { http_status, kind: kind.to_owned(), error };
            match reconcile(&unclear, listed) {
                Finding::Held { held, beforehand } => {
                    // A first call that is told "exists" did not make it, even if it was not there when the run began.
                    let existed = beforehand || (exists.is_some() && active.job.attempts <= 1);
                    let (membership, user) = held.map(|held| (held.membership, held.user)).unzip();
                    let user = user.filter(|user| user.starts_with("users/"));
                    self.settle_done(now, row, http_status, membership, user, existed);
                }
                Finding::NotHeld | Finding::Different { .. } if exists.is_none() => {
                    // Others were answered since, or else it is not the row's fault.
                    let alone = failing_since.is_none() || failing_since > active.failed_first;
                    if alone && active.failures >= FAILURES_PER_ROW_MAX {
                        let times = active.failures;
                        let note = refuse(
                            "KEPT_FAILING",
                            format!(
                                "Chat failed {times} times to create it and does not hold it; other rows succeeded meanwhile"
                            ),
                        );
                        self.settle_rejected(now, row, note);
                        continue;
                    }
                    self.changes.push(Change::Release { row, space, sent: true, note: None });
                    if let Some(lane) = self.lanes.get_mut(&space) {
                        lane.queue.push_front(row);
                    }
                }
                Finding::NotHeld => {
                    let note = refuse(
                        "ALREADY_EXISTS",
                        format!(
                            "Chat answers that {} is a member of {} already, but lists no such membership with the times {}; perhaps it holds one with other times, or one through a group",
                            active.job.member_name, active.job.space_name, active.job.span
                        ),
                    );
                    self.settle_rejected(now, row, note);
                }
                Finding::Different { held } => {
                    let note = refuse(
                        "OTHER_TIMES",
                        format!(
                            "Chat already holds a membership of {} in {} with other times: it has {}, the row has {}",
                            active.job.member_name, active.job.space_name, held.span, active.job.span
                        ),
                    );
                    self.settle_rejected(now, row, note);
                }
                Finding::Undecided => {
                    let note = refuse(
                        "UNDECIDED",
                        format!(
                            "its answer was lost, and {} now lists several memberships with the times {} that this journal did not create: look which of them is {}",
                            active.job.space_name, active.job.span, active.job.member_name
                        ),
                    );
                    self.settle_rejected(now, row, note);
                }
            }
        }
    }

    // ---- Chat's answers ----

    fn on_created(&mut self, now: Now, row: RowId, result: Result<Membership, Failure>) {
        self.sent -= 1;
        self.count(Kind::Write, now, result.as_ref().err());
        let Some(active) = self.rows.get_mut(&row) else { return };
        let space = active.job.space;
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.out -= 1;
        }
        let failure = match result {
            Ok(membership) => {
                let user = membership.user.filter(|user| user.starts_with("users/"));
                self.succeeded(Kind::Write, now);
                return self.settle_done(now, row, Some(200), Some(membership.name), user, false);
            }
            Err(failure) => failure,
        };
        let note = note(&failure);
        match decide(&failure) {
            Verdict::Throttled => {
                let wait = self.throttle(now, Kind::Write, &failure);
                self.changes.push(Change::Release { row, space, sent: true, note: Some(note) });
                self.delay(now, row, wait);
            }
            Verdict::NotApplied => {
                let in_a_row = self.failed(Kind::Write, now, failure.to_string(), false);
                let wait = self.wait(in_a_row, &failure);
                self.changes.push(Change::Release { row, space, sent: true, note: Some(note) });
                self.retry_event(row, wait, &failure);
                self.delay(now, row, wait);
            }
            Verdict::Unclear => {
                active.failures += 1;
                active.failed_first.get_or_insert(now.elapsed);
                let failures = active.failures;
                self.failed(Kind::Write, now, failure.to_string(), false);
                let wait = self.wait(failures, &failure);
                self.changes.push(Change::Unclear { row, note });
                self.retry_event(row, wait, &failure);
                self.look_up(row, space, now.elapsed + wait);
            }
            Verdict::Exists => {
                active.exists = Some(note.clone());
                self.answered(Kind::Write);
                self.changes.push(Change::Unclear { row, note });
                self.look_up(row, space, now.elapsed);
            }
            Verdict::Reject => {
                self.answered(Kind::Write);
                self.settle_rejected(now, row, note);
            }
            Verdict::RejectAndLook => {
                self.answered(Kind::Write);
                self.settle_rejected(now, row, note);
                if let Some(lane) = self.lanes.get_mut(&space) {
                    lane.doubtful = true;
                }
            }
            Verdict::Stop(stop) => {
                self.changes.push(Change::Release { row, space, sent: true, note: Some(note) });
                self.forget(row);
                self.begin_stop(now, stop);
            }
        }
    }

    fn on_listed(&mut self, now: Now, space: SpaceId, result: Result<Page, Failure>) {
        self.count(Kind::Read, now, result.as_ref().err());
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        let Step::Looking(look) = &mut lane.step else { return };
        look.waiting = false;
        let page = match result {
            Ok(page) => page,
            Err(failure) => return self.on_list_failed(now, space, &failure),
        };
        look.failures = 0;
        let purpose = look.purpose;
        let rows = &self.rows;
        let held = page.memberships.into_iter().filter_map(|membership| {
            let user = membership.holder()?.to_owned();
            Some(Held { user, membership: membership.name, span: membership.span })
        });
        match purpose {
            Purpose::Baseline => self.changes.extend(held.map(|held| Change::Found {
                space,
                user: held.user,
                span: held.span,
            })),
            Purpose::Unclear => {
                let unclear: Vec<&Job> =
                    lane.unclear.iter().filter_map(|row| Some(&rows.get(row)?.job)).collect();
                look.kept.extend(held.filter(|held| unclear.iter().any(|job| relevant(job, held))));
            }
            Purpose::Presence => {}
        }
        look.page_token = page.next_page_token;
        if look.page_token.is_none() || purpose == Purpose::Presence {
            lane.doubtful = false;
            match purpose {
                Purpose::Baseline => {
                    self.changes.push(Change::Surveyed { space, at: now.wall });
                    lane.step = Step::Sending;
                }
                Purpose::Unclear => {
                    look.waiting = true;
                    let listed = std::mem::take(&mut look.kept);
                    self.outputs.push(Output::Attribute { space, listed });
                }
                Purpose::Presence => lane.step = Step::Sending,
            }
        }
        self.succeeded(Kind::Read, now);
    }

    fn on_list_failed(&mut self, now: Now, space: SpaceId, failure: &Failure) {
        let until = match decide(failure) {
            Verdict::Throttled => now.elapsed + self.throttle(now, Kind::Read, failure),
            Verdict::NotApplied | Verdict::Unclear => {
                self.failed(Kind::Read, now, failure.to_string(), false);
                let failures = self.lanes.get(&space).map_or(0, |lane| match &lane.step {
                    Step::Looking(look) => look.failures,
                    _ => 0,
                });
                now.elapsed + self.wait(failures + 1, failure)
            }
            Verdict::Stop(stop) => return self.begin_stop(now, stop),
            Verdict::Exists | Verdict::Reject | Verdict::RejectAndLook => {
                self.answered(Kind::Read);
                if let Some(lane) = self.lanes.get_mut(&space) {
                    lane.step = Step::Refused(note(failure));
                }
                if self.succeeded {
                    self.reject_space(now, space);
                }
                return;
            }
        };
        if let Some(Lane { step: Step::Looking(look), .. }) = self.lanes.get_mut(&space) {
            look.failures += 1;
            look.not_before = until;
        }
    }

    /// Once something has succeeded, a space that is refused is refused for its own sake.
    fn succeeded(&mut self, kind: Kind, now: Now) {
        self.answered(kind);
        if !self.succeeded {
            self.succeeded = true;
            let refused: Vec<SpaceId> = self
                .lanes
                .values()
                .filter(|lane| matches!(lane.step, Step::Refused(_)))
                .map(|lane| lane.id)
                .collect();
            for space in refused {
                self.reject_space(now, space);
            }
        }
    }

    fn reject_space(&mut self, now: Now, space: SpaceId) {
        let Some(lane) = self.lanes.get(&space) else { return };
        let Step::Refused(note) = &lane.step else { return };
        let (name, rows, mut note) = (lane.name.clone(), lane.left, note.clone());
        let story = note.error.clone();
        note.error = format!("Chat refuses the whole space {name}: {story}");
        note.kind = "SPACE_REFUSED".to_owned();
        let gone: Vec<RowId> = self
            .rows
            .values()
            .filter(|active| active.job.space == space)
            .map(|active| active.job.id)
            .collect();
        for row in gone {
            self.forget(row);
        }
        self.counts.rejected += rows;
        self.changes.push(Change::SpaceRejected { space, at: now.wall, note });
        self.close_lane(space);
        self.events.push(Event::SpaceRefused { space: name, rows, story });
    }

    fn stop_if_every_space_is_refused(&mut self, now: Now) {
        if self.succeeded || self.lanes.is_empty() {
            return;
        }
        let mut first = None;
        for lane in self.lanes.values() {
            let Step::Refused(note) = &lane.step else { return };
            first.get_or_insert((lane.name.clone(), note.error.clone()));
        }
        if let Some((space, story)) = first {
            self.begin_stop(now, Stop::EverySpaceRefused { space, story, spaces: self.lanes.len() });
        }
    }

    // ---- settling and waiting ----

    fn settle_done(
        &mut self,
        now: Now,
        row: RowId,
        http_status: Option<u16>,
        membership: Option<String>,
        user: Option<String>,
        existed: bool,
    ) {
        let Some(Active { job, .. }) = self.forget(row) else { return };
        let (space, member) = (job.space, job.member);
        if let Some(user) = &user {
            self.learned.insert(member, (self.batch + 1, user.clone()));
            for row in self.members.get(&member).into_iter().flatten() {
                if let Some(other) = self.rows.get_mut(row) {
                    other.job.user.get_or_insert_with(|| user.clone());
                }
            }
        }
        let at = now.wall;
        self.changes.push(Change::Done { row, space, member, at, http_status, membership, user, existed });
        self.counts.done += 1;
        self.events.push(Event::Done { job, existed });
    }

    fn settle_rejected(&mut self, now: Now, row: RowId, note: Note) {
        let Some(Active { job, .. }) = self.forget(row) else { return };
        self.changes.push(Change::Rejected { row, space: job.space, at: now.wall, note: note.clone() });
        self.counts.rejected += 1;
        self.events.push(Event::Rejected { job, note });
    }

    fn hold(&mut self, mut job: Job) {
        if job.user.is_none() {
            job.user = self.learned.get(&job.member).map(|(_, user)| user.clone());
        }
        self.members.entry(job.member).or_default().push(job.id);
        self.rows.insert(job.id, Active { job, failures: 0, failed_first: None, exists: None });
    }

    fn forget(&mut self, row: RowId) -> Option<Active> {
        let active = self.rows.remove(&row)?;
        let member = active.job.member;
        if let Some(rows) = self.members.get_mut(&member) {
            rows.retain(|other| *other != row);
            if rows.is_empty() {
                self.members.remove(&member);
            }
        }
        if let Some(lane) = self.lanes.get_mut(&active.job.space) {
            lane.free(&active.job);
            lane.left -= 1;
        }
        Some(active)
    }

    fn delay(&mut self, now: Now, row: RowId, wait: Duration) {
        let Some(active) = self.rows.get(&row) else { return };
        if let Some(lane) = self.lanes.get_mut(&active.job.space) {
            lane.delayed += 1;
            self.delayed.push(Reverse((now.elapsed + wait, row)));
        }
    }

    fn look_up(&mut self, row: RowId, space: SpaceId, not_before: Duration) {
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.unclear.push(row);
            lane.look_not_before = lane.look_not_before.max(not_before);
        }
    }

    fn retry_event(&mut self, row: RowId, wait: Duration, failure: &Failure) {
        if let Some(active) = self.rows.get(&row) {
            let job = active.job.clone();
            self.events.push(Event::Retry { job, wait, story: failure.to_string() });
        }
    }

    fn wait(&mut self, failures: u32, failure: &Failure) -> Duration {
        backoff(failures, &mut self.rng).max(asked_to_wait(failure).unwrap_or_default())
    }

    /// A 429: everything of its kind waits.
    fn throttle(&mut self, now: Now, kind: Kind, failure: &Failure) -> Duration {
        self.failed(kind, now, failure.to_string(), true);
        let fresh = !self.pacer.is_paused(kind, now.elapsed);
        let in_a_row = self.pacer.throttled(kind, now.elapsed);
        let wait = self.wait(in_a_row, failure);
        self.pacer.pause(kind, now.elapsed + wait);
        if fresh {
            self.events.push(Event::Throttled { wait });
        }
        wait
    }

    fn failed(&mut self, kind: Kind, now: Now, story: String, throttled: bool) -> u32 {
        let failing = self.failing[kind as usize].get_or_insert(Failing {
            since: now.elapsed,
            in_a_row: 0,
            last: String::new(),
            throttled,
        });
        failing.in_a_row += 1;
        failing.last = story;
        failing.throttled = throttled;
        failing.in_a_row
    }

    /// Chat has answered something definite.
    fn answered(&mut self, kind: Kind) {
        self.failing[kind as usize] = None;
    }

    fn count(&mut self, kind: Kind, now: Now, failure: Option<&Failure>) {
        let mut calls = Calls { sent: 1, ..Calls::default() };
        let throttled = failure.is_some_and(|failure| matches!(decide(failure), Verdict::Throttled));
        match failure {
            None => calls.ok = 1,
            Some(Failure::Token(_) | Failure::NotSent(_)) => return,
            Some(_) if throttled => calls.throttled = 1,
            Some(_) => calls.failed = 1,
        }
        if !throttled {
            self.pacer.flowing(kind, now.elapsed);
        }
        self.calls += calls;
        self.counts.calls += calls;
    }
}

fn note(failure: &Failure) -> Note {
    let (http_status, kind) = match failure {
        Failure::Refused(refusal) | Failure::Unauthorized(refusal) => {
            (Some(refusal.http_status), refusal.kind())
        }
        Failure::Token(_) => (None, "NO_TOKEN".to_owned()),
        Failure::NotSent(_) => (None, "NO_CONNECTION".to_owned()),
        Failure::Lost(_) => (None, "NO_ANSWER".to_owned()),
    };
    let error = match failure {
        // Status and kind stand beside it.
        Failure::Refused(refusal) if !refusal.message.is_empty() => refusal.message.clone(),
        failure => failure.to_string(),
    };
    Note { http_status, kind, error }
}
