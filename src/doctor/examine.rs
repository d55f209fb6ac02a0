//! What was seen, and what it says: a check's result from values.

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::Check;
use crate::chat::{Access, Cause, Failure};
use crate::credentials::{Actor, Need, TokenFailure};
use crate::model::{SpaceName, Timestamp};
use crate::remedy::{CLOCK_OFF_S_MAX, SET_THE_CLOCK, Setup};
use crate::wording::{many, span};

/// From here on Google refuses assertions, in seconds.
const CLOCK_OFF_S_FATAL: u64 = 300;
/// From here on a space should be finished soon, and must not be begun any more (import-data guide: 90 days).
const EXPIRY_NEAR: Duration = Duration::from_secs(14 * 86_400);
const EXPIRY_TOO_NEAR: Duration = Duration::from_secs(30 * 60);
/// How many spaces are named for each reason.
const NAMED_MAX: usize = 3;

/// Whether the servers could be reached: each with its name, the proxy on the way, and what went wrong.
pub fn network(servers: &[(String, Option<String>, Option<String>)]) -> Check {
    let way = |proxy: &Option<String>| match proxy {
        Some(proxy) => format!("through the proxy {proxy}"),
        None => "directly".to_owned(),
    };
    let broken: Vec<String> = servers
        .iter()
        .filter_map(|(name, proxy, trouble)| {
            let trouble = trouble.as_ref()?;
            Some(format!("{name} cannot be reached {}: {trouble}", way(proxy)))
        })
        .collect();
    if broken.is_empty() {
        let reached: Vec<String> =
            servers.iter().map(|(name, proxy, _)| format!("{name} {}", way(proxy))).collect();
        return Check::ok("network", format!("network: {}", reached.join(", ")));
    }
    let remedy =
        "check the network, the firewall, and HTTPS_PROXY and NO_PROXY in the environment".to_owned();
    Check::failed("network", broken.join("; "), Some(remedy))
}

/// Whether the clock is right; `ahead_s` is how far it is ahead of the server's.
pub fn clock(ahead_s: i64) -> Check {
    let off = ahead_s.unsigned_abs();
    let way = if ahead_s > 0 { "ahead of" } else { "behind" };
    let story = format!("this machine's clock is {} {way} the server's", span(Duration::from_secs(off)));
    match off {
        0..=CLOCK_OFF_S_MAX => Check::ok("clock", "clock: this machine's is within a minute of the server's"),
        _ if off <= CLOCK_OFF_S_FATAL => Check::warning("clock", story, Some(SET_THE_CLOCK.to_owned())),
        _ => Check::failed("clock", story, Some(SET_THE_CLOCK.to_owned())),
    }
}

/// Whether there is a token. `what_for` is what would not work without; `None` where nothing would.
pub fn token(
    need: Need,
    result: &Result<(), TokenFailure>,
    what_for: Option<&str>,
    setup: &Setup<'_>,
) -> Check {
    let whose = match (need.actor, setup.identity.subject.as_deref()) {
        (Actor::App, _) => "the app itself".to_owned(),
        (Actor::Person, Some(subject)) => subject.to_owned(),
        (Actor::Person, None) => "whoever the token stands for".to_owned(),
    };
    match (result, what_for) {
        (Ok(()), _) => Check::ok("token", format!("token for {}, as {whose}", need.scope)),
        (Err(failure), None) => {
            Check::failed("token", format!("{failure} (as {whose})"), setup.of_token(failure))
        }
        (Err(failure), Some(what_for)) => {
            Check::warning("token", format!("{failure} (as {whose}); {what_for}"), setup.of_token(failure))
        }
    }
}

