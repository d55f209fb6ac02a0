//! What a failure means for the row, the space and the run: one table, in one place.
//!
//! What a refusal is about is told by `chat::Cause`; the waiting follows the limits guide (truncated exponential
//! backoff).

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::event::Stop;
use crate::chat::{Cause, Failure, Refusal};
use crate::credentials::TokenFailure;

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
        Failure::Token(failure) => Verdict::Stop(Stop::NoToken(failure.clone())),
        Failure::NotOffered(not_offered) => Verdict::Stop(Stop::NotOffered(*not_offered)),
        Failure::Unauthorized(refusal) => Verdict::Stop(Stop::Unauthorized(refusal.to_string())),
        Failure::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Verdict {
    match refusal.cause() {
        Cause::Quota => Verdict::Throttled,
        Cause::NotChat => Verdict::NotApplied,
        Cause::Unauthorized => Verdict::Stop(Stop::Unauthorized(refusal.to_string())),
        Cause::ScopeMissing | Cause::ApiDisabled | Cause::NoChatApp => {
            Verdict::Stop(Stop::NotSetUp(Box::new(refusal.clone())))
        }
        // Of the row or of the space. Where Chat is off for the acting user, it is off for every row.
        Cause::Denied | Cause::NotFound | Cause::Precondition => Verdict::RejectAndLook,
        Cause::Exists => Verdict::Exists,
        Cause::Aborted | Cause::Trouble => Verdict::Unclear,
        Cause::Invalid => Verdict::Reject,
    }
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

/// How long a call that stands alone, outside a run, waits for another try; `None` when there is to be none.
/// `repeatable` says whether the same call may be made twice.
pub fn again(failure: &Failure, repeatable: bool, failures: u32, rng: &mut StdRng) -> Option<Duration> {
    match decide(failure) {
        Verdict::Throttled | Verdict::NotApplied => {}
        Verdict::Unclear if repeatable => {}
        _ => return None,
    }
    Some(backoff(failures, rng).max(asked_to_wait(failure).unwrap_or_default()))
}

/// Why nothing else would fare better than what has failed like this, if so.
pub fn stop_for(failure: &Failure) -> Option<Stop> {
    match decide(failure) {
        Verdict::Stop(stop) => Some(stop),
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
        let refused = TokenFailure::Refused(Box::default());
        assert!(stops(decide(&Failure::Token(refused))));
        assert!(stops(decide(&Failure::Token(TokenFailure::Unavailable(String::new())))));
        assert!(!stops(with(403, "PERMISSION_DENIED")));
    }

    #[test]
    fn what_was_never_sent_was_never_applied() {
        assert_eq!(decide(&Failure::NotSent(String::new())), Verdict::NotApplied);
        assert_eq!(decide(&Failure::Token(TokenFailure::Passing(String::new()))), Verdict::NotApplied);
        assert_eq!(decide(&Failure::Lost(String::new())), Verdict::Unclear);
    }

    #[test]
    fn a_call_that_stands_alone() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut waits = |failure: &Failure, repeatable| again(failure, repeatable, 1, &mut rng).is_some();
        let lost = Failure::Lost(String::new());
        assert!(waits(&lost, true) && !waits(&lost, false));
        assert!(waits(&Failure::NotSent(String::new()), false));
        assert!(!waits(&Failure::Refused(Box::new(refusal(403, "PERMISSION_DENIED"))), true));
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
