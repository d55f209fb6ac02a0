//! What an operator does about a failure: what to click or type, by name, with the values filled in. Text from values.

pub mod rejects;

use crate::chat::{Access, Cause, Failure, Method, Refusal};
use crate::credentials::{Identity, TokenFailure, TokenRefusal};
use crate::engine::Stop;
use crate::wording::span;

/// Where an administrator delegates scopes to a service account (guide: authorize-import).
const DELEGATION: &str = "https://admin.google.com/ac/owl/domainwidedelegation";
/// What to do about a clock that is wrong.
pub const SET_THE_CLOCK: &str = "set it right (Linux: timedatectl set-ntp true)";
/// A clock that is wrong by less than this is not why a token is refused, in seconds.
pub const CLOCK_OFF_S_MAX: u64 = 60;

/// Whose failure it is.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Who calls.
    pub identity: &'a Identity,
    /// In what capacity.
    pub access: Access,
    /// The endpoint, where that is not Google's.
    pub elsewhere: Option<&'a str>,
}

impl Setup<'_> {
    /// Before a run goes on that was stopped; `None` where the reason says it already, or nothing is to be done.
    pub fn of_stop(&self, stop: &Stop) -> Option<String> {
        match stop {
            Stop::Asked | Stop::JournalGone | Stop::NotOffered(_) => None,
            Stop::NoToken(failure) => self.of_token(failure).map(|remedy| remedy + &self.another(failure)),
            Stop::Unauthorized(_) if self.identity.client_email.is_some() => {
                Some(format!("{}; `tenure doctor` tells which", self.unauthorized()))
            }
            Stop::Unauthorized(_) => Some(self.unauthorized()),
            Stop::NotSetUp(refusal) => self.of_refusal(refusal),
            Stop::EverySpaceRefused { kind, .. } if kind == "FAILED_PRECONDITION" => Some(self.chat_is_off()),
            Stop::EverySpaceRefused { .. } => Some(self.of_refused_spaces()),
            Stop::NoSpaceCreated { .. } => Some(
                "whoever is impersonated must be allowed to create spaces, and chat.import be delegated; `tenure doctor` \
                 tells which"
                    .to_owned(),
            ),
            Stop::GaveUp { throttled: true, .. } => Some(
                "wait, or lower --writes-per-minute if other programs share the project's quota".to_owned(),
            ),
            Stop::GaveUp { throttled: false, .. } if self.elsewhere.is_some() => {
                Some(self.unreachable("go on"))
            }
            Stop::GaveUp { throttled: false, .. } => Some(
                "check the network and its proxy, and whether Google reports trouble \
                 (https://www.google.com/appsstatus/dashboard/), then go on; `tenure doctor` tells which"
                    .to_owned(),
            ),
        }
    }

    /// Where Chat refuses spaces as a whole.
    pub fn of_refused_spaces(&self) -> String {
        format!("{}; `tenure doctor INPUT` tells which", self.space_refused())
    }

    /// After a call that failed.
    pub fn of_failure(&self, failure: &Failure) -> Option<String> {
        match failure {
            Failure::Refused(refusal) => self.of_refusal(refusal),
            Failure::Unauthorized(_) => Some(self.unauthorized()),
            Failure::Token(failure) => self.of_token(failure),
            Failure::NotOffered(_) if self.access == Access::Import => Some(
                "once the space is completed, add --standard-spaces; in import mode, list its members instead"
                    .to_owned(),
            ),
            Failure::NotOffered(_) => None,
            Failure::NotSent(_) => Some(self.unreachable("try again")),
            Failure::Lost(_) => {
                Some("it may have been applied: look before you try again (tenure members list SPACE)".to_owned())
            }
        }
    }

    /// Where there is no token.
    pub fn of_token(&self, failure: &TokenFailure) -> Option<String> {
        match failure {
            // It says it itself.
            TokenFailure::Unavailable(_) => None,
            TokenFailure::Passing(_) => {
                Some("check the network and the proxy (HTTPS_PROXY, NO_PROXY), then try again".to_owned())
            }
            TokenFailure::Refused(refusal) => Some(self.of_token_refusal(refusal)),
        }
    }

    /// Where whoever is impersonated may be a slip: what goes on would take them again.
    fn another(&self, failure: &TokenFailure) -> String {
        match (failure, &self.identity.subject) {
            (TokenFailure::Refused(refusal), Some(subject)) if may_be_of_the_subject(refusal) => format!(
                ". If {subject} is a slip, go on with --impersonate and the right one: else {subject} is taken again"
            ),
            _ => String::new(),
        }
    }

    fn of_token_refusal(&self, refusal: &TokenRefusal) -> String {
        let account = self.identity.client_email.as_deref();
        let named = account.unwrap_or("the service account");
        if refusal.code.starts_with(TokenRefusal::OF_ADC) {
            return "renew them: gcloud auth application-default login".to_owned();
        }
        if let Some(kind) = refusal.code.strip_prefix(TokenRefusal::OF_IAM) {
            return match kind {
                "NOT_FOUND" => format!("check --sign-with: there is no service account {named}"),
                "UNAUTHENTICATED" => "renew them: gcloud auth application-default login".to_owned(),
                _ => format!(
                    "let whoever runs this sign for it: gcloud iam service-accounts add-iam-policy-binding {named} \
                     --member=user:YOU --role=roles/iam.serviceAccountTokenCreator; and the IAM Credentials API has to \
                     be enabled: gcloud services enable iamcredentials.googleapis.com{}",
                    self.project_flag(None)
                ),
            };
        }
        match (refusal.code.as_str(), account, refusal.description.to_lowercase()) {
            ("invalid_grant", None, _) => {
                "the sign-in has ended or was revoked: sign in again with `tenure login`".to_owned()
            }
            ("invalid_grant", Some(_), description) => self.invalid_grant(refusal, &description, named),
            ("unauthorized_client" | "access_denied", Some(_), _) => self.delegate(refusal),
            ("invalid_scope", Some(_), _) => self.delegate(refusal),
            ("admin_policy_enforced", ..) => {
                "the organisation's policy forbids it: an administrator opens https://admin.google.com/ac/owl > Manage \
                 third-party app access, and trusts this app"
                    .to_owned()
            }
            ("disabled_client" | "invalid_client" | "deleted_client", ..) => format!(
                "{named} is disabled or deleted: see https://console.cloud.google.com/iam-admin/serviceaccounts{}",
                self.project_query(None)
            ),
            _ => "check the credentials".to_owned(),
        }
    }

    fn invalid_grant(&self, refusal: &TokenRefusal, description: &str, named: &str) -> String {
        if let Some(ahead) = refusal.clock_ahead_s
            && ahead.unsigned_abs() > CLOCK_OFF_S_MAX
        {
            return set_the_clock(ahead);
        }
        let subject = self.identity.subject.as_deref().unwrap_or("the person");
        let keys =
            format!("https://console.cloud.google.com/iam-admin/serviceaccounts{}", self.project_query(None));
        if description.contains("email or user id") {
            return format!(
                "check --impersonate: the organisation has no user {subject}, or they are suspended"
            );
        }
        if description.contains("signature") {
            return format!(
                "the key was revoked or replaced: make a new one at {keys} > {named} > Keys > Add key > JSON, and give \
                 it with --credentials"
            );
        }
        if description.contains("account not found") {
            return format!("{named} was deleted, or its name is misspelt: see {keys}");
        }
        format!(
            "check --impersonate (is {subject} a user of the organisation?), this machine's clock, and at {keys} \
             whether the key was revoked"
        )
    }

    fn delegate(&self, refusal: &TokenRefusal) -> String {
        let client = match &self.identity.client_id {
            Some(id) => format!("client ID {id} (the number, not the e-mail address)"),
            None => format!(
                "the client ID of {} (a number: gcloud iam service-accounts describe it, oauth2ClientId)",
                self.identity.client_email.as_deref().unwrap_or("the service account")
            ),
        };
        let foreign = match self.identity.subject.as_deref().and_then(|subject| subject.split_once('@')) {
            Some((_, domain)) => {
                format!(". If it is there already: is {domain} a domain of that very organisation?")
            }
            None => String::new(),
        };
        let scope = refusal.scope.map_or_else(|| self.scope_url(), |scope| scope.url());
        format!(
            "an administrator opens {DELEGATION} (Security > Access and data control > API controls > Domain-wide \
             delegation) and adds {client} with the scope {scope}; it can take up to 24 hours to apply{foreign}"
        )
    }

    /// After an answer with an error status.
    pub fn of_refusal(&self, refusal: &Refusal) -> Option<String> {
        let project = refusal.consumer.as_deref().and_then(|consumer| consumer.strip_prefix("projects/"));
        Some(match refusal.cause() {
            Cause::Quota => "wait a minute, or ask for less at a time".to_owned(),
            Cause::Unauthorized => self.unauthorized(),
            Cause::ScopeMissing => format!(
                "the token has to be for {}: {}",
                self.scope_url(),
                match self.identity.client_email {
                    Some(_) => "check the delegation and the credentials",
                    None =>
                        "what gives the tokens finds it in TENURE_SCOPE; a sign-in is renewed with `tenure login`",
                }
            ),
            Cause::ApiDisabled => format!(
                "enable it at https://console.cloud.google.com/apis/library/chat.googleapis.com{} or with: gcloud \
                 services enable chat.googleapis.com{}; it takes some minutes to apply",
                self.project_query(project),
                self.project_flag(project)
            ),
            Cause::NoChatApp => format!(
                "configure one at https://console.cloud.google.com/apis/api/chat.googleapis.com/hangouts-chat{} (fill in \
                 the app's name, avatar and description, and save)",
                self.project_query(project)
            ),
            Cause::Precondition => self.chat_is_off(),
            Cause::Denied | Cause::NotFound => self.space_refused(),
            Cause::Aborted | Cause::Trouble => {
                "Google, or something on the way, is in trouble (https://www.google.com/appsstatus/dashboard/): try \
                 again later; a change may have been made all the same, so look first"
                    .to_owned()
            }
            Cause::NotChat => {
                "something between here and Google answered: check the proxy and the network".to_owned()
            }
            Cause::Exists | Cause::Invalid => return None,
        })
    }

    /// What to check where nobody answers, and what to do then.
    fn unreachable(&self, then: &str) -> String {
        match self.elsewhere {
            Some(url) => format!(
                "check the network and its proxy, and that a Chat API is listening at {url}; then {then}, with another \
                 --endpoint if that one is wrong"
            ),
            None => format!("check the network and the proxy (HTTPS_PROXY, NO_PROXY), then {then}"),
        }
    }

    fn unauthorized(&self) -> String {
        match self.identity.client_email {
            Some(_) => "check this machine's clock, and whether the key or the delegation was revoked",
            None => "the token is no access token of Google's, or it has ended: check what gives it",
        }
        .to_owned()
    }

    fn chat_is_off(&self) -> String {
        let subject = self.identity.subject.as_deref().unwrap_or("the acting user");
        format!(
            "if Chat is off for {subject}: an administrator turns it on at https://admin.google.com/ac/apps (Google \
             Workspace > Google Chat > Service status), or --impersonate names somebody else"
        )
    }

    fn space_refused(&self) -> String {
        match self.access {
            Access::Import => format!(
                "check that the spaces were created by this very Chat app, are still in import mode and not older than 90 \
                 days (Chat deletes them then, for good), and that {} may use Chat{}; one that is completed takes --standard-spaces",
                self.identity.subject.as_deref().unwrap_or("the acting user"),
                // Chat takes other tokens too, and then shows them no space in import mode.
                match self.identity.client_email {
                    Some(_) => String::new(),
                    None => format!("; and that the token is for {}", self.scope_url()),
                }
            ),
            Access::User => "check that the space exists and that whoever acts is in it and may do this; an \
                             administrator adds --admin-access"
                .to_owned(),
            Access::Admin => {
                "check that the space exists, and that whoever acts is an administrator with the right to \
                              manage Chat"
                    .to_owned()
            }
            Access::App => {
                "check that the Chat app is in the space, and that an administrator has approved it for the \
                            organisation"
                    .to_owned()
            }
        }
    }

    fn scope_url(&self) -> String {
        self.access.need(Method::MembersCreate, false).map(|need| need.scope.url()).unwrap_or_default()
    }

    fn project_query(&self, project: Option<&str>) -> String {
        let project = project.or(self.identity.project_id.as_deref());
        project.map(|project| format!("?project={project}")).unwrap_or_default()
    }

    fn project_flag(&self, project: Option<&str>) -> String {
        let project = project.or(self.identity.project_id.as_deref());
        project.map(|project| format!(" --project {project}")).unwrap_or_default()
    }
}

