//! Request bodies, held against the resources of the discovery document before anything is read from them.

use serde_json::{Map, Value};

use super::query::snake;
use super::refusal::Refusal;
use crate::model::Timestamp;

/// A field of a resource: its JSON name and what it holds.
struct Field(&'static str, Kind);

enum Kind {
    Text,
    Bool,
    Time,
    Enum(&'static str, &'static [&'static str]),
    Message(&'static [Field]),
    /// A message whose inside does not matter here.
    Object,
}

const MEMBERSHIP: &[Field] = &[
    Field("name", Kind::Text),
    Field(
        "state",
        Kind::Enum("MembershipState", &["MEMBERSHIP_STATE_UNSPECIFIED", "JOINED", "INVITED", "NOT_A_MEMBER"]),
    ),
    Field(
        "role",
        Kind::Enum(
            "MembershipRole",
            &["MEMBERSHIP_ROLE_UNSPECIFIED", "ROLE_MEMBER", "ROLE_MANAGER", "ROLE_ASSISTANT_MANAGER"],
        ),
    ),
    Field("createTime", Kind::Time),
    Field("deleteTime", Kind::Time),
    Field(
        "affiliation",
        Kind::Enum("Affiliation", &["AFFILIATION_UNSPECIFIED", "INTERNAL", "EXTERNAL", "MANAGED_EXTERNAL"]),
    ),
    Field("groupMember", Kind::Message(&[Field("name", Kind::Text)])),
    Field(
        "member",
        Kind::Message(&[
            Field("name", Kind::Text),
            Field("displayName", Kind::Text),
            Field("domainId", Kind::Text),
            Field("email", Kind::Text),
            Field("avatarUrl", Kind::Text),
            Field("type", Kind::Enum("Type", &["TYPE_UNSPECIFIED", "HUMAN", "BOT"])),
            Field("isAnonymous", Kind::Bool),
        ]),
    ),
];

const SPACE: &[Field] = &[
    Field("name", Kind::Text),
    Field("type", Kind::Enum("Type", &["TYPE_UNSPECIFIED", "ROOM", "DM"])),
    Field(
        "spaceType",
        Kind::Enum("SpaceType", &["SPACE_TYPE_UNSPECIFIED", "SPACE", "GROUP_CHAT", "DIRECT_MESSAGE"]),
    ),
    Field("singleUserBotDm", Kind::Bool),
    Field("threaded", Kind::Bool),
    Field("displayName", Kind::Text),
    Field("externalUserAllowed", Kind::Bool),
    Field(
        "spaceThreadingState",
        Kind::Enum(
            "SpaceThreadingState",
            &[
                "SPACE_THREADING_STATE_UNSPECIFIED",
                "THREADED_MESSAGES",
                "GROUPED_MESSAGES",
                "UNTHREADED_MESSAGES",
            ],
        ),
    ),
    Field(
        "spaceDetails",
        Kind::Message(&[Field("description", Kind::Text), Field("guidelines", Kind::Text)]),
    ),
    Field(
        "spaceHistoryState",
        Kind::Enum("HistoryState", &["HISTORY_STATE_UNSPECIFIED", "HISTORY_OFF", "HISTORY_ON"]),
    ),
    Field("importMode", Kind::Bool),
    Field("createTime", Kind::Time),
    Field("lastActiveTime", Kind::Time),
    Field("importModeExpireTime", Kind::Time),
    Field("adminInstalled", Kind::Bool),
    Field("membershipCount", Kind::Object),
    Field("accessSettings", Kind::Object),
    Field("spaceUri", Kind::Text),
    Field("customer", Kind::Text),
    Field("predefinedPermissionSettings", Kind::Text),
    Field("permissionSettings", Kind::Object),
];

/// A body that has passed: every field is known and of its type.
#[derive(Debug)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    /// A `Membership`.
    ///
    /// # Errors
    /// 400 with every unknown field and every value of a wrong type.
    pub(crate) fn membership(bytes: &[u8]) -> Result<Body, Refusal> {
        Body::read(bytes, "membership", "google.chat.v1.Membership", MEMBERSHIP)
    }

    /// A `Space`.
    ///
    /// # Errors
    /// As for a membership.
    pub(crate) fn space(bytes: &[u8]) -> Result<Body, Refusal> {
        Body::read(bytes, "space", "google.chat.v1.Space", SPACE)
    }

    /// A body that has to be empty or `{}`.
    ///
    /// # Errors
    /// As for a membership.
    pub(crate) fn nothing(bytes: &[u8]) -> Result<Body, Refusal> {
        Body::read(bytes, "", "", &[])
    }

    fn read(bytes: &[u8], at: &str, message: &str, fields: &[Field]) -> Result<Body, Refusal> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Body(Map::new()));
        }
        let text = |problem: String| Refusal::bad_payload(vec![(String::new(), problem)]);
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| text(format!("Invalid JSON payload received. {error}")))?;
        let Value::Object(object) = value else {
            return Err(text("Invalid JSON payload received. Root element must be a message.".to_owned()));
        };
        let mut violations = Vec::new();
        check(&object, at, message, fields, &mut violations);
        if violations.is_empty() { Ok(Body(object)) } else { Err(Refusal::bad_payload(violations)) }
    }

    /// A text field, by its path, e.g. `["member", "name"]`. Empty is absent, as in protobuf.
    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// A bool field.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.at(&[name]).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A time field.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        Timestamp::parse(self.at(&[name])?.as_str()?, None).ok()
    }

    /// Whether a message or value is given at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.at(&[name]).is_some()
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let mut object = &self.0;
        let (last, parents) = path.split_last()?;
        for name in parents {
            object = field(object, name)?.as_object()?;
        }
        field(object, last)
    }
}

