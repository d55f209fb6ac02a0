//! Calls, and the requests they become.

use serde_json::{Value, json};

use crate::model::{MemberName, SpaceName, Span};

/// Import into import-mode spaces: the one scope that an import needs, and the only one it asks for, since a single
/// scope that was not delegated refuses the whole token.
pub const SCOPE_IMPORT: &str = "https://www.googleapis.com/auth/chat.import";

/// Page size of `members.list`: the most that Chat allows.
const PAGE_SIZE: &str = "1000";

/// One call of the Chat API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `spaces.members.create`.
    CreateMember {
        /// Where.
        space: SpaceName,
        /// Who.
        member: MemberName,
        /// From when to when.
        span: Span,
    },
    /// `spaces.members.list`, one page.
    ListMembers {
        /// Where.
        space: SpaceName,
        /// `nextPageToken` of the page before.
        page_token: Option<String>,
    },
}

/// What goes over the wire, but for the host and the token.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// HTTP method.
    pub method: &'static str,
    /// Path below the endpoint, without a leading slash.
    pub path: String,
    /// Query parameters, not yet escaped.
    pub query: Vec<(&'static str, String)>,
    /// JSON body.
    pub body: Option<Value>,
    /// The scope that its token needs.
    pub scope: &'static str,
}

impl Call {
    /// The request for it, as the reference of each method has it.
    pub fn request(&self) -> Request {
        match self {
            Call::CreateMember { space, member, span } => {
                let mut body = if member.is_group() {
                    json!({ "groupMember": { "name": member.as_str() } })
                } else {
                    let kind = if member.is_app() { "BOT" } else { "HUMAN" };
                    json!({ "member": { "name": member.as_str(), "type": kind } })
                };
                for (key, time) in [("createTime", span.create_time), ("deleteTime", span.delete_time)] {
                    if let Some(time) = time {
                        body[key] = Value::String(time.to_string());
                    }
                }
                Request {
                    method: "POST",
                    path: format!("v1/{space}/members"),
                    query: Vec::new(),
                    body: Some(body),
                    scope: SCOPE_IMPORT,
                }
            }
            Call::ListMembers { space, page_token } => {
                let mut query = vec![("pageSize", PAGE_SIZE.to_owned()), ("showGroups", "true".to_owned())];
                query.extend(page_token.iter().map(|token| ("pageToken", token.clone())));
                Request {
                    method: "GET",
                    path: format!("v1/{space}/members"),
                    query,
                    body: None,
                    scope: SCOPE_IMPORT,
                }
            }
        }
    }

    /// The method's name in Google's reference, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Call::CreateMember { .. } => "spaces.members.create",
            Call::ListMembers { .. } => "spaces.members.list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn create(member: &str) -> Request {
        let time = |text| Some(Timestamp::parse(text, None).unwrap());
        Call::CreateMember {
            space: SpaceName::parse("AAA").unwrap(),
            member: MemberName::parse(member).unwrap(),
            span: Span {
                create_time: time("2020-01-01T00:00:00Z"),
                delete_time: time("2021-01-01T00:00:00.5Z"),
            },
        }
        .request()
    }

    #[test]
    fn a_person_a_group_and_the_app() {
        let person = create("a@b.cd");
        assert_eq!((person.method, person.path.as_str()), ("POST", "v1/spaces/AAA/members"));
        assert_eq!(
            person.body.unwrap(),
            json!({
                "member": { "name": "users/a@b.cd", "type": "HUMAN" },
                "createTime": "2020-01-01T00:00:00Z",
                "deleteTime": "2021-01-01T00:00:00.500Z",
            })
        );
        assert_eq!(create("groups/g1").body.unwrap()["groupMember"], json!({ "name": "groups/g1" }));
        assert_eq!(create("users/app").body.unwrap()["member"]["type"], "BOT");
    }

    #[test]
    fn a_page() {
        let page =
            Call::ListMembers { space: SpaceName::parse("AAA").unwrap(), page_token: Some("t".to_owned()) }
                .request();
        assert_eq!(page.query.last(), Some(&("pageToken", "t".to_owned())));
        assert!(page.body.is_none());
    }
}
