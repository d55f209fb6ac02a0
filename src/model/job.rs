//! A row of the journal as the engine sees it: one operation on one membership.

use crate::model::{MemberName, MembershipName, Role, SpaceName, Timestamp};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A row of one journal.
    RowId
}
id! {
    /// A space of one journal.
    SpaceId
}
id! {
    /// A member, as named in the input, of one journal.
    MemberId
}

/// What is to be done with the membership that a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `spaces.members.create` of a membership that has ended, in a space in import mode.
    Create,
    /// `spaces.members.create` of a member of today, in a space that is not in import mode: without times.
    Add,
    /// `spaces.members.delete`. In a space in import mode that takes every stint of the member.
    Delete,
    /// `spaces.members.patch` of the role.
    Patch,
}

impl Operation {
    /// The journal's code for it.
    pub const fn code(self) -> i64 {
        match self {
            Operation::Create => 1,
            Operation::Add => 2,
            Operation::Delete => 3,
            Operation::Patch => 4,
        }
    }

    /// The operation of a code.
    pub const fn of_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Operation::Create),
            2 => Some(Operation::Add),
            3 => Some(Operation::Delete),
            4 => Some(Operation::Patch),
            _ => None,
        }
    }

    /// Whether the same call again does no harm and tells whether the first was applied. Of a historical membership only a
    /// list tells that.
    pub const fn is_told_by_repeating(self) -> bool {
        !matches!(self, Operation::Create)
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Still to be sent. No request of it can have been applied.
    Pending,
    /// Its request is about to leave, has left, or left before a crash: it may have been applied.
    InFlight,
    /// Chat holds it.
    Done,
    /// Refused for good, or never valid.
    Rejected,
    /// Has no end yet; waits until its space is completed.
    Open,
    /// Was rejected, and a mended row has taken its place: it is known, and counts no more.
    Replaced,
}

impl State {
    /// The journal's code for it.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The state of a code.
    pub const fn of_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(State::Pending),
            1 => Some(State::InFlight),
            2 => Some(State::Done),
            3 => Some(State::Rejected),
            4 => Some(State::Open),
            5 => Some(State::Replaced),
            _ => None,
        }
    }

    /// The name of its counter in the journal's `spaces` table and in `status --json`; what was replaced has none.
    pub const fn counter(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::InFlight => "in_flight",
            State::Done => "done",
            State::Rejected => "rejected",
            State::Open => "open",
            State::Replaced => "replaced",
        }
    }

    /// Whether it is not to be sent, and Chat was not seen to hold it.
    pub const fn is_refused(self) -> bool {
        matches!(self, State::Rejected | State::Replaced)
    }
}

/// The two ends of a membership, as sent to Chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// `createTime`; `None` leaves it to Chat.
    pub create_time: Option<Timestamp>,
    /// `deleteTime`; `None` for a membership that goes on.
    pub delete_time: Option<Timestamp>,
}

impl Span {
    /// When it begins in Chat's eyes: `createTime`, or 1 µs before `deleteTime` (import-data guide).
    pub fn start(self) -> Option<Timestamp> {
        self.create_time.or(self.delete_time.map(Timestamp::just_before))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.create_time {
            Some(time) => write!(f, "{time}")?,
            None => f.write_str("?")?,
        }
        match self.delete_time {
            Some(time) => write!(f, " .. {time}"),
            None => f.write_str(" .. today"),
        }
    }
}

/// Where in the input a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The number of its file in the journal.
    pub source: i64,
    /// Its line there.
    pub line: u64,
}

/// Whether Chat may hold a row's membership since before this journal's first call to the space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Prior {
    /// It cannot.
    #[default]
    No,
    /// It held one there with these times, or one without times, and whose that is is not known for certain; or one of
    /// the row's own member without times.
    Perhaps,
    /// It holds this very one.
    Held,
    /// It holds this very one more than once.
    HeldTwice,
}

/// A row that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The row.
    pub id: RowId,
    /// What to do.
    pub operation: Operation,
    /// Where.
    pub space: SpaceId,
    /// Where, by name.
    pub space_name: SpaceName,
    /// Whose membership.
    pub member: MemberId,
    /// Whose membership, by name.
    pub member_name: MemberName,
    /// The canonical `users/{id}` of the member, when Chat has told it already.
    pub user: Option<String>,
    /// From when to when.
    pub span: Span,
    /// The role it is to have, if the input names one.
    pub role: Option<Role>,
    /// The membership's name, once Chat has told it.
    pub membership: Option<MembershipName>,
    /// How often it has been marked in flight.
    pub attempts: u32,
    /// Where it stands in the input.
    pub origin: Origin,
    /// Whether Chat may hold it since before this journal's first call to the space.
    pub prior: Prior,
}

impl Job {
    /// The step of its space that it belongs to: rows of a later step wait until no row of an earlier one is left. Members
    /// are there before they get a role; managers are made before others lose theirs, and before anybody is removed, since
    /// the only manager cannot be (delete-members guide).
    pub fn step(&self) -> u8 {
        match (self.operation, self.role) {
            (Operation::Create | Operation::Add, _) => 0,
            (Operation::Patch, Some(Role::Manager)) => 1,
            (Operation::Patch, _) => 2,
            (Operation::Delete, _) => 3,
        }
    }

    /// The name of its membership in requests.
    pub fn membership_name(&self) -> MembershipName {
        let told = self.user.as_deref().and_then(|user| MemberName::parse(user).ok());
        self.membership.clone().unwrap_or_else(|| {
            MembershipName::of(self.space_name.clone(), told.as_ref().unwrap_or(&self.member_name))
        })
    }

    /// How Chat's lists name the row's member, `users/{id}` or `groups/{id}`, if that is known.
    pub fn holder(&self) -> Option<&str> {
        let name = &self.member_name;
        if name.is_group() {
            return Some(name.as_str());
        }
        self.user.as_deref().or_else(|| name.canonical_user())
    }
}
