//! What Chat's answers do to the engine.

use super::super::event::{Event, Stop};
use super::super::lane::{Lane, Look, Purpose, Step};
use super::super::pacer::Kind;
use super::super::reconcile::relevant;
use super::super::retry::{Verdict, decide};
use super::{Engine, Now, Output};
use crate::chat::{Failure, Membership, Page};
use crate::journal::{Change, Held, Note};
use crate::model::{Job, RowId, SpaceId};

impl Engine {
    pub(super) fn on_created(&mut self, now: Now, row: RowId, result: Result<Membership, Failure>) {
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
                let wait = self.set_back(now, Kind::Write, &failure, true);
                self.changes.push(Change::Release { row, space, sent: true, note: Some(note) });
                self.delay(now, row, wait);
            }
            Verdict::NotApplied => {
                let wait = self.set_back(now, Kind::Write, &failure, false);
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

    pub(super) fn on_listed(&mut self, now: Now, space: SpaceId, result: Result<Page, Failure>) {
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

    pub(super) fn on_list_failed(&mut self, now: Now, space: SpaceId, failure: &Failure) {
        let until = match decide(failure) {
            Verdict::Throttled => now.elapsed + self.set_back(now, Kind::Read, failure, true),
            Verdict::NotApplied => now.elapsed + self.set_back(now, Kind::Read, failure, false),
            Verdict::Unclear => {
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
    pub(super) fn succeeded(&mut self, kind: Kind, now: Now) {
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

    pub(super) fn reject_space(&mut self, now: Now, space: SpaceId) {
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

    /// When every space at hand is refused and nothing has succeeded, a space that could be reached in an earlier run
    /// tells whether it is the spaces' fault. Without one, or when it is refused too, the run stops.
    pub(super) fn call_the_witness(&mut self, now: Now) {
        if self.succeeded || self.lanes.is_empty() {
            return;
        }
        let mut first = None;
        for lane in self.lanes.values() {
            let Step::Refused(note) = &lane.step else { return };
            first.get_or_insert((lane.name.clone(), note.error.clone()));
        }
        if let Some(witness) = self.witness.take() {
            let step = Step::Looking(Look::new(Purpose::Presence, now.elapsed));
            let mut lane = Lane::new(witness.id, witness.name, 0, self.pacer.space(), step);
            lane.drained = true;
            self.lanes.insert(witness.id, lane);
            self.wake_at(now.elapsed);
        } else if let Some((space, story)) = first {
            self.begin_stop(now, Stop::EverySpaceRefused { space, story, spaces: self.lanes.len() });
        }
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
