//! OAuth scopes, and what an access token stands for.

use std::fmt;
use std::str::FromStr;

use super::call::Api;
use super::ids;
use super::refusal::{Refusal, SERVICE};

/// A set of the scopes that this emulator knows: those of Chat, and `cloud-platform` for IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u32);

const PREFIX: &str = "https://www.googleapis.com/auth/";

macro_rules! scopes {
    ($($bit:literal $constant:ident $name:literal;)+) => {
        const NAMES: &[(&str, Scopes)] = &[$(($name, Scopes(1 << $bit))),+];
        impl Scopes {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Scopes = Scopes(1 << $bit);)+
        }
    };
}

// The names and what accepts them are facts of the discovery document.
scopes! {
    0 IMPORT "chat.import";
    1 MEMBERSHIPS "chat.memberships";
    2 MEMBERSHIPS_READONLY "chat.memberships.readonly";
    3 MEMBERSHIPS_APP "chat.memberships.app";
    4 ADMIN_MEMBERSHIPS "chat.admin.memberships";
    5 ADMIN_MEMBERSHIPS_READONLY "chat.admin.memberships.readonly";
    6 APP_MEMBERSHIPS "chat.app.memberships";
    7 BOT "chat.bot";
    8 SPACES "chat.spaces";
    9 SPACES_READONLY "chat.spaces.readonly";
    10 SPACES_CREATE "chat.spaces.create";
    11 DELETE "chat.delete";
    12 ADMIN_SPACES "chat.admin.spaces";
    13 ADMIN_SPACES_READONLY "chat.admin.spaces.readonly";
    14 ADMIN_DELETE "chat.admin.delete";
    15 APP_SPACES "chat.app.spaces";
    16 APP_SPACES_CREATE "chat.app.spaces.create";
    17 APP_DELETE "chat.app.delete";
    18 CLOUD_PLATFORM "cloud-platform";
}

impl Scopes {
    /// No scope.
    pub const NONE: Scopes = Scopes(0);
    /// Every scope known here.
    pub const ALL: Scopes = Scopes((1 << 19) - 1);
    /// Granted to the app itself, never to a person.
    pub(crate) const OF_APPS: Scopes = Scopes::BOT
        .and(Scopes::APP_MEMBERSHIPS)
        .and(Scopes::APP_SPACES)
        .and(Scopes::APP_SPACES_CREATE)
        .and(Scopes::APP_DELETE);
    /// Usable only together with `useAdminAccess=true`.
    pub(crate) const OF_ADMINS: Scopes = Scopes::ADMIN_MEMBERSHIPS
        .and(Scopes::ADMIN_MEMBERSHIPS_READONLY)
        .and(Scopes::ADMIN_SPACES)
        .and(Scopes::ADMIN_SPACES_READONLY)
        .and(Scopes::ADMIN_DELETE);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Scopes) -> Scopes {
        Scopes(self.0 | other.0)
    }

    /// What both sets have.
    #[must_use]
    pub const fn common(self, other: Scopes) -> Scopes {
        Scopes(self.0 & other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Scopes) -> Scopes {
        Scopes(self.0 & !other.0)
    }

    /// Whether the two sets share a scope.
    pub const fn any(self, other: Scopes) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Reads a scope list as OAuth writes it: full URLs with spaces between them. `None` when it is empty, or some scope
    /// is not known.
    pub fn parse_list(text: &str) -> Option<Scopes> {
        let scopes = text
            .split_ascii_whitespace()
            .try_fold(Scopes::NONE, |all, url| Some(all.and(Scopes::parse(url)?)))?;
        (!scopes.is_empty()).then_some(scopes)
    }

    /// Reads one scope: the full URL, as tokens are asked for.
    pub fn parse(url: &str) -> Option<Scopes> {
        let name = url.strip_prefix(PREFIX)?;
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, scope)| *scope)
    }
}

/// A text that names no scope known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}; write it like chat.import, or as the full URL")]
pub struct UnknownScope(String);

impl FromStr for Scopes {
    type Err = UnknownScope;

    /// Reads one scope as people write it: its name, `chat.import`, or the full URL.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let name = text.trim();
        Scopes::parse(name)
            .or_else(|| Scopes::parse(&format!("{PREFIX}{name}")))
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

impl fmt::Display for Scopes {
    /// Full URLs with a space between them, as OAuth writes a scope list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (name, _) in NAMES.iter().filter(|(_, scope)| self.any(*scope)) {
            write!(f, "{between}{PREFIX}{name}")?;
            between = " ";
        }
        Ok(())
    }
}

/// Whom an access token stands for, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    scopes: Scopes,
    subject: Option<Subject>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// In lower case.
    pub(crate) address: String,
    /// `users/{id}`.
    pub(crate) id: String,
}

impl Principal {
    /// A token with `scopes`: of the person with this e-mail address, or of the service account itself.
    pub fn new(scopes: Scopes, subject: Option<&str>) -> Self {
        let subject = subject.map(|address| {
            let address = address.to_lowercase();
            Subject { id: ids::user_of_address(&address), address }
        });
        Principal { scopes, subject }
    }

