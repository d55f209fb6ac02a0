//! Answers: what a status and some bytes mean.

use serde::Deserialize;
use serde::de::Error;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::refusal;
use super::resource::{Membership, Page, Space, SpacePage};
use super::{Call, Cause, NotOffered, Refusal};
use crate::credentials::TokenFailure;
use crate::model::Timestamp;

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `members.create`, `members.get` and `members.patch`.
    Member(Membership),
    /// To `members.list`.
    Members(Page),
    /// To `members.delete`: the membership as it is now, or nothing; Google does either.
    Deleted(Option<Membership>),
    /// To `spaces.create`, `spaces.get`, `spaces.patch` and `spaces.completeImport`.
    Space(Space),
    /// To `spaces.list`.
    Spaces(SpacePage),
    /// To `spaces.delete`.
    Empty,
}

/// Why a call brought no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Chat answered, and said no.
    Refused(Box<Refusal>),
    /// 401 with a token that was fetched just for this call.
    Unauthorized(Box<Refusal>),
    /// There was no token for it. The request has not left.
    Token(TokenFailure),
    /// Google offers no such call. The request has not left.
    NotOffered(NotOffered),
    /// No connection could be made. The request has not left.
    NotSent(String),
    /// The request left, and no whole answer came back: it may have been applied.
    Lost(String),
}

impl Failure {
    /// Whether the call may have done something all the same.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Failure::Lost(_) => true,
            Failure::Refused(refusal) => matches!(refusal.cause(), Cause::Aborted | Cause::Trouble),
            Failure::Unauthorized(_) | Failure::Token(_) | Failure::NotOffered(_) | Failure::NotSent(_) => {
                false
            }
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(refusal) | Failure::Unauthorized(refusal) => refusal.fmt(f),
            Failure::Token(failure) => failure.fmt(f),
            Failure::NotOffered(not_offered) => not_offered.fmt(f),
            Failure::NotSent(story) => write!(f, "no connection: {story}"),
            Failure::Lost(story) => write!(f, "no answer: {story}"),
        }
    }
}

/// A list as it comes: items under a name of their own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(borrow, default, alias = "memberships", alias = "spaces")]
    items: Vec<&'a RawValue>,
    #[serde(default)]
    next_page_token: String,
}

