//! Exit codes: a part of the contract, since scripts read them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All done.
    Done,
    /// Failed.
    Failed,
    /// Wrong usage.
    Usage,
    /// Done, but rows were rejected.
    Rejects,
    /// The input has errors; nothing was sent.
    BadInput,
    /// Stopped before the end; can be resumed.
    Stopped,
    /// Stopped by a signal (its number); can be resumed.
    Signal(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Rejects => 3,
            Exit::BadInput => 4,
            Exit::Stopped => 5,
            Exit::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
