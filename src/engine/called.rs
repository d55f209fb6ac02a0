//! Calls as those see them who watch a run call by call.

use std::time::Duration;

use super::machine::note;
use super::retry::{Verdict, decide};
use crate::chat::{Answer, Call, Failure};
use crate::model::{Job, Origin};

/// A call that was made: what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLabel {
    /// The method's name in Google's reference.
    pub method: &'static str,
    /// `spaces/AAAA`; of a space that is to be created, the display name that is asked for.
    pub space: String,
    /// Who, as it was sent; `None` where the call is about a whole space.
    pub member: Option<String>,
    /// The line of the input that it is made for.
    pub origin: Option<Origin>,
    /// How often that row was sent by then, this time included.
    pub attempt: Option<u32>,
}

impl CallLabel {
    /// The label of a call, and of the row that it is made for.
    pub(super) fn of(call: &Call, job: Option<&Job>) -> Self {
        let (space, member) = match call {
            Call::CreateMember { space, member, .. } => (space.to_string(), Some(member.to_string())),
            Call::GetMember(name) | Call::PatchMember(name, _) | Call::DeleteMember(name) => {
                (name.space().to_string(), Some(name.member().to_owned()))
            }
            Call::ListMembers { space, .. }
            | Call::GetSpace(space)
            | Call::PatchSpace { space, .. }
            | Call::DeleteSpace(space)
            | Call::CompleteImport(space) => (space.to_string(), None),
            Call::CreateSpace(space) => (space.display_name.clone(), None),
            Call::ListSpaces { .. } => (String::new(), None),
        };
        CallLabel {
            method: call.name(),
            space,
            member,
            origin: job.map(|job| job.origin),
            attempt: job.map(|job| job.attempts),
        }
    }
}

/// What an answer comes to, for the call itself; what becomes of its row may take another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// Success.
    Ok,
    /// Chat has it already.
    Exists,
    /// Refused for the quota: nothing was applied.
    Throttled,
    /// It did not reach Chat, or was not answered by it: nothing was applied.
    NotApplied,
    /// It may have been applied: no answer, or one that tells nothing.
    Unclear,
    /// Refused.
    Refused,
    /// Refused for a reason that every call would meet, so that the run stops.
    Stopped,
}

impl CallOutcome {
    /// All of them.
    pub const ALL: [CallOutcome; 7] = [
        CallOutcome::Ok,
        CallOutcome::Exists,
        CallOutcome::Throttled,
        CallOutcome::NotApplied,
        CallOutcome::Unclear,
        CallOutcome::Refused,
        CallOutcome::Stopped,
    ];

    /// Its word in logs and metrics; does not change.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallOutcome::Ok => "ok",
            CallOutcome::Exists => "exists",
            CallOutcome::Throttled => "throttled",
            CallOutcome::NotApplied => "not_applied",
            CallOutcome::Unclear => "unclear",
            CallOutcome::Refused => "refused",
            CallOutcome::Stopped => "stopped",
        }
    }
}

/// A call that was answered, or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// What it was about.
    pub label: CallLabel,
    /// From when it was made until its answer was there, waiting for a token or a connection included.
    pub took: Duration,
    /// What the answer comes to.
    pub outcome: CallOutcome,
    /// HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// A short stable word for what went wrong, such as `PERMISSION_DENIED`.
    pub kind: Option<String>,
    /// What went wrong, in full.
    pub reason: Option<String>,
}

impl Called {
    pub(super) fn new(label: CallLabel, took: Duration, result: &Result<Answer, Failure>) -> Self {
        let Err(failure) = result else {
            let (outcome, http_status) = (CallOutcome::Ok, Some(200));
            return Called { label, took, outcome, http_status, kind: None, reason: None };
        };
        let outcome = match decide(failure) {
            Verdict::Throttled => CallOutcome::Throttled,
            Verdict::NotApplied => CallOutcome::NotApplied,
            Verdict::Unclear => CallOutcome::Unclear,
            Verdict::Exists => CallOutcome::Exists,
            Verdict::Reject | Verdict::RejectAndLook => CallOutcome::Refused,
            Verdict::Stop(_) => CallOutcome::Stopped,
        };
        let note = note(failure);
        Called {
            label,
            took,
            outcome,
            http_status: note.http_status,
            kind: Some(note.kind),
            reason: Some(note.error),
        }
    }
}
