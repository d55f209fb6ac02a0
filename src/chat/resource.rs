//! Resources as Chat answers them: what this program reads of them, and all the rest as it came.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
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
    /// `HUMAN` or `BOT`; empty when not told, as of groups.
    pub kind: String,
    /// `JOINED`, `INVITED`, `NOT_A_MEMBER`, or whatever Google has added since; empty when not told.
    pub state: String,
    /// `ROLE_MEMBER` and its like; empty when not told.
    pub role: String,
    /// From when to when.
    pub span: Span,
    /// The resource, whole, as it came: JSON.
    pub resource: Box<str>,
}

/// What is read of a membership, without making a tree of all of it: there is one in each answer of a run.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default)]
    role: Text<'a>,
    #[serde(borrow)]
    member: Option<Holder<'a>>,
    #[serde(borrow)]
    group_member: Option<Holder<'a>>,
    #[serde(borrow, default)]
    create_time: Text<'a>,
    #[serde(borrow, default)]
    delete_time: Text<'a>,
}

#[derive(Deserialize)]
struct Holder<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    r#type: Text<'a>,
}

/// A text. Anything else is as good as not told.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text<'a> {
    Told(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
}

impl Default for Text<'_> {
    fn default() -> Self {
        Text::Other(IgnoredAny)
    }
}

impl Text<'_> {
    fn told(self) -> Option<String> {
        match self {
            Text::Told(text) => Some(text.into_owned()),
            Text::Other(_) => None,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Text::Told(text) => Timestamp::parse(text, None).ok(),
            Text::Other(_) => None,
        }
    }
}

impl Membership {
    /// Reads a resource. A time that cannot be read is as good as one that was not told.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn read(resource: &str) -> Result<Self, serde_json::Error> {
        if !resource.trim_start().starts_with('{') {
            // A list would be taken for the fields in their order.
            serde_json::from_str::<Map<String, Value>>(resource)?;
        }
        let told: Told<'_> = serde_json::from_str(resource)?;
        let (user, kind) = told.member.map(|member| (member.name.told(), member.r#type.told())).unzip();
        Ok(Membership {
            name: told.name.told().unwrap_or_default(),
            user: user.flatten(),
            group: told.group_member.and_then(|group| group.name.told()),
            kind: kind.flatten().unwrap_or_default(),
            state: told.state.told().unwrap_or_default(),
            role: told.role.told().unwrap_or_default(),
            span: Span { create_time: told.create_time.time(), delete_time: told.delete_time.time() },
            resource: resource.into(),
        })
    }

    /// Who holds it: the user, or else the group.
    pub fn holder(&self) -> Option<&str> {
        self.user.as_deref().or(self.group.as_deref())
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
