//! What an engine asks of a journal, and what it answers: the same for the thread of a run and for a simulation.

use super::{Attribution, Change, Held, Journal, JournalError};
use crate::model::{Job, Prior, RowId, SpaceId};

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Make these changes durable.
    Write {
        /// Number of the batch: one more than the one before.
        batch: u64,
        /// The changes, in order.
        changes: Vec<Change>,
    },
    /// Give rows of a space to send.
    Pending {
        /// The space.
        space: SpaceId,
        /// The row behind which they begin.
        after: Option<Box<Job>>,
        /// How many at most.
        limit: usize,
    },
    /// Give the rows of a space whose answers are unknown.
    InFlight {
        /// The space.
        space: SpaceId,
        /// Whether to say which of them share their times with others that are not settled.
        alike: bool,
    },
    /// Say whose the listed memberships of a space are.
    Attribute {
        /// The space.
        space: SpaceId,
        /// As listed.
        listed: Vec<Held>,
    },
    /// Say whether Chat held beforehand what it has made now.
    Prior {
        /// For which row.
        row: RowId,
        /// In which space.
        space: SpaceId,
        /// As asked for, of whom Chat has answered.
        made: Held,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Every batch up to this one is durable.
    Written {
        /// Number of the batch.
        batch: u64,
    },
    /// Rows to send.
    Pending {
        /// Of which space.
        space: SpaceId,
        /// The rows; fewer than asked for when there are no more.
        jobs: Vec<Job>,
    },
    /// Rows whose answers are unknown.
    InFlight {
        /// Of which space.
        space: SpaceId,
        /// The rows.
        jobs: Vec<Job>,
        /// Those that share their times with others that are not settled, if that was asked.
        alike: Vec<RowId>,
    },
    /// Whose memberships the listed ones are.
    Attributed {
        /// In which space.
        space: SpaceId,
        /// In the order asked.
        attributions: Vec<Attribution>,
    },
    /// Whether Chat held beforehand what it has made.
    Prior {
        /// Which row it is.
        row: RowId,
        /// As asked.
        made: Held,
        /// The answer.
        prior: Prior,
    },
}

impl Journal {
    /// Does what is asked.
    ///
    /// # Errors
    /// When the journal cannot be read or written; of a batch that failed nothing is written.
    pub fn answer(&mut self, request: Request) -> Result<Reply, JournalError> {
        Ok(match request {
            Request::Write { batch, changes } => {
                self.apply(&changes)?;
                Reply::Written { batch }
            }
            Request::Pending { space, after, limit } => {
                Reply::Pending { space, jobs: self.pending(space, after.as_deref(), limit)? }
            }
            Request::InFlight { space, alike } => {
                let alike = if alike { self.alike(space)? } else { Vec::new() };
                Reply::InFlight { space, jobs: self.in_flight(space)?, alike }
            }
            Request::Attribute { space, listed } => {
                Reply::Attributed { space, attributions: self.attribute(space, listed)? }
            }
            Request::Prior { row, space, made } => {
                let prior = self.prior_of(space, &made.user, made.span)?;
                Reply::Prior { row, made, prior }
            }
        })
    }
}
