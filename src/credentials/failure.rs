//! Why there is no access token.

use std::fmt;

use serde_json::Value;

use super::Scope;
use crate::network::Unanswered;
use crate::wording::shorten;

/// Longest description that is kept, in characters.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 500;

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFailure {
    /// The endpoint could not be reached, or is in trouble: it may work later.
    Passing(String),
    /// The endpoint said no.
    Refused(Box<TokenRefusal>),
    /// These credentials cannot give such a token, or not here: asking again does not help.
    Unavailable(String),
}

/// A refusal of a token endpoint (RFC 6749, 5.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRefusal {
    /// OAuth's code, e.g. `unauthorized_client`.
    pub code: String,
    /// What it says.
    pub description: String,
    /// The scope that was asked for.
    pub scope: Option<Scope>,
    /// How far this machine's clock is ahead of the endpoint's, in seconds, where that may be the reason.
    pub clock_ahead_s: Option<i64>,
}

impl TokenRefusal {
    /// What a code begins with when it is IAM Credentials that refuses to sign.
    pub const OF_IAM: &'static str = "signJwt ";
    /// What a code begins with when Application Default Credentials are refused.
    pub const OF_ADC: &'static str = "Application Default Credentials ";
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFailure::Passing(story) | TokenFailure::Unavailable(story) => {
                write!(f, "no access token: {story}")
            }
            TokenFailure::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for TokenFailure {}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no access token")?;
        if let Some(scope) = self.scope {
            write!(f, " for {scope}")?;
        }
        match self.description.as_str() {
            "" => write!(f, ": {}", self.code),
            description => write!(f, ": {} ({})", self.code, description.trim_end_matches('.')),
        }
    }
}

impl From<Unanswered> for TokenFailure {
    fn from(unanswered: Unanswered) -> Self {
        TokenFailure::Passing(format!("the token endpoint cannot be reached: {}", unanswered.story()))
    }
}

impl TokenFailure {
    /// There is nobody whose name a call could be made in.
    pub(super) fn nobody() -> TokenFailure {
        TokenFailure::Unavailable("nobody to act for: give --impersonate EMAIL".to_owned())
    }

    /// The same, said of Application Default Credentials.
    pub(super) fn of_adc(self) -> TokenFailure {
        match self {
            TokenFailure::Refused(mut refusal) => {
                refusal.code.insert_str(0, TokenRefusal::OF_ADC);
                TokenFailure::Refused(refusal)
            }
            failure => failure,
        }
    }

    /// What an OAuth error code means. Which of them pass: RFC 6749 (5.2, 4.1.2.1) and Google's `internal_failure`.
    pub(crate) fn of_code(code: &str, description: &str) -> TokenFailure {
        let description = shorten(description, DESCRIPTION_CHARS_MAX);
        match code {
            "internal_failure" | "server_error" | "temporarily_unavailable" => TokenFailure::Passing(
                format!("the token endpoint is in trouble: {code} {description}").trim_end().to_owned(),
            ),
            code => TokenFailure::Refused(Box::new(TokenRefusal {
                code: shorten(code, DESCRIPTION_CHARS_MAX),
                description,
                ..TokenRefusal::default()
            })),
        }
    }

    /// What an answer without a token means.
    pub(super) fn of_reply(status: u16, body: &[u8]) -> TokenFailure {
        if matches!(status, 408 | 429 | 500..) {
            return TokenFailure::Passing(format!("the token endpoint is in trouble: HTTP {status}"));
        }
        let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        match json["error"].as_str() {
            Some(code) => TokenFailure::of_code(code, json["error_description"].as_str().unwrap_or("")),
            None => TokenFailure::Passing(format!(
                "the token endpoint answered with something else than OAuth's JSON (HTTP {status})"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_does_not() {
        let of = |status, body: &str| TokenFailure::of_reply(status, body.as_bytes());
        for (status, body) in [
            (503, r#"{"error":"invalid_grant"}"#),
            (429, ""),
            (200, "<html>"),
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (400, r#"{"error":{"code":400}}"#),
        ] {
            assert!(matches!(of(status, body), TokenFailure::Passing(_)), "{status} {body}");
        }
        let refused = of(401, r#"{"error":"unauthorized_client","error_description":"no"}"#);
        assert_eq!(refused.to_string(), "no access token: unauthorized_client (no)");
        assert_eq!(TokenFailure::of_code("x", "").to_string(), "no access token: x");
    }
}