/// What a call that changes nothing tells of the project and the acting person: whether the API is enabled, the Chat app
/// configured, and the person may use Chat. That the space is not to be had tells nothing of these three.
pub fn standing(result: Result<(), &Failure>, setup: &Setup<'_>) -> Vec<Check> {
    let who = match (setup.access, setup.identity.subject.as_deref()) {
        (Access::App, _) => "the app itself".to_owned(),
        (_, Some(subject)) => subject.to_owned(),
        (_, None) => "whoever the token stands for".to_owned(),
    };
    let enabled = || Check::ok("api", "the Chat API is enabled in the Cloud project");
    let configured = || Check::ok("app", "the Cloud project has a Chat app");
    let skipped = |check, story: &str| Check::skipped(check, format!("{story}: not looked at yet"));
    let failure = match result {
        Ok(()) => None,
        Err(Failure::Refused(refusal))
            if matches!(refusal.cause(), Cause::Denied | Cause::NotFound | Cause::Invalid) =>
        {
            None
        }
        Err(failure) => Some(failure),
    };
    let Some(failure) = failure else {
        return vec![enabled(), configured(), Check::ok("user", format!("{who} may use Chat"))];
    };
    let remedy = setup.of_failure(failure);
    let app = "the Chat app";
    let user = format!("whether {who} may use Chat");
    let cause = match failure {
        Failure::Refused(refusal) | Failure::Unauthorized(refusal) => Some(refusal.cause()),
        _ => None,
    };
    match cause {
        Some(Cause::ApiDisabled) => vec![
            Check::failed(
                "api",
                format!("the Chat API is not enabled in the Cloud project: {failure}"),
                remedy,
            ),
            skipped("app", app),
            skipped("user", &user),
        ],
        Some(Cause::NoChatApp) => vec![
            enabled(),
            Check::failed("app", format!("the Cloud project has no Chat app: {failure}"), remedy),
            skipped("user", &user),
        ],
        Some(Cause::Precondition) => vec![
            enabled(),
            configured(),
            Check::failed("user", format!("{who} may not use Chat: {failure}"), remedy),
        ],
        Some(Cause::ScopeMissing | Cause::Unauthorized) => vec![
            Check::failed("token", format!("Chat does not accept the token: {failure}"), remedy),
            skipped("api", "the Chat API"),
            skipped("app", app),
            skipped("user", &user),
        ],
        _ => vec![
            Check::failed("api", format!("Chat gives no answer that tells anything: {failure}"), remedy),
            skipped("app", app),
            skipped("user", &user),
        ],
    }
}

/// A space that was looked at.
#[derive(Debug, Clone)]
pub struct SpaceSeen {
    /// Which.
    pub space: SpaceName,
    /// How it was found.
    pub seen: Seen,
}

/// How a space was found.
#[derive(Debug, Clone)]
pub enum Seen {
    /// It cannot be listed.
    Refused(Failure),
    /// It can be listed; more was not asked, or could not be told.
    Listed,
    /// It can be listed, and this is its mode.
    Mode {
        /// Whether it is in import mode.
        import_mode: bool,
        /// When it will be deleted if it still is then.
        expires: Option<Timestamp>,
    },
}

/// What the spaces of an input are like, in so few lines as possible.
pub fn spaces(all: &[SpaceSeen], setup: &Setup<'_>, now: Timestamp) -> Vec<Check> {
    let mut refused: BTreeMap<String, (Option<String>, Vec<&SpaceName>)> = BTreeMap::new();
    let (mut completed, mut too_near, mut near, mut untold) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut first: Option<Timestamp> = None;
    for SpaceSeen { space, seen } in all {
        match seen {
            Seen::Refused(failure) => {
                let entry = refused
                    .entry(failure.to_string())
                    .or_insert_with(|| (setup.of_failure(failure), Vec::new()));
                entry.1.push(space);
            }
            Seen::Listed => untold += 1,
            Seen::Mode { import_mode, .. } if *import_mode != (setup.access == Access::Import) => {
                completed.push(space);
            }
            Seen::Mode { expires: None, .. } => {}
            Seen::Mode { expires: Some(end), .. } => {
                first = Some(first.map_or(*end, |first| first.min(*end)));
                let left = u64::try_from(end.as_micros() - now.as_micros()).unwrap_or(0);
                match Duration::from_micros(left) {
                    left if left < EXPIRY_TOO_NEAR => too_near.push(space),
                    left if left < EXPIRY_NEAR => near.push(space),
                    _ => {}
                }
            }
        }
    }
    let mut checks = Vec::new();
    for (story, (remedy, names)) in refused {
        let story = format!("{} cannot be listed: {story}", named(&names));
        checks.push(Check::failed("spaces", story, remedy));
    }
    if !completed.is_empty() {
        let (story, remedy) = if setup.access == Access::Import {
            (
                "not in import mode (any more), so no history can be added",
                "leave their rows out, or import them into new spaces that are created in import mode",
            )
        } else {
            ("still in import mode", "leave --standard-spaces away, or complete them first")
        };
        let story = format!("{}: {story}", named(&completed));
        checks.push(Check::failed("spaces", story, Some(remedy.to_owned())));
    }
    if !too_near.is_empty() {
        let story = format!("{}: import mode ends within 30 minutes, or has ended", named(&too_near));
        let remedy = "the space is deleted then, for good: complete it now, or create it anew".to_owned();
        checks.push(Check::failed("spaces", story, Some(remedy)));
    }
    if !near.is_empty() {
        let story = format!("{}: import mode ends within 14 days", named(&near));
        checks.push(Check::warning("spaces", story, Some("import and complete these first".to_owned())));
    }
    if untold > 0 && setup.access == Access::Import {
        let story = format!(
            "{} can be listed; whether they are in import mode, and how long, only the app's own token for chat.bot tells",
            many(untold, "space")
        );
        checks.push(Check::warning("spaces", story, None));
    }
    if checks.is_empty() {
        let until = first.map(|end| format!(", the first of them until {}", end.to_whole_seconds()));
        let mode = if setup.access == Access::Import { " and in import mode" } else { "" };
        checks.push(Check::ok(
            "spaces",
            format!("{} within reach{mode}{}", many(all.len() as u64, "space"), until.unwrap_or_default()),
        ));
    }
    checks
}

