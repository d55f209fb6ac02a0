//! What an engine asks of a journal, and what it answers: the same for the thread of a run and for a simulation.

use super::{Attribution, Change, Held, Journal, JournalError};
use crate::model::{Job, SpaceId};

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
    },
    /// Say whose the listed memberships of a space are.
    Attribute {
        /// The space.
        space: SpaceId,
        /// As listed.
        listed: Vec<Held>,
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
    },
    /// Whose memberships the listed ones are.
    Attributed {
        /// In which space.
        space: SpaceId,
        /// In the order asked.
        attributions: Vec<Attribution>,
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
            Request::InFlight { space } => Reply::InFlight { space, jobs: self.in_flight(space)? },
            Request::Attribute { space, listed } => {
                Reply::Attributed { space, attributions: self.attribute(space, listed)? }
            }
        })
    }
}
