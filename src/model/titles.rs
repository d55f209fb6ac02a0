//! What people call spaces.

use std::collections::HashMap;

use super::{DISPLAY_NAME_CHARS_MAX, SpaceName};

/// What people call spaces: `#general` for `spaces/AAAA`. Several may be called the same, so the space itself always stands
/// beside its title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceTitles(HashMap<Box<str>, Box<str>>);

impl SpaceTitles {
    /// What a space (`spaces/AAAA`) is called, if that is known.
    pub fn of(&self, space: &str) -> Option<&str> {
        self.0.get(space).map(|title| &**title)
    }

    /// Says what a space is called: on one line, as long as Chat lets a display name be. The id of a space is no title.
    pub fn insert(&mut self, space: &SpaceName, title: &str) {
        let title: String = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = title.chars().take(DISPLAY_NAME_CHARS_MAX).collect();
        let is_id = title == space.id() || title.starts_with("spaces/");
        if !title.is_empty() && !is_id {
            self.0.insert(space.as_str().into(), title.into());
        }
    }

    /// What others say counts more.
    pub fn extend(&mut self, others: SpaceTitles) {
        self.0.extend(others.0);
    }

    /// Every space that has a title.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(space, title)| (&**space, &**title))
    }

    /// Whether nothing is called anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A space for people: `#general (spaces/AAAA)`, or `spaces/AAAA` where nobody has said what it is called.
    pub fn tell(&self, space: &str) -> String {
        told(space, self.of(space))
    }
}

/// A space with its title before it, if it has one.
pub fn told(space: &str, title: Option<&str>) -> String {
    match title {
        Some(title) => format!("{title} ({space})"),
        None => space.to_owned(),
    }
}

/// A message, each space that it names with its title before it. Names of memberships stay as they are.
///
/// # Errors
/// Those of the look-up.
pub fn told_in<E>(
    message: &str,
    mut title: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<String, E> {
    const BEGINS: &str = "spaces/";
    let in_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
    let mut told_so_far = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(place) = rest.find(BEGINS) {
        let (before, from) = rest.split_at(place);
        let name = from.split_once(|c| !in_a_name(c)).map_or(from, |(name, _)| name);
        let is_space =
            name.len() > BEGINS.len() && !name[BEGINS.len()..].contains('/') && !before.ends_with(in_a_name);
        told_so_far += before;
        let title = if is_space { title(name)? } else { None };
        // Some messages tell it already.
        let title = title.filter(|title| !before.ends_with(&format!("{title} (")));
        told_so_far += &told(name, title.as_deref());
        rest = &from[name.len()..];
    }
    Ok(told_so_far + rest)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn titles() -> SpaceTitles {
        let mut titles = SpaceTitles::default();
        for (space, title) in [("A", "#general"), ("B", " Büro "), ("C", "C"), ("D", "spaces/D"), ("E", " ")]
        {
            titles.insert(&SpaceName::parse(space).unwrap(), title);
        }
        titles
    }

    #[test]
    fn a_title_says_more_than_the_space() {
        let told =
            ["spaces/A", "spaces/B", "spaces/C", "spaces/D", "spaces/E"].map(|space| titles().tell(space));
        assert_eq!(told, ["#general (spaces/A)", "Büro (spaces/B)", "spaces/C", "spaces/D", "spaces/E"]);
        let mut others = SpaceTitles::default();
        others.insert(&SpaceName::parse("A").unwrap(), "General");
        let mut both = titles();
        both.extend(others);
        assert_eq!((both.of("spaces/A"), both.iter().count()), (Some("General"), 2));
        both.insert(&SpaceName::parse("A").unwrap(), &"one\nline\t".repeat(40));
        let long = both.of("spaces/A").unwrap();
        assert!(long.starts_with("one line one line") && long.chars().count() == DISPLAY_NAME_CHARS_MAX);
    }

    #[test]
    fn spaces_are_found_in_messages() {
        let titles = titles();
        let look = |space: &str| Ok::<_, Infallible>(titles.of(space).map(str::to_owned));
        for (message, told) in [
            ("Chat refuses spaces/A: no", "Chat refuses #general (spaces/A): no"),
            ("spaces/A and spaces/B.", "#general (spaces/A) and Büro (spaces/B)."),
            ("spaces/A/members/1 is there", "spaces/A/members/1 is there"),
            ("my-spaces/A, spaces/Ab, spaces/", "my-spaces/A, spaces/Ab, spaces/"),
            ("#general (spaces/A)", "#general (spaces/A)"),
            ("no such space (spaces/A)", "no such space (#general (spaces/A))"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(told_in(message, look), Ok(told.to_owned()));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_message_without_titles_stays(message in "(spaces/|[A-C/ (.üx-]){0,12}") {
            proptest::prop_assert_eq!(told_in(&message, |_| Ok::<_, Infallible>(None)), Ok(message));
        }
    }
}
