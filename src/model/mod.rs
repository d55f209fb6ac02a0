//! The words everything else is written in: names, times, roles, and the tenure itself.
//! Pure values, no I/O.

mod name;
mod role;
mod tenure;
mod time;

pub use name::{MemberName, NameError, SpaceName};
pub use role::Role;
pub use tenure::Tenure;
pub use time::{EARLIEST, TimeError, Timestamp};
