//! What rows say that people call their spaces: the first row of each space is asked.

use crate::model::{Names, SpaceName, SpaceTitles};

/// Titles as they are met, by the number of the space.
#[derive(Debug, Default)]
pub(super) struct Titles {
    /// Whether a row of the space has come by.
    met: Vec<bool>,
    found: Vec<(u32, String)>,
}

impl Titles {
    /// A row of a space; `title` is what it says, asked only if it is the first.
    pub(super) fn on(&mut self, space: u32, title: impl FnOnce() -> Option<String>) {
        let place = space as usize;
        if self.met.len() <= place {
            self.met.resize(place + 1, false);
        }
        if !std::mem::replace(&mut self.met[place], true) {
            self.found.extend(title().map(|title| (space, title)));
        }
    }

    /// All of them, by the spaces' names.
    pub(super) fn named(&self, names: &Names) -> SpaceTitles {
        let mut titles = SpaceTitles::default();
        for (number, title) in &self.found {
            // What came from rows in order can be read.
            if let Ok(space) = SpaceName::parse(&names.space_name(*number)) {
                titles.insert(&space, title);
            }
        }
        titles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_of_a_space_says_it() {
        let mut names = Names::new();
        let [a, b] = ["A", "B"].map(|id| names.space_number(&SpaceName::parse(id).unwrap()));
        let mut titles = Titles::default();
        titles.on(b, || Some("#b".to_owned()));
        titles.on(a, || None);
        titles.on(a, || unreachable!("asked twice"));
        let named = titles.named(&names);
        assert_eq!((named.of("spaces/A"), named.of("spaces/B")), (None, Some("#b")));
    }
}
