//! What can be wrong with an input, in words its user understands, and the list of it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::columns::Key;
use super::excerpt::Excerpt;
use crate::wording::disturbs;

/// Declares the kinds together with their stable names.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// What sort of problem it is. Names are stable: scripts and journals count by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind { $($(#[doc = $doc])+ $kind,)+ }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[ProblemKind] = &[$(ProblemKind::$kind,)+];

            /// The stable name, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self { $(ProblemKind::$kind => $name,)+ }
            }
        }
    };
}

kinds! {
    /// There is no such file.
    MissingFile = "missing-file",
    /// It is a folder.
    IsAFolder = "is-a-folder",
    /// It cannot be opened, or reading it failed.
    UnreadableFile = "unreadable-file",
    /// A gzip or zstd archive that is damaged or cut off.
    BrokenArchive = "broken-archive",
    /// No text: a ZIP archive, a workbook, or UTF-16 without a byte order mark.
    NotText = "not-text",
    /// Not one byte, or only a byte order mark.
    EmptyFile = "empty-file",
    /// A header, but no row below it.
    NoRows = "no-rows",
    /// A required column is not there.
    MissingColumn = "missing-column",
    /// One column stands twice, perhaps in both spellings.
    DoubledColumn = "doubled-column",
    /// A column's name is nearly one of ours: most likely a slip, so it is not passed over.
    SimilarColumn = "similar-column",
    /// A column without a name.
    UnnamedColumn = "unnamed-column",
    /// NUL bytes.
    NulByte = "nul-byte",
    /// A quoted field goes on after its closing quote.
    TextAfterQuote = "text-after-quote",
    /// A quoted field that never ends.
    UnclosedQuote = "unclosed-quote",
    /// A line (for CSV: a record) beyond the limit.
    LineTooLong = "line-too-long",
    /// An archive that unpacks to many times its size, or blank lines without end.
    EndlessText = "endless-text",
    /// More columns than any table of memberships has.
    TooManyColumns = "too-many-columns",
    /// A map that would fill the memory.
    MapTooLarge = "map-too-large",
    /// More or fewer fields than the header has.
    RaggedLine = "ragged-line",
    /// A line of empty fields.
    BlankRow = "blank-row",
    /// Bytes that are not UTF-8.
    NotUtf8 = "not-utf-8",
    /// A line that is not JSON.
    BrokenJson = "broken-json",
    /// XML that is broken, cut off, or declares what is not followed.
    BrokenXml = "broken-xml",
    /// JSON, but not an object.
    NotAnObject = "not-an-object",
    /// JSON nested beyond the limit.
    NestedTooDeep = "nested-too-deep",
    /// One JSON key stands twice, perhaps in both spellings.
    DoubledKey = "doubled-key",
    /// A JSON value of a type that its key cannot have.
    WrongType = "wrong-type",
    /// Two parts of one row say different things.
    Contradiction = "contradiction",
    /// A required value is empty or absent.
    MissingValue = "missing-value",
    /// Control characters, or U+FFFD where a character was lost.
    BadCharacter = "bad-character",
    /// No space name.
    BadSpace = "bad-space",
    /// No member name.
    BadMember = "bad-member",
    /// A space that the map of spaces does not have.
    UnknownSpace = "unknown-space",
    /// A user that the map of users does not have.
    UnknownUser = "unknown-user",
    /// No point in time.
    BadTime = "bad-time",
    /// A time of day that is nowhere in particular.
    TimeWithoutZone = "time-without-zone",
    /// A bare number where a time is expected.
    BareNumber = "bare-number",
    /// A time before 2000.
    TimeTooEarly = "time-too-early",
    /// A time that is still to come.
    TimeInFuture = "time-in-future",
    /// A `deleteTime` that is not after its `createTime`.
    TimesReversed = "times-reversed",
    /// A membership that has ended, for a space that takes members of today.
    Ended = "ended",
    /// Somebody who cannot be made a member in this capacity.
    CannotJoin = "cannot-join",
    /// No role that Chat knows.
    BadRole = "bad-role",
    /// A map that gives one key two values.
    MapConflict = "map-conflict",
    /// A row seen before with another role. Found by the loader.
    DuplicateWithOtherRole = "duplicate-with-other-role",
    /// Two stints of one member in one space that overlap. Found by the loader.
    Overlap = "overlap",
    /// Two stints that are to be merged and have different roles. Found by the loader.
    RolesDiffer = "roles-differ",
    /// A stint that would change history that was sent already. Found by the loader.
    HistorySent = "history-sent",
    /// A warning: a column that nothing is made of, and whose name says that something should be.
    UnreadColumn = "unread-column",
    /// A warning: a member with several stints in one space. Found by the loader.
    SeveralStints = "several-stints",
    /// A warning: history of somebody from outside the organisation.
    OutsideDomain = "outside-domain",
    /// A warning: a membership that begins before its space does.
    BeforeSpace = "before-space",
    /// A warning: a row for a space that Chat has deleted.
    ExpiredSpace = "expired-space",
    /// A warning: somebody who is still a member.
    OpenRow = "open-row",
    /// A warning: more members at a time than a space takes. Found by the loader.
    CrowdedSpace = "crowded-space",
}

