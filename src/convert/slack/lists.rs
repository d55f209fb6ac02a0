//! The lists of a Slack export: `channels.json`, `groups.json`, `mpims.json`, `dms.json`, `users.json`, `org_users.json`.

use serde::Deserialize;

use crate::convert::fact::{ChannelFact, Gone, PersonFact, Standing};
use crate::convert::json::{Flag, Text, Texts};
use crate::model::Timestamp;

/// Slack's own account.
pub(super) const SLACKBOT: &str = "USLACKBOT";

/// 2013-01-01T00:00:00Z: Slack is not older, and DMs have placeholders such as 1 for a creation time.
const SLACK_BEGINS: Timestamp = Timestamp::from_micros(1_356_998_400_000_000);

/// A line of a list of channels. Times are seconds, as text in old exports; only `updated` is milliseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListedChannel {
    id: Text,
    name: Text,
    created: Text,
    creator: Text,
    updated: Text,
    is_archived: Flag,
    is_ext_shared: Flag,
    members: Texts,
    topic: Option<Said>,
    purpose: Option<Said>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    value: Text,
}

/// A line of a list of people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListedUser {
    id: Text,
    name: Text,
    real_name: Text,
    deleted: Flag,
    is_bot: Flag,
    is_restricted: Flag,
    is_ultra_restricted: Flag,
    is_stranger: Flag,
    updated: Text,
    profile: Option<Profile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    email: Text,
    real_name: Text,
}

/// The kinds of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Channels,
    GroupChats,
    Dms,
}

impl ListedChannel {
    /// The channel; `None` without an id.
    pub(super) fn fact(mut self, list: List, team: &str) -> Option<ChannelFact> {
        let id = self.id.take()?;
        let name = match list {
            // A direct message has its id for a name, and so has its folder.
            List::Dms => id.clone(),
            List::Channels | List::GroupChats => self.name.take().unwrap_or_else(|| id.clone()),
        };
        let seconds = |text: &Text| Timestamp::parse_epoch_s(text.get()?).ok();
        let millis = |text: &Text| Timestamp::parse_epoch_ms(text.get()?).ok();
        // Slack empties the list when it archives a channel; slackdump has written null for what it had not asked for.
        let roster = self.members.0.take().filter(|members| !(members.is_empty() && self.is_archived.0));
        let said = |said: &mut Option<Said>| said.as_mut().and_then(|said| said.value.take());
        Some(ChannelFact {
            id,
            name,
            team: team.to_owned(),
            fixed: list != List::Channels,
            created: seconds(&self.created).filter(|created| *created >= SLACK_BEGINS),
            description: said(&mut self.purpose).or_else(|| said(&mut self.topic)).unwrap_or_default(),
            creator: self.creator.take(),
            archived: self.is_archived.0,
            archived_by: millis(&self.updated).filter(|updated| *updated >= SLACK_BEGINS),
            roster,
            shared: self.is_ext_shared.0,
        })
    }
}

impl ListedUser {
    /// The person; `None` without an id.
    pub(super) fn fact(mut self) -> Option<PersonFact> {
        let id = self.id.take()?;
        let mut profile = self.profile.take().unwrap_or_default();
        let updated = self.updated.get().and_then(|text| Timestamp::parse_epoch_s(text).ok());
        let standing = if self.is_bot.0 || is_bot(&id) {
            Standing::Bot
        } else if self.is_stranger.0 {
            Standing::External
        } else if self.is_restricted.0 || self.is_ultra_restricted.0 {
            Standing::Guest
        } else {
            Standing::Member
        };
        let name = profile.real_name.take().or_else(|| self.real_name.take()).or_else(|| self.name.take());
        Some(PersonFact {
            id,
            name: name.unwrap_or_default(),
            address: profile.email.take(),
            standing,
            // Nothing says when; nothing was changed about the account since.
            gone: self.deleted.0.then(|| updated.map_or(Gone::Sometime, Gone::By)),
        })
    }
}

/// Whether an id is of a program, also where no list has it.
pub(super) fn is_bot(id: &str) -> bool {
    id == SLACKBOT || id.starts_with('B')
}
