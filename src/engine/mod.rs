//! The engine: which row is sent when, and what its answer means.
//!
//! `core` is a state machine without I/O; `drive` is the loop around it that owns the journal's thread, the calls and
//! the clock. Everything that decides is a pure function beside it: `retry`, `pacer`, `reconcile`, `lane`.

mod core;
mod drive;
mod event;
mod lane;
mod pacer;
mod reconcile;
mod retry;

pub use self::core::{Config, Engine, Finish, Input, Now, Output};
pub use drive::{DriveError, Observer, drive};
pub use event::{Event, Snapshot, Stop};
pub use pacer::Rates;
pub use reconcile::{Finding, Unclear, reconcile, relevant};
pub use retry::{Verdict, backoff, decide};
