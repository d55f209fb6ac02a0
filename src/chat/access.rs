//! In what capacity a call is made: which token, which scope, which switch.

use serde::{Deserialize, Serialize};

use crate::credentials::{Actor, Need, Scope};
use crate::model::MemberName;

/// In what capacity calls are made (guides: authorize-import, authenticate-authorize-chat-user, -chat-app).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Into spaces in import mode, impersonating a person: `chat.import` alone.
    #[default]
    Import,
    /// As a person who is in the space.
    User,
    /// As an administrator of the organisation, with `useAdminAccess=true`.
    Admin,
    /// As the Chat app itself.
    App,
}

/// The methods of the API that this program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `spaces.members.create`
    MembersCreate,
    /// `spaces.members.list`
    MembersList,
    /// `spaces.members.get`
    MembersGet,
    /// `spaces.members.patch`
    MembersPatch,
    /// `spaces.members.delete`
    MembersDelete,
    /// `spaces.create`
    SpacesCreate,
    /// `spaces.list`
    SpacesList,
    /// `spaces.get`
    SpacesGet,
    /// `spaces.patch`
    SpacesPatch,
    /// `spaces.delete`
    SpacesDelete,
    /// `spaces.completeImport`
    CompleteImport,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 11] = [
        Method::MembersCreate,
        Method::MembersList,
        Method::MembersGet,
        Method::MembersPatch,
        Method::MembersDelete,
        Method::SpacesCreate,
        Method::SpacesList,
        Method::SpacesGet,
        Method::SpacesPatch,
        Method::SpacesDelete,
        Method::CompleteImport,
    ];

    /// The method's name in Google's reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::MembersCreate => "spaces.members.create",
            Method::MembersList => "spaces.members.list",
            Method::MembersGet => "spaces.members.get",
            Method::MembersPatch => "spaces.members.patch",
            Method::MembersDelete => "spaces.members.delete",
            Method::SpacesCreate => "spaces.create",
            Method::SpacesList => "spaces.list",
            Method::SpacesGet => "spaces.get",
            Method::SpacesPatch => "spaces.patch",
            Method::SpacesDelete => "spaces.delete",
            Method::CompleteImport => "spaces.completeImport",
        }
    }
}

/// The API has no such method in that capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", .method.as_str(), story(*.access))]
pub struct NotOffered {
    /// The method.
    pub method: Method,
    /// The capacity.
    pub access: Access,
}

fn story(access: Access) -> &'static str {
    match access {
        Access::Import => "does not accept chat.import, so it does not reach into import mode",
        Access::User => "cannot be called by a person like this: it is for spaces in import mode",
        Access::Admin => "cannot be called with administrator's access",
        Access::App => "cannot be called by the app itself: it needs a user",
    }
}

