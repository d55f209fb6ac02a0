//! How a row ends, waits, or is counted.

use std::cmp::Reverse;
use std::time::Duration;

use super::super::event::Event;
use super::super::pacer::{Asked, Kind};
use super::super::retry::{Verdict, asked_to_wait, backoff, decide};
use super::{Active, Engine, Failing, Now};
use rand::RngExt;

use crate::chat::Failure;
use crate::journal::{Calls, Change, Note};
use crate::model::{Job, MemberId, Operation, Role, RowId, SpaceId};

/// About so many of the latest answers make the time that an answer takes.
const ANSWERS_WEIGHED: u32 = 16;

impl Engine {
    pub(super) fn settle_done(
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
            self.learn(member, user);
        }
        let at = now.wall;
        // Everybody begins as a member (create-members guide).
        let gets_role = self.config.sets_roles
            && job.operation == Operation::Add
            && job.role.is_some_and(|role| role != Role::Member);
        let then = gets_role.then_some(Operation::Patch);
        self.changes.push(Change::Done {
            row,
            space,
            member,
            at,
            http_status,
            membership,
            user,
            existed,
            then,
        });
        if then.is_some() {
            if let Some(lane) = self.lanes.get_mut(&space) {
                lane.left += 1;
                lane.rewind();
            }
            return;
        }
        self.counts.done += 1;
        self.events.push(Event::Done { job, existed });
    }

    /// The id of a member is known now.
    pub(super) fn learn(&mut self, member: MemberId, user: &str) {
        self.learned.insert(member, (self.batch + 1, user.to_owned()));
        for row in self.members.get(&member).into_iter().flatten() {
            if let Some(other) = self.rows.get_mut(row) {
                other.job.user.get_or_insert_with(|| user.to_owned());
            }
        }
    }

    pub(super) fn settle_rejected(&mut self, now: Now, row: RowId, note: Note) {
        let Some(Active { job, .. }) = self.forget(row) else { return };
        self.changes.push(Change::Rejected { row, space: job.space, at: now.wall, note: note.clone() });
        if let Some(lane) = self.lanes.get_mut(&job.space) {
            lane.rejected += 1;
        }
        self.counts.rejected += 1;
        self.events.push(Event::Rejected { job, note });
    }

    pub(super) fn hold(&mut self, mut job: Job) {
        if job.user.is_none() {
            job.user = self.learned.get(&job.member).map(|(_, user)| user.clone());
        }
        if let Some(lane) = self.lanes.get_mut(&job.space) {
            lane.enters(&job);
        }
        self.members.entry(job.member).or_default().push(job.id);
        self.rows.insert(
            job.id,
            Active {
                job,
                failures: 0,
                failed_first: None,
                asked_at: Duration::ZERO,
                claim: None,
                unsure: false,
                denials: 0,
                alike: false,
            },
        );
    }

    pub(super) fn forget(&mut self, row: RowId) -> Option<Active> {
        let active = self.rows.remove(&row)?;
        self.repeats.is_back(row);
        let member = active.job.member;
        if let Some(rows) = self.members.get_mut(&member) {
            rows.retain(|other| *other != row);
            if rows.is_empty() {
                self.members.remove(&member);
            }
        }
        if let Some(lane) = self.lanes.get_mut(&active.job.space) {
            lane.leaves(&active.job);
        }
        Some(active)
    }

    /// A row that is to be sent again, or whose call has not left. One whose earlier call may have been applied stays in
    /// flight.
    pub(super) fn release(&mut self, row: RowId, sent: bool, note: Option<Note>) {
        let Some(Active { job, unsure, .. }) = self.rows.get(&row) else { return };
        match (unsure, note) {
            (false, note) => self.changes.push(Change::Release { row, space: job.space, sent, note }),
            (true, Some(note)) => self.changes.push(Change::Unclear { row, note }),
            (true, None) => {}
        }
    }

    pub(super) fn delay(&mut self, now: Now, row: RowId, wait: Duration) {
        self.repeats.is_back(row);
        let Some(active) = self.rows.get(&row) else { return };
        if let Some(lane) = self.lanes.get_mut(&active.job.space) {
            lane.delayed += 1;
            self.delayed.push(Reverse((now.elapsed + wait, row)));
        }
    }

    pub(super) fn look_up(&mut self, row: RowId, space: SpaceId, not_before: Duration) {
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.unclear.push(row);
            lane.look_not_before = lane.look_not_before.max(not_before);
        }
    }

    pub(super) fn retry_event(&mut self, row: RowId, wait: Duration, failure: &Failure) {
        if let Some(active) = self.rows.get(&row) {
            let job = active.job.clone();
            self.events.push(Event::Retry { job, wait, story: failure.to_string() });
        }
    }

    pub(super) fn wait(&mut self, failures: u32, failure: &Failure) -> Duration {
        backoff(failures, &mut self.rng).max(asked_to_wait(failure).unwrap_or_default())
    }

    /// A 429, or no network: nothing was applied, and everything of its kind waits.
    pub(super) fn set_back(
        &mut self,
        now: Now,
        asked: Asked,
        failure: &Failure,
        throttled: bool,
    ) -> Duration {
        let kind = asked.kind;
        self.failed(kind, now, failure.to_string(), throttled);
        if let (true, Failure::Refused(refusal)) = (throttled, failure) {
            let share = self.rng.random();
            let wait = asked_to_wait(failure).unwrap_or_default();
            let lane = self.lanes.get_mut(&asked.space);
            let (name, buckets) = lane.map(|lane| (lane.name.clone(), &mut lane.buckets)).unzip();
            let refused = self.pacer.refused(asked, buckets, refusal, wait, share, now.elapsed);
            if kind == Kind::Write && !refused.only_space && !wait.is_zero() {
                self.asked_until = self.asked_until.max(now.elapsed + wait);
            }
            if refused.is_news {
                let space = name.filter(|_| refused.only_space);
                self.events.push(Event::Throttled { space, wait: refused.wait });
            }
            return refused.wait;
        }
        let in_a_row = match self.pacer.unreachable(asked, now.elapsed) {
            Ok(until) => return until - now.elapsed,
            Err(in_a_row) => in_a_row,
        };
        let wait = self.wait(in_a_row, failure);
        self.pacer.pause(kind, now.elapsed + wait);
        self.events.push(Event::Unreachable { wait, story: failure.to_string() });
        wait
    }

    pub(super) fn failed(&mut self, kind: Kind, now: Now, story: String, throttled: bool) {
        let failing = self.failing[kind as usize].get_or_insert(Failing {
            since: now.elapsed,
            in_a_row: 0,
            last: String::new(),
            throttled,
        });
        failing.in_a_row += u32::from(!throttled);
        failing.last = story;
        failing.throttled = throttled;
    }

    /// Chat has answered something definite.
    pub(super) fn answered(&mut self, kind: Kind) {
        self.failing[kind as usize] = None;
    }

    /// Counts a call that was answered, and tells the pacer if no quota has refused it.
    pub(super) fn count(&mut self, now: Now, asked: Option<Asked>, failure: Option<&Failure>) {
        let mut calls = Calls { sent: 1, ..Calls::default() };
        let verdict = failure.map(decide);
        let throttled = verdict == Some(Verdict::Throttled);
        match failure {
            None => calls.ok = 1,
            // It is there: that is what was wanted.
            Some(_) if verdict == Some(Verdict::Exists) => calls.ok = 1,
            Some(Failure::Token(_) | Failure::NotOffered(_) | Failure::NotSent(_)) => return,
            Some(_) if throttled => calls.throttled = 1,
            Some(_) => calls.failed = 1,
        }
        // Of what was lost nobody knows.
        if let (false, false, Some(asked)) = (throttled, matches!(failure, Some(Failure::Lost(_))), asked) {
            let buckets = self.lanes.get_mut(&asked.space).map(|lane| &mut lane.buckets);
            self.pacer.let_through(asked, buckets, now.elapsed);
            if asked.kind == Kind::Write {
                let took = now.elapsed.saturating_sub(asked.at);
                let before = if self.answer_time.is_zero() { took } else { self.answer_time };
                self.answer_time = (before * (ANSWERS_WEIGHED - 1) + took) / ANSWERS_WEIGHED;
            }
        }
        self.calls += calls;
        self.called_at = now.wall;
        self.counts.calls += calls;
    }
}
