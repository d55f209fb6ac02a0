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
mod errand;
mod io;
mod journaled;
mod prior;
mod settle;
#[cfg(test)]
mod tests;

use super::event::{Event, Snapshot, Stop};
use super::lane::{Errand, Lane, Look, Purpose, Step, What};
use super::pacer::{Kind, Pacer};
use super::repeats::Repeats;
use crate::chat::{Access, Call, Listing};
use crate::journal::{Calls, Change, Note, Reply, Request, SpaceWork, Tally, Work};
use crate::model::{
    Job, MemberId, Operation, Pace, PaceReason, Role, RowId, SlowedSpace, SpaceId, Span, Timestamp,
};
pub(super) use answered::note;
pub use io::{Completion, Config, Finish, For, Input, Now, Output};

/// How many spaces are worked on at once: enough to spread the load, few enough to hold in memory.
const LANES_OPEN_MAX: usize = 256;
/// How soon after a request was lost the list is believed to show what it did. Nobody documents it; a row that is sent
/// again too early meets a 409, or makes a second membership where Chat allows that.
pub const LATE_WRITE: Duration = Duration::from_secs(2);
/// How many rows a space gives in its turn at most, when nothing limits it: neighbours in the journal share its pages, and
/// so a commit of them writes less. Never more than a share of what may be under way, so that all spaces get on.
const ROWS_PER_TURN_MAX: usize = 16;
const TURNS_UNDER_WAY_MIN: usize = 8;
/// Without a quota, so many rows for each that may be under way are written down as in flight before they leave: while some
/// leave, the journal writes the next.
const AHEAD_OF_CALLS: usize = 4;
/// How many rows a lane asks the journal for.
const FEED: usize = 32;
/// How often the pace is looked at, and written down at most.
const PACE_EVERY: Duration = Duration::from_secs(1);

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

/// What came of asking a space for a row.
enum Pick {
    Row,
    /// It has none that may leave.
    Nothing,
    /// It is not in the ring any more: it waits for a permit, or is finished.
    OutOfTurn,
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
    /// Whether one of them may be refused.
    some_refused: bool,
    /// The order in which lanes are asked for a row.
    ring: VecDeque<SpaceId>,
    /// Spaces that are out of it until they have a permit again, so that nobody asks them in vain meanwhile.
    parked: BinaryHeap<Reverse<(Duration, SpaceId)>>,
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
    /// When the last of them was answered.
    called_at: Timestamp,
    outputs: Vec<Output>,
    events: Vec<Event>,
    /// Failures since the last definite answer: of writes, of reads, of what is done with spaces.
    failing: [Option<Failing>; 3],
    stopping: Option<Stopping>,
    counts: Snapshot,
    wake: Option<Duration>,
    /// The pace, when it was looked at last, and whether the journal has it.
    pace: Pace,
    paced_at: Option<Duration>,
    pace_is_written: bool,
    /// Until when Chat has asked to wait with writes.
    asked_until: Duration,
    /// How long writes have taken lately.
    answer_time: Duration,
}

