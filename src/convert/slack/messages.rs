//! What a message of Slack tells about membership.

use serde::Deserialize;

use crate::convert::fact::{Fact, What};
use crate::convert::json::{Flag, Text, Texts};
use crate::model::Timestamp;

/// A message of a day file, as far as it matters. Its time is a decimal of seconds with six places, which tells it from
/// all others of its channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    subtype: Text,
    pub(super) user: Text,
    ts: Text,
    /// The time of the message that the thread hangs on: its own, if that is this one.
    thread_ts: Text,
    hidden: Flag,
    bot_id: Text,
    members: Texts,
    user_profile: Option<Author>,
}

/// Who wrote it, told along for people of other organisations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Author {
    real_name: Text,
    name: Text,
}

impl Message {
    /// What its author is called, where that is told along.
    pub(super) fn author_name(&self) -> Option<&str> {
        let author = self.user_profile.as_ref()?;
        author.real_name.get().or(author.name.get())
    }

    /// The fact that it tells; `channel` is the id of the channel that it is in.
    pub(super) fn fact<'a>(&'a self, channel: &'a str) -> Fact<'a> {
        let Some(time) = self.ts.get().and_then(|ts| Timestamp::parse_epoch_s(ts).ok()) else {
            return Fact::Ignored("messages without a time");
        };
        let event = |what| Fact::Event { channel, time, what };
        let of_user = |what: fn(&'a str) -> What<'a>| match self.user.get() {
            Some(user) => event(what(user)),
            None => Fact::Ignored("messages without an author"),
        };
        match self.subtype.get() {
            Some("channel_join" | "group_join") => of_user(What::Joined),
            Some("channel_leave" | "group_leave") => of_user(What::Left),
            Some("channel_archive" | "group_archive") => {
                event(What::Archived(self.members.0.as_deref().unwrap_or_default()))
            }
            Some("channel_unarchive" | "group_unarchive") => event(What::Unarchived),
            // The user of these is whoever installed the app.
            Some("bot_add" | "bot_remove" | "bot_enable" | "bot_disable") => {
                Fact::Ignored("notices of apps that came or went")
            }
            Some("bot_message") => Fact::Ignored("messages of apps"),
            Some("tombstone") => Fact::Ignored("placeholders of deleted messages"),
            None | Some("me_message" | "file_share" | "thread_broadcast" | "reply_broadcast") => {
                if self.hidden.0 {
                    Fact::Ignored("hidden messages")
                } else if self.bot_id.get().is_some() {
                    Fact::Ignored("messages of apps")
                } else if self.is_reply(time) {
                    of_user(What::Replied)
                } else {
                    of_user(What::Present)
                }
            }
            // Administrators do these without being members.
            Some(_) => {
                Fact::Ignored("notices that tell nothing of membership (topics, pins, renames and the like)")
            }
        }
    }

    /// Whether it hangs on another message; one that is shown in the channel, too, does all the same.
    fn is_reply(&self, time: Timestamp) -> bool {
        match self.thread_ts.get().map(Timestamp::parse_epoch_s) {
            Some(Ok(thread)) => thread != time,
            Some(Err(_)) | None => {
                matches!(self.subtype.get(), Some("thread_broadcast" | "reply_broadcast"))
            }
        }
    }
}
