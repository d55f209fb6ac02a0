//! What an export says, one thing at a time: the words between readers and the reconstruction. Pure values.
//!
//! Ids are the legacy system's own, as texts. Nothing has to come in order, and everything may come twice; but where joins or
//! leaves are missing, they are found better the more what happened comes in the order in which it did.

use crate::model::Timestamp;

/// One thing that an export says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<'a> {
    /// A channel is there.
    Channel(ChannelFact),
    /// Somebody is known.
    Person(PersonFact),
    /// Something happened in a channel.
    Event {
        /// The channel's id.
        channel: &'a str,
        /// When.
        time: Timestamp,
        /// What.
        what: What<'a>,
    },
    /// Something was read and passed over; the text completes "3 …".
    Ignored(&'static str),
}

/// What happened in a channel; people are named by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// Somebody became a member, by whatever way.
    Joined(&'a str),
    /// Somebody is noted to have become a member by then; when, nobody has written down.
    JoinedBy(&'a str),
    /// Somebody stopped being one, by whatever way.
    Left(&'a str),
    /// Somebody did what only members do: mostly, wrote a message.
    Present(&'a str),
    /// Somebody answered in a thread, which people outside the channel may do, too.
    Replied(&'a str),
    /// Somebody was on the list of its members then.
    Listed(&'a str),
    /// The channel was archived. With who was a member then, where that is told; an empty list tells nothing.
    Archived(&'a [String]),
    /// It was taken out of the archive.
    Unarchived,
    /// It was in use, which tells nothing of anybody.
    InUse,
}

/// A channel, as its export describes it. Said more than once, later ones fill the gaps of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelFact {
    /// The legacy id.
    pub id: String,
    /// What it is called now.
    pub name: String,
    /// The workspace or team, told where two channels have one name.
    pub team: String,
    /// Whether it is a group chat or direct message: it has no name of its own, and who is in it never changes.
    pub fixed: bool,
    /// When it was created; `None` when that is not told.
    pub created: Option<Timestamp>,
    /// What it is about.
    pub description: String,
    /// The id of who created it.
    pub creator: Option<String>,
    /// Whether it is archived at the time of the export.
    pub archived: bool,
    /// A time by which it was archived, used when no event tells one.
    pub archived_by: Option<Timestamp>,
    /// The ids of its members at the time of the export; `None` when the export does not know them.
    pub roster: Option<Vec<String>>,
    /// Whether other organisations share it.
    pub shared: bool,
}

/// Somebody, as an export describes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonFact {
    /// The legacy id.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Their e-mail address.
    pub address: Option<String>,
    /// What they are.
    pub standing: Standing,
    /// Whether, and since when, they cannot sign in any more.
    pub gone: Option<Gone>,
}

/// What somebody is to the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Standing {
    /// One of its people.
    #[default]
    Member,
    /// Somebody from outside with an account of a narrower kind.
    Guest,
    /// Somebody of another organisation.
    External,
    /// A program.
    Bot,
}

impl Standing {
    /// The word in the column `memberKind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Member => "member",
            Standing::Guest => "guest",
            Standing::External => "external",
            Standing::Bot => "bot",
        }
    }
}

/// The end of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// At this time, as an event tells.
    At(Timestamp),
    /// At this time or before.
    By(Timestamp),
    /// At some time.
    Sometime,
}
