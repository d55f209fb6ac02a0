//! The engine: which row is sent when, and what its answer means.
//!
//! `machine` is a state machine without I/O; `drive` is the loop around it that owns the journal's thread, the clock and
//! `workers`, the pool that makes the calls. Everything that decides is a pure function beside it: `retry`, `pacer`, `reconcile`, `lane`.

mod called;
mod drive;
mod event;
mod lane;
mod machine;
mod pacer;
mod reconcile;
mod repeats;
mod retry;
mod why;
mod workers;

pub use called::{CallLabel, CallOutcome, Called};
pub use drive::{DriveError, Observer, drive};
pub use event::{Event, SPACE_REFUSED, Snapshot, Stop};
pub use machine::{Completion, Config, Engine, Finish, For, Input, LATE_WRITE, Now, Output};
pub(crate) use pacer::{Bucket, ToldClock};
pub use pacer::{InFlight, Rates};
pub use retry::{again, stop_for};
