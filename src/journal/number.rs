//! The number of a row says where it belongs: rows lie in the journal as they are sent, space by space and member by
//! member, and those of one member in one space are found without an index.
//!
//! From the top: 21 bits for the space, 26 for the member, 16 for the stint. Space 0 is that of lines which are no rows.
//! In SQL the space is `id >> 42`, and the member `id >> 16 & 67108863`.

use super::JournalError;
use crate::model::{MemberId, RowId, SpaceId};

pub(super) const STINT_BITS: u32 = 16;
const MEMBER_BITS: u32 = 26;
const SPACE_BITS: u32 = 21;

/// Stints of one member in one space, at most.
pub(super) const STINTS_MAX: usize = (1 << STINT_BITS) - 1;

/// The numbers that rows may have, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Numbers {
    /// Those of all rows of a space.
    pub(super) const fn of_space(space: SpaceId) -> Self {
        let first = space.0 << (MEMBER_BITS + STINT_BITS);
        Numbers { first, last: first | ((1 << (MEMBER_BITS + STINT_BITS)) - 1) }
    }

    /// Those of one member in a space.
    pub(super) const fn of_member(space: SpaceId, member: MemberId) -> Self {
        let first = Numbers::of_space(space).first | (member.0 << STINT_BITS);
        Numbers { first, last: first | STINTS_MAX as i64 }
    }

    /// Those of lines that are no rows.
    pub(super) const INVALID: Numbers = Numbers::of_space(SpaceId(0));

    /// The space and the member that a row's number names.
    pub(super) const fn parts(row: i64) -> (SpaceId, MemberId) {
        let member = (row >> STINT_BITS) & ((1 << MEMBER_BITS) - 1);
        (SpaceId(row >> (MEMBER_BITS + STINT_BITS)), MemberId(member))
    }

    /// The row of a stint, counted from 1.
    pub(super) const fn stint(self, stint: usize) -> RowId {
        RowId(self.first + stint as i64)
    }
}

/// Refuses more than can be numbered.
///
/// # Errors
/// [`JournalError::TooMany`].
pub(super) fn expect_room(spaces: i64, members: i64) -> Result<(), JournalError> {
    if spaces >= 1 << SPACE_BITS {
        return Err(JournalError::TooMany { what: "spaces", most: (1 << SPACE_BITS) - 1 });
    }
    if members >= 1 << MEMBER_BITS {
        return Err(JournalError::TooMany { what: "members", most: (1 << MEMBER_BITS) - 1 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_what_they_name() {
        let of = |space, member| Numbers::of_member(SpaceId(space), MemberId(member));
        let ends =
            [of(1, 1), of(1, 2), of(1, (1 << MEMBER_BITS) - 1), of(2, 1), of((1 << SPACE_BITS) - 1, 1)];
        for pair in ends.windows(2) {
            assert!(pair[0].last < pair[1].first);
        }
        assert_eq!(Numbers::parts(of(7, 9).stint(3).0), (SpaceId(7), MemberId(9)));
        assert_eq!(Numbers::parts(ends[4].last), (SpaceId((1 << SPACE_BITS) - 1), MemberId(1)));
        assert!(Numbers::INVALID.last < of(1, 0).first && Numbers::INVALID.first == 0);
        assert!(expect_room((1 << SPACE_BITS) - 1, (1 << MEMBER_BITS) - 1).is_ok());
        assert!(expect_room(1 << SPACE_BITS, 1).is_err() && expect_room(1, 1 << MEMBER_BITS).is_err());
    }
}