#[derive(Debug)]
struct Failing {
    since: Duration,
    /// Without those that were throttled, which are sent again and have not failed.
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
            some_refused: false,
            ring: VecDeque::new(),
            parked: BinaryHeap::new(),
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
            called_at: Timestamp::from_micros(0),
            outputs: Vec::new(),
            events: Vec::new(),
            failing: [None, None, None],
            stopping: None,
            counts: Snapshot {
                total: tally.total,
                done: tally.done,
                rejected: tally.rejected,
                open: tally.open,
                ..Snapshot::default()
            },
            wake: None,
            pace: Pace::default(),
            paced_at: None,
            pace_is_written: false,
            asked_until: Duration::ZERO,
            answer_time: Duration::ZERO,
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
            self.tend_errands(now);
            self.tend_lanes(now);
            self.pick(now);
            self.send(now);
        } else {
            self.wind_down(now);
        }
        self.look_at_pace(now);
        self.flush();
        taken(&mut self.outputs)
    }

    /// What is worth telling since the last time.
    pub fn take_events(&mut self) -> Vec<Event> {
        taken(&mut self.events)
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
        let lost = self.lost(now);
        Snapshot {
            under_way: self.sent,
            waiting: self.delayed.len(),
            paused: lost.unwrap_or_else(|| self.pacer.wait(Kind::Write, now.elapsed)),
            throttled: lost.is_none() && self.pacer.waits_for_quota(now.elapsed),
            asked_to_wait: self.asked_until > now.elapsed,
            listing: self.lanes.values().filter(|lane| lane.is_listed()).count(),
            under_way_max: self.config.in_flight_max,
            answer_time: self.answer_time,
            pace: Pace {
                why: if lost.is_some() { PaceReason::Unreachable } else { self.pace.why },
                ..self.pace.clone()
            },
            failures_in_a_row: self
                .failing
                .iter()
                .flatten()
                .map(|failing| failing.in_a_row)
                .max()
                .unwrap_or(0),
            ..self.counts.clone()
        }
    }

    /// The row that a call is made for.
    pub fn job(&self, whose: For) -> Option<&Job> {
        match whose {
            For::Row(row) => self.rows.get(&row).map(|active| &active.job),
            For::Space(_) => None,
        }
    }

    /// How much longer everything waits for the network because what has to come before any write finds none.
    fn lost(&self, now: Now) -> Option<Duration> {
        let lost = self.pacer.lost(now.elapsed)?;
        self.lanes.values().all(Lane::is_held_up).then_some(lost)
    }

    fn look_at_pace(&mut self, now: Now) {
        if self.paced_at.is_none_or(|at| now.elapsed >= at + PACE_EVERY) {
            self.paced_at = Some(now.elapsed);
            self.measure_pace(now);
        }
        // With what is written anyway; where nothing is reached, that is nothing.
        let is_lost = self.pace.why == PaceReason::Unreachable;
        if !self.pace_is_written && (is_lost || !self.changes.is_empty() || self.calls != Calls::default()) {
            self.pace_is_written = true;
            self.changes.push(Change::Pace(Box::new(self.pace.clone())));
        }
    }

    /// How fast it goes. Once a second is enough to show it.
    fn measure_pace(&mut self, now: Now) {
        let mut pace = self.pacer.pace(now.elapsed);
        if self.lost(now).is_some() {
            pace.why = PaceReason::Unreachable;
        }
        for lane in self.lanes.values_mut() {
            let Some(writes_per_minute) = self.pacer.slowed(&mut lane.buckets, now.elapsed) else { continue };
            pace.slowed_spaces += 1;
            if pace.slowest.as_ref().is_none_or(|slowest| writes_per_minute < slowest.writes_per_minute) {
                pace.slowest = Some(SlowedSpace { space: lane.name.to_string(), writes_per_minute });
            }
        }
        if pace != self.pace {
            self.pace = pace;
            self.pace_is_written = false;
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
                // Once it was listed anew, all is written down that the journal had lost.
                let alike = self.lost && !next.surveyed;
                self.ask_journal(Request::InFlight { space: next.id, alike });
                Step::Recovering
            } else {
                Step::Sending
            };
            let left = next.pending + next.in_flight;
            let mut lane = Lane::new(next.id, next.name, left, self.pacer.space(), step);
            // What members of today there are beforehand, a repeated call tells by itself.
            lane.survey_due = !next.surveyed && self.config.access == Access::Import;
            lane.is_completed = next.completed;
            (lane.open, lane.rejected) = (next.open, next.rejected);
            if next.completed {
                // Of members of today, once more: and whoever has left the space cannot list it.
                lane.survey_due = false;
            }
            if next.channel.is_some() {
                lane.channel = next.channel;
                lane.step = Step::Errand(Errand::new(What::Create, Duration::ZERO));
            }
            if let Some(completion) = &self.config.completion {
                lane.leave_due = completion.leaves.is_some() && !next.left;
                if !next.completed {
                    lane.step = Step::Errand(Errand::new(What::Complete, Duration::ZERO));
                }
            }
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
                // Of all but historical memberships nothing is unclear but whether it was the row or the space that was denied.
                let is_told = |row: &RowId| {
                    self.rows.get(row).is_some_and(|active| active.job.operation.is_told_by_repeating())
                };
                let purpose =
                    if lane.unclear.iter().all(is_told) { Purpose::Denied } else { Purpose::Unclear };
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
                    .and_then(|()| self.pacer.take(Kind::Read, &mut lane.buckets, now.elapsed));
                match permit {
                    Ok(()) => {
                        self.pacer.leave(Kind::Read, now.elapsed);
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
                        let access = lane.listing_access(self.config.access);
                        self.outputs.push(Output::Call { whose: For::Space(lane.id), call, access });
                    }
                    Err(until) => sooner(until),
                }
                continue;
            }
            if let Step::Errand(_) = &lane.step {
                continue;
            }
            if lane.wants_rows() {
                lane.feeding = true;
                let after = lane.fed.clone().map(Box::new);
                hungry.push(Request::Pending { space: lane.id, after, limit: FEED });
            }
            if lane.is_finished() {
                let accepts = self.config.completion.as_ref().is_some_and(|of| of.accepts_rejects);
                if lane.is_completed && lane.leave_due && (lane.rejected == 0 || accepts) {
                    lane.step = Step::Errand(Errand::new(What::CountManagers, now.elapsed));
                    sooner(now.elapsed);
                } else {
                    finished.push(lane.id);
                }
            }
        }
        if let Some(at) = wake {
            self.wake_at(at);
        }
        for request in hungry {
            self.ask_journal(request);
        }
        for space in finished {
            if let Some(Lane { id, name, is_completed: completed, .. }) = self.close_lane(space) {
                // It was reached, so it can testify.
                let witness = SpaceWork {
                    id,
                    name,
                    pending: 0,
                    in_flight: 0,
                    surveyed: true,
                    completed,
                    open: 0,
                    rejected: 0,
                    left: false,
                    channel: None,
                };
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

    /// Takes rows, a few from each space in turn, as long as the quota and the number of requests allow.
    fn pick(&mut self, now: Now) {
        let wait = self.pacer.wait(Kind::Write, now.elapsed);
        if !wait.is_zero() {
            return self.wake_at(now.elapsed + wait);
        }
        while let Some(Reverse((until, space))) = self.parked.peek().copied() {
            if until > now.elapsed {
                self.wake_at(until);
                break;
            }
            self.parked.pop();
            self.ring.push_back(space);
        }
        let most = self.config.in_flight_max;
        let ahead = match self.pacer.writes_ahead(now.elapsed) {
            Some(ahead) => ahead.min(most),
            None => most.saturating_mul(AHEAD_OF_CALLS),
        };
        let mut taken = 0;
        while self.marking.len() + self.ready.len() < ahead {
            if !self.pick_one(now, &mut taken) {
                break;
            }
        }
        if taken > 0 && !self.ring.is_empty() {
            self.ring.rotate_left(1);
        }
    }

    /// Takes one row from the space at the front of the ring, or from the first behind it that has one to give. `taken` is
    /// how many the one at the front has given since its turn began.
    fn pick_one(&mut self, now: Now, taken: &mut usize) -> bool {
        let turn = match self.config.rates.writes_per_minute {
            0 => (self.config.in_flight_max / TURNS_UNDER_WAY_MIN).clamp(1, ROWS_PER_TURN_MAX),
            _ => 1,
        };
        for _ in 0..=self.ring.len() {
            let Some(space) = self.ring.front().copied() else { return false };
            if *taken < turn {
                match self.pick_from(now, space) {
                    Pick::Row => {
                        *taken += 1;
                        return true;
                    }
                    Pick::Nothing => {}
                    Pick::OutOfTurn => {
                        self.ring.pop_front();
                        *taken = 0;
                        continue;
                    }
                }
            }
            *taken = 0;
            self.ring.rotate_left(1);
        }
        false
    }

    fn pick_from(&mut self, now: Now, space: SpaceId) -> Pick {
        let Some(lane) = self.lanes.get_mut(&space) else { return Pick::OutOfTurn };
        if !lane.may_send() {
            return Pick::Nothing;
        }
        let (rows, repeats) = (&self.rows, &self.repeats);
        let job = |row| rows.get(&row).map(|active| &active.job).filter(|job| repeats.may_leave(job));
        let Some(place) = lane.next(job) else { return Pick::Nothing };
        if let Err(until) = self.pacer.take(Kind::Write, &mut lane.buckets, now.elapsed) {
            self.parked.push(Reverse((until, space)));
            self.wake_at(until);
            return Pick::OutOfTurn;
        }
        let Some(row) = lane.queue.remove(place) else { return Pick::Nothing };
        let Some(active) = self.rows.get_mut(&row) else { return Pick::Nothing };
        lane.claim(&active.job);
        self.repeats.leaves(&active.job);
        lane.out += 1;
        if active.unsure {
            // In flight it is already.
            self.ready.push_back(row);
            return Pick::Row;
        }
        active.job.attempts += 1;
        self.changes.push(Change::Mark { row, space, at: now.wall });
        // The batch that is being gathered.
        self.marking.push_back((self.batch + 1, row));
        Pick::Row
    }

    /// Lets rows leave that are durably in flight.
    fn send(&mut self, now: Now) {
        while self.sent < self.config.in_flight_max && !self.ready.is_empty() {
            if let Err(until) = self.pacer.ready(Kind::Write, now.elapsed) {
                return self.wake_at(until);
            }
            let Some(row) = self.ready.pop_front() else { return };
            let Some(active) = self.rows.get_mut(&row) else { continue };
            if self.repeats.holds_back(&active.job) {
                self.call_back(now, row);
                continue;
            }
            self.pacer.leave(Kind::Write, now.elapsed);
            active.asked_at = now.elapsed;
            let job = &active.job;
            let call = match job.operation {
                Operation::Create | Operation::Add => Call::CreateMember {
                    space: job.space_name.clone(),
                    member: job.member_name.clone(),
                    span: if job.operation == Operation::Add { Span::default() } else { job.span },
                },
                Operation::Delete => Call::DeleteMember(job.membership_name()),
                Operation::Patch => {
                    Call::PatchMember(job.membership_name(), job.role.unwrap_or(Role::Member))
                }
            };
            let lane = self.lanes.get(&job.space);
            let access =
                lane.map_or(self.config.access, |lane| lane.access(job.operation, self.config.access));
            self.sent += 1;
            self.outputs.push(Output::Call { whose: For::Row(row), call, access });
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
            self.changes.push(Change::Calls { at: self.called_at, calls: std::mem::take(&mut self.calls) });
        }
        if !self.changes.is_empty() {
            self.batch += 1;
            let changes = taken(&mut self.changes);
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

/// Takes all there is, and leaves room for as much: one turn of the loop is much like the next.
fn taken<T>(all: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(all.len());
    std::mem::replace(all, room)
}
