//! Names, each held once: millions of rows name a few thousand spaces and people.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{MemberName, SpaceName};

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

    /// The number of the space that a text names, as `spaces/{id}` or by its id alone, if it has one.
    pub fn find_space(&self, text: &str) -> Option<u32> {
        self.spaces.find(text.strip_prefix("spaces/").unwrap_or(text))
    }

    /// The number of the member that a text names, an address also without `users/`, if it has one.
    pub fn find_member(&self, text: &str) -> Option<u32> {
        self.members.find(member_key(text))
    }

    /// Whether a text is the name of the space with this number.
    pub fn is_space(&self, number: u32, text: &str) -> bool {
        text.strip_prefix("spaces/").is_some_and(|id| self.spaces.get(number) == id)
    }

    /// Whether a text is the name of the member with this number.
    pub fn is_member(&self, number: u32, text: &str) -> bool {
        Names::is_whole_member(text) && self.members.get(number) == member_key(text)
    }

    /// Whether the text that a space was found by is its whole name.
    pub fn is_whole_space(text: &str) -> bool {
        text.starts_with("spaces/")
    }

    /// Whether the text that a member was found by is the whole name: an address is held without `users/`, so it is only
    /// with that.
    pub fn is_whole_member(text: &str) -> bool {
        member_key(text).len() < text.len() || !text.contains('@')
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

/// Texts, one behind the other, and a way to find them.
#[derive(Debug, Default)]
struct Table {
    text: String,
    places: Vec<Place>,
    numbers: HashTable<(Place, u32)>,
    hasher: DefaultHashBuilder,
}

/// Where a text begins, and in the lower 16 bits how long it is. Beside its number, so that one look finds it.
#[derive(Debug, Clone, Copy)]
struct Place(u64);

impl Place {
    fn of(self, text: &str) -> &str {
        let (begin, length) = ((self.0 >> 16) as usize, (self.0 & 0xffff) as usize);
        text.get(begin..begin + length).unwrap_or_default()
    }
}

impl Table {
    fn len(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    fn get(&self, number: u32) -> &str {
        let place = (number as usize).checked_sub(1).and_then(|place| self.places.get(place));
        place.map_or("", |place| place.of(&self.text))
    }

    fn find(&self, text: &str) -> Option<u32> {
        let same = |(place, _): &(Place, u32)| place.of(&self.text) == text;
        self.numbers.find(self.hasher.hash_one(text), same).map(|(_, number)| *number)
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.find(text) {
            return number;
        }
        // The longest name is an address of 64 + 1 + 253 characters (RFC 5321), of four bytes each at most.
        let place = Place((self.text.len() as u64) << 16 | text.len() as u64);
        self.text.push_str(text);
        self.places.push(place);
        let number = self.len();
        let (texts, hasher) = (&self.text, &self.hasher);
        let hash = |(place, _): &(Place, u32)| hasher.hash_one(place.of(texts));
        self.numbers.insert_unique(hasher.hash_one(text), (place, number), hash);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_in_every_spelling() {
        let mut names = Names::new();
        let space = |text| SpaceName::parse(text).unwrap();
        let member = |text| MemberName::parse(text).unwrap();
        assert_eq!(names.find_space("A"), None);
        assert_eq!((names.space_number(&space("spaces/A")), names.space_number(&space("B"))), (1, 2));
        assert_eq!((names.find_space("A"), names.find_space("spaces/B")), (Some(1), Some(2)));
        assert_eq!(
            (names.space_name(1), names.space_name(3), names.space_name(0)),
            ("spaces/A".into(), String::new(), String::new())
        );
        assert!(names.is_space(1, "spaces/A") && !names.is_space(1, "A") && !names.is_space(1, "spaces/B"));
        for (number, text) in (1..).zip(["a@b.cd", "users/1", "groups/1", "users/app"]) {
            assert_eq!(names.member_number(&member(text)), number);
            assert_eq!(names.find_member(text), Some(number));
            let name = member(text);
            assert_eq!(names.member_name(number), name.as_str());
            assert!(names.is_member(number, name.as_str()));
        }
        assert_eq!(names.find_member("users/a@b.cd"), Some(1));
        assert_eq!((names.find_member("A@b.cd"), names.find_member("1")), (None, None));
        assert!(!names.is_member(1, "a@b.cd"), "as it is held it has users/ before it");
        assert_eq!((names.spaces(), names.members()), (2, 4));
    }
}