impl ProblemKind {
    /// The column in which two rows do not go together, for kinds that are about two.
    pub const fn about(self) -> Option<Key> {
        match self {
            ProblemKind::Overlap | ProblemKind::HistorySent | ProblemKind::SeveralStints => {
                Some(Key::CreateTime)
            }
            ProblemKind::RolesDiffer => Some(Key::Role),
            _ => None,
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Characters of a value that a message shows.
pub const SHOWN_CHARS_MAX: usize = 80;

/// One thing that is wrong: where, what, why, and what to do.
///
/// Its `Display` is one line, `rows.csv:14: createTime "2021-13-05": it is not ...`; `{:#}` adds the help on a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it, or `<stdin>`.
    pub file: Arc<str>,
    /// The line it begins on, from 1; 0 when it concerns the file as a whole.
    pub line: u64,
    /// The column (CSV) or key (JSONL) as the input spells it, made printable and cut as the value is.
    pub column: Option<Cow<'static, str>>,
    /// The value, made printable and cut to [`SHOWN_CHARS_MAX`] characters.
    pub value: Option<String>,
    /// What sort it is.
    pub kind: ProblemKind,
    /// What is wrong, in plain words.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Reading this file cannot go on, not even when bad rows are to be skipped.
    pub fatal: bool,
    /// The line itself, around the value. Absent where the file is at fault as a whole, or cannot be read once more.
    pub excerpt: Option<Box<Excerpt>>,
}

impl Problem {
    /// A problem of a line (0: of the whole file).
    pub fn new(file: &Arc<str>, line: u64, kind: ProblemKind, message: impl Into<String>) -> Self {
        Problem {
            file: Arc::clone(file),
            line,
            column: None,
            value: None,
            kind,
            message: message.into(),
            help: None,
            fatal: false,
            excerpt: None,
        }
    }

    /// What is wrong, with the column, and with the value unless the line shows it.
    pub fn title(&self) -> String {
        match (&self.column, self.value.as_ref().filter(|_| self.excerpt.is_none())) {
            (Some(column), Some(value)) => format!("{column} \"{value}\": {}", self.message),
            (Some(column), None) => format!("{column}: {}", self.message),
            (None, Some(value)) => format!("\"{value}\": {}", self.message),
            (None, None) => self.message.clone(),
        }
    }

    /// Names the column.
    #[must_use]
    pub fn column(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.column = Some(if name.contains(disturbs) || name.len() > SHOWN_CHARS_MAX {
            printable(&name).into()
        } else {
            name
        });
        self
    }

    /// Names the column, if there is one.
    #[must_use]
    pub(super) fn in_column(self, name: Option<String>) -> Self {
        match name {
            Some(name) => self.column(name),
            None => self,
        }
    }

    /// Quotes the value.
    #[must_use]
    pub fn value(mut self, text: &str) -> Self {
        self.value = Some(printable(text));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Marks it as the end of this file.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(": ")?;
        match (&self.column, &self.value) {
            (Some(column), Some(value)) => write!(f, "{column} \"{value}\": ")?,
            (Some(column), None) => write!(f, "{column}: ")?,
            (None, Some(value)) => write!(f, "\"{value}\": ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) if f.alternate() => write!(f, "\n  help: {help}"),
            _ => Ok(()),
        }
    }
}

/// The text with everything that would disturb a terminal escaped, and cut to [`SHOWN_CHARS_MAX`] characters.
pub fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (position, c) in text.chars().enumerate() {
        if position == SHOWN_CHARS_MAX {
            shown.push('…');
            break;
        }
        // Bidirectional controls and invisible characters would make a value look like another.
        if disturbs(c) {
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_unlike() {
        let mut names: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b"-8".contains(&b))));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ProblemKind::ALL.len());
    }

    #[test]
    fn values_are_made_printable() {
        assert_eq!(printable("a\tb\u{202e}c\u{0}"), "a\\tb\\u{202e}c\\u{0}");
        assert_eq!(printable(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
        assert_eq!(printable(&"é".repeat(80)), "é".repeat(80));
    }
}
