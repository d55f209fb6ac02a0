//! Who somebody of the legacy system is to Google. Pure, but for the map that was read.

use super::fact::{PersonFact, Standing};
use crate::input::UserMap;
use crate::model::MemberName;

/// What the operator has said of people.
#[derive(Debug, Default)]
pub struct People {
    /// `--users`: what it says counts, whatever the export says.
    pub users: Option<UserMap>,
    /// `--domain`.
    pub domains: Vec<DomainRule>,
    /// Whether programs count as people.
    pub bots: bool,
}

/// One `--domain`: `old.example=new.example`, or `new.example` alone. The old one may be whatever a legacy system has in its
/// addresses, also a name without a dot (`localhost`); the new one is a domain of Google's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRule {
    /// What stands behind the `@` in the export, in lower case.
    pub old: String,
    /// What is to stand there.
    pub new: String,
}

impl std::str::FromStr for DomainRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (old, new) = text.split_once('=').unwrap_or((text, text));
        let wrong =
            |text: &str| format!("{text:?} is not a domain: write old.example=new.example, or one domain");
        let unfit = |c: char| c == '@' || c == '=' || c.is_whitespace() || c.is_control();
        if old.is_empty() || old.contains(unfit) {
            return Err(wrong(old));
        }
        MemberName::parse(&format!("x@{new}")).map_err(|_| wrong(new))?;
        Ok(DomainRule { old: old.to_lowercase(), new: new.to_ascii_lowercase() })
    }
}

impl People {
    /// The member that somebody is: as `--users` says by their id or address, else their address, with its domain
    /// exchanged.
    pub fn member(&self, person: &PersonFact) -> Option<MemberName> {
        if let Some(users) = &self.users {
            // Not by what they are called: two people may be called the same.
            let names = [Some(&person.id), person.address.as_ref()];
            if let Some(member) = names.into_iter().flatten().find_map(|name| users.get(name)) {
                return Some(member.clone());
            }
        }
        let address = person.address.as_deref()?.trim();
        let (local, domain) = address.rsplit_once('@')?;
        let domain = domain.to_lowercase();
        match self.domains.iter().find(|rule| rule.old == domain) {
            Some(rule) => MemberName::parse(&format!("{local}@{}", rule.new)).ok(),
            None => MemberName::parse(address).ok(),
        }
    }

    /// What somebody is. With `--domain`, whoever has an address elsewhere is from outside.
    pub fn standing(&self, person: &PersonFact, member: &MemberName) -> Standing {
        let at_home = match member.address().and_then(|address| address.rsplit_once('@')) {
            Some((_, domain)) => {
                self.domains.is_empty() || self.domains.iter().any(|rule| rule.new == domain)
            }
            None => true,
        };
        match person.standing {
            Standing::Member if !at_home => Standing::External,
            standing => standing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Source;

    fn person(id: &str, address: &str) -> PersonFact {
        PersonFact {
            id: id.to_owned(),
            address: Some(address.to_owned()).filter(|text| !text.is_empty()),
            ..PersonFact::default()
        }
    }

    #[test]
    fn the_map_first_then_the_address_with_its_domain_exchanged() {
        let map = "id,member\nU1,eva@new.example\nold@old.example,users/12\n";
        let people = People {
            users: Some(UserMap::read(Source::from_reader("u.csv", map.as_bytes()).unwrap()).unwrap()),
            domains: vec!["Old.example=new.example".parse().unwrap()],
            bots: false,
        };
        let member = |id, address| people.member(&person(id, address)).map(|member| member.to_string());
        assert_eq!(member("U1", "someone@old.example").as_deref(), Some("users/eva@new.example"));
        assert_eq!(member("U2", "old@old.example").as_deref(), Some("users/12"));
        assert_eq!(member("U3", " Maria@OLD.example").as_deref(), Some("users/maria@new.example"));
        assert_eq!(member("U4", "a@b.example").as_deref(), Some("users/a@b.example"));
        assert_eq!((member("U5", ""), member("U6", "local")), (None, None));
        let standing = |address: &str| {
            let person = person("U", address);
            people.standing(&person, &people.member(&person).unwrap())
        };
        assert_eq!(standing("a@b.example"), Standing::External);
        assert_eq!(standing("a@old.example"), Standing::Member);
    }

    #[test]
    fn old_domains_are_whatever_an_address_may_have() {
        let member = |rule: &str, address| {
            let people = People { domains: vec![rule.parse().unwrap()], ..People::default() };
            people.member(&person("U", address)).map(|member| member.to_string())
        };
        let eva = Some("users/eva@new.example");
        assert_eq!(member("localhost=new.example", "Eva@LOCALHOST").as_deref(), eva);
        assert_eq!(member("[10.0.0.7]=new.example", "eva@[10.0.0.7]").as_deref(), eva);
        assert_eq!(member("bücher=new.example", "eva@BÜCHER").as_deref(), eva);
        assert_eq!(member("localhost=new.example", "eva@elsewhere"), None);
        for wrong in ["a b=c.example", "=c.example", "a@b=c.example", "a=localhost", "localhost", "a=", ""] {
            assert!(wrong.parse::<DomainRule>().is_err(), "{wrong}");
        }
    }
}
