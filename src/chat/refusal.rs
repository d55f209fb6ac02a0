//! Refusals: an answer with an error status, and what it means.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::model::Timestamp;
use crate::wording::shorten;

/// An answer with an error status, in Google's envelope or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub http_status: u16,
    /// `error.status`, e.g. `PERMISSION_DENIED`; empty when the body was not Google's.
    pub status: String,
    /// `google.rpc.ErrorInfo.reason`, e.g. `SERVICE_DISABLED`.
    pub reason: Option<String>,
    /// The Cloud project, `projects/{number}`, where `google.rpc.ErrorInfo.metadata` names it.
    pub consumer: Option<String>,
    /// The name of the limit that it ran into, where `google.rpc.ErrorInfo.metadata.quota_limit` or
    /// `google.rpc.QuotaFailure.violations[].quotaId` gives one: `...PerMinutePerProject`.
    pub limit: Option<String>,
    /// That limit, where `quota_limit_value` or `quotaValue` gives it.
    pub limit_value: Option<u32>,
    /// What it says, shortened.
    pub message: String,
    /// How long to wait at least: the longer of `Retry-After` and `google.rpc.RetryInfo`.
    pub retry_after: Option<Duration>,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 429, or a 403 that says the same: the quota is used up.
    Quota,
    /// 401: the token is not, or no longer, good.
    Unauthorized,
    /// The token lacks the scope.
    ScopeMissing,
    /// The Chat API is not enabled in the Cloud project.
    ApiDisabled,
    /// The Cloud project has no Chat app. Seen by other clients; not documented.
    NoChatApp,
    /// 403: not allowed, or the space is gone.
    Denied,
    /// 404.
    NotFound,
    /// 400 FAILED_PRECONDITION: Chat is off for the acting user, as other clients have seen, or the state does not allow it.
    Precondition,
    /// 409 ALREADY_EXISTS, or a 409 that does not say.
    Exists,
    /// 409 ABORTED: a conflict between two writers.
    Aborted,
    /// 408 and 5xx: it may have been applied.
    Trouble,
    /// From something in between that is not Chat: a redirect, or a 403 or 404 without Google's envelope.
    NotChat,
    /// Everything else: the request itself is refused.
    Invalid,
}

impl Refusal {
    /// A short stable word for it: the status, or `HTTP_502` when there is none.
    pub fn kind(&self) -> String {
        if self.status.is_empty() { format!("HTTP_{}", self.http_status) } else { self.status.clone() }
    }

