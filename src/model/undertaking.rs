//! What the rows of a journal are for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Operation;

/// What the rows of a journal are for; as `status --json` has it under `operation`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undertaking {
    /// Memberships are created.
    #[default]
    Import,
    /// An import that is being taken back.
    Rollback,
    /// Memberships are deleted.
    Remove,
    /// Roles are changed.
    Update,
    /// Channels become spaces.
    Spaces,
}

impl Undertaking {
    /// Every undertaking.
    pub const ALL: [Undertaking; 5] = [
        Undertaking::Import,
        Undertaking::Rollback,
        Undertaking::Remove,
        Undertaking::Update,
        Undertaking::Spaces,
    ];

    /// Its name, that of the command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Undertaking::Import => "import",
            Undertaking::Rollback => "rollback",
            Undertaking::Remove => "remove",
            Undertaking::Update => "update",
            Undertaking::Spaces => "spaces create",
        }
    }

    /// What is to be done with those that are left.
    pub const fn verb(self) -> &'static str {
        match self {
            Undertaking::Import | Undertaking::Update => "send",
            Undertaking::Rollback | Undertaking::Remove => "delete",
            Undertaking::Spaces => "create",
        }
    }

    /// What becomes of one of its rows.
    pub const fn noun(self) -> &'static str {
        match self {
            Undertaking::Spaces => "space",
            _ => "row",
        }
    }

    /// What is to be done with a row of its input; `standard` says whether the spaces are not in import mode.
    pub const fn operation(self, standard: bool) -> Operation {
        match self {
            Undertaking::Import if standard => Operation::Add,
            Undertaking::Import | Undertaking::Spaces => Operation::Create,
            Undertaking::Rollback | Undertaking::Remove => Operation::Delete,
            Undertaking::Update => Operation::Patch,
        }
    }

    /// Whether what is done is gone from Chat.
    pub const fn removes(self) -> bool {
        matches!(self, Undertaking::Remove | Undertaking::Rollback)
    }
}

impl fmt::Display for Undertaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Undertaking {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Undertaking::ALL.into_iter().find(|undertaking| undertaking.as_str() == text).ok_or(())
    }
}
