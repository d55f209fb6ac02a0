//! What the journal's answers do to the engine.

use super::super::lane::Step;
use super::super::pacer::Kind;
use super::super::reconcile::{Finding, Unclear, could_be, reconcile};
use super::{Claim, Engine, FEED, LATE_WRITE, Now};
use crate::journal::{Attribution, Change, Held, Note};
use crate::model::{Job, Operation, Prior, RowId, SpaceId};

/// A row that has failed this often, and for as long as a run may fail, while others succeeded, is rejected.
const FAILURES_PER_ROW_MAX: u32 = 12;

impl Engine {
    pub(super) fn on_pending(&mut self, now: Now, space: SpaceId, jobs: Vec<Job>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.feeding = false;
        lane.drained = jobs.len() < FEED;
        if let Some(last) = jobs.last() {
            lane.fed = Some(last.clone());
        }
        if std::mem::take(&mut lane.rewinds) {
            lane.rewind();
        }
        // Rows that were recovered and released again are pending too, and here already.
        let new: Vec<Job> = jobs.into_iter().filter(|job| !self.rows.contains_key(&job.id)).collect();
        for job in new {
            let row = job.id;
            self.hold(job);
            if !self.settle_unsent(now, row)
                && let Some(lane) = self.lanes.get_mut(&space)
            {
                lane.queue.push_back(row);
            }
        }
    }

