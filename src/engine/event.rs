//! What the engine tells those who watch: one event a thing worth telling, and a snapshot of where it stands.

use std::time::Duration;

use crate::chat::{NotOffered, Refusal};
use crate::credentials::TokenFailure;
use crate::journal::{Calls, Note};
use crate::model::{Job, Pace, SpaceName};

/// The kind of a reject whose space was refused as a whole.
pub const SPACE_REFUSED: &str = "SPACE_REFUSED";

/// Why a run stops before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked: Ctrl-C, SIGTERM.
    Asked,
    /// The journal's file or its `-wal` is not where it was, or was cut short.
    JournalGone,
    /// There is no access token, and asking again does not help.
    NoToken(TokenFailure),
    /// The API has no such call.
    NotOffered(NotOffered),
    /// 401 with a fresh token.
    Unauthorized(String),
    /// Something that every call needs is missing: the scope, the API, the Chat app.
    NotSetUp(Box<Refusal>),
    /// Not one space could be reached.
    EverySpaceRefused {
        /// One of them.
        space: SpaceName,
        /// The kind of refusal, e.g. `PERMISSION_DENIED`.
        kind: String,
        /// What Chat said.
        story: String,
        /// How many were tried.
        spaces: usize,
    },
    /// Whoever asks may not create spaces.
    NoSpaceCreated {
        /// What Chat said.
        story: String,
    },
    /// Nothing but failures for too long.
    GaveUp {
        /// How long.
        after: Duration,
        /// The last of them.
        last: String,
        /// Whether that was the quota's doing.
        throttled: bool,
    },
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A row is settled as done.
    Done {
        /// The row.
        job: Job,
        /// Whether Chat had it before.
        existed: bool,
    },
    /// A row is settled as refused.
    Rejected {
        /// The row.
        job: Job,
        /// Why.
        note: Note,
    },
    /// A row will be tried again.
    Retry {
        /// The row.
        job: Job,
        /// After how long.
        wait: Duration,
        /// What went wrong.
        story: String,
    },
    /// Chat answered 429: writes (or reads) wait.
    Throttled {
        /// The one space that is slowed, if it is not the project.
        space: Option<SpaceName>,
        /// For how long.
        wait: Duration,
    },
    /// There is no network, or no token to be had: all writes (or reads) wait.
    Unreachable {
        /// For how long.
        wait: Duration,
        /// What happened.
        story: String,
    },
    /// Answers were unclear; the space is listed before anything more is sent to it.
    Looking {
        /// The space.
        space: SpaceName,
        /// How many rows.
        rows: usize,
    },
    /// Chat refuses a space; its rows are rejected.
    SpaceRefused {
        /// The space.
        space: SpaceName,
        /// How many rows.
        rows: u64,
        /// What Chat said.
        story: String,
    },
    /// A channel has become a space.
    Created {
        /// What the channel is called.
        name: String,
        /// The space.
        space: SpaceName,
    },
    /// Chat refuses to make a channel a space.
    NotCreated {
        /// What the channel is called.
        name: String,
        /// What Chat said.
        story: String,
    },
    /// A space is not in import mode any more.
    Completed {
        /// The space.
        space: SpaceName,
        /// How many members of today are to be added now.
        rows: u64,
    },
    /// Chat refuses to complete a space.
    NotCompleted {
        /// The space.
        space: SpaceName,
        /// What Chat said.
        story: String,
    },
    /// The migrating account has left a space, or stays in it.
    Left {
        /// The space.
        space: SpaceName,
        /// Why it stays, if it does.
        stays: Option<String>,
    },
    /// The run is stopping.
    Stopping {
        /// Why.
        stop: Stop,
        /// Requests that are still under way.
        under_way: usize,
    },
}

/// Where the engine stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Distinct rows of the journal.
    pub total: u64,
    /// Held by Chat.
    pub done: u64,
    /// Refused for good.
    pub rejected: u64,
    /// Waiting for their space's completion.
    pub open: u64,
    /// Requests that are under way.
    pub under_way: usize,
    /// Rows that wait for another try.
    pub waiting: usize,
    /// Calls of this run.
    pub calls: Calls,
    /// How much longer all writes wait, if they do.
    pub paused: Duration,
    /// Whether that is for the quota, rather than for the network.
    pub throttled: bool,
    /// Whether Chat itself has asked for that wait (`Retry-After`).
    pub asked_to_wait: bool,
    /// Spaces that are listed before anything more is sent to them.
    pub listing: usize,
    /// The most requests that may be under way at once.
    pub under_way_max: usize,
    /// How long Chat has taken to answer lately; zero before the first answer.
    pub answer_time: Duration,
    /// How fast writes leave, and why; a second old at most.
    pub pace: Pace,
    /// How many calls have failed since the last that succeeded; one that a quota has refused has not failed.
    pub failures_in_a_row: u32,
}

impl Snapshot {
    /// Rows that this kind of run can settle: everything but the open ones.
    pub fn goal(&self) -> u64 {
        self.total - self.open
    }

    /// Rows settled.
    pub fn settled(&self) -> u64 {
        self.done + self.rejected
    }
}