    /// What it is about. Sources: the Chat API's error reference, RFC 9110, and messages that other clients have met.
    pub fn cause(&self) -> Cause {
        match (self.http_status, self.reason.as_deref(), self.status.as_str()) {
            (429, ..) | (403, Some("RATE_LIMIT_EXCEEDED"), _) => Cause::Quota,
            (300..=399, ..) => Cause::NotChat,
            (401, ..) => Cause::Unauthorized,
            (403, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), _) => Cause::ScopeMissing,
            (403, Some("SERVICE_DISABLED"), _) => Cause::ApiDisabled,
            (404, ..) if self.message.contains("Google Chat app not found") => Cause::NoChatApp,
            (403 | 404, _, "") => Cause::NotChat,
            (403, ..) => Cause::Denied,
            (404, ..) => Cause::NotFound,
            (400, _, "FAILED_PRECONDITION") => Cause::Precondition,
            (409, _, "ABORTED") => Cause::Aborted,
            (409, ..) => Cause::Exists,
            (408 | 500.., ..) => Cause::Trouble,
            _ => Cause::Invalid,
        }
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

/// How much of a page that is no answer of Chat's is read for words.
const PAGE_BYTES_MAX: usize = 64 << 10;
/// Longest error message that is kept.
const MESSAGE_CHARS_MAX: usize = 500;

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

/// Reads an answer with an error status. Front ends answer with HTML or plain text at times, and bodies get cut short;
/// what can be made out is kept.
pub(super) fn read(http_status: u16, retry_after: Option<&str>, body: &[u8], now: Timestamp) -> Refusal {
    let header = retry_after.and_then(|text| read_retry_after(text, now));
    let Ok(WireError { error }) = serde_json::from_slice::<WireError>(body) else {
        let text = String::from_utf8_lossy(&body[..body.len().min(PAGE_BYTES_MAX)]);
        let (status, message) = match text.trim_start().starts_with('{') {
            true => (salvaged(&text, "status"), salvaged(&text, "message")),
            false => (None, None),
        };
        return Refusal {
            http_status,
            status: status.unwrap_or_default(),
            reason: salvaged(&text, "reason"),
            message: message
                .map_or_else(|| plain_text(&text), |message| shorten(&message, MESSAGE_CHARS_MAX)),
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
    let consumer =
        error.details.iter().find_map(|detail| detail["metadata"]["consumer"].as_str()).map(str::to_owned);
    let quota = |info: &str, violation: &str| {
        error.details.iter().find_map(|detail| {
            let value = match &detail["metadata"][info] {
                Value::Null => &detail["violations"][0][violation],
                value => value,
            };
            value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|value| value.to_string()))
        })
    };
    let info = detail("google.rpc.RetryInfo", "retryDelay").and_then(read_duration);
    Refusal {
        http_status,
        reason: detail("google.rpc.ErrorInfo", "reason").map(str::to_owned),
        consumer,
        limit: quota("quota_limit", "quotaId"),
        limit_value: quota("quota_limit_value", "quotaValue").and_then(|value| value.parse().ok()),
        message: shorten(&error.message, MESSAGE_CHARS_MAX),
        status: error.status,
        retry_after: header.max(info),
    }
}

/// The first text under a key, of JSON that was cut short.
fn salvaged(json: &str, key: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{key}\""))?;
    let value = rest.trim_start().strip_prefix(':')?;
    serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let micros = Timestamp::parse_http(text)?.as_micros().saturating_sub(now.as_micros());
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
        let end = ["<style", "<script"].iter().find_map(|name| {
            let named = tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            named.then(|| tag.find("</").unwrap_or(tag.len()))
        });
        let tag = &tag[end.unwrap_or(0)..];
        rest = tag.find('>').map_or("", |close| &tag[close + 1..]);
    }
    text.push_str(rest);
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "), MESSAGE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn googles_envelope() {
        let body = br#"{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED","details":[
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}]}}"#;
        let refusal = read(429, Some("2"), body, NOW);
        assert_eq!(refusal.to_string(), "429 RESOURCE_EXHAUSTED: Slow down");
        assert_eq!(refusal.reason.as_deref(), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(3500)));
        assert_eq!(read(429, Some("7"), body, NOW).retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn which_limit_it_is() {
        let info = br#"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",
            "metadata":{"quota_limit":"WritesPerMinutePerProject","quota_limit_value":"300"}}]}}"#;
        let failure =
            br#"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure",
            "violations":[{"quotaId":"WritesPerMinutePerProject","quotaValue":300}]}]}}"#;
        for body in [&info[..], failure] {
            let refusal = read(429, None, body, NOW);
            assert_eq!(refusal.limit.as_deref(), Some("WritesPerMinutePerProject"));
            assert_eq!(refusal.limit_value, Some(300));
        }
        assert_eq!(read(429, None, b"{}", NOW).limit, None);
    }

    #[test]
    fn a_front_ends_page() {
        let body = b"<!doctype html><title>Error 502</title><style>b{}</style><p>Try <b>again</b> later";
        let refusal = read(502, None, body, NOW);
        assert_eq!(refusal.to_string(), "502: Error 502 Try again later");
        assert_eq!(refusal.kind(), "HTTP_502");
        assert_eq!(read(503, None, b"", NOW).to_string(), "503");
    }

    #[test]
    fn an_envelope_that_was_cut_short() {
        let body = br#"{"error": {"code": 403, "message": "It is \"off\".", "status": "PERMISSION_DENIED", "details": [{"#;
        let refusal = read(403, None, body, NOW);
        assert_eq!(refusal.to_string(), "403 PERMISSION_DENIED: It is \"off\".");
        assert_eq!(refusal.cause(), Cause::Denied);
        let shorter = read(403, None, &body[..40], NOW);
        assert_eq!((shorter.status.as_str(), shorter.cause()), ("", Cause::NotChat));
    }

    #[test]
    fn a_date_to_retry_after() {
        let wait = |text| read_retry_after(text, NOW);
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:30 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:10 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn what_each_is_about() {
        let cause = |http_status, status: &str, reason: Option<&str>, message: &str| {
            let (status, message) = (status.to_owned(), message.to_owned());
            let reason = reason.map(str::to_owned);
            Refusal { http_status, status, reason, message, ..Refusal::default() }.cause()
        };
        for (http_status, status, expected) in [
            (429, "RESOURCE_EXHAUSTED", Cause::Quota),
            (302, "", Cause::NotChat),
            (401, "UNAUTHENTICATED", Cause::Unauthorized),
            (403, "PERMISSION_DENIED", Cause::Denied),
            (403, "", Cause::NotChat),
            (404, "NOT_FOUND", Cause::NotFound),
            (404, "", Cause::NotChat),
            (400, "FAILED_PRECONDITION", Cause::Precondition),
            (400, "INVALID_ARGUMENT", Cause::Invalid),
            (409, "ALREADY_EXISTS", Cause::Exists),
            (409, "", Cause::Exists),
            (409, "ABORTED", Cause::Aborted),
            (408, "", Cause::Trouble),
            (502, "", Cause::Trouble),
            (529, "", Cause::Trouble),
            (413, "", Cause::Invalid),
        ] {
            assert_eq!(cause(http_status, status, None, ""), expected, "{http_status} {status}");
        }
        let denied = |reason| cause(403, "PERMISSION_DENIED", Some(reason), "");
        assert_eq!(denied("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Cause::ScopeMissing);
        assert_eq!(denied("SERVICE_DISABLED"), Cause::ApiDisabled);
        assert_eq!(denied("RATE_LIMIT_EXCEEDED"), Cause::Quota);
        let story = "Google Chat app not found. To create one, ...";
        assert_eq!(cause(404, "NOT_FOUND", None, story), Cause::NoChatApp);
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), header in ".{0,30}") {
            let _ = read(500, Some(&header), &body, NOW);
        }

        #[test]
        fn no_page_makes_it_panic(body in "(<|>|</|style|script|[a-zé]| ){0,30}") {
            let _ = plain_text(&body);
        }

        #[test]
        fn a_write_that_may_have_been_applied_is_never_called_refused(http_status in 500u16..600, status in "[A-Z_]{0,20}") {
            prop_assert_eq!(Refusal { http_status, status, ..Refusal::default() }.cause(), Cause::Trouble);
        }
    }
}
