//! The tables of `realm.json`, as far as they matter: each row becomes something small, and only that is kept.
//!
//! Whatever a row refers to is a number; times are seconds since 1970 with a fraction.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::history::{Act, Entry};
use crate::convert::fact::{ChannelFact, PersonFact, Standing};
use crate::convert::json::{Flag, Number, Tables, Text, Told, elements};
use crate::model::Timestamp;

/// The role of guests (`UserProfile.ROLE_GUEST`).
const ROLE_GUEST: i64 = 600;

/// What stands before the name of a channel that is deactivated; before that, some characters that make it unique.
const DEACTIVATED: &str = "!DEACTIVATED:";

/// Everything of interest in it.
#[derive(Debug, Default)]
pub(super) struct Realm {
    pub(super) streams: Vec<ListedStream>,
    pub(super) users: Vec<ListedUser>,
    pub(super) recipients: Vec<Recipient>,
    pub(super) subscriptions: Vec<Subscription>,
    /// What the audit log tells of subscriptions.
    pub(super) log: Vec<Entry>,
    /// Channels that were deactivated (true) or brought back, and when.
    pub(super) archivings: Vec<(i64, Timestamp, bool)>,
    /// When accounts ended; the last time counts.
    pub(super) ends: HashMap<i64, Timestamp>,
    /// The tables that it has.
    pub(super) tables: HashSet<&'static str>,
    /// Entries of the log about subscriptions that lack what they have to tell.
    pub(super) unclear: u64,
}

/// A channel.
#[derive(Debug)]
pub(super) struct ListedStream {
    pub(super) id: i64,
    pub(super) recipient: Option<i64>,
    pub(super) fact: ChannelFact,
}

/// An account.
#[derive(Debug)]
pub(super) struct ListedUser {
    pub(super) id: i64,
    /// Whether it says that it has ended.
    pub(super) ended: bool,
    /// Whether it stands for somebody whom the export leaves out: then it always says that it has ended.
    pub(super) stand_in: bool,
    pub(super) fact: PersonFact,
}

/// Where messages go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipient {
    pub(super) id: i64,
    pub(super) kind: Kind,
    /// The number of the account or channel.
    pub(super) of: i64,
}

/// What a recipient is (`Recipient.PERSONAL`, `STREAM`, `DIRECT_MESSAGE_GROUP`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    Stream,
    Group,
}

/// A subscription as it is now. There is one for everybody who ever had one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription {
    pub(super) recipient: i64,
    pub(super) user: i64,
    pub(super) active: bool,
    /// Whether the account has not ended.
    pub(super) user_active: bool,
}

impl Tables for Realm {
    fn table<'de, D: Deserializer<'de>>(&mut self, name: &str, rows: D) -> Result<(), D::Error> {
        let known = TABLES.into_iter().find(|table| *table == name);
        let Some(table) = known else { return IgnoredAny::deserialize(rows).map(|_| ()) };
        self.tables.insert(table);
        match table {
            STREAMS => elements(rows, &mut |row: StreamRow| self.streams.extend(row.read())),
            USERS => elements(rows, &mut |row: UserRow| self.users.extend(row.read(Account::Own))),
            STAND_INS => elements(rows, &mut |row: UserRow| self.users.extend(row.read(Account::StandIn))),
            CROSS_REALM => elements(rows, &mut |row: UserRow| self.users.extend(row.read(Account::Zulip))),
            RECIPIENTS => elements(rows, &mut |row: RecipientRow| self.recipients.extend(row.read())),
            SUBSCRIPTIONS => {
                elements(rows, &mut |row: SubscriptionRow| self.subscriptions.extend(row.read()))
            }
            _ => elements(rows, &mut |row: LogRow| self.logged(&row)),
        }
    }
}

const STREAMS: &str = "zerver_stream";
const USERS: &str = "zerver_userprofile";
/// Whoever has not agreed to be exported, and people who have only ever written e-mails.
const STAND_INS: &str = "zerver_userprofile_mirrordummy";
const CROSS_REALM: &str = "zerver_userprofile_crossrealm";
const RECIPIENTS: &str = "zerver_recipient";
const SUBSCRIPTIONS: &str = "zerver_subscription";
pub(super) const LOG: &str = "zerver_realmauditlog";
const TABLES: [&str; 7] = [STREAMS, USERS, STAND_INS, CROSS_REALM, RECIPIENTS, SUBSCRIPTIONS, LOG];

#[derive(Default, Deserialize)]
#[serde(default)]
struct StreamRow {
    id: Number,
    name: Text,
    description: Text,
    deactivated: Flag,
    date_created: Text,
    creator: Number,
    recipient: Number,
}

