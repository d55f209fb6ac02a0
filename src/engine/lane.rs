//! One space's share of the work.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::pacer::{Kind, SpaceBuckets};
use crate::chat::Access;
use crate::journal::{Held, Note};
use crate::model::{ChannelJob, Job, MemberId, Operation, RowId, SpaceId, SpaceName, Span};

/// A lane asks the journal for more rows when fewer than this many are queued ...
const QUEUE_LOW: usize = 8;
/// ... and fewer than this many are in memory.
const HELD_MAX: usize = 128;
/// How far a lane looks past rows that have to wait for another of the same member.
const LOOK_AHEAD: usize = 32;
/// How many steps there are; see [`Job::step`].
const STEPS: usize = 4;

/// Where a space stands.
#[derive(Debug)]
pub(super) enum Step {
    /// Its rows with unknown answers are being fetched from the journal.
    Recovering,
    /// Its memberships are being listed; nothing is sent meanwhile.
    Looking(Look),
    /// Rows may leave.
    Sending,
    /// Something is done with the space itself; no row leaves meanwhile.
    Errand(Errand),
    /// Chat refuses it. Only what succeeds elsewhere after that tells a bad space from a bad set-up.
    Refused {
        /// What Chat said.
        note: Note,
        /// When.
        at: Duration,
        /// For what it was listed.
        purpose: Purpose,
    },
}

/// Something that is to be done with the space itself.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) what: What,
    pub(super) waiting: bool,
    pub(super) not_before: Duration,
    /// When its call left.
    pub(super) asked_at: Duration,
    pub(super) failures: u32,
    /// The batch that makes it durable that the call is about to leave.
    pub(super) marked: Option<u64>,
    /// With what Chat refused to complete it.
    pub(super) refused: Option<Note>,
}

/// What is to be done with a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `spaces.create`.
    Create,
    /// `spaces.completeImport`.
    Complete,
    /// Chat has refused to complete it: look whether it is completed already.
    LookAtIt,
    /// It cannot be looked at: whoever can list it as a member finds it completed.
    LookInside,
    /// Look who manages it, so that it is not left without anybody.
    CountManagers,
    /// The migrating account removes itself.
    Leave,
}

impl What {
    /// Against which quota it counts.
    pub(super) fn kind(self) -> Kind {
        match self {
            What::Create | What::Complete => Kind::Space,
            What::LookAtIt | What::LookInside | What::CountManagers => Kind::Read,
            What::Leave => Kind::Write,
        }
    }

    /// In what capacity it is done: completing takes chat.import, and after that people act for themselves.
    pub(super) fn access(self) -> Access {
        match self {
            What::Create | What::Complete | What::LookAtIt => Access::Import,
            What::LookInside | What::CountManagers | What::Leave => Access::User,
        }
    }
}

impl Errand {
    pub(super) fn new(what: What, not_before: Duration) -> Self {
        Errand {
            what,
            waiting: false,
            not_before,
            asked_at: Duration::ZERO,
            failures: 0,
            marked: None,
            refused: None,
        }
    }
}

/// Why a space is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To write down what it holds before the first call.
    Baseline,
    /// To find out about rows whose answers are unclear.
    Unclear,
    /// To find out whether it can be reached: then it was its rows that were denied.
    Denied,
    /// To find out whether it can be reached, as a witness.
    Presence,
}

/// A listing that is under way.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) purpose: Purpose,
    pub(super) page_token: Option<String>,
    /// A page has been asked for, or the journal has been asked whose the listed memberships are.
    pub(super) waiting: bool,
    pub(super) not_before: Duration,
    /// When the last page was asked for.
    pub(super) asked_at: Duration,
    /// Whether the space was refused once already.
    pub(super) again: bool,
    pub(super) failures: u32,
    /// What the list holds that can matter.
    pub(super) kept: Vec<Held>,
    /// Whom it has listed with which times, as far as it tells them.
    pub(super) seen: HashSet<(String, Span)>,
}

impl Look {
    pub(super) fn new(purpose: Purpose, not_before: Duration) -> Self {
        Look {
            purpose,
            page_token: None,
            waiting: false,
            not_before,
            asked_at: Duration::ZERO,
            again: false,
            failures: 0,
            kept: Vec::new(),
            seen: HashSet::new(),
        }
    }
}

/// The lane of a space.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) id: SpaceId,
    pub(super) name: SpaceName,
    /// Rows that are not settled yet, in memory or not.
    pub(super) left: u64,
    pub(super) buckets: SpaceBuckets,
    pub(super) step: Step,
    /// It has to be listed before anything is sent to it: what Chat held beforehand is not written down.
    pub(super) survey_due: bool,
    /// It is not in import mode any more.
    pub(super) is_completed: bool,
    /// Rows that wait for its completion.
    pub(super) open: u64,
    /// Rows that were refused.
    pub(super) rejected: u64,
    /// What is to become this space.
    pub(super) channel: Option<Box<ChannelJob>>,
    /// The migrating account is to leave it when all is done.
    pub(super) leave_due: bool,
    /// Rows in memory that may be sent, in order.
    pub(super) queue: VecDeque<RowId>,
    /// The last row that the journal gave.
    pub(super) fed: Option<Job>,
    pub(super) feeding: bool,
    /// What the journal is giving was asked for before there was more.
    pub(super) rewinds: bool,
    /// The journal has no more rows for it.
    pub(super) drained: bool,
    /// Rows in memory, wherever they are.
    pub(super) held: usize,
    /// Rows between being marked in flight and being answered.
    pub(super) out: usize,
    /// Rows that wait for another try.
    pub(super) delayed: usize,
    /// Rows whose answers are unclear; nothing is sent until they are cleared up.
    pub(super) unclear: Vec<RowId>,
    /// When those may be looked up: a late write should have arrived by then.
    pub(super) look_not_before: Duration,
    /// Members with a row out, waiting for another try or unclear.
    members: HashMap<MemberId, RowId>,
    /// Times of such rows whose member the list could not name.
    spans: HashMap<Span, RowId>,
    /// How many of the rows in memory belong to each step of the space.
    steps: [usize; STEPS],
}

