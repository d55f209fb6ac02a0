//! How the names of rows are held: each row's own, or each name once.

use crate::model::{MemberName, Names, SpaceName};

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
    /// The same of a text that a known space was found by, without looking at the name again.
    fn is_whole_space(text: &str) -> bool;
    /// The same of a text that a known member was found by.
    fn is_whole_member(text: &str) -> bool;
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

    // Nothing is ever known.
    fn is_whole_space(_text: &str) -> bool {
        false
    }

    fn is_whole_member(_text: &str) -> bool {
        false
    }
}

impl Naming for Names {
    type Space = u32;
    type Member = u32;

    fn known_space(&self, text: &str) -> Option<u32> {
        self.find_space(text)
    }

    fn known_member(&self, text: &str) -> Option<u32> {
        self.find_member(text)
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
        Names::is_space(self, *space, text)
    }

    fn is_member(&self, member: &u32, text: &str) -> bool {
        Names::is_member(self, *member, text)
    }

    fn is_whole_space(text: &str) -> bool {
        Names::is_whole_space(text)
    }

    fn is_whole_member(text: &str) -> bool {
        Names::is_whole_member(text)
    }
}