/// `spaces/A, spaces/B and 7 more`.
fn named(spaces: &[&SpaceName]) -> String {
    let names: Vec<&str> = spaces.iter().take(NAMED_MAX).map(|space| space.as_str()).collect();
    match spaces.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;
    use crate::chat::Refusal;
    use crate::credentials::Identity;

    fn refusal(http_status: u16, status: &str, reason: &str, message: &str) -> Failure {
        Failure::Refused(Box::new(Refusal {
            http_status,
            status: status.to_owned(),
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            message: message.to_owned(),
            ..Refusal::default()
        }))
    }

    fn outcomes(checks: &[Check]) -> Vec<(&str, Outcome)> {
        checks.iter().map(|check| (check.check, check.outcome)).collect()
    }

    #[test]
    fn clocks() {
        for (ahead, outcome) in [
            (0, Outcome::Ok),
            (-60, Outcome::Ok),
            (61, Outcome::Warning),
            (-301, Outcome::Failed),
            (7200, Outcome::Failed),
        ] {
            assert_eq!(clock(ahead).outcome, outcome, "{ahead}");
        }
        assert!(clock(-7200).story.contains("2 h 0 min behind"));
    }

    #[test]
    fn what_one_call_tells() {
        use Outcome::{Failed, Ok as Fine, Skipped};
        let identity = Identity::default();
        let setup = Setup { identity: &identity, access: Access::Import, elsewhere: None };
        for (failure, expected) in [
            (refusal(403, "PERMISSION_DENIED", "", ""), [("api", Fine), ("app", Fine), ("user", Fine)]),
            (
                refusal(403, "PERMISSION_DENIED", "SERVICE_DISABLED", ""),
                [("api", Failed), ("app", Skipped), ("user", Skipped)],
            ),
            (
                refusal(404, "NOT_FOUND", "", "Google Chat app not found."),
                [("api", Fine), ("app", Failed), ("user", Skipped)],
            ),
            (refusal(400, "FAILED_PRECONDITION", "", ""), [("api", Fine), ("app", Fine), ("user", Failed)]),
            (refusal(502, "", "", ""), [("api", Failed), ("app", Skipped), ("user", Skipped)]),
        ] {
            let checks = standing(Err(&failure), &setup);
            assert_eq!(outcomes(&checks), expected, "{failure}");
            let mended = checks.iter().filter(|check| check.outcome == Failed);
            assert!(mended.into_iter().all(|check| check.remedy.is_some()), "{failure}");
        }
    }

    #[test]
    fn spaces_by_what_is_wrong_with_them() {
        let identity = Identity::default();
        let setup = Setup { identity: &identity, access: Access::Import, elsewhere: None };
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let in_days = |days: i64| Some(Timestamp::from_micros(now.as_micros() + days * 86_400_000_000));
        let space = |name: &str, seen: Seen| SpaceSeen { space: SpaceName::parse(name).unwrap(), seen };
        let mode = |import_mode, expires| Seen::Mode { import_mode, expires };
        let fine = [space("A", mode(true, in_days(80))), space("B", mode(true, in_days(70)))];
        let checks = spaces(&fine, &setup, now);
        assert_eq!(outcomes(&checks), [("spaces", Outcome::Ok)]);
        assert!(
            checks[0].story.starts_with("2 spaces within reach and in import mode, the first of them until")
        );
        let denied = || Seen::Refused(refusal(403, "PERMISSION_DENIED", "", "no"));
        let all = [
            space("A", denied()),
            space("B", denied()),
            space("C", mode(false, None)),
            space("D", mode(true, in_days(-1))),
            space("E", mode(true, in_days(10))),
            space("F", Seen::Listed),
        ];
        let checks = spaces(&all, &setup, now);
        let stories: Vec<&str> = checks.iter().map(|check| check.story.as_str()).collect();
        assert!(stories[0].starts_with("spaces/A, spaces/B cannot be listed: 403"), "{stories:?}");
        assert!(stories[1].starts_with("spaces/C: not in import mode"), "{stories:?}");
        assert!(stories[2].starts_with("spaces/D: import mode ends within 30 minutes"), "{stories:?}");
        assert!(stories[3].starts_with("spaces/E: import mode ends within 14 days"), "{stories:?}");
        assert!(stories[4].starts_with("1 space can be listed"), "{stories:?}");
    }
}
