//! Answers: what a status, headers and some bytes mean.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Call, TokenFailure};
use crate::model::{Span, Timestamp};

/// A membership as Chat answers it. Whatever else it holds is left unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// `spaces/{space}/members/{member}`.
    pub name: String,
    /// Canonical `users/{id}`, when the member is a person or an app.
    pub user: Option<String>,
    /// `groups/{id}`, when the member is a group.
    pub group: Option<String>,
    /// From when to when.
    pub span: Span,
}

impl Membership {
    /// Who holds it: the user, or else the group.
    pub fn holder(&self) -> Option<&str> {
        self.user.as_deref().or(self.group.as_deref())
    }
}

/// A page of `members.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The memberships.
    pub memberships: Vec<Membership>,
    /// Where the next page begins; `None` after the last.
    pub next_page_token: Option<String>,
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `members.create`.
    Member(Membership),
    /// To `members.list`.
    Members(Page),
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
    /// No connection could be made. The request has not left.
    NotSent(String),
    /// The request left, and no whole answer came back: it may have been applied.
    Lost(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(refusal) | Failure::Unauthorized(refusal) => refusal.fmt(f),
            Failure::Token(failure) => failure.fmt(f),
            Failure::NotSent(story) => write!(f, "no connection: {story}"),
            Failure::Lost(story) => write!(f, "no answer: {story}"),
        }
    }
}

