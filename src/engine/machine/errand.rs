//! What is done with a space itself: it is completed before its rows of today are sent, and left when all is done.
//!
//! Every step may be made once more: completing what is completed is refused, and then looking at the space tells; whoever
//! has left a space is not found in it.

use std::time::Duration;

use super::super::event::{Event, Stop};
use super::super::lane::{Errand, Lane, Step, What};
use super::super::pacer::Asked;
use super::super::retry::{Verdict, decide};
use super::answered::{mismatched, note};
use super::{Engine, For, LATE_WRITE, Now, Output};
use crate::chat::{Answer, Call, Failure, Listing, NewSpace, Space};
use crate::journal::{Change, ChannelChange, Note};
use crate::model::{ChannelJob, MemberName, MembershipName, SpaceId, SpaceName};

/// With fewer managers than so many nobody leaves: one of them is whoever is leaving.
const MANAGERS_MIN: usize = 2;
/// How many channels are marked ahead of the quota, and when to look again if there are so many.
const MARKED_MAX: usize = 4;
const MARKED_WAIT: Duration = Duration::from_millis(50);
/// The highest number behind a display name.
const SUFFIX_MAX: u32 = 99;

/// The call of an errand. Whoever leaves is named as Chat knows who signs the requests.
pub(super) fn call(
    what: What,
    space: &SpaceName,
    channel: Option<&ChannelJob>,
    leaver: Option<&MemberName>,
) -> Call {
    if let (What::Create, Some(job)) = (what, channel) {
        return Call::CreateSpace(Box::new(new_space(job)));
    }
    match (what, leaver) {
        (What::Complete, _) => Call::CompleteImport(space.clone()),
        (What::LookAtIt, _) => Call::GetSpace(space.clone()),
        (What::Leave, Some(leaver)) => Call::DeleteMember(MembershipName::of(space.clone(), leaver)),
        (What::LookInside, _) => {
            let listing = Listing { page_size: 1, ..Listing::whole() };
            Call::ListMembers { space: space.clone(), listing, page_token: None }
        }
        (What::Create | What::CountManagers | What::Leave, _) => Call::ListMembers {
            space: space.clone(),
            listing: Listing { filter: Some("role = \"ROLE_MANAGER\"".to_owned()), ..Listing::whole() },
            page_token: None,
        },
    }
}

impl Engine {
    /// Sends off what is due.
    pub(super) fn tend_errands(&mut self, now: Now) {
        let creates = || self.lanes.values().next().is_some_and(|lane| lane.channel.is_some());
        if self.config.completion.is_none() && !creates() {
            return;
        }
        let is_marked = |lane: &&Lane| matches!(&lane.step, Step::Errand(errand) if errand.marked.is_some() && !errand.waiting);
        let mut marking = self.lanes.values().filter(is_marked).count();
        let mut wake = None;
        let mut sooner = |at: Duration| wake = Some(wake.map_or(at, |wake: Duration| wake.min(at)));
        for lane in self.lanes.values_mut() {
            let Step::Errand(errand) = &mut lane.step else { continue };
            if errand.waiting {
                continue;
            }
            if errand.not_before > now.elapsed {
                sooner(errand.not_before);
                continue;
            }
            let kind = errand.what.kind();
            let ready = self.pacer.ready(kind, now.elapsed);
            if errand.what == What::Create {
                // When it was called first is durable before the call leaves: 90 days count from then.
                match errand.marked {
                    Some(batch) if batch > self.written => continue,
                    Some(_) => {}
                    None => {
                        match ready {
                            Err(until) => sooner(until),
                            Ok(()) if marking < MARKED_MAX => {
                                marking += 1;
                                errand.marked = Some(self.batch + 1);
                                let change = ChannelChange::Called(now.wall);
                                self.changes.push(Change::Channel { channel: lane.id, change });
                            }
                            Ok(()) => sooner(now.elapsed + MARKED_WAIT),
                        }
                        continue;
                    }
                }
            }
            match ready.and_then(|()| self.pacer.take(kind, &mut lane.buckets, now.elapsed)) {
                Ok(()) => {
                    self.pacer.leave(kind, now.elapsed);
                    (errand.waiting, errand.asked_at) = (true, now.elapsed);
                    let leaver = self.config.completion.as_ref().and_then(|of| of.leaves.as_ref());
                    let call = call(errand.what, &lane.name, lane.channel.as_deref(), leaver);
                    let (whose, access) = (For::Space(lane.id), errand.what.access());
                    self.outputs.push(Output::Call { whose, call, access });
                }
                Err(until) => sooner(until),
            }
        }
        if let Some(at) = wake {
            self.wake_at(at);
        }
    }

