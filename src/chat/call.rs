//! Calls, and the requests they become.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Access, Method, NotOffered};
use crate::credentials::Need;
use crate::model::{MemberName, MembershipName, Role, SpaceName, Span, Timestamp};

/// The largest page of `members.list` and `spaces.list` (API reference).
pub const PAGE_SIZE_MAX: u32 = 1000;

/// One call of the Chat API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `spaces.members.create`.
    CreateMember {
        /// Where.
        space: SpaceName,
        /// Who.
        member: MemberName,
        /// From when to when; a space that is not in import mode takes neither.
        span: Span,
    },
    /// `spaces.members.list`, one page.
    ListMembers {
        /// Where.
        space: SpaceName,
        /// Which, and how many.
        listing: Listing,
        /// `nextPageToken` of the page before.
        page_token: Option<String>,
    },
    /// `spaces.members.get`.
    GetMember(MembershipName),
    /// `spaces.members.patch`: the role is all that can be changed.
    PatchMember(MembershipName, Role),
    /// `spaces.members.delete`.
    DeleteMember(MembershipName),
    /// `spaces.create`.
    CreateSpace(Box<NewSpace>),
    /// `spaces.get`.
    GetSpace(SpaceName),
    /// `spaces.list`, one page.
    ListSpaces {
        /// At most so many.
        page_size: u32,
        /// `nextPageToken` of the page before.
        page_token: Option<String>,
    },
    /// `spaces.patch`: a new name.
    PatchSpace {
        /// Which.
        space: SpaceName,
        /// Its new `displayName`.
        display_name: String,
    },
    /// `spaces.delete`.
    DeleteSpace(SpaceName),
    /// `spaces.completeImport`; cannot be undone.
    CompleteImport(SpaceName),
}

/// Which members a list is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Memberships a page, 1 to [`PAGE_SIZE_MAX`].
    pub page_size: u32,
    /// Google's filter language, e.g. `role = "ROLE_MANAGER"`.
    pub filter: Option<String>,
    /// Groups too.
    pub groups: bool,
    /// Those too who have been invited and have not come yet.
    pub invited: bool,
}

impl Listing {
    /// Every membership that an import can have made, in as few pages as possible.
    pub fn whole() -> Self {
        Listing { page_size: PAGE_SIZE_MAX, filter: None, groups: true, invited: false }
    }

    /// An administrator has to say that apps are not asked for (API reference).
    fn filter_for(&self, access: Access) -> Option<String> {
        const NO_APPS: &str = "member.type != \"BOT\"";
        match &self.filter {
            None => (access == Access::Admin).then(|| NO_APPS.to_owned()),
            Some(filter) if access == Access::Admin && !filter.contains("type") => {
                Some(format!("({filter}) AND {NO_APPS}"))
            }
            filter => filter.clone(),
        }
    }
}

/// A space that is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSpace {
    /// The same id creates the same space only once.
    pub request_id: String,
    /// Up to 128 characters, unique in the organisation.
    pub display_name: String,
    /// `SPACE` or `GROUP_CHAT`.
    pub space_type: String,
    /// Whether memberships of the past are to be imported into it.
    pub import_mode: bool,
    /// When it began, in import mode; between 2000-01-01 and now.
    pub create_time: Option<Timestamp>,
    /// Whether people from outside may join; can only be set here.
    pub external_user_allowed: bool,
    /// What it is about.
    pub description: Option<String>,
}

/// A body; it displays as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body<'a> {
    /// Of `members.create`: made for every row, so there is no tree of values in between.
    Membership(NewMembership<'a>),
    /// Of all others.
    Other(Value),
}

impl std::fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

/// A membership that is to be created (API reference, `Membership`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMembership<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_member: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_time: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
}

/// What goes over the wire, but for the host and the token.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// HTTP method.
    pub method: &'static str,
    /// Path below the endpoint, without a leading slash, escaped.
    pub path: String,
    /// Query parameters, not yet escaped.
    pub query: Vec<(&'static str, String)>,
    /// JSON body.
    pub body: Option<Body<'a>>,
    /// What its token has to be good for.
    pub need: Need,
}