/// Reads an answer. `retry_after` is the header of that name; `now` is what a date in it is held against.
///
/// # Errors
/// [`Failure::Refused`] for an error status; [`Failure::Lost`] for a success that cannot be read: whatever Chat did,
/// this does not tell.
pub fn read_answer(
    call: &Call,
    http_status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Answer, Failure> {
    if (200..300).contains(&http_status) {
        read_success(call, body)
            .map_err(|error| Failure::Lost(format!("{} answered unreadably: {error}", call.name())))
    } else {
        Err(Failure::Refused(Box::new(refusal::read(http_status, retry_after, body, now))))
    }
}

fn read_success(call: &Call, body: &[u8]) -> Result<Answer, serde_json::Error> {
    let resource = || serde_json::from_slice::<Map<String, Value>>(body);
    let membership = || Membership::read(std::str::from_utf8(body).map_err(Error::custom)?);
    Ok(match call {
        Call::CreateMember { .. } | Call::GetMember(_) | Call::PatchMember(..) => {
            Answer::Member(membership()?)
        }
        Call::ListMembers { .. } => {
            let List { items, next_page_token } = serde_json::from_slice(body)?;
            Answer::Members(Page {
                memberships: items
                    .into_iter()
                    .map(|item| Membership::read(item.get()))
                    .collect::<Result<_, _>>()?,
                next_page_token: Some(next_page_token).filter(|token| !token.is_empty()),
            })
        }
        Call::DeleteMember(_) if body.trim_ascii().is_empty() => Answer::Deleted(None),
        Call::DeleteMember(_) => {
            Answer::Deleted(if resource()?.is_empty() { None } else { Some(membership()?) })
        }
        Call::CreateSpace(_) | Call::GetSpace(_) | Call::PatchSpace { .. } => {
            Answer::Space(Space::read(resource()?))
        }
        Call::ListSpaces { .. } => {
            let List { items, next_page_token } = serde_json::from_slice(body)?;
            Answer::Spaces(SpacePage {
                spaces: items
                    .into_iter()
                    .map(|item| serde_json::from_str(item.get()).map(Space::read))
                    .collect::<Result<_, _>>()?,
                next_page_token: Some(next_page_token).filter(|token| !token.is_empty()),
            })
        }
        Call::DeleteSpace(_) => Answer::Empty,
        Call::CompleteImport(_) => {
            let mut answer = resource()?;
            let space = match answer.remove("space") {
                Some(Value::Object(space)) => space,
                _ => Map::new(),
            };
            Answer::Space(Space::read(space))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Listing;
    use crate::model::{MembershipName, SpaceName, Span};
    use proptest::prelude::*;

    fn space() -> SpaceName {
        SpaceName::parse("A").unwrap()
    }

    fn list() -> Call {
        Call::ListMembers { space: space(), listing: Listing::whole(), page_token: None }
    }

    fn read(call: &Call, body: &str) -> Result<Answer, Failure> {
        read_answer(call, 200, None, body.as_bytes(), Timestamp::from_micros(0))
    }

    #[test]
    fn a_page_of_memberships() {
        let body = r#"{"memberships":[{"name":"spaces/A/members/1","state":"SOMETHING_NEW","new":{"a":1},
            "member":{"name":"users/1","type":"HUMAN"},"createTime":"2020-01-01T00:00:00Z"}]}"#;
        let Ok(Answer::Members(page)) = read(&list(), body) else { panic!() };
        let membership = &page.memberships[0];
        assert_eq!(membership.holder(), Some("users/1"));
        assert_eq!(
            (membership.state.as_str(), membership.kind.as_str(), membership.role.as_str()),
            ("SOMETHING_NEW", "HUMAN", "")
        );
        assert!(membership.span.create_time.is_some() && membership.resource.contains(r#""new":{"a":1}"#));
        assert_eq!(page.next_page_token, None);
        assert_eq!(read(&list(), "{}"), Ok(Answer::Members(Page::default())));
        assert!(matches!(read(&list(), "{\"memb"), Err(Failure::Lost(_))));
        let odd = r#"{"memberships":[{"member":{"type":"HUMAN"}}]}"#;
        let Ok(Answer::Members(page)) = read(&list(), odd) else { panic!() };
        assert_eq!(page.memberships[0].holder(), None);
        let odd =
            r#"{"memberships":[{"name":5,"createTime":"soon","groupMember":{"name":"groups\/\u0031"}}]}"#;
        let Ok(Answer::Members(page)) = read(&list(), odd) else { panic!() };
        let membership = &page.memberships[0];
        assert_eq!((membership.name.as_str(), membership.holder()), ("", Some("groups/1")));
        assert_eq!(membership.span, Span::default());
        assert!(matches!(
            read(&list(), r#"{"memberships":[["spaces/A/members/1"]]}"#),
            Err(Failure::Lost(_))
        ));
    }

    #[test]
    fn a_deletion_answers_with_something_or_nothing() {
        let delete = Call::DeleteMember(MembershipName::parse("spaces/A/members/1").unwrap());
        for nothing in ["", "{}", " \n"] {
            assert_eq!(read(&delete, nothing), Ok(Answer::Deleted(None)), "{nothing:?}");
        }
        let Ok(Answer::Deleted(Some(membership))) = read(&delete, r#"{"state":"NOT_A_MEMBER"}"#) else {
            panic!()
        };
        assert_eq!(membership.state, "NOT_A_MEMBER");
    }

    #[test]
    fn spaces() {
        let body =
            r#"{"name":"spaces/A","importMode":true,"importModeExpireTime":"2027-01-01T00:00:00Z","x":1}"#;
        let Ok(Answer::Space(space)) = read(&Call::GetSpace(space()), body) else { panic!() };
        assert!(space.import_mode && space.import_mode_expire_time.is_some());
        assert_eq!(space.resource["x"], 1);
        let complete = Call::CompleteImport(SpaceName::parse("A").unwrap());
        let Ok(Answer::Space(space)) = read(&complete, &format!("{{\"space\":{body}}}")) else { panic!() };
        assert_eq!(space.name, "spaces/A");
        let page = Call::ListSpaces { page_size: 1, page_token: None };
        let Ok(Answer::Spaces(page)) =
            read(&page, &format!("{{\"spaces\":[{body}],\"nextPageToken\":\"t\"}}"))
        else {
            panic!()
        };
        assert_eq!((page.spaces.len(), page.next_page_token.as_deref()), (1, Some("t")));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_success(&list(), &body);
            let _ = read_success(&Call::GetSpace(space()), &body);
        }
    }
}
