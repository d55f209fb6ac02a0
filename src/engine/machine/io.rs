//! What goes into the engine, and what comes out of it.

use std::time::Duration;

use crate::chat::{Access, Answer, Call, Failure};
use crate::engine::{Rates, Stop};
use crate::journal::{Reply, Request};
use crate::model::{MemberName, RowId, SpaceId, Timestamp};

/// What does not change during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// In what capacity calls are made.
    pub access: Access,
    /// Quotas.
    pub rates: Rates,
    /// The most requests under way at once.
    pub in_flight_max: usize,
    /// How long nothing but failures are borne.
    pub give_up_after: Duration,
    /// Whether an earlier process was cut off, so that requests of it may still arrive.
    pub cut_off: bool,
    /// Whether members of today get the roles that their rows name.
    pub sets_roles: bool,
    /// A display name that is taken gets a number behind it.
    pub suffixes: bool,
    /// Spaces are completed, if they are not yet.
    pub completion: Option<Completion>,
    /// How long requests under way may take to finish once the run is stopping.
    pub grace: Duration,
}

/// How spaces are completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The migrating account, if it is to leave each space when all is done there.
    pub leaves: Option<MemberName>,
    /// Whether it is to leave those too of which rows were refused.
    pub accepts_rejects: bool,
}

impl Completion {
    /// The options of `tenure complete` that ask for it.
    pub fn flags(&self) -> String {
        let leave = if self.leaves.is_some() { " --leave" } else { "" };
        let accept = if self.accepts_rejects { " --accept-rejects" } else { "" };
        format!("{leave}{accept}")
    }
}

/// The time: since the run began, for waiting, and on the wall, for writing down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the run began; never goes back.
    pub elapsed: Duration,
    /// The system's clock.
    pub wall: Timestamp,
}

/// On whose behalf a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// A row, which is durably in flight.
    Row(RowId),
    /// A space that is being listed.
    Space(SpaceId),
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// The journal's answer to [`Output::Journal`]; answers come in the order of the questions.
    Journal(Reply),
    /// Chat's answer to [`Output::Call`].
    Answered {
        /// To whose call.
        whose: For,
        /// The answer.
        result: Result<Answer, Failure>,
    },
    /// The run is to stop.
    Stop(Stop),
}

/// What goes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the journal, after everything that it was asked before.
    Journal(Request),
    /// Make this call, once.
    Call {
        /// On whose behalf.
        whose: For,
        /// The call.
        call: Call,
        /// In what capacity.
        access: Access,
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
