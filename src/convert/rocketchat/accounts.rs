//! Who a username means: notices about somebody have the name that they had then, and people change their names. Pure.

use std::collections::HashMap;

use crate::convert::reconstruct::SAME_EVENT;
use crate::model::Timestamp;

/// Accounts, by their names now and then.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// What is known of each, by its id.
    known: HashMap<String, Known>,
    /// Who has a name now.
    holders: HashMap<String, String>,
    /// Who had a name then, of names that their holder does not have any more.
    former: HashMap<String, Vec<(Timestamp, String)>>,
}

#[derive(Debug, Default)]
struct Known {
    username: String,
    created: Option<Timestamp>,
    /// Whether the list of users has it.
    listed: bool,
    is_bot: bool,
}

impl Accounts {
    /// Takes an account of the list of users.
    pub(super) fn list(
        &mut self,
        id: &str,
        username: Option<&str>,
        created: Option<Timestamp>,
        is_bot: bool,
    ) {
        let username = username.unwrap_or_default().to_owned();
        if !username.is_empty() {
            self.holders.insert(username.clone(), id.to_owned());
        }
        self.known.insert(id.to_owned(), Known { username, created, listed: true, is_bot });
    }

    /// Takes an account that only a message names. Whether that is new.
    pub(super) fn meet(&mut self, id: &str, username: Option<&str>) -> bool {
        if self.known.contains_key(id) {
            return false;
        }
        let username = username.unwrap_or_default().to_owned();
        if !username.is_empty() {
            self.holders.entry(username.clone()).or_insert_with(|| id.to_owned());
        }
        self.known.insert(id.to_owned(), Known { username, ..Known::default() });
        true
    }

    /// Takes the name that an account had at some time.
    pub(super) fn had_name(&mut self, id: &str, name: &str, time: Timestamp) {
        if self.known.get(id).is_none_or(|known| known.username != name) {
            self.former.entry(name.to_owned()).or_default().push((time, id.to_owned()));
        }
    }

    /// Whether the list of users has it.
    pub(super) fn is_listed(&self, id: &str) -> bool {
        self.known.get(id).is_some_and(|known| known.listed)
    }

    /// Whether it is a program's.
    pub(super) fn is_bot(&self, id: &str) -> bool {
        self.known.get(id).is_some_and(|known| known.is_bot)
    }

    /// Whose the name is now.
    pub(super) fn holder(&self, name: &str) -> Option<&str> {
        self.holders.get(name).map(String::as_str)
    }

    /// Whose the name is now, if there was such an account by then.
    fn holder_then(&self, name: &str, time: Timestamp) -> Option<&str> {
        let was_there = |id: &&str| {
            let created = self.known.get(*id).and_then(|known| known.created);
            created.is_none_or(|created| created <= time.after(SAME_EVENT))
        };
        self.holder(name).filter(was_there)
    }

    /// Whose the name was, if no message that is still to come can tell otherwise.
    pub(super) fn find_at_once(&self, name: &str, time: Timestamp) -> Option<&str> {
        self.holder_then(name, time).filter(|id| self.is_listed(id))
    }

    /// Whose the name was: its holder's, if there was such an account by then; else that of the last who had it then, or
    /// of the next.
    pub(super) fn find(&self, name: &str, time: Timestamp) -> Option<&str> {
        self.holder_then(name, time).or_else(|| {
            let former = self.former.get(name)?;
            let before = former.iter().filter(|(then, _)| *then <= time).max_by_key(|(then, _)| *then);
            let found = before.or_else(|| former.iter().min_by_key(|(then, _)| *then));
            found.map(|(_, id)| id.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros((1_577_836_800 + second) * 1_000_000)
    }

    #[test]
    fn names_that_have_passed_on() {
        let mut accounts = Accounts::default();
        accounts.list("A", Some("samuel"), Some(at(0)), false);
        accounts.list("B", Some("sam"), Some(at(100)), false);
        accounts.had_name("A", "sam", at(10));
        accounts.had_name("B", "sam", at(110));
        assert_eq!(accounts.find("sam", at(20)), Some("A"));
        assert_eq!(accounts.find("sam", at(5)), Some("A"));
        assert_eq!(accounts.find("sam", at(120)), Some("B"));
        assert_eq!(accounts.find("samuel", at(120)), Some("A"));
        assert_eq!(accounts.find("nobody", at(120)), None);
        assert_eq!(
            (accounts.find_at_once("sam", at(20)), accounts.find_at_once("sam", at(120))),
            (None, Some("B"))
        );
        assert!(accounts.meet("C", Some("samuel")) && !accounts.meet("C", None));
        assert_eq!(accounts.find("samuel", at(120)), Some("A"));
    }
}