/// By its JSON name or, as protobuf's JSON mapping allows, its original one. `null` is absent.
fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.get(&snake(name))).filter(|value| !value.is_null())
}

fn check(
    object: &Map<String, Value>,
    at: &str,
    message: &str,
    fields: &[Field],
    violations: &mut Vec<(String, String)>,
) {
    for (name, value) in object {
        let known = fields
            .iter()
            .find(|Field(known, _)| known == name || name.contains('_') && snake(known) == *name);
        let Some(Field(_, kind)) = known else {
            let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
            let text =
                format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
            violations.push((at.to_owned(), text));
            continue;
        };
        if value.is_null() {
            continue;
        }
        let inner = || format!("{at}.{}", snake(name));
        let (fits, kind_name) = match kind {
            Kind::Text => (value.is_string(), "TYPE_STRING".to_owned()),
            Kind::Bool => (value.is_boolean(), "TYPE_BOOL".to_owned()),
            Kind::Object => (value.is_object(), "message".to_owned()),
            Kind::Time => (
                value.as_str().is_some_and(|text| Timestamp::parse(text, None).is_ok()),
                "type.googleapis.com/google.protobuf.Timestamp".to_owned(),
            ),
            Kind::Enum(kind, values) => (
                value.as_str().is_some_and(|text| values.contains(&text)),
                format!("type.googleapis.com/{message}.{kind}"),
            ),
            Kind::Message(fields) => match value.as_object() {
                Some(object) => {
                    check(object, &inner(), message, fields, violations);
                    (true, String::new())
                }
                None => (false, "message".to_owned()),
            },
        };
        if !fits {
            violations.push((inner(), format!("Invalid value at '{}' ({kind_name}), {value}", inner())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_spelling_of_a_field() {
        let body = br#"{"member":{"name":"users/1","type":"HUMAN"},"create_time":"2020-01-01T00:00:00Z","deleteTime":null,"role":""}"#;
        let refusal = Body::membership(body).unwrap_err();
        assert!(refusal.message.contains("Invalid value at 'membership.role'"), "{}", refusal.message);
        let body = Body::membership(&String::from_utf8_lossy(body).replace(r#","role":"""#, "").into_bytes())
            .unwrap();
        assert_eq!(body.text(&["member", "name"]), Some("users/1"));
        assert_eq!(body.time("createTime").map(|t| t.to_string()).as_deref(), Some("2020-01-01T00:00:00Z"));
        assert_eq!(body.time("deleteTime"), None);
    }

    #[test]
    fn unknown_fields_and_wrong_types() {
        for (body, message) in [
            (r#"{"joined":1}"#, "Unknown name \"joined\" at 'membership': Cannot find field."),
            (r#"{"member":{"id":"1"}}"#, "Unknown name \"id\" at 'membership.member': Cannot find field."),
            (r#"{"member":"users/1"}"#, "Invalid value at 'membership.member' (message), \"users/1\""),
            (
                r#"{"groupMember":{"name":7}}"#,
                "Invalid value at 'membership.group_member.name' (TYPE_STRING), 7",
            ),
            (
                r#"{"deleteTime":"yesterday"}"#,
                "'membership.delete_time' (type.googleapis.com/google.protobuf.Timestamp)",
            ),
            (
                r#"{"role":"ROLE_KING"}"#,
                "(type.googleapis.com/google.chat.v1.Membership.MembershipRole), \"ROLE_KING\"",
            ),
            ("[]", "Root element must be a message"),
            ("{", "Invalid JSON payload received."),
        ] {
            let refusal = Body::membership(body.as_bytes()).unwrap_err();
            assert!(refusal.message.contains(message), "{body}: {}", refusal.message);
        }
        assert!(
            Body::space(br#"{"importMode":true,"spaceType":"SPACE","spaceDetails":{"description":"d"}}"#)
                .is_ok()
        );
        assert!(Body::nothing(b" ").is_ok() && Body::nothing(b"{}").is_ok());
        assert!(Body::nothing(b"{\"a\":1}").unwrap_err().message.contains("Unknown name \"a\": Cannot find"));
    }
}
