//! Holding what Chat lists against what the journal says.
//!
//! [`compare`] is a function of values: what the journal knows of one space ([`Known`]), and what Chat lists there
//! ([`Listed`]), become [`Compared`]. `history` does it for a space in import mode, whose list shows memberships that
//! have ended; `present` for one that is completed or was never in import mode, whose list shows who is in it today.
//! `report` writes what came out, for people and for programs. All of that is pure; `look` reads the lists, at the pace
//! that `pace` keeps.
//!
//! Nothing is concluded from what Google does not document. What a list may leave open (whose a membership is, when it
//! began) ends in "cannot be told", and a report says what it cannot see.

mod finding;
mod history;
mod look;
mod pace;
mod present;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::chat::{Access, Membership};
use crate::journal::{FoundBefore, Holding};
use crate::model::{Role, Span, Timestamp};

pub use finding::{Compared, Counts, Finding, Kind};
pub use look::{Looker, Outcome, Patience};
pub use pace::ReadPace;
pub use report::{
    About, CSV_COLUMNS, CheckedSpace, Ending, Report, SpaceOutcome, csv_records, in_short, json_end,
    json_space, kept, next_command, text,
};

/// What a space's list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Memberships that have ended: the space is in import mode.
    History,
    /// Who is a member today: the import was completed by this time, if that is known.
    Completed(Option<Timestamp>),
    /// Who is a member today of a space that was never in import mode.
    Standard,
}

impl View {
    /// Whether it is about members of today.
    pub fn is_present(self) -> bool {
        self != View::History
    }
}

/// Whom a list leaves out, whatever it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Chat apps.
    pub apps: bool,
    /// Those who are invited and have not come yet.
    pub invited: bool,
}

impl LeftOut {
    /// By a list in this capacity (reference: spaces.members.list).
    pub fn by(access: Access) -> Self {
        LeftOut { apps: matches!(access, Access::Admin | Access::App), invited: access == Access::App }
    }
}

/// What the journal knows of one space.
#[derive(Debug, Clone)]
pub struct Known {
    /// What the space's list shows.
    pub view: View,
    /// Its rows.
    pub rows: Vec<Holding>,
    /// What Chat held before the journal's first call to it.
    pub found: Vec<FoundBefore>,
    /// What the input calls those of whom the list shows who have no row in this space.
    pub names: HashMap<String, String>,
    /// When the journal was begun.
    pub begun_at: Timestamp,
    /// Whom the list leaves out.
    pub left_out: LeftOut,
    /// Those, as the input names them, who were asked for by address and are no members.
    pub not_members: HashSet<Box<str>>,
    /// Whether whoever completed the import has left the space since.
    pub completer_left: bool,
}

impl Known {
    /// Whose membership has to be asked for by address (`spaces.members.get`), since the list does not tell who is who:
    /// what the input calls them.
    pub fn to_ask_for(&self, listed: &[Listed]) -> Vec<Box<str>> {
        present::to_ask_for(self, listed)
    }

    /// Chat has told the ids of some, by what the input calls them; `None` for those who are no members.
    pub fn told(&mut self, ids: &HashMap<Box<str>, Option<Box<str>>>) {
        for row in self.rows.iter_mut().filter(|row| row.user.is_none()) {
            match ids.get(&row.member) {
                Some(Some(id)) => row.user = Some(id.clone()),
                Some(None) => {
                    self.not_members.insert(row.member.clone());
                }
                None => {}
            }
        }
    }
}

/// The role of a membership, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedRole {
    /// None is told: so it is with groups, and with who has not accepted yet.
    Untold,
    /// One of those that an input may ask for.
    Known(Role),
    /// One that Google has added since.
    Other(Box<str>),
}

impl ListedRole {
    /// Reads the API's spelling.
    pub fn read(text: &str) -> Self {
        match text.parse() {
            Ok(role) => ListedRole::Known(role),
            Err(()) if text.is_empty() || text == "MEMBERSHIP_ROLE_UNSPECIFIED" => ListedRole::Untold,
            Err(()) => ListedRole::Other(text.into()),
        }
    }

    /// The API's spelling; empty when it is not told.
    pub fn as_str(&self) -> &str {
        match self {
            ListedRole::Untold => "",
            ListedRole::Known(role) => role.as_str(),
            ListedRole::Other(text) => text,
        }
    }
}

/// A membership that Chat lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who: canonical `users/{id}`, `users/app` or `groups/{id}`.
    pub holder: Box<str>,
    /// From when to when, as far as the list tells.
    pub span: Span,
    /// The role.
    pub role: ListedRole,
    /// Whether they have yet to accept.
    pub invited: bool,
    /// Whether it is a Chat app's.
    pub app: bool,
}

impl Listed {
    /// What of a resource matters here.
    pub fn read(membership: &Membership) -> Self {
        Listed {
            holder: membership.holder().unwrap_or(&membership.name).into(),
            span: membership.span,
            role: ListedRole::read(&membership.role),
            invited: membership.state == "INVITED",
            app: membership.kind == "BOT",
        }
    }
}

/// In an order that is the same however Chat lists them: it lists in none.
fn ordered(listed: &[Listed]) -> Vec<&Listed> {
    let mut ordered: Vec<&Listed> = listed.iter().collect();
    let rest = |one: &Listed| (one.span.create_time, one.span.delete_time, one.invited, one.app);
    ordered.sort_by(|one, other| {
        (&one.holder, rest(one), one.role.as_str()).cmp(&(&other.holder, rest(other), other.role.as_str()))
    });
    ordered
}

/// Holds a space's list against what the journal knows of it.
pub fn compare(known: &Known, listed: &[Listed]) -> Compared {
    match known.view {
        View::History => history::compare(known, listed),
        View::Completed(_) | View::Standard => present::compare(known, listed),
    }
}

/// How far the looking is, for those who watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looking {
    /// Spaces looked at.
    pub spaces: u64,
    /// How many there are.
    pub spaces_total: u64,
    /// Memberships listed so far.
    pub listed: u64,
    /// Differences found so far.
    pub differences: u64,
}
