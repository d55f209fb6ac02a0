//! What goes into the engine, and what comes out of it.

use std::time::Duration;

use crate::chat::{Call, Failure, Membership, Page};
use crate::engine::{Rates, Stop};
use crate::journal::{Attribution, Change, Held};
use crate::model::{Job, RowId, SpaceId, Timestamp};

/// What does not change during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Quotas.
    pub rates: Rates,
    /// The most requests under way at once.
    pub in_flight_max: usize,
    /// How long nothing but failures are borne.
    pub give_up_after: Duration,
    /// How long requests under way may take to finish once the run is stopping.
    pub grace: Duration,
}

/// The time: since the run began, for waiting, and on the wall, for writing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the run began; never goes back.
    pub elapsed: Duration,
    /// The system's clock.
    pub wall: Timestamp,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// The journal's answer to [`Output::Pending`].
    Pending {
        /// The space.
        space: SpaceId,
        /// The rows; fewer than asked for when there are no more.
        jobs: Vec<Job>,
    },
    /// The journal's answer to [`Output::InFlight`].
    InFlight {
        /// The space.
        space: SpaceId,
        /// The rows.
        jobs: Vec<Job>,
    },
    /// Every batch up to this one is durable.
    Written {
        /// Its number.
        batch: u64,
    },
    /// The journal's answer to [`Output::Attribute`].
    Attributed {
        /// The space.
        space: SpaceId,
        /// What it knows of each.
        attributions: Vec<Attribution>,
    },
    /// Chat's answer to [`Output::Create`].
    Created {
        /// The row.
        row: RowId,
        /// The answer.
        result: Result<Membership, Failure>,
    },
    /// Chat's answer to [`Output::List`].
    Listed {
        /// The space.
        space: SpaceId,
        /// The answer.
        result: Result<Page, Failure>,
    },
    /// The run is to stop.
    Stop(Stop),
}

/// What goes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Make these changes durable; answered by [`Input::Written`].
    Write {
        /// Number of the batch: one more than the one before.
        batch: u64,
        /// The changes, in order.
        changes: Vec<Change>,
    },
    /// Give rows to send.
    Pending {
        /// The space.
        space: SpaceId,
        /// The row behind which they begin.
        after: Option<Box<Job>>,
        /// How many at most.
        limit: usize,
    },
    /// Give the rows whose answers are unknown.
    InFlight {
        /// The space.
        space: SpaceId,
    },
    /// Say whose these memberships are.
    Attribute {
        /// The space.
        space: SpaceId,
        /// As listed.
        listed: Vec<Held>,
    },
    /// Make this call for a row, which is durably in flight.
    Create {
        /// The row.
        row: RowId,
        /// The call.
        call: Call,
    },
    /// Make this call for a space.
    List {
        /// The space.
        space: SpaceId,
        /// The call.
        call: Call,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// Every row that could be settled is.
    Complete,
    /// Before its end; it can be resumed.
    Stopped(Stop),
}