    /// The impersonated person's address; `None` is the service account itself.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_ref().map(|subject| subject.address.as_str())
    }

    /// The scopes of the token.
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    pub(crate) fn person(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Those of the token's scopes that may serve this call.
    ///
    /// # Errors
    /// 403 when there are none: with reason `ACCESS_TOKEN_SCOPE_INSUFFICIENT` when the token lacks the scope,
    /// without it when the scope is there but cannot be used like this.
    pub(crate) fn authorise(&self, api: Api, admin_access: bool) -> Result<Scopes, Refusal> {
        let insufficient = || Refusal::scope_insufficient(SERVICE, api.rpc());
        let held = self.scopes.common(accepted(api));
        if held.is_empty() {
            return Err(insufficient());
        }
        let of_kind = match self.subject {
            Some(_) => held.without(Scopes::OF_APPS),
            None => held.common(Scopes::OF_APPS),
        };
        if of_kind.is_empty() {
            return Err(Refusal::denied(match self.subject {
                Some(_) => "This scope needs app authentication: the token must not impersonate a user.",
                None => "This scope needs user authentication: the token must impersonate a user.",
            }));
        }
        let usable =
            if admin_access { of_kind.common(Scopes::OF_ADMINS) } else { of_kind.without(Scopes::OF_ADMINS) };
        match (usable.is_empty(), admin_access) {
            (false, _) => Ok(usable),
            (true, true) => Err(insufficient()),
            (true, false) => Err(Refusal::denied("An administrator's scope needs useAdminAccess=true.")),
        }
    }
}

/// The scopes that each method lists in the discovery document.
pub(super) fn accepted(api: Api) -> Scopes {
    const READ_MEMBERS: Scopes = Scopes::ADMIN_MEMBERSHIPS
        .and(Scopes::ADMIN_MEMBERSHIPS_READONLY)
        .and(Scopes::APP_MEMBERSHIPS)
        .and(Scopes::BOT)
        .and(Scopes::MEMBERSHIPS)
        .and(Scopes::MEMBERSHIPS_READONLY);
    const PATCH_MEMBERS: Scopes =
        Scopes::ADMIN_MEMBERSHIPS.and(Scopes::APP_MEMBERSHIPS).and(Scopes::IMPORT).and(Scopes::MEMBERSHIPS);
    match api {
        Api::MembersCreate | Api::MembersDelete => PATCH_MEMBERS.and(Scopes::MEMBERSHIPS_APP),
        Api::MembersPatch => PATCH_MEMBERS,
        Api::MembersGet => READ_MEMBERS,
        Api::MembersList => READ_MEMBERS.and(Scopes::IMPORT),
        Api::SpacesCreate => Scopes::APP_SPACES
            .and(Scopes::APP_SPACES_CREATE)
            .and(Scopes::IMPORT)
            .and(Scopes::SPACES)
            .and(Scopes::SPACES_CREATE),
        Api::SpacesGet => Scopes::ADMIN_SPACES
            .and(Scopes::ADMIN_SPACES_READONLY)
            .and(Scopes::APP_SPACES)
            .and(Scopes::BOT)
            .and(Scopes::SPACES)
            .and(Scopes::SPACES_READONLY),
        Api::SpacesList => Scopes::BOT.and(Scopes::SPACES).and(Scopes::SPACES_READONLY),
        Api::SpacesPatch => {
            Scopes::ADMIN_SPACES.and(Scopes::APP_SPACES).and(Scopes::IMPORT).and(Scopes::SPACES)
        }
        Api::SpacesDelete => {
            Scopes::ADMIN_DELETE.and(Scopes::APP_DELETE).and(Scopes::DELETE).and(Scopes::IMPORT)
        }
        Api::CompleteImport => Scopes::IMPORT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (name, scope) in NAMES {
            assert_eq!(Scopes::parse(&format!("{PREFIX}{name}")), Some(*scope));
            assert_eq!((name.parse(), format!("{PREFIX}{name}").parse()), (Ok(*scope), Ok(*scope)));
            assert_eq!(scope.to_string(), format!("{PREFIX}{name}"));
        }
        assert_eq!(NAMES.iter().fold(Scopes::NONE, |all, (_, scope)| all.and(*scope)), Scopes::ALL);
        assert_eq!(Scopes::parse("chat.import"), None);
        assert_eq!(Scopes::parse(&format!("{PREFIX}drive")), None);
        let error = "drive".parse::<Scopes>().unwrap_err().to_string();
        assert_eq!(error, "there is no scope \"drive\"; write it like chat.import, or as the full URL");
    }

    #[test]
    fn a_scope_serves_only_its_kind_of_token() {
        let person = |scopes| Principal::new(scopes, Some("admin@example.com"));
        let app = |scopes| Principal::new(scopes, None);
        for (principal, api, admin, reason) in [
            (person(Scopes::IMPORT), Api::MembersCreate, false, None),
            (person(Scopes::IMPORT), Api::MembersGet, false, Some(true)),
            (app(Scopes::IMPORT), Api::MembersCreate, false, Some(false)),
            (person(Scopes::BOT), Api::SpacesGet, false, Some(false)),
            (app(Scopes::BOT), Api::SpacesGet, false, None),
            (person(Scopes::ADMIN_MEMBERSHIPS), Api::MembersCreate, false, Some(false)),
            (person(Scopes::ADMIN_MEMBERSHIPS), Api::MembersCreate, true, None),
            (person(Scopes::MEMBERSHIPS), Api::MembersCreate, true, Some(true)),
            (person(Scopes::MEMBERSHIPS), Api::CompleteImport, false, Some(true)),
        ] {
            let insufficient = principal
                .authorise(api, admin)
                .err()
                .map(|refusal| refusal.to_json().to_string().contains("ACCESS_TOKEN_SCOPE_INSUFFICIENT"));
            assert_eq!(insufficient, reason, "{principal:?} {api:?} {admin}");
        }
    }
}
