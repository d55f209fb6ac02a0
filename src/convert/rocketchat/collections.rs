//! The collections of Rocket.Chat's database that tell of membership, as far as they do.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::values::{Addresses, Scalar};
use crate::convert::fact::{Gone, PersonFact, Standing};
use crate::convert::json::{Flag, Object, Text, Texts};

/// One of `users`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct User {
    #[serde(rename = "_id")]
    pub(super) id: Scalar,
    pub(super) username: Text,
    name: Text,
    emails: Addresses,
    #[serde(rename = "type")]
    kind: Text,
    /// Everybody is, unless it says no.
    active: Flag,
    roles: Texts,
    federated: Flag,
    #[serde(rename = "isRemote")]
    is_remote: Flag,
    #[serde(rename = "createdAt")]
    pub(super) created: Scalar,
    #[serde(rename = "_updatedAt")]
    updated: Scalar,
    /// The rooms that they are in, without direct messages; not every version keeps it up.
    #[serde(rename = "__rooms")]
    pub(super) rooms: Texts,
}

impl Default for User {
    fn default() -> Self {
        User {
            id: Scalar::default(),
            username: Text::default(),
            name: Text::default(),
            emails: Addresses::default(),
            kind: Text::default(),
            active: Flag(true),
            roles: Texts::default(),
            federated: Flag::default(),
            is_remote: Flag::default(),
            created: Scalar::default(),
            updated: Scalar::default(),
            rooms: Texts::default(),
        }
    }
}

impl User {
    /// The person.
    pub(super) fn fact(&self, id: &str) -> PersonFact {
        let roles = self.roles.0.as_deref().unwrap_or_default();
        let is = |kind: &str| self.kind.get() == Some(kind) || roles.iter().any(|role| role == kind);
        let standing = if is("bot") || is("app") {
            Standing::Bot
        } else if self.federated.0 || self.is_remote.0 {
            Standing::External
        } else if !roles.is_empty() && roles.iter().all(|role| role == "guest" || role == "anonymous") {
            // Whoever has another role besides is no guest to Rocket.Chat either.
            Standing::Guest
        } else {
            Standing::Member
        };
        PersonFact {
            id: id.to_owned(),
            name: self.name.get().or(self.username.get()).unwrap_or_default().to_owned(),
            address: self.emails.best().map(str::to_owned),
            standing,
            // Nothing says when; nothing was changed about the account since.
            gone: (!self.active.0).then(|| self.updated.time().map_or(Gone::Sometime, Gone::By)),
        }
    }
}

/// Whom a document names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    #[serde(rename = "_id")]
    pub(super) id: Scalar,
    pub(super) username: Text,
    pub(super) name: Text,
}

/// One of `rocketchat_room`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Room {
    #[serde(rename = "_id")]
    pub(super) id: Scalar,
    /// `c` public, `p` private, `d` direct, `l` and `v` live chat and calls.
    #[serde(rename = "t")]
    pub(super) kind: Text,
    pub(super) name: Text,
    /// The name that people see.
    pub(super) fname: Text,
    #[serde(rename = "u")]
    pub(super) creator: Object<Account>,
    #[serde(rename = "ts")]
    pub(super) created: Scalar,
    #[serde(rename = "_updatedAt")]
    pub(super) updated: Scalar,
    #[serde(rename = "usersCount")]
    pub(super) members: Scalar,
    pub(super) usernames: Texts,
    pub(super) uids: Texts,
    /// The room that it is a discussion of.
    pub(super) prid: Scalar,
    #[serde(rename = "teamId")]
    pub(super) team: Scalar,
    #[serde(rename = "teamMain")]
    pub(super) is_team: Flag,
    pub(super) archived: Flag,
    pub(super) federated: Flag,
    pub(super) description: Text,
    pub(super) topic: Text,
    pub(super) announcement: Text,
}

impl Room {
    /// What people call it.
    pub(super) fn title(&self) -> Option<&str> {
        self.fname.get().or(self.name.get())
    }
}

/// One of `rocketchat_subscription`: somebody who is a member of a room now, or is kept from it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Subscription {
    #[serde(rename = "rid")]
    pub(super) room: Scalar,
    #[serde(rename = "u")]
    pub(super) who: Object<Account>,
    /// Since when.
    #[serde(rename = "ts")]
    pub(super) time: Scalar,
    status: Text,
}

/// What a subscription says of whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Member,
    /// Was one since then, until the ban.
    Banned,
    Invited,
}

impl Subscription {
    pub(super) fn status(&self) -> Status {
        match self.status.get() {
            Some("INVITED") => Status::Invited,
            Some("BANNED") => Status::Banned,
            _ => Status::Member,
        }
    }
}

/// One of `rocketchat_message`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    #[serde(rename = "rid")]
    pub(super) room: Scalar,
    #[serde(rename = "ts")]
    pub(super) time: Scalar,
    #[serde(rename = "t")]
    kind: Text,
    /// Of notices about somebody: their username at that time.
    pub(super) msg: Text,
    #[serde(rename = "u")]
    pub(super) who: Object<Account>,
    /// What a message was before it was edited.
    #[serde(rename = "_hidden")]
    hidden: Flag,
    bot: Option<IgnoredAny>,
}

/// Whoever is invited is no member, and becomes none by refusing.
pub(super) const INVITATIONS: &str = "invitations";

/// A change of who is a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Joined,
    Left,
    /// A ban was lifted. Some versions make a member again of whoever was banned, others do not.
    Pardoned,
}

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Whose it is has changed.
    Own(Change),
    /// Whom its text names has changed.
    Of(Change),
    Archived,
    Unarchived,
    Written,
    Ignored(&'static str),
}

impl Message {
    /// What it means.
    pub(super) fn meaning(&self) -> Meaning {
        match self.kind.get() {
            // To a room, to a discussion, to a team.
            Some("uj" | "ut" | "ujt") => Meaning::Own(Change::Joined),
            Some("ul" | "ult") => Meaning::Own(Change::Left),
            Some("au" | "added-user-to-team") => Meaning::Of(Change::Joined),
            // Only members can be banned.
            Some("ru" | "removed-user-from-team" | "abac-removed-user-from-room" | "user-banned") => {
                Meaning::Of(Change::Left)
            }
            Some("user-unbanned") => Meaning::Of(Change::Pardoned),
            Some("ui" | "uir") => Meaning::Ignored(INVITATIONS),
            Some("room-archived") => Meaning::Archived,
            Some("room-unarchived") => Meaning::Unarchived,
            Some("rm") => Meaning::Ignored("placeholders of deleted messages"),
            None | Some("e2e") => {
                if self.hidden.0 {
                    Meaning::Ignored("earlier wordings of messages")
                } else if self.bot.is_some() {
                    Meaning::Ignored("messages of apps")
                } else {
                    Meaning::Written
                }
            }
            Some(_) => Meaning::Ignored(
                "notices that tell nothing of membership (topics, roles, renames and the like)",
            ),
        }
    }
}
