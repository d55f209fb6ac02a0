//! Virtual days of an import, and what is held meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tenure::chat::{Access, Answer, Failure};
use tenure::cli::{ProgressMode, WatchArgs};
use tenure::engine::{
    CallLabel, CallOutcome, Called, Config, Engine, Event, Finish, For, Input, Now, Observer as _, Output,
    Rates,
};
use tenure::model::Timestamp;
use tenure::progress::Progress;
use tenure::watch::Watch;

use super::measured;
use super::world::{Chat, Journal};

/// Says, in the process of its own, which test is to run.
pub(super) const SOAK: &str = "TENURE_SOAK";

const BEGIN: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const ANSWER: Duration = Duration::from_millis(180);
/// How long nothing comes before a call is given up.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is measured.
const POINTS: u64 = 16;

/// How much there is to do, and how fast it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    pub(super) spaces: i64,
    pub(super) rows_per_space: i64,
    pub(super) writes_per_minute: u32,
    /// How often onlookers are shown where things stand.
    pub(super) tick: Duration,
}

/// What was held at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) hours: u64,
    pub(super) calls: u64,
    /// Bytes that the engine and its onlookers fill, written out.
    pub(super) held: u64,
    /// KiB of the process.
    pub(super) memory: u64,
    pub(super) files: u64,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { hours, calls, held, memory, files } = self;
        write!(f, "{hours} h, {calls} calls: {held} bytes, {memory} KiB, {files} files")
    }
}

impl Point {
    /// The point on a line that shows one.
    pub(super) fn read(line: &str) -> Option<Point> {
        let (_, line) = line.split_once("POINT ")?;
        let figures: Vec<u64> = line.split(' ').map(|figure| figure.parse().ok()).collect::<Option<_>>()?;
        let [hours, calls, held, memory, files] = figures.try_into().ok()?;
        Some(Point { hours, calls, held, memory, files })
    }

    fn write(&self) {
        let Point { hours, calls, held, memory, files } = self;
        eprintln!("\nPOINT {hours} {calls} {held} {memory} {files}");
    }
}

/// An answer on its way.
struct Coming {
    whose: For,
    result: Result<Answer, Failure>,
    label: CallLabel,
    took: Duration,
}

impl Days {
    /// Lets them pass, and prints what was measured.
    pub(super) fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _within = runtime.enter();
        let asked = WatchArgs { log: Some(PathBuf::from("/dev/null")), metrics: "127.0.0.1:0".parse().ok() };
        let (mut watch, mut progress) = (Watch::open(&asked).unwrap(), Progress::new(ProgressMode::None));
        let mut watching = watch.over(&mut progress);
        let mut journal = Journal::new(self.spaces, self.rows_per_space);
        let mut chat = Chat::new();
        let (work, tally) = journal.work();
        let mut engine = Engine::new(self.config(), work, &tally, StdRng::seed_from_u64(1));
        let mut coming: BTreeMap<(Duration, u64), Coming> = BTreeMap::new();
        let (mut calls, mut settled) = (0, 0);
        let (mut elapsed, mut next_tick, mut next_point) = (Duration::ZERO, Duration::ZERO, 0);
        loop {
            let now = Now { elapsed, wall: BEGIN.after(elapsed) };
            let mut replies = Vec::new();
            for output in engine.poll(now) {
                match output {
                    Output::Journal(request) => replies.push(journal.answer(request)),
                    Output::Call { whose, call, .. } => {
                        calls += 1;
                        let result = chat.answer(&call);
                        let took = if matches!(result, Err(Failure::Lost(_))) { TIMEOUT } else { ANSWER };
                        let job = engine.job(whose);
                        let label = CallLabel {
                            method: call.name(),
                            space: job.map_or("spaces/A", |job| job.space_name.as_str()).to_owned(),
                            member: job.map(|job| job.member_name.to_string()),
                            origin: job.map(|job| job.origin),
                            attempt: job.map(|job| job.attempts),
                        };
                        coming.insert((elapsed + took, calls), Coming { whose, result, label, took });
                    }
                }
            }
            for event in engine.take_events() {
                settled += u64::from(matches!(event, Event::Done { .. } | Event::Rejected { .. }));
                watching.event(now, &event);
            }
            if settled >= next_point * tally.total / POINTS {
                next_point += 1;
                let held = format!("{engine:?}{watching:?}").len() as u64;
                let (files, memory) = measured("self");
                let hours = elapsed.as_secs() / 3600;
                Point { hours, calls, held, memory, files: files as u64 }.write();
            }
            let is_waiting = replies.is_empty();
            for reply in replies {
                watching.written(Duration::from_millis(1));
                engine.handle(now, Input::Journal(reply));
            }
            if !is_waiting {
                continue;
            }
            if let Some(finish) = engine.finished(now) {
                assert_eq!((finish, settled), (Finish::Complete, tally.total));
                return;
            }
            if elapsed >= next_tick {
                next_tick = elapsed + self.tick;
                watching.tick(now, &engine.snapshot(now));
            }
            let answer = coming.keys().next().map(|(at, _)| *at);
            let wake = [Some(next_tick), engine.next_deadline(), answer].into_iter().flatten().min();
            elapsed = elapsed.max(wake.unwrap_or(next_tick));
            let now = Now { elapsed, wall: BEGIN.after(elapsed) };
            while let Some(answer) = coming.first_entry().filter(|answer| answer.key().0 <= elapsed) {
                let Coming { whose, result, label, took } = answer.remove();
                watching.called(now, &called(label, took, &result));
                engine.handle(now, Input::Answered { whose, result });
            }
        }
    }

    fn config(self) -> Config {
        Config {
            access: Access::Import,
            rates: Rates { writes_per_minute: self.writes_per_minute, ..Rates::default() },
            in_flight_max: 20,
            give_up_after: Duration::from_secs(3600),
            cut_off: false,
            sets_roles: false,
            completion: None,
            suffixes: false,
            grace: Duration::from_secs(10),
        }
    }
}

/// What those are told who watch call by call.
fn called(label: CallLabel, took: Duration, result: &Result<Answer, Failure>) -> Called {
    let reason = result.as_ref().err().map(ToString::to_string);
    let outcome = if reason.is_none() { CallOutcome::Ok } else { CallOutcome::Unclear };
    Called { label, took, outcome, http_status: None, kind: reason.clone(), reason }
}