    /// The answer to an errand.
    pub(super) fn on_errand(&mut self, now: Now, space: SpaceId, result: Result<Answer, Failure>) {
        let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) else { return };
        errand.waiting = false;
        let what = errand.what;
        let asked = Asked { kind: what.kind(), space, at: errand.asked_at };
        self.count(now, Some(asked), result.as_ref().err());
        let failure = match (what, result) {
            (What::Create, Ok(Answer::Space(made))) if SpaceName::parse(&made.name).is_ok() => {
                return self.created(now, space, &made);
            }
            (What::Complete, Ok(Answer::Space(_))) => return self.completed(now, space),
            (What::LookAtIt, Ok(Answer::Space(found))) => {
                self.answered(asked.kind);
                return if found.import_mode {
                    self.not_completed(space)
                } else {
                    self.completed(now, space)
                };
            }
            (What::LookInside, Ok(Answer::Members(_))) => return self.completed(now, space),
            (What::CountManagers, Ok(Answer::Members(page))) => {
                self.answered(asked.kind);
                return if page.memberships.len() < MANAGERS_MIN {
                    self.stays(
                        space,
                        "nobody else manages it: `tenure update INPUT` makes somebody a manager",
                    )
                } else {
                    self.turn_to(space, What::Leave, now)
                };
            }
            (What::Leave, Ok(Answer::Deleted(_))) => return self.left(now, space),
            (_, Ok(_)) => mismatched(),
            (_, Err(failure)) => failure,
        };
        let verdict = decide(&failure);
        let until = match verdict {
            Verdict::Throttled | Verdict::NotApplied => {
                now.elapsed + self.set_back(now, asked, &failure, verdict == Verdict::Throttled)
            }
            Verdict::Unclear => {
                self.failed(asked.kind, now, failure.to_string(), false);
                let failures = match self.lanes.get(&space) {
                    Some(Lane { step: Step::Errand(errand), .. }) => errand.failures,
                    _ => 0,
                };
                now.elapsed + self.wait(failures + 1, &failure).max(LATE_WRITE)
            }
            Verdict::Stop(stop) => return self.begin_stop(now, stop),
            Verdict::Exists | Verdict::Reject | Verdict::RejectAndLook => {
                self.answered(asked.kind);
                let exists = verdict == Verdict::Exists;
                return self.on_refusal(now, space, what, note(&failure), exists);
            }
        };
        if let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) {
            errand.failures += 1;
            errand.not_before = until;
        }
    }

    fn on_refusal(&mut self, now: Now, space: SpaceId, what: What, note: Note, exists: bool) {
        match what {
            What::Create => self.not_created(now, space, note, exists),
            What::Complete => self.look_whether_completed(now, space, What::LookAtIt, note),
            // That takes another scope, and other rights.
            What::LookAtIt => {
                let first = match self.lanes.get_mut(&space) {
                    Some(Lane { step: Step::Errand(errand), .. }) => errand.refused.take(),
                    _ => None,
                };
                self.look_whether_completed(now, space, What::LookInside, first.unwrap_or(note));
            }
            // Whether it is completed cannot be seen, so what was said first stands.
            What::LookInside => self.not_completed(space),
            // Whoever has left a space cannot look at it, nor leave it again.
            What::CountManagers => self.left(now, space),
            What::Leave if note.http_status == Some(404) => self.left(now, space),
            What::Leave => self.stays(space, &note.error),
        }
    }

    fn created(&mut self, now: Now, channel: SpaceId, made: &Space) {
        self.answered(What::Create.kind());
        let Ok(space) = SpaceName::parse(&made.name) else { return };
        let Some(Lane { channel: Some(job), .. }) = self.close_lane(channel) else { return };
        self.counts.done += 1;
        self.events.push(Event::Created { name: job.channel.name.clone(), space: space.clone() });
        let change = ChannelChange::Made {
            at: now.wall,
            space,
            create_time: made.create_time,
            expire_time: made.import_mode_expire_time,
        };
        self.changes.push(Change::Channel { channel, change });
        self.wake_at(now.elapsed);
    }

    fn not_created(&mut self, now: Now, channel: SpaceId, note: Note, exists: bool) {
        if exists
            && self.config.suffixes
            && let Some(lane) = self.lanes.get_mut(&channel)
            && let Some(job) = lane.channel.as_mut().filter(|job| job.suffix < SUFFIX_MAX)
        {
            job.suffix = job.suffix.max(1) + 1;
            let change = ChannelChange::Suffixed(job.suffix);
            self.changes.push(Change::Channel { channel, change });
            return self.turn_to(channel, What::Create, now);
        }
        if !exists && note.kind == "PERMISSION_DENIED" && self.counts.done == 0 {
            // Whoever may not create this one may create none.
            return self.begin_stop(now, Stop::NoSpaceCreated { story: note.error });
        }
        let Some(Lane { channel: Some(job), .. }) = self.close_lane(channel) else { return };
        let note = if exists { taken(&job, note) } else { note };
        self.counts.rejected += 1;
        self.events.push(Event::NotCreated { name: job.channel.name.clone(), story: note.error.clone() });
        self.changes.push(Change::Channel { channel, change: ChannelChange::Rejected(now.wall, note) });
        self.wake_at(now.elapsed);
    }

    fn look_whether_completed(&mut self, now: Now, space: SpaceId, what: What, refused: Note) {
        self.turn_to(space, what, now);
        if let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) {
            errand.refused = Some(refused);
        }
    }

    fn turn_to(&mut self, space: SpaceId, what: What, now: Now) {
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.step = Step::Errand(Errand::new(what, now.elapsed));
        }
    }

    /// It is in import mode no more, and those who are still members can be added.
    fn completed(&mut self, now: Now, space: SpaceId) {
        self.answered(What::Complete.kind());
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        let rows = std::mem::take(&mut lane.open);
        lane.is_completed = true;
        lane.survey_due = false;
        lane.left += rows;
        lane.step = Step::Sending;
        lane.rewind();
        self.counts.open = self.counts.open.saturating_sub(rows);
        self.events.push(Event::Completed { space: lane.name.clone(), rows });
        self.changes.push(Change::Completed { space, at: now.wall });
    }

    fn not_completed(&mut self, space: SpaceId) {
        let Some(lane) = self.close_lane(space) else { return };
        let refused = match lane.step {
            Step::Errand(Errand { refused: Some(note), .. }) => note.error,
            _ => "Chat says that it is still in import mode".to_owned(),
        };
        self.events.push(Event::NotCompleted { space: lane.name, story: refused.clone() });
        self.changes.push(Change::NotCompleted { space, error: refused });
    }

    fn left(&mut self, now: Now, space: SpaceId) {
        self.changes.push(Change::Left { space, at: now.wall });
        self.leave_or_stay(space, None);
    }

    fn stays(&mut self, space: SpaceId, why: &str) {
        self.leave_or_stay(space, Some(why.to_owned()));
    }

    fn leave_or_stay(&mut self, space: SpaceId, stays: Option<String>) {
        let Some(lane) = self.lanes.get_mut(&space) else { return };
        lane.leave_due = false;
        lane.step = Step::Sending;
        self.events.push(Event::Left { space: lane.name.clone(), stays });
    }
}

