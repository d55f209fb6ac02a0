//! The reason why a stream cannot go on, carried through `Read` inside an [`io::Error`].

use std::io;
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};

/// Why reading stopped. Found by an adapter deep in the chain of readers, shown by whoever knows file and columns.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) kind: ProblemKind,
    /// From 1; 0 when it concerns the file as a whole.
    pub(super) line: u64,
    /// The index of the CSV field.
    pub(super) field: Option<usize>,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

impl Fault {
    pub(crate) fn whole_file(kind: ProblemKind, message: impl Into<String>, help: &'static str) -> Self {
        Fault { kind, line: 0, field: None, message: message.into(), help }
    }

    /// Names the line that reading has come to, where the text itself is at fault there: what is wrong with an archive or a
    /// disk concerns the whole file.
    pub(super) fn on_line(mut self, line: u64) -> Self {
        if self.kind == ProblemKind::EndlessText {
            self.line = line;
        }
        self
    }

    pub(crate) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// The fault that an error carries.
    pub(crate) fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    /// Takes the fault out of an error; any other error comes from the disk or the pipe.
    pub(super) fn of(error: io::Error) -> Self {
        if let Some(fault) = Fault::within(&error) {
            return fault.clone();
        }
        Fault::whole_file(
            ProblemKind::UnreadableFile,
            format!("reading it failed: {error}"),
            "check the disk or the pipe it comes from, then try again",
        )
    }

    pub(super) fn problem(self, file: &Arc<str>) -> Problem {
        Problem::new(file, self.line, self.kind, self.message).help(self.help).fatal()
    }
}