impl Lane {
    pub(super) fn new(id: SpaceId, name: SpaceName, left: u64, buckets: SpaceBuckets, step: Step) -> Self {
        Lane {
            id,
            name,
            left,
            buckets,
            step,
            survey_due: false,
            is_completed: false,
            open: 0,
            rejected: 0,
            channel: None,
            leave_due: false,
            queue: VecDeque::new(),
            fed: None,
            feeding: false,
            rewinds: false,
            drained: false,
            held: 0,
            out: 0,
            delayed: 0,
            unclear: Vec::new(),
            look_not_before: Duration::ZERO,
            members: HashMap::new(),
            spans: HashMap::new(),
            steps: [0; STEPS],
        }
    }

    /// In what capacity a call is made for a row. Once a space is completed, chat.import is known to serve creating alone
    /// (import-data guide).
    pub(super) fn access(&self, operation: Operation, usual: Access) -> Access {
        match (usual, operation) {
            (Access::Import, Operation::Delete | Operation::Patch) if self.is_completed => Access::User,
            _ => usual,
        }
    }

    /// In what capacity it is listed.
    pub(super) fn listing_access(&self, usual: Access) -> Access {
        if usual == Access::Import && self.is_completed { Access::User } else { usual }
    }

    /// Rows have come into the journal that its cursor may be behind already: it begins at the first again.
    pub(super) fn rewind(&mut self) {
        (self.fed, self.drained) = (None, false);
        self.rewinds = self.feeding;
    }

    /// A row comes into memory.
    pub(super) fn enters(&mut self, job: &Job) {
        self.held += 1;
        self.steps[job.step() as usize] += 1;
    }

    /// A row of it is settled, or given back to the journal.
    pub(super) fn leaves(&mut self, job: &Job) {
        self.free(job);
        self.left -= 1;
        self.held -= 1;
        self.steps[job.step() as usize] -= 1;
    }

    /// Whether a row may leave now, as far as the lane is concerned.
    pub(super) fn may_send(&self) -> bool {
        matches!(self.step, Step::Sending)
            && !self.survey_due
            && self.unclear.is_empty()
            && !self.queue.is_empty()
    }

    /// Whether it has to be listed before anything more is sent: once everything else that is out has come back.
    pub(super) fn wants_look(&self) -> bool {
        matches!(self.step, Step::Sending) && self.out == 0 && !self.unclear.is_empty()
    }

    /// Whether what it held beforehand is to be found out now: once nothing of it is unclear.
    pub(super) fn wants_survey(&self) -> bool {
        matches!(self.step, Step::Sending) && self.survey_due && self.out == 0 && self.unclear.is_empty()
    }

    /// Whether it is being listed, or is to be before anything is sent to it.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.step, Step::Recovering | Step::Looking(_))
            || self.survey_due
            || !self.unclear.is_empty()
    }

    /// Whether it sends nothing before a call of another kind is answered.
    pub(super) fn is_held_up(&self) -> bool {
        self.is_listed() || !matches!(self.step, Step::Sending)
    }

    /// Whether it can take more rows from the journal. Rows that wait are in memory too, and must not become ever more.
    pub(super) fn wants_rows(&self) -> bool {
        matches!(self.step, Step::Sending)
            && !self.survey_due
            && self.queue.len() < QUEUE_LOW
            && self.held < HELD_MAX
            && !self.drained
            && !self.feeding
    }

    /// Whether nothing is left to do.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.step, Step::Sending)
            && self.drained
            && self.queue.is_empty()
            && self.out == 0
            && self.delayed == 0
            && self.unclear.is_empty()
    }

    /// The place in the queue of the first row that may leave: not while another row of the same member is out, and
    /// not while another row is out that a list could not tell from it.
    pub(super) fn next<'a>(&self, job: impl Fn(RowId) -> Option<&'a Job>) -> Option<usize> {
        self.queue.iter().take(LOOK_AHEAD).position(|id| job(*id).is_some_and(|job| self.is_free_for(job)))
    }

    fn is_free_for(&self, job: &Job) -> bool {
        if self.steps[..job.step() as usize].iter().any(|rows| *rows > 0) {
            return false;
        }
        let own = |holder: &RowId| *holder == job.id;
        self.members.get(&job.member).is_none_or(own)
            && (!is_told_by_times(job) || self.spans.get(&effective(job.span)).is_none_or(own))
    }

    /// A row leaves: its member and times are taken until it is settled.
    pub(super) fn claim(&mut self, job: &Job) {
        self.members.insert(job.member, job.id);
        if is_told_by_times(job) {
            self.spans.insert(effective(job.span), job.id);
        }
    }

    /// A row is settled.
    fn free(&mut self, job: &Job) {
        // One that never left has taken nothing.
        if self.members.get(&job.member) == Some(&job.id) {
            self.members.remove(&job.member);
        }
        let span = effective(job.span);
        if self.spans.get(&span) == Some(&job.id) {
            self.spans.remove(&span);
        }
    }
}

/// Whether a list can tell the row by nothing but its times. A member of today need not be told: the same call again
/// says whether they are there (create-members guide: 409).
fn is_told_by_times(job: &Job) -> bool {
    job.operation == Operation::Create && job.holder().is_none()
}

/// The times as Chat will list them.
fn effective(span: Span) -> Span {
    Span { create_time: span.start(), delete_time: span.delete_time }
}
