//! The words everything else is written in: names, times, roles, tenures, jobs. Pure values, no I/O.

mod job;
mod name;
mod names;
mod role;
mod tenure;
mod time;

pub use job::{Job, MemberId, Operation, RowId, SpaceId, Span, State};
pub use name::{MemberName, MembershipName, NameError, SpaceName};
pub use names::Names;
pub use role::Role;
pub use tenure::Tenure;
pub use time::{EARLIEST, TimeError, Timestamp};
