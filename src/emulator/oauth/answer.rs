//! What identity services answer.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::world::Refusal;

/// An answer, ready for the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header fields besides those that every answer has: names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// What it says.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Plain text.
    Text(String),
}

/// An OAuth error (RFC 6749, 5.2): HTTP status, `error`, `error_description`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem(pub(super) u16, pub(super) &'static str, pub(super) Cow<'static, str>);

impl Problem {
    /// The usual status.
    pub(super) fn bad(error: &'static str, description: impl Into<Cow<'static, str>>) -> Problem {
        Problem(400, error, description.into())
    }

    /// What was given for the token is not good, or not any more.
    pub(super) fn grant(description: &'static str) -> Problem {
        Problem::bad("invalid_grant", description)
    }
}

impl Answer {
    /// JSON with this status.
    pub(super) fn json(status: u16, body: Value) -> Answer {
        Answer { status, headers: Vec::new(), body: Body::Json(body) }
    }

    /// Plain text with this status.
    pub(super) fn text(status: u16, text: String) -> Answer {
        Answer { status, headers: Vec::new(), body: Body::Text(text) }
    }

    /// What came of a call of an API, whose errors come in Google's envelope.
    pub(super) fn of_api(outcome: Result<Value, Refusal>) -> Answer {
        match outcome {
            Ok(body) => Answer::json(200, body),
            Err(refusal) => Answer::json(refusal.code, refusal.to_json()),
        }
    }

    /// What came of a request for a token.
    pub(super) fn of(outcome: Result<Value, Problem>) -> Answer {
        match outcome {
            Ok(body) => Answer::json(200, body),
            Err(Problem(status, error, description)) => {
                Answer::json(status, json!({"error": error, "error_description": description}))
            }
        }
    }

    /// Sends a browser elsewhere.
    pub(super) fn redirect(location: String) -> Answer {
        Answer { headers: vec![("location", location)], ..Answer::text(302, String::new()) }
    }

    /// 503, as when the token endpoint is having a bad day.
    pub fn unavailable() -> Answer {
        Answer::of(Err(Problem(503, "temporarily_unavailable", "Try again later.".into())))
    }
}
