//! The words everything else is written in: names, times, roles, tenures, jobs. Pure values, no I/O.

mod job;
mod name;
mod names;
mod pace;
mod role;
mod tenure;
mod time;
mod undertaking;

pub use job::{Job, MemberId, Operation, Prior, RowId, SpaceId, Span, State};
pub use name::{MemberName, MembershipName, NameError, SpaceName};
pub use names::Names;
pub use pace::{Pace, PaceReason, SlowedSpace};
pub use role::Role;
pub use tenure::Tenure;
pub use time::{EARLIEST, TimeError, Timestamp};
pub use undertaking::Undertaking;
