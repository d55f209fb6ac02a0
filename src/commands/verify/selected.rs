//! Which spaces `--space` means: by id, by what people call them, or by what the map that they were imported with does.

use std::path::Path;

use super::super::Usage;
use super::super::read_with::ReadWith;
use crate::journal::{Journal, JournalError, SpaceHeld};
use crate::model::{SpaceName, SpaceTitles};
use crate::wording::quoted;

/// The spaces that were asked for; all of them when none was.
///
/// # Errors
/// When one is not there, or a name is that of several.
pub(super) fn selected(journal: &Journal, asked: &[String], path: &Path) -> anyhow::Result<Vec<SpaceHeld>> {
    let at = |error: JournalError| error.at(path);
    let mut spaces = journal.spaces_held().map_err(at)?;
    if asked.is_empty() {
        return Ok(spaces);
    }
    let titles = journal.titles().map_err(at)?;
    let map = ReadWith::kept(journal).map_err(at)?.space_map();
    let mut chosen = Vec::new();
    for text in asked {
        let mapped = map.as_ref().and_then(|map| map.get(text));
        let mut found = meant(text, &spaces, &titles, mapped);
        let list = quoted(&path.display().to_string());
        match (found.pop(), found.is_empty()) {
            (Some(space), true) => chosen.push(space),
            (Some(last), false) => {
                let all: Vec<String> = found.iter().chain([&last]).map(ToString::to_string).collect();
                return Err(Usage(format!(
                    "--space {text}: the journal has several spaces of that name ({}): give the id of the one that is meant",
                    all.join(", ")
                ))
                .into());
            }
            (None, _) => {
                return Err(Usage(format!(
                    "--space {text}: the journal has no row of a space with that id or name; `tenure spaces list {list}` \
                     shows those that it has"
                ))
                .into());
            }
        }
    }
    spaces.retain(|space| chosen.contains(&space.name));
    Ok(spaces)
}

/// The spaces that a text may mean: an id comes before every name.
fn meant(
    text: &str,
    spaces: &[SpaceHeld],
    titles: &SpaceTitles,
    mapped: Option<&SpaceName>,
) -> Vec<SpaceName> {
    let id = SpaceName::parse(text).ok();
    let by_id = spaces.iter().find(|space| Some(&space.name) == id.as_ref());
    if let Some(space) = by_id {
        return vec![space.name.clone()];
    }
    let is_named =
        |space: &&SpaceHeld| Some(&space.name) == mapped || titles.of(space.name.as_str()) == Some(text);
    spaces.iter().filter(is_named).map(|space| space.name.clone()).collect()
}
