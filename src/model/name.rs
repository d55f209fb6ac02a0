//! Resource names of spaces and members, as the Chat API spells them.

use std::fmt;

/// Why a text is no resource name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Not a space.
    #[error("it is neither spaces/{{id}} nor a bare id")]
    NotASpace,
    /// Not a member.
    #[error("it is neither users/{{id or e-mail}}, groups/{{id}}, users/app nor an e-mail address")]
    NotAMember,
    /// Not a membership.
    #[error("it is not spaces/{{space}}/members/{{member}}")]
    NotAMembership,
    /// Looks like an address, but is none.
    #[error("{0:?} is not an e-mail address")]
    NotAnAddress(String),
}

/// Ids may go into a URL's path, so only what needs no escaping there; Google's own are letters, digits, `-`, `_`.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The resource name of a space: `spaces/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceName(String);

impl SpaceName {
    /// Reads `spaces/{id}` or a bare id.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let id = text.strip_prefix("spaces/").unwrap_or(text);
        if !is_id(id) {
            return Err(NameError::NotASpace);
        }
        Ok(SpaceName(format!("spaces/{id}")))
    }

    /// `spaces/{id}`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id alone.
    pub fn id(&self) -> &str {
        self.0.strip_prefix("spaces/").unwrap_or(&self.0)
    }
}

impl fmt::Display for SpaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The resource name of a member: `users/{id or e-mail}`, `users/app` or `groups/{id}`.
///
/// Addresses are held in lower case, as Google compares them, so that one person has one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberName(String);

impl MemberName {
    /// Reads `users/{id}`, `users/{e-mail}`, `users/app`, `groups/{id}` or a bare e-mail address.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(id) = text.strip_prefix("groups/") {
            return if is_id(id) { Ok(MemberName(text.to_owned())) } else { Err(NameError::NotAMember) };
        }
        let user = text.strip_prefix("users/");
        match user.unwrap_or(text) {
            address if address.contains('@') => Ok(MemberName(format!("users/{}", address_of(address)?))),
            id if user.is_some() && is_id(id) => Ok(MemberName(text.to_owned())),
            _ => Err(NameError::NotAMember),
        }
    }

    /// The resource name, e.g. `users/maria@example.com`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names a Google Group.
    pub fn is_group(&self) -> bool {
        self.0.starts_with("groups/")
    }

    /// Whether it names the calling Chat app.
    pub fn is_app(&self) -> bool {
        self.0 == "users/app"
    }

    /// The e-mail address, when the person is named by one.
    pub fn address(&self) -> Option<&str> {
        self.0.strip_prefix("users/").filter(|user| user.contains('@'))
    }

    /// The canonical `users/{id}`, when the person is named by it already.
    pub fn canonical_user(&self) -> Option<&str> {
        let user = self.0.strip_prefix("users/")?;
        (!user.is_empty() && user.bytes().all(|b| b.is_ascii_digit())).then_some(self.as_str())
    }
}

/// The resource name of a membership: `spaces/{space}/members/{member}`, where the member is an id, `app`, or, where the
/// API takes it in requests, an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MembershipName {
    space: SpaceName,
    member: String,
}

impl MembershipName {
    /// Reads `spaces/{space}/members/{member}`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (space, member) = text.split_once("/members/").ok_or(NameError::NotAMembership)?;
        if !space.starts_with("spaces/") {
            return Err(NameError::NotAMembership);
        }
        let member = if member.contains('@') {
            address_of(member)?
        } else if is_id(member) {
            member.to_owned()
        } else {
            return Err(NameError::NotAMembership);
        };
        Ok(MembershipName { space: SpaceName::parse(space)?, member })
    }

    /// The membership that a space and a member's name, id or `app` make, as people type them.
    ///
    /// # Errors
    /// When one of the two is none.
    pub fn in_space(space: &str, member: &str) -> Result<Self, NameError> {
        let space = SpaceName::parse(space)?;
        if member.starts_with("spaces/") {
            let name = MembershipName::parse(member)?;
            return if name.space == space { Ok(name) } else { Err(NameError::NotAMembership) };
        }
        let member = ["users/", "groups/", "members/"]
            .into_iter()
            .find_map(|kind| member.strip_prefix(kind))
            .unwrap_or(member);
        MembershipName::parse(&format!("{space}/members/{member}"))
    }

    /// The membership of somebody in a space.
    pub fn of(space: SpaceName, member: &MemberName) -> Self {
        let name = member.as_str();
        let member = name.split_once('/').map_or(name, |(_, id)| id).to_owned();
        MembershipName { space, member }
    }

    /// The space.
    pub fn space(&self) -> &SpaceName {
        &self.space
    }

    /// The last part of the name.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// Whether it is the calling app's own.
    pub fn is_app(&self) -> bool {
        self.member == "app"
    }
}