impl StreamRow {
    fn read(mut self) -> Option<ListedStream> {
        let id = self.id.0?;
        let name = self.name.take().unwrap_or_default();
        let name = match name.split_once(DEACTIVATED) {
            Some((_, name)) if self.deactivated.0 => name.to_owned(),
            _ => name,
        };
        let fact = ChannelFact {
            id: id.to_string(),
            name,
            created: seconds(&self.date_created),
            description: self.description.take().unwrap_or_default(),
            creator: self.creator.0.map(|user| user.to_string()),
            archived: self.deactivated.0,
            ..ChannelFact::default()
        };
        Some(ListedStream { id, recipient: self.recipient.0, fact })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserRow {
    id: Number,
    email: Text,
    delivery_email: Text,
    full_name: Text,
    is_active: Told,
    is_bot: Flag,
    is_guest: Flag,
    role: Number,
}

/// Whose table an account is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Account {
    Own,
    StandIn,
    /// Zulip's own programs.
    Zulip,
}

impl UserRow {
    fn read(mut self, account: Account) -> Option<ListedUser> {
        let id = self.id.0?;
        let standing = if self.is_bot.0 || account == Account::Zulip {
            Standing::Bot
        } else if self.is_guest.0 || self.role.0 == Some(ROLE_GUEST) {
            Standing::Guest
        } else {
            Standing::Member
        };
        let address = [self.delivery_email.take(), self.email.take()].into_iter().flatten();
        Some(ListedUser {
            id,
            ended: self.is_active.0 == Some(false),
            stand_in: account == Account::StandIn,
            fact: PersonFact {
                id: id.to_string(),
                name: self.full_name.take().unwrap_or_default(),
                address: address.into_iter().find(|address| !is_made_up(address, id)),
                standing,
                gone: None,
            },
        })
    }
}

/// Whether an address only stands for one: `user12@…` where people hide theirs from each other, `deleteduser12@…`.
fn is_made_up(address: &str, id: i64) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    ["user", "deleteduser"].iter().any(|word| local.strip_prefix(word) == Some(&id.to_string()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RecipientRow {
    id: Number,
    r#type: Number,
    type_id: Number,
}

impl RecipientRow {
    fn read(self) -> Option<Recipient> {
        let kind = match self.r#type.0? {
            1 => Kind::Person,
            2 => Kind::Stream,
            3 => Kind::Group,
            _ => return None,
        };
        Some(Recipient { id: self.id.0?, kind, of: self.type_id.0? })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SubscriptionRow {
    recipient: Number,
    user_profile: Number,
    active: Told,
    is_user_active: Told,
}

impl SubscriptionRow {
    fn read(self) -> Option<Subscription> {
        Some(Subscription {
            recipient: self.recipient.0?,
            user: self.user_profile.0?,
            active: self.active.0 != Some(false),
            user_active: self.is_user_active.0 != Some(false),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LogRow {
    id: Number,
    event_time: Text,
    event_type: Text,
    backfilled: Flag,
    acting_user: Number,
    modified_user: Number,
    modified_stream: Number,
    event_last_message_id: Number,
}

impl Realm {
    fn logged(&mut self, row: &LogRow) {
        let Some(time) = seconds(&row.event_time) else { return };
        // Words are of Zulip before 2019. Of activity and settings the log has much more than of this.
        let act = match row.event_type.get() {
            Some("301" | "302" | "subscription_created" | "subscription_activated") if row.backfilled.0 => {
                Act::JoinedBy
            }
            Some("301" | "302" | "subscription_created" | "subscription_activated") => Act::Joined,
            Some("303" | "subscription_deactivated") => Act::Left,
            Some("103" | "106" | "107" | "user_deactivated") => {
                if let Some(user) = row.modified_user.0 {
                    let end = self.ends.entry(user).or_insert(time);
                    *end = time.max(*end);
                }
                return;
            }
            Some(kind @ ("602" | "604")) => {
                self.archivings.extend(row.modified_stream.0.map(|stream| (stream, time, kind == "602")));
                return;
            }
            _ => return,
        };
        let (Some(stream), Some(user)) = (row.modified_stream.0, row.modified_user.0) else {
            self.unclear += 1;
            return;
        };
        self.log.push(Entry {
            stream,
            user,
            id: row.id.0.unwrap_or_default(),
            last_message: row.event_last_message_id.0,
            time,
            act,
            by_oneself: row.acting_user.0 == Some(user),
        });
    }
}

/// A time as exports have it.
pub(super) fn seconds(text: &Text) -> Option<Timestamp> {
    Timestamp::parse_epoch_s(text.get()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_stand_for_one() {
        for (address, made_up) in [
            ("user12@zulip.example", true),
            ("deleteduser12@zulip.example", true),
            ("user13@zulip.example", false),
            ("user@zulip.example", false),
            ("user12x@zulip.example", false),
        ] {
            assert_eq!(is_made_up(address, 12), made_up, "{address}");
        }
    }
}
