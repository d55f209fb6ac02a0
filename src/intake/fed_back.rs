//! Rows that were refused once and come back mended: only the journal in which they were refused can settle them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Begun, shown};
use crate::input::{Problem, ProblemKind};
use crate::journal::{Loader, REPLACES, claim, journal_of};
use crate::wording::quoted;

/// Where rows say that they stood when they were refused.
#[derive(Debug, Default)]
pub(super) struct FedBack {
    /// By the file that comes back, counted from 0, and the one in which they stood: the first such line, and what it says.
    first: BTreeMap<(usize, String), (u64, Box<str>)>,
}

impl FedBack {
    /// A row, with JSON of what it says beyond its tenure.
    pub(super) fn on(&mut self, source: usize, line: u64, given: Option<&str>) {
        let Some(place) = given.and_then(claim) else { return };
        if let Some((path, _)) = place.rsplit_once(':') {
            self.first.entry((source, path.to_owned())).or_insert((line, place));
        }
    }

    /// What is wrong with files of which the journal knows nothing that their rows stood in: each with its number and line.
    pub(super) fn strange<'a>(
        &'a self,
        loader: &'a Loader<'_>,
        files: &'a [Begun],
    ) -> impl Iterator<Item = ((usize, u64), Problem)> + 'a {
        files.iter().enumerate().filter_map(|(source, file)| {
            let mut claims =
                self.first.range((source, String::new())..(source + 1, String::new())).peekable();
            let ((_, path), (line, place)) = *claims.peek()?;
            let is_strange = claims.all(|((_, path), _)| !loader.may_have_refused(path));
            is_strange.then(|| ((source, *line), problem(&file.file, *line, path, place)))
        })
    }
}

fn problem(file: &Arc<str>, line: u64, path: &str, place: &str) -> Problem {
    let message = format!(
        "it was refused when it stood at {}, but not in this journal, which knows nothing of that file: the row would stay \
         refused there, and be sent from here",
        shown(place)
    );
    let journal = journal_of(Path::new(path));
    let journal = journal.map_or("FILE".to_owned(), |journal| quoted(&journal.display().to_string()));
    Problem::new(file, line, ProblemKind::OtherJournal, message).column(REPLACES).fatal().help(format!(
        "name the journal that the rows came from: --journal {journal}; to begin a new one with them all the same, delete the \
         column {REPLACES}"
    ))
}
