//! How the world behaves where it could behave in more than one way.

use super::refusal::Refusal;
use super::scope::Principal;

/// How to behave where nobody knows how Google does, how the organisation is set up, and which trouble to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A historical membership of somebody who has one with other times in this space.
    pub second_stint: SecondStint,
    /// A historical membership that is there already, to the microsecond.
    pub repeated_create: RepeatedCreate,
    /// Whether memberships are shown with their `createTime` and `deleteTime`.
    pub times_echoed: bool,
    /// Whether `spaces.create` answers with `importModeExpireTime`.
    pub expire_time_echoed: bool,
    /// Whether the Cloud project has a Chat app; without, every call is answered 404.
    pub chat_app_configured: bool,
    /// Whether the Chat API is enabled in the Cloud project; without, every call is answered 403.
    pub chat_api_enabled: bool,
    /// The addresses, in lower case, of people for whom Chat is turned off: calls in their name are answered 400.
    pub chat_off_for: Vec<String>,
    /// Whether any space that a request names is there, in import mode since just now and with a `createTime` of
    /// 2000-01-01T00:00:00Z.
    pub any_space: bool,
    /// Whether `chat.import` still serves list, patch and delete once a space is completed.
    pub import_scope_after_completion: bool,
    /// The domains of the organisation, in lower case; empty means that every address belongs to it. Historical
    /// memberships of other people are refused.
    pub home_domains: Vec<String>,
    /// Domains, in lower case, whose people have to accept an invitation before they are members of a space.
    pub invited_domains: Vec<String>,
    /// Whether `members.delete` answers with the membership, or with an empty resource.
    pub deleted_echoed: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            second_stint: SecondStint::Accept,
            repeated_create: RepeatedCreate::Refuse,
            times_echoed: true,
            expire_time_echoed: true,
            chat_app_configured: true,
            chat_api_enabled: true,
            chat_off_for: Vec::new(),
            any_space: false,
            import_scope_after_completion: false,
            home_domains: Vec::new(),
            invited_domains: Vec::new(),
            deleted_echoed: true,
        }
    }
}

impl Rules {
    /// Whether the set-up lets a caller with a good token through to Chat at all.
    ///
    /// # Errors
    /// 403 without the API, 404 without a Chat app, 400 for somebody who may not use Chat.
    pub(super) fn admit(&self, principal: &Principal) -> Result<(), Refusal> {
        if !self.chat_api_enabled {
            return Err(Refusal::service_disabled());
        }
        if !self.chat_app_configured {
            return Err(Refusal::not_found(
                "Google Chat app not found. To create a Chat app, turn on the Chat API and configure the app in the \
                 Google Cloud console.",
            ));
        }
        let person = principal.subject();
        if self.chat_off_for.iter().any(|address| Some(address.as_str()) == person) {
            return Err(Refusal::precondition(
                "Google Chat is turned off for the user who makes this request.",
            ));
        }
        Ok(())
    }
}

/// What becomes of a second tenure of one member in one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondStint {
    /// It is held beside the first.
    #[default]
    Accept,
    /// 409 ALREADY_EXISTS.
    Refuse,
}

/// What becomes of the same tenure, created again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepeatedCreate {
    /// 409 ALREADY_EXISTS.
    #[default]
    Refuse,
    /// It is held twice.
    Double,
}