impl Access {
    /// What a token has to be good for. Of the scopes that a method accepts, the one that every other call in this
    /// capacity needs too, so that as little as possible has to be delegated; `own_app` is for members: whether it is the
    /// calling app's own membership.
    ///
    /// # Errors
    /// When Google offers no such thing.
    pub fn need(self, method: Method, own_app: bool) -> Result<Need, NotOffered> {
        let person = |scope| Ok(Need { scope, actor: Actor::Person });
        let app = |scope| Ok(Need { scope, actor: Actor::App });
        let not_offered = Err(NotOffered { method, access: self });
        match (self, method) {
            // In import mode this is the service account's own to ask, and nobody else's.
            (Access::Import | Access::App, Method::SpacesGet | Method::SpacesList) => app(Scope::BOT),
            (Access::Import, Method::MembersGet) => not_offered,
            (Access::Import, _) => person(Scope::IMPORT),

            (Access::User, Method::MembersCreate | Method::MembersDelete) if own_app => {
                person(Scope::MEMBERSHIPS_APP)
            }
            (
                Access::User,
                Method::MembersCreate
                | Method::MembersList
                | Method::MembersGet
                | Method::MembersPatch
                | Method::MembersDelete,
            ) => person(Scope::MEMBERSHIPS),
            (Access::User, Method::SpacesCreate) => person(Scope::SPACES_CREATE),
            (Access::User, Method::SpacesGet | Method::SpacesList) => person(Scope::SPACES_READONLY),
            (Access::User, Method::SpacesPatch) => person(Scope::SPACES),
            (Access::User, Method::SpacesDelete) => person(Scope::DELETE),
            (Access::User, Method::CompleteImport) => not_offered,

            (
                Access::Admin,
                Method::MembersCreate
                | Method::MembersList
                | Method::MembersGet
                | Method::MembersPatch
                | Method::MembersDelete,
            ) => person(Scope::ADMIN_MEMBERSHIPS),
            (Access::Admin, Method::SpacesGet) => person(Scope::ADMIN_SPACES_READONLY),
            (Access::Admin, Method::SpacesPatch) => person(Scope::ADMIN_SPACES),
            (Access::Admin, Method::SpacesDelete) => person(Scope::ADMIN_DELETE),
            (Access::Admin, Method::SpacesCreate | Method::SpacesList | Method::CompleteImport) => {
                not_offered
            }

            (
                Access::App,
                Method::MembersCreate
                | Method::MembersList
                | Method::MembersGet
                | Method::MembersPatch
                | Method::MembersDelete,
            ) => app(Scope::APP_MEMBERSHIPS),
            (Access::App, Method::SpacesCreate) => app(Scope::APP_SPACES_CREATE),
            (Access::App, Method::SpacesPatch) => app(Scope::APP_SPACES),
            (Access::App, Method::SpacesDelete) => app(Scope::APP_DELETE),
            (Access::App, Method::CompleteImport) => not_offered,
        }
    }

    /// Why somebody cannot be made a member in this capacity, if so (create-members guide). `home` is the organisation's
    /// domains, in lower case; empty: not known, and then nobody is from outside.
    pub fn cannot_add(self, member: &MemberName, home: &[String]) -> Option<String> {
        let outside = member.address().filter(|address| {
            let domain = address.rsplit('@').next().unwrap_or_default();
            !home.is_empty() && !home.iter().any(|own| own == domain)
        });
        match self {
            Access::App if member.is_group() => {
                Some("an app cannot add groups (--as-app); a person can".to_owned())
            }
            Access::App if member.is_app() => {
                Some("an app cannot add itself (--as-app); a person can".to_owned())
            }
            Access::Admin if member.is_app() => {
                Some("administrator's access cannot add apps (--admin-access)".to_owned())
            }
            Access::App | Access::Admin => outside.map(|address| {
                let flag = if self == Access::App { "--as-app" } else { "--admin-access" };
                format!(
                    "{address} is outside {}: only people of the organisation can be added with {flag}",
                    home.join(", ")
                )
            }),
            Access::Import | Access::User => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_asks_for_one_scope() {
        for method in Method::ALL {
            match Access::Import.need(method, false) {
                Ok(Need { actor: Actor::Person, scope }) => assert_eq!(scope, Scope::IMPORT, "{method:?}"),
                Ok(Need { actor: Actor::App, scope }) => assert_eq!(scope, Scope::BOT, "{method:?}"),
                Err(_) => assert_eq!(method, Method::MembersGet),
            }
        }
        let story = Access::Import.need(Method::MembersGet, false).unwrap_err().to_string();
        assert!(story.starts_with("spaces.members.get does not accept chat.import"), "{story}");
    }

    #[test]
    fn what_an_app_and_an_administrator_cannot_do() {
        let home = ["example.com".to_owned()];
        let cannot = |access: Access, member: &str| {
            access.cannot_add(&MemberName::parse(member).unwrap(), &home).is_some()
        };
        for (member, app, admin) in [
            ("a@example.com", false, false),
            ("a@elsewhere.org", true, true),
            ("users/123", false, false),
            ("groups/g", true, false),
            ("users/app", true, true),
        ] {
            assert_eq!(
                (cannot(Access::App, member), cannot(Access::Admin, member)),
                (app, admin),
                "{member}"
            );
            assert!(!cannot(Access::Import, member) && !cannot(Access::User, member), "{member}");
        }
        let nowhere = MemberName::parse("a@elsewhere.org").unwrap();
        assert_eq!(Access::App.cannot_add(&nowhere, &[]), None, "nobody has said where home is");
    }
}
