//! Who is who: canonical user ids, and an order for lists that nobody can mistake for a promise.

use ring::digest::{SHA256, digest};

const TWENTY_DIGITS: u128 = 100_000_000_000_000_000_000;

/// `users/{id}` for an address in lower case: 21 decimal digits of its hash, the first a 1, as Google's look.
pub(crate) fn user_of_address(address: &str) -> String {
    let hash = digest(&SHA256, address.as_bytes());
    let number = hash.as_ref().iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    format!("users/{}", TWENTY_DIGITS + number % TWENTY_DIGITS)
}

/// Spreads texts over the numbers, the same way in every process (FNV-1a, finished as in SplitMix64).
pub(crate) fn scramble(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// A member, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// `users/{digits}`, `users/app` or `groups/{id}`.
    pub(crate) id: String,
    /// The address in lower case, when the request gave one.
    pub(crate) address: Option<String>,
}

impl Who {
    /// Reads a `User.name`: `users/{id}`, `users/{e-mail}` or `users/app`.
    ///
    /// `None` when it is malformed or an address without a Google account: Chat answers both alike. Addresses in
    /// a domain that ends in `.invalid` (RFC 2606) have no account.
    pub(crate) fn user(name: &str) -> Option<Who> {
        let user = name.strip_prefix("users/")?;
        if user == "app" || is_number(user) {
            return Some(Who { id: name.to_owned(), address: None });
        }
        let (local, domain) = user.split_once('@')?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '/');
        let dots = domain.contains('.') && !domain.split('.').any(str::is_empty);
        if local.is_empty() || !dots || local.contains(odd) || domain.contains(odd) {
            return None;
        }
        let address = user.to_lowercase();
        let no_account = address.ends_with(".invalid");
        (!no_account).then(|| Who { id: user_of_address(&address), address: Some(address) })
    }

    /// Reads a `Group.name`: `groups/{id}`.
    pub(crate) fn group(name: &str) -> Option<Who> {
        let id = name.strip_prefix("groups/")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (!id.is_empty() && id.bytes().all(plain)).then(|| Who { id: name.to_owned(), address: None })
    }

    /// Reads the last part of `spaces/{space}/members/{member}`: `app`, a user's id or e-mail, or a group's id.
    pub(crate) fn member(part: &str) -> Option<Who> {
        if part == "app" || is_number(part) || part.contains('@') {
            Who::user(&format!("users/{part}"))
        } else {
            Who::group(&format!("groups/{part}"))
        }
    }

    pub(crate) fn is_app(&self) -> bool {
        self.id == "users/app"
    }

    /// Whether the address is in one of these domains.
    pub(crate) fn is_in(&self, domains: &[String]) -> bool {
        let domain = self.address.as_deref().and_then(|address| address.split_once('@'));
        domain.is_some_and(|(_, domain)| domains.iter().any(|known| known == domain))
    }

    pub(crate) fn is_group(&self) -> bool {
        self.id.starts_with("groups/")
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 30 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_googles_and_depend_on_the_address_alone() {
        let maria = Who::user("users/Maria@Example.com").unwrap();
        assert_eq!(maria, Who::user("users/maria@example.COM").unwrap());
        assert_eq!(maria.address.as_deref(), Some("maria@example.com"));
        let digits = maria.id.strip_prefix("users/").unwrap();
        assert_eq!((digits.len(), digits.starts_with('1')), (21, true), "{digits}");
        assert_eq!(Who::user(&maria.id).unwrap().id, maria.id);
        assert_eq!(Who::member("maria@example.com"), Some(maria));
        // Pinned: stores of earlier versions hold ids made like this.
        assert_eq!(user_of_address("maria@example.com"), "users/120077886667949951494");
    }

    #[test]
    fn what_nobody_has() {
        for name in [
            "users/",
            "users/a",
            "maria@example.com",
            "users/a@b",
            "users/a@b..c",
            "users/a@x.invalid",
            "users/a b@c.d",
        ] {
            assert_eq!(Who::user(name), None, "{name}");
        }
        assert!(Who::user("users/app").unwrap().is_app());
        assert!(Who::group("groups/01-x_Y").unwrap().is_group());
        assert_eq!(Who::group("groups/a@b.c"), None);
        assert!(Who::member("01abc").unwrap().is_group());
    }
}
