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

mod answered;
mod io;
mod journaled;
mod prior;
mod settle;
#[cfg(test)]
mod tests;

use super::event::{Event, Snapshot, Stop};
use super::lane::{Lane, Look, Purpose, Step};
use super::pacer::{Kind, Pacer};
use super::repeats::Repeats;
use crate::chat::{Access, Call, Listing};
use crate::journal::{Calls, Change, Note, Reply, Request, SpaceWork, Tally, Work};
use crate::model::{Job, MemberId, Operation, RowId, SpaceId, Span};
pub use io::{Config, Finish, For, Input, Now, Output};

/// How many spaces are worked on at once: enough to spread the load, few enough to hold in memory.
const LANES_OPEN_MAX: usize = 256;
/// How soon after a request was lost the list is believed to show what it did. Nobody documents it; a row that is sent
/// again too early meets a 409, or makes a second membership where Chat allows that.
const LATE_WRITE: Duration = Duration::from_secs(2);
/// How many rows a lane asks the journal for.
const FEED: usize = 32;

#[derive(Debug)]
struct Active {
    job: Job,
    /// How often its answers were unclear.
    failures: u32,
    /// When the first of them was.
    failed_first: Option<Duration>,
    /// When its call left.
    asked_at: Duration,
    /// What Chat said, if it is not for want of an answer that the row is unclear.
    claim: Option<Claim>,
    /// An earlier call of it may have been applied, so it stays in flight: a member of today whose answer was lost.
    unsure: bool,
    /// How often it was denied although its space can be listed.
    denials: u32,
    /// Others share its times, and some of what was done with them is not known: a list does not tell it by them.
    alike: bool,
}

/// An answer that only the list can make sense of.
#[derive(Debug)]
enum Claim {
    /// 409: such a membership exists. This one, or another?
    Exists(Note),
    /// 403 or 404: is it the row, or the space?
    Denied(Note),
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
    backlog: VecDeque<SpaceWork>,
    /// A space that could be reached before and has no work left.
    witness: Option<SpaceWork>,
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
    /// What Chat does with a create of what it holds already.
    repeats: Repeats,
    sent: usize,
    /// Rows that Chat has made, and the journal is asked whether it held them before.
    checking: usize,
    /// The journal does not know of every row that was sent.
    lost: bool,
    batch: u64,
    written: u64,
    changes: Vec<Change>,
    calls: Calls,
    outputs: Vec<Output>,
    events: Vec<Event>,
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
    /// An engine for what there is to do. `tally` is where the journal stands.
    pub fn new(config: Config, work: Work, tally: &Tally, rng: StdRng) -> Self {
        Engine {
            pacer: Pacer::new(config.rates),
            config,
            rng,
            backlog: work.spaces.into(),
            witness: work.witness,
            lanes: BTreeMap::new(),
            ring: VecDeque::new(),
            rows: HashMap::new(),
            members: HashMap::new(),
            learned: HashMap::new(),
            delayed: BinaryHeap::new(),
            marking: VecDeque::new(),
            ready: VecDeque::new(),
            repeats: Repeats::new(work.doubles),
            sent: 0,
            checking: 0,
            lost: work.lost,
            batch: 0,
            written: 0,
            changes: Vec::new(),
            calls: Calls::default(),
            outputs: Vec::new(),
            events: Vec::new(),
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
            Input::Journal(Reply::Pending { space, jobs }) => self.on_pending(now, space, jobs),
            Input::Journal(Reply::InFlight { space, jobs, alike }) => {
                self.on_in_flight(now, space, jobs, &alike);
            }
            Input::Journal(Reply::Written { batch }) => self.on_written(batch),
            Input::Journal(Reply::Attributed { space, attributions }) => {
                self.on_attributed(now, space, attributions);
            }
            Input::Journal(Reply::Prior { row, made, prior }) => self.on_prior(now, row, made, prior),
            Input::Answered { whose: For::Row(row), result } => self.on_row(now, row, result),
            Input::Answered { whose: For::Space(space), result } => self.on_page(now, space, result),
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
            self.send(now);
        } else {
            self.wind_down(now);
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
            let quiet =
                self.sent == 0 && self.checking == 0 && self.marking.is_empty() && self.ready.is_empty();
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
            paused: self
                .pacer
                .paused_until(Kind::Write, now.elapsed)
                .map_or(Duration::ZERO, |until| until - now.elapsed),
            throttled: self.pacer.waits_for_quota(),
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
            let Some(space) = self.rows.get(&row).map(|active| active.job.space) else { continue };
            if let Some(lane) = self.lanes.get_mut(&space) {
                lane.delayed -= 1;
            }
            self.queue_first(now, space, row);
        }
    }

    fn open_lanes(&mut self) {
        while self.lanes.len() < LANES_OPEN_MAX {
            let Some(next) = self.backlog.pop_front() else { return };
            let step = if next.in_flight > 0 {
                self.repeats.recovers();
                self.ask_journal(Request::InFlight { space: next.id, alike: self.lost });
                Step::Recovering
            } else {
                Step::Sending
            };
            let left = next.pending + next.in_flight;
            let mut lane = Lane::new(next.id, next.name, left, self.pacer.space(), step);
            // What members of today there are beforehand, a repeated call tells by itself.
            lane.survey_due = !next.surveyed && self.config.access == Access::Import;
            self.lanes.insert(next.id, lane);
            self.ring.push_back(next.id);
        }
    }

