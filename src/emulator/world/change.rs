//! What a request changed: the entries of the store's log, from which a world can be built again.

use serde::{Deserialize, Serialize};

use crate::model::{Role, Timestamp};

/// One change of the world. Written as one line of JSON each, e.g. `{"deletedSpace":"spaces/AAAA"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// A space came to be or, when there is one of that name, has new properties.
    Space(SpaceRecord),
    /// A membership came to be.
    Membership(MembershipRecord),
    /// A current member has another role.
    Role(RoleRecord),
    /// Every membership of this name (`spaces/{space}/members/{member}`) is gone.
    DeletedMembership(String),
    /// A space left import mode.
    CompletedSpace(String),
    /// A space is gone for good.
    DeletedSpace(String),
}

impl Change {
    /// Whether a membership came to be, changed or went.
    pub fn is_of_membership(&self) -> bool {
        matches!(self, Change::Membership(_) | Change::Role(_) | Change::DeletedMembership(_))
    }
}

/// A space, as far as its memberships depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpaceRecord {
    /// `spaces/{space}`.
    pub name: String,
    /// As people see it; empty for none.
    pub display_name: String,
    /// `SPACE` or `GROUP_CHAT`.
    pub space_type: String,
    /// Whether it was created in import mode. Whether it still is, [`Change::CompletedSpace`] tells.
    pub import_mode: bool,
    /// The space's own `createTime`, backdated perhaps.
    #[serde(with = "time")]
    pub create_time: Timestamp,
    /// When `spaces.create` was called: the 90 days of import mode count from here.
    #[serde(with = "time")]
    pub created: Timestamp,
    /// The `requestId` of `spaces.create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The address of the person in whose name it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Whether people from outside the organisation may join.
    #[serde(default)]
    pub external_user_allowed: bool,
    /// `spaceDetails.description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A membership. With `delete_time` it is a historical one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MembershipRecord {
    /// `spaces/{space}/members/{member}`. Several stints of one member share it.
    pub name: String,
    /// `users/{id}`, `users/app` or `groups/{id}`.
    pub member: String,
    /// The address that the request named, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The role; groups have none.
    #[serde(default, with = "role", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When it began.
    #[serde(with = "time")]
    pub create_time: Timestamp,
    /// When it ended.
    #[serde(default, with = "maybe_time", skip_serializing_if = "Option::is_none")]
    pub delete_time: Option<Timestamp>,
    /// Whether it still has to be accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invited: bool,
}

/// The new role of a current member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRecord {
    /// `spaces/{space}/members/{member}`.
    pub name: String,
    /// The role.
    #[serde(with = "role")]
    pub role: Option<Role>,
}

mod time {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Timestamp::parse(&text, None).map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }
}

mod maybe_time {
    use serde::{Deserializer, Serializer};

    use crate::model::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.collect_str(time),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        super::time::deserialize(from).map(Some)
    }
}

mod role {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::Role;

    pub(super) fn serialize<S: Serializer>(role: &Option<Role>, to: S) -> Result<S::Ok, S::Error> {
        match role {
            Some(role) => to.serialize_str(role.as_str()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Role>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map(Some).map_err(|()| D::Error::custom(format!("{text:?} is no role")))
    }
}
