//! What the journal's answers do to the engine.

use std::time::Duration;

use super::super::lane::Step;
use super::super::pacer::Kind;
use super::super::reconcile::{Finding, Unclear, reconcile};
use super::{Engine, FEED, Now};
use crate::journal::{Attribution, Change, Note};
use crate::model::{Job, SpaceId};

/// How long requests of a run that was killed may still be on their way when the next one begins. Nobody documents how
/// soon a write is listed; a row that is sent again too early meets a 409 and is looked up once more.
const LATE_WRITE: Duration = Duration::from_secs(2);
/// A row that has failed this often by itself, while others succeeded, is rejected.
const FAILURES_PER_ROW_MAX: u32 = 12;

impl Engine {
    pub(super) fn on_pending(&mut self, space: SpaceId, jobs: Vec<Job>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.feeding = false;
        lane.drained = jobs.len() < FEED;
        if let Some(last) = jobs.last() {
            lane.fed = Some(last.clone());
        }
        // Rows that were recovered and released again are pending too, and here already.
        let new: Vec<Job> = jobs.into_iter().filter(|job| !self.rows.contains_key(&job.id)).collect();
        lane.queue.extend(new.iter().map(|job| job.id));
        for job in new {
            self.hold(job);
        }
    }

    pub(super) fn on_in_flight(&mut self, now: Now, space: SpaceId, jobs: Vec<Job>) {
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

    pub(super) fn on_written(&mut self, batch: u64) {
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

    pub(super) fn on_attributed(&mut self, now: Now, space: SpaceId, listed: &[Attribution]) {
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
}
