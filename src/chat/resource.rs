//! Resources as Chat answers them: what this program reads of them, and all the rest as it came.

use serde_json::{Map, Value};

use crate::model::{Span, Timestamp};

/// A Membership. Enum values that are unknown here are kept as they are, and so are unknown fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// `spaces/{space}/members/{member}`.
    pub name: String,
    /// Canonical `users/{id}`, when the member is a person or an app.
    pub user: Option<String>,
    /// `groups/{id}`, when the member is a group.
    pub group: Option<String>,
    /// From when to when.
    pub span: Span,
    /// The resource, whole.
    pub resource: Map<String, Value>,
}

impl Membership {
    /// Reads a resource. A time that cannot be read is as good as one that was not told.
    pub fn read(resource: Map<String, Value>) -> Self {
        let time = |key| Timestamp::parse(resource.get(key)?.as_str()?, None).ok();
        let holder = |key: &str| Some(resource.get(key)?.get("name")?.as_str()?.to_owned());
        Membership {
            name: text(&resource, "name").to_owned(),
            user: holder("member"),
            group: holder("groupMember"),
            span: Span { create_time: time("createTime"), delete_time: time("deleteTime") },
            resource,
        }
    }

    /// Who holds it: the user, or else the group.
    pub fn holder(&self) -> Option<&str> {
        self.user.as_deref().or(self.group.as_deref())
    }

    /// `JOINED`, `INVITED`, `NOT_A_MEMBER`, or whatever Google has added since; empty when not told.
    pub fn state(&self) -> &str {
        text(&self.resource, "state")
    }

    /// `ROLE_MEMBER` and its like; empty when not told.
    pub fn role(&self) -> &str {
        text(&self.resource, "role")
    }
}

/// A Space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Space {
    /// `spaces/{space}`.
    pub name: String,
    /// What people call it; empty when not told.
    pub display_name: String,
    /// Whether it is in import mode.
    pub import_mode: bool,
    /// When it began.
    pub create_time: Option<Timestamp>,
    /// When it will be deleted if it is still in import mode then.
    pub import_mode_expire_time: Option<Timestamp>,
    /// The resource, whole.
    pub resource: Map<String, Value>,
}

impl Space {
    /// Reads a resource.
    pub fn read(resource: Map<String, Value>) -> Self {
        let time = |key| Timestamp::parse(resource.get(key)?.as_str()?, None).ok();
        Space {
            name: text(&resource, "name").to_owned(),
            display_name: text(&resource, "displayName").to_owned(),
            import_mode: resource.get("importMode").and_then(Value::as_bool).unwrap_or(false),
            create_time: time("createTime"),
            import_mode_expire_time: time("importModeExpireTime"),
            resource,
        }
    }
}

fn text<'a>(resource: &'a Map<String, Value>, key: &str) -> &'a str {
    resource.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A page of `members.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The memberships.
    pub memberships: Vec<Membership>,
    /// Where the next page begins; `None` after the last.
    pub next_page_token: Option<String>,
}

/// A page of `spaces.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpacePage {
    /// The spaces.
    pub spaces: Vec<Space>,
    /// Where the next page begins; `None` after the last.
    pub next_page_token: Option<String>,
}
