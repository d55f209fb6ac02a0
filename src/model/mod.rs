//! The words everything else is written in: names, times, roles, tenures, jobs. Pure values, no I/O.

mod channel;
mod job;
mod name;
mod names;
mod pace;
mod role;
mod stints;
mod tenure;
mod time;
mod titles;
mod undertaking;

pub use channel::{Channel, ChannelJob, DISPLAY_NAME_CHARS_MAX, suffixed};
pub use job::{Job, MemberId, Operation, Origin, Prior, RowId, SpaceId, Span, State};
pub use name::{MemberName, MembershipName, NameError, SpaceName, is_unseen};
pub use names::Names;
pub use pace::{Pace, PaceReason, SlowedSpace, Why};
pub use role::Role;
pub use stints::{Policy, Stints};
pub use tenure::{MEMBERS_MAX, Tenure};
pub use time::{EARLIEST, TimeError, Timestamp};
pub use titles::{SpaceTitles, told, told_in};
pub use undertaking::Undertaking;
