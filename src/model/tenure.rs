//! One person's or group's time in one space.

use crate::model::{MemberName, Role, SpaceName, Timestamp};

/// People that a space of an organisation takes, at most (Chat help, limits of spaces).
pub const MEMBERS_MAX: u64 = 500_000;

/// A membership from `create_time` to `delete_time`: what one row of input says.
///
/// Two tenures with the same space, member and times are the same tenure; the role is no part of that. Where there are
/// millions, space and member are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure<S = SpaceName, M = MemberName> {
    /// The space.
    pub space: S,
    /// Who held the membership.
    pub member: M,
    /// When it began. Without it Chat takes `delete_time` minus 1 µs.
    pub create_time: Option<Timestamp>,
    /// When it ended. `None` is an open row: still a member.
    pub delete_time: Option<Timestamp>,
    /// The role to set once the space is completed.
    pub role: Option<Role>,
}
