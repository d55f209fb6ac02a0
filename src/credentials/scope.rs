//! OAuth scopes, by the names that Google's guides call them.

use std::fmt;

const PREFIX: &str = "https://www.googleapis.com/auth/";

/// An OAuth scope of Google's, such as `chat.import`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(&'static str);

macro_rules! scopes {
    ($($constant:ident $name:literal $about:literal;)+) => {
        impl Scope {
            $(#[doc = concat!("`", $name, "`: ", $about)] pub const $constant: Scope = Scope($name);)+
            /// Every scope that this program may ask for.
            pub const ALL: &'static [Scope] = &[$(Scope::$constant),+];
        }
    };
}

// The names are facts of the discovery document; what each is for is told by the authorisation guide.
scopes! {
    IMPORT "chat.import" "spaces in import mode";
    MEMBERSHIPS "chat.memberships" "a person's own doings with members";
    MEMBERSHIPS_APP "chat.memberships.app" "adding and removing the calling app itself";
    ADMIN_MEMBERSHIPS "chat.admin.memberships" "members, as an administrator";
    APP_MEMBERSHIPS "chat.app.memberships" "members, as the app itself";
    BOT "chat.bot" "what every app may do as itself";
    SPACES "chat.spaces" "a person's own doings with spaces";
    SPACES_READONLY "chat.spaces.readonly" "looking at a person's spaces";
    SPACES_CREATE "chat.spaces.create" "creating spaces as a person";
    DELETE "chat.delete" "deleting a person's spaces";
    ADMIN_SPACES "chat.admin.spaces" "spaces, as an administrator";
    ADMIN_SPACES_READONLY "chat.admin.spaces.readonly" "looking at spaces, as an administrator";
    ADMIN_DELETE "chat.admin.delete" "deleting spaces, as an administrator";
    APP_SPACES "chat.app.spaces" "spaces, as the app itself";
    APP_SPACES_CREATE "chat.app.spaces.create" "creating spaces, as the app itself";
    APP_DELETE "chat.app.delete" "deleting the app's own spaces";
    CLOUD_PLATFORM "cloud-platform" "IAM Credentials, which signs claims without a key file";
}

impl Scope {
    /// The short name: `chat.import`.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The full name, as tokens are asked for and delegations entered.
    pub fn url(self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// Whether only an administrator can use it.
    pub fn is_for_administrators(self) -> bool {
        self.0.starts_with("chat.admin.")
    }

    /// Reads a short or a full name.
    pub fn parse(text: &str) -> Option<Scope> {
        let name = text.strip_prefix(PREFIX).unwrap_or(text);
        Scope::ALL.iter().copied().find(|scope| scope.0 == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(*scope));
            assert_eq!(Scope::parse(&scope.url()), Some(*scope));
        }
        assert_eq!(Scope::parse("chat.nothing"), None);
        assert_eq!(Scope::IMPORT.url(), "https://www.googleapis.com/auth/chat.import");
    }
}
