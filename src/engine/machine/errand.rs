//! What is done with a space itself: it is completed before its rows of today are sent, and left when all is done.
//!
//! Every step may be made once more: completing what is completed is refused, and then looking at the space tells; whoever
//! has left a space is not found in it.

use super::super::event::Event;
use super::super::lane::{Errand, Lane, Step, What};
use super::super::pacer::Asked;
use super::super::retry::{Verdict, decide};
use super::answered::{mismatched, note};
use super::{Engine, LATE_WRITE, Now};
use crate::chat::{Answer, Call, Failure, Listing};
use crate::journal::{Change, Note};
use crate::model::{MemberName, MembershipName, SpaceId, SpaceName};

/// With fewer managers than so many nobody leaves: one of them is whoever is leaving.
const MANAGERS_MIN: usize = 2;

/// The call of an errand. Whoever leaves is named as Chat knows who signs the requests.
pub(super) fn call(what: What, space: &SpaceName, leaver: Option<&MemberName>) -> Call {
    match (what, leaver) {
        (What::Complete, _) => Call::CompleteImport(space.clone()),
        (What::LookAtIt, _) => Call::GetSpace(space.clone()),
        (What::Leave, Some(leaver)) => Call::DeleteMember(MembershipName::of(space.clone(), leaver)),
        (What::CountManagers | What::Leave, _) => Call::ListMembers {
            space: space.clone(),
            listing: Listing { filter: Some("role = \"ROLE_MANAGER\"".to_owned()), ..Listing::whole() },
            page_token: None,
        },
    }
}

impl Engine {
    /// The answer to an errand.
    pub(super) fn on_errand(&mut self, now: Now, space: SpaceId, result: Result<Answer, Failure>) {
        let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) else { return };
        errand.waiting = false;
        let what = errand.what;
        let asked = Asked { kind: what.kind(), space, at: errand.asked_at };
        self.count(now, Some(asked), result.as_ref().err());
        let failure = match (what, result) {
            (What::Complete, Ok(Answer::Space(_))) => return self.completed(now, space),
            (What::LookAtIt, Ok(Answer::Space(found))) => {
                self.answered(asked.kind);
                return if found.import_mode {
                    self.not_completed(space)
                } else {
                    self.completed(now, space)
                };
            }
            (What::CountManagers, Ok(Answer::Members(page))) => {
                self.answered(asked.kind);
                return if page.memberships.len() < MANAGERS_MIN {
                    self.stays(space, "nobody else manages it: `tenure update` makes somebody a manager")
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
                return self.on_refusal(now, space, what, note(&failure));
            }
        };
        if let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) {
            errand.failures += 1;
            errand.not_before = until;
        }
    }

    fn on_refusal(&mut self, now: Now, space: SpaceId, what: What, note: Note) {
        match what {
            What::Complete => {
                self.turn_to(space, What::LookAtIt, now);
                if let Some(Lane { step: Step::Errand(errand), .. }) = self.lanes.get_mut(&space) {
                    errand.refused = Some(note);
                }
            }
            // Whether it is completed cannot be seen, so what was said first stands.
            What::LookAtIt => self.not_completed(space),
            // Whoever has left a space cannot look at it, nor leave it again.
            What::CountManagers => self.left(now, space),
            What::Leave if note.http_status == Some(404) => self.left(now, space),
            What::Leave => self.stays(space, &note.error),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Access;

    #[test]
    fn every_errand_has_its_call() {
        let (space, leaver) =
            (SpaceName::parse("A").unwrap(), MemberName::parse("admin@example.com").unwrap());
        let made = |what| call(what, &space, Some(&leaver)).name();
        assert_eq!(made(What::Complete), "spaces.completeImport");
        assert_eq!(made(What::LookAtIt), "spaces.get");
        assert_eq!(made(What::CountManagers), "spaces.members.list");
        assert_eq!(made(What::Leave), "spaces.members.delete");
        for what in [What::Complete, What::LookAtIt, What::CountManagers, What::Leave] {
            let call = call(what, &space, Some(&leaver));
            assert!(call.request(what.access()).is_ok(), "{what:?}");
        }
        assert_eq!(What::Complete.access(), Access::Import);
    }
}