impl Call {
    /// The request for it, as the reference of each method has it.
    ///
    /// # Errors
    /// When the API offers no such call in that capacity.
    pub fn request(&self, access: Access) -> Result<Request<'_>, NotOffered> {
        let need = access.need(self.method(), self.is_about_own_app())?;
        let mut query = Vec::new();
        let (method, path, body) = match self {
            Call::CreateMember { space, member, span } => {
                ("POST", format!("{space}/members"), Some(new_membership(member, *span)))
            }
            Call::ListMembers { space, listing, page_token } => {
                query.push(("pageSize", listing.page_size.to_string()));
                query.extend(listing.filter_for(access).map(|filter| ("filter", filter)));
                for (name, shown) in [("showGroups", listing.groups), ("showInvited", listing.invited)] {
                    if shown {
                        query.push((name, "true".to_owned()));
                    }
                }
                query.extend(page_token.iter().map(|token| ("pageToken", token.clone())));
                ("GET", format!("{space}/members"), None)
            }
            Call::GetMember(name) => ("GET", path_of(name), None),
            Call::PatchMember(name, role) => {
                query.push(("updateMask", "role".to_owned()));
                ("PATCH", path_of(name), Some(Body::Other(json!({ "role": role.as_str() }))))
            }
            Call::DeleteMember(name) => ("DELETE", path_of(name), None),
            Call::CreateSpace(space) => {
                query.push(("requestId", space.request_id.clone()));
                ("POST", "spaces".to_owned(), Some(Body::Other(new_space(space))))
            }
            Call::GetSpace(space) => ("GET", space.to_string(), None),
            Call::ListSpaces { page_size, page_token } => {
                query.push(("pageSize", page_size.to_string()));
                query.extend(page_token.iter().map(|token| ("pageToken", token.clone())));
                ("GET", "spaces".to_owned(), None)
            }
            Call::PatchSpace { space, display_name } => {
                query.push(("updateMask", "displayName".to_owned()));
                ("PATCH", space.to_string(), Some(Body::Other(json!({ "displayName": display_name }))))
            }
            Call::DeleteSpace(space) => ("DELETE", space.to_string(), None),
            Call::CompleteImport(space) => {
                ("POST", format!("{space}:completeImport"), Some(Body::Other(json!({}))))
            }
        };
        if access == Access::Admin {
            query.push(("useAdminAccess", "true".to_owned()));
        }
        Ok(Request { method, path: format!("v1/{path}"), query, body, need })
    }

    /// The method of the API that it calls.
    pub fn method(&self) -> Method {
        match self {
            Call::CreateMember { .. } => Method::MembersCreate,
            Call::ListMembers { .. } => Method::MembersList,
            Call::GetMember(_) => Method::MembersGet,
            Call::PatchMember(..) => Method::MembersPatch,
            Call::DeleteMember(_) => Method::MembersDelete,
            Call::CreateSpace(_) => Method::SpacesCreate,
            Call::GetSpace(_) => Method::SpacesGet,
            Call::ListSpaces { .. } => Method::SpacesList,
            Call::PatchSpace { .. } => Method::SpacesPatch,
            Call::DeleteSpace(_) => Method::SpacesDelete,
            Call::CompleteImport(_) => Method::CompleteImport,
        }
    }

    /// The method's name in Google's reference, for messages.
    pub fn name(&self) -> &'static str {
        self.method().as_str()
    }

    /// Whether making it twice comes to the same as making it once.
    pub fn is_repeatable(&self) -> bool {
        match self {
            Call::ListMembers { .. } | Call::GetMember(_) | Call::GetSpace(_) | Call::ListSpaces { .. } => {
                true
            }
            // It says what is to be, and `spaces.create` carries a request id.
            Call::PatchMember(..) | Call::PatchSpace { .. } | Call::CreateSpace(_) => true,
            Call::CreateMember { .. }
            | Call::DeleteMember(_)
            | Call::DeleteSpace(_)
            | Call::CompleteImport(_) => false,
        }
    }

    /// Whether it is about the calling app's own membership, which has a scope of its own.
    fn is_about_own_app(&self) -> bool {
        match self {
            Call::CreateMember { member, .. } => member.is_app(),
            Call::GetMember(name) | Call::PatchMember(name, _) | Call::DeleteMember(name) => name.is_app(),
            _ => false,
        }
    }
}

/// What may stand in a path as it is: unreserved characters (RFC 3986, 2.3), and `@`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

fn path_of(name: &MembershipName) -> String {
    format!("{}/members/{}", name.space(), utf8_percent_encode(name.member(), SEGMENT))
}

