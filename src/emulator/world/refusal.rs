//! Errors as Google's API front end words them: `{"error": {"code", "message", "status", "details"}}`.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::project;

/// What error details call the Chat API.
pub(crate) const SERVICE: &str = "chat.googleapis.com";

/// A request that is refused. Says what to answer; nothing has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// The gRPC status, e.g. `INVALID_ARGUMENT`.
    pub status: &'static str,
    /// For people.
    pub message: Cow<'static, str>,
    /// `google.rpc` details, each with its `@type`.
    pub details: Vec<Value>,
}

impl Refusal {
    pub(crate) fn new(code: u16, status: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Refusal { code, status, message: message.into(), details: Vec::new() }
    }

    pub(crate) fn with(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn precondition(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(400, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(403, "PERMISSION_DENIED", message)
    }

    /// A space that is unknown, deleted or expired looks just like one that the caller may not see.
    pub(crate) fn no_such_space() -> Self {
        Refusal::denied("This space doesn't exist, or the caller may not access it.")
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(404, "NOT_FOUND", message)
    }

    pub(crate) fn already_exists(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(409, "ALREADY_EXISTS", message)
    }

    pub(crate) fn internal() -> Self {
        Refusal::new(500, "INTERNAL", "Internal error encountered.")
    }

    /// 503, as when a backend is away.
    pub fn unavailable() -> Self {
        Refusal::new(503, "UNAVAILABLE", "The service is currently unavailable.")
    }

    /// 429 without details, as from a backend that protects itself.
    pub fn throttled() -> Self {
        Refusal::new(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
    }

    /// 401: no token, or one that is unknown, expired or revoked.
    pub fn unauthenticated(service: &str) -> Self {
        Refusal::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected an OAuth 2 access token.",
        )
        .with(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_EXPIRED",
            "domain": "googleapis.com",
            "metadata": {"service": service},
        }))
    }

    pub(crate) fn scope_insufficient(service: &str, method: &str) -> Self {
        Refusal::denied("Request had insufficient authentication scopes.").with(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": service, "method": method},
        }))
    }

    /// 403: the Cloud project has not enabled the Chat API.
    pub(crate) fn service_disabled() -> Self {
        let number = project::NUMBER;
        let url = format!(
            "https://console.cloud.google.com/apis/api/chat.googleapis.com/overview?project={number}"
        );
        Refusal::denied(format!(
            "The Google Chat API is disabled in project {number}, or was never used there. Enable it at {url} and try \
             again; it takes some minutes until that is known everywhere."
        ))
        .with(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {
                "service": SERVICE,
                "serviceTitle": "Google Chat API",
                "consumer": format!("projects/{number}"),
                "containerInfo": number,
                "activationUrl": url,
            },
        }))
    }

    pub(crate) fn malformed_user() -> Self {
        Refusal::invalid(
            "Missing or malformed user resource name in the request. Expected users/{id}, users/{e-mail} or users/app.",
        )
    }

    pub(crate) fn bad_payload(violations: Vec<(String, String)>) -> Self {
        let message = violations.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        let violations: Vec<Value> = violations
            .into_iter()
            .map(|(field, description)| json!({"field": field, "description": description}))
            .collect();
        Refusal::invalid(message).with(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": violations,
        }))
    }

    /// The envelope.
    pub fn to_json(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if let (Some(error), false) = (error.as_object_mut(), self.details.is_empty()) {
            error.insert("details".to_owned(), Value::Array(self.details.clone()));
        }
        json!({ "error": error })
    }
}
