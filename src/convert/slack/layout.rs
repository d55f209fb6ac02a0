//! Where things are in a Slack export. Pure: paths in, places out.

use std::collections::BTreeSet;

use crate::convert::Export;

/// The lists that tell a folder to be the root of an export.
const LISTS: [&str; 6] =
    ["channels.json", "groups.json", "mpims.json", "dms.json", "users.json", "org_users.json"];

/// A folder with lists, and day folders beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// Before each path in it: empty, or with `/` at its end.
    pub(super) prefix: String,
    /// The workspace, in an export of Enterprise Grid.
    pub(super) team: String,
}

impl Root {
    /// The path of something in it.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// The export itself, and the workspaces of Enterprise Grid in `teams/`. Archives that somebody has packed again have all
/// of it in one more folder.
pub(super) fn roots(export: &Export) -> Vec<Root> {
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for path in export.paths() {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        if LISTS.contains(&name) && !folder.starts_with("__") {
            folders.insert(folder);
        }
    }
    let depth = |folder: &str| folder.split('/').filter(|part| !part.is_empty()).count();
    // `teams/a` alone is a workspace of an export whose own lists are missing.
    let of_team = |folder: &str| {
        let mut parts = folder.rsplit('/');
        let team = parts.next().unwrap_or_default().to_owned();
        (parts.next() == Some("teams")).then_some(team)
    };
    let last = |folder: &str| folder.rsplit('/').next().unwrap_or_default().to_owned();
    let top = folders.iter().filter(|folder| of_team(folder).is_none()).map(|folder| depth(folder)).min();
    let tops =
        folders.iter().filter(|folder| of_team(folder).is_none() && Some(depth(folder)) == top).count();
    folders
        .iter()
        .filter(|folder| of_team(folder).is_some() || Some(depth(folder)) == top)
        .map(|folder| Root {
            prefix: if folder.is_empty() { String::new() } else { format!("{folder}/") },
            // Several exports in one archive are several workspaces.
            team: of_team(folder).unwrap_or_else(|| if tops > 1 { last(folder) } else { String::new() }),
        })
        .collect()
}

/// The folder of a day file `<folder>/YYYY-MM-DD.json` in this root; `None` for everything else.
pub(super) fn day_folder<'a>(root: &Root, path: &'a str) -> Option<&'a str> {
    let (folder, name) = path.strip_prefix(root.prefix.as_str())?.split_once('/')?;
    let shape = b"0000-00-00.json";
    let is_day = name.len() == shape.len()
        && name.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        });
    is_day.then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_files_and_others() {
        let root = Root { prefix: "x/".to_owned(), team: String::new() };
        assert_eq!(day_folder(&root, "x/general/2016-01-14.json"), Some("general"));
        for path in [
            "x/general/canvas.json",
            "x/general/a/2016-01-14.json",
            "x/2016-01-14.json",
            "general/2016-01-14.json",
        ] {
            assert_eq!(day_folder(&root, path), None, "{path}");
        }
    }
}