fn new_space(job: &ChannelJob) -> NewSpace {
    NewSpace {
        request_id: job.request_id(),
        display_name: job.display_name(),
        space_type: job.channel.space_type.clone(),
        import_mode: true,
        create_time: job.channel.create_time,
        external_user_allowed: job.channel.external_user_allowed,
        description: job.channel.description.clone(),
    }
}

fn taken(job: &ChannelJob, note: Note) -> Note {
    let error = format!(
        "the display name {:?} is taken: rename one of the two spaces, or add --on-name-clash suffix ({})",
        job.display_name(),
        note.error
    );
    Note { kind: "NAME_TAKEN".to_owned(), error, ..note }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Access;

    #[test]
    fn every_errand_has_its_call() {
        let (space, leaver) =
            (SpaceName::parse("A").unwrap(), MemberName::parse("admin@example.com").unwrap());
        let made = |what| call(what, &space, None, Some(&leaver)).name();
        assert_eq!(made(What::Complete), "spaces.completeImport");
        assert_eq!(made(What::LookAtIt), "spaces.get");
        assert_eq!(made(What::LookInside), "spaces.members.list");
        assert_eq!(made(What::CountManagers), "spaces.members.list");
        assert_eq!(made(What::Leave), "spaces.members.delete");
        for what in [What::Complete, What::LookAtIt, What::LookInside, What::CountManagers, What::Leave] {
            let call = call(what, &space, None, Some(&leaver));
            assert!(call.request(what.access()).is_ok(), "{what:?}");
        }
        assert_eq!(What::Complete.access(), Access::Import);
    }
}
