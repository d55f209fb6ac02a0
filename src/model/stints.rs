//! What is made of several stints of one member in one space, and of the history of those who are still members.

use std::fmt;
use std::str::FromStr;

/// What is made of several stints of one member in one space. Whether Chat takes them is documented nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Stints {
    /// Each is a membership.
    #[default]
    Each,
    /// One membership for them all, from the earliest start to the latest end.
    Merge,
}

impl Stints {
    /// As it is typed, and as the journal writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stints::Each => "each",
            Stints::Merge => "merge",
        }
    }
}

impl fmt::Display for Stints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stints {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Stints::Each, Stints::Merge].into_iter().find(|stints| stints.as_str() == text).ok_or(())
    }
}

/// What a journal makes of the history that its input holds: a property of the journal, whatever is typed later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Several stints of one member in one space.
    pub stints: Stints,
    /// Whether open rows also get their history until today.
    pub bridges: bool,
}

impl Policy {
    /// Whether rows may be made of anything but one line each.
    pub fn makes_parts(self) -> bool {
        self != Policy::default()
    }
}