/// Whether whom the token was asked for may be why it was refused.
fn may_be_of_the_subject(refusal: &TokenRefusal) -> bool {
    let description = refusal.description.to_lowercase();
    match refusal.code.as_str() {
        "invalid_grant" => {
            let is_off = refusal.clock_ahead_s.is_some_and(|ahead| ahead.unsigned_abs() > CLOCK_OFF_S_MAX);
            !is_off && !["signature", "account not found"].iter().any(|part| description.contains(part))
        }
        "unauthorized_client" | "access_denied" => true,
        _ => false,
    }
}

/// What to do about a clock that is so many seconds ahead of Google's.
pub fn set_the_clock(ahead_s: i64) -> String {
    let off = span(std::time::Duration::from_secs(ahead_s.unsigned_abs()));
    let way = if ahead_s > 0 { "ahead of" } else { "behind" };
    format!("this machine's clock is {off} {way} Google's: {SET_THE_CLOCK}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Scope;

    fn identity() -> Identity {
        Identity {
            client_email: Some("robot@p.iam.gserviceaccount.com".to_owned()),
            client_id: Some("1234567".to_owned()),
            project_id: Some("p".to_owned()),
            subject: Some("admin@example.com".to_owned()),
            ..Identity::default()
        }
    }

    fn of_token(code: &str, description: &str, clock_ahead_s: Option<i64>) -> String {
        let identity = identity();
        let setup = Setup { identity: &identity, access: Access::Import, elsewhere: None };
        let refusal = TokenRefusal {
            code: code.to_owned(),
            description: description.to_owned(),
            scope: Some(Scope::IMPORT),
            clock_ahead_s,
        };
        setup.of_token(&TokenFailure::Refused(Box::new(refusal))).unwrap()
    }

    #[test]
    fn what_to_paste_and_where() {
        let text = of_token("unauthorized_client", "", None);
        for part in [DELEGATION, "1234567", "https://www.googleapis.com/auth/chat.import", "24 hours"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn one_code_and_many_reasons() {
        for (description, ahead, part) in [
            ("Invalid JWT: short-lived", Some(7200), "2 h 0 min ahead of Google's"),
            ("Invalid JWT: short-lived", Some(-7200), "2 h 0 min behind Google's"),
            ("Invalid email or User ID", Some(0), "no user admin@example.com"),
            ("Invalid JWT Signature.", None, "robot@p.iam.gserviceaccount.com > Keys"),
            ("Invalid grant: account not found.", None, "was deleted"),
            ("", None, "whether the key was revoked"),
        ] {
            let text = of_token("invalid_grant", description, ahead);
            assert!(text.contains(part), "{description}: {text}");
        }
    }

    #[test]
    fn a_slip_in_whom_to_act_for_is_not_taken_again() {
        let identity = identity();
        let setup = Setup { identity: &identity, access: Access::Import, elsewhere: None };
        for (code, description, is_told) in [
            ("invalid_grant", "Invalid email or User ID", true),
            ("unauthorized_client", "", true),
            ("invalid_grant", "Invalid JWT Signature.", false),
        ] {
            let failure = TokenFailure::of_code(code, description);
            let text = setup.of_stop(&Stop::NoToken(failure.clone())).unwrap();
            assert_eq!(text.contains("else admin@example.com is taken again"), is_told, "{text}");
            assert!(!setup.of_token(&failure).unwrap().contains("slip"));
        }
    }

    #[test]
    fn the_project_is_filled_in() {
        let identity = identity();
        let setup = Setup { identity: &identity, access: Access::Import, elsewhere: None };
        let refusal = |reason: &str, consumer: Option<&str>| Refusal {
            http_status: 403,
            status: "PERMISSION_DENIED".to_owned(),
            reason: Some(reason.to_owned()),
            consumer: consumer.map(str::to_owned),
            ..Refusal::default()
        };
        let own = setup.of_refusal(&refusal("SERVICE_DISABLED", None)).unwrap();
        assert!(own.contains("?project=p ") && own.contains("--project p;"), "{own}");
        let told = setup.of_refusal(&refusal("SERVICE_DISABLED", Some("projects/77"))).unwrap();
        assert!(told.contains("?project=77 "), "{told}");
        let scope = setup.of_refusal(&refusal("ACCESS_TOKEN_SCOPE_INSUFFICIENT", None)).unwrap();
        assert!(scope.contains("auth/chat.import"), "{scope}");
    }
}
