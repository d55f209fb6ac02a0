//! The whole API without a network: world, quotas and faults behind one call. Pure, so that a simulation can run
//! it on virtual time; the server is a thin shell around it.

use serde_json::Value;

use super::faults::{FaultKind, Faults};
use super::quota::Quota;
use super::world::{Call, Change, Refusal, Request, SERVICE, World};
use crate::model::Timestamp;

/// What becomes of a request: what the caller sees, and what changed whether or not the caller sees anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the caller sees.
    pub delivery: Delivery,
    /// What changed: to be kept before anything is delivered.
    pub changes: Vec<Change>,
}

/// What the caller of a request sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// An answer of the API.
    Json {
        /// HTTP status.
        status: u16,
        /// A resource or an error envelope.
        body: Value,
    },
    /// A page of some front end.
    Html {
        /// HTTP status.
        status: u16,
        /// The page.
        body: &'static str,
    },
    /// The connection breaks.
    Reset,
    /// Nothing, ever.
    Hang,
}

const BAD_GATEWAY: &str = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)</title>\n\
    <p><b>502.</b> Nobody behind this gateway answered in time.\n</html>\n";

/// Chat, with its quotas and its bad days.
#[derive(Debug)]
pub struct Service {
    /// What Chat holds.
    pub world: World,
    /// How much of it may be used.
    pub quota: Quota,
    /// What goes wrong.
    pub faults: Faults,
}

impl Service {
    /// Answers a request, if at all. Requests without a valid token use no quota.
    pub fn call(&mut self, now: Timestamp, request: &Request<'_>) -> Outcome {
        let refuse = |refusal: Refusal| Outcome {
            delivery: Delivery::Json { status: refusal.code, body: refusal.to_json() },
            changes: Vec::new(),
        };
        let fault = self.faults.draw();
        match fault {
            Some(FaultKind::ErrorBefore) => return refuse(Refusal::unavailable()),
            Some(FaultKind::ResetBefore) => {
                return Outcome { delivery: Delivery::Reset, changes: Vec::new() };
            }
            Some(FaultKind::Throttle) => return refuse(Refusal::throttled()),
            Some(FaultKind::Unauthorized) => return refuse(Refusal::unauthenticated(SERVICE)),
            Some(FaultKind::Html) => {
                let delivery = Delivery::Html { status: 502, body: BAD_GATEWAY };
                return Outcome { delivery, changes: Vec::new() };
            }
            _ => {}
        }
        if request.principal.is_some()
            && let Some(call) = Call::parse(request.method, request.path)
            && let Err(over) = self.quota.admit(now, call.api, call.space)
        {
            return refuse(over.refusal());
        }
        let response = self.world.handle(now, request);
        let delivery = match fault {
            Some(FaultKind::ErrorAfter) => {
                let refusal = Refusal::unavailable();
                Delivery::Json { status: refusal.code, body: refusal.to_json() }
            }
            Some(FaultKind::ResetAfter) => Delivery::Reset,
            Some(FaultKind::Hang) => Delivery::Hang,
            _ => Delivery::Json { status: response.status, body: response.body },
        };
        Outcome { delivery, changes: response.changes }
    }
}

#[cfg(test)]
mod tests {
    use super::super::quota::Limits;
    use super::super::world::{Principal, Rules, Scopes};
    use super::*;

    fn outcome(fault: &str, limits: Limits) -> (Outcome, usize) {
        let mut service = Service {
            world: World::new(Rules { any_space: true, ..Rules::default() }),
            quota: Quota::new(limits),
            faults: Faults::new(&[fault.parse().unwrap()], 0).unwrap(),
        };
        let principal = Principal::new(Scopes::IMPORT, Some("admin@example.com"));
        let request = Request {
            method: "POST",
            path: "/v1/spaces/A/members",
            query: "",
            principal: Some(&principal),
            body: br#"{"member":{"name":"users/7"},"deleteTime":"2020-01-01T00:00:00Z"}"#,
        };
        let mut last = None;
        for second in 0..2 {
            last = Some(
                service.call(Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000), &request),
            );
        }
        (last.unwrap(), service.world.memberships().count())
    }

    #[test]
    fn faults_apply_or_do_not() {
        for (fault, status, applied) in [
            ("error-before=1", Some(503), 0),
            ("error-after=1", Some(503), 1),
            ("reset-before=1", None, 0),
            ("reset-after=1", None, 1),
            ("throttle=1", Some(429), 0),
            ("unauthorized=1", Some(401), 0),
            ("html=1", Some(502), 0),
            ("hang=1", None, 1),
            ("token-error=1", Some(409), 1),
        ] {
            let (outcome, held) = outcome(fault, Limits::default());
            let got = match outcome.delivery {
                Delivery::Json { status, .. } | Delivery::Html { status, .. } => Some(status),
                Delivery::Reset | Delivery::Hang => None,
            };
            assert_eq!((got, held), (status, applied), "{fault}");
        }
    }

    #[test]
    fn over_the_quota_nothing_is_applied() {
        let (outcome, held) = outcome("html=0", Limits { writes_per_minute: 1, ..Limits::default() });
        assert!(matches!(outcome.delivery, Delivery::Json { status: 429, .. }));
        assert_eq!(held, 1);
    }
}
