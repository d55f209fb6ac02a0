//! What Chat's answers do to the engine.

use std::time::Duration;

use super::super::event::{Event, SPACE_REFUSED, Stop};
use super::super::lane::{Lane, Look, Purpose, Step};
use super::super::pacer::{Asked, Kind};
use super::super::reconcile::{Finding, relevant};
use super::super::retry::{Verdict, decide};
use super::{Claim, Engine, LATE_WRITE, Now};
use crate::chat::{Answer, Failure, Page};
use crate::journal::{Change, Held, Note, Request};
use crate::model::{Job, Prior, RowId, SpaceId};

impl Engine {
    /// The answer to a row's own call.
    pub(super) fn on_row(&mut self, now: Now, row: RowId, result: Result<Answer, Failure>) {
        self.sent -= 1;
        let result = match result {
            Ok(Answer::Member(membership)) => Ok(Some(membership)),
            Ok(Answer::Deleted(membership)) => Ok(membership),
            Ok(_) => Err(mismatched()),
            Err(failure) => Err(failure),
        };
        let asked = self.rows.get(&row).map(|active| Asked {
            kind: Kind::Write,
            space: active.job.space,
            at: active.asked_at,
        });
        self.count(now, asked, result.as_ref().err());
        let (Some(active), Some(asked)) = (self.rows.get_mut(&row), asked) else { return };
        let space = active.job.space;
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.out -= 1;
        }
        let failure = match result {
            Ok(membership) => {
                let asked_at = active.asked_at;
                let job = (active.job.prior != Prior::No).then(|| active.job.clone());
                self.succeeded(Kind::Write, now, asked_at);
                if let (Some(job), Some(membership)) = (job, &membership) {
                    return self.ask_whether_made_twice(row, &job, membership);
                }
                let (name, user) = membership.map(|membership| (membership.name, membership.user)).unzip();
                let user = user.flatten().filter(|user| user.starts_with("users/"));
                return self.settle_done(now, row, Some(200), name, user, false);
            }
            Err(failure) => failure,
        };
        let note = note(&failure);
        // Without a token or a connection the request has not left.
        let sent = !matches!(failure, Failure::Token(_) | Failure::NotOffered(_) | Failure::NotSent(_));
        match decide(&failure) {
            verdict @ (Verdict::Throttled | Verdict::NotApplied) => {
                active.job.attempts -= u32::from(!sent && !active.unsure);
                let throttled = verdict == Verdict::Throttled;
                let wait = self.set_back(now, asked, &failure, throttled);
                self.release(row, sent, Some(note));
                self.retry_event(row, wait, &failure);
                self.delay(now, row, wait);
            }
            Verdict::Unclear if active.job.operation.is_told_by_repeating() => {
                active.failures += 1;
                active.failed_first.get_or_insert(now.elapsed);
                active.unsure = true;
                let failures = active.failures;
                self.failed(Kind::Write, now, failure.to_string(), false);
                if self.is_hopeless(now, row) {
                    return self.settle_rejected(now, row, kept_failing(failures, &note));
                }
                let wait = self.wait(failures, &failure);
                self.release(row, sent, Some(note));
                self.retry_event(row, wait, &failure);
                self.delay(now, row, wait);
            }
            Verdict::Unclear => {
                active.failures += 1;
                active.failed_first.get_or_insert(now.elapsed);
                let failures = active.failures;
                self.failed(Kind::Write, now, failure.to_string(), false);
                let wait = self.wait(failures, &failure).max(LATE_WRITE);
                self.changes.push(Change::Unclear { row, note });
                self.retry_event(row, wait, &failure);
                self.look_up(row, space, now.elapsed + wait);
            }
            Verdict::Exists if active.job.operation.is_told_by_repeating() => {
                // Who is there already is a member of today, whoever made them one: a rollback leaves them alone.
                self.answered(Kind::Write);
                self.settle_done(now, row, note.http_status, None, None, true);
            }
            Verdict::Exists => {
                // What exists may be what an earlier, lost call of this row has only just made.
                let wait = if active.job.attempts > 1 { LATE_WRITE } else { Duration::ZERO };
                active.claim = Some(Claim::Exists(note.clone()));
                self.answered(Kind::Write);
                self.changes.push(Change::Unclear { row, note });
                self.look_up(row, space, now.elapsed + wait);
            }
            Verdict::Reject => {
                self.answered(Kind::Write);
                self.settle_rejected(now, row, note);
            }
            Verdict::RejectAndLook => {
                active.claim = Some(Claim::Denied(note.clone()));
                self.answered(Kind::Write);
                self.changes.push(Change::Unclear { row, note });
                self.look_up(row, space, now.elapsed);
            }
            Verdict::Stop(stop) => {
                self.release(row, sent, Some(note));
                self.forget(row);
                self.begin_stop(now, stop);
            }
        }
    }

    /// A page of a space's list.
    pub(super) fn on_page(&mut self, now: Now, space: SpaceId, result: Result<Answer, Failure>) {
        if let Some(Lane { step: Step::Errand(_), .. }) = self.lanes.get(&space) {
            return self.on_errand(now, space, result);
        }
        let result = match result {
            Ok(Answer::Members(page)) => Ok(page),
            Ok(_) => Err(mismatched()),
            Err(failure) => Err(failure),
        };
        let look = match self.lanes.get_mut(&space) {
            Some(Lane { step: Step::Looking(look), .. }) => Some(look),
            _ => None,
        };
        let asked = look.map(|look| {
            look.waiting = false;
            Asked { kind: Kind::Read, space, at: look.asked_at }
        });
        self.count(now, asked, result.as_ref().err());
        let Some(asked) = asked else { return };
        match result {
            Ok(page) => self.take_page(now, space, page),
            Err(failure) => self.on_list_failed(now, space, asked, &failure),
        }
    }

    fn take_page(&mut self, now: Now, space: SpaceId, page: Page) {
        let Some(Lane { step: Step::Looking(look), .. }) = self.lanes.get(&space) else { return };
        let asked_at = look.asked_at;
        self.succeeded(Kind::Read, now, asked_at);
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        let Step::Looking(look) = &mut lane.step else { return };
        look.failures = 0;
        if look.purpose == Purpose::Baseline && look.page_token.is_none() {
            self.changes.push(Change::SurveyBegun { space });
        }
        let rows = &self.rows;
        let held: Vec<Held> = page
            .memberships
            .into_iter()
            .filter_map(|membership| {
                let user = membership.holder()?.to_owned();
                Some(Held { user, membership: membership.name, span: membership.span })
            })
            .collect();
        let mut twice = false;
        if self.repeats.is_open() {
            let told =
                held.iter().filter(|held| held.span.create_time.is_some() && held.span.delete_time.is_some());
            for held in told {
                twice |= !look.seen.insert((held.user.clone(), held.span));
            }
        }
        match look.purpose {
            Purpose::Baseline => self.changes.extend(held.into_iter().map(|held| Change::Found {
                space,
                user: held.user,
                span: held.span,
            })),
            Purpose::Unclear => {
                let unclear: Vec<&Job> =
                    lane.unclear.iter().filter_map(|row| Some(&rows.get(row)?.job)).collect();
                look.kept
                    .extend(held.into_iter().filter(|held| unclear.iter().any(|job| relevant(job, held))));
            }
            Purpose::Denied | Purpose::Presence => {}
        }
        look.page_token = page.next_page_token;
        if twice {
            // Whoever made it, this Chat does make two.
            self.hold_back(now);
        }
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        let Step::Looking(look) = &mut lane.step else { return };
        match look.purpose {
            Purpose::Presence => lane.step = Step::Sending,
            Purpose::Denied => {
                lane.step = Step::Sending;
                for row in std::mem::take(&mut lane.unclear) {
                    self.conclude(now, space, row, Finding::NotHeld);
                }
            }
            _ if look.page_token.is_some() => {}
            Purpose::Baseline => {
                self.changes.push(Change::Surveyed { space, at: now.wall });
                lane.survey_due = false;
                lane.step = Step::Sending;
            }
            Purpose::Unclear => {
                look.waiting = true;
                let listed = std::mem::take(&mut look.kept);
                self.ask_journal(Request::Attribute { space, listed });
            }
        }
    }

    fn on_list_failed(&mut self, now: Now, space: SpaceId, asked: Asked, failure: &Failure) {
        let verdict = decide(failure);
        let until = match verdict {
            Verdict::Throttled | Verdict::NotApplied => {
                now.elapsed + self.set_back(now, asked, failure, verdict == Verdict::Throttled)
            }
            Verdict::Unclear => {
                self.failed(Kind::Read, now, failure.to_string(), false);
                let failures = match self.lanes.get(&space) {
                    Some(Lane { step: Step::Looking(look), .. }) => look.failures,
                    _ => 0,
                };
                now.elapsed + self.wait(failures + 1, failure)
            }
            Verdict::Stop(stop) => return self.begin_stop(now, stop),
            Verdict::Exists | Verdict::Reject | Verdict::RejectAndLook => {
                self.answered(Kind::Read);
                return self.refuse_space(now, space, note(failure));
            }
        };
        if let Some(Lane { step: Step::Looking(look), .. }) = self.lanes.get_mut(&space) {
            look.failures += 1;
            look.not_before = until;
        }
    }

    fn refuse_space(&mut self, now: Now, space: SpaceId, note: Note) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        let Step::Looking(look) = &mut lane.step else { return };
        let (purpose, again) = (look.purpose, look.again);
        if look.page_token.is_some() {
            // The first pages were given, so it is this page that is refused: perhaps its token has grown old.
            *look = Look::new(purpose, now.elapsed);
            return;
        }
        lane.step = Step::Refused { note, at: now.elapsed, purpose };
        self.some_refused = true;
        for row in &lane.unclear {
            // Nobody knows when its answer will be cleared up; others must not wait for that.
            self.repeats.is_back(*row);
        }
        if again {
            self.reject_space(now, space);
        }
    }

    /// A call of this kind, made at `asked_at`, has succeeded. So what was refused before that was not refused for want
    /// of a permission that everything needs; such a space is asked once more, and then it is refused for good.
    fn succeeded(&mut self, kind: Kind, now: Now, asked_at: Duration) {
        self.answered(kind);
        if !std::mem::take(&mut self.some_refused) {
            return;
        }
        for lane in self.lanes.values_mut() {
            let Step::Refused { at, purpose, .. } = lane.step else { continue };
            if at < asked_at {
                let mut look = Look::new(purpose, now.elapsed);
                look.again = true;
                lane.step = Step::Looking(look);
            } else {
                self.some_refused = true;
            }
        }
    }

    fn reject_space(&mut self, now: Now, space: SpaceId) {
        let Some(lane) = self.lanes.get(&space) else { return };
        let Step::Refused { note, .. } = &lane.step else { return };
        let (name, rows, mut note) = (lane.name.clone(), lane.left, note.clone());
        let story = note.error.clone();
        note.error = format!("Chat refuses the whole space {name}: {story}");
        note.kind = SPACE_REFUSED.to_owned();
        let held: Vec<RowId> = self
            .rows
            .values()
            .filter(|active| active.job.space == space)
            .map(|active| active.job.id)
            .collect();
        for row in held {
            self.forget(row);
        }
        self.counts.rejected += rows;
        self.changes.push(Change::SpaceRejected { space, at: now.wall, note });
        self.close_lane(space);
        self.events.push(Event::SpaceRefused { space: name, rows, story });
    }

    /// When every space at hand is refused, one that could be reached before tells whether it is the spaces' fault.
    /// Without one, or when it is refused by now too, the run stops.
    pub(super) fn call_the_witness(&mut self, now: Now) {
        let mut first = None;
        for lane in self.lanes.values() {
            let Step::Refused { note, .. } = &lane.step else { return };
            first.get_or_insert((lane.name.clone(), note.clone()));
        }
        let Some((space, Note { kind, error: story, .. })) = first else { return };
        match &self.witness {
            Some(witness) if !self.lanes.contains_key(&witness.id) => {
                // A little later than the refusals, so that its testimony is about them.
                let after = now.elapsed + Duration::from_millis(1);
                let step = Step::Looking(Look::new(Purpose::Presence, after));
                let mut lane = Lane::new(witness.id, witness.name.clone(), 0, self.pacer.space(), step);
                lane.drained = true;
                lane.is_completed = witness.completed;
                self.lanes.insert(lane.id, lane);
                self.wake_at(after);
            }
            _ => {
                let spaces = self.lanes.len();
                self.begin_stop(now, Stop::EverySpaceRefused { space, kind, story, spaces });
            }
        }
    }
}

/// Why a row is rejected that nothing else is said against.
pub(super) fn kept_failing(times: u32, last: &Note) -> Note {
    let error = format!(
        "Chat failed {times} times at it, while other rows succeeded; the last failure: {}",
        last.error
    );
    Note { http_status: last.http_status, kind: "KEPT_FAILING".to_owned(), error }
}

pub(super) fn mismatched() -> Failure {
    Failure::Lost("the answer belongs to another call".to_owned())
}

pub(in crate::engine) fn note(failure: &Failure) -> Note {
    let (http_status, kind) = match failure {
        Failure::Refused(refusal) | Failure::Unauthorized(refusal) => {
            (Some(refusal.http_status), refusal.kind())
        }
        Failure::Token(_) => (None, "NO_TOKEN".to_owned()),
        Failure::NotOffered(_) => (None, "NOT_OFFERED".to_owned()),
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