fn new_membership(member: &MemberName, span: Span) -> Body<'_> {
    let name = member.as_str();
    let (person, group) = if member.is_group() {
        (None, Some(Named { name, r#type: None }))
    } else {
        (Some(Named { name, r#type: Some(if member.is_app() { "BOT" } else { "HUMAN" }) }), None)
    };
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    Body::Membership(NewMembership {
        member: person,
        group_member: group,
        create_time: text(span.create_time),
        delete_time: text(span.delete_time),
    })
}

fn new_space(space: &NewSpace) -> Value {
    let mut body = Map::new();
    body.insert("spaceType".to_owned(), json!(space.space_type));
    if !space.display_name.is_empty() {
        body.insert("displayName".to_owned(), json!(space.display_name));
    }
    if space.import_mode {
        body.insert("importMode".to_owned(), json!(true));
    }
    if let Some(time) = space.create_time {
        body.insert("createTime".to_owned(), json!(time.to_string()));
    }
    if space.external_user_allowed {
        body.insert("externalUserAllowed".to_owned(), json!(true));
    }
    if let Some(description) = &space.description {
        body.insert("spaceDetails".to_owned(), json!({ "description": description }));
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{Actor, Scope};

    fn create(member: &str) -> Call {
        let time = |text| Some(Timestamp::parse(text, None).unwrap());
        Call::CreateMember {
            space: SpaceName::parse("AAA").unwrap(),
            member: MemberName::parse(member).unwrap(),
            span: Span {
                create_time: time("2020-01-01T00:00:00Z"),
                delete_time: time("2021-01-01T00:00:00.5Z"),
            },
        }
    }

    fn body(call: &Call) -> Value {
        serde_json::to_value(call.request(Access::Import).unwrap().body).unwrap()
    }

    #[test]
    fn a_person_a_group_and_the_app() {
        let call = create("a@b.cd");
        let person = call.request(Access::Import).unwrap();
        assert_eq!((person.method, person.path.as_str()), ("POST", "v1/spaces/AAA/members"));
        assert_eq!(person.need, Need { scope: Scope::IMPORT, actor: Actor::Person });
        assert_eq!(
            body(&call),
            json!({
                "member": { "name": "users/a@b.cd", "type": "HUMAN" },
                "createTime": "2020-01-01T00:00:00Z",
                "deleteTime": "2021-01-01T00:00:00.500Z",
            })
        );
        let group = body(&create("groups/g1"));
        assert_eq!(
            (&group["groupMember"], &group["member"]),
            (&json!({ "name": "groups/g1" }), &Value::Null)
        );
        assert_eq!(body(&create("users/app"))["member"]["type"], "BOT");
    }

    #[test]
    fn a_page() {
        let page = Call::ListMembers {
            space: SpaceName::parse("AAA").unwrap(),
            listing: Listing { filter: Some("role = \"ROLE_MANAGER\"".to_owned()), ..Listing::whole() },
            page_token: Some("t".to_owned()),
        };
        let request = page.request(Access::Admin).unwrap();
        let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            query,
            [
                "pageSize=1000",
                "filter=(role = \"ROLE_MANAGER\") AND member.type != \"BOT\"",
                "showGroups=true",
                "pageToken=t",
                "useAdminAccess=true"
            ]
        );
        assert!(request.body.is_none());
    }

    #[test]
    fn an_address_in_a_path_stays_one_segment() {
        let name = MembershipName::parse("spaces/A/members/o'neil+50%@b.cd").unwrap();
        let call = Call::GetMember(name);
        let request = call.request(Access::User).unwrap();
        assert_eq!(request.path, "v1/spaces/A/members/o%27neil%2B50%25@b.cd");
    }

    #[test]
    fn a_space() {
        let space = NewSpace {
            request_id: "r".to_owned(),
            display_name: "Büro".to_owned(),
            space_type: "SPACE".to_owned(),
            import_mode: true,
            create_time: None,
            external_user_allowed: true,
            description: Some("d".to_owned()),
        };
        let call = Call::CreateSpace(Box::new(space));
        let request = call.request(Access::Import).unwrap();
        assert_eq!(request.query, [("requestId", "r".to_owned())]);
        let body = json!({
            "spaceType": "SPACE", "displayName": "Büro", "importMode": true, "externalUserAllowed": true,
            "spaceDetails": { "description": "d" },
        });
        assert_eq!(request.body, Some(Body::Other(body)));
    }
}