impl fmt::Display for MembershipName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/members/{}", self.space, self.member)
    }
}

/// Whether a character cannot be seen where it stands, or turns the direction of writing: what looks like one address is another
/// with it.
pub const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// An address is checked for what would surely be refused (RFC 5321 lengths, one `@`, no blanks, control or unseen characters);
/// whether it has an account only Chat knows.
fn address_of(text: &str) -> Result<String, NameError> {
    let wrong = || NameError::NotAnAddress(text.chars().take(80).collect());
    let (local, domain) = text.split_once('@').ok_or_else(wrong)?;
    let banned = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || is_unseen(c)
            || matches!(c, '@' | '/' | ':' | ',' | ';' | '<' | '>' | '"' | '\u{fffd}')
    };
    let labels_fit =
        domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    if local.is_empty()
        || local.chars().count() > 64
        || domain.chars().count() > 253
        || local.contains(banned)
        || domain.contains(banned)
        || !domain.contains('.')
        || !labels_fit
    {
        return Err(wrong());
    }
    Ok(text.to_lowercase())
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spaces() {
        for text in ["spaces/AAQA-b_9", "AAQA-b_9"] {
            assert_eq!(SpaceName::parse(text).unwrap().as_str(), "spaces/AAQA-b_9");
        }
        for text in ["spaces/", "spaces/a/b", "#general", "a b", "büro", "spaces/a?x", "spaces/.."] {
            assert_eq!(SpaceName::parse(text), Err(NameError::NotASpace), "{text}");
        }
        assert_eq!(SpaceName::parse(""), Err(NameError::Empty));
    }

    #[test]
    fn members() {
        for (text, name) in [
            ("users/123", "users/123"),
            ("users/app", "users/app"),
            ("groups/0abc", "groups/0abc"),
            ("Maria@Example.com", "users/maria@example.com"),
            ("users/Jürgen@exämple.de", "users/jürgen@exämple.de"),
        ] {
            assert_eq!(MemberName::parse(text).unwrap().as_str(), name, "{text}");
        }
        for text in ["123", "maria", "users/", "users/a b", "groups/", "groups/a@b.c"] {
            assert_eq!(MemberName::parse(text), Err(NameError::NotAMember), "{text}");
        }
        for text in [
            "a@b",
            "@b.c",
            "a@",
            "a@b@c.d",
            "a b@c.d",
            "a@-b.c",
            "users/a@b..c",
            "a@b.c,d@e.f",
            "mailto:a@b.c",
            "a\u{200b}@b.c",
            "a@b\u{202e}.c",
        ] {
            assert!(matches!(MemberName::parse(text), Err(NameError::NotAnAddress(_))), "{text}");
        }
    }

    #[test]
    fn memberships() {
        for text in ["spaces/A/members/123", "spaces/A/members/app", "spaces/A/members/a@b.cd"] {
            assert_eq!(MembershipName::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["A/members/1", "spaces/A/members/", "spaces/A/members/a/b", "spaces/A", "spaces/A/members/a b"]
        {
            assert!(MembershipName::parse(text).is_err(), "{text}");
        }
        let in_a = |member| MembershipName::in_space("A", member).map(|name| name.to_string());
        for member in ["1", "users/1", "members/1", "spaces/A/members/1"] {
            assert_eq!(in_a(member).unwrap(), "spaces/A/members/1");
        }
        for member in ["spaces/B/members/1", "people/1", "users/1/2"] {
            assert!(in_a(member).is_err(), "{member}");
        }
        let of = |member| {
            let member = MemberName::parse(member).unwrap();
            MembershipName::of(SpaceName::parse("A").unwrap(), &member).to_string()
        };
        assert_eq!(of("users/app"), "spaces/A/members/app");
        assert_eq!(of("Maria@example.com"), "spaces/A/members/maria@example.com");
        assert_eq!(of("groups/g"), "spaces/A/members/g");
    }

    #[test]
    fn only_a_number_is_canonical() {
        assert!(MemberName::parse("users/123").unwrap().canonical_user().is_some());
        assert!(MemberName::parse("users/app").unwrap().canonical_user().is_none());
        assert!(MemberName::parse("a@b.cd").unwrap().canonical_user().is_none());
    }

    proptest! {
        #[test]
        fn a_name_reads_back_as_itself(text in "\\PC{0,40}|[a-z]{1,8}@[a-z]{1,8}\\.com|(users|groups|spaces)/[A-Za-z0-9@.]{0,12}") {
            if let Ok(name) = MemberName::parse(&text) {
                prop_assert_eq!(MemberName::parse(name.as_str()), Ok(name));
            }
            if let Ok(name) = SpaceName::parse(&text) {
                prop_assert_eq!(SpaceName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