    /// Rows that an earlier run left in flight.
    pub(super) fn on_in_flight(&mut self, now: Now, space: SpaceId, jobs: Vec<Job>, alike: &[RowId]) {
        self.repeats.recovered();
        let mut recovered = Vec::with_capacity(jobs.len());
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.step = Step::Sending;
        lane.look_not_before = now.elapsed + LATE_WRITE;
        for job in jobs {
            if job.operation.is_told_by_repeating() {
                // The same call again tells whether it was applied.
                lane.queue.push_back(job.id);
            } else {
                lane.claim(&job);
                lane.unclear.push(job.id);
            }
            recovered.push(job);
        }
        for job in recovered {
            self.repeats.leaves(&job);
            let (row, unsure) = (job.id, job.operation.is_told_by_repeating());
            self.hold(job);
            if let Some(active) = self.rows.get_mut(&row) {
                active.unsure = unsure;
                active.alike = alike.contains(&row);
            }
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

    /// The space was listed whole: what became of its unclear rows.
    pub(super) fn on_attributed(&mut self, now: Now, space: SpaceId, listed: Vec<Attribution>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.step = Step::Sending;
        let rows = std::mem::take(&mut lane.unclear);
        let rows: Vec<RowId> = rows.into_iter().filter(|row| self.rows.contains_key(row)).collect();
        let unclear: Vec<Unclear<'_>> = rows
            .iter()
            .filter_map(|row| self.rows.get(row))
            .map(|active| Unclear {
                job: &active.job,
                exists: matches!(active.claim, Some(Claim::Exists(_))),
                alike: active.alike,
            })
            .collect();
        let findings = reconcile(&unclear, listed.clone());
        // What may be an undecided row's must not be taken for another's later: it counts as there before from now on.
        let left: Vec<Held> = listed
            .into_iter()
            .filter(|entry| {
                let mut undecided =
                    unclear.iter().zip(&findings).filter(|(_, found)| **found == Finding::Undecided);
                undecided.any(|(row, _)| could_be(row.job, entry))
            })
            .map(|entry| entry.held)
            .collect();
        self.changes.extend(left.into_iter().map(|held| Change::Found {
            space,
            user: held.user,
            span: held.span,
        }));
        for (row, finding) in rows.iter().zip(findings) {
            self.conclude(now, space, *row, finding);
        }
    }

    /// A row that is to be sent again, first of its space.
    fn back_to_the_queue(&mut self, now: Now, space: SpaceId, row: RowId) {
        self.repeats.is_back(row);
        self.release(row, true, None);
        let survey_due = self.lanes.get(&space).is_some_and(|lane| lane.survey_due);
        if !survey_due {
            return self.queue_first(now, space, row);
        }
        // The journal gives it again with the others, once it knows what is there.
        self.forget(row);
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.left += 1;
        }
    }

    /// Whether a row has failed so often, and for so long, while others were answered, that it is the row's own fault.
    pub(super) fn is_hopeless(&self, now: Now, row: RowId) -> bool {
        let Some(active) = self.rows.get(&row) else { return false };
        let failing = self.failing[Kind::Write as usize].as_ref().map(|failing| failing.since);
        let first = active.failed_first.unwrap_or(now.elapsed);
        let alone = failing.is_none_or(|since| since > first);
        let long = now.elapsed >= first + self.config.give_up_after;
        alone && long && active.failures >= FAILURES_PER_ROW_MAX
    }

    pub(super) fn conclude(&mut self, now: Now, space: SpaceId, row: RowId, finding: Finding) {
        let hopeless = self.is_hopeless(now, row);
        let Some(active) = self.rows.get_mut(&row) else { return };
        let (exists, http_status) = match active.claim.take() {
            // Who is not there need not be removed.
            Some(Claim::Denied(note))
                if active.job.operation == Operation::Delete && note.http_status == Some(404) =>
            {
                let gone_before = !active.unsure;
                self.answered(Kind::Write);
                return self.settle_done(now, row, note.http_status, None, None, gone_before);
            }
            // The space is there, so it is the row that was denied; unless an earlier call of it had gone well.
            Some(Claim::Denied(note)) if active.job.operation.is_told_by_repeating() => {
                active.denials += 1;
                // An earlier call may have been applied, and only another can tell.
                let again = active.unsure && active.denials == 1;
                let note = match active.unsure {
                    true => undecided(&active.job, note),
                    false => advised(&active.job, note),
                };
                return if again {
                    self.back_to_the_queue(now, space, row)
                } else {
                    self.settle_rejected(now, row, note)
                };
            }
            Some(Claim::Denied(note))
                if !matches!(finding, Finding::Held { .. } | Finding::Doubled { .. }) =>
            {
                let job = &active.job;
                // Only an earlier call, of this row or of a journal before this one, can have made what is listed.
                let early = job.attempts > 1 || job.prior != Prior::No;
                let open = matches!(finding, Finding::Undecided | Finding::PerhapsDoubled);
                let note = if early && open { denied_undecided(job, note) } else { note };
                return self.settle_rejected(now, row, note);
            }
            Some(Claim::Denied(note)) => (false, note.http_status),
            Some(Claim::Exists(note)) => (true, note.http_status),
            None => (false, None),
        };
        let job = &active.job;
        let (member, place) = (&job.member_name, &job.space_name);
        let (kind, error) = match finding {
            Finding::Doubled { held } => {
                self.answered(Kind::Write);
                return self.conclude_doubled(now, row, held, http_status);
            }
            Finding::PerhapsDoubled => {
                self.answered(Kind::Write);
                return self.conclude_perhaps_doubled(now, row, http_status);
            }
            Finding::Held { held, beforehand, exact } => {
                if exists && exact && beforehand && job.prior != Prior::No {
                    self.repeats.refused();
                }
                // Chat had it before, unless an earlier call of this row, of this run or another, may have made it.
                let existed = beforehand || (exists && active.job.attempts <= 1);
                let (membership, user) = held.map(|held| (held.membership, held.user)).unzip();
                let user = user.filter(|user| user.starts_with("users/"));
                self.answered(Kind::Write);
                return self.settle_done(now, row, http_status, membership, user, existed);
            }
            Finding::NotHeld | Finding::Different { .. } if !exists => {
                if !hopeless {
                    return self.back_to_the_queue(now, space, row);
                }
                let times = active.failures;
                let story = format!(
                    "Chat failed {times} times to create it and does not hold it; other rows succeeded meanwhile"
                );
                ("KEPT_FAILING", story)
            }
            Finding::NotHeld => (
                "ALREADY_EXISTS",
                format!(
                    "Chat answers that {member} is a member of {place} already, but lists no such membership with \
                     the times {}; perhaps it holds one with other times, or one through a group",
                    job.span
                ),
            ),
            Finding::Different { held } => (
                "OTHER_TIMES",
                format!(
                    "Chat already holds a membership of {member} in {place} with other times: it has {}, the row has {}",
                    held.span, job.span
                ),
            ),
            Finding::Undecided => (
                "UNDECIDED",
                format!(
                    "its answer was lost, and what {place} lists does not tell whether Chat holds it: look for {member} \
                     with the times {} there",
                    job.span
                ),
            ),
        };
        self.settle_rejected(now, row, Note { http_status, kind: kind.to_owned(), error });
    }
}

/// Why a row that is denied is not refused for certain.
fn denied_undecided(job: &Job, last: Note) -> Note {
    let error = format!(
        "Chat refuses it now ({}), and what {} lists does not tell whether it holds it already: look for {} with the \
         times {} there",
        last.error, job.space_name, job.member_name, job.span
    );
    Note { http_status: last.http_status, kind: "UNDECIDED".to_owned(), error }
}

/// What Chat says of the only manager does not say what to do (delete-members guide).
fn advised(job: &Job, note: Note) -> Note {
    if note.kind != "FAILED_PRECONDITION" || !matches!(job.operation, Operation::Delete | Operation::Patch) {
        return note;
    }
    let error = format!(
        "{} (The only manager of a space can neither be removed nor step down: make somebody else one first, with \
         `tenure update INPUT`, and feed this row back then)",
        note.error
    );
    Note { error, ..note }
}

/// Why a member of today is neither done nor refused for certain.
fn undecided(job: &Job, last: Note) -> Note {
    let error = format!(
        "Chat refuses it now ({}), but the answer to an earlier call was lost: look whether {} is in {}",
        last.error, job.member_name, job.space_name
    );
    Note { http_status: last.http_status, kind: "UNDECIDED".to_owned(), error }
}
