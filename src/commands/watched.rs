//! Who looks on while a run goes: opened beside the files that the run itself reads and writes, never in one of them.

use std::path::Path;

use super::{Usage, whole};
use crate::cli::{InputArgs, WatchArgs};
use crate::watch::Watch;

/// A file of the run itself, and what it is to it.
pub(super) type Needed<'a> = (&'static str, &'a Path);

/// Opens the log and the port.
///
/// # Errors
/// When the log's file is one that the run needs, cannot be written, or holds something else; or the port is taken.
pub(super) fn open(args: &WatchArgs, journal: &Path, needed: &[Needed<'_>]) -> anyhow::Result<Watch> {
    if let Some(log) = &args.log {
        let place = whole::place(log).ok();
        let mut needed = [("the journal", journal)].into_iter().chain(needed.iter().copied());
        let is_it = |(_, path): &Needed<'_>| place.is_some() && whole::place(path).ok() == place;
        if let Some((what, _)) = needed.find(is_it) {
            let name = log.display();
            return Err(Usage(format!(
                "--log {name}: that is {what} of this run, and a log would spoil it; nothing was sent; give the log a file of \
                 its own, e.g. --log calls.jsonl"
            ))
            .into());
        }
    }
    Watch::open(args)
}

/// The files that rows and their names are read from.
pub(super) fn read_by(args: &InputArgs) -> Vec<Needed<'_>> {
    let inputs = args.inputs.iter().map(|path| ("an input", path));
    let spaces = args.read.spaces.iter().map(|path| ("the map of spaces", path));
    let users = args.read.users.iter().map(|path| ("the map of users", path));
    inputs.chain(spaces).chain(users).map(|(what, path)| (what, path.as_path())).collect()
}