    fn tend_lanes(&mut self, now: Now) {
        let mut wake = None;
        let mut sooner = |at: Duration| wake = Some(wake.map_or(at, |wake: Duration| wake.min(at)));
        let (mut finished, mut hungry) = (Vec::new(), Vec::new());
        for lane in self.lanes.values_mut() {
            if lane.wants_look() {
                let rows = lane.unclear.len();
                self.events.push(Event::Looking { space: lane.name.clone(), rows });
                // Of members of today nothing is unclear but whether it was the row or the space that was denied.
                let purpose =
                    if self.config.access == Access::Import { Purpose::Unclear } else { Purpose::Denied };
                lane.step = Step::Looking(Look::new(purpose, lane.look_not_before));
            } else if lane.wants_survey() {
                // What a process that was cut off has sent must have arrived by then.
                let not_before = if self.config.cut_off { LATE_WRITE } else { Duration::ZERO };
                lane.step = Step::Looking(Look::new(Purpose::Baseline, not_before));
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
                        look.asked_at = now.elapsed;
                        let mut listing = Listing::whole();
                        if matches!(look.purpose, Purpose::Denied | Purpose::Presence) {
                            listing.page_size = 1;
                        }
                        let call = Call::ListMembers {
                            space: lane.name.clone(),
                            listing,
                            page_token: look.page_token.clone(),
                        };
                        let access = self.config.access;
                        self.outputs.push(Output::Call { whose: For::Space(lane.id), call, access });
                    }
                    Err(until) => sooner(until),
                }
                continue;
            }
            if lane.wants_rows() {
                lane.feeding = true;
                let after = lane.fed.clone().map(Box::new);
                hungry.push(Request::Pending { space: lane.id, after, limit: FEED });
            }
            if lane.is_finished() {
                finished.push(lane.id);
            }
        }
        if let Some(at) = wake {
            self.wake_at(at);
        }
        for request in hungry {
            self.ask_journal(request);
        }
        for space in finished {
            if let Some(Lane { id, name, .. }) = self.close_lane(space) {
                // It was reached, so it can testify.
                let witness = SpaceWork { id, name, pending: 0, in_flight: 0, surveyed: true };
                self.witness = Some(witness);
            }
            // Its place is free for the next.
            self.wake_at(now.elapsed);
        }
        self.call_the_witness(now);
    }

    fn close_lane(&mut self, space: SpaceId) -> Option<Lane> {
        self.ring.retain(|id| *id != space);
        self.lanes.remove(&space)
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
            let (rows, repeats) = (&self.rows, &self.repeats);
            let job = |row| rows.get(&row).map(|active| &active.job).filter(|job| repeats.may_leave(job));
            let Some(place) = lane.next(job) else { continue };
            if let Err(until) = self.pacer.spend(Kind::Write, &mut lane.buckets) {
                self.wake_at(until);
                continue;
            }
            let Some(row) = lane.queue.remove(place) else { continue };
            let Some(active) = self.rows.get_mut(&row) else { continue };
            lane.claim(&active.job);
            self.repeats.leaves(&active.job);
            lane.out += 1;
            if active.unsure {
                // In flight it is already.
                self.ready.push_back(row);
                return true;
            }
            active.job.attempts += 1;
            self.changes.push(Change::Mark { row, space, at: now.wall });
            // The batch that is being gathered.
            self.marking.push_back((self.batch + 1, row));
            return true;
        }
        false
    }

    /// Lets rows leave that are durably in flight.
    fn send(&mut self, now: Now) {
        if let Some(until) = self.pacer.paused_until(Kind::Write, now.elapsed) {
            return self.wake_at(until);
        }
        while self.sent < self.config.in_flight_max {
            let Some(row) = self.ready.pop_front() else { return };
            let Some(active) = self.rows.get_mut(&row) else { continue };
            if self.repeats.holds_back(&active.job) {
                self.call_back(now, row);
                continue;
            }
            active.asked_at = now.elapsed;
            let job = &active.job;
            let call = match job.operation {
                Operation::Create | Operation::Add => Call::CreateMember {
                    space: job.space_name.clone(),
                    member: job.member_name.clone(),
                    span: if job.operation == Operation::Add { Span::default() } else { job.span },
                },
            };
            self.sent += 1;
            self.outputs.push(Output::Call { whose: For::Row(row), call, access: self.config.access });
        }
    }

    /// While stopping: what has not left goes back.
    fn wind_down(&mut self, now: Now) {
        while let Some(row) = self.ready.pop_front() {
            if let Some(active) = self.forget(row)
                && !active.unsure
            {
                let space = active.job.space;
                self.changes.push(Change::Release { row, space, sent: false, note: None });
            }
        }
        if let Some(deadline) = self.stopping.as_ref().map(|stopping| stopping.deadline)
            && deadline > now.elapsed
        {
            self.wake_at(deadline);
        }
    }

    /// Asks the journal, which is to know by then what has been learned up to now.
    fn ask_journal(&mut self, request: Request) {
        self.flush();
        self.outputs.push(Output::Journal(request));
    }

    fn flush(&mut self) {
        if self.calls != Calls::default() {
            self.changes.push(Change::Calls(std::mem::take(&mut self.calls)));
        }
        if !self.changes.is_empty() {
            self.batch += 1;
            let changes = std::mem::take(&mut self.changes);
            self.outputs.push(Output::Journal(Request::Write { batch: self.batch, changes }));
        }
    }

    fn begin_stop(&mut self, now: Now, stop: Stop) {
        if self.stopping.is_none() {
            self.events.push(Event::Stopping { stop: stop.clone(), under_way: self.sent });
            self.stopping = Some(Stopping { stop, deadline: now.elapsed + self.config.grace });
        }
    }
}