/// An answer with an error status, in Google's envelope or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub http_status: u16,
    /// `error.status`, e.g. `PERMISSION_DENIED`; empty when the body was not Google's.
    pub status: String,
    /// `google.rpc.ErrorInfo.reason`, e.g. `SERVICE_DISABLED`.
    pub reason: Option<String>,
    /// What it says, shortened.
    pub message: String,
    /// How long to wait at least: the longer of `Retry-After` and `google.rpc.RetryInfo`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A short stable word for it: the status, or `HTTP_502` when there is none.
    pub fn kind(&self) -> String {
        if self.status.is_empty() { format!("HTTP_{}", self.http_status) } else { self.status.clone() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.http_status)?;
        if !self.status.is_empty() {
            write!(f, " {}", self.status)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// Longest error message that is kept.
const MESSAGE_CHARS_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMembership {
    name: String,
    member: Option<WireName>,
    group_member: Option<WireName>,
    create_time: Option<String>,
    delete_time: Option<String>,
}

#[derive(Deserialize)]
struct WireName {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePage {
    #[serde(default)]
    memberships: Vec<WireMembership>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
struct WireError {
    error: WireErrorBody,
}

#[derive(Deserialize)]
struct WireErrorBody {
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Value>,
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
    } else {
        Err(Failure::Refused(Box::new(read_refusal(http_status, retry_after, body, now))))
    }
}

fn read_success(call: &Call, body: &[u8]) -> Result<Answer, Failure> {
    let unreadable =
        |error: serde_json::Error| Failure::Lost(format!("{} answered unreadably: {error}", call.name()));
    match call {
        Call::CreateMember { .. } => {
            let wire: WireMembership = serde_json::from_slice(body).map_err(unreadable)?;
            Ok(Answer::Member(membership(wire)))
        }
        Call::ListMembers { .. } => {
            let wire: WirePage = serde_json::from_slice(body).map_err(unreadable)?;
            Ok(Answer::Members(Page {
                memberships: wire.memberships.into_iter().map(membership).collect(),
                next_page_token: Some(wire.next_page_token).filter(|token| !token.is_empty()),
            }))
        }
    }
}

fn membership(wire: WireMembership) -> Membership {
    // A time that cannot be read is as good as one that was not told.
    let time = |text: Option<String>| text.and_then(|text| Timestamp::parse(&text, None).ok());
    Membership {
        name: wire.name,
        user: wire.member.map(|member| member.name),
        group: wire.group_member.map(|group| group.name),
        span: Span { create_time: time(wire.create_time), delete_time: time(wire.delete_time) },
    }
}

/// Reads an answer with an error status. Front ends answer with HTML or plain text at times, and bodies get cut short;
/// what can be made out is kept.
fn read_refusal(http_status: u16, retry_after: Option<&str>, body: &[u8], now: Timestamp) -> Refusal {
    let header = retry_after.and_then(|text| read_retry_after(text, now));
    let Ok(WireError { error }) = serde_json::from_slice::<WireError>(body) else {
        return Refusal {
            http_status,
            message: plain_text(&String::from_utf8_lossy(body)),
            retry_after: header,
            ..Refusal::default()
        };
    };
    let detail = |kind: &str, field: &str| {
        error
            .details
            .iter()
            .find(|detail| detail["@type"].as_str().is_some_and(|name| name.ends_with(kind)))
            .and_then(|detail| detail[field].as_str())
    };
    let info = detail("google.rpc.RetryInfo", "retryDelay").and_then(read_duration);
    Refusal {
        http_status,
        reason: detail("google.rpc.ErrorInfo", "reason").map(str::to_owned),
        message: shorten(&error.message),
        status: error.status,
        retry_after: header.max(info),
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    let micros = date.as_microsecond().saturating_sub(now.as_micros());
    Some(Duration::from_micros(micros.try_into().unwrap_or(0)))
}

/// A protobuf `Duration` in JSON: decimal seconds with an `s` behind.
fn read_duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The words of an HTML page, or the text itself.
fn plain_text(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        text.push(' ');
        let tag = &rest[open..];
        // What a style or a script says is nothing to read.
        let end = ["style", "script"].iter().find_map(|name| {
            tag[1..].to_ascii_lowercase().starts_with(name).then(|| tag.find("</").unwrap_or(tag.len()))
        });
        let tag = &tag[end.unwrap_or(0)..];
        rest = tag.find('>').map_or("", |close| &tag[close + 1..]);
    }
    text.push_str(rest);
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shorten(text: &str) -> String {
    let mut short: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE_CHARS_MAX).collect();
    if text.chars().nth(MESSAGE_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SpaceName;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn list() -> Call {
        Call::ListMembers { space: SpaceName::parse("A").unwrap(), page_token: None }
    }

    #[test]
    fn googles_envelope() {
        let body = br#"{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED","details":[
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}]}}"#;
        let refusal = read_refusal(429, Some("2"), body, NOW);
        assert_eq!(refusal.to_string(), "429 RESOURCE_EXHAUSTED: Slow down");
        assert_eq!(refusal.reason.as_deref(), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(3500)));
        assert_eq!(read_refusal(429, Some("7"), body, NOW).retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_front_ends_page() {
        let body = b"<!doctype html><title>Error 502</title><style>b{}</style><p>Try <b>again</b> later";
        let refusal = read_refusal(502, None, body, NOW);
        assert_eq!(refusal.to_string(), "502: Error 502 Try again later");
        assert_eq!(refusal.kind(), "HTTP_502");
        assert_eq!(read_refusal(503, None, b"", NOW).to_string(), "503");
    }

    #[test]
    fn a_date_to_retry_after() {
        let wait = |text| read_retry_after(text, NOW);
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:30 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:10 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_page_of_memberships() {
        let body = br#"{"memberships":[{"name":"spaces/A/members/1","state":"SOMETHING_NEW","new":{},
            "member":{"name":"users/1","type":"HUMAN"},"createTime":"2020-01-01T00:00:00Z"}]}"#;
        let Ok(Answer::Members(page)) = read_success(&list(), body) else { panic!() };
        assert_eq!(page.memberships[0].holder(), Some("users/1"));
        assert_eq!(page.next_page_token, None);
        assert_eq!(read_success(&list(), b"{}"), Ok(Answer::Members(Page::default())));
        assert!(matches!(read_success(&list(), b"{\"memb"), Err(Failure::Lost(_))));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), header in ".{0,30}") {
            let _ = read_refusal(500, Some(&header), &body, NOW);
            let _ = read_success(&list(), &body);
        }

        #[test]
        fn no_page_makes_it_panic(body in "(<|>|</|style|script|[a-zé]| ){0,30}") {
            let _ = plain_text(&body);
        }
    }
}
