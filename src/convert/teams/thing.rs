//! What answers of Graph consist of, as far as it matters. Which kind of thing one is, its own fields tell.
//!
//! The export tool of Teams (TeamsDataExport) writes the same things with keys that begin with capitals.

use serde::Deserialize;

use super::ids::Context;
use crate::convert::json::{Text, Texts, Told};

/// Anything: a message, a channel, a member, a person, ….
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Thing {
    #[serde(alias = "Id", alias = "GroupsId")]
    pub(super) id: Text,
    #[serde(rename = "@odata.type")]
    pub(super) odata_type: Text,
    #[serde(alias = "CreatedDateTime")]
    pub(super) created_date_time: Text,
    #[serde(alias = "DisplayName", alias = "Name")]
    pub(super) display_name: Text,
    #[serde(alias = "Description")]
    pub(super) description: Text,
    #[serde(alias = "WebUrl")]
    pub(super) web_url: Text,

    // Messages.
    #[serde(alias = "MessageType")]
    pub(super) message_type: Text,
    #[serde(alias = "ChatId")]
    pub(super) chat_id: Text,
    #[serde(alias = "ChannelIdentity")]
    pub(super) channel_identity: Option<ChannelIdentity>,
    #[serde(alias = "From")]
    pub(super) from: Option<Author>,
    #[serde(alias = "EventDetail")]
    pub(super) event_detail: Option<EventDetail>,
    pub(super) replies: Option<Vec<Thing>>,

    // Chats and channels.
    pub(super) chat_type: Text,
    pub(super) topic: Text,
    pub(super) members: Option<Vec<Thing>>,
    #[serde(alias = "MembershipType")]
    pub(super) membership_type: Text,
    #[serde(alias = "IsArchived")]
    pub(super) is_archived: Told,

    // Teams.
    pub(super) internal_id: Text,
    #[serde(alias = "Privacy")]
    pub(super) visibility: Text,

    // People, and members.
    #[serde(alias = "UserPrincipalName")]
    pub(super) user_principal_name: Text,
    #[serde(alias = "Mail")]
    pub(super) mail: Text,
    pub(super) user_type: Text,
    pub(super) account_enabled: Told,
    #[serde(alias = "UserId")]
    pub(super) user_id: Text,
    #[serde(alias = "UserName")]
    pub(super) user_name: Text,
    pub(super) email: Text,
    pub(super) roles: Texts,
    #[serde(rename = "Role")]
    pub(super) role: Text,
}

/// The channel that a message is in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ChannelIdentity {
    #[serde(alias = "TeamId")]
    pub(super) team_id: Text,
    #[serde(alias = "ChannelId")]
    pub(super) channel_id: Text,
}

/// Who wrote a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Author {
    #[serde(alias = "User")]
    pub(super) user: Option<Identity>,
}

/// Somebody.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Identity {
    #[serde(alias = "Id")]
    pub(super) id: Text,
    #[serde(alias = "DisplayName")]
    pub(super) display_name: Text,
    #[serde(alias = "UserIdentityType")]
    pub(super) user_identity_type: Text,
}

/// What a system message tells.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct EventDetail {
    #[serde(rename = "@odata.type")]
    pub(super) odata_type: Text,
    pub(super) members: Option<Vec<Identity>>,
    pub(super) channel_id: Text,
    pub(super) channel_display_name: Text,
    pub(super) chat_display_name: Text,
    pub(super) team_display_name: Text,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Chat,
    Channel,
    Member,
    Person,
    Team,
    Unknown,
}

impl Thing {
    /// What it is: by its own fields, else by what its page is of.
    pub(super) fn kind(&self, context: &Context) -> Kind {
        let has = |text: &Text| text.get().is_some();
        if has(&self.message_type) || self.event_detail.is_some() || self.channel_identity.is_some() {
            Kind::Message
        } else if has(&self.chat_type) {
            Kind::Chat
        } else if has(&self.membership_type) {
            Kind::Channel
        } else if self.odata_type.get().is_some_and(|name| name.ends_with("ConversationMember"))
            || (has(&self.user_id) && (self.roles.0.is_some() || has(&self.user_name)))
        {
            Kind::Member
        } else if has(&self.user_principal_name) || has(&self.user_type) {
            Kind::Person
        } else if has(&self.internal_id) || has(&self.visibility) {
            Kind::Team
        } else {
            match context.of.as_str() {
                "channels" | "allChannels" => Kind::Channel,
                "chats" => Kind::Chat,
                "teams" | "groups" => Kind::Team,
                "users" => Kind::Person,
                "messages" => Kind::Message,
                _ => Kind::Unknown,
            }
        }
    }
}

/// The name of a type without what is before it: `#microsoft.graph.` mostly, and others at times.
pub(super) fn type_name(odata_type: &Text) -> Option<&str> {
    odata_type.get()?.rsplit(['.', '#']).next()
}
