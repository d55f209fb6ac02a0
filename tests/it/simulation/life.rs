//! One process after another, until everything is settled.

use std::cmp::Reverse;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenure::chat::Call;
use tenure::engine::{Engine, Event, Finish, For, Input, Now, Stop};
use tenure::journal::Work;
use tenure::model::Timestamp;

use super::Seen;
use super::world::{Coming, LATE, Simulation, Written};

/// A process ends for one of a few reasons a seed, each at most some times: more is going round in circles.
const LIVES_MAX: u32 = 60;

impl Simulation {
    pub(super) fn run(mut self) -> Seen {
        for life in 0.. {
            assert!(life < LIVES_MAX, "it never ends");
            if self.live() {
                break;
            }
            self.check_counters();
        }
        self.check_end();
        self.check_verified();
        self.complete();
        self.seen
    }

    /// What there is to do.
    fn work(&mut self) -> Work {
        let Some(completion) = &self.config.completion else { return self.journal.work().unwrap() };
        let last_call = Timestamp::from_micros(0);
        let plan =
            self.journal.completion_plan(completion.accepts_rejects, completion.leaves.is_some(), last_call);
        let mut work = plan.unwrap().work;
        self.journal.open_completed(&mut work.spaces).unwrap();
        work
    }

    /// One process, from its start to its end; true when everything is settled.
    pub(super) fn live(&mut self) -> bool {
        let born = self.clock;
        let skew_max = self.troubles.skew_max;
        self.skew = if skew_max > 0 { self.rng.random_range(-skew_max..skew_max) } else { 0 };
        let tally = self.journal.tally().unwrap();
        let rng = StdRng::seed_from_u64(self.rng.random());
        let mut engine = Engine::new(self.config.clone(), self.work(), &tally, rng);
        let mut death = None;
        let mut stop = None;
        if self.lives_left > 0 {
            self.lives_left -= 1;
            let at = Some(self.clock + self.some_ms(0..4000));
            if self.rng.random_bool(0.8) { death = at } else { stop = at }
        }
        self.journal_free = self.clock;
        loop {
            let now = Now { elapsed: self.clock - born, wall: self.own_wall() };
            for output in engine.poll(now) {
                self.carry_out(output);
            }
            for event in engine.take_events() {
                if let Event::Done { job, existed } = event {
                    let key = self.key_of(job.space_name.as_str(), job.member_name.as_str(), job.span);
                    self.existed.insert(job.id, (existed, key));
                }
            }
            if let Some(finish) = engine.finished(now) {
                self.forget_inputs();
                return self.finished(&engine, now, finish);
            }
            let deadline = engine.next_deadline().map(|elapsed| born + elapsed);
            let next = self.coming.peek().map(|Reverse((at, _))| *at);
            let wake =
                [deadline, next, death, stop].into_iter().flatten().min().expect("it waits for nothing");
            self.clock = self.clock.max(wake);
            if death.is_some_and(|death| self.clock >= death) {
                self.seen.crashes += 1;
                self.die();
                return false;
            }
            let now = Now { elapsed: self.clock - born, wall: self.own_wall() };
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
                if std::mem::take(&mut self.disk_full) {
                    // A journal that cannot be written ends the process where it stands.
                    self.seen.full_disks += 1;
                    self.die();
                    return false;
                }
            }
        }
    }

    /// Whether everything is settled; if not, the operator mends what is to be mended, and goes on.
    fn finished(&mut self, engine: &Engine, now: Now, finish: Finish) -> bool {
        let tally = self.journal.tally().unwrap();
        let mended = Duration::ZERO..Duration::ZERO;
        match finish {
            Finish::Complete => {
                let snapshot = engine.snapshot(now);
                assert_eq!((snapshot.done, snapshot.rejected), (tally.done, tally.rejected));
                true
            }
            Finish::Stopped(Stop::Asked) => false,
            Finish::Stopped(Stop::NoToken(_)) => {
                self.seen.shut_out += 1;
                self.troubles.revoked = mended;
                false
            }
            Finish::Stopped(Stop::Unauthorized(_)) => {
                self.seen.shut_out += 1;
                false
            }
            Finish::Stopped(Stop::EverySpaceRefused { .. }) if self.troubles.denied.end > Duration::ZERO => {
                self.troubles.denied = mended;
                false
            }
            // Nothing to be done about it from here.
            Finish::Stopped(Stop::EverySpaceRefused { .. }) => true,
            Finish::Stopped(stop) => panic!("stopped: {stop:?}"),
        }
    }

    /// kill -9: what was not committed never was. Requests on their way may still arrive, now or in the next life.
    fn die(&mut self) {
        self.trace(|| "the process ends".to_owned());
        let mut late: Vec<(Duration, Call)> = Vec::new();
        for Reverse((at, number)) in std::mem::take(&mut self.coming).into_sorted_vec() {
            match self.payload.remove(&number) {
                Some(Coming::Request(For::Row(_), call)) if self.rng.random_bool(0.7) => {
                    late.push((self.clock + self.late(), call));
                }
                Some(Coming::Straggler(call)) => late.push((at.min(self.clock + LATE), call)),
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
                let wait = at.saturating_sub(self.clock);
                self.after(wait, Coming::Straggler(call));
            }
        }
        self.clock = end;
        let lost = self.lose();
        self.config.cut_off = true;
        if !self.is_standard() {
            self.journal.doubt(lost).unwrap();
            if self.losses_left > 0 {
                self.log.push(Written::Doubt(lost));
            }
        }
    }

    /// Now and then the journal is gone with the process, or some of what it was told last. Says whether the next process
    /// sees that: one that begins a journal anew does not.
    fn lose(&mut self) -> bool {
        if self.losses_left == 0 || self.rng.random_bool(0.4) {
            return false;
        }
        self.losses_left -= 1;
        self.seen.losses += 1;
        if self.log.is_empty() || self.rng.random_bool(0.4) {
            self.trace(|| "the journal is begun anew".to_owned());
            self.set_back(None);
            return false;
        }
        let writes = self.rng.random_range(0..self.log.len());
        self.trace(|| format!("the journal is what it was {} writes ago", self.log.len() - writes));
        self.set_back(Some(writes));
        true
    }

    /// A process ends in order: nothing comes to it any more.
    fn forget_inputs(&mut self) {
        self.config.cut_off = false;
        self.coming.clear();
        for coming in std::mem::take(&mut self.payload).into_values() {
            // What has left arrives all the same.
            if let Coming::Request(_, call) | Coming::Straggler(call) = coming {
                self.deliver(&call);
            }
        }
    }
}
