//! The names of rows, each held once: millions of rows name a few thousand spaces and people.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::model::{MemberName, SpaceName};

/// How the names of rows are held once they are checked: by themselves, or by their numbers in [`Names`].
pub(super) trait Naming {
    /// A space.
    type Space: Clone;
    /// A member.
    type Member: Clone;

    /// The space that a text names, if it was admitted before.
    fn known_space(&self, text: &str) -> Option<Self::Space>;
    /// The member that a text names, if they were admitted before.
    fn known_member(&self, text: &str) -> Option<Self::Member>;
    /// Admits a space: of a row that is in order as a whole.
    fn space(&mut self, name: SpaceName) -> Self::Space;
    /// Admits a member.
    fn member(&mut self, name: MemberName) -> Self::Member;
    /// A space's name, for a message.
    fn space_name(&self, space: &Self::Space) -> String;
    /// Whether a text is a space's name as it is held.
    fn is_space(&self, space: &Self::Space, text: &str) -> bool;
    /// Whether a text is a member's name as it is held.
    fn is_member(&self, member: &Self::Member, text: &str) -> bool;
}

/// Every row with names of its own.
pub(super) struct Owned;

impl Naming for Owned {
    type Space = SpaceName;
    type Member = MemberName;

    fn known_space(&self, _text: &str) -> Option<SpaceName> {
        None
    }

    fn known_member(&self, _text: &str) -> Option<MemberName> {
        None
    }

    fn space(&mut self, name: SpaceName) -> SpaceName {
        name
    }

    fn member(&mut self, name: MemberName) -> MemberName {
        name
    }

    fn space_name(&self, space: &SpaceName) -> String {
        space.to_string()
    }

    fn is_space(&self, space: &SpaceName, text: &str) -> bool {
        space.as_str() == text
    }

    fn is_member(&self, member: &MemberName, text: &str) -> bool {
        member.as_str() == text
    }
}

/// The names of all rows that were in order, numbered from 1 as they were met.
#[derive(Debug, Default)]
pub struct Names {
    spaces: Table,
    members: Table,
}

impl Names {
    /// None yet.
    pub fn new() -> Self {
        Names::default()
    }

    /// How many spaces there are.
    pub fn spaces(&self) -> u32 {
        self.spaces.len()
    }

    /// How many members there are.
    pub fn members(&self) -> u32 {
        self.members.len()
    }

    /// A space's name, `spaces/{id}`; empty for a number that has none.
    pub fn space_name(&self, number: u32) -> String {
        match self.spaces.get(number) {
            "" => String::new(),
            id => format!("spaces/{id}"),
        }
    }

    /// A member's name, such as `users/maria@example.com`; empty for a number that has none.
    pub fn member_name(&self, number: u32) -> String {
        match self.members.get(number) {
            address if address.contains('@') => format!("users/{address}"),
            name => name.to_owned(),
        }
    }

    /// The number of a space, a new one if need be.
    pub fn space_number(&mut self, name: &SpaceName) -> u32 {
        self.spaces.number(name.id())
    }

    /// The number of a member, a new one if need be.
    pub fn member_number(&mut self, name: &MemberName) -> u32 {
        self.members.number(member_key(name.as_str()))
    }
}

/// What a member is held under: an address without `users/`, as most inputs have it. No other name has an `@`.
fn member_key(name: &str) -> &str {
    name.strip_prefix("users/").filter(|user| user.contains('@')).unwrap_or(name)
}

impl Naming for Names {
    type Space = u32;
    type Member = u32;

    fn known_space(&self, text: &str) -> Option<u32> {
        self.spaces.find(text.strip_prefix("spaces/").unwrap_or(text))
    }

    fn known_member(&self, text: &str) -> Option<u32> {
        self.members.find(member_key(text))
    }

    fn space(&mut self, name: SpaceName) -> u32 {
        self.space_number(&name)
    }

    fn member(&mut self, name: MemberName) -> u32 {
        self.member_number(&name)
    }

    fn space_name(&self, space: &u32) -> String {
        Names::space_name(self, *space)
    }

    fn is_space(&self, space: &u32, text: &str) -> bool {
        text.strip_prefix("spaces/").is_some_and(|id| self.spaces.get(*space) == id)
    }

    fn is_member(&self, member: &u32, text: &str) -> bool {
        let key = member_key(text);
        // An address is held without `users/`, so only with it the text is the whole name.
        (key.len() < text.len() || !text.contains('@')) && self.members.get(*member) == key
    }
}

/// Texts, one behind the other, and a way to find them.
#[derive(Debug, Default)]
struct Table {
    text: String,
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Table {
    fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    fn get(&self, number: u32) -> &str {
        text_of(&self.text, &self.ends, number)
    }

    fn find(&self, text: &str) -> Option<u32> {
        let same = |number: &u32| self.get(*number) == text;
        self.numbers.find(self.hasher.hash_one(text), same).copied()
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        let number = self.len();
        let (texts, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let hash = |number: &u32| hasher.hash_one(text_of(texts, ends, *number));
        self.numbers.insert_unique(hasher.hash_one(text), number, hash);
        number
    }
}

fn text_of<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let Some(place) = (number as usize).checked_sub(1) else { return "" };
    let begin = place.checked_sub(1).map_or(0, |before| ends[before]);
    ends.get(place).and_then(|end| text.get(begin..*end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_in_every_spelling() {
        let mut names = Names::new();
        let space = |text| SpaceName::parse(text).unwrap();
        let member = |text| MemberName::parse(text).unwrap();
        assert_eq!(names.known_space("A"), None);
        assert_eq!((names.space(space("spaces/A")), names.space(space("B"))), (1, 2));
        assert_eq!((names.known_space("A"), names.known_space("spaces/B")), (Some(1), Some(2)));
        assert_eq!(
            (names.space_name(1), names.space_name(3), names.space_name(0)),
            ("spaces/A".into(), String::new(), String::new())
        );
        assert!(
            names.is_space(&1, "spaces/A") && !names.is_space(&1, "A") && !names.is_space(&1, "spaces/B")
        );
        for (number, text) in (1..).zip(["a@b.cd", "users/1", "groups/1", "users/app"]) {
            assert_eq!(names.member(member(text)), number);
            assert_eq!(names.known_member(text), Some(number));
            let name = member(text);
            assert_eq!(names.member_name(number), name.as_str());
            assert!(names.is_member(&number, name.as_str()));
        }
        assert_eq!(names.known_member("users/a@b.cd"), Some(1));
        assert_eq!((names.known_member("A@b.cd"), names.known_member("1")), (None, None));
        assert!(!names.is_member(&1, "a@b.cd"), "as it is held it has users/ before it");
        assert_eq!((names.spaces(), names.members()), (2, 4));
    }
}
