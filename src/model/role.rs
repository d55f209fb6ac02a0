//! Membership roles, spelled as Google spells them.

use std::fmt;
use std::str::FromStr;

/// What a member may do in a space (`Membership.role` in the Chat API reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// An ordinary member.
    Member,
    /// "Owner" in Chat's user interface.
    Manager,
    /// "Manager" in Chat's user interface.
    AssistantManager,
}

impl Role {
    /// Every role that an input may name.
    pub const ALL: [Role; 3] = [Role::Member, Role::Manager, Role::AssistantManager];

    /// The API's spelling, e.g. `ROLE_MANAGER`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Member => "ROLE_MEMBER",
            Role::Manager => "ROLE_MANAGER",
            Role::AssistantManager => "ROLE_ASSISTANT_MANAGER",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ();

    /// Accepts exactly the API's spelling: a role is never guessed.
    fn from_str(text: &str) -> Result<Self, ()> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}
