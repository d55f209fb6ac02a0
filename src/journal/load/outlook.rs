//! What there would be to do after a reading.

use super::Compared;

/// What there would be to do after a reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Rows to send, by the number of their space less 1.
    pub pending: Vec<u64>,
    /// Rows that wait for their space's completion.
    pub open: u64,
    /// Spaces that rows name.
    pub spaces: u64,
    /// How many more members have several stints in one space than before it,
    pub several_more: i64,
    /// and how many more stints are behind the first.
    pub stints_more: i64,
    /// How many more rows are merged into others,
    pub merged_more: i64,
    /// members of this reading with such rows,
    pub merged_members: u64,
    /// and how many more open rows have got their history.
    pub bridged_more: i64,
    /// Open rows of this reading that can have none, for want of a beginning,
    pub unbridged: u64,
    /// and `file:line` of the first of them.
    pub unbridged_at: Option<String>,
    /// Rows that were mended from rejects and have given another role to rows that were in order,
    pub overruled: u64,
    /// and `file:line` of the first of them.
    pub overruled_at: Option<String>,
    /// New rows of this reading that say what they replace, where no reject stands that could be,
    pub unplaced: u64,
    /// and `file:line` of the first of them.
    pub unplaced_at: Option<String>,
    /// Where some of this reading's members with several stints have their second one.
    pub several_at: Vec<SeveralAt>,
    /// Members of this reading that stay, by the number of their space less 1.
    pub staying: Vec<u64>,
    /// How many of them are to have a role.
    pub staying_with_role: u64,
    /// What there would be to send by each policy, where that was asked for.
    pub compared: Option<Compared>,
}

/// A second stint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralAt {
    /// Path of its file.
    pub path: String,
    /// Its line.
    pub line: u64,
    /// The space's name.
    pub space: String,
    /// The member's name.
    pub member: String,
}

/// As many second stints as are shown or named anywhere.
pub(super) const SEVERAL_AT_MAX: usize = 16;

impl Outlook {
    /// Rows to send.
    pub fn to_send(&self) -> u64 {
        self.pending.iter().sum()
    }

    /// Members with several stints in one space, and their stints behind the first; `before` the reading there were these.
    pub fn several(&self, members_before: u64, stints_before: u64) -> (u64, u64) {
        let more = |before: u64, more| before.saturating_add_signed(more);
        (more(members_before, self.several_more), more(stints_before, self.stints_more))
    }
}
