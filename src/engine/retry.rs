//! What a failure means for the row, the space and the run: one table, in one place.
//!
//! Sources: the Chat API's error reference and limits guide (truncated exponential backoff), RFC 9110 (408, 409, 429,
//! 5xx), and messages that other clients have met.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::event::Stop;
use crate::chat::{Failure, Refusal, TokenFailure};

/// What to do about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The quota is used up: wait, and everybody else with it. Nothing was applied.
    Throttled,
    /// Nothing was applied, and nothing is wrong with the row: send it again later.
    NotApplied,
    /// It may have been applied: look before sending it again.
    Unclear,
    /// Chat says that it has such a membership already: look whether it is this one.
    Exists,
    /// Refused for good.
    Reject,
    /// Refused for good, and perhaps the whole space with it: look at that first.
    RejectAndLook,
    /// Every other row would fare the same.
    Stop(Stop),
}

/// Decides.
pub(super) fn decide(failure: &Failure) -> Verdict {
    match failure {
        Failure::NotSent(_) | Failure::Token(TokenFailure::Passing(_)) => Verdict::NotApplied,
        Failure::Lost(_) => Verdict::Unclear,
        Failure::Token(TokenFailure::Refused { code, description }) => {
            Verdict::Stop(Stop::TokenRefused { code: code.clone(), description: description.clone() })
        }
        Failure::Unauthorized(refusal) => Verdict::Stop(Stop::Unauthorized(refusal.to_string())),
        Failure::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Verdict {
    match refusal.http_status {
        429 => Verdict::Throttled,
        // A redirect comes from something that is not Chat: a proxy, a portal.
        300..=399 => Verdict::NotApplied,
        401 => Verdict::Stop(Stop::Unauthorized(refusal.to_string())),
        403 => match refusal.reason.as_deref() {
            Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT") => {
                Verdict::Stop(Stop::ScopeMissing(refusal.message.clone()))
            }
            Some("SERVICE_DISABLED") => Verdict::Stop(Stop::ApiDisabled(refusal.message.clone())),
            Some("RATE_LIMIT_EXCEEDED") => Verdict::Throttled,
            _ => denied(refusal),
        },
        404 if refusal.message.contains("Google Chat app not found") => {
            Verdict::Stop(Stop::AppNotConfigured(refusal.message.clone()))
        }
        404 => denied(refusal),
        // Chat is off for the acting user, as others have seen it; then it is off for every row.
        400 if refusal.status == "FAILED_PRECONDITION" => Verdict::RejectAndLook,
        // ABORTED is a conflict between two writers; anything else, a body that cannot be read included, is looked at.
        409 if refusal.status == "ABORTED" => Verdict::Unclear,
        409 => Verdict::Exists,
        408 | 500.. => Verdict::Unclear,
        _ => Verdict::Reject,
    }
}

/// A 403 or 404 of Chat's is about the row or the space; one without Google's envelope comes from something in between,
/// a proxy or a front end.
fn denied(refusal: &Refusal) -> Verdict {
    if refusal.status.is_empty() { Verdict::NotApplied } else { Verdict::RejectAndLook }
}

/// The longest that an answer may make a row wait.
const ASKED_MAX: Duration = Duration::from_secs(3600);
/// The longest wait that backoff alone asks for.
const BACKOFF_MAX: Duration = Duration::from_secs(64);
const BACKOFF_MIN: Duration = Duration::from_millis(50);

/// Truncated exponential backoff with full jitter: anything up to 1 s after the first failure, up to 64 s from the
/// seventh on.
pub(super) fn backoff(failures: u32, rng: &mut StdRng) -> Duration {
    let ceiling = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(BACKOFF_MAX);
    ceiling.mul_f64(rng.random::<f64>()).max(BACKOFF_MIN)
}

/// What the failure itself asks to wait.
pub(super) fn asked_to_wait(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Refused(refusal) | Failure::Unauthorized(refusal) => {
            refusal.retry_after.map(|wait| wait.min(ASKED_MAX))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn refusal(http_status: u16, status: &str) -> Refusal {
        Refusal { http_status, status: status.to_owned(), ..Refusal::default() }
    }

    fn with(http_status: u16, status: &str) -> Verdict {
        decide(&Failure::Refused(Box::new(refusal(http_status, status))))
    }

    fn because(http_status: u16, reason: &str, message: &str) -> Verdict {
        let refusal = Refusal {
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            message: message.to_owned(),
            ..refusal(http_status, "")
        };
        decide(&Failure::Refused(Box::new(refusal)))
    }

    #[test]
    fn the_table() {
        assert_eq!(with(429, "RESOURCE_EXHAUSTED"), Verdict::Throttled);
        for status in [408, 500, 502, 503, 504, 529] {
            assert_eq!(with(status, ""), Verdict::Unclear, "{status}");
        }
        assert_eq!(with(409, "ALREADY_EXISTS"), Verdict::Exists);
        assert_eq!(with(409, "ABORTED"), Verdict::Unclear);
        assert_eq!(with(409, ""), Verdict::Exists);
        for (status, name) in [(400, "INVALID_ARGUMENT"), (412, ""), (413, "")] {
            assert_eq!(with(status, name), Verdict::Reject, "{status} {name}");
        }
        assert_eq!(with(403, "PERMISSION_DENIED"), Verdict::RejectAndLook);
        assert_eq!(with(404, "NOT_FOUND"), Verdict::RejectAndLook);
        assert_eq!(with(400, "FAILED_PRECONDITION"), Verdict::RejectAndLook);
        assert_eq!(with(403, ""), Verdict::NotApplied, "a front end's own page");
        assert_eq!(with(302, ""), Verdict::NotApplied);
    }

    #[test]
    fn what_stops_the_run() {
        let stops = |verdict| matches!(verdict, Verdict::Stop(_));
        assert!(stops(because(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "")));
        assert!(stops(because(403, "SERVICE_DISABLED", "")));
        assert!(stops(because(404, "", "Google Chat app not found. To create one, ...")));
        assert!(stops(decide(&Failure::Unauthorized(Box::new(refusal(401, "UNAUTHENTICATED"))))));
        let code = |code: &str| TokenFailure::Refused { code: code.to_owned(), description: String::new() };
        assert!(stops(decide(&Failure::Token(code("unauthorized_client")))));
        assert!(!stops(with(403, "PERMISSION_DENIED")));
    }

    #[test]
    fn what_was_never_sent_was_never_applied() {
        assert_eq!(decide(&Failure::NotSent(String::new())), Verdict::NotApplied);
        assert_eq!(decide(&Failure::Token(TokenFailure::Passing(String::new()))), Verdict::NotApplied);
        assert_eq!(decide(&Failure::Lost(String::new())), Verdict::Unclear);
    }

    proptest! {
        #[test]
        fn backoff_stays_below_its_ceiling(failures in 0u32..1000, seed: u64) {
            let wait = backoff(failures, &mut StdRng::seed_from_u64(seed));
            let ceiling = 1u64 << failures.saturating_sub(1).min(6);
            prop_assert!(wait >= BACKOFF_MIN && wait <= Duration::from_secs(ceiling.min(64)));
        }

        #[test]
        fn every_status_has_a_verdict_that_does_not_lose_a_write(http_status in 100u16..600) {
            let verdict = with(http_status, "");
            if http_status >= 500 || http_status == 408 {
                prop_assert_eq!(verdict, Verdict::Unclear);
            }
        }
    }
}
